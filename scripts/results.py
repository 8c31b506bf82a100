#!/usr/bin/env python3
"""Writes docs/results.md and its pictures from the datasets and models of the repository.

    scripts/results.py                 all of it: half an hour on two cores
    scripts/results.py --quick         small models, the same tables: what ./check runs
    scripts/results.py --only amd-epyc-zen3 --out /tmp/r

Scores come from the command that is printed beside them. Seeds are fixed and nothing is taken from the user's cache, so equal data
give equal numbers.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SEED = 1
GROUPS = ["workload", "nest", "tile", "vector", "cache", "curve", "pages", "conflicts", "kernel", "parallel",
          "packing", "tails", "analytic"]


class Results:
    def __init__(self, options):
        self.options = options
        self.text = []
        self.cache = tempfile.mkdtemp()  # an empty cache: what was measured on this machine does not count
        self.folder = os.path.join(self.cache, "results")
        os.makedirs(self.folder)

    def add(self, *lines):
        self.text += lines

    def run(self, *command):
        """The JSON that one of our programs prints."""
        print("+ " + " ".join(command), file=sys.stderr, flush=True)
        program = os.path.join(self.options.bin, command[0])
        environment = {**os.environ, "SCHEDCAST_CACHE": self.cache}
        try:
            done = subprocess.run([program, *command[1:], "--json"], stdout=subprocess.PIPE, cwd=ROOT, env=environment)
        except OSError as error:
            sys.exit(f"results.py: {program}: {error.strerror}; build first, or name another folder with --bin")
        if done.returncode != 0:
            sys.exit(f"results.py: {' '.join(command)} ended with {done.returncode}")
        return json.loads(done.stdout)

    def finish(self):
        """Puts page and pictures where they belong, all or none."""
        os.makedirs(os.path.join(self.options.out, "results"), exist_ok=True)
        for picture in os.listdir(self.folder):
            shutil.move(os.path.join(self.folder, picture), os.path.join(self.options.out, "results", picture))
        with open(os.path.join(self.options.out, "results.md"), "w", encoding="utf-8") as page:
            page.write("\n".join(self.text).rstrip() + "\n")

    def said(self, *command):
        """As a reader would type it."""
        self.add("", "    " + " ".join(c if " " not in c else f'"{c}"' for c in command), "")

    def small(self):
        return ["--members", "1", "--trees", "12"] if self.options.quick else []


def metric(m, digits=3):
    value, low, high = m
    if value is None:
        return "–"
    if low is None:
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} [{low:.{digits}f}–{high:.{digits}f}]"


def git(*arguments):
    done = subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def scores(r, e):
    columns = [("top1", "top-1"), ("top5", "top-5"), ("regret1", "regret@1"), ("pairs", "pairs > 10 %"), ("mape", "MAPE"),
               ("shard_mape", "MAPE in its shard"),
               ("coverage", "coverage of 90 %"), ("half_width", "half width"), ("top1_p5", "top-1 p5")]
    r.add("| |" + "".join(f" {title} |" for _, title in columns), "|---|" + "---|" * len(columns))
    for line in ("model", "analytic", "random", "re-measured"):
        r.add(f"| {line} |" + "".join(f" {metric(e[line][key])} |" for key, _ in columns))
    r.add("", f"{e['rows']} schedules of {e['tasks']} tasks, {e['groups']} groups, {e['networks']} networks. "
          f"regret@1 of the model over the analytic one's: {metric(e['regret_ratio'])}, paired.")


def parts(r, e):
    r.add("", "| part | tasks | groups | top-1 | pairs > 10 % | MAPE | regret@1 / analytic |", "|---|---|---|---|---|---|---|")
    for p in e["parts"]:
        r.add(f"| {p['name']} | {p['tasks']} | {p['groups']} | {metric(p['top1'])} | {metric(p['pairs'])} | "
              f"{metric(p['mape'])} | {metric(p['regret_ratio'])} |")


def development(r, name, data):
    command = ["evaluate-sched", data, "-m", name, "--by", "development", "--seed", str(SEED), *r.small()]
    picture = os.path.join(r.folder, f"{name}-development.png")
    e = r.run(*command, "--picture", picture)
    r.add("### Development networks", "", "Each left out in turn; what is chosen, is chosen by these.")
    r.said(*command, "--parts", "kind")
    scores(r, e)
    parts(r, e)
    r.add("", f"![times, intervals, picks](results/{name}-development.png)", "")


def curve(r, name, data):
    points = "2" if r.options.quick else "4"
    command = ["evaluate-sched", data, "-m", name, "--by", "development", "--curve", points, "--seed", str(SEED),
               *(r.small() or ["--members", "1"])]
    lines = r.run(*command, "--picture", os.path.join(r.folder, f"{name}-curve.png"))
    r.add("### Learning curve", "", "Trained on a share of the groups, scored on the same rows; one member.")
    r.said(*command)
    r.add("| groups | schedules | top-1 | pairs > 10 % | MAPE | regret@1 / analytic |", "|---|---|---|---|---|---|")
    for p in lines:
        r.add(f"| {p['groups']:.0f} | {p['rows']:.0f} | {metric(p['top1'])} | {metric(p['pairs'])} | {metric(p['mape'])} | "
              f"{metric(p['regret_ratio'])} |")
    r.add("", f"![learning curve](results/{name}-curve.png)", "")


def ablations(r, name, data):
    command = ["evaluate-sched", data, "-m", name, "--by", "development", "--seed", str(SEED),
               *(r.small() or ["--members", "1"])]
    kinds = [("everything", [])]
    kinds += [(f"without {g}", ["--without", g]) for g in (GROUPS[:1] if r.options.quick else GROUPS)]
    kinds += [("static facts of kernels only", ["--knowledge", "static"])]
    kinds += [] if r.options.quick else [("machine file only", ["--knowledge", "none"])]
    r.add("### What features and facts are worth", "",
          "One member; a group of features (docs/features.md) is left out of training and prediction, or the kernel table's "
          "times, or all of the table.")
    r.said(*command, "--without", "GROUP")
    r.add("| | top-1 | pairs > 10 % | MAPE | regret@1 / analytic |", "|---|---|---|---|---|")
    for what, more in kinds:
        e = r.run(*command, *more)
        r.add(f"| {what} | {metric(e['model']['top1'])} | {metric(e['model']['pairs'])} | {metric(e['model']['mape'])} | "
              f"{metric(e['regret_ratio'])} |")
    r.add("")


def evaluation(r, name, data, model):
    """The frozen test pools, by the finished model: with the kernels that ship, and with those of the pools measured."""
    r.add("### Evaluation networks", "", "The frozen test pools, by the model that ships; none of it was trained on or chosen by.")
    for machine, kind, what in ((name, "", "With the kernel table that ships, which knows a part of their kernels:"),
                                                (data.replace(".h5", ".machine"), "-measured", "With the rates of all their kernels measured:")):
        if "/" in machine and not os.path.exists(os.path.join(ROOT, machine)):
            continue
        command = ["evaluate-sched", data, "-m", machine, "--model", model, "--seed", str(SEED)]
        picture = f"{name}-evaluation{kind}.png"
        e = r.run(*command, "--picture", os.path.join(r.folder, picture))
        r.add("", what)
        r.said(*command, "--parts", "kind")
        scores(r, e)
        parts(r, e)
        r.add("", f"![times, intervals, picks](results/{picture})", "")


def transfer(r, name, data, other):
    command = ["evaluate-sched", data, "--base", other, "--seed", str(SEED), *r.small()]
    t = r.run(*command)
    r.add(f"### Transfer from {os.path.basename(other)[:-3]}", "",
          f"A model of the other machine's data, as it is and corrected by {t['few']} schedules of this one, beside this one's own.")
    r.said(*command)
    r.add("| | top-1 | pairs > 10 % | MAPE | top-1 / native |", "|---|---|---|---|---|")
    for line in ("native", "corrected", "untouched"):
        r.add(f"| {line} | " + " | ".join(metric(t[line][k]) for k in ("top1", "pairs", "mape", "of_native")) + " |")
    r.add("")


def machine(r, name):
    data, model = f"data/datasets/{name}.h5", f"data/models/{name}.xgb"
    info = r.run("dataset-sched", "info", data)
    card = r.run("model-sched", "show", model)
    r.add(f"## {name}", "", f"{info['rows']} records. "
          f"The model that ships: {card['rows']} schedules of {card['tasks']} tasks, {card['groups']} groups.", "")
    development(r, name, data)
    pools = f"data/datasets/{name}-evaluation.h5"
    if os.path.exists(os.path.join(ROOT, pools)):
        evaluation(r, name, pools, model)
    curve(r, name, data)
    ablations(r, name, data)
    for other in r.sets:
        if other != name and not r.options.quick:
            transfer(r, name, data, f"data/datasets/{other}.h5")


def main():
    parser = argparse.ArgumentParser(description="Writes docs/results.md from the data of the repository.")
    parser.add_argument("--quick", action="store_true", help="small models")
    parser.add_argument("--only", action="append", metavar="MACHINE", help="default: every dataset")
    parser.add_argument("--out", default=os.path.join(ROOT, "docs"), metavar="FOLDER")
    parser.add_argument("--bin", default=os.path.join(ROOT, "build/release/bin"), metavar="FOLDER")
    options = parser.parse_args()
    options.out, options.bin = os.path.abspath(options.out), os.path.abspath(options.bin)
    sets = sorted(f[:-3] for f in os.listdir(os.path.join(ROOT, "data/datasets")) if f.endswith(".h5"))
    sets = [s for s in sets if not s.endswith("-evaluation")]
    for name in options.only or []:
        if name not in sets:
            parser.error(f"no dataset of {name}: there are {', '.join(sets)}")
    r = Results(options)
    r.sets = sets
    names = options.only or sets
    r.add("# Results", "", "Written by `scripts/results.py` from the datasets and models in data/"
          + (", with small models (`--quick`)" if r.options.quick else "")
          + f", at commit {git('describe', '--always', '--dirty') or 'unknown'}. Brackets are 95 % intervals of 10 000 draws of "
          f"groups; seed {SEED}. What the columns mean: docs/model.md; how the data were measured: docs/datasheet.md.", "")
    for name in names:
        machine(r, name)
    r.finish()
    shutil.rmtree(r.cache)


if __name__ == "__main__":
    main()
