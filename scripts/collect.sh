#!/usr/bin/env bash
# Collects a machine's dataset and trains its model: scripts/collect.sh TASKS FOLDER [SCHEDULES], where TASKS is a file of lines
# `network<TAB>task` (data/corpus/networks.txt) and SCHEDULES how many a task gets in all (default 40). As docs/measuring.md
# advises: three fifths stratified by analytic time, a sixth uniform, the rest picked by a model trained on those. Resumable: the
# same command goes on where it stopped. Needs the tools in PATH and a machine that does nothing else.
set -euo pipefail
tasks=$1 folder=$2 each=${3:-40}
stratified=$((each * 3 / 5)) uniform=$((each / 6))
picked=$((each - stratified - uniform))
mkdir -p "$folder"

draw() { # draw NAME COMMAND...: the schedules of every task into FOLDER/NAME.sched, once
  local name=$1
  shift
  [[ -s $folder/$name.sched ]] && return
  grep -v '^#' "$tasks" | cut -f2 | while read -r task; do "$@" "$task" </dev/null; done >"$folder/$name.part"
  mv "$folder/$name.part" "$folder/$name.sched"
}
# Every tenth of a long list of picks: the first few of one task differ in little.
pick() { predict-sched --model "$folder/first.xgb" --pick $((picked * 10)) "$1" | grep -v '^#' | awk '/^task/ || n++ % 10 == 0'; }

draw stratified sample-sched --sampling stratified -n "$stratified" --seed 1
draw uniform sample-sched -n "$uniform" --seed 2
machine-sched kernels "$folder/stratified.sched" "$folder/uniform.sched"
measure-sched "$folder/stratified.sched" --out "$folder/data.h5" --proposal stratified
measure-sched "$folder/uniform.sched" --out "$folder/data.h5" --proposal uniform
[[ -s $folder/first.xgb ]] || train-sched "$folder/data.h5" --out "$folder/first.xgb"
draw picked pick
machine-sched kernels "$folder/picked.sched"
measure-sched "$folder/picked.sched" --out "$folder/data.h5" --proposal model --model "$folder/first.xgb"
train-sched "$folder/data.h5" --out "$folder/model.xgb"
