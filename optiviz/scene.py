"""What is seen, before there is a pixel: a surface and paths on it, or a signal and answers.

A scene knows what the words of a picture say: its title, its entries, and the number and the
remark that belong to each of them in a step.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from optiviz.descent.basins import Basins
from optiviz.descent.learning_rate import Choice
from optiviz.descent.search import Search
from optiviz.descent.trajectory import Trajectory
from optiviz.objective import Array
from optiviz.optimizers.words import Setting, Word
from optiviz.surfaces.signal import Signal
from optiviz.surfaces.surface import Surface

ROUNDED = 1e-9  # a distance that is a smaller share of the window is none
FLAT = 1e-9  # a slope that is a smaller share of the start's is none


@dataclass(frozen=True, eq=False, kw_only=True)
class Entry(ABC):
    """One optimizer of a picture: its word, its learning rate, and what it did."""

    word: Word
    label: str  # no other entry has it
    choice: Choice
    number: int  # its place among all entries, which its colour goes by
    shares: ClassVar[bool] = False  # whether its numbers are shares of a whole

    @property
    def heading(self) -> str:
        """What the legend calls it."""
        return self.word.heading

    @property
    def detail(self) -> str:
        """What the legend says beside it: the rate really used, and all that was given."""
        method, given = self.choice.optimizer, dict(self.word.settings)
        used = method.hyperparameters()
        found = (method.rate, *self.choice.sought)
        shown = {key: used[key] for key in found if used.get(key) is not None} | given
        settings = [self.setting(key, value) for key, value in shown.items()]
        settings = [said for said in settings if said != self.heading]
        named = not self.word.label
        return "  ".join(settings if named else [replace(self.word, label="").heading, *settings])

    @property
    def settings(self) -> list[str]:
        """All hyperparameters that do something or were given, as tables show them.

        A learning rate that the surface or signal brings along says so.
        """
        method, source = self.choice.optimizer, self.choice.source
        shown = method.settings().keys() | dict(self.word.settings).keys()
        brought = f" (the {source}'s)" if source in ("surface", "signal") else ""
        return [
            self.setting(key, value) + (brought if key == method.rate else "")
            for key, value in method.hyperparameters().items()
            if key in shown
        ]

    def setting(self, key: str, value: Setting) -> str:
        """Write a hyperparameter as it is shown everywhere, as in "lr 0.21 (tuned)"."""
        sought = key in self.choice.sought
        spelt = self.word.spelt(key, value)
        return f"{key} {spelt}" + (f" ({self.choice.found})" if sought else "")

    @property
    @abstractmethod
    def steps(self) -> int:
        """The number of steps that were asked for."""

    @abstractmethod
    def values(self, step: int) -> Array:
        """Return the numbers that belong to it in a step; nan where there is none."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Descent(Entry):
    """An optimizer on a surface: a path from every start. Its numbers are their losses."""

    trajectories: tuple[Trajectory, ...]

    @property
    def steps(self) -> int:
        return self.trajectories[0].steps

    def values(self, step: int) -> Array:
        return np.array([path.loss(step) for path in self.trajectories])


@dataclass(frozen=True, eq=False, kw_only=True)
class Answer(Entry):
    """An optimizer that answers to a signal: update has shape (steps + 1,)."""

    update: Array
    stopped: str = ""  # why a stranger's code could not go on

    @property
    def steps(self) -> int:
        return len(self.update) - 1

    @property
    def stopped_at(self) -> int:
        """The step at which it could not go on."""
        return int(np.isfinite(self.update).sum())

    def values(self, step: int) -> Array:
        return self.update[[step]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Scene:
    """All that a picture is of. Entries differ by colour."""

    title: str
    entries: tuple[Entry, ...] = ()
    quantity: ClassVar[str] = ""  # what the numbers of the entries are
    colored: ClassVar[bool] = True  # whether entries differ by colour

    @property
    def formula(self) -> str:
        """What stands under the title, as mathematics."""
        return ""

    @property
    def caption(self) -> str:
        """What stands under that, in words."""
        return ""

    @property
    def described(self) -> str:
        """Who is seen, for those who cannot see it."""
        return ", ".join(f"{each.heading} {each.detail}".rstrip() for each in self.entries)

    @property
    def steps(self) -> int:
        """The number of steps that all entries were asked for; 0 where there are none."""
        return max((entry.steps for entry in self.entries), default=0)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What did not go as one would wish, each with whose it is."""
        return ()

    @property
    def farthest(self) -> float:
        """How far the farthest point of any path is from the plane that is drawn; 0 if on it."""
        return 0.0

    def remark(self, entry: Entry, step: int) -> str:
        """Return what is to be said of an entry in a step, which is most in the last one."""
        return ""

    def counter(self, step: int) -> str:
        """Return what stands above the entries in a step."""
        return f"step {step} of {self.steps}" if self.entries else ""

    def parts(self) -> "tuple[Scene, ...]":
        """Return the scenes of small multiples."""
        return (self,)


@dataclass(frozen=True, eq=False, kw_only=True)
class OnSurface(Scene):
    """A surface from above, and what is drawn on it.

    Where this is one of several small multiples, company are the entries of all.
    """

    surface: Surface
    company: tuple[Entry, ...] = ()
    conditions: tuple[str, ...] = ()  # what every step was subject to, as in "batches of 128"

    @property
    def formula(self) -> str:
        return self.surface.formula

    @property
    def caption(self) -> str:
        return ", ".join(filter(None, (self.surface.caption, *self.conditions)))

    def parts(self) -> "tuple[Scene, ...]":
        return tuple(
            replace(self, entries=(each,), company=self.entries, title=each.heading)
            for each in self.entries
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Run(OnSurface):
    """A surface and who descended it; nobody where only the surface is drawn.

    The starts of an entry differ by line style.
    """

    entries: tuple[Descent, ...] = ()
    company: tuple[Descent, ...] = ()
    quantity = "loss"

    def nearness(self, path: Trajectory) -> Array | None:
        """Return how near the plane each step of a path is: 1 if on it, 0 from a window away.

        None where all paths are on it. The shape is (last + 1,).
        """
        if not self.farthest:
            return None
        shares: Array = 1 - np.minimum(path.away[path.ends] / self.surface.window.diagonal, 1.0)
        return shares

    @cached_property
    def farthest(self) -> float:
        away = [path.away.max(initial=0.0) for path in self.compared if path.ended_at is None]
        farthest = float(max(away, default=0.0))
        return farthest if farthest > ROUNDED * self.surface.window.diagonal else 0.0

    @property
    def trajectories(self) -> tuple[Trajectory, ...]:
        """Every path, optimizer by optimizer and start by start."""
        return tuple(path for entry in self.entries for path in entry.trajectories)

    @property
    def compared(self) -> tuple[Trajectory, ...]:
        """Every path that shares its scales with those of this scene, its own included."""
        return tuple(path for entry in self.company or self.entries for path in entry.trajectories)

    @property
    def starts(self) -> Array:
        """Where everyone began, shape (starts, dim)."""
        paths = self.entries[0].trajectories if self.entries else ()
        return np.reshape([path.start for path in paths], (-1, self.surface.dim))

    @property
    def marks(self) -> tuple[str, ...]:
        """The marks that stand on its surface."""
        known = {
            "start": self.entries,
            "minimum": self.surface.minima,
            "distance": self.farthest,
            "away": self.left,
        }
        return tuple(name for name, marked in known.items() if marked)

    @property
    def left(self) -> bool:
        """Whether a path leaves the window."""
        return any(len(self.seen(path.walked)) < len(path.walked) for path in self.compared)

    def seen(self, points: ArrayLike) -> Array:
        """Return the points that lie in the window, shape (n, dim)."""
        given = np.reshape(points, (-1, self.surface.dim))
        low, high = np.transpose(self.surface.window.intervals)
        inside: Array = given[((low <= given) & (given <= high)).all(axis=-1)]
        return inside

    def remark(self, entry: Entry, step: int) -> str:
        """Say what went wrong with an entry's runs, from the step on at which they ended."""
        assert isinstance(entry, Descent)
        paths = entry.trajectories
        ended = [
            self._verdicts[path]
            for path in paths
            if self._verdicts[path]
            and step >= (path.steps if path.ended_at is None else path.ended_at)
        ]
        if len(paths) == 1 or not ended:
            return ended[0] if ended else ""
        kinds = {verdict.partition(" at step")[0] for verdict in ended}
        what = kinds.pop() if len(kinds) == 1 else "went wrong"
        return f"{len(ended)} of {len(paths)} {what}"

    @cached_property
    def _verdicts(self) -> dict[Trajectory, str]:
        return {path: self.verdict(path) for path in self.trajectories}

    @property
    def remarks(self) -> tuple[str, ...]:
        said = (
            f"{entry.label} {verdict}{path.why}"
            for entry in self.entries
            for path in entry.trajectories
            if (verdict := self.verdict(path))
        )
        return tuple(dict.fromkeys(said))

    def verdict(self, path: Trajectory) -> str:
        """Say why a walk ended early, or no lower than it began, or where it cannot be seen.

        Empty if it did none of these.
        """
        if path.ending:
            return path.ending
        if path.loss(path.steps) < path.loss(0):
            low, high = np.transpose(self.surface.window.intervals)
            seen = ((low <= path.points[-1]) & (path.points[-1] <= high)).all()
            return "" if seen else "ended out of view"
        if (path.points == path.start).all():
            return "never moved"
        if path.distances is not None:  # the ground of the plane is not what it stands on
            return "ended no lower"
        return f"ended {self._ground(path)}"

    def _ground(self, path: Trajectory) -> str:
        """Say on what kind of ground a path ends, if the slope is 0 there."""
        low, high = np.transpose(self.surface.window.intervals)
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


@dataclass(frozen=True, eq=False, kw_only=True)
class Plot(Scene):
    """Surfaces side by side, which nobody descends."""

    surfaces: tuple[Surface, ...]

    @property
    def formula(self) -> str:
        return self.surfaces[0].formula if len(self.surfaces) == 1 else ""

    def parts(self) -> "tuple[Scene, ...]":
        return tuple(Run(title=each.title, surface=each) for each in self.surfaces)


@dataclass(frozen=True, eq=False, kw_only=True)
class Response(Scene):
    """A signal of gradients, and the updates that optimizers answer with."""

    signal: Signal
    entries: tuple[Answer, ...] = ()
    quantity = "update"

    def remark(self, entry: Entry, step: int) -> str:
        assert isinstance(entry, Answer)
        if not entry.stopped or step < entry.stopped_at:
            return ""
        return f"{entry.stopped.partition(':')[0]} at step {entry.stopped_at}"

    @property
    def remarks(self) -> tuple[str, ...]:
        return tuple(
            f"{entry.label} {entry.stopped} at step {entry.stopped_at}"
            for entry in self.entries
            if entry.stopped
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Tried(Entry):
    """An optimizer and its trials. Its number is the median final loss of the best of them."""

    search: Search

    @property
    def steps(self) -> int:
        return 0

    def values(self, step: int) -> Array:
        return self.search.medians[[self.search.best]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Tuned(Scene):
    """What came of searching for hyperparameters, the same search for every optimizer."""

    surface: Surface
    entries: tuple[Tried, ...] = ()
    conditions: tuple[str, ...] = ()
    quantity = "median"

    @property
    def caption(self) -> str:
        return ", ".join(self.conditions)

    def counter(self, step: int) -> str:
        return f"{max(entry.search.trials for entry in self.entries)} trials each"

    def remark(self, entry: Entry, step: int) -> str:
        assert isinstance(entry, Tried)
        return "" if entry.search.found else "half diverge in all trials"

    @property
    def remarks(self) -> tuple[str, ...]:
        said = ((entry.label, self.remark(entry, 0)) for entry in self.entries)
        return tuple(f"{label}: {remark}" for label, remark in said if remark)


@dataclass(frozen=True, eq=False, kw_only=True)
class Mapped(Entry):
    """An optimizer from every start of a grid. Its number is the share that reaches a minimum."""

    basins: Basins
    length: int  # steps
    shares = True

    @property
    def steps(self) -> int:
        return self.length

    def values(self, step: int) -> Array:
        return np.array([self.basins.share(step)])


@dataclass(frozen=True, eq=False, kw_only=True)
class Basin(OnSurface):
    """The minima of a surface, and from where each optimizer reaches which."""

    minima: Array  # (m, 2)
    entries: tuple[Mapped, ...] = ()
    company: tuple[Mapped, ...] = ()
    colored = False

    @property
    def latest(self) -> int:
        """The last step in which a run of any optimizer comes to stay at a minimum."""
        return max(int(each.basins.arrived.max()) for each in self.company or self.entries)


def frame_steps(steps: int, fps: float, duration: float) -> list[int]:
    """Return the step that each frame shows: strided evenly, the first and the last included.

    One frame a step, unless more steps than frames fit into `duration` seconds.
    """
    frames = max(2, min(steps + 1, int(fps * duration + 1e-9)))
    return [round(step) for step in np.linspace(0, steps, frames)]
