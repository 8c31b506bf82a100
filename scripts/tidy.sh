#!/usr/bin/env bash
# clang-tidy (.clang-tidy) over the C files that a build compiled. Usage: scripts/tidy.sh BUILD [FILE...]; all files when
# none is named. Prints findings only.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
shift
if [[ $# == 0 ]]; then
  mapfile -t files < <(sed -nE 's/^ *"file": "(.*)",?$/\1/p' "$build/compile_commands.json" | sort -u)
else
  files=("$@")
fi
printf '%s\0' "${files[@]}" | xargs -0 -P"$(nproc)" -n4 clang-tidy --quiet -p "$build" 2> >(grep -vE '^[0-9]+ warnings? generated|^Suppressed|^Use -header-filter' >&2 || true)
