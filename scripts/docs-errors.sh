#!/usr/bin/env bash
# Prints docs/errors.md from base/status.def and ir/rules.def: scripts/docs-errors.sh > docs/errors.md
set -euo pipefail
cd "$(dirname "$0")/.."
cat <<'TEXT'
# Errors

<!-- Written by scripts/docs-errors.sh from base/status.def and ir/rules.def. -->

Every function that can fail returns an `sc_status` and fills an `sc_error`: the place, what was wrong, and what was
expected there. The tools print it with the line and a caret:

    matmul.op:3:12: expected ']', found ','
      in A[b:B, i,M] f32
                 ^
    mine.sched:2:24: 16 lanes: expected a power of two no larger than the largest tile of j, 8, and than 64
    schedule tile i 4, j 8; vector j 16; band order i j k
                            ^

A violated assertion (`bug in schedcast: ...`) is a mistake of ours and ends the process; a kernel that crashes or is
wrong is neither, but an outcome in the dataset. The tools exit with 0 (fine), 1 (failed), 2 (wrong usage) or
130 (interrupted; what was done is saved).

## Statuses

| status | meaning |
|---|---|
TEXT
sed -nE 's/^SC_STATUS\(([A-Z]+), "(.*)"\)$/| `SC_\1` | \2 |/p' base/status.def
cat <<'TEXT'

## Rules of lowering

With `SC_ILLEGAL` from `sc_lower`, `sc_error.rule` is one of these. In the messages `{d}` is a dim, `{a}` the tensor of
an access, `{p}` a padded axis, `{b}` a band, `{n}` a number, `{s}` a text. The tools, and `sc_schedule_locate`, point at the
clause, in it at the dim, axis or band of which the message speaks; where the clause is missing, or none is to blame alone, at the
beginning of the schedule.

| rule | clause | message |
|---|---|---|
TEXT
sed -nE 's/^SC_RULE\(([A-Z_]+), ([A-Z]+), "(.*)"\)$/| `\1` | \L\2\E | \3 |/p' ir/rules.def | sed 's/ | none | / | | /'
