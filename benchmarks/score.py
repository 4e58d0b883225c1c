"""Measure what scoring costs: a class on the quick suite against four built-in optimizers.

    python benchmarks/score.py [--workers]

Printed are the wall time, the CPU time and the peak memory of the command, all processes together;
the CPU time of jobs by group of problems, in this process; that of walking runs one by one, as a
multiple of walking them as arrays; and, with --workers, how many times as fast some problems of the
full suite are on two processes as on one, which says little on a machine that others use.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml

from optiviz.optimizers.spec import parse_specs
from optiviz.recipes.shipped_files import SUITES
from optiviz.recipes.suites import read_suite
from optiviz.scoring import runs
from optiviz.scoring.setting import Setting

BUILT_IN = "adam,sgd,momentum,rmsprop"
LION = """
import numpy as np
class Lion:
    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.99):
        self.lr, self.beta1, self.beta2 = lr, beta1, beta2
    def init(self, x):
        return np.zeros_like(x)
    def step(self, objective, x, m):
        g = objective.gradient(x)
        x = x - self.lr * np.sign(self.beta1 * m + (1 - self.beta1) * g)
        return x, self.beta2 * m + (1 - self.beta2) * g
"""
COMPARED = "rosenbrock", "quadratic-100-rotated-10d", "bowl-cauchy"  # problems of the quick suite
PART = 2  # groups of the full suite, 23 problems


class Cost(NamedTuple):
    """The seconds of a command, those of its processes on the CPU, and their peak megabytes."""

    wall: float
    cpu: float
    peak: float


def tree_megabytes(root: int) -> float:
    """Return the memory that a process and its descendants hold now."""
    said = subprocess.check_output(["ps", "-A", "-o", "pid=,ppid=,rss="], text=True)
    found = {
        pid: (parent, size)
        for pid, parent, size in (map(int, x.split()) for x in said.splitlines())
    }
    inside = {root}
    while more := {pid for pid, (parent, _) in found.items() if parent in inside} - inside:
        inside |= more
    return sum(found[pid][1] for pid in inside if pid in found) / 1e3


def measured(*arguments: str) -> Cost:
    """Return what a score costs, in a fresh folder of results."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "optiviz", "score", *arguments]
        command += ["--results", f"{folder}/results", "-q", "-o", f"{folder}/score.html"]
        began, peak = time.perf_counter(), 0.0
        process = subprocess.Popen(command)
        while (ended := os.wait4(process.pid, os.WNOHANG))[0] == 0:
            peak = max(peak, tree_megabytes(process.pid))
            time.sleep(0.5)
    _, status, usage = ended
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"failed: {' '.join(command)}")
    return Cost(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, peak)


def of_groups(specs: str) -> None:
    """Print the CPU seconds of the jobs of each group of problems, and of each optimizer."""
    parsed, costs = parse_specs(specs), defaultdict[str, list[float]](list)
    for problem in read_suite("quick", False).benchmark():
        row = []
        for spec in parsed:
            began = time.process_time()
            runs.run_job(runs.Job(problem, spec))
            row.append(time.process_time() - began)
        known = costs.get(problem.group, [0.0] * len(row))
        costs[problem.group] = [a + b for a, b in zip(known, row, strict=True)]
    costs["all"] = [sum(column) for column in zip(*costs.values(), strict=True)]
    print(f"{'CPU seconds of jobs':20}", *(f"{each.heading[-9:]:>9}" for each in parsed))
    for group, row in costs.items():
        print(f"{group:20}", *(f"{each:9.2f}" for each in row))


def against_single_runs() -> None:
    """Print how much longer runs take one by one than as arrays."""
    (spec,) = parse_specs("adam")
    values, many = {"lr": runs.RATES}, len(runs.RATES)
    for problem in read_suite("quick", False).benchmark():
        if problem.name in COMPARED:
            setting = Setting(problem)
            with np.errstate(all="ignore"):
                began = time.process_time()
                runs._walk_all(spec, setting, values, many)
                middle = time.process_time()
                runs._walk_each(spec, setting, values, range(many))
            ratio = (time.process_time() - middle) / (middle - began)
            print(f"one by one / as arrays, {problem.name}: {ratio:.0f}x")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "lion.py")
        file.write_text(LION)
        lion = f"{file}:Lion"
        cost = measured(lion, "--against", BUILT_IN)
        print(f"quick suite: {cost.wall:.0f} s, CPU {cost.cpu:.0f} s, {cost.peak:.0f} MB")
        of_groups(f"{lion},{BUILT_IN}")
        against_single_runs()
        if chosen.workers:
            part = Path(folder, "part.yaml")
            full = yaml.safe_load(SUITES.file("full").read_text("utf-8"))
            full["problems"] = full["problems"][:PART]
            part.write_text(yaml.safe_dump(full))
            walls = [
                measured("adam", "--suite", str(part), "--jobs", each).wall for each in ("1", "2")
            ]
            print(
                f"one process / two: {walls[0] / walls[1]:.2f}x ({walls[0]:.0f}, {walls[1]:.0f} s)"
            )
