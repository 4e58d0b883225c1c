"""The relief view: a surface in 3-D, with the paths on it and its contour lines on the floor."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property, partial
from math import ceil, floor
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon

from optiviz.kinds.run_scene import RunScene
from optiviz.objective import Array
from optiviz.registry import Aspect, Quality
from optiviz.relief.camera import PERSPECTIVE, Camera
from optiviz.relief.field import Colors
from optiviz.system.errors import InputError
from optiviz.views import BoxConstraints, View
from optiviz.views.apart import set_apart_by_places
from optiviz.views.axes import annotate_empty, figure_of, size_in_inches
from optiviz.views.draped import DRAPE, draped
from optiviz.views.eigenvectors import ALONG, EigenvectorArtist
from optiviz.views.legend_entries import HIDDEN, LegendEntry, surface_entries
from optiviz.views.paths import MINIMUM_ZORDER, anchor_style, minimum_style, path_style, start_style
from optiviz.views.ramp import ramp
from optiviz.views.region import Shading, edge_style, shadings
from optiviz.views.relief_box import APART, HIGH, Axis, ReliefBox
from optiviz.views.relief_path import (
    PALE,
    PATH_SLACK,
    THICKER,
    Frame,
    Photo,
    ReliefPath,
    set_places,
)
from optiviz.views.relief_surface import GRID, TALL, TEXELS, ReliefSurface, joined
from optiviz.views.sampled_surface import SampledSurface
from optiviz.views.sketches import SketchArtist
from optiviz.views.ticks import TICKS, ticks
from optiviz.views.words import Ruler

DEPTH = 0.2  # of the floor beneath the surface; the longer side of the box is 1
EIGENVECTOR = 0.13  # half of the longer line along one, in the same units
TRIED, MOSTLY = 160, 0.97  # pixels of a picture that is tried; share of a path seen as a whole
THINNEST = 0.05  # the least proportion of the sides of a box
MAX_RATIO = 1.8  # of the sides of a window that have the same scale unless specified
NARROWER, WIDER = 0.98, 1.12  # bounds of the panel's proportions, by those of the box in it
TURN = 10.0  # degrees between two cameras for which there must be room
SURFACE, FLOOR, FLOOR_LINES, ISOLINES, EDGES = 1.0, 0.1, 0.2, 1.5, 1.6  # zorders
ISOLINE_WIDTH, FLOOR_WIDTH, RIM_WIDTH, RIM_OPACITY = 0.6, 0.8, 0.8, 0.75
LIGHT, DARK = (0.0, 0.8), (0.35, 1.0)  # shares of the ramp for lines on the floor
TINT = 0.2  # share of the ramp in the colour of the floor
SAMPLES: dict[Quality, int] = {"draft": 1, "standard": 2, "high": 4}  # along a side of a pixel
SLICES = 120, 480  # bounds of the slices; a surface with holes has twice as many
LABELLED = 120.0  # points of the shorter side from which axes have ticks
CORNER = 0.485  # share of a side from its middle within which there are ticks
ROOM = 0.85  # share of a panel's shorter side that is left beside ticks and names
# Pixels by which lines, edges and marks may be behind what hides them.
LINE_SLACK, RIM_SLACK, MARK_SLACK = 0.6, 2.0, 2.0


class ReliefView(View):
    """The surface in relief, seen by a fixed camera, or by one that goes around it."""

    scene: RunScene

    @property
    def aspect(self) -> Aspect:
        """Whether x and y have the same scale."""
        asked = self.style.aspect or self.scene.surface.shown_aspect
        wide, deep = self.extent
        return asked or ("equal" if 1 / MAX_RATIO <= wide / deep <= MAX_RATIO else "auto")

    @property
    def extent(self) -> Array:
        """The sides of the window."""
        return np.diff(self.scene.surface.window.intervals, axis=1)[:, 0]

    @cached_property
    def sides(self) -> tuple[float, float]:
        """The sides of the box, of which the longer one is 1."""
        wide, deep = self.extent / self.extent.max() if self.aspect == "equal" else np.ones(2)
        if min(wide, deep) < THINNEST:
            raise InputError(
                "aspect: equal leaves too little of a panel: choose auto, or another domain"
            )
        return float(wide), float(deep)

    @cached_property
    def surface(self) -> ReliefSurface:
        """The surface in the box."""
        shown = self.scene.surface
        sampled = SampledSurface.sample(
            shown, GRID, self.style.levels, self.progress, self.scene.temperature
        )
        self.remarks = sampled.remarks
        height = self.style.height or ("linear" if sampled.density else None)
        return ReliefSurface(shown, sampled, self.sides, height)

    @cached_property
    def base(self) -> float:
        """The height at which the box begins: that of the floor, if there is one."""
        return 0.0 if self.style.floor is False else -DEPTH

    @cached_property
    def camera(self) -> Camera:
        """The camera at the first step, not yet fitted to the picture."""
        if self.style.camera is not None:
            return Camera(*self.style.camera)
        paths = [self.scene.drawn_points(path) for path in self.scene.compared]
        minima = self.scene.in_window(self.scene.minima)
        return self.surface.best_camera(paths, minima, self.style.orbit)

    @property
    def turns(self) -> list[float]:
        """The angles by which the camera turns, close enough that all others fit, too."""
        last = float(np.clip(self.style.orbit, -360, 360))
        return [float(each) for each in np.linspace(0, last, 1 + ceil(abs(last) / TURN))]

    @property
    def corners(self) -> Array:
        """The corners of the box, shape (8, 3)."""
        across, up = (np.array([-1, 1]) * side / 2 for side in self.sides)
        return np.stack(np.meshgrid(across, up, [self.base, TALL]), axis=-1).reshape(-1, 3)

    @property
    def constraints(self) -> BoxConstraints:
        seen = [self.camera.turned(each).places(self.corners) for each in self.turns]
        width, height = np.ptp(np.concatenate(seen), axis=0)
        ratio = float(width / height)
        return BoxConstraints(0.0, 0.0, (NARROWER * ratio, WIDER * ratio))

    @property
    def legend_entries(self) -> Sequence[LegendEntry]:
        sets = (each.mark for each in self.shadings)
        return [
            *surface_entries(self.scene, self.style.eigenvectors),
            *sets,
            *[HIDDEN] * self.hides,
        ]

    @cached_property
    def shadings(self) -> list[Shading]:
        """The sets that are shaded."""
        return shadings(self.scene.surface, self.style)

    @cached_property
    def hides(self) -> bool:
        """Whether a hill hides a part of a path, as far as is known before it is drawn."""
        paths = [
            self.surface.in_world(self.scene.drawn_points(path)) for path in self.scene.trajectories
        ]
        paths = [path[np.isfinite(path).all(axis=1)] for path in paths]
        box = 0.0, 0.0, float(TRIED), float(TRIED)
        for turn in self.turns if paths else ():
            camera = self.camera.turned(turn).fitted(self.corners, box)
            shot = self.surface.field.shot(camera, (TRIED, TRIED), 1, TRIED // 2)
            if any(len(path) and shot.seen(path, PATH_SLACK).mean() < MOSTLY for path in paths):
                return True
        return False

    def build(self, axes: Axes) -> None:
        self.axes = axes
        wide, high = (72 * side for side in size_in_inches(axes))
        axes.set(xlim=(0, wide), ylim=(0, high), xticks=[], yticks=[], facecolor="none")
        axes.set_autoscale_on(False)
        axes.spines[:].set_visible(False)
        if not self.surface.sampled.values.count():
            annotate_empty(axes, self.theme)
        self.box = ReliefBox(
            axes, self.theme, Ruler(figure_of(axes)), self.sides, (self.base, TALL),
            self._labels(min(wide, high)), fades=bool(self.style.orbit),
        )  # fmt: skip
        left, bottom, right, top = self.box.margins()
        region = left, bottom, wide - left - right, high - bottom - top
        self.camera = self.camera.fitted(self.corners, region, self.turns)
        self.still: list[Artist] = []  # what a fixed camera sees beside the paths
        self.image = SurfaceImage(self)
        axes.add_artist(self.image)
        self._add_lines()
        self._add_marks()
        self._add_paths()
        self._look(0)

    def _labels(self, side: float) -> list[Axis]:
        """Return the ticks and the names of the three axes; side is the panel's in points.

        A small panel has neither, unless the name of the upright axis tells how values became
        heights.
        """
        heights, scale = self.surface.heights, self.surface.sampled.scale
        names = heights.name(self.scene.ground, scale)
        if side < LABELLED:
            told = names if names != self.scene.ground else ""
            return [Axis(np.zeros(0), (), name) for name in ("", "", told)]
        found = []
        for (low, high), length, name in zip(
            self.scene.surface.window.intervals,
            self.sides,
            self.scene.surface.axis_symbols,
            strict=True,
        ):
            places, said = ticks(low, high, TICKS)
            along = ((np.array(places) - low) / (high - low) - 0.5) * length
            kept = np.abs(along) < CORNER * length
            shown = [each for each, inside in zip(said, kept, strict=True) if inside]
            found.append(Axis(along[kept], shown, name))
        # Where the upright axis is farthest away, in about the room that there will be.
        region = (0.0, 0.0, ROOM * side, ROOM * side)
        fitted = self.camera.fitted(self.corners, region, self.turns)
        away = np.hypot(*self.sides) / 2
        least = fitted.scale * fitted.rise[0] * TALL / (1 + PERSPECTIVE * away)
        places, said = heights.ticks(TICKS - 1, scale, (HIGH + APART) / least)
        return [*found, Axis(np.array(places) * TALL, said, names)]

    def _add_lines(self) -> None:
        """Add contour lines, on the surface and on the floor, and the edges of the surface."""
        theme, isolines = self.theme, self.surface.isolines
        color, opacity = theme.lit if theme.is_dark else theme.shaded
        self.isoline_points = joined([points for _, points in isolines])
        self.isolines = self._line(
            color=color, alpha=opacity, linewidth=ISOLINE_WIDTH, zorder=ISOLINES
        )
        self.edges = self._line(
            color=theme.lit[0] if theme.is_dark else theme.edge, alpha=RIM_OPACITY,
            linewidth=RIM_WIDTH, zorder=EDGES,
        )  # fmt: skip
        self.still += [self.image, self.isolines, self.edges]
        self.outlines = [
            (
                self.surface.in_world(each.outline().edge),
                self._line(**edge_style(theme), zorder=EDGES),
            )
            for each in self.shadings
        ]
        self.still += [line for _, line in self.outlines]
        if self.style.floor is False:
            return
        colors = ramp(theme.ramp)
        # On the floor, lines that are as dark, or as light, as the background would be lost.
        shares = np.clip([share for share, _ in isolines], *(DARK if theme.is_dark else LIGHT))
        middle, paper = np.array(colors(0.5)[:3]), np.array(to_rgb(theme.background))
        tint = TINT * middle + (1 - TINT) * paper
        self.ground = Polygon(np.zeros((4, 2)), facecolor=tint, edgecolor="none", zorder=FLOOR)
        self.axes.add_patch(self.ground)
        self.floor = LineCollection(
            [], colors=colors(shares), linewidths=FLOOR_WIDTH, zorder=FLOOR_LINES, capstyle="round",
        )  # fmt: skip
        self.axes.add_collection(self.floor, autolim=False)
        self.still += [self.ground, self.floor]

    def _line(self, **look: Any) -> Line2D:
        (drawn,) = self.axes.plot([], [], solid_joinstyle="round", **look)
        return drawn

    def _add_marks(self) -> None:
        """Add stars of known minima, above paths, rings where these begin, and checkpoints."""
        scene = self.scene
        self.marks: list[tuple[Array, list[Line2D]]] = []
        minima, starts = scene.in_window(scene.minima), scene.in_window(scene.starts)
        _, anchors = scene.anchors_in_window
        for points, look in (
            (minima, minimum_style(self.theme, len(minima))),
            (starts, start_style(self.theme) | {"zorder": MINIMUM_ZORDER - 1}),
            (anchors, anchor_style(self.theme) | {"zorder": MINIMUM_ZORDER - 2}),
        ):
            if not len(points) and points is anchors:
                continue
            lines = [self._line(**look | {"alpha": alpha}) for alpha in (1.0, PALE)]
            self.marks.append((self.surface.in_world(points), lines))
        self.redrawn += [line for _, lines in self.marks for line in lines]

    def _add_paths(self) -> None:
        window = self.scene.surface.window.intervals
        low, high = np.transpose(window)
        for entry in self.scene.entries:
            for start, path in enumerate(entry.trajectories):
                points = self.scene.drawn_points(path)
                vertices, ends = draped(points, low, high)
                tips, away = self.surface.tips(points)
                rows = path.row_of_step
                style = path_style(self.theme, entry, start)
                trail = self.scene.trail(path, self.style.trail)
                if self.style.eigenvectors:
                    self.path_artists.append(
                        EigenvectorArtist(
                            self.axes, self.scene, path, style, self.theme,
                            self.sides / self.extent, EIGENVECTOR, self.surface.in_world, ALONG,
                        )
                    )  # fmt: skip
                if any(path.sketches):
                    self.path_artists.append(
                        SketchArtist(
                            self.axes, path, style, self.theme, window, trail,
                            self.surface.in_world, 1 / DRAPE, THICKER,
                        )
                    )  # fmt: skip
                self.path_artists.append(
                    ReliefPath(
                        self.axes, self.surface.in_world(vertices), ends[rows], tips[rows],
                        away[rows], style, self.theme, entry.number,
                        trail, None if self.style.floor is False else -DEPTH,
                        bool(self.style.orbit), label=entry.label, layer=self.scene.layers[path],
                        plane_proximity=self.scene.plane_proximity(path),
                        faded=self.scene.fades(path, self.style.trail),
                    )
                )  # fmt: skip

    def update(self, step: int) -> Sequence[Artist]:
        if not self.style.orbit:
            return super().update(step)
        self._look(step)
        return [*self.still, *self.box.artists, *super().update(step)]

    def photo(self, camera: Camera, frame: Frame) -> Photo:
        """Return what a camera sees, in the pixels of a frame."""
        field = self.surface.field
        pixels = camera.magnified(frame.scale)
        moved = replace(pixels, x=pixels.x + frame.x, y=pixels.y + frame.y)
        samples = SAMPLES[self.quality]
        slices = int(np.clip(samples * frame.height / 4, *SLICES)) * (1 if field.is_whole else 2)
        shot = field.shot(moved, (frame.width, frame.height), samples, slices)
        return Photo(camera, frame, shot, shot.paint(*self.colors))

    def _look(self, step: int) -> None:
        """Move everything to where the camera sees it at a step."""
        camera = self.camera.turned(self.style.orbit * step / max(self.scene.steps, 1))
        self.image.photo = photo = self.photo(camera, self.image.frame())
        shot = photo.shot
        self.box.place(camera, photo.uncovered)

        def visible(points: Array, slack: float) -> Array:
            places = camera.places(points)
            places[~shot.seen(points, slack)] = np.nan
            return places

        self.isolines.set_data(*visible(self.isoline_points, LINE_SLACK).T)
        self.edges.set_data(*visible(self.surface.rim, RIM_SLACK).T)
        for points, line in self.outlines:
            line.set_data(*visible(points, RIM_SLACK).T)
        if self.style.floor is not False:
            corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * self.sides / 2
            self.ground.set_xy(camera.places(_at(corners, -DEPTH)))
            self.floor.set_segments(
                [camera.places(_at(each, -DEPTH)) for _, each in self.surface.isolines]
            )
        for points, lines in self.marks:
            seen = shot.seen(points, MARK_SLACK)
            places = camera.places(points)
            for line, kept in zip(lines, (seen, ~seen), strict=True):
                set_places(line, places[kept])
        follows = SketchArtist, EigenvectorArtist
        for sketch in (each for each in self.path_artists if isinstance(each, follows)):
            sketch.project = partial(visible, slack=PATH_SLACK)
        paths = [each for each in self.path_artists if isinstance(each, ReliefPath)]
        for path in paths:
            path.place(photo)
        last = self.camera.turned(self.style.orbit)  # where heads stand longest
        set_apart_by_places(paths, [last.places(path.tips[-1:])[0] for path in paths])

    @cached_property
    def colors(self) -> tuple[Colors, Colors]:
        """The colours of the upper and the lower side of the surface."""
        coats = [each.coat(self.theme, TEXELS) for each in self.shadings]
        return self.surface.colors(self.theme.ramp, coats)


class SurfaceImage(Artist):
    """The surface as an image, with pixels of the size that a format has."""

    photo: Photo

    def __init__(self, view: ReliefView) -> None:
        super().__init__()
        self.view = view
        self.set_zorder(SURFACE)

    def frame(self, magnification: float = 1.0) -> Frame:
        """Return the pixels of the panel; magnification is that of a renderer."""
        box = self.view.axes.bbox
        scale = box.width / self.view.axes.get_xlim()[1] * magnification
        x, y = box.x0 * magnification, box.y0 * magnification
        left, bottom = floor(x), floor(y)
        width = ceil(x + box.width * magnification) - left
        height = ceil(y + box.height * magnification) - bottom
        return Frame(scale, left, bottom, width, height, x - left, y - bottom)

    def draw(self, renderer: Any) -> None:
        if not self.get_visible():
            return
        magnification = renderer.get_image_magnification()
        frame, photo = self.frame(magnification), self.photo
        if frame != photo.frame:
            photo = self.view.photo(photo.camera, frame)
        gc = renderer.new_gc()
        renderer.draw_image(
            gc, frame.left / magnification, frame.bottom / magnification, photo.pixels
        )
        gc.restore()
        self.stale = False


def _at(points: Array, height: float) -> Array:
    """Return points of the ground at some height, shape (n, 3)."""
    return np.column_stack([points[:, :2], np.full(len(points), height)])
