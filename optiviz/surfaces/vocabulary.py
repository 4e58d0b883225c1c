"""The words of formulas: functions, constants, other spellings, and what to write for other words.

Strings only, so that a list of them imports nothing else.
"""

from typing import NamedTuple


class Word(NamedTuple):
    """A function of formulas: how it is called, how many arguments it takes, and what it is."""

    call: str
    about: str
    least: int = 1
    most: int = 1


MANY = 20  # arguments of max and min

FUNCTIONS: dict[str, Word] = {
    "sin": Word("sin(a)", "sine"),
    "cos": Word("cos(a)", "cosine"),
    "tan": Word("tan(a)", "tangent"),
    "asin": Word("asin(a)", "inverse sine"),
    "acos": Word("acos(a)", "inverse cosine"),
    "atan": Word("atan(a)", "inverse tangent"),
    "atan2": Word("atan2(b, a)", "angle of the point (a, b), from -pi to pi", 2, 2),
    "sinh": Word("sinh(a)", "hyperbolic sine"),
    "cosh": Word("cosh(a)", "hyperbolic cosine"),
    "tanh": Word("tanh(a)", "hyperbolic tangent"),
    "asinh": Word("asinh(a)", "inverse hyperbolic sine"),
    "acosh": Word("acosh(a)", "inverse hyperbolic cosine"),
    "atanh": Word("atanh(a)", "inverse hyperbolic tangent"),
    "exp": Word("exp(a)", "e to the power of a"),
    "exp2": Word("exp2(a)", "2 to the power of a"),
    "expm1": Word("expm1(a)", "exp(a) - 1, exact near 0"),
    "log": Word("log(a)", "natural logarithm"),
    "log1p": Word("log1p(a)", "log(1 + a), exact near 0"),
    "log2": Word("log2(a)", "logarithm to base 2"),
    "log10": Word("log10(a)", "logarithm to base 10"),
    "logaddexp": Word("logaddexp(a, b)", "log(exp(a) + exp(b))", 2, 2),
    "sqrt": Word("sqrt(a)", "square root"),
    "cbrt": Word("cbrt(a)", "cube root, of negative numbers as well"),
    "square": Word("square(a)", "a**2"),
    "power": Word("power(a, b)", "a**b", 2, 2),
    "hypot": Word("hypot(a, b)", "sqrt(a**2 + b**2)", 2, 2),
    "abs": Word("abs(a)", "absolute value; slope 0 at 0"),
    "sign": Word("sign(a)", "-1, 0 or 1; slope 0"),
    "floor": Word("floor(a)", "the largest whole number up to a; slope 0"),
    "ceil": Word("ceil(a)", "the smallest whole number from a on; slope 0"),
    "round": Word("round(a)", "the nearest whole number, halves to even ones; slope 0"),
    "mod": Word("mod(a, b)", "a % b: the remainder of a/b, with the sign of b", 2, 2),
    "max": Word("max(a, b, ...)", "the largest; where some tie, the slope of the first", 1, MANY),
    "min": Word("min(a, b, ...)", "the smallest; where some tie, the slope of the first", 1, MANY),
    "clip": Word("clip(a, low, high)", "min(max(a, low), high)", 3, 3),
    "where": Word("where(a > b, c, d)", "c where the condition holds, else d", 3, 3),
    "sigmoid": Word("sigmoid(a)", "1/(1 + exp(-a))"),
    "softplus": Word("softplus(a)", "log(1 + exp(a))"),
    "relu": Word("relu(a)", "max(0, a)"),
    "erf": Word("erf(a)", "error function"),
    "sinc": Word("sinc(a)", "sin(pi*a)/(pi*a), as in numpy"),
    "sum": Word("sum(v)", "sum of a vector, or of a[i] for i in range(n)"),
    "prod": Word("prod(v)", "product of a vector, or of a[i] for i in range(n)"),
    "mean": Word("mean(v)", "mean of a vector, or of a[i] for i in range(n)"),
    "norm": Word("norm(v)", "Euclidean length of a vector"),
    "dot": Word("dot(v, w)", "sum of the products of two vectors", 2, 2),
    "len": Word("len(v)", "number of coordinates of a vector"),
}
OPERATORS = {
    "+ - * / ** %": "arithmetic",
    "< <= > >= == !=": "comparisons, 1 where they hold and else 0: a*(x > 0), 0 < x < 1",
    "and or not": "of conditions, also & and |; c if a > b else d is where(a > b, c, d)",
    "x[0] x[-1] x[1:]": "coordinates of the vector x, whose length is --dim",
    "for i in range(n)": "in sums: sum(x[i]**2 for i in range(9)), also zip and enumerate",
    "np. math.": "may stand before a function",
}
CONSTANTS = {"pi": "3.14159...", "e": "2.71828..."}
# Modules that may stand before a word, as in np.sin or scipy.special.expit.
MODULES = "np", "numpy", "math", "jnp", "jax", "torch", "F", "nn", "tf", "scipy", "special"

# Spellings of numpy and of others, by the word that they stand for.
SPELLINGS: dict[str, str] = {
    "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh",
    "ln": "log", "absolute": "abs", "fabs": "abs", "sgn": "sign",
    "maximum": "max", "fmax": "max", "minimum": "min", "fmin": "min",
    "amax": "max", "amin": "min", "pow": "power", "ceiling": "ceil", "rint": "round",
    "around": "round", "expit": "sigmoid", "logistic": "sigmoid", "product": "prod",
}  # fmt: skip

# What to write for a function that formulas do not have; {0}, {1} are its arguments.
REWRITINGS: dict[str, str] = {
    "cot": "1/tan({0})",
    "sec": "1/cos({0})",
    "csc": "1/sin({0})",
    "coth": "1/tanh({0})",
    "sech": "1/cosh({0})",
    "csch": "1/sinh({0})",
    "sqr": "({0})**2",
    "cube": "({0})**3",
    "exp10": "10**({0})",
    "reciprocal": "1/({0})",
    "negative": "-({0})",
    "radians": "({0})*pi/180",
    "deg2rad": "({0})*pi/180",
    "degrees": "({0})*180/pi",
    "rad2deg": "({0})*180/pi",
    "sind": "sin(({0})*pi/180)",
    "cosd": "cos(({0})*pi/180)",
    "tand": "tan(({0})*pi/180)",
    "trunc": "sign({0})*floor(abs({0}))",
    "fix": "sign({0})*floor(abs({0}))",
    "frac": "({0}) - floor({0})",
    "erfc": "1 - erf({0})",
    "sigm": "sigmoid({0})",
    "logit": "log(({0})/(1 - ({0})))",
    "logsigmoid": "-softplus(-({0}))",
    "log_sigmoid": "-softplus(-({0}))",
    "silu": "({0})*sigmoid({0})",
    "swish": "({0})*sigmoid({0})",
    "mish": "({0})*tanh(softplus({0}))",
    "gelu": "({0})*(1 + erf(({0})/sqrt(2)))/2",
    "elu": "where(({0}) > 0, {0}, expm1({0}))",
    "leaky_relu": "max({0}, 0.01*({0}))",
    "relu6": "min(max(0, {0}), 6)",
    "hardtanh": "clip({0}, -1, 1)",
    "softsign": "({0})/(1 + abs({0}))",
    "heaviside": "where(({0}) > 0, 1, where(({0}) == 0, {1}, 0))",
    "step": "where(({0}) >= 0, 1, 0)",
    "fmod": "sign({0})*mod(abs({0}), abs({1}))",
    "clamp": "clip({0}, {1}, {2})",
    "add": "({0}) + ({1})",
    "subtract": "({0}) - ({1})",
    "multiply": "({0})*({1})",
    "divide": "({0})/({1})",
}

# Functions that formulas do not have, and that no close word stands for.
UNLIKE = {
    *("gamma", "lgamma", "gammaln", "digamma", "beta", "zeta", "factorial", "comb", "binom"),
    *("erfi", "erfcx", "erfcinv", "expi", "exp1", "exprel", "expint", "log1mexp", "sinhc", "acot"),
    *("erfinv", "lambertw", "airy", "j0", "j1", "jn", "y0", "y1", "yn", "iv", "kv", "si", "ci"),
    *("real", "imag", "conj", "angle", "gcd", "lcm", "isnan", "isinf", "isfinite", "diff", "grad"),
    *("softmax", "logsumexp", "argmax", "argmin", "median", "var", "std", "cumsum", "cumprod"),
    *("cross", "outer", "det", "inv", "random", "rand", "randn", "normal", "uniform", "linspace"),
    *("arange", "zeros", "ones", "array", "abs2", "sinc2", "cosc", "sinpi", "cospi", "tanpi"),
}  # fmt: skip


def spelled(name: str) -> str:
    """Return the word of formulas that a name stands for: that name, unless it is a spelling."""
    return SPELLINGS.get(name, name)
