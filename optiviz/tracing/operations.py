"""The operations of a graph: what each computes, under the name that numpy has for it."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

# Arguments and results are numbers or truths.
OPERATIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in ("add", "subtract", "multiply", "divide", "power")},
    **{name: getattr(np, name) for name in ("floor_divide", "remainder", "fmod", "negative")},
    **{name: getattr(np, name) for name in ("absolute", "sign", "copysign", "floor", "ceil")},
    **{name: getattr(np, name) for name in ("trunc", "rint", "sqrt", "cbrt", "exp", "exp2")},
    **{name: getattr(np, name) for name in ("expm1", "log", "log1p", "log2", "log10", "hypot")},
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "arcsin", "arccos", "arctan")},
    **{name: getattr(np, name) for name in ("sinh", "cosh", "tanh", "arcsinh", "arccosh")},
    **{name: getattr(np, name) for name in ("arctanh", "arctan2", "logaddexp")},
    **{name: getattr(np, name) for name in ("maximum", "minimum", "fmax", "fmin", "where")},
    **{name: getattr(np, name) for name in ("greater", "greater_equal", "less", "less_equal")},
    **{name: getattr(np, name) for name in ("equal", "not_equal", "logical_and", "logical_or")},
    **{name: getattr(np, name) for name in ("logical_not", "isfinite", "isnan", "isinf")},
    "erf": math.erf,
}
PARTS = "value", "gradient", "hessian"  # of an objective, which programs call by these names
TRUTHS = frozenset(
    (
        *("greater", "greater_equal", "less", "less_equal", "equal", "not_equal"),
        *("logical_and", "logical_or", "logical_not", "isfinite", "isnan", "isinf"),
    )
)
# Names of numpy's functions that are written with those above, BITWISE for truths alone.
SAME = {"true_divide": "divide", "float_power": "power", "mod": "remainder", "fabs": "absolute"}
BITWISE = {
    "bitwise_and": "logical_and",
    "bitwise_or": "logical_or",
    "bitwise_xor": "not_equal",
    "invert": "logical_not",
}


def computed(name: str, *args: float | bool) -> float | bool:
    """Return the result of an operation on numbers."""
    numbers = (each if isinstance(each, bool) else float(each) for each in args)
    with np.errstate(all="ignore"):
        result = OPERATIONS[name](*numbers)
    return bool(result) if name in TRUTHS or isinstance(result, np.bool_) else float(result)
