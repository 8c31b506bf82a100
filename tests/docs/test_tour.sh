#!/usr/bin/env bash
# docs/tour.c runs through the whole chain on a small task.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export SCHEDCAST_CACHE=$tmp/cache
"$SC_BUILD_DIR/tests/tour" matmul:M=48,N=48,K=48 "$tmp" | tee "$tmp/out"
grep -q '^schedule ' "$tmp/out" && [[ -s $tmp/tour.h5 ]]
