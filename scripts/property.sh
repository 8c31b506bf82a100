#!/usr/bin/env bash
# The property test of generated code at length: scripts/property.sh [COUNT] [SEED] builds with sanitizers and compares COUNT
# (5000) random legal schedules of each operator, drawn from SEED (1): operator interpreter = nest interpreter = compiled code, bit for
# bit, by one to three threads. An operator to a core; on two cores the default takes about an hour. Prints the counts.
set -euo pipefail
cd "$(dirname "$0")/.."
export SC_RANDOM=${1:-5000} SC_SEED=${2:-1} SC_SOURCE_DIR=$PWD SCHEDCAST_DATA=$PWD/data
export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1
mkdir -p build
{ cmake --preset asan && cmake --build --preset asan --target test_codegen_property; } >build/property.log 2>&1 ||
  { tail -40 build/property.log && exit 1; }
printf '%s\n' test_conv2d test_depthwise test_matmul test_sums |
  xargs -P"$(nproc)" -n1 build/asan/tests/test_codegen_property 2>&1 | grep -v '^\['
echo "property: all agree after $SECONDS s"
