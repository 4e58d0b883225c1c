"""Measure optiviz against plain matplotlib, as ratios of whole processes in alternating pairs.

    python benchmarks/run.py [--pairs 3] [--readme]

The ratios are medians. Scene A is a matplotlib user's script (scene_a.py), scene B a picture drawn
by optiviz, scenes C and D are scripts in 3-D, of which only saving is timed. "plain" saves with
matplotlib's own writers. The row "A to MP4" needs ffmpeg, and the gifsicle rows need gifsicle.
--readme writes the table into README.md.
"""

import argparse
import importlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageSequence

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
MARKS = "<!-- benchmarks: python benchmarks/run.py --readme -->", "<!-- end -->"
MB = 1024
WRITERS = "pillow", "imageio"


class Cost(NamedTuple):
    """The seconds that a whole process took, and its peak memory in kilobytes."""

    seconds: float
    peak: int


def measured(command: list[str]) -> Cost:
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=HERE)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"failed: {' '.join(command)}")
    return Cost(time.perf_counter() - began, usage.ru_maxrss)


def in_turn(one: list[str], other: list[str], pairs: int) -> tuple[float, list[Cost], list[Cost]]:
    """Return the median ratio of wall times, and the costs of both."""
    costs = [(measured(one), measured(other)) for _ in range(pairs)]
    ratios = [first.seconds / second.seconds for first, second in costs]
    print(f"    {' '.join(f'{ratio:.1f}' for ratio in ratios)}", file=sys.stderr)
    return median(ratios), *map(list, zip(*costs, strict=True))


def saved(name: str, one: list[str], other: list[str], pairs: int) -> tuple[str, str]:
    """Return a row with the saving times that two scripts print."""

    def seconds(command: list[str]) -> float:
        return float(subprocess.check_output(command, cwd=HERE, text=True))

    times = [(seconds(one), seconds(other)) for _ in range(pairs)]
    ratios = [slow / fast for slow, fast in times]
    print(f"    {' '.join(f'{ratio:.1f}' for ratio in ratios)}", file=sys.stderr)
    slow, fast = (median(column) for column in zip(*times, strict=True))
    return name, f"{median(ratios):.1f}x ({slow:.1f} s, {fast:.2f} s)"


def gif_frames(path: Path, fps: float) -> Iterator[np.ndarray[Any, Any]]:
    """Yield the pixels visible at each frame's time."""
    shown, played = 0, 0
    with Image.open(path) as image:
        for each in ImageSequence.Iterator(image):
            pixels = np.array(each.convert("RGB"))
            played += each.info["duration"]
            while shown < round(played * fps / 1000):
                shown += 1
                yield pixels


def exact_frames(figure: Any, update: Any, steps: Any) -> Iterator[np.ndarray[Any, Any]]:
    """Yield each frame, drawn in full."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    for step in steps:
        update(step)
        canvas.draw()
        yield np.asarray(canvas.buffer_rgba())[..., :3]


def worst_psnr(path: Path, exact: Iterator[np.ndarray[Any, Any]], fps: float) -> float:
    """Return the lowest peak signal-to-noise ratio of all frames, in decibels."""
    worst = np.inf
    for shown, drawn in zip(gif_frames(path, fps), exact, strict=False):
        error = np.mean((shown.astype(np.float32) - drawn) ** 2)
        worst = min(worst, 10 * np.log10(255**2 / error) if error else np.inf)
    return float(worst)


def table(pairs: int, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield rows: the name of the measurement and its result."""
    python = sys.executable
    optiviz = [str(Path(python).with_name("optiviz"))]

    def a(writer: str, name: str, *frames: str) -> list[str]:
        return [python, "scene_a.py", writer, str(folder / name), *frames]

    scene_a, scene_b = (importlib.import_module(name) for name in ("scene_a", "scene_b"))
    run = [*optiviz, "run", "--surface", "wobbly", "--opt", scene_b.OPTIMIZERS]
    run += ["--steps", str(scene_b.STEPS), "--size", "x".join(map(str, scene_b.SIZE)), "-o"]
    plain_b = [python, "scene_b.py", "pillow", str(folder / "plain-b.gif")]
    ours_b = [*run, str(folder / "b.gif")]

    def row(name: str, ratio: float, slow: list[Cost], fast: list[Cost]) -> tuple[str, str]:
        seconds = [median(cost.seconds for cost in costs) for costs in (slow, fast)]
        peaks = [median(cost.peak for cost in costs) / MB for costs in (slow, fast)]
        return name, (
            f"{ratio:.1f}x ({seconds[0]:.1f} s and {peaks[0]:.0f} MB, "
            f"{seconds[1]:.1f} s and {peaks[1]:.0f} MB)"
        )

    slow, fast = a("pillow", "plain-a.gif"), a("imageio", "a.gif")
    yield row('A to GIF: writer="pillow" / writer="imageio"', *in_turn(slow, fast, pairs))
    slow, fast = (a(writer, "noblit.gif", "119", "noblit") for writer in WRITERS)
    yield row("A with blit=False to GIF: the same", *in_turn(slow, fast, pairs))
    yield row("B to GIF: plain / ours", *in_turn(plain_b, ours_b, pairs))
    yield row("B: GIF / PNG", *in_turn(ours_b, [*run, str(folder / "b.png")], 2 * pairs))
    shapes = [*optiviz, "run", "--surface", "wobbly", "--opt", "trust-region,nelder-mead"]
    shapes += ["--steps", "120", "-o", str(folder / "shapes.gif")]
    slow, fast = ([*shapes, each] for each in ("--sketch", "--no-sketch"))
    yield row(
        "trust-region, nelder-mead to GIF: with sketches / without", *in_turn(slow, fast, pairs)
    )
    for name, orbit in (("C, 3-D, to GIF", []), ("C with a moving camera", ["90"])):
        c = [[python, "scene_c.py", each, str(folder / "c.gif"), *orbit] for each in WRITERS]
        yield saved(f"{name}: saving by pillow / by imageio", *c, pairs)
    d = [[python, "scene_d.py", each, str(folder / "d.gif")] for each in WRITERS]
    yield saved("D, 3-D with blit=False, to GIF: the same", *d, pairs)
    if shutil.which("ffmpeg"):
        slow, fast = a("ffmpeg", "plain-a.mp4"), a("imageio", "a.mp4")
        yield row('A to MP4: writer="ffmpeg" / writer="imageio"', *in_turn(slow, fast, pairs))

    for name in ("a", "b"):
        plain, ours = ((folder / f"{kind}{name}.gif").stat().st_size for kind in ("plain-", ""))
        said = f"{plain / ours:.1f}x ({plain / 1000:.0f} kB, {ours / 1000:.0f} kB)"
        yield f"{name.upper()}: size of GIF, plain / ours", said
        if shutil.which("gifsicle"):
            squeezed = folder / "squeezed.gif"
            subprocess.run(["gifsicle", "-O3", folder / f"{name}.gif", "-o", squeezed], check=True)
            share = 1 - squeezed.stat().st_size / ours
            yield f"{name.upper()}: what gifsicle -O3 takes off ours", f"{100 * share:.1f} %"

    for name, fps, figure, update, steps in (
        ("a", 5, scene_a.figure, scene_a.update, scene_a.steps),
        ("b", scene_b.FPS, *scene_b.parts()),
    ):
        said = []
        # Pillow truncates frame delays to hundredths of a second.
        for kind, played in (("", fps), ("plain-", 100 / int(100 / fps))):
            exact = exact_frames(figure, update, steps)
            said.append(f"{worst_psnr(folder / f'{kind}{name}.gif', exact, played):.1f} dB")
        yield (
            f"{name.upper()}: worst frame of GIF against the exact one, ours (plain)",
            (f"{said[0]} ({said[1]})"),
        )

    for suffix in ("gif", "mp4"):
        few, many = (measured(a("imageio", f"long.{suffix}", frames)) for frames in ("400", "4000"))
        grown = (many.peak - few.peak) / MB
        yield f"A to {suffix.upper()}: peak memory, 4000 frames - 400", f"{grown:.0f} MB"
        ratio, *_ = in_turn(
            a("imageio", f"long.{suffix}", "4000"), a("imageio", f"long.{suffix}", "1000"), 1
        )
        yield f"A to {suffix.upper()}: wall time, 4000 frames / 1000", f"{ratio:.1f}x"

    ratio, *_ = in_turn([*optiviz, "--help"], [python, "-c", "import click"], 5 * pairs)
    yield "optiviz --help / import click", f"{ratio:.1f}x"


def machine() -> str:
    """Return the date, machine and versions of the measurement."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(
        f"{name} {importlib.import_module(name).__version__}" for name in ("matplotlib", "PIL")
    )
    return (
        f"{date.today().isoformat()}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, {versions.replace('PIL', 'Pillow')}"
    )


def tell(
    rows: Iterable[tuple[str, str]],
    pairs: int,
    heading: str,
    document: Path | None,
    marks: tuple[str, str],
) -> None:
    """Print the rows of a table and, if a document is given, write them between its marks."""
    lines = [f"| figure | {heading} |", "|---|---|"]
    for name, said in rows:
        lines.append(f"| {name} | {said} |")
        print(f"{name:60} {said}", flush=True)
    print(machine())
    if document is not None:
        body = "\n".join([*lines, "", f"Measured on {machine()}; pairs: {pairs}."])
        marked = f"{marks[0]}\n\n{body}\n\n{marks[1]}"
        pattern = f"{re.escape(marks[0])}.*?{re.escape(marks[1])}"
        text = document.read_text(encoding="utf-8")
        document.write_text(re.sub(pattern, lambda _: marked, text, flags=re.S), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--readme", action="store_true", help="write the table into README.md")
    options = parser.parse_args()
    sys.path.insert(0, str(HERE))
    sys.argv = sys.argv[:1]  # the scenes read sys.argv
    with tempfile.TemporaryDirectory() as folder:
        rows = table(options.pairs, Path(folder))
        document = README if options.readme else None
        tell(rows, options.pairs, "ratio (median)", document, MARKS)


if __name__ == "__main__":
    main()
