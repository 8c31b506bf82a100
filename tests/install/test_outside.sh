#!/usr/bin/env bash
# Installs into an empty prefix that nothing was configured for, and builds and runs examples/outside with it.
set -euo pipefail
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cmake --install "$SC_BUILD_DIR" --prefix "$tmp/usr" >/dev/null
unset SCHEDCAST_DATA # the installed data must be found without help
export PKG_CONFIG_PATH=$(dirname "$(find "$tmp/usr" -name schedcast.pc)")
export LD_LIBRARY_PATH=$(pkg-config --variable=libdir schedcast)
cmake -S "$SC_SOURCE_DIR/examples/outside" -B "$tmp/usr/bin" -DCMAKE_COMPILE_WARNING_AS_ERROR=ON >/dev/null
cmake --build "$tmp/usr/bin" >/dev/null
"$tmp/usr/bin/rank" | tee "$tmp/out"
grep -q "$tmp/usr/share/schedcast" "$tmp/out"
[[ $(grep -c ' ms  ' "$tmp/out") == 3 ]] && tail -1 "$tmp/out" | grep -q 'ms  band order i j k' # plain loops are last
