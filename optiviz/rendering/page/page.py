"""The content of a page, as plain values and HTML: panels, texts, tables."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from PIL import Image

from optiviz.descent.trajectory import Trajectory
from optiviz.kinds.run import Recipe
from optiviz.kinds.run_scene import RunEntry, RunScene
from optiviz.objective import Array
from optiviz.rendering.page.text import (
    axis_of,
    ordinal,
    outlines,
    point_text,
    rounded,
    rounded_points,
    short,
)
from optiviz.surfaces.notation import terms
from optiviz.system.errors import InputError
from optiviz.system.progress import Progress
from optiviz.themes import Theme
from optiviz.views.apart import LEAST_RADIUS, NEAR, ROOM
from optiviz.views.contour import ContourView
from optiviz.views.curve import CurveView
from optiviz.views.legend import number
from optiviz.views.legend_entries import SURFACE_ENTRIES, start_entries
from optiviz.views.loss import LossView
from optiviz.views.paths import CASING_WIDTH, COMET, LINE_WIDTH, REACH, path_style
from optiviz.views.scales import Scale
from optiviz.views.settings import drawing_settings
from optiviz.views.ticks import ticks
from optiviz.views.title import LONGEST

WIDE, DPI = 6.4, 140  # width in inches of the surface's image, fine enough for HiDPI screens
# Ratios of the sides of a plane: up to which scales are equal unless specified, and at all.
MAX_RATIO, LONGEST_RATIO = 4.0, 20.0
MAX_POINTS = 60_000  # of all paths together; beyond it steps are left out
COLORS = 256  # of the surface's image, most of which has few colours


class Page:
    """The content of the page of a run.

    themes are those of the page by name, the default one first.
    """

    def __init__(
        self, scene: RunScene, recipe: Recipe, themes: dict[str, Theme], progress: Progress | None
    ) -> None:
        self.scene, self.recipe, self.themes, self.progress = scene, recipe, themes, progress
        self.theme = next(iter(themes.values()))
        ground = "contour" if scene.surface.dim == 2 else "curve"
        self.views = recipe.view.split("+") if recipe.view else [ground, "loss"]
        with drawing_settings():
            self.curve = None if scene.surface.dim == 2 else CurveView(scene, self.theme, recipe)
            self.loss = LossView(scene, self.theme, recipe)
        self.max_points = max(2, MAX_POINTS // len(scene.trajectories))  # of one path
        self.stride = 1

    def payload(self) -> dict[str, Any]:
        """Return the data that the scripts draw, as plain values for JSON."""
        scene = self.scene
        panels = {"contour": self._contour, "curve": self._curve, "loss": self._loss}
        return {
            "steps": scene.steps,
            "frames": self.recipe.frame_steps(scene.steps),
            "fps": self.recipe.timeline.fps,
            "trail": self.recipe.trail,
            "comet": COMET,
            "apart": {"near": NEAR, "room": ROOM, "radius": LEAST_RADIUS, "reach": REACH},
            "widths": {"line": LINE_WIDTH, "casing": CASING_WIDTH},
            "entries": [self._entry(entry) for entry in scene.entries],
            "paths": [
                self._path(number, entry, start, path)
                for number, entry in enumerate(scene.entries)
                for start, path in enumerate(entry.trajectories)
            ],
            "panels": [panels[name]() for name in self.views],
        }

    def html_parts(self) -> dict[str, str]:
        """Return the parts of the page's HTML, by their names in page.html."""
        subject = self.scene.title or self.scene.surface.title
        described = {
            "contour": f"{subject} from above, and the paths on it. {self._ends()}",
            "curve": f"The curve of {subject}, and the points on it. {self._ends()}",
            "loss": "The loss of each path against the step.",
        }
        canvases = {
            name: f'<figure class="{name}"><canvas role="img" aria-label="'
            f'{escape(described[name])}"></canvas></figure>'
            for name in self.views
        }
        grounds = [canvases[name] for name in self.views if name != "loss"]
        return {
            "ground": "".join(grounds),
            "loss": canvases.get("loss", ""),
            "legend": "".join(self._row(entry) for entry in self.scene.entries),
            "key": "".join(self._key()),
            "axes": "".join(f"<th scope=col>{escape(name)}</th>" for name in self._axes()),
            "rows": "".join(self._cells()),
            "skipped": self._skipped(),
        }

    def _skipped(self) -> str:
        """Return a note on the steps that are left out, empty if there are none."""
        said = f"Every {ordinal(self.stride)} step is kept, with straight lines between."
        return f"<p>{said}</p>" if self.stride > 1 else ""

    def heading(self) -> str:
        """Return the heading, which may be the formula alone, or for screen readers only."""
        title = self.scene.title
        if not title:
            return f"<h1 class=unseen>{escape(self.scene.surface.title)}</h1>"
        math = title == self.scene.formula
        return f"<h1>{self._mathematics(title) if math else escape(title)}</h1>"

    def formula(self) -> str:
        """Return the formula, empty if it is the title or there is none."""
        said, title = self.scene.formula, self.scene.title
        return f"<p>{self._mathematics(said)}</p>" if said and title and said != title else ""

    def _mathematics(self, said: str) -> str:
        """Return a formula as images, one per term, so that lines can break between terms."""
        try:
            if len(said) > LONGEST:
                raise RecursionError
            with drawing_settings(), rc_context({"text.parse_math": True}):
                first, *others = terms(said, self.scene.variables)
                # The empty group in front makes the sign a binary operator.
                drawn = [first, *(f"{{}} {term}" for term in others)]
                images = " ".join(map(outlines, drawn))
        except RecursionError:  # too long or too deeply nested to be typeset
            return f"<code>{escape(said)}</code>"
        return f'<span class="formula" role="img" aria-label="{escape(said)}">{images}</span>'

    def _axes(self) -> Sequence[str]:
        return self.scene.surface.axis_names[: self.scene.surface.dim]

    def _ends(self) -> str:
        """Return a sentence on where each path begins and ends."""
        said = []
        for entry in self.scene.entries:
            for path in entry.trajectories:
                begins, ends = (point_text(each) for each in (path.start, path.end))
                loss = number(path.loss(path.last), 4)
                remark = self.scene.outcome(path)
                said.append(
                    f"{entry.heading} goes from {begins} to {ends}, loss {loss}"
                    + (f", {remark}" if remark else "")
                )
        return "; ".join(said) + "."

    def _entry(self, entry: RunEntry) -> dict[str, Any]:
        """Return the style of an entry, and its remarks with the steps at which they begin."""
        scene = self.scene
        look = path_style(self.theme, entry)
        return {
            "hue": entry.number % len(self.theme.paths),
            "color": entry.color,
            "head": look.marker,
            "detail": entry.detail,
            "remarks": [
                [step, scene.status(entry, step), scene.failed(entry, step)]
                for step in scene.changes(entry)
            ],
        }

    def _path(self, number: int, entry: RunEntry, start: int, path: Trajectory) -> dict[str, Any]:
        rows = self._rows(len(path.finite_points))
        steps = path.step_of_row[: len(path.finite_points)][rows]
        near = self.scene.plane_proximity(path)
        drawn, window = self.scene.drawn_points(path), self.scene.surface.window.intervals
        stays = drawn is not path.finite_points
        dash = path_style(self.theme, entry, start).dash
        return {
            "entry": number,
            "layer": self.scene.layers[path],
            "dash": [] if dash == "-" else list(dash[1]),
            "last": path.last,
            "steps": steps.tolist(),
            "points": rounded_points(path.finite_points[rows], window),
            "drawn": rounded_points(drawn[rows], window) if stays else None,
            "losses": rounded([path.loss(step) for step in steps], self.loss.scale.limits),
            "near": None if near is None else rounded(near[steps]),
        }

    def _rows(self, many: int) -> Array:
        """Return the indices of the rows to keep out of `many`, including the last one."""
        stride = -(-many // self.max_points)
        self.stride = max(self.stride, stride)
        return np.union1d(np.arange(0, many, stride), [many - 1])

    def _contour(self) -> dict[str, Any]:
        surface = self.scene.surface
        across, up = surface.window.intervals
        images = {name: self._image(theme) for name, theme in self.themes.items()}
        return {
            "kind": "contour",
            "ratio": self._ratio,
            "x": axis_of(surface.axis_names[0], Scale("linear", across), ticks(*across)),
            "y": axis_of(surface.axis_names[1], Scale("linear", up), ticks(*up)),
            "images": images,
            "starts": rounded_points(self.scene.in_window(self.scene.starts), (across, up)),
            "minima": rounded_points(self.scene.in_window(surface.minima), (across, up)),
        }

    @property
    def _ratio(self) -> float:
        """Width over height of the contour view, as near to a square as its window allows."""
        view = ContourView(self.scene, self.theme, self.recipe)
        wide = view.constraints.ratios
        assert wide is not None
        if not 1 / MAX_RATIO <= wide[0] <= MAX_RATIO:
            view.may_stretch = True
            wide = view.constraints.ratios
            assert wide is not None
        if not 1 / LONGEST_RATIO <= float(np.clip(1.0, *wide)) <= LONGEST_RATIO:
            raise InputError(
                "aspect: equal leaves too little of a panel: choose auto or another domain"
            )
        return float(np.clip(1.0, *wide))

    def _image(self, theme: Theme) -> str:
        """Return the image of the surface in a theme, as a data URL."""
        ground = replace(self.scene, entries=(), siblings=())
        figure = Figure((WIDE, WIDE / self._ratio), dpi=DPI)
        canvas = FigureCanvasAgg(figure)
        with drawing_settings():
            view = ContourView(ground, theme, self.recipe)
            view.progress = self.progress
            axes = figure.add_axes((0, 0, 1, 1))
            view.build(axes)
            for minimum in view.redrawn:  # the scripts draw it above the paths
                minimum.set_visible(False)
            axes.spines[:].set_visible(False)
            axes.tick_params(length=0)
            canvas.draw()
        buffer = BytesIO()
        drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
        image = drawn.quantize(COLORS, dither=Image.Dither.NONE).convert("RGB")
        image.save(buffer, "WEBP", lossless=True, quality=100, method=4)
        return f"data:image/webp;base64,{b64encode(buffer.getvalue()).decode()}"

    def _curve(self) -> dict[str, Any]:
        assert self.curve is not None
        surface = self.scene.surface
        ends = surface.window.intervals[0]
        scale = self.curve.scale
        drawn = {"curve": np.column_stack([self.curve.x, self.curve.value])}
        marked: dict[str, ArrayLike] = {"starts": self.scene.starts, "minima": surface.minima}
        for name, given in marked.items():
            points = self.scene.in_window(given)
            with np.errstate(all="ignore"):
                drawn[name] = np.column_stack([points[:, 0], surface.value(points)])
        return {
            "kind": "curve",
            "ratio": 1.5,
            "x": axis_of(surface.axis_names[0], Scale("linear", ends), ticks(*ends)),
            "y": axis_of("loss", scale, scale.ticks()),
            **{
                name: rounded_points(points, (ends, scale.limits)) for name, points in drawn.items()
            },
        }

    def _loss(self) -> dict[str, Any]:
        last = max(self.scene.steps, 1)
        lines = [
            {
                "path": place,
                "faint": line.faint,
                "steps": line.steps[rows].tolist(),
                "values": rounded(line.values[rows], self.loss.scale.limits),
            }
            for place, path in enumerate(self.scene.trajectories)
            for line in self.loss.lines(path)
            for rows in [self._rows(len(line.values))]
        ]
        return {
            "kind": "loss",
            "ratio": 1.6,
            "x": axis_of("step", Scale("linear", (0, last)), ticks(0, last)),
            "y": axis_of(self.loss.names[0], self.loss.scale, self.loss.scale.ticks()),
            "lines": lines,
        }

    def _row(self, entry: RunEntry) -> str:
        """Return the row of an entry in the legend."""
        return (
            '<li><label><input type="checkbox" checked><canvas class="swatch" aria-hidden="true">'
            f"</canvas><span><b>{escape(entry.heading)}</b> <span class=detail>"
            f'{escape(entry.detail)}</span></span></label><span class="value"></span></li>'
        )

    def _key(self) -> Iterator[str]:
        """Yield the entries of the key, which explains the static marks."""
        for name in self.scene.legend_entries if self.views != ["loss"] else ():
            said = SURFACE_ENTRIES[name].label.format(number(self.scene.max_plane_distance, 3))
            yield f'<li class="{name}"><canvas aria-hidden="true"></canvas>{escape(said)}</li>'
        for mark in start_entries(self.scene):
            yield f'<li class="from"><canvas aria-hidden="true"></canvas>{escape(mark.label)}</li>'

    def _cells(self) -> Iterator[str]:
        """Yield the rows of the table, at the last step."""
        for entry in self.scene.entries:
            for path in entry.trajectories:
                cells = [str(path.last), *map(short, path.end), number(path.loss(path.last), 4)]
                yield (
                    f"<tr><th scope=row>{escape(entry.label)}</th>"
                    + "".join(f"<td>{escape(each)}</td>" for each in cells)
                    + f"<td>{escape(self.scene.outcome(path))}</td></tr>"
                )
