_encl() {
    # What was typed up to the cursor, in words as a shell reads them: bash also breaks them at `@`, `=` and `:`.
    local line="${COMP_LINE:0:COMP_POINT}" blank word i
    local -a words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        blank="${line%%[![:space:]]*}"
        line="${line#"$blank"}"
        word="$line"
        if ((i < COMP_CWORD)); then
            word="${COMP_WORDS[i]}"
        fi
        if ((i == 0)) || [[ -n "$blank" ]]; then
            words+=("$word")
        else
            words[${#words[@]} - 1]+="$word"
        fi
        line="${line#"$word"}"
    done
    local last=$((${#words[@]} - 1))
    mapfile -t COMPREPLY < <(
        _CLAP_IFS=$'\n' _CLAP_COMPLETE_INDEX="$last" COMPLETE=bash "ENCL" -- "${words[@]}" 2> /dev/null
    )
    if [[ "${COMPREPLY[*]}" == /.encl ]]; then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -d -- "$2"; compgen -f -X '!*.encl' -- "$2")
        return
    fi
    # bash replaces what stands behind the last of these signs, so what stands before it is not offered again.
    local before="${words[last]%"$2"}"
    for i in "${!COMPREPLY[@]}"; do
        COMPREPLY[i]="${COMPREPLY[i]#"$before"}"
    done
}
complete -o default -F _encl encl
