
# Names of applications, namespaces, destinations, exports and schedules come from the cluster or the server.
_outhaul_names() {
    local -a found
    found=(${(f)"$(command outhaul complete -- "${(@Q)words[1,CURRENT]}" 2>/dev/null)"})
    if (( $#found )); then
        compadd -a found
    else
        _outhaul "$@"
    fi
}

# A script in $fpath is read at the first completion, and has to answer it; one that is sourced has not.
compdef _outhaul_names outhaul
if [ "$funcstack[1]" = "_outhaul" ]; then
    _outhaul_names "$@"
fi
