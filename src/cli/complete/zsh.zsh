
# Names of applications, namespaces, destinations and exports come from the cluster or the server.
_outhaul_names() {
    local -a found
    found=(${(f)"$(command outhaul complete -- "${(@Q)words[1,CURRENT]}" 2>/dev/null)"})
    if (( $#found )); then
        compadd -a found
    else
        _outhaul "$@"
    fi
}
compdef _outhaul_names outhaul
