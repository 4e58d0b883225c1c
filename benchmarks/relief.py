"""Measure the relief against plain matplotlib and against the contour, in alternating pairs.

    python benchmarks/relief.py [--pairs 3] [--docs]

plain is scene_c.py: FuncAnimation with plot_surface and one path, 60 frames at 960x640, saved with
matplotlib's own writer. ours is a relief of the same surface and as many frames; neither has a
title. Of these only saving is timed; other rows are whole processes. Ratios are medians. --docs
writes the table into docs/views.md.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from run import MB, exact_frames, in_turn, measured, saved, tell, worst_psnr

DOCS = Path(__file__).parents[1] / "docs/views.md"
MARKS = "<!-- benchmarks: python benchmarks/relief.py --docs -->", "<!-- end -->"
SURFACE = "x**2/4 + y**2 + sin(3*x)"
FRAMES, FPS = 60, 12
OPTIMIZER, START = "sgd:lr=0.02", (3, 2.5)


def recipe(orbit: float = 0, **fields: object) -> object:
    """Return a relief of the surface of scene_c.py."""
    import optiviz

    surface = optiviz.Surface(formula=SURFACE, domain="-3:3,-3:3")
    return optiviz.Recipe(
        surface=surface, optimizers=OPTIMIZER, starts=[START], steps=FRAMES - 1, view="relief",
        title="", orbit=orbit, **fields,
    )  # fmt: skip


def save(out: str, orbit: float) -> float:
    """Save an animation and return how many seconds that took."""
    from optiviz.rendering.animation import PictureAnimation
    from optiviz.rendering.render import make_picture
    from optiviz.writers import ImageioWriter

    made = recipe(orbit)
    animation = PictureAnimation(make_picture(made), made.timeline.steps, FPS, hold=0)
    began = time.perf_counter()
    animation.save(out, writer=ImageioWriter(FPS, check=False))  # as optiviz run does
    return time.perf_counter() - began


def quality(out: Path, orbit: float) -> float:
    """Return how far the worst frame of a GIF is from the exact one, in decibels."""
    from optiviz.rendering.render import make_picture

    made = recipe(orbit)
    drawn = make_picture(made)
    exact = exact_frames(drawn.figure, drawn.update, made.timeline.steps)
    return worst_psnr(out, exact, FPS)


def table(pairs: int, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield rows: the name of the measurement and its result."""
    python = sys.executable
    optiviz = [str(Path(python).with_name("optiviz"))]
    for name, orbit in (("still camera", "0"), ("turning camera", "90")):
        plain = [python, "scene_c.py", "pillow", str(folder / "plain.gif"), orbit]
        ours = folder / f"{orbit}.gif"
        yield saved(
            f"{name}: plain / ours", plain, [python, __file__, "--save", str(ours), orbit], pairs
        )
        # In a process of its own, whose memory others would inherit.
        worst = subprocess.check_output([python, __file__, "--quality", ours, orbit], text=True)
        yield f"{name}: worst frame of GIF against the exact one", f"{float(worst):.1f} dB"
    run = [*optiviz, "run", "--formula", SURFACE, "--opt", OPTIMIZER, "-q"]
    run += ["--start", "3,2.5", "--steps", str(FRAMES - 1)]

    def made(view: str, *options: str) -> list[str]:
        return [*run, "--view", view, "-o", str(folder / f"{view}.gif"), *options]

    ratio, *_ = in_turn(made("relief"), made("contour"), 2 * pairs)
    yield "GIF with a still camera: relief / contour", f"{ratio:.2f}x"
    sizes = [(folder / f"{view}.gif").stat().st_size for view in ("relief", "contour")]
    yield (
        "bytes of that GIF: relief / contour",
        f"{sizes[0] / sizes[1]:.2f}x ({sizes[0] / 1000:.0f} kB, {sizes[1] / 1000:.0f} kB)",
    )
    turning = made("relief", "--orbit", "90")
    ratio, slow, fast = in_turn(turning, [*turning, "--preview"], pairs)
    seconds = [median(cost.seconds for cost in costs) for costs in (slow, fast)]
    yield (
        "turning camera: whole / --preview",
        f"{ratio:.1f}x ({seconds[0]:.1f} s, {seconds[1]:.1f} s)",
    )
    still = [[*optiviz, "plot", "wobbly", "-q", "-o", str(folder / "x.png"), "--view", view]
             for view in ("relief", "contour")]  # fmt: skip
    ratio, *_ = in_turn(*still, 3 * pairs)
    yield "still picture: relief / contour", f"{ratio:.2f}x"
    relief, contour = (measured(made(view)).peak / MB for view in ("relief", "contour"))
    yield "peak memory: relief - contour", f"{relief - contour:.0f} MB"
    few, many = (
        measured([*turning, "--steps", str(steps), "--duration", "100"]).peak / MB
        for steps in (30, 300)
    )
    yield "peak memory, turning camera: 301 frames - 31", f"{many - few:.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--docs", action="store_true", help="write the table into docs/views.md")
    parser.add_argument("--quality", nargs=2, metavar=("OUT", "ORBIT"), help=argparse.SUPPRESS)
    parser.add_argument("--save", nargs=2, metavar=("OUT", "ORBIT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.save:
        print(save(options.save[0], float(options.save[1])))
        return
    if options.quality:
        print(quality(Path(options.quality[0]), float(options.quality[1])))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = table(options.pairs, Path(folder))
        tell(rows, options.pairs, "", DOCS if options.docs else None, MARKS)


if __name__ == "__main__":
    main()
