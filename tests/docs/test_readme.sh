#!/usr/bin/env bash
# README and docs name only files that exist; README's table of the reading order has every folder of CMakeLists.txt, in its
# order, and the functions to begin at are defined where it says.
set -euo pipefail
cd "${SC_SOURCE_DIR:-$(dirname "$0")/../..}"
bad=0 named=0 functions=0
fail() { echo "$*" && bad=1; }

folders=$(git ls-files 2>/dev/null | sed -n 's,/.*,,p' | sort -u | paste -sd'|' || true)
[[ -n $folders ]] || folders=$(find . -mindepth 1 -maxdepth 1 -type d -not -name '.*' -not -name build -printf '%f\n' | paste -sd'|')
while IFS=: read -r page path; do
  named=$((named + 1))
  compgen -G "$path" >/dev/null || fail "$page names $path, which does not exist"
done < <(grep -oHE "\b($folders)/[A-Za-z0-9_.*/-]*[A-Za-z0-9_*]" README.md CHANGES.md docs/*.md docs/decisions/*.md | sort -u)

table=()
while IFS='|' read -r _ folder _ files _; do
  folder=$(sed -nE 's/^ `([a-z]+)\/` $/\1/p' <<<"$folder")
  [[ -n $folder ]] || continue
  table+=("$folder")
  while read -r file function; do
    functions=$((functions + 1))
    if [[ -n $function ]]; then
      grep -qE "^[a-z].*\b$function\(" "$folder/$file" || fail "README: $folder/$file does not define $function"
    elif [[ ! -e $folder/$file ]]; then
      fail "README: there is no $folder/$file"
    fi
  done < <(tr ';' '\n' <<<"$files" | tr -d '`')
done < <(sed -n '/^## Reading order/,/^docs/p' README.md)
wanted=$(sed -nE 's/^sc_(module|program)\(([a-z]+).*/\2/p' CMakeLists.txt | paste -sd' ')
[[ "${table[*]}" == "$wanted" ]] || fail "README's reading order is ${table[*]}; the folders are $wanted"

echo "$named names of files, $functions files to read in ${#table[@]} folders"
[[ $bad == 0 && $named -gt 40 && $functions -gt 30 ]]
