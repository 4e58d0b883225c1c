"""What is seen, before there is a pixel: a surface, the paths on it, and their names."""

from dataclasses import dataclass

import numpy as np

from optiviz.descent import Trajectory
from optiviz.surfaces.surface import Surface
from optiviz.tuning import Tuning

FLAT = 1e-9  # a slope that is a smaller share of the start's is none


@dataclass(frozen=True, eq=False)
class Entry:
    """One optimizer of a picture: its word, what the legend says, and a path from every start."""

    name: str
    label: str  # no other entry has it
    heading: str
    detail: str
    trajectories: tuple[Trajectory, ...]
    tuning: Tuning | None = None  # None where the learning rate was not tuned


@dataclass(frozen=True, eq=False)
class Scene:
    """All that a picture is of. Entries differ by colour, the starts of an entry by line style."""

    surface: Surface
    entries: tuple[Entry, ...]
    title: str

    @property
    def trajectories(self) -> tuple[Trajectory, ...]:
        """Every path, optimizer by optimizer and start by start."""
        return tuple(path for entry in self.entries for path in entry.trajectories)

    @property
    def steps(self) -> int:
        """The number of steps that all paths were asked for."""
        return self.trajectories[0].steps

    def verdict(self, path: Trajectory) -> str:
        """Say why a walk ended early, or no lower than it began, or where it cannot be seen.

        Empty if it did none of these.
        """
        if path.ending:
            return path.ending
        low, high = np.transpose(self.surface.domain.intervals)
        if path.losses[-1] < path.losses[0]:
            seen = ((low <= path.points[-1]) & (path.points[-1] <= high)).all()
            return "" if seen else "ended out of view"
        if (path.points == path.start).all():
            return "never moved"
        with np.errstate(all="ignore"):
            side = high - low  # in units of which slopes and curvatures can be compared
            first, slope = self.surface.gradient(path.points[[0, -1]]) * side
            bend = self.surface.hessian(path.points[-1]) * np.outer(side, side)
            least = FLAT * abs(first).max()
        if not np.isfinite(bend).all() or not abs(slope).max() <= least:
            return "ended no lower"
        bends = np.linalg.eigvalsh(bend)
        if abs(bends).max() <= least:
            return "ended on flat ground"
        if bends.min() >= 0:
            return "ended at a minimum no lower"
        return "ended at a maximum" if bends.max() < 0 else "ended at a saddle"
