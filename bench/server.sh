#!/usr/bin/env bash
# Measures the server as README.md in this folder says, on a Kubernetes API of its own. `make bench` calls it.
#
#   bench/server.sh [APPS]              1000 without an argument, of 20 objects each
#   bench/server.sh APPS schedules      so many schedules, with the registry that BENCH_DESTINATION names
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() {
  printf 'bench: %s\n' "$*" >&2
  exit 1
}

export OUTHAUL=${OUTHAUL:-${CARGO_TARGET_DIR:-target}/release/outhaul}
[[ -x $OUTHAUL ]] || die "$OUTHAUL is not there: call this by 'make bench'"
[[ -n ${KUBEBUILDER_ASSETS:-} ]] || die "KUBEBUILDER_ASSETS does not say where kube-apiserver is: call this by 'make bench'"
for program in python3 openssl taskset; do
  command -v "$program" >/dev/null || die "'$program' is not on PATH"
done
OUTHAUL=$(realpath "$OUTHAUL")

folder=$(mktemp -d)
pids=()
cleanup() {
  {
    for pid in "${pids[@]}"; do kill -KILL "$pid" || true; done
    wait
  } 2>/dev/null
  rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

client=http://127.0.0.1:$(free_port) peer=http://127.0.0.1:$(free_port)
"$KUBEBUILDER_ASSETS/etcd" --data-dir="$folder/etcd" --unsafe-no-fsync --log-level=error \
  --listen-client-urls="$client" --advertise-client-urls="$client" --listen-peer-urls="$peer" \
  --initial-advertise-peer-urls="$peer" --initial-cluster="default=$peer" >"$folder/etcd.log" 2>&1 &
pids+=($!)
openssl genrsa -out "$folder/sa.key" 2048 2>/dev/null
echo 'admin-token,admin,admin,"system:masters"' >"$folder/tokens.csv"
port=$(free_port)
"$KUBEBUILDER_ASSETS/kube-apiserver" --etcd-servers="$client" --bind-address=127.0.0.1 --secure-port="$port" \
  --cert-dir="$folder/certificates" --token-auth-file="$folder/tokens.csv" --authorization-mode=RBAC \
  --service-account-key-file="$folder/sa.key" --service-account-signing-key-file="$folder/sa.key" \
  --service-account-issuer=https://kubernetes.default.svc --service-cluster-ip-range=10.96.0.0/12 \
  --disable-admission-plugins=ServiceAccount >"$folder/kube-apiserver.log" 2>&1 &
pids+=($!)
cat >"$folder/kubeconfig" <<CONFIG
apiVersion: v1
kind: Config
current-context: bench
clusters: [{name: bench, cluster: {server: 'https://127.0.0.1:$port', insecure-skip-tls-verify: true}}]
contexts: [{name: bench, context: {cluster: bench, user: admin}}]
users: [{name: admin, user: {token: admin-token}}]
CONFIG
export KUBECONFIG=$folder/kubeconfig
TMPDIR=$folder python3 "bench/${2:-server}.py" "$port" "${1:-1000}" || die "$(tail -n 3 "$folder/kube-apiserver.log")"
