"""What the declaration of a surface may leave out, or write in another way."""

from collections.abc import Mapping, Sequence
from typing import Any

from optiviz.surfaces.config import FitConfig
from optiviz.surfaces.domain import variable_names
from optiviz.surfaces.formulas import half_sum_of_squares, joined, split_formulas
from optiviz.surfaces.origins import DEFAULT_INTERVAL
from optiviz.surfaces.syntax import AXES, variables_of, with_params
from optiviz.system.validation import checked


def completed(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the declaration of a surface with what follows from the rest of it.

    That is the formula of residuals, the names of the variables where they are not x and y, what a
    function or the data of a fit say of themselves, and values by name in the order of variables.
    """
    filled = dict(declared)
    if isinstance(given := joined(filled.get("residuals")), str) and not filled.get("formula"):
        filled["formula"] = half_sum_of_squares(split_formulas(given))
    if isinstance(text := filled.get("formula"), str) and not filled.get("variables"):
        params = filled.get("params")
        known = dict.fromkeys(params, 1.0) if isinstance(params, Mapping) else {}
        names = variables_of(with_params(text, known))
        if names not in (AXES, AXES[:1]):
            filled["variables"] = names
    if callable(function := filled.get("function")):
        from optiviz.surfaces.function import declaration

        filled = declaration(function, variable_names(filled.get("variables") or ())) | filled
    if filled.get("fit") is not None:
        fit = checked(FitConfig, filled["fit"])
        filled = _with_best_fit(fit, filled) if isinstance(fit, FitConfig) else filled
    if filled.get("quadratic") is not None:
        filled = {"variables": AXES, **filled}
    given = filled.get("variables")
    if isinstance(given, str | int):
        given = variable_names(given)
    if filled.get("quadratic") is not None and isinstance(given, tuple | list):
        filled = _with_minimum(filled, len(given))
    if isinstance(given, tuple | list):
        for key in {"domain", "start", "bounds"} & filled.keys():
            filled[key] = placed(filled[key], given)
        for key in ("starts", "minima"):
            if isinstance(filled.get(key), list | tuple):
                filled[key] = [placed(each, given) for each in filled[key]]
    return filled


def _with_best_fit(config: FitConfig, declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return a declaration with the variables of its fit, the window around it, and the minimum.

    A recipe has all of that, and its file is not read for it.
    """
    filled = dict(declared)
    if config.sha256 and {"variables", "domain"} <= filled.keys():
        return filled
    names = filled.setdefault("variables", config.names.parameters)
    names = tuple(variable_names(names)) if isinstance(names, str | int) else tuple(names)
    known = config.names.parameters
    if sorted(names) != sorted(known):  # which is told
        return {"domain": [DEFAULT_INTERVAL] * len(known), **filled}
    if "domain" in filled and {"minima", "name"} & filled.keys():
        return filled
    # Imports a compiler, which a list of surfaces does not need.
    from optiviz.surfaces.fit import best_fit

    found = best_fit(config, names)
    filled.setdefault("domain", found.window or (DEFAULT_INTERVAL,) * len(names))
    if not {"minima", "name"} & filled.keys():
        filled["minima"] = (found.parameters,) if found.parameters else ()
    return filled


def _with_minimum(declared: dict[str, Any], dim: int) -> dict[str, Any]:
    """Return the declaration of a quadratic with its window and its minimum, if it is drawn."""
    if dim > len(AXES):
        return declared
    return {"domain": [DEFAULT_INTERVAL] * dim, "minima": [(1.0,) * dim], **declared}


def placed(value: Any, names: Sequence[str]) -> Any:
    """Return values by the names of variables as a list in the order of these."""
    named = isinstance(value, Mapping) and set(value) == set(names) != set(AXES)
    return [value[name] for name in names] if named else value
