#!/usr/bin/env bash
# clang-tidy (.clang-tidy) over the C files that a build compiled. Usage: scripts/tidy.sh BUILD [FILE...]; all files when
# none is named. Prints a line for each finding; naming the file shows how clang-tidy comes to it.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
shift
if [[ $# -gt 0 ]]; then exec clang-tidy --quiet -p "$build" "$@"; fi
mapfile -t files < <(sed -nE 's/^ *"file": "(.*)",?$/\1/p' "$build/compile_commands.json" | sort -u)
findings=$(printf '%s\0' "${files[@]}" | xargs -0 -P"$(nproc)" -n4 clang-tidy --quiet -p "$build" 2>/dev/null |
  grep -E ': (error|warning): ' | sort -u || true)
printf '%s\n' "${findings:-${#files[@]} files, nothing found}"
[[ -z $findings ]]
