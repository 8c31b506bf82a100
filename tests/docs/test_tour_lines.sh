#!/usr/bin/env bash
# The lines of docs/TOUR.md that measure nothing (chapters 1 to 3) do what the page says: one of them fails, and says why.
set -uo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export SCHEDCAST_CACHE=$tmp/cache PATH=$SC_BUILD_DIR/bin:$PATH
cd "$tmp"
sed -n '/^## 1/,/^## 4/s/^    //p' "$SC_SOURCE_DIR/docs/TOUR.md" >lines
failed=0
trap 'failed=$((failed + 1))' ERR
. ./lines >out 2>err
trap - ERR
echo "$(grep -c . lines) lines, $failed failed; $(grep -c . out) lines out, $(grep -c '^schedule' s.sched) schedules"
[[ $failed == 1 && $(grep -c '^schedule' s.sched) == 100 ]] &&
  grep -q "size 'K' of operator matmul is missing" err && # the one that is to fail
  grep -q '^pack B ahead ' out && grep -q '_run(' out && grep -qE '^[0-9]{4,}$' out || { cat err && exit 1; }
