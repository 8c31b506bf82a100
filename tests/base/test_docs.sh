#!/usr/bin/env bash
# docs/errors.md is what its script writes, and misses no status and no rule.
set -euo pipefail
cd "$SC_SOURCE_DIR"
diff docs/errors.md <(scripts/docs-errors.sh) || { echo "run: scripts/docs-errors.sh > docs/errors.md" && exit 1; }
[[ $(grep -c '^| `' docs/errors.md) == $(cat base/status.def ir/rules.def | grep -cE '^SC_(STATUS|RULE)\(') ]]
