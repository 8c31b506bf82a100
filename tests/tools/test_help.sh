#!/usr/bin/env bash
# Every verb: help that fits a screen and shows an example, a man page, completion; wrong usage ends with 2 and says why.
. "$(dirname "$0")/lib.sh"
verbs=$(sed -n 's/^SC_VERB(\([a-z]*\)).*/\1/p' "$SC_SOURCE_DIR/tools/verbs.def")
bin=$(dirname "$(readlink -f "$S")")

for verb in $verbs; do
  for command in "$S $verb" "$bin/$verb-sched"; do
    expect 0 $command --help
    silent err
    says out "usage: $verb-sched"
    says out "example:"
  done
  equal "$(($(wc -l <out) <= 24))" 1 "lines of $verb --help"
  equal "$(awk 'length > 80' out)" "" "lines of $verb --help over 80 columns"
  expect 0 "$S" help "$verb"
  says out "usage: $verb-sched"
  expect 0 "$S" help --man "$verb"
  says out ".SH EXAMPLE"
  if type groff >/dev/null 2>&1; then
    groff -man -Tutf8 -ww -z out 2>warnings
    silent warnings
  fi
  expect 2 "$S" "$verb" --no-such-option
  says err "unknown option '--no-such-option'"
  says err "see $verb-sched --help"
  silent out
done

expect 0 "$S" help --man
says out ".SH VERBS"
expect 0 "$S" --version
says out "schedcast "
expect 0 "$S" --help
for verb in $verbs; do says out "  $verb "; done
expect 2 "$S"
says err "schedcast VERB --help"
expect 2 "$S" frobnicate
says err "there is no 'frobnicate'"
expect 2 "$S" help frobnicate

# every option of every help stands in the completion of its verb
expect 0 "$S" help --completion
cp out completion
bash -n completion || fail "completion is no bash"
for verb in $verbs; do
  "$S" "$verb" --help | grep -o -- '^  *\(-., \)\?--[a-z-]*' | grep -o -- '--[a-z-]*' | while read -r option; do
    grep "^  $verb)" completion | grep -q -- " $option\( \|'\)" || echo "$verb $option"
  done >missing
  silent missing
done
completes() { # completes EXPECTED WORD...: what the last word may become
  local expected=$1
  shift
  (. ./completion && COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) && _schedcast "$1" && echo "${COMPREPLY[*]}") >completed
  equal "$(cat completed)" "$expected" "completion of '$*'"
}
completes sample schedcast sam
completes --rank predict-sched --ra
completes --rank /usr/bin/predict-sched --ra
completes exhaustive sample-sched --sampling ex
completes "group network development" schedcast evaluate --by ""
completes "info" schedcast dataset in
completes "show" machine-sched sho
completes "predict" schedcast help pr
touch inner.h5
completes inner.h5 dataset-sched info inn

# values
expect 2 "$S" sample -n ten matmul:M=8,N=8,K=8
says err "--number wants a whole number, not 'ten'"
expect 2 "$S" sample -n -1 matmul:M=8,N=8,K=8
while read -r command; do # verb, option, value, and the range that the message names with both
  read -r verb option value range <<<"$command"
  expect 2 "$S" "$verb" x "$option" "$value"
  says err "$option wants $range, not '$value'"
done <<'END'
sample --number 0 1 to 1000000000
sample --number 99999999999999999999 1 to 1000000000
sample --threads 1000 0 to 256
sample --seed -1 0 to 9007199254740992
measure --threads 1000000000000 0 to 256
measure --passes 4294967297 1 to 16 or auto
measure --passes 0 1 to 16 or auto
predict --pick 5000 1 to 4096
predict --scan 0 1 to 1000000000
train --trees 4294967297 1 to 32768
train --members 17 1 to 16
train --depth 12 1 to 8
train --subsample 7 0.01 to 1
train --eta 1e9 0.0001 to 1
evaluate --depth 0 1 to 8
quickstart --seconds 0 1 to 86400
END
expect 2 "$S" sample --sampling dice matmul:M=8,N=8,K=8
says err "uniform, sobol, exhaustive"
expect 2 "$S" sample matmul:M=8,N=8,K=8 --seed
says err "wants a value"
expect 2 "$S" sample --count=yes matmul:M=8,N=8,K=8
says err "takes no value"
expect 2 "$S" sample
says err "TASK is missing"
expect 2 "$S" sample matmul:M=8,N=8,K=8 matmul:M=8,N=8,K=9
says err "one operand too many"
expect 2 "$S" measure x.sched
says err "--out FILE is missing"
expect 2 "$S" measure --out d.h5 --shard 3/3 "$work/lib"
expect 2 "$S" train d.h5
expect 2 "$S" predict a b
for given in "--pick 1" "--scan 9" "--space no.space" "--force unroll\ 1" "--seed 5"; do
  eval "expect 2 \"$S\" predict --rank x.sched $given"
  says err "belongs to a TASK, not to --rank"
done
expect 2 "$S" evaluate d.h5 --log x.md
expect 2 "$S" dataset frob d.h5
expect 2 "$S" machine frob
finish
