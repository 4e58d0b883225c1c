"""Sets of points of a surface: those at which a condition holds."""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array
from optiviz.surfaces.domain import check_unmistakable
from optiviz.surfaces.formula import Formula
from optiviz.surfaces.origins import compiled
from optiviz.surfaces.syntax import free_names, parse_text, with_params
from optiviz.system.errors import InputError, did_you_mean, is_typo
from optiviz.system.synonyms import meanings, squashed
from optiviz.system.text import shorten

if TYPE_CHECKING:
    from optiviz.surfaces.surface import Surface

Bools = NDArray[np.bool_]

SIGNS = {"<=": "\u2264", ">=": "\u2265", "!=": "\u2260", "**2": "\u00b2", "**3": "\u00b3"}
CONVEX = "convex"  # the condition that second derivatives are those of a convex function


@dataclass(frozen=True)
class Region:
    """The points of a surface at which a condition holds.

    contains returns whether points of shape (..., dim) are in it, shape (...); undefined is no.
    formula is the condition, 1 where it holds and else 0, None if it is no formula.
    """

    label: str
    contains: Callable[[Array], Bools]
    formula: Formula | None = None


def condition_text(text: str) -> str:
    """Return a condition in single spaces; raise InputError if it is none, such as x**2."""
    text = " ".join(text.split())
    if text == CONVEX:
        return text
    said = shorten(text, quoted=True)
    if is_typo(text, CONVEX) or squashed(text) == CONVEX or CONVEX in meanings(text):
        raise InputError(f"unknown condition {said}: did you mean {CONVEX!r}?")
    if (equal := re.sub(r"(?<![<>!=:])\s*(?<![<>!=:])=(?!=)\s*", " == ", text)) != text:
        raise InputError(f"{said} is not a condition: write {equal}")
    match parse_text(text):
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return text
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
            return text
    raise InputError(f"{said} is not a condition: write a comparison, such as {text} > 0")


def region_where(text: str, surface: "Surface") -> Region:
    """Return the points of a surface at which a condition holds.

    It is in the variables of the surface, or in the names of its axes. "convex" holds where the
    Hessian is positive definite. Raises InputError for other names, and where there is no Hessian.
    """
    if text == CONVEX:
        return Region(CONVEX, _positive_definite(surface))
    valued = with_params(text, dict(surface.params))
    used, names = free_names(parse_text(valued)), surface.columns
    if CONVEX in used:
        raise InputError(f"{CONVEX} cannot be combined with other conditions")
    check_unmistakable(used, names, surface.axes)
    if not used <= {*names}:
        axes = zip(surface.axis_names, names, strict=True)
        named = tuple(axis if axis.isidentifier() else name for axis, name in axes)
        for name in sorted(used - {*named}):
            raise InputError(did_you_mean("variable", name, {*names, *named}))
        names = named
    formula = compiled(valued, names)

    def contains(points: Array) -> Bools:
        with np.errstate(all="ignore"):
            return np.asarray(formula.value(points) > 0.5)

    return Region(_shown(text), contains, formula)


def _shown(text: str) -> str:
    """Return a condition with the signs of mathematics."""
    return re.sub(r"[<>!]=|\*\*[23](?![\d.])", lambda found: SIGNS[found[0]], text)


def _positive_definite(surface: "Surface") -> Callable[[Array], Bools]:
    """Return whether the Hessian at points is positive definite, by Sylvester's criterion."""
    check_hessian(CONVEX, surface)

    def contains(points: Array) -> Bools:
        with np.errstate(all="ignore"):
            hessian = surface.hessian(points)
            first, last = hessian[..., 0, 0], hessian[..., -1, -1]
            minor = first * last - hessian[..., 0, -1] ** 2 if surface.dim > 1 else first
            return np.asarray((first > 0) & (minor > 0))

    return contains


def check_hessian(what: str, surface: "Surface") -> None:
    """Raise InputError if a surface has no second derivatives, which `what` needs."""
    if surface.learns:
        name = surface.name or "the model"
        raise InputError(f"{what} needs second derivatives, which {name} does not have")
