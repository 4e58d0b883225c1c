"""Numbers of any size: a fraction times a power of two whose exponent is a number of its own.

With them, intermediate results of formulas neither overflow nor vanish: exp(1000)/exp(999) is e,
and log(exp(-1000)) is -1000. They take about twenty times as long as float64.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import ArrayLike, NDArray

from optiviz.objective import Array
from optiviz.surfaces import code

LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # sum: log(2)
ZERO = -1e300  # the exponent of 0
FAR = 1100  # powers of two by which float64 numbers can differ
SMALLEST = float(np.finfo(float).tiny)  # below, and at 0, digits may have been lost
EXACT = 2.0**52  # from here on, all numbers of float64 are whole


class Scaled:
    """Numbers fraction * 2**exponent, both arrays of the same shape.

    A fraction is 0, or its magnitude is in [0.5, 1), or it is not finite.
    """

    __array_ufunc__ = None  # numpy leaves operators to this class

    def __init__(self, fraction: Array, exponent: ArrayLike) -> None:
        self.fraction, shift = np.frexp(fraction)
        moved = np.asarray(exponent, float) + shift
        self.exponent = np.where(
            self.fraction == 0, ZERO, np.where(np.isfinite(fraction), moved, 0)
        )

    @classmethod
    def of(cls, value: "Scaled | ArrayLike") -> "Scaled":
        """Return numbers of float64 as scaled ones; scaled ones are returned as they are."""
        if isinstance(value, Scaled):
            return value
        return _constant(value) if isinstance(value, int | float) and value else _scaled(value)

    def to_float(self) -> Array:
        """Return the nearest numbers of float64: too large ones overflow, tiny ones are 0."""
        power = self.exponent.clip(-2 * FAR, 2 * FAR).astype(int)
        numbers: Array = np.ldexp(self.fraction, power)
        return numbers

    def __add__(self, other: "Scaled | ArrayLike") -> "Scaled":
        more = Scaled.of(other)
        highest = np.maximum(self.exponent, more.exponent)
        parts = [
            np.ldexp(each.fraction, (each.exponent - highest).clip(-FAR, 0).astype(int))
            for each in (self, more)
        ]
        return Scaled(parts[0] + parts[1], highest)

    __radd__ = __add__

    def __neg__(self) -> "Scaled":
        return Scaled(-self.fraction, self.exponent)

    def __sub__(self, other: "Scaled | ArrayLike") -> "Scaled":
        return self + -Scaled.of(other)

    def __rsub__(self, other: ArrayLike) -> "Scaled":
        return Scaled.of(other) - self

    def __mul__(self, other: "Scaled | ArrayLike") -> "Scaled":
        more = Scaled.of(other)
        return Scaled(self.fraction * more.fraction, self.exponent + more.exponent)

    __rmul__ = __mul__

    def __truediv__(self, other: "Scaled | ArrayLike") -> "Scaled":
        more = Scaled.of(other)
        return Scaled(self.fraction / more.fraction, self.exponent - more.exponent)

    def __rtruediv__(self, other: ArrayLike) -> "Scaled":
        return Scaled.of(other) / self

    def __pow__(self, other: "Scaled | ArrayLike") -> "Scaled":
        if isinstance(other, int | float) and other == 2:
            return self * self
        power = Scaled.of(other).to_float()
        whole = np.floor(self.exponent * power)
        moderate = np.abs(power) < FAR / 2  # then the power of a fraction does not vanish
        near = np.where(moderate, power, 1.0)
        product = np.power(self.fraction, near) * np.exp2(self.exponent * near - whole)
        logarithm = power * (np.log2(np.abs(self.fraction)) + self.exponent)
        base = np.where(self.fraction < 0, -1.0, 1.0)  # nan for a power that is not whole
        distant = np.power(base, np.where(moderate, 1.0, power)) * np.exp2(
            logarithm - np.floor(logarithm)
        )
        found = Scaled(
            np.where(moderate, product, distant), np.where(moderate, whole, np.floor(logarithm))
        )
        plain = np.power(self.fraction, power)  # of 0, inf or nan
        special = (self.fraction == 0) | ~np.isfinite(self.fraction) | ~np.isfinite(power)
        return where(special, plain, found)

    def __rpow__(self, other: ArrayLike) -> "Scaled":
        return Scaled.of(other) ** self


def _scaled(value: ArrayLike) -> Scaled:
    return Scaled(np.asarray(value, float), 0.0)


_constant = lru_cache(_scaled)  # of any but 0, which is no other key than -0.0


def exp(a: Scaled | ArrayLike) -> Scaled:
    """Return e to the power of a."""
    power = Scaled.of(a).to_float()
    whole = np.rint(power / np.log(2))
    rest = (power - whole * LN2_HIGH) - whole * LN2_LOW
    bounded = np.abs(power) < EXACT
    plain = np.where(np.isnan(power), np.nan, np.where(power > 0, np.inf, 0.0))
    return Scaled(np.where(bounded, np.exp(np.where(bounded, rest, 0)), plain),
                  np.where(bounded, whole, 0))  # fmt: skip


def log(a: Scaled | ArrayLike) -> Scaled:
    """Return the natural logarithm."""
    a = Scaled.of(a)
    near = np.abs(a.exponent) < FAR / 2
    known = np.log(np.where(near, np.ldexp(a.fraction, np.where(near, a.exponent, 0).astype(int)),
                            a.fraction))  # fmt: skip
    far = np.where(near | ~np.isfinite(known), 0, a.exponent)
    return Scaled.of(far * LN2_HIGH + (known + far * LN2_LOW))


def sqrt(a: Scaled | ArrayLike) -> Scaled:
    """Return the square root."""
    a = Scaled.of(a)
    odd = a.exponent % 2
    return Scaled(np.sqrt(a.fraction * 2.0**odd), (a.exponent - odd) / 2)


def where(condition: Any, a: Scaled | ArrayLike, b: Scaled | ArrayLike) -> Scaled:
    """Return a where a condition is not 0, else b."""
    holds = condition.fraction != 0 if isinstance(condition, Scaled) else condition
    first, second = Scaled.of(a), Scaled.of(b)
    return Scaled(
        np.where(holds, first.fraction, second.fraction),
        np.where(holds, first.exponent, second.exponent),
    )


def absolute(a: Scaled | ArrayLike) -> Scaled:
    """Return the absolute value."""
    a = Scaled.of(a)
    return Scaled(np.abs(a.fraction), a.exponent)


def sign(a: Scaled | ArrayLike) -> Scaled:
    """Return -1, 0 or 1."""
    return Scaled.of(np.sign(Scaled.of(a).fraction))


def _tiny(a: Scaled) -> NDArray[np.bool_]:
    """Return which numbers are so small that float64 would lose digits of them."""
    return a.exponent < -FAR / 2


def _less(a: Scaled | ArrayLike, b: Scaled | ArrayLike) -> NDArray[np.bool_]:
    return (Scaled.of(a) - b).fraction < 0


def _beyond(a: Scaled) -> NDArray[np.bool_]:
    """Return which numbers are too large for a function of float64."""
    return a.exponent > FAR / 2


def _in_float(function: Callable[..., Any]) -> Callable[..., Scaled]:
    """Return a function that is computed in float64."""

    def apply(*arguments: Any) -> Scaled:
        return Scaled.of(function(*(Scaled.of(each).to_float() for each in arguments)))

    return apply


def _or(
    function: Callable[..., Any],
    beyond: Callable[[Scaled], Any] | None = None,
    tiny: Callable[[Scaled], Any] | None = None,
) -> Callable[..., Scaled]:
    """Return a function that is computed in float64, or otherwise for extreme arguments."""

    def apply(argument: Scaled | ArrayLike) -> Scaled:
        a = Scaled.of(argument)
        found = Scaled.of(function(a.to_float()))
        for extreme, instead in (_beyond(a), beyond), (_tiny(a), tiny):
            if instead is not None and extreme.any():
                found = where(extreme, instead(a), found)
        return found

    return apply


def _itself(a: Scaled) -> Scaled:
    return a


def _grown(sign: float) -> Callable[..., Scaled]:
    """Return cosh, or sinh for sign -1."""
    plain = np.cosh if sign > 0 else np.sinh

    def apply(argument: Scaled | ArrayLike) -> Scaled:
        a = Scaled.of(argument)
        power = a.to_float()
        large = np.abs(power) > 20
        found = where(large, (exp(power) + sign * exp(-power)) / 2, plain(power))
        return found if sign > 0 else where(_tiny(a), a, found)

    return apply


def _expm1(argument: Scaled | ArrayLike) -> Scaled:
    a = Scaled.of(argument)
    power = a.to_float()
    large = power > 20
    found = where(large, exp(power) - 1, np.expm1(np.where(large, 0, power)))
    return where(_tiny(a), a, found)


def _logaddexp(a: Scaled | ArrayLike, b: Scaled | ArrayLike) -> Scaled:
    first, second = Scaled.of(a), Scaled.of(b)
    lower = _less(first, second)
    high, low = where(lower, second, first), where(lower, first, second)
    return high + FUNCTIONS["log1p"](exp(low - high))


def _atan2(b: Scaled | ArrayLike, a: Scaled | ArrayLike) -> Scaled:
    first, second = Scaled.of(b), Scaled.of(a)
    highest = np.maximum(first.exponent, second.exponent)
    both = (Scaled(each.fraction, each.exponent - highest) for each in (first, second))
    return Scaled.of(np.arctan2(*(each.to_float() for each in both)))


def _mod(a: Scaled | ArrayLike, b: Scaled | ArrayLike) -> Scaled:
    first, second = Scaled.of(a), Scaled.of(b)
    whole = Scaled.of(np.mod(first.to_float(), second.to_float()))
    extreme = _beyond(first) | _tiny(first) | _beyond(second) | _tiny(second)
    known = _less(absolute(first), absolute(second))  # else it has no digit that is known
    alike = (sign(first) * sign(second)).fraction >= 0
    rest = where(alike, first, first + second)
    return where(extreme, where(known, rest, np.nan), whole)


def _cbrt(a: Scaled) -> Scaled:
    return sign(a) * absolute(a) ** (1 / 3)


def _chosen(condition: Any, a: Scaled | ArrayLike, b: Scaled | ArrayLike) -> Scaled:
    """Return a where a condition holds, else b; nan where one of them is nan."""
    first, second = Scaled.of(a), Scaled.of(b)
    undefined = np.isnan(first.fraction) | np.isnan(second.fraction)
    return where(undefined, np.nan, where(condition, first, second))


def _sigmoid(a: Scaled | ArrayLike) -> Scaled:
    argument = Scaled.of(a)
    negative = argument.fraction < 0
    small = exp(where(negative, argument, -argument))
    return where(negative, small, 1.0) / (1.0 + small)


FUNCTIONS: dict[str, Callable[..., Scaled]] = {
    **{name: _in_float(function) for name, function in code.FUNCTIONS.items()},
    "exp": exp,
    "expm1": _expm1,
    "log": log,
    "log1p": _or(np.log1p, lambda a: log(1.0 + a), _itself),
    "log2": lambda a: log(a) / np.log(2),
    "log10": lambda a: log(a) / np.log(10),
    "logaddexp": _logaddexp,
    "softplus": lambda a: _logaddexp(0.0, a),
    "sigmoid": _sigmoid,
    "sqrt": sqrt,
    **{name: _or(code.FUNCTIONS[name], tiny=_itself) for name in ("sin", "tan", "tanh")},
    **{name: _or(code.FUNCTIONS[name], tiny=_itself) for name in ("arcsin", "arctan", "arctanh")},
    "erf": _or(code.erf, tiny=lambda a: a * (2 / np.sqrt(np.pi))),
    "cbrt": _or(np.cbrt, _cbrt, _cbrt),
    "sinh": _grown(-1.0),
    "cosh": _grown(1.0),
    "arcsinh": _or(np.arcsinh, lambda a: sign(a) * log(2.0 * absolute(a)), _itself),
    "arccosh": _or(np.arccosh, lambda a: log(2.0 * a)),
    "arctan2": _atan2,
    "abs": absolute,
    "sign": sign,
    "floor": _or(np.floor, _itself, lambda a: np.where(a.fraction < 0, -1.0, 0.0)),
    "ceil": _or(np.ceil, _itself, lambda a: np.where(a.fraction > 0, 1.0, 0.0)),
    "rint": _or(np.rint, _itself),
    "mod": _mod,
    "where": where,
    "maximum": lambda a, b: _chosen(_less(a, b), b, a),
    "minimum": lambda a, b: _chosen(_less(b, a), b, a),
    "not_below": lambda a, b: Scaled.of(np.where((Scaled.of(a) - b).fraction >= 0, 1.0, 0.0)),
    "above": lambda a, b: Scaled.of(np.where(_less(b, a), 1.0, 0.0)),
    "equal": lambda a, b: Scaled.of(np.where((Scaled.of(a) - b).fraction == 0, 1.0, 0.0)),
}


class _Watched(NDArrayOperatorsMixin):
    """An array that notes where it, or what is computed from it, leaves the range of float64."""

    def __init__(self, values: Any, left: NDArray[np.bool_]) -> None:
        self.values, self.left = values, left

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any) -> "_Watched":
        watched: _Watched = _watch(ufunc)(*inputs)
        return watched


def _watch(function: Callable[..., Any]) -> Callable[..., Any]:
    def apply(*inputs: Any) -> Any:
        found = function(*(each.values if isinstance(each, _Watched) else each for each in inputs))
        watched = next((each for each in inputs if isinstance(each, _Watched)), None)
        if watched is None:
            return found
        watched.left[...] |= ~np.isfinite(found) | (np.abs(found) < SMALLEST)
        return _Watched(found, watched.left)

    return apply


WATCHED: dict[str, Callable[..., Any]] = {
    name: _watch(function) for name, function in code.FUNCTIONS.items()
}


def leaves_range(watched: Callable[..., Any], coordinates: tuple[Array, ...]) -> NDArray[np.bool_]:
    """Return at which points any intermediate result of a code is not finite, or about 0.

    watched is the code as a function, with WATCHED as its functions.
    """
    left = np.zeros(coordinates[0].shape, bool)
    with np.errstate(all="ignore"):
        watched(*(_Watched(each, left) for each in coordinates))
    return left
