"""The content of a page, as plain values and HTML: surface, paths, texts, tables."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from html import escape
from io import BytesIO
from string import Template
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from optiviz.descent.outcome import outcome
from optiviz.descent.trajectory import Trajectory
from optiviz.kinds.run import Recipe
from optiviz.kinds.run_entries import DescentEntry, RunEntry
from optiviz.kinds.run_scene import SHORT_TRAIL, RunScene
from optiviz.objective import Array
from optiviz.optimizers.lookup import factory_of
from optiviz.recipes.command import arguments_for, drawn_command
from optiviz.rendering.page.basins import basins_told
from optiviz.rendering.page.programs import Programs
from optiviz.rendering.page.relief import relief_told
from optiviz.rendering.page.sets import set_ramps, sets_told
from optiviz.rendering.page.text import (
    ordinal,
    outlines,
    point_text,
    rounded,
    rounded_points,
    short,
)
from optiviz.shapes import Shape, ShapeForm, is_finite
from optiviz.surfaces.notation import terms
from optiviz.system.errors import InputError
from optiviz.system.progress import Progress
from optiviz.themes import Theme
from optiviz.views import eigenvectors, gradients
from optiviz.views.apart import LEAST_RADIUS, NEAR, ROOM
from optiviz.views.contour import ContourView
from optiviz.views.curve import SKETCH_SCALE, CurveView
from optiviz.views.data import EARLIER, FADED, POINTS, DataView
from optiviz.views.data import WIDTH as DATA_WIDTH
from optiviz.views.ground import HELD_CASING, HELD_DASH, HELD_WIDTH
from optiviz.views.legend import number
from optiviz.views.legend_entries import (
    BENDS,
    MOST_NAMED,
    SKETCH_ENTRIES,
    SURFACE_ENTRIES,
    slope_entries,
    start_entries,
)
from optiviz.views.loss import Line, LossView
from optiviz.views.paths import CASING_WIDTH, COMET, DASHES, LINE_WIDTH, MARKERS, REACH
from optiviz.views.ramp import ramp
from optiviz.views.relief import EIGENVECTOR
from optiviz.views.relief_path import THICKER
from optiviz.views.settings import drawing_settings
from optiviz.views.sharpness import DASHED, THIN, SharpnessView, sharpness_line
from optiviz.views.sketches import CASING, CASING_OPACITY, FADING, ISOLINES, LOOKS, SADDLE
from optiviz.views.title import LONGEST

WIDE, DPI = 6.4, 140  # width in inches of the surface's image, fine enough for HiDPI screens
# Ratios of the sides of a plane: up to which scales are equal unless specified, and at all.
MAX_RATIO, LONGEST_RATIO = 4.0, 20.0
MAX_POINTS = 60_000  # of all paths together; beyond it steps are left out
MAX_NUMBERS = 300_000  # of the sketches of all paths together; beyond it, too
CHARTS = {  # and what each shows, as an alternative text
    "loss": "The loss of each path against the step.",
    "state": "The state of each optimizer against the step.",
    "data": "The samples, and the curve of each path among them.",
    "sharpness": "The sharpness along each path, and the limits of stability, against the step.",
}
COMPUTED = "relief", "state", "data"  # what is shown of what a page computes by itself
COLORS = 256  # of the surface's image, most of which has few colours


class Page:
    """The content of the page of a run.

    themes are those of the page by name, the default one first. A page whose programs are `live`
    computes surface and paths by itself; what it cannot compute is in the file. One that is `spare`
    has no relief.
    """

    def __init__(
        self,
        scene: RunScene,
        recipe: Recipe,
        themes: dict[str, Theme],
        programs: Programs,
        progress: Progress | None,
        *,
        spare: bool = False,
    ) -> None:
        self.scene, self.recipe, self.themes, self.progress = scene, recipe, themes, progress
        self.programs, self.is_live, self.spare = programs, not programs.live, spare
        self.theme = next(iter(themes.values()))
        self.ground = "contour" if scene.surface.dim == 2 else "curve"
        self.data: DataView | None = None
        if self.is_live and scene.surface.fit is not None:
            self.data = DataView(scene, self.theme, recipe)
        chart = "loss" if self.data is None else "data"
        views = recipe.view_names or [self.ground, chart]
        self.charts = [name for name in views if name in CHARTS]
        self.pictures = [name for name in views if name not in CHARTS]
        for name in views:
            if name in COMPUTED and not self.is_live:
                raise InputError(
                    f"this page cannot show {name}: it only replays what was descended"
                )
        if recipe.eigenvectors and not self.is_live:
            raise InputError(
                "this page cannot show eigenvectors: it only replays what was descended"
            )
        with drawing_settings():
            self.loss = LossView(scene, self.theme, recipe)
            self.sharpness: SharpnessView | None = None
            if "sharpness" in views:
                self.sharpness = SharpnessView(scene, self.theme, recipe)
        self.sets = sets_told(scene.surface, recipe)
        self.max_points = max(2, MAX_POINTS // len(scene.trajectories))  # of one path
        self.stride = 1
        self.blanks: tuple[str, ...] = ()  # sentences on what is blank in its images

    def payload(self) -> dict[str, Any]:
        """Return the data that the scripts draw, as plain values for JSON."""
        scene, programs, command = self.scene, self.programs, drawn_command(self.recipe)
        return {
            "title": scene.title or scene.surface.title,
            "steps": scene.steps,
            "unit": scene.unit,
            "frames": self.recipe.frame_steps(scene.steps),
            "fps": self.recipe.timeline.fps,
            "trail": self.recipe.trail,
            "smooth": self.recipe.smooth,
            "sketch": self.recipe.sketch is not False,
            "sketches": {
                "all": self.recipe.sketches_all,
                "looks": {role: look._asdict() for role, look in LOOKS.items()},
                "isolines": ISOLINES,
                "saddle": SADDLE,
                "named": [
                    [role, entry.label, not entry.half_length]
                    for role, entry in SKETCH_ENTRIES.items()
                ],
                "trail": SHORT_TRAIL,
                "casing": CASING,
                "fading": FADING,
                "scales": {"curve": SKETCH_SCALE, "relief": THICKER},
                "opacity": CASING_OPACITY,
            },
            "eigenvectors": {
                "longest": eigenvectors.LONGEST,
                "shortest": eigenvectors.SHORTEST,
                "flat": eigenvectors.FLAT,
                "width": eigenvectors.WIDTH,
                "casing": eigenvectors.CASING,
                "dash": eigenvectors.DASH[1],
                "relief": EIGENVECTOR,
            }
            if self.recipe.eigenvectors
            else None,
            "gradients": {
                "down": gradients.DOWN,
                "out": gradients.OUT,
                "barb": gradients.BARB,
                "turn": gradients.TURN,
                "width": gradients.WIDTH,
                "casing": gradients.CASING,
                "dash": gradients.DASH[1],
                "flat": gradients.FLAT,
            }
            if self.recipe.gradients
            else None,
            "comet": COMET,
            "apart": {"near": NEAR, "room": ROOM, "radius": LEAST_RADIUS, "reach": REACH},
            "widths": {"line": LINE_WIDTH, "casing": CASING_WIDTH},
            "markers": MARKERS,
            "dashes": [[] if dash == "-" else dash[1] for dash in DASHES],
            "picture": next(iter(self.pictures), None),  # with which the page begins
            "chart": next(iter(self.charts), None),
            "charts": CHARTS,
            "loss_name": self.loss.names[0],
            "data": None if self.data is None else self._data(self.data),
            "sharpness": None if self.sharpness is None else self._sharpness(self.sharpness),
            "theme": {name: self._look(theme) for name, theme in self.themes.items()},
            "surface": self._surface(),
            "starts": self._starts().tolist(),
            "entries": [
                self._entry(entry, computed)
                for entry, computed in zip(scene.entries, programs.entries, strict=True)
            ],
            "paths": [
                self._path(number, entry, start, path)
                for number, entry in enumerate(scene.entries)
                if programs.entries[number]["method"] is None
                for start, path in enumerate(entry.trajectories)
            ],
            **self.sets,
            "live": programs.live,
            "methods": programs.methods,
            "rates": programs.rates,
            "noise": programs.noise,
            "command": command and [*command.arguments, *self._density()],
            "windowed": command is not None and command.needs_window,
            "presets": programs.presets,
            **self._ground(),
        }

    def _data(self, view: DataView) -> dict[str, Any]:
        """Return the samples of a fit, and how the chart of its curves is drawn."""
        return {
            "x": view.fit.x.tolist(),
            "y": view.fit.y.tolist(),
            "names": view.axis_names,
            "ends": [view.across, view.up],
            "size": view.dot_size,
            "width": DATA_WIDTH,
            "residuals": view.draws_residuals,
            "points": POINTS,
            "earlier": EARLIER,
            "faded": FADED,
        }

    def _sharpness(self, view: SharpnessView) -> dict[str, Any]:
        """Return how the chart of sharpness is drawn, and the limit if it is that of all paths.

        Its tab says what it is, and its name the rest.
        """
        scale, limits = view.scale, view.limits
        said = [view.names[0].replace("sharpness", "").strip(", ")]
        said += [f"dashed: {view.limit_name}"] if limits else []
        return {
            "name": ", ".join(filter(None, said)),
            "axis": [scale.kind, scale.limits, scale.threshold, scale.floor],
            "limit": next((self._over_steps(each.line) for each in limits if not each.path), None),
            "width": THIN,
            "dash": DASHED[1],
        }

    def _measured(self, path: Trajectory) -> dict[str, Any] | None:
        """Return the lines of a path in the chart of sharpness; a limit only if it is its own."""
        if self.sharpness is None:
            return None
        own = (each.line for each in self.sharpness.limits if each.path is path)
        return {
            "line": self._over_steps(sharpness_line(path)),
            "limit": next(map(self._over_steps, own), None),
        }

    def _over_steps(self, line: Array) -> dict[str, Any] | None:
        """Return steps and values of a line, of shape (n, 2), None if there are none."""
        if self.sharpness is None or not len(line):
            return None
        steps, values = line[self._rows(len(line), self.max_points)].T
        return {
            "steps": steps.astype(int).tolist(),
            "values": rounded(values, self.sharpness.scale.limits),
        }

    def _density(self) -> list[str]:
        """Return the option for a density that is drawn because all optimizers are samplers."""
        temperature = self.scene.temperature
        if temperature is None or self.recipe.density is not None:
            return []
        return arguments_for("density", temperature)

    def html_parts(self) -> dict[str, str]:
        """Return the parts of the page's HTML, by their names in page.html."""
        subject = self.scene.title or self.scene.surface.title
        above = "from above, and the paths on it" if self.ground == "contour" else "as a curve"
        return {
            "ground": _GROUND.substitute(
                kind=self.ground,
                label=escape(f"{subject} {above}. {self._ends()}"),
                relief=escape(f"{subject} in relief, and the paths on it."),
                key="".join(self._key()),
                role="tabpanel" if self.is_live and self.ground == "contour" else "group",
            )
            if self.pictures
            else "",
            "loss": _CHARTS.substitute(
                role="tabpanel" if self.is_live or self.sharpness else "group",
                label=escape(CHARTS[self.charts[0]]),
            )
            if self.charts
            else "",
            "legend": "".join(self._row(entry) for entry in self.scene.entries),
            "axes": "".join(f'<th scope="col">{escape(name)}</th>' for name in self._axes()),
            "rows": "".join(self._cells()),
            "skipped": self._skipped(),
            "why": f"<p>{escape(self.programs.live)}</p>" if self.programs.live else "",
        }

    def _skipped(self) -> str:
        """Return notes on the steps that are left out and on what is blank, empty if none are."""
        said = f"Every {ordinal(self.stride)} step is kept, with straight lines between."
        notes = [said] if self.stride > 1 else []
        notes += [f"{blank[0].upper()}{blank[1:]}." for blank in self.blanks]
        return "".join(f"<p>{escape(each)}</p>" for each in notes)

    def heading(self) -> str:
        """Return the heading, which may be the formula alone, or for screen readers only."""
        title = self.scene.title
        if not title:
            return f'<h1 class="unseen">{escape(self.scene.surface.title)}</h1>'
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
                signed = (
                    f'<span class="term">{outlines(term[0])}{outlines(term[1:])}</span>'
                    for term in others
                )
                images = "<wbr>".join([outlines(first), *signed])
        except RecursionError:  # too long or too deeply nested to be typeset
            return f"<code>{escape(said)}</code>"
        words = f'<span class="unseen">{escape(said)}</span>'  # the images are hidden from readers
        return f'<span class="formula">{words}{images}</span>'

    def _axes(self) -> Sequence[str]:
        return self.scene.surface.axis_symbols[: self.scene.surface.dim]

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

    def _look(self, theme: Theme) -> dict[str, Any]:
        """Return the colours of a theme, and what of the style depends on it."""
        values, colors = theme.values(), ramp(theme.ramp)
        values["ramp"] = [to_hex(colors(place)) for place in range(colors.N)]
        values["fill"] = theme.fill if self.recipe.fill is None else self.recipe.fill
        values["labels"] = theme.labels if self.recipe.labels is None else self.recipe.labels
        values["sets"] = set_ramps(self.scene.surface, self.recipe, theme)
        return values | {"dark": theme.is_dark}

    def _surface(self) -> dict[str, Any]:
        """Return what the page has to know of the surface, and how it is drawn."""
        surface, levels = self.scene.surface, self.recipe.levels
        window = surface.window.intervals
        minima = self.scene.in_window(self.scene.minima)
        return {
            "dim": surface.dim,
            "names": [*self._axes()],
            "window": [list(ends) for ends in window],
            "minima": rounded_points(minima, window),
            "held": {
                "level": self.scene.held_level,
                "width": HELD_WIDTH,
                "casing": HELD_CASING,
                "dash": HELD_DASH,
            },
            "levels": levels if isinstance(levels, int | None) else list(levels),
            "own_levels": list(surface.levels),
            "field": self.recipe.field,
            "ground": self.scene.ground,
            "temperature": self.scene.temperature,
            "lowest": None
            if self.is_live or self.ground != "curve" or self.curve.density is None
            else self.curve.density.lowest,
            "ratio": self._ratio if self.ground == "contour" else None,
        }

    def _starts(self) -> Array:
        """Return the starts that the computed paths share, shape (n, dim)."""
        for entry, computed in zip(self.scene.entries, self.programs.entries, strict=True):
            if computed["method"] is not None:
                return np.array([path.start for path in entry.trajectories])
        return self.scene.common_starts

    def _entry(self, entry: RunEntry, computed: dict[str, Any]) -> dict[str, Any]:
        """Return the texts of an entry, and how it is computed."""
        spec = entry.spec if isinstance(entry, DescentEntry) else None
        looks = {} if spec is None else {"label": spec.label, "color": spec.color}
        hyperparameters = entry.hyperparameters
        rate = None if spec is None else hyperparameters.get(factory_of(spec.name).rate)
        return {
            "name": entry.heading,
            "detail": entry.detail,
            "color": entry.color,
            "rate_source": entry.rate_source,
            "look": "".join(f":{key}={said}" for key, said in looks.items() if said),
            "spec": "" if spec is None else str(spec.with_default_rate(rate)),
            "balls": [] if computed["method"] is None else [*map(self._ball, entry.trajectories)],
            **computed,
        }

    def _path(self, number: int, entry: RunEntry, start: int, path: Trajectory) -> dict[str, Any]:
        rows = self._rows(len(path.finite_points), self._room(path))
        steps = path.step_of_row[: len(path.finite_points)][rows]
        near = self.scene.plane_proximity(path)
        drawn, window = self.scene.drawn_points(path), self.scene.surface.window.intervals
        stays = drawn is not path.finite_points
        found = outcome(path, self.scene.surface)
        lines = list(self.loss.lines(path))
        return {
            "entry": number,
            "start": start,
            "last": path.last,
            "steps": steps.tolist(),
            "points": rounded_points(path.finite_points[rows], window),
            "drawn": rounded_points(drawn[rows], window) if stays else None,
            "losses": rounded([path.loss(step) for step in steps], self.loss.scale.limits),
            "near": None if near is None else rounded(near[steps]),
            "evaluations": None if path.evaluations is None else path.evaluations[rows].tolist(),
            **self._sketches(path, rows),
            "slopes": self._slopes(drawn[rows]) if self.recipe.gradients else None,
            "sharpness": self._measured(path),
            **self._heights(path, path.finite_points[rows]),
            "outcome": None if found is None else list(found),
            "lines": None if self.is_live else [self._line(line) for line in lines],
        }

    def _ball(self, path: Trajectory) -> list[Any] | None:
        """Return the form and the numbers of the ball of noise of a path that is computed."""
        first = path.sketches[0] if path.sketches else ()
        balls = (each for each in first if each.role == "spread")
        return next(([ShapeForm.of(each), [*self._numbers(each)]] for each in balls), None)

    def _sketches(self, path: Trajectory, rows: Array) -> dict[str, Any]:
        """Return the sketches of these rows, none if there are none.

        `forms` are all forms of shapes, and each shape is the number of its form, and its numbers.
        """
        forms: list[ShapeForm] = []
        kept = []
        for step in path.step_of_row[rows] if path.sketches else ():
            shapes = [each for each in path.sketches[step] if is_finite(each)]
            forms += [each for each in map(ShapeForm.of, shapes) if each not in forms]
            kept.append(
                [[forms.index(ShapeForm.of(each)), *self._numbers(each)] for each in shapes]
            )
        return {"forms": forms, "sketches": kept} if forms else {}

    def _slopes(self, points: Array) -> list[list[Any]]:
        """Return the gradients to draw at points: down the loss, None if flat, then the others."""

        def kept(ways: Array) -> list[list[float | None]]:
            return [rounded(way) for way in ways if np.isfinite(way).all() and way.any()]

        found = gradients.slopes(self.scene.surface, points)
        return [
            [next(iter(kept(down[None])), None), *kept(out)]
            for down, out in zip(found.down, found.out, strict=True)
        ]

    def _numbers(self, shape: Shape) -> Iterator[float | None]:
        """Yield the numbers of a shape, rounded as those of paths are."""
        window = self.scene.surface.window.intervals
        for name, part in zip(shape._fields[:-1], shape[:-1], strict=True):
            if name in ("points", "center", "point"):
                for point in rounded_points(np.reshape(part, (-1, len(window))), window):
                    yield from point
            else:
                yield from rounded(np.ravel(part))

    def _heights(self, path: Trajectory, points: Array) -> dict[str, Any]:
        """Return the heights of a path on a curve, none where these are its losses."""
        if self.ground != "curve" or (path.distances is None and not self.scene.drifts):
            return {}
        heights = np.interp(points[:, 0], self.curve.x, self.curve.value)
        return {"heights": rounded(heights, self.curve.scale.limits)}

    @cached_property
    def curve(self) -> CurveView:
        """The view of a surface in one dimension."""
        with drawing_settings():
            return CurveView(self.scene, self.theme, self.recipe)

    def _line(self, line: Line) -> dict[str, Any]:
        """Return a line of the loss chart."""
        rows = self._rows(len(line.values), self.max_points)
        return {
            "faint": line.faint,
            "steps": line.steps[rows].tolist(),
            "values": rounded(line.values[rows], self.loss.scale.limits),
        }

    def _room(self, path: Trajectory) -> int:
        """Return how many rows of a path may be kept, so that its sketches are no larger."""
        numbers = sum(np.size(part) for each in path.sketches for shape in each for part in shape)
        most = MAX_NUMBERS // len(self.scene.trajectories)
        return max(2, min(self.max_points, len(path.points) * most // max(numbers, 1)))

    def _rows(self, many: int, most: int) -> Array:
        """Return the indices of at most `most` rows out of `many`, including the last one."""
        stride = -(-many // most)
        self.stride = max(self.stride, stride)
        return np.union1d(np.arange(0, many, stride), [many - 1])

    def _ground(self) -> dict[str, Any]:
        """Return what a page that cannot compute its surface shows of it."""
        scene = self.scene
        if not self.pictures:
            return {}
        if self.is_live:
            if self.ground == "curve":
                return {}
            relief = None
            if not self.spare:
                with drawing_settings():
                    relief = relief_told(scene, self.recipe, self.themes)
            return {"relief": relief, "basins": basins_told()}
        if self.ground == "contour":
            starts = scene.in_window(scene.starts)
            return {
                "images": {name: self._image(theme) for name, theme in self.themes.items()},
                "starts_seen": rounded_points(starts, scene.surface.window.intervals),
            }
        points = np.column_stack([self.curve.x, self.curve.value])
        ends = scene.surface.window.intervals[0], self.curve.scale.limits
        return {"curve": rounded_points(points, ends)}

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
            self.blanks = view.remarks
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

    def _row(self, entry: RunEntry) -> str:
        """Return the row of an entry in the legend, for readers without scripts."""
        (path, *_) = entry.trajectories
        loss = number(path.loss(path.last), 4)
        return (
            f"<li><b>{escape(entry.heading)}</b> "
            f'<span class="detail">{escape(entry.detail)}</span> '
            f'<span class="value">{escape(loss)}</span></li>'
        )

    def _key(self) -> Iterator[str]:
        """Yield the entries of the key, which explains the static marks."""
        names = dict.fromkeys(self.scene.legend_entries)
        if self.is_live:  # the scripts hide it while no path is out of view
            names["away"] = None
        for name in names if self.pictures else ():
            said = SURFACE_ENTRIES[name].label.format(number(self.scene.max_plane_distance, 3))
            yield f'<li class="{name}"><canvas aria-hidden="true"></canvas>{escape(said)}</li>'
        if self.pictures:
            yield from [f'<li class="sketch" hidden>{_MARK}<span></span></li>'] * MOST_NAMED
            if self.recipe.eigenvectors:
                yield f'<li class="bends">{_MARK}{BENDS.label}</li>'
            if self.recipe.gradients:
                marks = slope_entries(self.scene.surface.feasible_set is not None)
                for name, mark in zip(("down", "out"), marks, strict=False):
                    yield f'<li class="slope {name}">{_MARK}{mark.label}</li>'
            for told in self.sets["sets"]:
                label = escape(told["label"])
                yield f'<li class="set" data-look="{told["look"]}">{_MARK}{label}</li>'
        if self.is_live and self.pictures:
            yield from _SCRIPTED_KEY[self.ground]
        for mark in () if self.is_live else start_entries(self.scene):
            yield f'<li class="from"><canvas aria-hidden="true"></canvas>{escape(mark.label)}</li>'

    def _cells(self) -> Iterator[str]:
        """Yield the rows of the table, at the last step."""
        for entry in self.scene.entries:
            for path in entry.trajectories:
                cells = [str(path.last), *map(short, path.end), number(path.loss(path.last), 4)]
                yield (
                    f'<tr><th scope="row">{escape(entry.label)}</th>'
                    + "".join(f"<td>{escape(each)}</td>" for each in cells)
                    + f"<td>{escape(self.scene.outcome(path))}</td></tr>"
                )


# What else the key of a page that computes has: how starts are told apart, and what is drawn.
_MARK = '<canvas aria-hidden="true"></canvas>'
_DASHES = f'<li class="from" hidden>{_MARK}<span></span></li>'
_SCRIPTED_KEY = {
    "contour": (
        _DASHES,
        f'<li class="ramp" hidden><span></span>{_MARK}<span></span></li>',
    ),
    "curve": (
        _DASHES,
        f'<li class="tangent">{_MARK}tangent</li>',
    ),
}
_GROUND = Template(
    """<section class="seen" aria-label="Picture">
<div class="bar"><div id="tabs" role="tablist" aria-label="Views" hidden></div>
<label id="of" hidden>of <select id="basins-of"></select></label>
<label id="sketch" hidden><input type="checkbox"> sketch</label>
</div>
<div class="frame" id="picture" role="$role" aria-label="Picture">
<figure class="ground $kind"><canvas role="img" aria-label="$label"></canvas></figure>
<figure class="relief" hidden>
<canvas role="img" tabindex="0" aria-label="$relief"></canvas>
</figure>
<div id="handles"></div>
<p id="empty" hidden><span></span></p>
<div id="tools" role="group" aria-label="Window and starts" data-live="all" hidden>
<button type="button" id="whole" hidden>Reset view</button>
<button type="button" id="start" title="Add a start">+ start</button>
<button type="button" id="farther" class="small" aria-label="Zoom out" title="Zoom out">−</button>
<button type="button" id="closer" class="small" aria-label="Zoom in" title="Zoom in">+</button>
</div>
</div>
<h2 class="unseen">Marks</h2>
<ul class="key">$key</ul>
</section>"""
)
_CHARTS = Template(
    """<figure class="charts" id="chart" role="$role" aria-label="Chart">
<canvas role="img" aria-label="$label"></canvas></figure>"""
)
