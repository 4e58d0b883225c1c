"""The entries of a run: paths of optimizers, and those that other programs recorded."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from optiviz.descent.trajectory import Trajectory, plain_numbers
from optiviz.kinds.base import Entry, OptimizerEntry
from optiviz.objective import Array
from optiviz.surfaces.surface import Surface


@dataclass(frozen=True, eq=False, kw_only=True)
class RunEntry(Entry):
    """Paths on a surface, one per start, in one colour; its values are their losses."""

    trajectories: tuple[Trajectory, ...]
    surface: Surface | None = None  # its own, None for that of the scene
    optimizer: ClassVar[str | None] = None  # the name of the optimizer, if there is one
    rate_source: ClassVar[str] = ""  # where its learning rate comes from
    sampled_temperature: ClassVar[float | None] = None  # of the density that it samples, if it does

    @property
    def steps(self) -> int:
        return self.trajectories[0].steps

    def values(self, step: int) -> Array:
        return np.array([path.loss(min(step, path.steps)) for path in self.trajectories])

    def rate_at(self, step: int) -> float | None:
        """Return the learning rate of a step, numbered from 0; None if there is none."""
        return None

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """All hyperparameters by name."""
        return {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What readers of its numbers should know."""
        return ()

    def to_dict(
        self, path: Trajectory, learned: bool, plane_losses: Array | None = None
    ) -> dict[str, Any]:
        """Return a path as plain values, in full precision.

        plane_losses are the losses of the plane on which it is drawn, if it is not on it.
        """
        sparse = learned or path.rows is not None
        return {
            "label": self.label,
            "optimizer": self.optimizer,
            "hyperparameters": self.hyperparameters,
            "lr_source": self.rate_source,
            **({} if self.surface is None else {"params": dict(self.surface.params)}),
            "start": plain_numbers(path.start if path.whole is None else path.whole[0]),
            **({} if path.whole is None else {"points": plain_numbers(path.whole)}),
            "path": plain_numbers(path.points),
            "loss": plain_numbers(path.true_losses_by_step),
            "diverged_at": path.diverged_at,
            "no_gradient_at": path.no_gradient_at,
            "stopped_at": path.stopped_at,
            **path.anatomy(),
            **_sharpness(path),
            **({"path_steps": path.step_of_row.tolist()} if sparse else {}),
            **(_learned(path, plane_losses) if learned else {}),
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class DescentEntry(OptimizerEntry, RunEntry):
    """An optimizer on a surface."""

    varied: bool = False  # whether all entries are of one optimizer, which the caption names

    @property
    def names_optimizer(self) -> bool:
        return super().names_optimizer and not self.varied

    @property
    def optimizer(self) -> str:  # type: ignore[override]
        return self.spec.name

    @property
    def rate_source(self) -> str:  # type: ignore[override]
        return self.configured.source

    @property
    def sampled_temperature(self) -> float | None:  # type: ignore[override]
        return self.configured.optimizer.sampled_temperature

    def rate_at(self, step: int) -> float | None:
        return self.configured.optimizer.rate_at(step)

    @property
    def hyperparameters(self) -> dict[str, Any]:
        return self.configured.optimizer.hyperparameters()


@dataclass(frozen=True, eq=False, kw_only=True)
class RecordedEntry(RunEntry):
    """A path that another program recorded.

    apart is by how much its recorded losses differ from those of the surface, 0 if they agree;
    trained is whether it is a training, whose losses can be those of batches.
    """

    apart: float = 0.0
    trained: bool = False
    detail = "recorded"

    @property
    def settings(self) -> list[str]:
        return [self.detail]

    @property
    def notes(self) -> tuple[str, ...]:
        if not self.apart:
            return ()
        said = " differ from the surface's"
        if self.trained:
            said = ", perhaps of batches, differ from the model's"
        return (f"{self.label}: recorded losses{said} by up to {self.apart:.3g}",)


def _sharpness(path: Trajectory) -> dict[str, Any]:
    """Return the sharpness at each point, and what it is compared with, if it was recorded."""
    if path.sharpness is None:
        return {}
    reached = np.isfinite(path.points).all(axis=-1)
    limits = np.where(reached, path.stability_limits, np.nan)
    beside = {
        f"{role.replace('-', '_')}_sharpness": plain_numbers(values)
        for role, values in path.companions_sharpness.items()
    }
    return {
        "sharpness": plain_numbers(path.sharpness),
        "stability_limit": plain_numbers(limits),
        **beside,
    }


def _learned(path: Trajectory, plane_losses: Array | None) -> dict[str, Any]:
    """Return the values that only the path of a network, or of many variables, has."""
    batches = {} if path.true_losses is None else {"batch_loss": path.losses}
    planes = {} if plane_losses is None else {"plane_loss": plane_losses}
    numbers = {"distance": path.row_distances, **planes, **batches}
    return {
        **{key: plain_numbers(row) for key, row in numbers.items()},
        "accuracy": path.accuracy,
    }
