#!/usr/bin/env bash
# show-sched prints every noun; what it prints reads again; wrong input is named with its position.
. "$(dirname "$0")/lib.sh"
data=$SC_SOURCE_DIR/data

for op in conv2d depthwise matmul; do
  expect 0 "$S" show $op
  says out "op $op"
  cp out $op.op
  expect 0 "$S" show $op.op
  equal "$(cat out)" "$(cat $op.op)" "$op printed, read and printed again"
  expect 0 "$S" show --json $op
  json out
done
expect 0 "$S" show conv2d:pad=1,R=3,S=3,K=64,C=64,W=56,H=56
says out "task conv2d:H=56,W=56,C=64,K=64,R=3,S=3,pad=1"
says out "231.211 MFLOP"
expect 0 "$S" show --json matmul:M=8,N=4,K=2
json out
equal "$(field 'd["flop"]' out)" 128 "flop of a matmul"
expect 0 "$S" show x86-64-v3
cp out m.machine
expect 0 "$S" show m.machine
equal "$(cat out)" "$(cat m.machine)" "a machine printed, read and printed again"
expect 0 "$S" show --json x86-64-v4
json out
expect 0 "$S" machine show x86-64-v4
says out "machine x86-64-v4"
expect 0 "$S" machine list
says out "cortex-a72"
expect 0 "$S" machine list --json
json out

# schedules
cat >s.sched <<'END'
# two of them
task matmul:M=8,N=8,K=8
schedule tile i 4*2, j 8; vector j 8; loop k; band order i; compile gcc
schedule tile i 8, j 8; vector j 8; loop k; compile gcc   # a comment
END
expect 0 "$S" show s.sched -m x86-64-v4
says out "# schedule 1 of matmul:M=8,N=8,K=8"
says out "tile i 4*2, j 8"
expect 0 "$S" show s.sched -m x86-64-v4 --dump=schedule,nest,kernels,features,analytic,c
for part in schedule nest kernels features analytic c; do says out "# ---- $part"; done
says out "_run("
expect 0 "$S" show s.sched -m x86-64-v4 --dump=nest,features --json
json out
equal "$(field 'len(d)' out)" 2 "schedules in JSON"
expect 0 bash -c "cat s.sched | '$S' show -m x86-64-v4 -"
says out "# schedule 1 of matmul"

printf 'task conv2d:H=8,W=8,C=4,K=8,R=3,S=3\nschedule tile p 1, k 8; vector k 8; loop c r s; band order p q; compile gcc\n' >conv.sched
expect 0 "$S" show conv.sched -m x86-64-v4 --dump=features
equal "$(awk '$1 == "window_taps" { print $2 }' out)" 9 "taps of a window of 3x3"

# what a file is stands in it: no name needs a suffix, and all but datasets come through pipes, which are read once
expect 0 bash -c "'$S' show -m x86-64-v4 <(cat s.sched)"
says out "# schedule 1 of matmul"
expect 0 bash -c "cat s.sched | '$S' show -m x86-64-v4 /dev/stdin"
says out "# schedule 1 of matmul"
for noun in operators/matmul.op spaces/matmul.space machines/x86-64-v4.machine models/amd-epyc-zen5.xgb; do
  expect 0 "$S" show "$data/$noun"
  cp out shown
  cp "$data/$noun" nameless
  for given in "nameless" "- <nameless" "<(cat nameless)"; do
    expect 0 bash -c "'$S' show $given"
    equal "$(cat out)" "$(cat shown)" "$noun as $given"
  done
done
sed 's/size/siez/' "$data/operators/matmul.op" >nameless
expect 1 bash -c "'$S' show - <nameless"
says err "<standard input>:"

# a compiler that the machine has not: one message with the line, wherever it is asked for
model=$data/models/amd-epyc-zen5.xgb
sed 's/; compile gcc   #.*/; compile nosuch/' s.sched >nosuch.sched
sed 's/; compile gcc   #.*//' s.sched >none.sched
expect 0 "$S" show none.sched -m x86-64-v4 --dump=schedule,nest
for dump in kernels features analytic c; do
  expect 1 "$S" show nosuch.sched -m x86-64-v4 --dump=$dump
  says err "nosuch.sched:4:45: no compiler 'nosuch' on the machine x86-64-v4: it has gcc, clang"
  says err "                                            ^"
  silent out
done
for verb in "predict --model $model --rank" "measure --out no.h5" "machine kernels"; do
  expect 1 "$S" $verb -m x86-64-v4 nosuch.sched
  says err "nosuch.sched:4:45: no compiler 'nosuch'"
  expect 1 "$S" $verb -m x86-64-v4 none.sched
  says err 'none.sched:4:10: no `compile` clause: the machine x86-64-v4 has gcc, clang'
done
[[ ! -e no.h5 ]] || fail "a dataset was made"

# a model: its card as text and JSON; of another machine it predicts, and says so
expect 0 "$S" show $model
says out "model of amd-epyc (x86-64-v4)"
says out "picked below"
expect 0 "$S" show $model --json
json out
expect 0 "$S" predict --model $model --rank s.sched -m cortex-a72
says err "warning: the model is of amd-epyc (x86-64-v4), not of cortex-a72 (armv8-a)"
says out "of amd-epyc (x86-64-v4), another machine, knows: machine file only"
says out "another machine's model"
expect 0 "$S" predict --model $model --rank s.sched -m cortex-a72 --json
equal "$(field '{(s["foreign"], s["extrapolates"]) for s in d[0]["schedules"]}' out)" "{(True, True)}" "foreign"
equal "$(field 'd[0]["model_machine"], d[0]["machine"]' out)" "amd-epyc cortex-a72" "machines"
expect 0 "$S" predict --model $model --rank s.sched -m amd-epyc-zen5 --json
equal "$(field '{(s["foreign"], s["extrapolates"]) for s in d[0]["schedules"]}' out)" "{(False, True)}" "its own machine"
silent err

# a pick keeps its interval when it is ranked, and its reasons say the same; C to stdout is nothing but C
task=conv2d:H=14,W=14,C=64,K=64,R=3,S=3,pad=1
expect 0 "$S" predict --model $model -m amd-epyc-zen5 $task --pick 3 --scan 200
cp out picks
expect 0 "$S" predict --model $model -m amd-epyc-zen5 --rank picks --explain
equal "$(grep '^schedule' out)" "$(grep '^schedule' picks)" "picks, ranked"
equal "$(sed -n 's/^schedule.*# \(.*\)), .*/\1/p' out | sed 's/ (/ (90 %: /; s/ \.\. / to /')" \
  "$(sed -n 's/^#   predicted \(.*\)), .*GFLOP.*/\1/p' out)" "intervals and their explanations"
expect 0 "$S" predict --model $model -m amd-epyc-zen5 $task --scan 200 --emit-c -
equal "$(head -c 2 out)" "/*" "C on stdout"
equal "$(grep -c '^schedule' out)" 0 "schedules in C"
says err "schedule tile"
mkdir -p of
expect 0 "$S" predict --model $model -m amd-epyc-zen5 $task --scan 200 --emit-c of/kernel.c
says of/kernel.c " -c kernel.c"

# C of one task; times only of what code can be generated for
expect 2 "$S" predict --model $model --rank s.sched conv.sched -m amd-epyc-zen5 --emit-c two.c
says err "--emit-c writes the best of one task"
silent out
[[ ! -e two.c ]] || fail "C of the first task was written"
for type in f16 i8; do
  sed "s/K=8/K=8,type=$type/" s.sched >typed.sched
  for given in "matmul:M=64,N=64,K=64,type=$type" "--rank typed.sched"; do
    expect 1 "$S" predict --model $model -m amd-epyc-zen5 $given
    says err "code is generated for f32, not $type"
    [[ $given != --rank* ]] || says err "typed.sched:3:10: "
    silent out
  done
done

# an operator without a space: what is missing, and what helps
mkdir -p own/operators && ln -s "$data"/machines own && sed 's/^op matmul/op product/' "$data/operators/matmul.op" >own/operators/product.op
expect 1 env SCHEDCAST_DATA="$PWD/own" "$S" sample product:M=8,N=8,K=8 -m x86-64-v4
says err "no space of the operator product: no file $PWD/own/spaces/product.space; name another with --space FILE"
expect 0 env SCHEDCAST_DATA="$PWD/own" "$S" sample product:M=8,N=8,K=8 -m x86-64-v4 --count --space "$data/spaces/matmul.space"

# positions
printf 'task matmul:M=8,N=8,K=8\nschedule tile i 4*2, j 8; vectr j 8\n' >bad.sched
expect 1 "$S" show bad.sched
says err "bad.sched:2:"
says err "^"
printf 'task matmul:M=8,N=8,K=8\nschedule tile i 4*3, j 8; vector j 8; loop k; compile gcc\n' >illegal.sched
expect 1 "$S" show illegal.sched
says err "illegal.sched:2"
expect 1 "$S" show matmul:M=8,N=8,Q=2
says err "no parameter 'Q'"
says err "^"
expect 1 "$S" show nonsense
says err "no file, and neither operator, task nor machine"
expect 2 "$S" show s.sched --dump=nest,frob
says err "does not know 'frob'"
for none in "" ,; do
  expect 2 "$S" show s.sched --dump=$none
  says err "--dump "
  silent out
done
printf '# nothing\n' >empty.sched
expect 1 "$S" show empty.sched
says err "no schedule"
finish
