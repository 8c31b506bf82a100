#!/usr/bin/env bash
# The part of ./quickstart after the build.
set -euo pipefail
cd "$(dirname "$0")/.."
exec build/release/schedcast quickstart "$@"
