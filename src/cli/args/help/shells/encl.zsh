#compdef encl
_encl() {
    local -a completions
    completions=("${(@f)$(_CLAP_IFS=$'\n' _CLAP_COMPLETE_INDEX=$((CURRENT - 1)) COMPLETE=zsh "ENCL" -- "${words[@]}" 2> /dev/null)}")
    if [[ "$completions" == /.encl ]]; then
        _files -g '*.encl'
    elif [[ -n "$completions" ]]; then
        _describe -V 'values' completions
    else
        _files
    fi
}
compdef _encl encl
