
# Names of applications, namespaces, destinations and exports come from the cluster or the server.
complete -c outhaul -a '(command outhaul complete -- (commandline -opc) (commandline -ct) 2>/dev/null)'
