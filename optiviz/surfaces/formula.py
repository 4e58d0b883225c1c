"""Formulas: a text compiled to its value, exact gradient and Hessian.

The text may be untrusted and is never executed: the grammar converts it to an expression, sympy
differentiates this and prints code, and only whitelisted nodes of that are compiled. The code is
cached on disk, because importing sympy takes as long as a short run.
"""

import json
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array
from optiviz.surfaces.code import Compiled, compile_code
from optiviz.system.cache import (
    cache_key,
    cached,
    ignore_cached,
    read_cached,
    source_hash,
    write_cached,
)

if TYPE_CHECKING:
    from optiviz.surfaces.derivation import Derivation

FEW_DIMENSIONS = 2  # up to which there are third derivatives

# What the code of a text depends on.
SOURCES = "derivation.py", "grammar.py", "nodes.py", "syntax.py", "vocabulary.py"


class Formula:
    """A function of `dim` variables, each part of which is compiled when first used.

    Raises InputError if its derivatives are too long, or take too long.
    """

    def __init__(self, dim: int, derivation: "Derivation | CachedDerivation") -> None:
        self.dim = dim
        self._derivation = derivation

    def value(self, x: Array) -> Array:
        """Return f(x), shape (...), for x of shape (..., dim)."""
        return self._value.run(*self._coordinates(x))[0]

    def gradient(self, x: Array) -> Array:
        """Return df/dx, shape (..., dim)."""
        return _vectors(self._gradient.run(*self._coordinates(x)))

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return value and gradient; common subexpressions are computed once."""
        value, *slope = self._value_and_gradient.run(*self._coordinates(x))
        return value, _vectors(slope)

    def hessian(self, x: Array) -> Array:
        """Return d2f/dx2, shape (..., dim, dim)."""
        entries = self._hessian.run(*self._coordinates(x))
        return np.stack(entries, axis=-1).reshape(*x.shape, self.dim)

    @property
    def third_derivatives(self) -> Callable[[Array], Array] | None:
        """The function that returns d3f/dx3, shape (..., dim, dim, dim).

        None in more than two dimensions, in which it has too many.
        """
        return self._third_derivatives if self.dim <= FEW_DIMENSIONS else None

    def _third_derivatives(self, x: Array) -> Array:
        entries = self._third.run(*self._coordinates(x))
        return np.stack(entries, axis=-1).reshape(*x.shape, self.dim, self.dim)

    def gradient_text(self) -> tuple[str, ...]:
        """Return the derivative with respect to each coordinate, in the syntax of formulas."""
        return self._derivation.gradient_text()

    @cached_property
    def _value(self) -> Compiled:
        return self.compiled("value")

    @cached_property
    def _gradient(self) -> Compiled:
        return self.compiled("gradient")

    @cached_property
    def _value_and_gradient(self) -> Compiled:
        return self.compiled("value_and_gradient")

    @cached_property
    def _hessian(self) -> Compiled:
        return self.compiled("hessian")

    @cached_property
    def _third(self) -> Compiled:
        return self.compiled("third_derivatives")

    def compiled(self, part: str) -> Compiled:
        """Return the code of a part, as `Derivation.code` names it."""
        return compile_code(self._derivation.code(part), self.dim)

    def _coordinates(self, x: Array) -> Iterator[Array]:
        return (x[..., i] for i in range(self.dim))


class DefinedFormula(Formula):
    """A formula made of others, its parts, which is nan where one of these is.

    Simplified, sqrt(x)**2 is x, which is also defined where sqrt(x) is not.
    """

    def __init__(self, whole: Formula, parts: Callable[[Array], Array]) -> None:
        super().__init__(whole.dim, whole._derivation)
        self._whole, self._parts = whole, parts

    def value(self, x: Array) -> Array:
        return np.where(self._undefined(x), np.nan, self._whole.value(x))

    def gradient(self, x: Array) -> Array:
        return np.where(self._undefined(x)[..., None], np.nan, self._whole.gradient(x))

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        undefined, (value, slope) = self._undefined(x), self._whole.value_and_gradient(x)
        masked = np.where(undefined, np.nan, value), np.where(undefined[..., None], np.nan, slope)
        return masked

    def hessian(self, x: Array) -> Array:
        return np.where(self._undefined(x)[..., None, None], np.nan, self._whole.hessian(x))

    def _third_derivatives(self, x: Array) -> Array:
        undefined = self._undefined(x)[..., None, None, None]
        return np.where(undefined, np.nan, self._whole._third_derivatives(x))

    def _undefined(self, x: Array) -> NDArray[np.bool_]:
        return np.asarray(np.isnan(self._parts(x)).any(axis=-1))


def _vectors(coordinates: list[Array]) -> Array:
    """Stack arrays along a new last axis, each contiguous in memory, which is faster."""
    return np.moveaxis(np.stack(coordinates), 0, -1)


class CachedDerivation:
    """The derivation of a text, read from the cache folder if possible.

    Raises InputError if the text is not a formula: it is parsed unless its code is cached.
    """

    def __init__(self, text: str, variables: tuple[str, ...], ours: bool) -> None:
        self._text, self._variables, self._ours = text, variables, ours
        self._dim = len(variables)
        if not text.isascii() or self._read_code("value") is None:
            _ = self._derivation

    def code(self, part: str) -> str:
        """Return the code of a part, as `Derivation.code` does."""
        known = self._read_code(part)
        if known is None:
            known = self._derivation.code(part)
            write_cached(self._file(part), known.encode())
        return known

    def gradient_text(self) -> tuple[str, ...]:
        """Return the derivatives as text, as `Derivation.gradient_text` does."""
        known = cached(
            self._file("gradient_text"),
            lambda: json.dumps(self._derivation.gradient_text()).encode(),
        )
        return tuple(json.loads(known))

    @cached_property
    def _derivation(self) -> "Derivation":
        # Imports sympy, which takes as long as a short run.
        from optiviz.surfaces.derivation import derive

        return derive(self._text, self._variables, self._ours)

    def _read_code(self, part: str) -> str | None:
        """Return the cached code of a part, or None if it is missing or not valid."""
        known = read_cached(self._file(part))
        try:
            if known is not None:
                code = known.decode()
                compile_code(code, self._dim)
                return code
        except ValueError as error:
            ignore_cached(self._file(part), str(error))
        return None

    def _file(self, part: str) -> str:
        return f"formulas/{cache_key(_sources(), ','.join(self._variables), self._text, part)}"


@cache
def formula(text: str, variables: tuple[str, ...], ours: bool = False) -> Formula:
    """Return the formula of a text; the same text is parsed and compiled once per process.

    A bundled formula (`ours`) has no time limit: it is known to finish, however slow the machine.
    """
    return Formula(len(variables), CachedDerivation(text, variables, ours))


@cache
def _sources() -> str:
    """Return the hash of all that the code of a text depends on."""
    return cache_key(version("sympy"), source_hash("optiviz.surfaces", *SOURCES))
