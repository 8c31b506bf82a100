#!/usr/bin/env bash
# measure-sched --active: of many schedules so many are measured, none twice, of all tasks; the same command again measures
# nothing, with a larger number it goes on, with more passes it completes what is there.
. "$(dirname "$0")/lib.sh"
for size in 32 48 64; do "$S" sample matmul:M=$size,N=64,K=32 -n 40 --seed 1 || fail "sample"; done >pool.sched
schedules() { "$S" dataset export --csv d.h5 | cut -d'"' -f2,4 | tail -n +2 | sort -u; } # disturbed visits may be made again
rows() { "$S" dataset info d.h5 --json >info && schedules | wc -l; }
expect 0 "$S" measure pool.sched -o d.h5 -p 1 --active 48
says err "48 of 120 schedules are to be measured, 0 are"
equal "$(rows)" 48 "rows"
equal "$(field 'len(d["tasks"])' info)" 3 "tasks"
schedules >first
expect 0 "$S" measure pool.sched -o d.h5 -p 1 --active 48 --json
json out
schedules >again
equal "$(cmp first again && echo same)" same "nothing else is measured"
expect 0 "$S" measure pool.sched -o d.h5 -p 1 --active 60
says err "60 of 120 schedules are to be measured, 48 are"
equal "$(rows)" 60 "rows"
equal "$(schedules | comm -23 first -)" "" "schedules that are no longer there"
expect 0 "$S" measure pool.sched -o d.h5 -p 2 --active 60 # one more pass of the same
equal "$(rows)" 60 "rows"
equal "$(field 'd["passes"] - d["invalid_passes"] >= 120' info)" True "two passes"
expect 0 "$S" measure pool.sched -o e.h5 -p 1 --active 1000 --json
equal "$("$S" dataset info e.h5 --json >info && field 'd["rows"]' info)" 120 "no more than there are"
expect 2 "$S" measure pool.sched -o f.h5 --active 0
says err "--active"
expect 2 "$S" measure pool.sched -o f.h5 --active 10 --shard 0/2
says err "no --shard, --cold, --retry"
finish
