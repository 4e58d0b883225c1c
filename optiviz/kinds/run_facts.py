"""What text may quote of a run: losses, points and settings of its paths, curvature of its surface.

In each function, `path` is the label of an entry. A step is the last one, and a start the first,
unless it is given.
"""

from typing import TYPE_CHECKING

import numpy as np

from optiviz.descent import problem_of
from optiviz.descent.evaluations import count_evaluations
from optiviz.descent.trajectory import Trajectory
from optiviz.kinds.facts import Facts, part, setting
from optiviz.objective import Array, Stream
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError
from optiviz.system.text import counted

if TYPE_CHECKING:
    from optiviz.kinds.run_scene import RunScene

TURN = 1e-9  # share of the range of a coordinate below which it does not move


def run_facts(scene: "RunScene") -> Facts:
    """Return the numbers of a run by name."""
    return _RunFacts(scene).facts()


class _RunFacts:
    """The numbers of a run."""

    def __init__(self, scene: "RunScene") -> None:
        self.scene = scene

    def facts(self) -> Facts:
        functions = (
            self.loss, self.distance, self.gradient, self.coordinate, self.sharpness,
            self.evaluations, self.plane_loss, self.off_plane, self.mean_loss, self.lowest,
            self.highest, self.steps_to, self.steps_near, self.turns, self.diverges, self.setting,
            self.rate, self.value, self.slope, self.eigenvalue,
        )  # fmt: skip
        params: dict[str, float] = {}
        if all(entry.surface is None for entry in self.scene.entries):  # else they are varied
            params |= dict(self.scene.surface.params)
        counted = {"steps": self.scene.steps} if self.scene.entries else {}
        return params | counted | {each.__name__: each for each in functions}

    def loss(self, path: str, step: int | None = None, start: int = 1) -> float:
        """Return the loss of a path at a step."""
        found = self._path(path, start)
        return found.loss(self._step(found, step))

    def distance(self, path: str, step: int | None = None, start: int = 1) -> float:
        """Return how far a path is from the nearest known minimum at a step."""
        return float(self._distances(self._point(path, step, start)[None])[0])

    def gradient(self, path: str, step: int | None = None, start: int = 1) -> float:
        """Return the norm of the gradient at a step of a path."""
        self._check_still()
        return self._slope(self._surface(path), self._point(path, step, start))

    def coordinate(self, path: str, number: int, step: int | None = None, start: int = 1) -> float:
        """Return a coordinate of a path at a step; the first one has number 1."""
        return float(part(self._point(path, step, start), number, "coordinate"))

    def sharpness(self, path: str, step: int | None = None, start: int = 1) -> float:
        """Return the sharpness at a step of a path; the picture must have this view."""
        found = self._path(path, start)
        if found.sharpness is None:
            raise InputError("the sharpness is not known: add sharpness to the view")
        return float(found.sharpness[found.row(self._step(found, step))])

    def evaluations(self, path: str, step: int | None = None, start: int = 1) -> int:
        """Return at how many points the loss or its gradient had been computed by a step."""
        found, surface = self._path(path, start), self._surface(path)
        step = self._step(found, step)
        if found.evaluations is not None:
            return int(found.evaluations[found.row(step)])
        if found.optimizer is not None and problem_of(surface).in_plane:
            objective = problem_of(surface).objective(None, 0.0, 0)
            assert not isinstance(objective, Stream)  # without batches and noise
            counted, end = count_evaluations(objective, found.optimizer, found.start, step)
            if np.array_equal(end, self._point(path, step, start)):
                return counted
        raise InputError(f"the evaluations of {path} are not known")

    def plane_loss(self, path: str, step: int | None = None, start: int = 1) -> float:
        """Return the loss of the plane where it is nearest to a path at a step."""
        return float(self._surface(path).value(self._point(path, step, start)))

    def off_plane(self, path: str, step: int | None = None, start: int = 1) -> float:
        """Return how far a path is from the plane that is drawn at a step."""
        found = self._path(path, start)
        return float(found.row_distances[found.row(self._step(found, step))])

    def mean_loss(self, path: str, step: int, start: int = 1) -> float:
        """Return the mean loss of a path from a step on, which noise moves less than the last."""
        found = self._path(path, start)
        losses = found.true_losses_by_step[self._step(found, step) : found.last + 1]
        return float(np.nanmean(losses))

    def lowest(self, path: str, start: int = 1) -> float:
        """Return the lowest loss of a path."""
        return float(np.nanmin(self._path(path, start).true_losses_by_step))

    def highest(self, path: str, start: int = 1) -> float:
        """Return the highest finite loss of a path."""
        losses = self._path(path, start).true_losses_by_step
        return float(losses[np.isfinite(losses)].max())

    def steps_to(self, path: str, loss: float, start: int = 1) -> int:
        """Return the first step at which a path has a loss of at most this."""
        reached = np.flatnonzero(self._path(path, start).true_losses_by_step <= loss)
        if not reached.size:
            raise InputError(f"{path} never has a loss of at most {loss:g}")
        return int(reached[0])

    def steps_near(self, path: str, distance: float, start: int = 1) -> int:
        """Return the first step at which a path is no farther than this from a known minimum."""
        found = self._path(path, start)
        reached = np.flatnonzero(self._distances(found.finite_points) <= distance)
        if not reached.size:
            raise InputError(f"{path} is never within {distance:g} of a minimum")
        return int(found.step_of_row[reached[0]])

    def turns(self, path: str, number: int, start: int = 1) -> int:
        """Return how often a coordinate of a path changes its direction."""
        line: Array = part(self._path(path, start).finite_points.T, number, "coordinate")
        moves = np.diff(line)
        moves = moves[np.abs(moves) > TURN * np.ptp(line)]
        return int((np.sign(moves[1:]) != np.sign(moves[:-1])).sum())

    def diverges(self, path: str, start: int = 1) -> int:
        """Return 1 if a path leaves the finite numbers, else 0."""
        return int(self._path(path, start).diverged_at is not None)

    def setting(self, path: str, name: str) -> float:
        """Return a hyperparameter as it was used."""
        return setting(self.scene.entry(path).hyperparameters, name)

    def rate(self, path: str, step: int) -> float:
        """Return the learning rate of a step, the first of which has number 1."""
        taken = self._step(self._path(path, 1), step)
        found = self.scene.entry(path).rate_at(taken - 1) if taken else None
        if found is None:
            raise InputError(f"{path} has no learning rate in step {step:g}")
        return found

    def value(self, *coordinate: float) -> float:
        """Return the loss at a point, given by its coordinates."""
        return float(self.scene.surface.value(self._checked(coordinate)))

    def slope(self, *coordinate: float) -> float:
        """Return the norm of the gradient at a point."""
        return self._slope(self.scene.surface, self._checked(coordinate))

    def eigenvalue(self, number: int, *coordinate: float) -> float:
        """Return an eigenvalue of the Hessian at a point; the smallest has number 1."""
        hessian = self.scene.surface.hessian(self._checked(coordinate))
        return float(part(np.linalg.eigvalsh(hessian), number, "eigenvalue"))

    def _surface(self, label: str) -> Surface:
        return self.scene.entry(label).surface or self.scene.surface

    def _path(self, label: str, start: int) -> Trajectory:
        found: Trajectory = part(self.scene.entry(label).trajectories, start, "start")
        return found

    def _point(self, label: str, step: int | None, start: int) -> Array:
        path = self._path(label, start)
        found: Array = path.points[path.row(self._step(path, step))]
        return found

    def _step(self, path: Trajectory, step: int | None) -> int:
        """Return a step of a path, the last finite one unless it is given."""
        if step is None:
            return path.last
        if step != int(step) or not 0 <= step <= path.last:
            raise InputError(f"there is no step {step:g}: the last one is {path.last}")
        return int(step)

    def _distances(self, points: Array) -> Array:
        if not len(self.scene.minima):
            raise InputError("no minimum of the surface is known")
        self._check_still()
        apart = np.linalg.norm(points[:, None] - self.scene.minima[None], axis=-1)
        nearest: Array = apart.min(axis=1)
        return nearest

    def _check_still(self) -> None:
        if self.scene.drifts:
            raise InputError("the minimum drifts: compare losses instead")

    def _slope(self, surface: Surface, point: Array) -> float:
        return float(np.linalg.norm(surface.gradient(point)))

    def _checked(self, point: tuple[float, ...]) -> Array:
        if len(point) != self.scene.surface.dim:
            many = counted(self.scene.surface.dim, "coordinate")
            raise InputError(f"a point has {many}, not {len(point)}")
        return np.array(point, float)
