
# Names of applications, namespaces, destinations, exports and schedules come from the cluster or the server.
function __outhaul_names
    command outhaul complete -- (commandline -opc) (commandline -ct) 2>/dev/null
end
function __outhaul_has_names
    set -g __outhaul_found (__outhaul_names)
    test (count $__outhaul_found) -gt 0
end
complete -c outhaul -n __outhaul_has_names -f -a '$__outhaul_found'
