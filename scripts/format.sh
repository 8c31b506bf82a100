#!/usr/bin/env bash
# Formats all C files of the tree as .clang-format says; --check only names those that differ.
set -euo pipefail
cd "$(dirname "$0")/.."
files() { git ls-files -z --cached --others --exclude-standard '*.c' '*.h' | xargs -0 "$@"; }
if [[ ${1:-} != --check ]]; then files clang-format -i && exit 0; fi
differ=$(files clang-format --dry-run 2>&1 | sed -nE 's/^([^:]+):[0-9]+:.*warning: code should be clang-formatted.*/\1/p' | sort -u)
[[ -z $differ ]] || { printf '%s\n' "$differ" "run: scripts/format.sh" && exit 1; }
