#!/usr/bin/env bash
# Ctrl-C: a campaign finishes its visit, saves, says how to go on and ends with 130; the same command then goes on. A second
# one ends at once and what was acknowledged is there all the same.
. "$(dirname "$0")/lib.sh"
"$S" sample matmul:M=256,N=256,K=256 -n 400 --seed 1 >s.sched || fail "no sample"

# rows FILE: 0 where there is none yet
rows() { "$S" dataset info "$1" --json 2>/dev/null | python3 -c 'import json,sys; print(json.load(sys.stdin)["rows"])' 2>/dev/null || echo 0; }
# interrupt FILE TIMES: starts a campaign, waits for its first rows, sends SIGINT; code and rows
interrupt() {
  local file=$1 times=$2
  "$S" measure s.sched --out "$file" -p 2 >out 2>err &
  local pid=$!
  for ((i = 0; i < 600 && $(rows "$file") < 5; i++)); do sleep 0.1; done
  for ((i = 0; i < times; i++)); do kill -INT $pid && sleep 0.02; done
  wait $pid
  code=$?
}
# background jobs of a script ignore SIGINT unless job control is on
set -m
interrupt d.h5 1
equal "$code" 130 "exit code after Ctrl-C"
says err "the same command goes on"
says out "schedules"
before=$(rows d.h5)
equal "$((before >= 5 && before <= 400))" 1 "rows that were saved ($before)"
[[ ! -e d.h5.journal ]] || fail "the journal is still there"
interrupt d.h5 1
equal "$code" 130 "exit code when it went on"
equal "$(($(rows d.h5) >= before))" 1 "nothing lost by going on"

interrupt e.h5 2
equal "$code" 130 "exit code after two Ctrl-C"
equal "$(($(rows e.h5) >= 5))" 1 "rows after two Ctrl-C"
finish
