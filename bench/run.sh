#!/usr/bin/env bash
# Measures what README.md in this folder says. `make bench` is the way to call it: it builds what this needs and names
# it in the environment. Everything is on loopback and in one temporary folder, and gone at the end.
#
#   bench/run.sh [ROUNDS]    five without an argument
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

die() {
  printf 'bench: %s\n' "$*" >&2
  exit 1
}

export OUTHAUL=${OUTHAUL:-${CARGO_TARGET_DIR:-target}/release/outhaul}
[[ -x $OUTHAUL ]] || die "$OUTHAUL is not there: call this by 'make bench'"
[[ -n ${REGISTRY:-} ]] || die "REGISTRY does not name CNCF Distribution: call this by 'make bench'"
command -v python3 >/dev/null || die "'python3' is not on PATH: it takes the times (Debian: apt-get install python3)"
GNU_TIME=$(type -P gtime || type -P time || true)
[[ -n $GNU_TIME ]] || die "GNU 'time' is not on PATH: it takes peak memory (Debian: apt-get install time)"
export GNU_TIME
OUTHAUL=$(realpath "$OUTHAUL")

# In memory where there is room: two registries on one disk measure the disk.
if [[ -z ${TMPDIR:-} && -d /dev/shm && $(df -Pk /dev/shm | awk 'END { print $4 }') -gt $((4 * 1024 * 1024)) ]]; then
  TMPDIR=/dev/shm
fi
folder=$(TMPDIR=${TMPDIR:-/tmp} mktemp -d)
pids=()
cleanup() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Starts a registry named $1 and sets `address`.
start_registry() {
  local port
  mkdir -p "$folder/$1"
  # Distribution takes a port of the kernel's choice and says in its log which.
  cat >"$folder/$1/config.yaml" <<CONFIG
version: 0.1
log: {level: info, formatter: json, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $folder/$1/storage}}
http: {addr: '127.0.0.1:0', secret: of no importance}
CONFIG
  env -i OTEL_TRACES_EXPORTER=none "$REGISTRY" serve "$folder/$1/config.yaml" >/dev/null 2>"$folder/$1/log" &
  pids+=($!)
  for _ in {1..200}; do
    port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$folder/$1/log")
    if [[ -n $port ]]; then
      address=127.0.0.1:$port
      return
    fi
    kill -0 "${pids[-1]}" 2>/dev/null || break
    sleep 0.05
  done
  die "the registry does not start: $(tail -n 3 "$folder/$1/log")"
}

start_registry source
export BENCH_SOURCE=$address
start_registry destination
export BENCH_DESTINATION=$address
TMPDIR=$folder python3 bench/measure.py "$folder" "${1:-5}"
TMPDIR=$folder python3 bench/backups.py "$folder" "${1:-5}"
bench/server.sh
bench/server.sh 1000 schedules
