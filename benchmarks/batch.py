"""Measure what batches cost: whole processes, alternating, medians of pairs.

    python benchmarks/batch.py [--pairs 3] [--docs]

--docs writes the table into docs/batches.md. Memory is read from /proc for the process that
hands out the jobs, without the processes that draw.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from statistics import median

from run import HERE, tell

from optiviz.rendering.api import load_jobs

EXAMPLES = HERE.parent / "examples"
DOCS = HERE.parent / "docs" / "batches.md"
MARKS = "<!-- benchmarks: python benchmarks/batch.py --docs -->", "<!-- end -->"
OPTIVIZ = str(Path(sys.executable).with_name("optiviz"))
FEW, MANY = 20, 200
LONG = """\
defaults: {size: 480x320, steps: 39, optimizers: "adam:lr=0.1"}
jobs:
  - matrix: {surface: [wobbly], seed: [%s]}
    out: "{seed}.gif"
"""


def seconds(folder: str, *words: str) -> float:
    began = time.perf_counter()
    subprocess.run([OPTIVIZ, "batch", "-q", *words], cwd=folder, check=True)
    return time.perf_counter() - began


def peak(folder: str, jobs: int) -> float:
    """Return the peak memory of a batch's parent process in megabytes."""
    Path(folder, "long.yaml").write_text(LONG % ", ".join(map(str, range(jobs))))
    most = 0
    with subprocess.Popen([OPTIVIZ, "batch", "-q", "--force", "long.yaml"], cwd=folder) as batch:
        while batch.poll() is None:
            found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{batch.pid}/status").read_text())
            most = max(most, int(found[1]) if found else 0)
            time.sleep(0.02)
    if batch.returncode:
        sys.exit("failed")
    return most / 1024


def table(pairs: int, folder: str) -> Iterator[tuple[str, str]]:
    """Yield rows: the name of the measurement and its result."""
    catalogue = str(EXAMPLES / "catalogue.yaml")
    names = ",".join(job.name for job in islice(load_jobs(catalogue), 24))
    run = (catalogue, "--only", names, "--force", "--jobs")
    times = [(seconds(folder, *run, "1"), seconds(folder, *run, "2")) for _ in range(pairs)]
    ratios = [one / two for one, two in times]
    print(f"    {' '.join(f'{ratio:.2f}' for ratio in ratios)}", file=sys.stderr)
    one, two = (median(column) for column in zip(*times, strict=True))
    yield (
        "24 jobs of examples/catalogue.yaml: one process / two",
        f"{median(ratios):.2f}x ({one:.1f} s, {two:.1f} s)",
    )
    articles = str(EXAMPLES / "articles.yaml")
    first, second = seconds(folder, articles), seconds(folder, articles)
    yield (
        "examples/articles.yaml: made / found up to date",
        f"{first / second:.0f}x ({first:.1f} s, {second:.1f} s)",
    )
    few, many = peak(folder, FEW), peak(folder, MANY)
    yield (
        f"peak memory of the parent, {MANY} jobs of 40 frames - {FEW}",
        f"{many - few:.0f} MB ({many:.0f} MB, {few:.0f} MB)",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--docs", action="store_true", help="write the table into docs/batches.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = table(options.pairs, folder)
        tell(rows, options.pairs, "", DOCS if options.docs else None, MARKS)


if __name__ == "__main__":
    main()
