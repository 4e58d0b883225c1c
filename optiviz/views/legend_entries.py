"""The static marks that a picture's key explains, each with its label and its style."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from optiviz.kinds.run_scene import RunScene
from optiviz.shapes import Points, Role, is_finite
from optiviz.themes import Theme
from optiviz.views import gradients
from optiviz.views.eigenvectors import DASH, WIDTH, curve_down
from optiviz.views.paths import (
    DASHES,
    HIDDEN_DASH,
    HIDDEN_WIDTH,
    LINE_WIDTH,
    anchor_style,
    minimum_style,
    start_style,
)

Style = dict[str, Any]  # keywords of Axes.plot
MOST_NAMED = 2  # marks of what methods looked at


class LegendEntry(NamedTuple):
    """A mark of the key: its label and its style.

    {} in a label stands for the largest distance of a path from the plane. half_length is half the
    length of a line's sample, in points; sample is the room for it, 0 for a label alone.
    """

    label: str
    style: Callable[[Theme], Style] = lambda theme: {"linestyle": "none"}
    half_length: float = 0.0
    sample: float = 14.0


def _muted(marker: str, **more: Any) -> Callable[[Theme], Style]:
    """Return the style of a marker in the theme's muted colour."""
    return lambda theme: {"color": theme.muted, "marker": marker, "linestyle": "none", **more}


@cache
def start_entry(start: int, point: tuple[float, ...]) -> LegendEntry:
    """Return the mark of all paths from one of several starts, which share a line style.

    A start of many coordinates, whose point is (), has a number.
    """
    said = ", ".join(f"{each:.3g}" for each in point).replace("-", "\N{MINUS SIGN}")
    said = said or f"start {start + 1}"

    def style(theme: Theme) -> Style:
        return {"color": theme.muted, "linewidth": LINE_WIDTH, "linestyle": DASHES[start]}

    return LegendEntry(f"from {said}", style, half_length=11.0, sample=27.0)


def start_entries(scene: RunScene) -> list[LegendEntry]:
    """Return the marks of several starts, as long as every one has a line style of its own."""
    starts = scene.common_starts.tolist()
    if not 1 < len(starts) <= len(DASHES):
        return []
    projected = any(path.distances is not None for path in scene.trajectories)
    return [
        start_entry(number, () if projected else tuple(point))
        for number, point in enumerate(starts)
    ]


def sketch_entries(scene: RunScene) -> list[LegendEntry]:
    """Return the marks of what methods looked at that need words most, of which there may be none.

    One that is a dot stands for points, others for lines.
    """
    seen = {
        (shape.role, isinstance(shape, Points))
        for path in scene.compared
        for sketch in path.sketches
        for shape in sketch
        if is_finite(shape)
    }
    wanted = ((role, not entry.half_length) for role, entry in SKETCH_ENTRIES.items())
    return [SKETCH_ENTRIES[role] for role, dots in wanted if (role, dots) in seen][:MOST_NAMED]


def surface_entries(scene: RunScene, eigenvectors: bool = False) -> list[LegendEntry]:
    """Return the marks on the surface of a scene, perhaps with those of eigenvectors."""
    known = (SURFACE_ENTRIES[name] for name in scene.legend_entries)
    bends = [BENDS] if eigenvectors and curve_down(scene) else []
    return [*known, *sketch_entries(scene), *bends, *start_entries(scene)]


def slope_entries(constrained: bool) -> list[LegendEntry]:
    """Return the marks of gradients at the heads of paths."""
    return [DOWNHILL, *([OUTWARD] if constrained else [])]


GRADIENT = LegendEntry(
    "gradient", lambda theme: {"color": theme.muted, "linewidth": 1.4}, half_length=4.0
)
REACHED = LegendEntry(
    "minimum",
    lambda theme: (
        minimum_style(theme) | {"markersize": 10.0, "color": theme.areas[0], "markeredgewidth": 0.0}
    ),
)
HIDDEN = LegendEntry(
    "hidden",
    lambda theme: {
        "color": theme.muted, "linewidth": HIDDEN_WIDTH, "linestyle": HIDDEN_DASH,
        "dash_capstyle": "round",
    },
    half_length=9.0,
    sample=23.0,
)  # fmt: skip
BENDS = LegendEntry(
    "curves down",
    lambda theme: {"color": theme.ink, "linewidth": WIDTH, "linestyle": DASH},
    half_length=9.0,
    sample=23.0,
)
DOWNHILL = LegendEntry(
    "\N{MINUS SIGN}\N{NABLA}f",
    lambda theme: {"color": theme.muted, "linewidth": gradients.WIDTH},
    half_length=9.0,
    sample=23.0,
)
OUTWARD = LegendEntry(
    "\N{NABLA}g",
    lambda theme: {
        "color": theme.ink, "linewidth": gradients.WIDTH, "linestyle": gradients.DASH,
    },
    half_length=9.0,
    sample=23.0,
)  # fmt: skip
SOONER = LegendEntry("brighter: sooner", sample=0.0)
NOWHERE = LegendEntry("none", _muted("s", alpha=0.35))


def _thin(theme: Theme) -> Style:
    """Return the style of a thin line, such as an isoline of a model or the edge of a region."""
    return {"color": theme.muted, "linewidth": 1.2}


def _hollow(theme: Theme, marker: str) -> Style:
    """Return the style of a marker of which only the edge is drawn."""
    return _muted(marker, markersize=5.0, markeredgewidth=1.2)(theme) | {
        "markerfacecolor": theme.casing,
        "markeredgecolor": theme.muted,
    }


SKETCH_ENTRIES: dict[Role, LegendEntry] = {  # the one that needs words most first
    "average": LegendEntry(
        "average", lambda theme: {"color": theme.ink, "linewidth": LINE_WIDTH}, half_length=5.0
    ),
    "central-flow": LegendEntry(
        "central flow", lambda theme: {"color": theme.ink, "linewidth": 2.0}, half_length=5.0
    ),
    "central-path": LegendEntry(
        "central path",
        lambda theme: {"color": theme.ink, "linewidth": LINE_WIDTH},
        half_length=5.0,
    ),
    "sample": LegendEntry("sample", _muted("o", markersize=3.6)),
    "next": LegendEntry("next", lambda theme: _hollow(theme, "D")),
    "spread": LegendEntry("noise ball", _thin, half_length=5.0),
    "ball": LegendEntry("norm ball", _thin, half_length=5.0),
    "bound": LegendEntry("quadratic model", _thin, half_length=5.0),
    "gradient-flow": LegendEntry("gradient flow", _thin, half_length=5.0),
    "region": LegendEntry("reach", _thin, half_length=5.0),
    "model": LegendEntry("model", _thin, half_length=5.0),
    "population": LegendEntry("population", _muted("o", markersize=5.2)),
    "tried": LegendEntry("looked at", lambda theme: _hollow(theme, "o")),
    "iterate": LegendEntry("iterate", _thin, half_length=5.0),
    "gradient-point": LegendEntry(
        "gradient point",
        lambda theme: {"color": theme.ink, "linewidth": 1.2},
        half_length=5.0,
    ),
    "masked": LegendEntry("left out", _muted("x", markersize=6.0, markeredgewidth=1.6)),
}
SURFACE_ENTRIES = {  # by the names in a scene's legend_entries
    "start": LegendEntry(
        "start", lambda theme: start_style(theme) | {"markersize": 8.0, "markeredgewidth": 1.5}
    ),
    "minimum": LegendEntry(
        "minimum", lambda theme: minimum_style(theme) | {"markersize": 12.0, "markeredgewidth": 0.8}
    ),
    "checkpoint": LegendEntry("checkpoint", anchor_style),
    "away": LegendEntry("out of view", _muted(">")),
    "beside": LegendEntry("up to {} off the line", sample=0.0),
    "distance": LegendEntry("up to {} off the plane", _muted("o", alpha=0.5)),
}
