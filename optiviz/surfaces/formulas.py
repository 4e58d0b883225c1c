"""Several formulas in one text, such as the residuals of a sum of squares."""

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from optiviz.objective import Array
from optiviz.surfaces.origins import compiled
from optiviz.surfaces.syntax import free_names, parse_text, with_params
from optiviz.system.errors import did_you_mean
from optiviz.system.json_schema import TEXT, Schema, one_or_several
from optiviz.system.text import counted

if TYPE_CHECKING:
    from optiviz.surfaces.formula import Formula

MAX_FORMULAS = 100
# A root, or a power that is no whole number, which may be one.
ROOT = re.compile(r"sqrt|(\*\*|\^)(?!\s*\(?-?\d+(\.0)?\b(?!\.|/))")


def split_formulas(text: str) -> tuple[str, ...]:
    """Return the formulas in a text, between commas that are in no brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return tuple(" ".join(part.split()) for part in parts)


def joined(value: Any) -> Any:
    """Return a list of texts as one text, and anything else as it is."""
    listed = isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    return ", ".join(value) if listed else value


def half_sum_of_squares(texts: tuple[str, ...]) -> str:
    """Return the formula of half the sum of the squares of residuals."""
    squares = " + ".join(f"({text})**2" for text in texts)
    return f"({squares})/2" if len(texts) > 1 else f"{squares}/2"


@dataclass(frozen=True)
class Formulas:
    """Formulas of the same variables, as a function: its values are those of all of them.

    params are the values of other names in them.
    """

    example: ClassVar = "y - x**2, 1 - x"
    texts: tuple[str, ...]
    variables: tuple[str, ...] = ()
    params: tuple[tuple[str, float], ...] = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read them from a text or a list of texts, and write them as a text."""
        return core_schema.no_info_plain_validator_function(
            cls.read,
            serialization=core_schema.plain_serializer_function_ser_schema(str, when_used="json"),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: Any) -> Schema:
        return one_or_several(TEXT)

    @classmethod
    def read(cls, value: Any) -> Self:
        """Return the formulas of a text or a list of texts; raise ValueError if it is none."""
        if isinstance(value, cls):
            return value
        text = joined(value)
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f'must be formulas, with commas between them, as in "{cls.example}"')
        return cls(split_formulas(text))

    def __str__(self) -> str:
        return ", ".join(self.texts)

    @property
    def has_roots(self) -> bool:
        """Whether one may have a root, which is simplified away in its square."""
        params = dict(self.params)
        return any(ROOT.search(with_params(text, params)) for text in self.texts)

    def of(self, variables: tuple[str, ...], params: tuple[tuple[str, float], ...]) -> Self:
        """Return the formulas of these variables and values."""
        return replace(self, variables=variables, params=params)

    def __call__(self, x: Array) -> Array:
        """Return the values, shape (..., n), for x of shape (..., dim)."""
        return np.stack([each.value(x) for each in self._compiled()], axis=-1)

    def jacobian(self, x: Array) -> Array:
        """Return their derivatives, shape (..., n, dim)."""
        return np.stack([each.gradient(x) for each in self._compiled()], axis=-2)

    def check(self) -> None:
        """Raise ValueError or InputError if a formula is invalid, or there are too many."""
        if len(self.texts) > MAX_FORMULAS:
            raise ValueError(f"more than {MAX_FORMULAS} are not allowed")
        self._compiled()

    def _compiled(self) -> "list[Formula]":
        params = dict(self.params)
        return [compiled(with_params(text, params), self.variables) for text in self.texts]


class Metric(Formulas):
    """The formulas of a metric, row by row, as a function: its values are matrices."""

    example: ClassVar = "1, 0, 0, x**2"

    def __call__(self, x: Array) -> Array:
        """Return the metric, shape (..., dim, dim), for x of shape (..., dim)."""
        return super().__call__(x).reshape(*x.shape, x.shape[-1])

    def check(self) -> None:
        params = dict(self.params)
        for text in self.texts:
            for name in sorted(free_names(parse_text(with_params(text, params)))):
                if name not in self.variables:
                    said = did_you_mean("variable", name, self.variables)
                    raise ValueError(f"formula {text!r}: {said}")
        super().check()
        dim = len(self.variables)
        if len(self.texts) != dim**2:
            example = "1/y**2, 0, 0, 2/y**2" if dim > 1 else "1/x**2"
            raise ValueError(
                f"has {counted(len(self.texts), 'formula')}, but {counted(dim, 'variable')} need "
                f"{dim**2}, row by row: write, for example, {example}"
            )
        if dim > 1 and self.texts[1] != self.texts[2]:
            raise ValueError(f"is not symmetric: {self.texts[1]} and {self.texts[2]} must be equal")
