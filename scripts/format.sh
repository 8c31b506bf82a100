#!/usr/bin/env bash
# Formats all C files of the tree as .clang-format says; --check only names those that differ.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=(-i)
if [[ ${1:-} == --check ]]; then mode=(--dry-run -Werror); fi
git ls-files -z --cached --others --exclude-standard '*.c' '*.h' | xargs -0 clang-format "${mode[@]}"
