"""What can hardly be told apart in a picture whose colours somebody chose."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import floor
from typing import NamedTuple

import numpy as np

from optiviz.objective import Array
from optiviz.themes import Theme
from optiviz.themes.colors import SIGHT, contrast, distance, rgb, seen

WORDS, LINES = 4.5, 3.0  # least contrast with the background: WCAG 2.2, 1.4.3 and 1.4.11
GROUND = 0.15  # least distance in OKLab of a path, or its casing, from the colours of a surface
APART = 0.1  # least distance in OKLab of two paths
BANDS = 32  # colours of a ramp that are looked at


class PathColor(NamedTuple):
    """The colour of an optimizer's path, and whether somebody chose it."""

    label: str
    color: str
    chosen: bool


def color_remarks(theme: Theme, paths: Sequence[PathColor]) -> Iterator[str]:
    """Yield a sentence for each colour that somebody chose and that is hard to see."""
    (paper,) = rgb([theme.background])
    if theme.base is not None:
        for name in ("ink", "muted", "warning"):
            yield from _faint(f"theme: {name}", getattr(theme, name), paper, WORDS)
    ramp = rgb(theme.ramp)
    along = np.linspace(0, len(ramp) - 1, BANDS)
    bands = np.stack([np.interp(along, range(len(ramp)), each) for each in ramp.T], axis=-1)
    (casing,) = rgb([theme.casing])
    for path in paths:
        if not path.chosen:
            continue
        yield from _faint(path.label, path.color, paper, LINES)
        (line,) = rgb([path.color])
        away = np.maximum(distance(line, bands), distance(casing, bands))
        if theme.fill and away.min() < GROUND:
            yield f"{path.label}: {path.color} hardly stands out from parts of the surface"
    for one, other in combinations(paths, 2):
        pair = rgb([one.color, other.color])
        near = [sight for sight in SIGHT if distance(*seen(pair, sight)) < APART]
        if near and (one.chosen or other.chosen):
            eyes = "any sight" if near[0] == "normal sight" else near[0]
            same = f"{one.label} and {other.label}: {one.color} and {other.color}"
            yield f"{same} look alike with {eyes}"


def _faint(label: str, color: str, paper: Array, least: float) -> Iterator[str]:
    """Yield a sentence if a colour has too little contrast with the background."""
    ratio = float(contrast(rgb([color])[0], paper))
    if ratio < least:
        yield (
            f"{label}: {color} has a contrast of {floor(10 * ratio) / 10} with the background, "
            f"where {least:g} is easy to see"
        )
