#!/usr/bin/env bash
# docs/results.md is what one command writes: with small models on one of the datasets here, and complete in the repository.
. "$(dirname "$0")/lib.sh"
grep -q CMAKE_BUILD_TYPE:STRING=Release "$SC_BUILD_DIR/CMakeCache.txt" || { echo "tried in the release build only" && exit 0; }
results() { "$SC_SOURCE_DIR/scripts/results.py" --bin "$SC_BUILD_DIR/bin" --out "$PWD/r" "$@"; }
expect 0 results --quick --only amd-epyc-zen5
page=r/results.md
for part in "# Results" "## amd-epyc-zen5" "### Development networks" "### Learning curve" "### What features and facts are worth"; do
  says $page "$part"
  says "$SC_SOURCE_DIR/docs/results.md" "$part"
done
says $page "| model | 0."
says $page "| conv2d | "
says $page "| static facts of kernels only | "
for picture in development curve; do
  equal "$(head -c 4 r/results/amd-epyc-zen5-$picture.png | tail -c 3)" PNG "$picture"
done
grep -o '](results/[^)]*)' "$SC_SOURCE_DIR/docs/results.md" | tr -d '()]' | while read -r picture; do
  [[ -s $SC_SOURCE_DIR/docs/$picture ]] || echo "$picture"
done >missing
silent missing
expect 2 results --only nosuchmachine
says err "results.py: error: no dataset of nosuchmachine: there are amd-epyc-zen3, amd-epyc-zen5"
expect 1 results --quick --only amd-epyc-zen5 --bin "$PWD/no/such"
says err "build first, or name another folder with --bin"
equal "$(grep -c Traceback err)" 0 "a traceback"
finish
