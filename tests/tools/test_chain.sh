#!/usr/bin/env bash
# The chain by hand, on a small matmul: sample | measure -> train -> predict --rank, predict --pick --emit-c -> evaluate, and
# the dataset verbs over what was measured. What one tool prints the others read, from files and from pipes.
. "$(dirname "$0")/lib.sh"
task=matmul:M=48,N=64,K=32
other=matmul:M=64,N=96,K=64

# sample
expect 0 "$S" sample $task --count
count=$(cat out)
equal "$([[ $count =~ ^[0-9]+$ && $count -gt 1000 ]] && echo many)" many "count of the space, $count"
expect 0 "$S" sample $task --count --json
json out
equal "$(field 'd["count"]' out)" "$count" "count in JSON"
expect 0 "$S" sample $task -n 12 --seed 1
cp out a.sched
expect 0 "$S" sample $task -n 12 --seed 1
equal "$(cat out)" "$(cat a.sched)" "the same seed, the same schedules"
equal "$(grep '^schedule ' a.sched | sort -u | wc -l)" 12 "distinct schedules"
expect 0 "$S" sample $task -n 12 --seed 2
equal "$([[ $(cat out) != "$(cat a.sched)" ]] && echo other)" other "another seed"
draws=(stratified sobol)
if grep -q 'SC_WITH_GSL:BOOL=OFF' "$SC_BUILD_DIR/CMakeCache.txt"; then # a build without it refuses, in words
  draws=(stratified)
  expect 1 "$S" sample $task -n 20 --sampling sobol
  says err "no GNU Scientific Library"
fi
for how in "${draws[@]}"; do
  expect 0 "$S" sample $task -n 20 --seed 1 --sampling $how
  equal "$(grep '^schedule ' out | sort -u | wc -l)" 20 "distinct schedules, $how"
  equal "$(grep -c "^proposal $([[ $how == sobol ]] && echo user || echo $how)" out)" 1 "who proposed them, $how"
done
expect 0 "$S" sample $task --sampling exhaustive -n 3 # the beginning of an order is no random draw, the whole space is one
says out "proposal user"
expect 0 "$S" sample matmul:M=1,N=1,K=1 --sampling exhaustive
says out "proposal uniform"
expect 0 "$S" sample $task -n 3 --json
json out
equal "$(field 'len(d["schedules"])' out)" 3 "schedules in JSON"
expect 0 "$S" sample $task -n 10 --force "vector j"
equal "$(grep -c '; vector j ' out)" 10 "forced vector dim"
expect 1 "$S" sample $task --force "vector nosuchdim"
says err "nosuchdim"
expect 0 "$S" sample $other -n 12 --seed 1
cp out b.sched

# neighbours of what was sampled: distinct, others than what they are of, and marked as such
expect 1 "$S" sample $task --force "parallel i 1"
says err "no parallel loops"
expect 0 "$S" sample $task --count --force "where kernels <= 2"
layer=matmul:M=512,N=512,K=512 # of whose kernels the table beside a machine that came with schedcast knows some
expect 0 "$S" sample $layer --machine amd-epyc-zen5 --count
all=$(cat out)
expect 0 "$S" sample $layer --machine amd-epyc-zen5 --count --force "spills <= 4"
equal "$(($(cat out) > 1000 && $(cat out) < all))" 1 "schedules with few spills, $(cat out) of $all"
grep -v '^#' a.sched | head -4 >two.sched # a task, its proposal, two schedules
expect 0 "$S" sample --neighbours-of two.sched -n 6 --seed 1
cp out near.sched
equal "$(grep -c '^schedule ' near.sched)" 12 "neighbours of two"
equal "$(grep '^schedule ' near.sched two.sched | cut -d: -f2- | sort -u | wc -l)" 14 "distinct neighbours"
says near.sched "proposal neighbour"
says near.sched "# neighbours of two.sched:4"
expect 0 "$S" sample --neighbours-of two.sched -n 6 --seed 1
equal "$(cat out)" "$(cat near.sched)" "neighbours of one seed"
expect 0 "$S" sample --neighbours-of near.sched -n 1 --json
json out
equal "$(field 'len(d), {len(x["schedules"]) for x in d}' out)" "12 {1}" "neighbours in JSON"
printf 'task %s\nschedule band order i j k; compile gcc\n' $task >plain.sched
expect 1 "$S" sample --neighbours-of plain.sched
says err "plain.sched:2:10: the space of $task does not hold this schedule"
expect 2 "$S" sample $task --neighbours-of two.sched

# measure: from files and from a pipe
expect 0 "$S" measure a.sched b.sched --out d.h5 --passes 3
says out "24 schedules, " # and 72 visits, more when the machine is not quiet
expect 0 "$S" measure a.sched --out d.h5 --passes 3 --json
json out
equal "$(field '0 < d["skipped"] <= 36' out)" True "visits that were there"
expect 0 bash -c "'$S' sample $task -n 4 --seed 9 | '$S' measure - --out p.h5 -p 1 --json"
json out
equal "$(field 'd["schedules"], d["visits"] >= 4' out)" "4 True" "visits from a pipe"
for i in 0 1; do expect 0 "$S" measure a.sched b.sched --out s$i.h5 -p 1 --shard $i/2; done
expect 0 "$S" dataset merge s0.h5 s1.h5 --out s.h5 --json
json out
equal "$(field 'd["rows"]' out)" 24 "rows of two shards"
expect 0 "$S" measure --counters list
expect 0 "$S" measure a.sched --out c.h5 -p 1 --counters NO_SUCH_EVENT
says err "counter NO_SUCH_EVENT cannot be had"
expect 0 "$S" dataset export --csv c.h5
says out "NO_SUCH_EVENT: "

expect 2 "$S" measure a.sched --out c.h5 -p 17
says err "--passes wants 1 to 16 or auto"
expect 0 "$S" measure b.sched --out auto.h5 --passes auto --json
equal "$(field 'd["extended_tasks"] in (0, 1)' out)" True "tasks that got more passes"

# dataset
expect 0 "$S" dataset info d.h5
says out "d.h5: 24 rows"
expect 0 "$S" dataset info d.h5 --json
json out
equal "$(field 'd["rows"], d["passes"] >= 72' out)" "24 True" "rows in JSON"
expect 0 "$S" dataset merge d.h5 d.h5 --out m.h5
says out "m.h5: 24 rows, 24 of them new"
rows_of() { # what merge says it found
  rm -f some.h5
  expect 0 "$S" dataset merge d.h5 --out some.h5 --json "$@"
  field 'd["rows"]' out
}
equal "$(rows_of --task M=48)" 12 "rows of one task"
equal "$(($(rows_of --compiler gcc) + $(rows_of --compiler clang)))" 24 "rows of both compilers"
equal "$(rows_of --visits 3) $(rows_of --visits 16) $(rows_of --shard nowhere)" "24 0 0" "rows of complete tasks, of no shard"
expect 0 "$S" dataset merge d.h5 c.h5 --visits 3 --out whole.h5 --json # c.h5: the same schedules, visited once
equal "$(field 'd["rows"]' out)" 24 "rows of a whole shard beside a broken-off one"
expect 0 "$S" dataset verify m.h5
says out "the file is sound; 24 rows"
expect 0 "$S" dataset verify --recodegen m.h5 --json
json out
equal "$(field 'd["fresh"], d["stale"]' out)" "24 0" "rows recompiled"
expect 0 "$S" dataset export --csv d.h5
equal "$(python3 -c 'import csv,sys; r=list(csv.reader(open("out"))); print(len({len(x) for x in r}), len(r) > 72)')" "1 True" "CSV"
schedules() { awk '/^task /{task=$0} /^proposal /{who=$0} /^schedule /{sub("  #.*", ""); print task, who, $0}' "$@" | sort; }
expect 0 "$S" dataset export --schedules d.h5
cp out again.sched
equal "$(schedules again.sched)" "$(schedules a.sched b.sched)" "what was measured, to be measured again"
expect 0 "$S" measure again.sched --out d.h5 --passes 3
expect 0 "$S" dataset info d.h5 --json
equal "$(field 'd["rows"]' out)" 24 "rows that an export adds to its own dataset"
head -c 3000 d.h5 >cut.h5
expect 1 "$S" dataset info cut.h5
expect 1 "$S" dataset merge d.h5 cut.h5 --out half.h5
equal "$(ls half.h5* 2>/dev/null)" "" "a merge that failed"
says err "cut.h5: truncated"
cp d.h5 guard.h5 && printf x | dd of=guard.h5 bs=1 seek=3 conv=notrunc 2>/dev/null
expect 0 "$S" dataset repair guard.h5 --out fixed.h5
says out "fixed.h5: 24 rows saved"
: >empty.h5
for none in a.sched cut.h5 empty.h5; do
  expect 1 "$S" dataset repair $none --out none.h5
  says err "$none: no row of a dataset can be read from it"
done
equal "$(ls none.h5* 2>/dev/null)" "" "repairs of what is no dataset"
expect 1 "$S" dataset info no.h5
expect 1 "$S" dataset verify --recodegen no.h5
says err "no.h5: cannot open: No such file or directory"
equal "$(ls no.h5* 2>/dev/null)" "" "datasets that verify made"
expect 1 "$S" dataset merge d.h5 --out a.sched
says err "a.sched: not a dataset"
expect 1 "$S" measure a.sched --out b.sched -p 1
equal "$(ls ./*.journal 2>/dev/null)" "" "journals of what is no dataset"
expect 2 "$S" dataset info d.h5 --csv
says err "info takes no --csv"
expect 2 "$S" dataset info d.h5 --task M=48
expect 2 "$S" dataset info d.h5 --out x.h5
expect 2 "$S" dataset export d.h5 --csv --json
expect 2 "$S" dataset verify d.h5 --machine cortex-a72
says err "--machine says what --recodegen compiles for"
expect 0 "$S" show d.h5
says out "d.h5: 24 rows"
cp d.h5 nameless
expect 0 "$S" show nameless
says out "nameless: 24 rows"
expect 1 bash -c "cat d.h5 | '$S' show -"
says err "a dataset is read from a file, not from a pipe"

# train
expect 0 "$S" train d.h5 --disturbed --out m.xgb --trees 40 --seed 3
expect 0 "$S" train d.h5 s.h5 --disturbed --out n.xgb --trees 40 --seed 3
expect 0 "$S" train d.h5 --disturbed --out again.xgb --trees 40 --seed 3 --json
json out
equal "$(cmp m.xgb again.xgb && echo same)" same "models of one seed"
expect 0 "$S" show m.xgb
says out "out_of_fold_top1"
expect 1 "$S" train d.h5 --out no/such/folder/m.xgb
says err "cannot write no/such/folder/m.xgb: folder no/such/folder: No such file or directory"
equal "$(grep -c rows err)" 0 "asked before training"
expect 1 "$S" train d.h5 --out .
says err "cannot write .: it is a folder"
equal "$(grep -c rows err)" 0 "asked before training"
cp b.sched mine.sched
expect 1 "$S" train d.h5 --out mine.sched
says err "mine.sched is there and no model, which begins with '{'"
equal "$(cmp b.sched mine.sched && echo same)" same "a file that is no model"
expect 0 "$S" train d.h5 --disturbed --out again.xgb --trees 5 --members 1
expect 0 "$S" train d.h5 --disturbed --out other.xgb --trees 5 --members 1 -m cortex-a72
says err "warning: the rows are of"
expect 1 "$S" train p.h5 --out few.xgb --disturbed
says err "4 usable rows: at least 20 are needed to train"
for shipped in amd-epyc-zen3 amd-epyc-zen5; do # of any host; no row has as many passes
  expect 1 "$S" train "$SC_SOURCE_DIR/data/datasets/$shipped.h5" -m $shipped -p 16 --out few.xgb
  says err "0 usable rows"
  equal "$(grep -c warning err)" 0 "warnings of $shipped's rows with its own kernel table"
done
head -c 5000 m.xgb >cut.xgb
expect 1 "$S" predict --model cut.xgb --rank a.sched

# model
expect 0 "$S" model show m.xgb
says out "out_of_fold_top1"
expect 0 "$S" model verify m.xgb --rows 500 --json
json out
equal "$(field 'd["sound"], d["rows_compared"]' out)" "True 500" "a sound model"
expect 0 "$S" model emit-c m.xgb --out model.c
says err "functions m_margin and m_analytic"
${CC:-cc} -std=c99 -pedantic -Wall -Wextra -Werror -c model.c -o model.o || fail "the model's C does not compile"
expect 0 "$S" model emit-c m.xgb --name other
says out "float other_margin(const float *row, int output)"
expect 2 "$S" model emit-c m.xgb --name "not one"
expect 2 "$S" model show m.xgb --out x.c
expect 2 "$S" model emit-c m.xgb --json
expect 2 "$S" model praise m.xgb
says err "'praise' is none of show, verify, emit-c"
expect 1 "$S" model verify cut.xgb

# the cache's models: found without --model, the first by name of equals; a damaged one is named
(
  mkdir -p cache/models empty
  cp "$SCHEDCAST_CACHE"/host.* cache
  ln -s "$SCHEDCAST_DATA"/* empty && rm empty/models
  export SCHEDCAST_CACHE=$PWD/cache SCHEDCAST_DATA=$PWD/empty
  cp cut.xgb cache/models/a.xgb
  "$S" predict --rank a.sched >out 2>err && echo "a model was found"
  grep -q "no model of this machine" err || echo "that there is none is not said"
  grep -q "warning: passed over: .*models/a.xgb:" err || echo "the damage is not named"
  cp m.xgb cache/models/c.xgb && cp m.xgb cache/models/b.xgb
  "$S" predict --rank a.sched >out 2>/dev/null && grep -q "models/b.xgb, of " out || echo "b.xgb is not the one"
) >found 2>&1
silent found

# predict: ranks what sample printed, and its own output
expect 0 "$S" predict --model m.xgb --rank a.sched
cp out ranked
equal "$(grep '^schedule ' ranked | sed 's/  #.*//' | sort)" "$(grep '^schedule ' a.sched | sort)" "ranked schedules"
expect 0 "$S" predict --model m.xgb --rank ranked
equal "$(cat out)" "$(cat ranked)" "ranking what was ranked"
expect 0 bash -c "cat a.sched b.sched | '$S' predict --model m.xgb --rank - --json"
json out
equal "$(field '[len(x["schedules"]) for x in d]' out)" "[12, 12]" "schedules of two tasks"
equal "$(field 'all(a["time_s"] <= b["time_s"] for x in d for a, b in zip(x["schedules"], x["schedules"][1:]))' out)" True "order"
equal "$(field 'all(s["low_s"] <= s["time_s"] <= s["high_s"] for x in d for s in x["schedules"])' out)" True "intervals"
equal "$(grep -c "another machine" ranked)" 0 "of this machine"
expect 0 "$S" predict --model m.xgb --rank a.sched --explain
says out "#   "

# predict: picks, and what it prints is measured
expect 0 "$S" predict --model m.xgb $task --pick 5 --scan 500 --emit-c k.c --explain
cp out picks
expect 1 "$S" predict --model m.xgb $task --scan 500 --emit-c no/such/k.c
says err "cannot write no/such/k.c: folder no/such:"
silent out
equal "$(grep -c '^schedule ' picks)" 5 "picks"
says k.c "_run("
${CC:-cc} -std=c11 -c k.c -o k.o $(sed -n 's/.*compile line: [^ ]* //p' k.c) || fail "the emitted C does not compile"
expect 0 "$S" predict --model m.xgb $task -k 1 --scan 500 --emit-c -
says out "_run("
expect 0 "$S" predict --model m.xgb $task -k 2 --scan 300 --json
json out
equal "$(field 'len(d[0]["schedules"])' out)" 2 "picks in JSON"
expect 0 bash -c "'$S' measure picks --out d.h5 -p 1 --json"
json out
equal "$(field 'd["schedules"], d["crashed"] + d["wrong_result"] + d["not_compiled"]' out)" "5 0" "picks that ran"
expect 0 "$S" dataset info d.h5 --json
equal "$(field 'd["proposals"]["model"], d["proposals"]["user"]' out)" "5 0" "picks recorded as a model's"
expect 0 "$S" predict --model m.xgb $task -k 3 --scan 300 --calibrate
says out "measured kernel rates"
expect 0 "$S" machine kernels a.sched --json
json out

# evaluate
expect 0 "$S" evaluate d.h5 --disturbed --by network --trees 20 --picture p.png
says out "model"
says out "re-measured"
if type gnuplot >/dev/null 2>&1; then equal "$(head -c 4 p.png | tail -c 3)" PNG "the picture"; fi
silent err
expect 0 "$S" evaluate d.h5 --disturbed --trees 20 --json
json out
expect 1 "$S" evaluate d.h5 --disturbed --trees 20 --picture no/such/p.png
equal "$(cat err)" "evaluate-sched: cannot write no/such/p.png: folder no/such: No such file or directory" "the picture's error"
silent out
expect 0 "$S" evaluate d.h5 --disturbed --trees 10 --curve 1 --json --picture c.png
json out
if type gnuplot >/dev/null 2>&1; then equal "$(head -c 4 c.png | tail -c 3)" PNG "the picture of a learning curve"; fi
equal "$(field '[x["share"] for x in d]' out)" "[1]" "points of a learning curve"
expect 1 "$S" evaluate d.h5 --disturbed --trees 10 --curve 8 --json
silent out
says err "of the groups is too little to train on"
expect 1 "$S" evaluate d.h5 --disturbed --trees 10 --by development
says err "no row is of a network of data/corpus/development.txt"
expect 0 "$S" evaluate d.h5 --disturbed --trees 10 --members 1 --parts kind --without tile --knowledge none
says out "regret@1 / analytic"
says out "uniform draws "
expect 0 "$S" evaluate d.h5 --disturbed --trees 10 --members 1 --parts task --json
json out
equal "$(field 'len(d), [x["schedules"] for x in d], all((x["regret1"] == 0) == (x["place"] == 1) and 1 <= x["place"] <= 12 for x in d)' out)" "2 [12, 12] True" "scores by task, of draws alone"
expect 2 "$S" evaluate d.h5 --disturbed --without tiles
says err "no features are called 'tiles': there are workload nest tile"
expect 2 "$S" evaluate d.h5 --disturbed --without tile --model m.xgb
expect 2 "$S" evaluate d.h5 --curve 2 --parts kind
expect 2 "$S" evaluate d.h5 --disturbed --base d.h5
says err "d.h5 has rows of the same machine, compiler and threads"
expect 2 "$S" evaluate d.h5 --curve 2 --model m.xgb
expect 1 "$S" evaluate p.h5 --disturbed
says err "all rows belong to one contraction"
expect 2 "$S" evaluate d.h5 --model m.xgb --log log.md
says err "evaluation sets"
finish
