#!/usr/bin/env bash
# campaign: a small recipe is drawn, measured in shards, with rounds of a model, broken off and gone on with; what it keeps other
# tools read; the report counts what the dataset holds; slips in recipes and tables of tasks are shown where they are.
. "$(dirname "$0")/lib.sh"
# Draws depend on the kernel table, which other tests add to: one of our own, beside the kernels that all compile.
expect 0 "$S" sample matmul:M=8,N=8,K=8 -n 1 # probes where nobody did
mkdir cache
cp "$SCHEDCAST_CACHE/host.machine" cache
for shared in kernels runners; do
  mkdir -p "$SCHEDCAST_CACHE/$shared"
  ln -s "$SCHEDCAST_CACHE/$shared" cache
done
export SCHEDCAST_CACHE=$PWD/cache
printf '# two networks share a layer\na\tmatmul:M=48,N=64,K=32\nb\tmatmul:M=64,N=96,K=64\n\nb\tmatmul:M=48,N=64,K=32\na\tmatmul:M=24,N=40,K=16\n' >t.txt
cat >r.campaign <<'EOF'
campaign small
tasks "t.txt"
shard 2
passes 2
draw 8 stratified
draw 4 uniform
round 3 of 500
EOF

# drawn at once, the same again, and by a part of them
expect 0 "$S" campaign r.campaign --out d.h5 --draw
cp out drawn
says out "36 schedules of 3 tasks in d.h5.shards, hash "
equal "$(ls d.h5.shards)" "001-draw.sched
002-draw.sched
recipe" "what was drawn"
equal "$(grep -c '^schedule ' d.h5.shards/001-draw.sched)" 24 "schedules of two tasks"
equal "$(grep '^proposal ' d.h5.shards/002-draw.sched)" "proposal stratified
proposal uniform" "who proposed them"
expect 0 "$S" show d.h5.shards/002-draw.sched
expect 0 "$S" campaign r.campaign --out d.h5 --draw
equal "$(cat out)" "$(cat drawn)" "drawn again"
expect 0 "$S" campaign r.campaign --out e.h5 --draw --json
json out
equal "$(field 'd["tasks"], d["schedules"], d["hash"] in open("drawn").read()' out)" "3 36 True" "drawn elsewhere"
expect 0 "$S" campaign r.campaign --out e.h5 --draw --shard 1/2
says out "12 schedules of 1 tasks"
equal "$(ls ./*.h5 2>/dev/null)" "" "datasets without a measurement"

# measured, one shard and then the rest; a round needs 20 rows to train on
expect 0 "$S" campaign r.campaign --out d.h5 --shard 0/2 --json
json out
equal "$(field 'len(d), d[0]["tasks"], d[0]["rows"] in range(25, 31), d[0]["failed"]' out)" "1 2 True 0" "the first shard"
equal "$(ls d.h5.shards)" "001-draw.sched
001-round-1.sched
002-draw.sched
recipe" "what one shard kept"
cp d.h5.shards/001-round-1.sched round
expect 0 "$S" campaign r.campaign --out d.h5 --picture p.png
says err "shard 1 of 2: "
equal "$(wc -l <out)" 3 "lines of the report"
equal "$(cmp round d.h5.shards/001-round-1.sched && echo same)" same "a round that was proposed before"
equal "$(grep -c '^proposal model ' d.h5.shards/002-round-1.sched)" 1 "tasks a model proposed for"
if type gnuplot >/dev/null 2>&1; then equal "$(head -c 4 p.png | tail -c 3)" PNG "the picture"; fi
expect 0 "$S" dataset info d.h5 --json
equal "$(field 'd["proposals"]["stratified"], d["proposals"]["uniform"], d["proposals"]["model"] > 3' out)" "24 12 True" "rows by proposal"
rows=$(field 'd["rows"]' out)
expect 0 "$S" campaign r.campaign --out d.h5 --report --json
equal "$(field 'sum(s["rows"] for s in d)' out)" "$rows" "rows of the report"
expect 0 "$S" measure d.h5.shards/002-*.sched --out d.h5 -p 2 --json
equal "$(field 'd["skipped"] > 0' out)" True "visits of what a campaign has measured"

# broken off in the middle (72 visits take at least 1.4 s) it goes on; a base gives the first round its model
expect 0 "$S" campaign r.campaign --out f.h5 --draw
timeout --preserve-status -s INT 0.8 "$S" campaign r.campaign --out f.h5 --base d.h5 >/dev/null 2>err
equal "$?" 130 "a campaign after Ctrl-C"
expect 0 "$S" campaign r.campaign --out f.h5 --base d.h5
equal "$(ls f.h5.shards | wc -l)" 5 "what was kept after a stop"

# slips
expect 2 "$S" campaign r.campaign
says err "--out FILE is missing"
expect 2 "$S" campaign r.campaign --out g.h5 --shard 2/2
says err "--shard wants I/N"
expect 1 "$S" campaign no.campaign --out g.h5
sed 's/^draw 4.*/draw 4 sobol/' r.campaign >bad.campaign
expect 1 "$S" campaign bad.campaign --out g.h5
says err "bad.campaign:6:8: expected 'uniform' or 'stratified', found 'sobol'"
printf 'a\tmatmul:M=4,N=4,K=4\nmatmul:M=48,N=64,K=32\n' >bad.txt
sed 's/t.txt/bad.txt/' r.campaign >bad.campaign
expect 1 "$S" campaign bad.campaign --out g.h5
says err "bad.txt:2: expected network, a tab, task"
printf 'a\tmatmul:M=4,N=4,Q=4\n' >bad.txt
expect 1 "$S" campaign bad.campaign --out g.h5
says err "bad.txt:1"
sed 's/t.txt/nowhere.txt/' r.campaign >bad.campaign
expect 1 "$S" campaign bad.campaign --out g.h5
says err "nowhere.txt: cannot open: No such file or directory"
expect 1 "$S" campaign r.campaign --out g.h5 --base no.h5
says err "no.h5: "
expect 1 "$S" campaign r.campaign --out g.h5 --report
expect 2 "$S" campaign r.campaign --out g.h5 --draw --report
sed 's/^seed.*//; s/^draw 8/draw 9/' r.campaign >other.campaign
expect 1 "$S" campaign other.campaign --out d.h5
says err "d.h5.shards was begun by another recipe"
equal "$(ls -d g.h5* 2>/dev/null)" "" "what refused campaigns made"
expect 1 "$S" campaign r.campaign --out r.campaign
expect 1 "$S" campaign r.campaign --out no/such/d.h5
finish
