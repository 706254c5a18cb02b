#!/usr/bin/env bash
# Builds the programs that the tests and the benches drive: a Kubernetes API, etcd, helm, registries, other copiers.
#
#   tests/tools/build.sh [test|bench|e2e|fidelity]                   prints KEY=VALUE, the path of each program, a line each
#   tests/tools/build.sh [test|bench|e2e|fidelity] -- COMMAND ...    runs the command with these in its environment
#
# Each folder beside this file is a Go module that pins one group of them. What is built goes to a cache outside the
# repository, under a key made of everything that decides its content, so a second call builds nothing. A program that
# the environment names already by one of these keys is taken as it is. What there is to say goes to stderr.
set -euo pipefail
shopt -s inherit_errexit 2>/dev/null || true # bash 4.4; without it a failure in $(…) is only seen by `die`

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${OUTHAUL_TOOLS_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/outhaul-tools}

# Whatever a user's own Go environment says about flags and workspaces.
export CGO_ENABLED=0 GOFLAGS='' GOWORK=off

# What `e2e` starts beside a kubelet, and the shells that it completes in, from Debian: the program, and the package
# that has it.
NODE_PACKAGES=(containerd=containerd runc=runc iptables=iptables busybox=busybox-static zsh=zsh fish=fish)
CNI_PLUGINS=/usr/lib/cni # of containernetworking-plugins

say() { printf 'tools: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

# The version of module $2 that group $1 pins.
pinned() { awk -v module="$2" '$1 == module && $2 ~ /^v/ { print $2; exit }' "$here/$1/go.mod"; }

# The flags by which the Kubernetes of group $1 learns its version.
kubernetes_version() {
  local version minor module
  version=$(pinned "$1" k8s.io/kubernetes)
  minor=${version#v1.}
  minor=${minor%%.*}
  for module in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    ldflags+=" -X $module.gitVersion=$version -X $module.gitMajor=1 -X $module.gitMinor=$minor"
    ldflags+=" -X $module.gitTreeState=clean"
  done
}

# Sets `packages` (program=package), `ldflags` and `cgo` of group $1. Programs that learn their version only from
# their own release scripts are told it here: clients of a Kubernetes v0.0.0 refuse to talk to it.
describe() {
  local version minor
  ldflags='-s -w' cgo=''
  case $1 in
    kubernetes)
      packages=(kube-apiserver=k8s.io/kubernetes/cmd/kube-apiserver
        kube-controller-manager=k8s.io/kubernetes/cmd/kube-controller-manager)
      kubernetes_version kubernetes
      ;;
    node)
      packages=(kubelet=k8s.io/kubernetes/cmd/kubelet kube-scheduler=k8s.io/kubernetes/cmd/kube-scheduler)
      kubernetes_version node
      cgo=1 # kubelet's cgroup code is partly C
      ;;
    etcd) packages=(etcd=go.etcd.io/etcd/server/v3) ;;
    helm4)
      packages=(helm=helm.sh/helm/v4/cmd/helm)
      ldflags+=" -X helm.sh/helm/v4/internal/version.version=$(pinned helm4 helm.sh/helm/v4)"
      ;;
    helm3)
      packages=(helm=helm.sh/helm/v3/cmd/helm)
      ldflags+=" -X helm.sh/helm/v3/internal/version.version=$(pinned helm3 helm.sh/helm/v3)"
      # `helm template` claims this Kubernetes version, and 1.20 without it.
      minor=$(pinned helm3 k8s.io/client-go)
      minor=${minor#v0.}
      minor=${minor%%.*}
      ldflags+=" -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=$minor"
      ldflags+=" -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor=$minor"
      ;;
    distribution)
      packages=(registry=github.com/distribution/distribution/v3/cmd/registry)
      version=$(pinned distribution github.com/distribution/distribution/v3)
      ldflags+=" -X github.com/distribution/distribution/v3/version.version=$version"
      ;;
    age)
      packages=(age=filippo.io/age/cmd/age)
      ldflags+=" -X main.Version=$(pinned age filippo.io/age)"
      ;;
    helmify)
      packages=(helmify=github.com/arttor/helmify/cmd/helmify)
      ;;
    peers)
      packages=(crane=github.com/google/go-containerregistry/cmd/crane
        regctl=github.com/regclient/regclient/cmd/regctl
        oras=oras.land/oras/cmd/oras)
      version=$(pinned peers github.com/google/go-containerregistry)
      ldflags+=" -X github.com/google/go-containerregistry/cmd/crane/cmd.Version=$version"
      ldflags+=' -X oras.land/oras/internal/version.BuildMetadata='
      ;;
    *) die "no such group of tools: $1" ;;
  esac
}

hash16() { { sha256sum 2>/dev/null || shasum -a 256; } | cut -c1-16; }

require_go() {
  command -v go >/dev/null ||
    die "'go' is not on PATH: install Go 1.26 or newer (https://go.dev/dl), the tests build a Kubernetes API, helm and a registry with it"
}

# Builds group $1 unless the cache has it, and sets `bin` to the folder of its programs.
build() {
  local group=$1 packages ldflags cgo key folder scratch entry version started=$SECONDS
  require_go
  describe "$group"
  version=$(cd "$here/$group" && go version) || die "the Go found here can't build tests/tools/$group (see above)"
  key=$({
    cat "$here/$group/go.mod" "$here/$group/go.sum"
    printf '%s\n' "${packages[*]}" "-trimpath $ldflags" "$version" ${cgo:+"cgo"}
  } | hash16)
  folder=$cache/$group-$key
  bin=$folder/bin
  if [[ -d $bin ]]; then return; fi

  say "building $group (${packages[*]%%=*}); once, it is kept in $cache"
  # Into a folder of its own, moved when whole: a build that is killed leaves nothing that looks finished.
  scratch=$(mktemp -d "$cache/.unfinished.XXXXXX")
  for entry in "${packages[@]}"; do
    (cd "$here/$group" &&
      CGO_ENABLED=${cgo:-0} go build -mod=readonly -buildvcs=false -trimpath -ldflags "$ldflags" \
        -o "$scratch/bin/${entry%%=*}" "${entry#*=}") >&2 || {
      local status=$?
      rm -rf "$scratch"
      die "building ${entry%%=*} failed: go ended with $status (137 and 143: it was killed)"
    }
  done
  mv "$scratch" "$folder"
  say "built $group in $((SECONDS - started)) s"
}

# Prints the one folder with what a control plane needs, as KUBEBUILDER_ASSETS means it.
# The folder of setup-envtest has no kube-controller-manager: what a given one lacks is built and linked in.
join_assets() {
  local given=${KUBEBUILDER_ASSETS:-} bin joint scratch program targets=()
  if [[ -n $given && ! -d $given ]]; then die "KUBEBUILDER_ASSETS=$given is not a folder"; fi
  for program in etcd kube-apiserver kube-controller-manager; do
    bin=$given
    if [[ -z $given || ! -x $given/$program ]]; then
      if [[ $program == etcd ]]; then build etcd; else build kubernetes; fi
    fi
    targets+=("$bin/$program")
  done
  joint=$cache/assets-$(printf '%s\n' "${targets[@]}" | hash16)
  if [[ ! -d $joint ]]; then
    scratch=$(mktemp -d "$cache/.unfinished.XXXXXX")
    ln -s "${targets[@]}" "$scratch/"
    mv "$scratch" "$joint"
  fi
  printf 'KUBEBUILDER_ASSETS=%s\n' "$joint"
}

# Prints $1=path: what the environment says, else program $3 of group $2.
program() {
  local name=$1 group=$2 file=$3 given=${!1:-} bin
  if [[ -n $given ]]; then
    command -v "$given" >/dev/null || die "$name=$given is not a program"
    printf '%s=%s\n' "$name" "$given"
    return
  fi
  build "$group"
  printf '%s=%s\n' "$name" "$bin/$file"
}

# skopeo links C libraries and can't be built as the others are: it comes from the system, or stays away.
system_skopeo() {
  local given=${SKOPEO:-}
  if [[ -z $given ]] && ! command -v skopeo >/dev/null && [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
    say 'installing skopeo (Debian package)'
    apt_install skopeo >/dev/null 2>&1 || true
  fi
  given=${given:-$(command -v skopeo || true)}
  if [[ -n $given ]]; then
    printf 'SKOPEO=%s\n' "$given"
  else
    say 'skopeo is not installed: the bench goes on without it'
  fi
}

# Prints NODE_MISSING=why where no node can run, and where its programs are otherwise. Nothing is installed where
# there is a reason not to.
locate_node() {
  local entry missing=()
  if [[ $(uname -s) != Linux || $(id -u) != 0 ]]; then
    printf 'NODE_MISSING=%s\n' 'a node needs Linux and root'
    return
  fi
  for entry in "${NODE_PACKAGES[@]}"; do
    command -v "${entry%%=*}" >/dev/null || missing+=("${entry#*=}")
  done
  [[ -x $CNI_PLUGINS/bridge ]] || missing+=(containernetworking-plugins)
  if [[ ${#missing[@]} -gt 0 ]] && ! { command -v apt-get && apt_install "${missing[@]}"; } >/dev/null 2>&1; then
    printf 'NODE_MISSING=%s\n' "not installed, and not to be had by apt-get: ${missing[*]}"
    return
  fi
  program KUBELET node kubelet
  program KUBE_SCHEDULER node kube-scheduler
  printf 'CNI_PLUGINS=%s\n' "$CNI_PLUGINS"
}

apt_install() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y "$@" || { apt-get update && apt-get install -y "$@"; }
}

# Two calls at once (a `make test` beside an editor's) wait for each other instead of building twice.
lock() {
  mkdir -p "$cache"
  if ! command -v flock >/dev/null; then return; fi
  exec 9>"$cache/.lock"
  flock 9
  rm -rf "$cache"/.unfinished.* # nobody else is building: these were killed
}

locate() {
  join_assets
  program HELM helm4 helm
  program HELM3 helm3 helm
  program REGISTRY distribution registry
  program AGE age age
  if [[ $1 == e2e ]]; then locate_node; fi
  if [[ $1 == fidelity ]]; then
    (program HELMIFY helmify helmify) || say 'helmify could not be built: the comparison goes on without it'
  fi
  if [[ $1 == bench ]]; then
    program CRANE peers crane
    program REGCTL peers regctl
    program ORAS peers oras
    system_skopeo
  fi
}

main() {
  local what=${1:-test} found line
  if [[ ! $what =~ ^(test|bench|e2e|fidelity)$ ]] || [[ $# -gt 1 && $2 != -- ]]; then
    die 'usage: build.sh [test|bench|e2e|fidelity] [-- COMMAND ...]'
  fi
  command -v cc >/dev/null ||
    die "'cc' is not on PATH: install a C compiler (Debian: apt-get install gcc libc6-dev), Rust links with it"
  lock
  # Whoever reads the lines gets all of them or none.
  found=$(locate "$what")
  exec 9>&-
  if [[ $# -le 2 ]]; then
    printf '%s\n' "$found"
    return
  fi
  while IFS= read -r line; do export "${line?}"; done <<<"$found"
  shift 2
  exec "$@"
}

main "$@"
