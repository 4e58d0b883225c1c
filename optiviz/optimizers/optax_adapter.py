"""Optax transforms as optimizers, compiled and in float64."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from optiviz.objective import Array, Objective
from optiviz.optimizers.base import Optimizer
from optiviz.optimizers.third_party import (
    ThirdPartyOptimizer,
    asking_for_a_class,
    checked_point,
    ending_the_path,
)
from optiviz.system import plugins
from optiviz.system.errors import InputError, require_package


@contextmanager
def _float64() -> Iterator[None]:
    import jax

    with jax.enable_x64(True):
        yield


@dataclass(frozen=True, eq=False, kw_only=True)
class Transform(ThirdPartyOptimizer, Optimizer):
    """A function that returns an optax transform.

    Its update receives value, grad and value_fn if it accepts them, so that line searches work.
    """

    vectorized: ClassVar[bool] = False

    def __post_init__(self) -> None:
        who = f"{self.name} is a function: if it returns an optax transform, it"
        try:
            with require_package(who, "optax", "optiviz-cli[optax]"):
                import optax  # noqa: F401
        except InputError as error:
            raise InputError(asking_for_a_class(f"{error}, or")) from None
        with plugins.third_party_code(self.name, plugins.file_of(self.name) or ""), _float64():
            made = self.found(**self.values)
        if not all(callable(getattr(made, each, None)) for each in ("init", "update")):
            said = f"{self.name} is a function that returns no optax transform:"
            raise InputError(asking_for_a_class(said))

    def init(self, x: Array) -> Any:
        import jax.numpy

        with ending_the_path(self.name), _float64():
            return self.found(**self.values).init(jax.numpy.asarray(x))

    def step(self, objective: Objective, x: Array, state: Any) -> tuple[Array, Any]:
        rate = self.values[self.rate] if self.rate else None
        traced = "" if rate is None else self.rate  # so that all rates share one compilation
        fixed = tuple((key, each) for key, each in self.values.items() if key != traced)
        with ending_the_path(self.name), _float64():
            value, gradient = objective.value_and_gradient(x)
            update = _compiled(self.found, fixed, traced)
            moved, state = update.at(objective)(rate if traced else 0.0, gradient, state, x, value)
            return checked_point(moved, x), state

    def scaled(self, factor: float) -> "Transform":
        return self.with_rate(self.values[self.rate] * factor)


class _Update:
    """One step of a transform, compiled on first use."""

    def __init__(self, found: Callable[..., Any], fixed: dict[str, Any], rate: str) -> None:
        import jax
        import optax

        self._objective: Objective | None = None
        bits = jax.lax.bitcast_convert_type

        # JAX may call back in a thread of its own, in which float64 is off: both ways go as bits.
        def called(what: str, shape: tuple[int, ...], x: Any) -> Any:
            def answer(x: Any) -> Any:
                point = np.ascontiguousarray(x).view(np.float64)[..., 0]
                found = np.asarray(getattr(self._here, what)(point), np.float64)
                return np.ascontiguousarray(found[..., None]).view(np.uint32)

            words = jax.ShapeDtypeStruct((*shape, 2), np.uint32)
            return bits(jax.pure_callback(answer, words, bits(x, np.uint32)), np.float64)

        def value(x: Any) -> Any:
            return called("value", (), x)

        def forward(x: Any) -> Any:
            return value(x), x

        def backward(x: Any, share: Any) -> Any:
            return (share * called("gradient", x.shape, x),)

        value_of: Any = jax.custom_vjp(value)
        value_of.defvjp(forward, backward)

        def update(lr: Any, gradient: Any, state: Any, x: Any, loss: Any) -> Any:
            made = found(**fixed, **({rate: lr} if rate else {}))
            moves, state = optax.with_extra_args_support(made).update(
                gradient, state, x, value=loss, grad=gradient, value_fn=value_of
            )
            return optax.apply_updates(x, moves), state

        self._update: Callable[..., Any] = jax.jit(update)

    @property
    def _here(self) -> Objective:
        assert self._objective is not None
        return self._objective

    def at(self, objective: Objective) -> Callable[..., Any]:
        """Return the compiled step, applied to an objective."""
        self._objective = objective
        return self._update


@cache
def _compiled(found: Callable[..., Any], fixed: tuple[Any, ...], rate: str) -> _Update:
    return _Update(found, dict(fixed), rate)
