
# Names of applications, namespaces, destinations and exports come from the cluster or the server.
_outhaul_names() {
    local found
    _outhaul "$@"
    # The line itself: COMP_WORDS is split at every colon of an address.
    found=$("$1" complete --line "${COMP_LINE:0:COMP_POINT}" 2>/dev/null) || return 0
    if [[ -n $found ]]; then
        local IFS=$'\n'
        COMPREPLY=($found)
    fi
}

if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -F _outhaul_names -o nosort -o bashdefault -o default outhaul
else
    complete -F _outhaul_names -o bashdefault -o default outhaul
fi
