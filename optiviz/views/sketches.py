"""What methods looked at, drawn along their paths: strong at the present step, then ever fainter.

A shape becomes vertices of lines and dots, and its role says how these look. Nothing here knows a
method.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex, to_rgb, to_rgba
from matplotlib.lines import Line2D
from matplotlib.patheffects import AbstractPathEffect, Normal, Stroke
from numpy.typing import NDArray

from optiviz.descent.trajectory import Trajectory
from optiviz.objective import Array
from optiviz.shapes import (
    Ellipse,
    Points,
    Polygon,
    QuadraticModel,
    Role,
    Segment,
    Shape,
    Sketch,
    is_finite,
    outline,
    unit_vectors,
)
from optiviz.themes import Theme
from optiviz.views.paths import MINIMUM_ZORDER, PATH_ZORDER, PathStyle

ALWAYS = 1_000_000  # steps, which no path has more of
BENEATH, ABOVE = PATH_ZORDER - 0.5, MINIMUM_ZORDER - 2  # zorders: of paths, and of their lines
CASING, CASING_OPACITY = 0.8, 0.8  # points on each side of a line of the present step
ISOLINES = (1 / 3, 2 / 3, 1.0)  # distances of a model's isolines, the last through its point
SADDLE = 1.6  # such a distance up to which the isolines of a saddle are drawn
SAMPLES = 241  # of a parabola
FADING = 12  # steps up to which each earlier one is fainter than the next
FAR = 1000.0  # windows beyond which nothing is drawn
THIN = {"+": 1.2, "x": 1.6}  # widths of lines, in points, of markers without a face
MOST = 4000  # vertices of a straight line on a curved surface


class Look(NamedTuple):
    """How shapes of a role look.

    width is that of lines and dot the size of dots, both in points; before is the opacity of those
    of the step before, and of the earlier ones, of which `lines` and `dots` are still seen, each is
    fainter than the next unless they are many. fill is the opacity of what a closed line encloses.
    What grows looks the same in all of these, beyond the trail too. Dots that are above, and lines
    that are over, are not hidden by the path, and what is dark is so much closer to the colour of
    text than the path.
    """

    width: float
    dot: float
    before: float = 0.0
    lines: int = ALWAYS
    dots: int = ALWAYS
    fill: float = 0.0
    marker: str = "o"
    hollow: bool = False
    grows: bool = False
    above: bool = False
    over: bool = False
    dark: float = 0.0


LOOKS: dict[Role, Look] = {
    "tried": Look(1.1, 4.8, 0.6, 5, 5, hollow=True, above=True),
    "accepted": Look(1.5, 5.0, 0.6, 5, 5, above=True),
    "region": Look(1.3, 3.5, 0.45, 3, 3, fill=0.08),
    "model": Look(1.0, 6.0, 0.2, 1, 0, marker="+", above=True),
    "population": Look(1.5, 5.2, 0.6, 6, 1, fill=0.12, above=True, over=True),
    "sample": Look(1.0, 3.6, grows=True, above=True),
    "average": Look(1.8, 4.4, dots=0, grows=True, above=True, over=True, dark=0.6),
    "spread": Look(1.6, 3.5, grows=True, above=True, over=True, dark=0.4),
    "ball": Look(1.5, 3.5, 0.4, 1, 1, fill=0.12),
    "bound": Look(1.6, 7.0, 0.3, 1, 0, marker="+", above=True),
    "iterate": Look(1.1, 4.6, 0.75, dots=0, hollow=True, above=True),
    "gradient-point": Look(1.1, 7.0, 0.75, dots=0, marker="+", above=True, over=True, dark=0.6),
    "next": Look(1.3, 7.2, dots=0, lines=0, marker="D", hollow=True, above=True),
    "gradient-flow": Look(1.0, 3.5, dots=0, grows=True, above=True, over=True, dark=0.75),
    "central-flow": Look(2.4, 4.4, dots=0, grows=True, above=True, over=True, dark=0.75),
    "oscillation": Look(1.6, 3.5, fill=0.15, lines=0, above=True, over=True, dark=0.75),
    "masked": Look(1.7, 6.0, 0.4, 3, 3, marker="x", above=True, over=True, dark=0.5),
    "central-path": Look(1.8, 4.4, grows=True, above=True, over=True, dark=0.6),
}


class Strip(NamedTuple):
    """The vertices of all steps of a path, one after another.

    vertices has shape (m, k), with nan between lines, and begins, shape (steps + 1,), are where
    those of each step begin; the last is where they end.
    """

    vertices: Array
    begins: NDArray[np.intp]

    def of(self, first: int, end: int) -> Array:
        """Return the vertices of steps from `first` up to but not including `end`."""
        return self.vertices[self.begins[first] : self.begins[end]]


class Kind(NamedTuple):
    """What is drawn alike: a role, lines or dots, whether closed, whether they have heights."""

    role: Role
    dots: bool = False
    closed: bool = False
    has_height: bool = False


Move = Callable[[Array], Array]  # of vertices, one for one


def _unmoved(vertices: Array) -> Array:
    return vertices


class SketchArtist:
    """What a method looked at along its path, in the colour of the path.

    window are the intervals of the coordinates. lift puts vertices on the curve or the surface,
    which lines follow if they have vertices a `spacing` of the window apart; a parabola in one
    dimension has heights already. In each step, `project` turns those that are drawn into places in
    the units of the axes. scale is that of the width of lines which follow something.
    """

    def __init__(
        self,
        axes: Axes,
        path: Trajectory,
        style: PathStyle,
        theme: Theme,
        window: Sequence[tuple[float, float]],
        trail: int | None = None,
        lift: Move = _unmoved,
        spacing: float | None = None,
        scale: float = 1.0,
    ) -> None:
        self.project: Move = _unmoved
        self.last, self.trail = path.last, trail
        strips = traced(path.sketches[: path.last + 1], window)
        lifted = {}
        for kind, strip in strips.items():
            if spacing is not None and not (kind.dots or kind.has_height):
                strip = along(strip, window, spacing)
            lifted[kind] = (
                strip if kind.has_height else strip._replace(vertices=lift(strip.vertices))
            )
        self.lines: list[tuple[LineCollection, list[tuple[Look, Strip]]]] = []
        self.dots: list[tuple[list[Line2D], Look, Strip]] = []
        for above in (False, True):
            drawn = [
                (kind, strip)
                for kind, strip in lifted.items()
                if not kind.dots and LOOKS[kind.role].over == above
            ]
            if drawn:
                strokes = _strokes(axes, [kind for kind, _ in drawn], style.color, theme, scale)
                strokes.set_zorder(ABOVE - 1 if above else BENEATH)
                self.lines.append((strokes, [(LOOKS[kind.role], strip) for kind, strip in drawn]))
        for kind, strip in lifted.items():
            if kind.dots:
                look = LOOKS[kind.role]
                self.dots.append((_marks(axes, look, style.color, theme), look, strip))
        self.artists: list[Artist] = [
            *(strokes for strokes, _ in self.lines),
            *(mark for marks, *_ in self.dots for mark in marks),
        ]

    def update(self, step: int) -> list[Artist]:
        """Move to a step and return the artists that move."""
        now = min(step, self.last)
        for strokes, lines in self.lines:
            segments = []
            for look, strip in lines:
                *before, here = self._tiers(strip, look, look.lines, now)
                segments += [*before, here, here]
            strokes.set_segments(segments)
        for marks, look, strip in self.dots:
            tiers = self._tiers(strip, look, look.dots, now)
            for mark, places in zip(marks, tiers, strict=True):
                mark.set_visible(bool(len(places)))
                mark.set_data(*places.T)
        return self.artists

    def _tiers(self, strip: Strip, look: Look, kept: int, now: int) -> list[Array]:
        """Return the places of the earlier steps that may be seen, the oldest first, and of now."""
        if look.grows:
            return [self.project(strip.of(max(now - kept, 0), now + 1))]
        first = max(now - min(kept, ALWAYS if self.trail is None else self.trail), 0)
        if kept > FADING:
            return [self.project(strip.of(first, now)), self.project(strip.of(now, now + 1))]
        steps = (max(now - age, first - 1) for age in range(kept, 0, -1))
        earlier = [strip.of(step, step + 1) if step >= first else strip.of(0, 0) for step in steps]
        return [self.project(each) for each in [*earlier, strip.of(now, now + 1)]]


def opacities(look: Look, kept: int) -> list[float]:
    """Return the opacity of each of the earlier steps that are still seen, the oldest first.

    If they are many, it is one of all.
    """
    if kept > FADING:
        return [look.before]
    return [look.before * (kept + 1 - age) / kept for age in range(kept, 0, -1)]


def _strokes(
    axes: Axes, kinds: Sequence[Kind], color: str, theme: Theme, scale: float
) -> LineCollection:
    """Add lines: for each kind those of each earlier step, the casing of the present, and these.

    Those of a step are one line with gaps, so that where it crosses itself it is no darker.
    """
    colors, widths, fills = [], [], []
    for kind in kinds:
        look = LOOKS[kind.role]
        own = darkened(color, look, theme)
        faint = [] if look.grows else opacities(look, look.lines)
        colors += [*(to_rgba(own, each) for each in faint), to_rgba(theme.casing, CASING_OPACITY)]
        colors.append(to_rgba(own))
        width = look.width * (1.0 if kind.has_height else scale)
        widths += [*[width] * len(faint), width + 2 * CASING, width]
        fills += [to_rgba(own, 0.0)] * (len(faint) + 1) + [to_rgba(own, look.fill * kind.closed)]
    drawn = LineCollection(
        [], colors=colors, linewidths=widths, facecolors=fills, capstyle="round", joinstyle="round"
    )
    axes.add_collection(drawn, autolim=False)
    return drawn


def darkened(color: str, look: Look, theme: Theme) -> str:
    """Return the colour of a path, or one closer to that of text, for shapes beside it."""
    mixed = look.dark * np.array(to_rgb(theme.ink)) + (1 - look.dark) * np.array(to_rgb(color))
    return to_hex((mixed[0], mixed[1], mixed[2]))


def casing_of(look: Look, theme: Theme) -> list[AbstractPathEffect]:
    """Return what gives a line of a chart the casing that it has beside the path."""
    width, color = look.width + 2 * CASING, to_rgba(theme.casing, CASING_OPACITY)
    return [Stroke(linewidth=width, foreground=color), Normal()]


def _marks(axes: Axes, look: Look, color: str, theme: Theme) -> list[Line2D]:
    """Add the dots of each earlier step that is still seen, and of the present one."""
    color, crossed = darkened(color, look, theme), look.marker in THIN
    style: dict[str, Any] = {
        "linestyle": "none", "marker": look.marker, "color": color, "markersize": look.dot,
        "markerfacecolor": theme.casing if look.hollow else color,
        "markeredgecolor": color if look.hollow or crossed else theme.casing,
        "markeredgewidth": THIN.get(look.marker, 1.2 if look.hollow else 0.6),
    }  # fmt: skip
    lined = look.hollow or crossed
    faint = style | {"markeredgewidth": 1.0 if lined else 0.0, "zorder": BENEATH}
    tiers = [] if look.grows else [faint | {"alpha": a} for a in opacities(look, look.dots)]
    tiers.append(style | {"zorder": ABOVE if look.above else BENEATH + 0.1})
    return [axes.plot([], [], **each)[0] for each in tiers]


def traced(sketches: Sequence[Sketch], window: Sequence[tuple[float, float]]) -> dict[Kind, Strip]:
    """Return the vertices of the shapes of all steps, by how they are drawn."""
    pieces: dict[Kind, list[Array]] = {}
    counts: dict[Kind, NDArray[np.intp]] = {}
    for step, sketch in enumerate(sketches):
        for shape in sketch:
            if not is_finite(shape):
                continue
            for kind, vertices in _parts_of(shape, window):
                gap = np.full((0 if kind.dots else 1, vertices.shape[1]), np.nan)
                pieces.setdefault(kind, []).extend([vertices, gap])
                many = counts.setdefault(kind, np.zeros(len(sketches), int))
                many[step] += len(vertices) + len(gap)
    return {
        kind: Strip(
            _near(np.concatenate(found), window), np.concatenate([[0], np.cumsum(counts[kind])])
        )
        for kind, found in pieces.items()
    }


def _near(vertices: Array, window: Sequence[tuple[float, float]]) -> Array:
    """Return vertices without those that are so far away that they could not be drawn."""
    low, high = np.transpose(window)
    dim = len(low)
    reach = FAR * (high - low)
    beyond = (vertices[:, :dim] < low - reach) | (vertices[:, :dim] > high + reach)
    vertices[beyond.any(axis=1)] = np.nan
    return vertices


def _parts_of(shape: Shape, window: Sequence[tuple[float, float]]) -> list[tuple[Kind, Array]]:
    """Return the lines and the dots of a finite shape."""
    role = shape.role
    if isinstance(shape, Points):
        return [(Kind(role, dots=True), np.array(shape.points, float))]
    if isinstance(shape, Segment):
        return [(Kind(role), np.array(shape.points, float))]
    if isinstance(shape, Polygon):
        corners = np.array(shape.points, float)
        return [(Kind(role, closed=True), np.concatenate([corners, corners[:1]]))]
    if isinstance(shape, QuadraticModel):
        return _parabola(shape, window[0]) if len(window) == 1 else _isolines(shape)
    assert isinstance(shape, Ellipse)
    ring = outline(shape.center, shape.matrix)
    if len(window) == 1:
        return [(Kind(role), ring), (Kind(role, dots=True), ring)]
    return [(Kind(role, closed=True), ring)]


def _parabola(model: QuadraticModel, window: tuple[float, float]) -> list[tuple[Kind, Array]]:
    """Return a model in one dimension: its parabola in the window, and the minimum of it."""
    x = np.linspace(*window, SAMPLES)[:, None]
    found = [(Kind(model.role, has_height=True), np.column_stack([x, model.at(x)]))]
    bend = float(np.reshape(model.hessian, ()))
    if bend > 0:
        lowest = np.reshape(model.point - model.gradient / bend, (1, 1))
        place = np.column_stack([lowest, model.at(lowest)])
        found.append((Kind(model.role, dots=True, has_height=True), place))
    return found


def _isolines(model: QuadraticModel) -> list[tuple[Kind, Array]]:
    """Return a model in two dimensions: isolines about where it is flat, and its minimum.

    With z the coordinates along the eigenvectors of the Hessian, whose eigenvalues are k, isolines
    are |k1| z1**2 +- |k2| z2**2 = constant: ellipses, or the hyperbolas of a saddle. The outermost
    ellipse leads through the point of the model.
    """
    bends, directions = np.linalg.eigh(model.hessian)
    sides = np.sqrt(np.abs(bends))
    with np.errstate(all="ignore"):
        flat = model.point - directions @ (directions.T @ model.gradient / bends)
        apart = float(np.hypot(*(directions.T @ (model.point - flat) * sides)))
        circle = unit_vectors(2)
        share = (circle**2) @ np.sign(bends)
        away = 1 / np.sqrt(np.abs(share))[:, None]  # from where it is flat, on a line of distance 1
        unit = circle * away / sides @ directions.T
        lines = []
        for distance in ISOLINES:
            seen = away * distance <= SADDLE
            lines += [flat + np.where(seen, apart * distance * unit, np.nan), [[np.nan] * 2]]
    if not np.isfinite(flat).all() or not apart:
        return []
    found = [(Kind(model.role), np.concatenate(lines[:-1]))]
    if (bends > 0).all():
        found.append((Kind(model.role, dots=True), flat[None]))
    return found


def along(strip: Strip, window: Sequence[tuple[float, float]], spacing: float) -> Strip:
    """Return lines with vertices at most `spacing` sides of the window apart, where they are in it.

    Thus they can follow a curve or a surface.
    """
    low, high = np.transpose(window)
    way = np.diff(strip.vertices, axis=0, append=np.nan)
    ends = np.stack([strip.vertices, strip.vertices + way])
    outside = ((ends < low).all(axis=0) | (ends > high).all(axis=0)).any(axis=1)
    with np.errstate(invalid="ignore"):
        long = (np.abs(way) / (high - low)).max(axis=1) / spacing
    long[outside | ~np.isfinite(long)] = 0.0
    many = np.clip(np.ceil(long), 1, MOST).astype(int)
    ends_at = np.concatenate([[0], np.cumsum(many)])
    of = np.repeat(np.arange(len(many)), many)
    share = (np.arange(ends_at[-1]) - ends_at[of]) / many[of]
    vertices = strip.vertices[of].copy()
    within = share > 0
    vertices[within] += share[within, None] * way[of[within]]
    return Strip(vertices, ends_at[strip.begins])
