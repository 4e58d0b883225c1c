"""A path on a relief: what a hill hides of it is a thin dotted line, its head there is pale."""

from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from optiviz.objective import Array
from optiviz.relief.camera import Camera
from optiviz.relief.field import Bools, Colors, Shot
from optiviz.themes import Theme
from optiviz.views.paths import (
    EDGE_MARKERS,
    HIDDEN_DASH,
    HIDDEN_WIDTH,
    OUTSIDE_SIZE,
    PATH_ZORDER,
    PathArtist,
    PathStyle,
)

PALE = 0.38  # opacity of heads and stars behind a hill
THICKER = 1.3  # lines than seen from above, where surfaces have no shadows
LEAST_SHADOW = 0.4  # of a shadow that must be seen, or it is only scraps
SHADOW_WIDTH, SHADOW_OPACITY = 1.1, 0.5
PATH_SLACK = 1.5  # pixels by which a path, which has some width, may be behind an edge
SHADOW, HIDDEN = PATH_ZORDER - 2, PATH_ZORDER - 1  # zorders


class Frame(NamedTuple):
    """The pixels of a panel: how many are a point, its corner, its size, and where it begins."""

    scale: float
    left: int
    bottom: int
    width: int
    height: int
    x: float
    y: float


class Photo(NamedTuple):
    """What a camera sees of the surface, and its picture in the pixels of a frame."""

    camera: Camera
    frame: Frame
    shot: Shot
    pixels: Colors

    def uncovered(self, places: Array) -> Bools:
        """Return whether places in the picture, of shape (n, 2), show none of the surface."""
        frame = self.frame
        known: Any = np.isfinite(places).all(axis=-1)
        x, y = np.where(known[:, None], places, 0).T * frame.scale
        column = np.clip((x + frame.x).astype(int), 0, frame.width - 1)
        row = np.clip((y + frame.y).astype(int), 0, frame.height - 1)
        return np.asarray(known & (self.pixels[row, column, 3] < 128))


class ReliefPath(PathArtist):
    """A path whose vertices are points of the world, (u, v, w) of shape (n, 3), nan where cut off.

    ends are those of each step, tips is where its head then is, of shape (steps + 1, 3), and away
    whether it is really elsewhere. It is placed for a camera whose picture is in the units of the
    Axes. floor is the height of the ground on which its shadow falls, None for no shadow. Unless
    the camera turns, a shadow of which little is seen is left out.
    """

    def __init__(
        self,
        axes: Axes,
        points: Array,
        ends: Any,
        tips: Array,
        away: Bools,
        style: PathStyle,
        theme: Theme,
        number: int,
        trail: int | None,
        floor: float | None,
        turns: bool,
        **settings: Any,
    ) -> None:
        flat = np.full((len(points), 2), np.nan)
        super().__init__(axes, flat, ends, style, theme, number, trail, scale=THICKER, **settings)
        self.world, self.turns, self.tips, self.away = points, turns, tips, away
        self.proximity = self.opacity
        look: dict[str, Any] = {"color": style.color, "dash_capstyle": "round"}
        (self.hidden,) = axes.plot(
            [], [], **look, linewidth=HIDDEN_WIDTH, linestyle=HIDDEN_DASH, zorder=HIDDEN
        )
        self.shadow: Line2D | None = None
        if floor is not None:
            self.ground = np.column_stack([points[:, :2], np.full(len(points), floor)])
            self.ground[np.isnan(points[:, 2])] = np.nan
            (self.shadow,) = axes.plot(
                [], [], **look, linewidth=SHADOW_WIDTH, alpha=SHADOW_OPACITY, zorder=SHADOW,
                solid_capstyle="round", solid_joinstyle="round",
            )  # fmt: skip

    def place(self, photo: Photo) -> None:
        """Move it to where the camera of a photo sees it."""
        camera = photo.camera
        seen = photo.shot.seen(self.world, slack=PATH_SLACK)
        self.places = camera.places(self.world)
        self.vertices = np.where(seen[:, None], self.places, np.nan)
        # Up to the first vertex that is seen again, so that there are no gaps.
        beside = ~seen | ~np.roll(seen, 1) | ~np.roll(seen, -1)
        self.behind = np.where(beside[:, None], self.places, np.nan)
        tips = camera.places(self.tips)
        self.places[self.ends] = tips
        middle = camera.places(np.zeros((1, 3)))[0]
        self.outwards = np.abs(tips - middle).argmax(axis=1), (tips > middle).astype(int)
        if self.shadow is not None:
            fallen = camera.places(self.ground)
            shown = photo.uncovered(fallen)
            known = np.isfinite(fallen[:, 0])
            if not self.turns and shown.sum() < LEAST_SHADOW * known.sum():
                shown[:] = False
            self.fallen = np.where(shown[:, None], fallen, np.nan)
        pale = np.where(photo.shot.seen(self.tips, slack=PATH_SLACK), 1.0, PALE)
        self.opacity = pale if self.proximity is None else pale * self.proximity

    @property
    def artists(self) -> list[Artist]:
        shadows = [] if self.shadow is None else [self.shadow]
        return [*shadows, self.hidden, *super().artists]

    def update(self, step: int) -> list[Artist]:
        moved = super().update(step)
        self._turn_head(min(step, len(self.ends) - 1))
        end = int(self.ends[min(step, len(self.ends) - 1)]) + 1
        begin = 0
        if self.trail is not None:
            begin = int(self.ends[min(max(step - self.trail, 0), len(self.ends) - 1)])
        set_places(self.hidden, self.behind[begin:end])
        if self.shadow is not None:
            set_places(self.shadow, self.fallen[begin:end])
        return moved

    def _turn_head(self, step: int) -> None:
        """Let the head be a triangle that points outwards while the path is off the surface."""
        assert self.head is not None
        axis, side = int(self.outwards[0][step]), self.outwards[1][step]
        marker = EDGE_MARKERS[axis][side[axis]] if self.away[step] else self.style["marker"]
        if self.head.get_marker() != marker:
            self.head.set_marker(marker)
            self.head.set_markersize(OUTSIDE_SIZE if self.away[step] else self.style["markersize"])


def set_places(line: Line2D, places: Array) -> None:
    """Move a line or marks to places of shape (n, 2); what has none is not drawn, which is fast."""
    line.set_visible(bool(np.isfinite(places).any()))
    line.set_data(*places.T)
