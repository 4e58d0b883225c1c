"""PyTorch optimizers as solvers: they update their parameters in place and keep their state."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Self

from optiviz.objective import Array, Objective, Stream
from optiviz.optimizers.base import Solver
from optiviz.optimizers.schedules import Schedule
from optiviz.optimizers.third_party import ThirdPartyOptimizer, checked_point, ending_the_path
from optiviz.system import plugins
from optiviz.system.errors import InputError


@dataclass(frozen=True, eq=False, kw_only=True)
class Torch(ThirdPartyOptimizer, Solver):
    """A class derived from torch.optim.Optimizer, applied to one float64 parameter.

    If its `step` requires a closure, it gets one and may call it any number of times.
    """

    schedule: Schedule | None = None

    def __post_init__(self) -> None:
        import torch

        with plugins.third_party_code(self.name, plugins.file_of(self.name) or ""):
            self.found([torch.nn.Parameter(torch.zeros(2, dtype=torch.float64))], **self.values)

    def with_schedule(self, schedule: Schedule) -> Self:
        if not isinstance(self.values.get("lr"), int | float):
            raise InputError("has no learning rate for a schedule to change")
        return replace(self, schedule=schedule)

    def hyperparameters(self) -> dict[str, Any]:
        shown = super().hyperparameters()
        return shown if self.schedule is None else shown | {"schedule": str(self.schedule)}

    def settings(self) -> dict[str, Any]:
        return {key: value for key, value in super().settings().items() if key != "schedule"}

    def run(
        self, objective: Objective | Stream, x: Array, steps: int
    ) -> Iterator[tuple[Array, Any]]:
        import torch

        with ending_the_path(self.name):
            parameter = torch.nn.Parameter(torch.tensor(x, dtype=torch.float64))
            optimizer = self.found([parameter], **self.values)
            rates = [group.get("lr") for group in optimizer.param_groups]
        closed = _wants_closure(optimizer.step)

        def look() -> Any:
            value, gradient = here.value_and_gradient(parameter.detach().numpy().copy())
            parameter.grad = torch.tensor(gradient, dtype=torch.float64)
            return torch.tensor(value, dtype=torch.float64)

        for step in range(steps):
            here = objective.at(step) if isinstance(objective, Stream) else objective
            if self.schedule is not None:
                for group, rate in zip(optimizer.param_groups, rates, strict=True):
                    group["lr"] = rate * self.schedule.factor(step)
            with ending_the_path(self.name):
                if closed:
                    optimizer.step(look)
                else:
                    look()
                    optimizer.step()
                point = checked_point(parameter.detach().numpy(), x)
            yield point, _states(optimizer.state.get(parameter, {}))


def _wants_closure(step: Callable[..., Any]) -> bool:
    """Return whether an optimizer's `step` requires a closure."""
    # torch wraps `step` in hooks that hide its signature.
    declared = inspect.signature(inspect.unwrap(step)).parameters.values()
    needed = [
        each
        for each in declared
        if each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD
    ]
    return any(each.name != "self" for each in needed)


def _states(kept: Mapping[str, Any]) -> dict[str, Array]:
    """Return the tensors of a parameter's state by name, as float64, without complex ones."""
    found = {}
    for name, each in kept.items():
        with suppress(Exception):  # a library may keep anything, and tensors of any type
            if not each.is_complex():
                found[name] = each.detach().double().numpy().copy()
    return found
