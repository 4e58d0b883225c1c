"""The state view: velocity, accumulated squares and effective step against the step."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from optiviz.descent.trajectory import Trajectory
from optiviz.kinds.run_scene import RunScene
from optiviz.kinds.style import Style
from optiviz.objective import Array
from optiviz.system.errors import InputError
from optiviz.themes import Theme
from optiviz.views import BoxConstraints, View
from optiviz.views.axes import (
    constraints_beside,
    set_heading,
    set_step_limits,
    stacked,
    style_chart,
)
from optiviz.views.legend_entries import LegendEntry
from optiviz.views.paths import LINE_WIDTH, PathArtist, path_style
from optiviz.views.scales import Scale

# Names of state fields, of built-in optimizers, torch and optax; the first one that exists is used.
VELOCITY = ("velocity", "mean", "momentum_buffer", "exp_avg", "trace", "mu")
SQUARES = (
    *("accumulator", "largest", "square"),
    *("max_exp_avg_sq", "exp_avg_sq", "square_avg", "sum", "nu_max", "nu", "sum_of_squares"),
)
SECOND = 0.5  # width and opacity of the second coordinate's line, relative to the first
MAX_OTHERS = 2  # strips for quantities that only some optimizers have


def recorded(names: Sequence[str]) -> Callable[[Trajectory], Array | None]:
    """Return a function that reads the first of these fields from the recorded states.

    The function returns an array of shape (rows, dim), or None if there is no such field.
    """

    def read(path: Trajectory) -> Array | None:
        kept = (path.states.get(name) for name in names)
        return next((each for each in kept if each is not None and each.ndim == 2), None)

    return read


def effective_step(path: Trajectory) -> Array | None:
    """Return the distance each coordinate moved per step, shape (steps + 1, dim); nan at step 0.

    None if the points of some steps are not known.
    """
    if len(path.points) <= path.steps:
        return None
    moved = np.abs(np.diff(path.points, axis=0))
    return np.concatenate([np.full((1, path.points.shape[1]), np.nan), moved])


class Strip(NamedTuple):
    """One quantity: its name, and a function that reads its values from a path."""

    name: str
    read: Callable[[Trajectory], Array | None]


STRIPS = (
    Strip("velocity", recorded(VELOCITY)),
    Strip("accumulated squares", recorded(SQUARES)),
    Strip("effective step", effective_step),
)


class StateView(View):
    """The recorded states of each path, one strip per quantity that any of the paths has.

    Velocity is the running sum or mean of gradients that the optimizer keeps. Accumulated squares
    are the sum, mean or maximum of squared gradients, under its square root. The effective step is
    the distance actually moved (Kingma and Ba, Adam, 2015, section 2.1). An optimizer that keeps
    neither velocity nor squares shows what else it keeps, under the name of the field. Each
    coordinate has a line of its own: a strong one for x, a thin one for y.
    """

    accompanies = True
    scene: RunScene

    def __init__(self, scene: RunScene, theme: Theme, style: Style) -> None:
        super().__init__(scene, theme, style)
        self.strips: list[tuple[Strip, Scale]] = []
        for strip in STRIPS:
            read = [strip.read(path) for path in scene.compared]
            values = [each.ravel() for each in read if each is not None]
            if values:
                self.strips.append((strip, Scale.for_values(np.concatenate(values))))
        self.strips[-1:-1] = [
            (Strip(name, recorded([name])), Scale.for_values(np.concatenate(values)))
            for name, values in self._others().items()
        ]
        if not self.strips:
            raise InputError("state: every step must be known, but these paths have only some")

    def _others(self) -> dict[str, list[Array]]:
        """Return, by name, the recorded values of paths that have neither velocity nor squares."""
        others: dict[str, list[Array]] = {}
        for path in self.scene.compared:
            vectors = {
                name: each.ravel()
                for name, each in path.states.items()
                if each.shape == path.points.shape
            }
            if not vectors.keys() & {*VELOCITY, *SQUARES}:
                for name in list(vectors)[:MAX_OTHERS]:
                    others.setdefault(name, []).append(vectors[name])
        return dict(list(others.items())[:MAX_OTHERS])

    @property
    def legend_entries(self) -> Sequence[LegendEntry]:
        names = self.scene.surface.axis_symbols
        said = " strong, ".join(names) + " thin"
        return (LegendEntry(said, sample=0.0),) if len(names) > 1 else ()

    @property
    def constraints(self) -> BoxConstraints:
        labels = [said for _, scale in self.strips for said in scale.ticks()[1]]
        many = len(self.strips)
        return constraints_beside(labels, named=True)._replace(weight=many, strips=many)

    def build(self, axes: Axes) -> None:
        panels = stacked(axes, [1.0] * len(self.strips))
        for panel, (strip, scale) in zip(panels, self.strips, strict=True):
            style_chart(panel, self.theme)
            scale.apply(panel)
            last = panel is panels[-1]
            set_step_limits(panel, self.scene.steps, self.labelled if last else "y")
            set_heading(panel, self.theme, strip.name)
            self._draw(panel, strip)

    def _draw(self, axes: Axes, strip: Strip) -> None:
        for entry in self.scene.entries:
            for start, path in enumerate(entry.trajectories):
                values = strip.read(path)
                if values is None:
                    continue
                style = path_style(self.theme, entry, start)
                steps = np.arange(path.last + 1)
                for coordinate in range(self.scene.surface.dim):
                    share = SECOND**coordinate
                    vertices = np.column_stack([steps, values[: path.last + 1, coordinate]])
                    self.path_artists.append(
                        PathArtist(
                            axes, vertices, steps, style, self.theme, entry.number,
                            self.style.trail, casing=False, head=coordinate == 0, label=entry.label,
                            linewidth=LINE_WIDTH * share, alpha=0.5 + 0.5 * share,
                        )
                    )  # fmt: skip
