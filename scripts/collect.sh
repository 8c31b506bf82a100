#!/usr/bin/env bash
# Collects a machine's dataset and trains its model: scripts/collect.sh TASKS FOLDER [SCHEDULES], where TASKS is a file of lines
# `network<TAB>task` (data/corpus/networks.txt) and SCHEDULES how many a task gets in all (default 40). As docs/measuring.md
# advises: half stratified by analytic time, a tenth uniform, the rest in three rounds picked by a model of all that was measured
# before. Resumable: the same command goes on where it stopped. Needs the tools in PATH and a machine that does nothing else.
set -euo pipefail
tasks=$1 folder=$2 each=${3:-40} rounds=3
uniform=$((each / 10)) picked=$((each * 2 / 5 / rounds))
stratified=$((each - uniform - rounds * picked))
mkdir -p "$folder"

draw() { # draw NAME COMMAND...: the schedules of every task into FOLDER/NAME.sched, once
  local name=$1
  shift
  [[ -s $folder/$name.sched ]] && return
  grep -v '^#' "$tasks" | cut -f2 | while read -r task; do "$@" "$task" </dev/null; done >"$folder/$name.part"
  mv "$folder/$name.part" "$folder/$name.sched"
}
# Every tenth of a long list of picks: the first few of one task differ in little.
pick() { predict-sched --model "$folder/$round.xgb" --pick $((picked * 10)) --seed "$round" "$1" | grep -v '^#' | awk '/^(task|proposal)/ || n++ % 10 == 0'; }

draw stratified sample-sched --sampling stratified -n "$stratified" --seed 1
draw uniform sample-sched -n "$uniform" --seed 2
machine-sched kernels "$folder/stratified.sched" "$folder/uniform.sched"
measure-sched "$folder/stratified.sched" --out "$folder/data.h5"
measure-sched "$folder/uniform.sched" --out "$folder/data.h5"
for round in $(seq "$rounds"); do
  [[ -s $folder/$round.xgb ]] || train-sched "$folder/data.h5" --out "$folder/$round.xgb"
  draw "picked$round" pick
  machine-sched kernels "$folder/picked$round.sched"
  measure-sched "$folder/picked$round.sched" --out "$folder/data.h5"
done
train-sched "$folder/data.h5" --out "$folder/model.xgb"
