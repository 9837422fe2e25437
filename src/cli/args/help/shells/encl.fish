function __encl_complete
    set -l typed (commandline --current-process --tokenize --cut-at-cursor)
    set -l found (COMPLETE=fish "ENCL" -- $typed (commandline --current-token) 2> /dev/null)
    if test "$found" = /.encl
        __fish_complete_suffix .encl
    else if test -n "$found"
        printf '%s\n' $found
    end
end
complete --keep-order --command encl --arguments "(__encl_complete)"
