#!/usr/bin/env bash
# A folder includes only folders that its sc_module() line names, directly or through them, each by its one public
# header; and each header of a third-party library is included by one file.
set -euo pipefail
cd "${SC_SOURCE_DIR:-$(dirname "$0")/../..}"
declare -A may=([tools]="tools")
while read -r folder needs; do
  may[$folder]="$folder"
  for need in $needs; do may[$folder]+=" ${may[$need]}"; done
  may[tools]+=" $folder"
done < <(sed -nE 's/^sc_module\(([a-z]+)( NEEDS)?([a-z ]*)\)$/\1 \3/p' CMakeLists.txt)
bad=0 seen=0
while IFS=: read -r file line text; do
  folder=${file%%/*} header=$(sed -E 's/.*"(.*)".*/\1/' <<<"$text") seen=$((seen + 1))
  to=${header%%/*}
  if [[ $to == "$folder" ]]; then continue; fi
  if [[ " ${may[$folder]} " == *" $to "* && $header == "$to/$to.h" ]]; then continue; fi
  echo "$file:$line: $folder may not include \"$header\"" && bad=1
done < <(for f in "${!may[@]}"; do grep -nHE '^ *# *include *"' "$f"/*.[ch] 2>/dev/null || true; done)
twice=$(grep -hoE '^ *# *include *<(xxhash|gsl/|hdf5|papi|hwloc|xgboost/)[^>]*>' ./*/*.[ch] | sort | uniq -d)
[[ -z $twice ]] || { echo "included by more than one file: $twice" && bad=1; }
echo "$seen includes of our own checked" && [[ $seen -gt 20 && $bad == 0 ]]
