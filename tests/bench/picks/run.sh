#!/usr/bin/env bash
# How good picks are: for each task of a list, what the model picks without measuring, with its best kernels measured, and
# with ten measurements, against the best of 2000 random draws and of a guided search of 500 trials; beside them coordinate
# descent from the analytic pick with 500 and with ten (droplet, droplet10). Finalists of all are measured together. Takes minutes a task; the same command goes on where it was stopped.
#
#   PATH=build/release/bin:$PATH tests/bench/picks/run.sh FOLDER TASKS [DRAWS [TRIALS]]
#
# TASKS: lines as in data/corpus/evaluation.txt. FOLDER then holds a file of schedules for each method and two datasets:
#   evaluate-sched FOLDER/finalists.h5 --picks unmeasured=FOLDER/unmeasured.sched --picks ten=FOLDER/ten.sched ...
#   evaluate-sched FOLDER/random.h5 -p 1 --picks best=FOLDER/random.sched     # how kind the spaces are
set -euo pipefail
[ $# -ge 2 ] || { sed -n '6,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
folder=$1 tasks=$2 draws=${3:-2000} trials=${4:-500}
methods="unmeasured calibrated ten droplet10 guided droplet random"
mkdir -p "$folder"

# The first N schedules of stdin, with the task's line and where they come from.
first() { awk -v n="$1" '/^schedule / && ++seen > n { next } { print }'; }

# Runs a command into a file, which is there only when it is complete.
into() {
  local to=$1
  shift
  [ -s "$to" ] && return
  "$@" >"$to.part"
  mv "$to.part" "$to"
}

complete() {
  local method
  [ -e "$1.done" ] || return
  for method in $methods; do [ -s "$1.$method" ] || return; done
}

one() {
  local task=$1 name=$2 method
  into "$name.unmeasured" predict-sched "$task" --pick 1
  into "$name.calibrated" predict-sched "$task" --pick 1 --calibrate
  into "$name.ten" tune-sched "$task" --trials 10 --batch 5 --out "$name.ten.h5"
  into "$name.guided" tune-sched "$task" --trials "$trials" --out "$name.guided.h5"
  into "$name.droplet" tune-sched "$task" --strategy descent --trials "$trials" --out "$name.droplet.h5"
  into "$name.droplet10" tune-sched "$task" --strategy descent --trials 10 --batch 5 --out "$name.droplet10.h5"
  into "$name.random" tune-sched "$task" --strategy random --trials "$draws" --batch 200 --out "$name.random.h5"
  for method in guided random; do first 3 <"$name.$method"; done >"$name.finalists"
  for method in unmeasured calibrated ten droplet10 droplet; do first 1 <"$name.$method"; done >>"$name.finalists"
  measure-sched "$name.finalists" --passes 5 --out "$name.finalists.h5" >&2
  touch "$name.done"
}

n=0
while IFS=$'\t' read -r network task; do
  case $network in '' | '#'*) continue ;; esac
  n=$((n + 1))
  name=$folder/$(printf '%s' "$task" | tr -c 'A-Za-z0-9\n' _)
  complete "$name" || { echo "$n: $task" >&2; one "$task" "$name"; }
done <"$tasks"

for method in $methods; do
  for done in "$folder"/*.done; do first 1 <"${done%.done}.$method"; done >"$folder/$method.sched"
done
for kind in finalists random; do
  parts=()
  for done in "$folder"/*.done; do parts+=("${done%.done}.$kind.h5"); done
  rm -f "$folder/$kind.h5"
  dataset-sched merge "${parts[@]}" --out "$folder/$kind.h5" >&2
done
