#!/usr/bin/env bash
# tune: each strategy finds something on a small matmul, goes on where it stopped, keeps its trials in the dataset, and prints
# finalists that the other tools read; limits and objectives hold; slips are said.
. "$(dirname "$0")/lib.sh"
task=matmul:M=48,N=64,K=32

# a search without a model, gone on with
expect 0 "$S" tune $task -o d.h5 -n 12 --batch 6 --strategy descent --json
json out
equal "$(field 'd["trials"], d["failed"], len(d["best_time_s"]), len(d["schedules"])' out)" "12 0 12 8" "a descent"
equal "$(field 'all(a["time_s"] <= b["time_s"] for a, b in zip(d["schedules"], d["schedules"][1:]))' out)" True "order of finalists"
expect 0 "$S" dataset info d.h5 --json
equal "$(field 'd["rows"] in range(12, 21)' out)" True "rows of 12 trials, finalists measured together"
expect 0 "$S" tune $task -o d.h5 -n 20 --strategy random
says err "12 trials are in d.h5 already"
says out "# 20 trials, 0 of them failed or not allowed, random; in d.h5"
equal "$(grep -c '^schedule ' out)" 8 "finalists"
cp out best
expect 0 "$S" show best
expect 0 "$S" measure best --out d.h5 -p 5 --json
equal "$(field 'd["skipped"] > 0' out)" True "visits of finalists that were there"

# guided, by a model of these rows and of another task
expect 0 bash -c "'$S' sample matmul:M=64,N=96,K=64 -n 12 | '$S' measure - --out other.h5 -p 1"
expect 0 "$S" train d.h5 other.h5 --disturbed -p 1 --trees 30 --members 1 --out m.xgb
expect 0 "$S" train d.h5 other.h5 --base m.xgb --disturbed -p 1 --out corrected.xgb --json
json out
equal "$(field 'len(d["base"])' out)" 16 "the base on the card"
expect 0 "$S" tune $task -o g.h5 -n 16 --batch 8 --model m.xgb --emit-c k.c
says err "guided by m.xgb"
says out ", guided; in g.h5"
${CC:-cc} -std=c11 -c k.c -o k.o $(sed -n 's/.*compile line: [^ ]* //p' k.c) || fail "the emitted C does not compile"
expect 0 "$S" dataset info g.h5 --json
equal "$(field 'd["rows"] in range(16, 25), d["proposals"]["model"] > 0, d["proposals"]["uniform"] > 0' out)" "True True True" "who proposed the trials"

# what methods picked, by what was measured; rows of a task that evaluation keeps count too
expect 0 "$S" evaluate d.h5 -p 1 --disturbed --picks best=best --picks again=best --json
json out
equal "$(field '[m["method"] for m in d], [m["tasks"] for m in d], d[0]["reached"][0] == d[1]["reached"][0], 0.3 < d[0]["least"] <= 1' out)" \
  "['best', 'again'] [1, 1] True True" "methods compared"
expect 0 "$S" evaluate d.h5 -p 1 --disturbed --picks best=best
says out "against the fastest of"
expect 2 "$S" evaluate d.h5 --picks best
says err "--picks wants NAME=FILE, not 'best'"
expect 2 "$S" evaluate d.h5 --picks best=best --picture p.png
expect 2 "$S" evaluate d.h5 --picks best=best --curve 2
says err "--picks compares what was measured"

# training out of core, by datasets; the sample holds them all here
expect 0 "$S" train d.h5 other.h5 --out-of-core --disturbed -p 1 --trees 30 --members 1 --out o.xgb
says err "other.h5:"
expect 0 "$S" show o.xgb
says out "tasks              2"
expect 0 "$S" train d.h5 --out-of-core --disturbed -p 1 --trees 30 --members 1 --out one.xgb
says err "all rows belong to one contraction"
expect 2 "$S" train d.h5 --out-of-core --base m.xgb --out o2.xgb
says err "--base corrects a model by rows that fit into memory"
expect 1 "$S" train d.h5 absent.h5 --out-of-core --out o2.xgb
says err "absent.h5"

# replay: rows of another dataset, the fastest first; the space in its order
expect 0 "$S" tune $task -o r.h5 --strategy replay --replay d.h5 -n 5 --json
json out
equal "$(field 'd["trials"]' out)" 5 "trials replayed"
expect 0 "$S" tune matmul:M=1,N=1,K=1 -o all.h5 --strategy exhaustive --json
equal "$(field 'd["exhausted"], d["trials"]' out)" "True $("$S" sample matmul:M=1,N=1,K=1 --count)" "a whole space"

# limits and objectives
expect 0 "$S" tune $task -o d.h5 -n 20 --strategy random --objective code --slower 1000 --json
equal "$(field '[s["code_bytes"] for s in d["schedules"]] == sorted(s["code_bytes"] for s in d["schedules"])' out)" True "the smallest code first"
least=$(field 'd["schedules"][0]["code_bytes"]' out)
expect 0 "$S" tune $task -o d.h5 -n 20 --strategy random --max-code "$least" --json
equal "$(field 'all(s["code_bytes"] <= '"$least"' for s in d["schedules"]), d["failed"] > 0' out)" "True True" "a limit on code"
expect 0 "$S" tune $task -o d.h5 -n 20 --strategy random --objective scratch --slower 1000 --json
least=$(field 'd["schedules"][0]["scratch_bytes"]' out)
expect 0 "$S" tune $task -o d.h5 -n 24 --strategy random --max-scratch $((least + 1)) --json
equal "$(field 'all(s["scratch_bytes"] <= '"$least"' + 1 for s in d["schedules"])' out)" True "a limit on buffers"
expect 1 "$S" tune $task -o d.h5 -n 20 --strategy random --max-code 1
says err "none of 20 schedules ran and is allowed"

# what is known counts only where this search could have tried it
expect 0 "$S" tune $task -o d.h5 -n 21 --strategy random --force "compile clang" --json
equal "$(field 'all("compile clang" in s["schedule"] for s in d["schedules"])' out)" True "a forced compiler"
expect 0 "$S" tune $task -o generic.h5 -n 5 --strategy random -m x86-64 --json
equal "$(field 'd["trials"], d["failed"]' out)" "5 0" "a machine of no processor in particular"
expect 0 "$S" tune $task -o d.h5 -n 20 --strategy random --emit-c -
says out "_run("
equal "$(grep -c '^schedule ' out)" 0 "schedules beside C on stdout"

# slips
expect 2 "$S" tune $task
says err "--out FILE is missing"
expect 2 "$S" tune $task -o x.h5 --strategy replay
says err "--strategy replay and --replay DATASET go together"
expect 2 "$S" tune $task -o x.h5 --max-code 16q
says err "--max-code wants bytes, as in 16k, not '16q'"
expect 2 "$S" tune $task -o x.h5 --strategy clever
expect 1 "$S" tune $task -o x.h5 --strategy replay --replay other.h5
says err "other.h5 has no row of $task"
expect 1 "$S" tune $task -o x.h5 --model no.xgb
expect 1 "$S" tune matmul:M=4 -o x.h5
expect 1 "$S" tune $task -o k.c --strategy random
says err "k.c: not a dataset"
finish
