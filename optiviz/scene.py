"""What is seen, before there is a pixel: a surface, the paths on it, and their names."""

from dataclasses import dataclass

import numpy as np

from optiviz.descent import Trajectory
from optiviz.optimizers.words import Setting, Word, spell
from optiviz.surfaces.surface import Surface
from optiviz.tuning import Choice

FLAT = 1e-9  # a slope that is a smaller share of the start's is none


@dataclass(frozen=True, eq=False)
class Entry:
    """One optimizer of a picture: its word, its learning rate, and a path from every start."""

    word: Word
    label: str  # no other entry has it
    choice: Choice
    trajectories: tuple[Trajectory, ...]

    @property
    def heading(self) -> str:
        """What the legend calls it."""
        return self.word.label or self.word.name

    @property
    def detail(self) -> str:
        """What the legend says beside it: the rate really used, and all that was given."""
        used, given = self.choice.optimizer.hyperparameters(), dict(self.word.settings)
        shown = {key: value for key, value in used.items() if key == "lr"} | given
        settings = [self.setting(key, value) for key, value in shown.items()]
        named = self.heading == self.word.name
        return "  ".join(settings if named else [self.word.name, *settings])

    def setting(self, key: str, value: Setting) -> str:
        """Write a hyperparameter as it is shown everywhere, as in "lr 0.21 (tuned)"."""
        sought = key == "lr" and self.choice.tuning is not None
        return f"{key} {spell(value)}" + (f" ({self.choice.source})" if sought else "")


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
        if path.losses[-1] < path.losses[0]:
            low, high = np.transpose(self.surface.domain.intervals)
            seen = ((low <= path.points[-1]) & (path.points[-1] <= high)).all()
            return "" if seen else "ended out of view"
        if (path.points == path.start).all():
            return "never moved"
        return f"ended {self._ground(path)}"

    def _ground(self, path: Trajectory) -> str:
        """Say on what kind of ground a path ends, if the slope is 0 there."""
        low, high = np.transpose(self.surface.domain.intervals)
        side = high - low  # in units of which slopes and curvatures can be compared
        with np.errstate(all="ignore"):
            first, slope = np.abs(self.surface.gradient(path.points[[0, -1]]) * side).max(axis=-1)
            bend = self.surface.hessian(path.points[-1]) * np.outer(side, side)
            level = slope <= FLAT * first
        if not level or not np.isfinite(bend).all():
            return "no lower"
        bends = np.linalg.eigvalsh(bend)
        if np.abs(bends).max() <= FLAT * first:
            return "on flat ground"
        if bends.min() >= 0:
            return "at a minimum no lower"
        return "at a maximum" if bends.max() < 0 else "at a saddle"


def frame_steps(steps: int, fps: float, duration: float) -> list[int]:
    """Return the step that each frame shows: strided evenly, the first and the last included.

    One frame a step, unless more steps than frames fit into `duration` seconds.
    """
    frames = max(2, min(steps + 1, int(fps * duration + 1e-9)))
    return [round(step) for step in np.linspace(0, steps, frames)]
