#!/usr/bin/env bash
# Installs the Debian 12 packages that are missing. Usage: scripts/deps.sh [--list] GROUP...
#   build     compile schedcast and let it compile kernels        check  tests, formatting, static checks
#   blas      OpenBLAS, which quickstart compares with            bench  the libraries that tests/bench compares with
#   pictures  gnuplot for the pictures                            cross  kernels for aarch64, run under qemu-user
# --list only prints the packages of the groups. Needs root or sudo when something is missing, and says what it does.
set -euo pipefail

declare -A packages=(
  [build]="gcc libc6-dev binutils cmake ninja-build pkg-config libxgboost-dev libgsl-dev libhdf5-dev libpapi-dev libhwloc-dev libxxhash-dev"
  [check]="libcmocka-dev clang libclang-rt-dev clang-tidy clang-format python3 python3-h5py hdf5-tools git"
  [blas]="libopenblas-dev"
  [bench]="libopenblas-dev libdnnl-dev"
  [pictures]="gnuplot-nox"
  [cross]="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user"
)

list=
if [[ ${1:-} == --list ]]; then list=1 && shift; fi
if [[ $# == 0 ]]; then sed -n '2,6s/^# //p' "$0" && exit 2; fi
wanted=()
for group in "$@"; do
  [[ -n ${packages[$group]:-} ]] || { echo "deps: no group '$group'; there are: ${!packages[*]}" >&2 && exit 2; }
  wanted+=(${packages[$group]})
done
if [[ -n $list ]]; then printf '%s\n' "${wanted[@]}" && exit 0; fi

missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
if [[ ${#missing[@]} == 0 ]]; then echo "deps: all of $* is installed" && exit 0; fi

run=()
if [[ $(id -u) != 0 ]]; then
  command -v sudo >/dev/null || { echo "deps: please install as root: ${missing[*]}" >&2 && exit 1; }
  run=(sudo env DEBIAN_FRONTEND=noninteractive)
fi
export DEBIAN_FRONTEND=noninteractive
echo "deps: installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${run[@]}" apt-get update -qq && "${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  cat "$log" >&2
  echo "deps: apt-get failed; its words are above" >&2
  exit 1
fi
