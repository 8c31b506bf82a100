#!/usr/bin/env bash
# quickstart with a campaign of 20 s: every case is picked, measured and written as C that compiles; the second run takes the
# model of the first.
. "$(dirname "$0")/lib.sh"
mkdir data # without the shipped models, one of which may fit
for part in "$SCHEDCAST_DATA"/*; do [[ $part == */models ]] || ln -s "$part" data/; done
export SCHEDCAST_DATA=$PWD/data SCHEDCAST_CACHE=$PWD/cache
expect 0 "$S" quickstart --out q --seconds 20 --json
json out
says err "no model fits this machine"
equal "$(field 'len(d["cases"])' out)" 4 "cases"
equal "$(field 'all(c["measured_s"] > 0 and c["plain_s"] > c["measured_s"] for c in d["cases"])' out)" True "faster than plain loops"
equal "$(field 'all(c["low_s"] <= c["time_s"] <= c["high_s"] for c in d["cases"])' out)" True "intervals"
for c in q/*.c; do ${CC:-cc} -std=c11 -w -march=native -c "$c" -o k.o || fail "$c does not compile"; done
expect 0 "$S" dataset info q/host.h5
[[ -s cache/models/host.xgb ]] || fail "no model where predict-sched looks"
expect 0 "$S" predict matmul:M=128,N=768,K=768 --scan 500
expect 0 "$S" quickstart --out q --seconds 20
says err "this machine"
says out "x plain: against the plain loops"
says out "*: the model was trained on schedules of this layer"
for name in "ResNet-18 3x3" "MobileNetV2 1x1" "MobileNetV2 depthwise" "BERT matmul"; do says out "$name"; done
sed -i '1d; s/^l1d.ways [0-9]*/l1d.ways 3/' cache/host.machine # as if the folder had come from another machine
expect 1 "$S" quickstart --out q --seconds 20
says err "is of another machine: name another folder with --out"
finish
