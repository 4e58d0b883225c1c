"""The sets that a page shades: how they look, and their conditions as programs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import to_hex

from optiviz.kinds.style import Style
from optiviz.surfaces.fit import Fit
from optiviz.surfaces.formula import Formula
from optiviz.surfaces.origins import FitOrigin, FormulaOrigin, compiled
from optiviz.surfaces.surface import Surface
from optiviz.surfaces.syntax import with_params
from optiviz.themes import Theme
from optiviz.tracing.arrays import TracedArray
from optiviz.tracing.graph import Tree
from optiviz.tracing.objectives import InlineFormula, condition_program
from optiviz.views.ramp import SHADES
from optiviz.views.region import CASED, FLAT, OPACITIES, WIDTH, Shading, colors_of, shadings


def sets_told(surface: Surface, style: Style) -> dict[str, Any]:
    """Return what a page has to know of its sets, and of the lines at their edges."""
    return {
        "sets": [
            {"look": each.look, "label": each.region.label} for each in shadings(surface, style)
        ],
        "edge": {"width": WIDTH, "casing": CASED, "flat": FLAT, "opacities": OPACITIES},
    }


def set_ramps(surface: Surface, style: Style, theme: Theme) -> Mapping[str, Sequence[str]]:
    """Return the colours of the ground in each set, by how it looks."""
    looks = {each.look for each in shadings(surface, style)}
    return {
        look: [to_hex(color) for color in colors_of(theme, look)(np.arange(SHADES))]
        for look in sorted(looks)
    }


def set_programs(surface: Surface, style: Style) -> list[Tree]:
    """Return the conditions of the sets of a surface with a formula."""
    return [condition_program(surface.dim, _condition(each)) for each in shadings(surface, style)]


def _condition(shading: Shading) -> Any:
    surface: Any = shading.surface
    formula = shading.region.formula
    if shading.look == "infeasible":
        met = " and ".join(f"({each})" for each in surface.constraint_texts)
        formula = compiled(with_params(f"not ({met})", dict(surface.params)), surface.columns)
    if formula is not None:
        return _where(formula)
    assert isinstance(surface.origin, FormulaOrigin | FitOrigin)
    return _convex(surface.origin.compiled)


def _where(formula: Formula) -> Any:
    return lambda x: InlineFormula(formula).value(x) > 0.5


def _convex(formula: Formula | Fit) -> Any:
    def holds(x: TracedArray) -> Any:
        hessian = InlineFormula(formula).hessian(x)
        first, last = hessian[0, 0], hessian[-1, -1]
        minor = first * last - hessian[0, -1] ** 2 if formula.dim > 1 else first
        return (first > 0) & (minor > 0)

    return holds
