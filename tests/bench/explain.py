#!/usr/bin/env python3
"""Does --explain name what costs time? One cause is taken from each kernel, and what that saves is measured.

    PATH=build/release/bin:$PATH tests/bench/explain.py FOLDER [PASSES]

A pair is two tasks, or two schedules of one, that differ in one cause: rows that are 4 KiB apart, packing at run time, a matrix
that lies in memory or in the L3 instead of the L2, short tiles, kernels of few trips, register tiles without reuse. Printed are the share of
the first one's time per multiply-add that goes away with the cause, as measured and as the model explains it, by the analytic
terms of that cause and by the whole prediction. FOLDER keeps the schedules and the dataset.
"""
import csv
import json
import os
import re
import subprocess
import sys

COMMON = "vector j 8; loop k unroll 2; compile gcc"
TILE = f"tile i 4, j 16; {COMMON}; band k all, i all order i; band j all order j"

# cause, terms of the explanation, task and schedule with it, the same without; a task has one schedule
PAIRS = [
    ("rows 4 KiB apart", ["set conflicts"],
     "matmul:M=64,N=1024,K=512,weights=run", TILE, "matmul:M=64,N=1040,K=512,weights=run", TILE),
    ("packing at run time", ["packing"],
     "matmul:M=24,N=512,K=512,weights=run", f"{TILE}; pack B 2 [j/t,k,j%t]",
     "matmul:M=24,N=512,K=512", f"{TILE}; pack B 2 [j/t,k,j%t]"),
    ("a matrix in memory", ["from memory", "from the L3", "traffic from the L2"],
     "matmul:M=8,N=4096,K=4096", f"{TILE}; pack B 2 [j/t,k,j%t]", "matmul:M=8,N=128,K=256", f"{TILE}; pack B 2 [j/t,k,j%t]"),
    ("a matrix in the L3", ["from the L3", "traffic from the L2"],
     "matmul:M=8,N=1024,K=1024", f"{TILE}; pack B 2 [j/t,k,j%t]", "matmul:M=8,N=128,K=256", f"{TILE}; pack B 2 [j/t,k,j%t]"),
    ("short tiles", ["short tiles"],
     "matmul:M=49,N=72,K=256", f"{TILE}; pack B 2 [j/t,k,j%t]", "matmul:M=48,N=64,K=256", f"{TILE}; pack B 2 [j/t,k,j%t]"),
    ("calls of few trips", ["calls, loops and partial sums", "kernels"],
     "matmul:M=96,N=128,K=4", TILE, "matmul:M=96,N=128,K=256", TILE),
    ("a register tile without reuse", ["kernels"],
     "matmul:M=96,N=64,K=256", f"tile i 1, j 8; {COMMON}; band k all, i all order i; band j all order j",
     "matmul:M=96,N=128,K=256", TILE),
]


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed")
    return done.stdout


def terms(why):
    """Seconds of each term of an explanation."""
    unit = {"s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
    number, of = re.search(r"analytic time ([0-9.]+) ([num]?s):", why).groups()
    total = float(number) * unit[of]
    found = {name.strip(): float(share) / 100 * total
             for name, share in re.findall(r"([a-zA-Z0-9, ]+?) (\d+) %", why.split("analytic time")[1].split(":", 1)[1].split("\n")[0])}
    found = {name.lstrip(", "): value for name, value in found.items()}
    short = re.search(r"short tiles cost (\d+) %", why)
    found["short tiles"] = float(short.group(1)) / 100 * total if short else 0
    return found


def flop(task):
    size = dict(item.split("=") for item in task.split(":")[1].split(",") if item[-1].isdigit())
    return 2 * int(size["M"]) * int(size["N"]) * int(size["K"])


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder, passes = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "5"
    os.makedirs(folder, exist_ok=True)
    schedules, dataset = os.path.join(folder, "pairs.sched"), os.path.join(folder, "pairs.h5")
    kernels = sorted({pair[i:i + 2] for pair in PAIRS for i in (2, 4)})
    with open(schedules, "w") as out:
        for task, schedule in kernels:
            out.write(f"task {task}\nschedule {schedule}\n")
    run("measure-sched", schedules, "-o", dataset, "-p", passes)
    measured, why, predicted = {}, {}, {}
    for task in json.loads(run("predict-sched", "--rank", schedules, "--explain", "--json")):
        why[task["task"]], predicted[task["task"]] = terms(task["schedules"][0]["why"]), task["schedules"][0]["time_s"]
    for row in csv.DictReader(run("dataset-sched", "export", "--csv", dataset).splitlines()):
        times = [float(row[f"ns_{i}"]) * 1e-9 for i in range(9) if row.get(f"ns_{i}")]
        measured[row["task"]] = min(times + [measured.get(row["task"], float("inf"))])

    def saved(cost):  # of the first one's time per multiply-add
        return lambda a, b: 100 * (cost(a) / flop(a) - cost(b) / flop(b)) / (whole(a) / flop(a))

    print(f"{'cause':<32} {'measured':>9} {'explained':>10} {'predicted':>10}")
    for cause, names, a, _, b, _ in PAIRS:
        whole = measured.get
        row = [saved(measured.get)(a, b)]
        whole = lambda task: sum(v for k, v in why[task].items() if k != "short tiles")
        row.append(saved(lambda task: sum(why[task].get(n, 0) for n in names))(a, b))
        whole = predicted.get
        row.append(saved(predicted.get)(a, b))
        print(f"{cause:<32} {row[0]:>7.0f} % {row[1]:>8.0f} % {row[2]:>8.0f} %")


main()
