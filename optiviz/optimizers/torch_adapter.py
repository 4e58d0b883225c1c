"""PyTorch optimizers as solvers: they update their parameters in place and keep their state."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from optiviz.objective import Array, Objective, Stream
from optiviz.optimizers.base import OptimizerError, Solver
from optiviz.optimizers.schedules import Schedule
from optiviz.optimizers.third_party import ThirdPartyOptimizer, checked_point, ending_the_path
from optiviz.system import plugins
from optiviz.system.errors import InputError

TINY = np.finfo(float).tiny
PARAMETERS = "params", "parameters", "named_parameters"  # what asks for them, by name


@dataclass(frozen=True, eq=False, kw_only=True)
class Torch(ThirdPartyOptimizer, Solver):
    """A class derived from torch.optim.Optimizer, or a function that returns such optimizers.

    It gets one parameter per tensor of the objective, in its dtype and on its device, or else one
    of float64 that is all coordinates. They come as a list, with names if the first argument is
    called named_parameters, or as a module if it is called model. A function may return one
    optimizer or a list of several, each for some of the parameters.

    If its `step` requires a closure, it gets one and may call it any number of times. One with
    `eval` and `train` is shown at the point where it would be evaluated.
    """

    schedule: Schedule | None = None

    def __post_init__(self) -> None:
        """Raise an error for values that it rejects, for a vector, and for parts of a model."""
        with plugins.third_party_code(self.name, plugins.file_of(self.name) or ""):
            self._tried({"x": (2,)}, {"0.weight": (2, 2)}, {"0.weight": (2, 2), "0.bias": (2,)})

    def _tried(self, *shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Raise the first error unless it accepts parameters of some of these shapes."""
        errors = []
        for each in shapes:
            try:
                self._made(_Parameters.of_shapes(each))
            except Exception as error:
                errors.append(error)
            else:
                return
        raise errors[-1]

    def _made(self, parameters: "_Parameters") -> list[Any]:
        """Return the optimizers of some parameters.

        One that refuses a list of them gets those of two axes or more in a group with use_muon, and
        the others in one without, as Muon and its family ask for.
        """
        asked = _first(self.found)
        try:
            return self._checked(self.found(parameters.given(asked), **self.values))
        except Exception as error:
            groups = parameters.groups()
            if asked in ("model", "named_parameters") or not groups[0]["params"]:
                raise
            some = [each for each in groups if each["params"]]
            try:
                return self._checked(self.found(some, **self.values))
            except Exception:
                raise error from None

    def _checked(self, made: Any) -> list[Any]:
        """Return what was made as a list; raise InputError if these are no optimizers."""
        import torch

        several = list(made) if isinstance(made, list | tuple) else [made]
        if not several or not all(isinstance(each, torch.optim.Optimizer) for each in several):
            shown = "nothing" if made is None else f"an object of class {type(made).__name__}"
            raise InputError(
                f"{self.name} must return a torch optimizer of its parameters, or a list of them, "
                f"not {shown}"
            )
        return several

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
        with ending_the_path(self.name):
            parameters = _Parameters(objective, x)
            optimizers = self._begun(parameters)
            groups = [group for each in optimizers for group in each.param_groups]
            rates = [group.get("lr") for group in groups]
            step_of, chance = _Steps(optimizers, parameters, self.values.get("lr")), _Chance()
            for each in optimizers:
                _switch(each, "train")
        # Asked once: a check of a protocol takes longer than a step of a small vector.
        at = objective.at if isinstance(objective, Stream) else lambda _: objective
        for step in range(steps):
            here: Any = at(step)
            if self.schedule is not None:
                for group, rate in zip(groups, rates, strict=True):
                    group["lr"] = rate * self.schedule.factor(step)
            with ending_the_path(self.name), chance:
                step_of.take(here)
                with _evaluated(optimizers, parameters) as moved:
                    point = checked_point(parameters.vector(), x)
                parameters.known = None if moved else point
            yield point, parameters.states(optimizers)

    def _begun(self, parameters: "_Parameters") -> list[Any]:
        """Return the optimizers of a run; raise OptimizerError if they need matrices."""
        try:
            return self._made(parameters)
        except Exception:
            if any(each.dim() > 1 for each in parameters.named.values()):
                raise
            try:
                self._made(_Parameters.of_shapes({"0.weight": (2, 2)}))
            except Exception:
                pass
            else:
                raise OptimizerError(
                    "needs parameters that are matrices, as a network has"
                ) from None
            raise


class _Steps:
    """The steps of optimizers on their parameters, each as it asks to be called."""

    def __init__(self, optimizers: list[Any], parameters: "_Parameters", rate: Any) -> None:
        self._optimizers, self._parameters, self._rate = optimizers, parameters, rate
        self._curved = any(map(_wants_curvature, optimizers))
        self._closed = [_wants_closure(each.step) for each in optimizers]

    def take(self, here: Objective) -> None:
        """Take a step of each optimizer."""

        def look() -> Any:
            return self._parameters.look(here, self._curved)

        if not all(self._closed):
            look()
        for each, wants in zip(self._optimizers, self._closed, strict=True):
            if wants:
                each.step(look)
            elif hasattr(each, "fused_backward"):  # it moves them while gradients are computed
                each.fused_backward(self._parameters.loss(here), self._rate)
            else:
                try:
                    each.step()
                except Exception as error:
                    if "closure" not in str(error):
                        raise
                    each.step(look)


class _Chance:
    """Torch's random numbers in a run: the same in each, apart from those of everyone else."""

    def __init__(self) -> None:
        import torch

        self._own = torch.Generator().manual_seed(0).get_state()

    def __enter__(self) -> None:
        self._swap()

    def __exit__(self, *_: object) -> None:
        self._swap()

    def _swap(self) -> None:
        import torch

        others = torch.get_rng_state()
        torch.set_rng_state(self._own)
        self._own = others


class _Parameters:
    """The parameters of an objective as torch's, one per part."""

    def __init__(self, objective: Any, x: Array) -> None:
        import torch

        self._parts = getattr(objective, "parts", None) or ()
        kind: tuple[Any, Any] = getattr(objective, "tensor_kind", (torch.float64, "cpu"))
        self._dtype, self._device = kind
        self.known: Array | None = None  # the vector of all of them, if it was read since a step
        start = {part.name: part.of(x) for part in self._parts} or {"x": x}
        self.named = {
            name: torch.nn.Parameter(torch.tensor(each, dtype=self._dtype, device=self._device))
            for name, each in start.items()
        }

    @classmethod
    def of_shapes(cls, shapes: Mapping[str, tuple[int, ...]]) -> Self:
        """Return parameters of ones, on which an optimizer can be tried."""
        import torch

        made = cls(None, np.ones(0))
        made.named = {
            name: torch.nn.Parameter(torch.ones(shape, dtype=torch.float64))
            for name, shape in shapes.items()
        }
        return made

    def given(self, asked: str) -> Any:
        """Return them as what is asked for: named_parameters, a model, or else a list."""
        if asked == "named_parameters":
            return list(self.named.items())
        return self._module() if asked == "model" else list(self.named.values())

    def _module(self) -> Any:
        import torch

        whole = torch.nn.Module()
        for name, each in self.named.items():
            *places, last = name.split(".")
            here = whole
            for place in places:
                if place not in dict(here.named_children()):
                    here.add_module(place, torch.nn.Module())
                here = here.get_submodule(place)
            here.register_parameter(last, each)
        return whole

    def vector(self) -> Array:
        """Return a copy of all of them as one vector of float64."""
        import torch

        flat = torch.cat([each.detach().reshape(-1) for each in self.named.values()])
        found: Array = flat.cpu().to(torch.float64).numpy()
        return found

    def groups(self) -> list[dict[str, Any]]:
        """Return them as a group of matrices, with use_muon, and one of the others."""
        each = self.named.values()
        return [
            {"params": [one for one in each if (one.dim() > 1) is muon], "use_muon": muon}
            for muon in (True, False)
        ]

    def look(self, objective: Objective, curved: bool) -> Any:
        """Set their gradients and return the loss.

        If curved, gradients can be differentiated: by central differences of order 2.
        """
        import torch

        x, self.known = self.vector() if self.known is None else self.known, None
        value, gradient = objective.value_and_gradient(x)
        ways = self._split(gradient)
        if curved:
            nudge = float(torch.finfo(self._dtype).eps) ** (1 / 3) * max(1.0, np.linalg.norm(x))

            def bent(way: Array) -> Array:
                step = nudge / max(float(np.linalg.norm(way)), TINY) * way
                rise = objective.gradient(x + step) - objective.gradient(x - step)
                product: Array = rise * (np.linalg.norm(way) / (2 * nudge))
                return product

            ways = self._linked(ways, bent)
        for each, way in zip(self.named.values(), ways, strict=True):
            each.grad = way
        return torch.tensor(value, dtype=torch.float64)

    def loss(self, objective: Objective) -> Any:
        """Return the loss as a function of them, whose `backward` sets their gradients."""
        import torch

        value, gradient = objective.value_and_gradient(self.vector())
        for each in self.named.values():
            each.grad = None
        linked = self._linked([torch.tensor(value)], lambda way: gradient * way)
        return linked[0]

    def _linked(self, outputs: list[Any], backward: Callable[[Array], Array]) -> list[Any]:
        """Return tensors as functions of them.

        backward maps one vector, the weights of the outputs, to one of their derivatives.
        """
        import torch

        parameters = self

        class Linked(torch.autograd.Function):  # type: ignore[misc]
            @staticmethod
            def forward(ctx: Any, *_: Any) -> Any:
                return tuple(each.clone() for each in outputs)

            @staticmethod
            def backward(ctx: Any, *ways: Any) -> Any:
                way = torch.cat([each.reshape(-1) for each in ways]).cpu().double().numpy()
                return tuple(parameters._split(backward(way)))

        linked: list[Any] = list(Linked.apply(*self.named.values()))
        return linked

    def _split(self, vector: Array) -> list[Any]:
        """Return the tensors in one vector."""
        import torch

        flat = torch.tensor(vector, dtype=self._dtype, device=self._device)
        pieces = flat.split([each.numel() for each in self.named.values()])
        named = zip(pieces, self.named.values(), strict=True)
        return [piece.view_as(each) for piece, each in named]

    def states(self, optimizers: list[Any]) -> dict[str, Array]:
        """Return the state of the parameter, if there is only one."""
        if len(self.named) > 1:
            return {}
        (only,) = self.named.values()
        return _states(optimizers[0].state.get(only, {}))


@contextmanager
def _evaluated(optimizers: list[Any], parameters: _Parameters) -> Iterator[bool]:
    """Move optimizers that average to where they are evaluated, and back to the last bit.

    Yields whether there are any.
    """
    import torch

    averaging = [each for each in optimizers if _switches(each)]
    if not averaging:
        yield False
        return
    kept = [each.detach().clone() for each in parameters.named.values()]
    for each in averaging:
        _switch(each, "eval")
    yield True
    for each in averaging:
        _switch(each, "train")
    with torch.no_grad():
        for each, before in zip(parameters.named.values(), kept, strict=True):
            each.copy_(before)


def _switches(optimizer: Any) -> bool:
    """Return whether an optimizer has one mode for steps and another to be evaluated."""
    return all(callable(getattr(optimizer, each, None)) for each in ("eval", "train"))


def _switch(optimizer: Any, mode: str) -> None:
    if _switches(optimizer):
        getattr(optimizer, mode)()


def _first(found: Callable[..., Any]) -> str:
    """Return the name of the first parameter of a class or function, "" if it is unknown."""
    with suppress(TypeError, ValueError):
        return next(iter(inspect.signature(found).parameters), "")
    return ""


def makes_from_parameters(found: Callable[..., Any]) -> bool:
    """Return whether a function asks for parameters, as one that returns a torch optimizer does."""
    return inspect.isfunction(found) and _first(found) in PARAMETERS


def _wants_curvature(optimizer: Any) -> bool:
    """Return whether an optimizer differentiates gradients, unless it is given a Hessian."""
    return "hessian" in inspect.signature(inspect.unwrap(optimizer.step)).parameters


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
