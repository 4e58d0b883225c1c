"""What is seen, before there is a pixel: a surface, the paths on it, and their names."""

from dataclasses import dataclass

from optiviz.descent import Trajectory
from optiviz.surfaces.surface import Surface


@dataclass(frozen=True, eq=False)
class Entry:
    """One optimizer of a picture: its word, what the legend says, and a path from every start."""

    name: str
    label: str  # no other entry has it
    heading: str
    detail: str
    trajectories: tuple[Trajectory, ...]


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
