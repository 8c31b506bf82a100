#!/usr/bin/env bash
# Runs every libFuzzer target of build/fuzz for some seconds each: scripts/fuzz.sh [SECONDS [TARGET...]]. They begin with the
# files of data/ and tests/cases. What is learnt is kept in build/fuzz/corpus; an input that crashes is named at the end and
# kept beside it.
set -euo pipefail
declare -A seeds=(
  [fuzz_machine]="../../data/machines"
  [fuzz_operator]="../../data/operators ../../tests/cases/operators"
  [fuzz_schedules]="../../tests/cases"
  [fuzz_space]="../../data/spaces"
)
cd "$(dirname "$0")/../build/fuzz"
seconds=${1:-60}
shift || true
if [[ $# == 0 ]]; then set -- fuzz_*; fi
bad=0
for target in "$@"; do
  mkdir -p "corpus/$target"
  if "./$target" -max_total_time="$seconds" -timeout=10 -max_len=4096 -print_final_stats=0 "corpus/$target" \
    ${seeds[$target]:-} >"corpus/$target.log" 2>&1; then
    tail -1 "corpus/$target.log" | sed "s/^/$target: /"
  else
    tail -30 "corpus/$target.log" && bad=1
  fi
done
exit $bad
