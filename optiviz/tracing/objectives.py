"""Objectives while they are recorded, and the programs of formulas."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from optiviz.surfaces.code import FUNCTIONS
from optiviz.surfaces.fit import Fit
from optiviz.surfaces.formula import Formula
from optiviz.tracing.arrays import TracedArray, apply, input_array, nodes_of, scalars
from optiviz.tracing.graph import Graph, Scalar, Tree
from optiviz.tracing.operations import PARTS


class TracedObjective:
    """An objective of `dim` coordinates whose calls are recorded as calls."""

    def __init__(self, graph: Graph, dim: int) -> None:
        self._graph, self.dim = graph, dim

    def value(self, x: Any) -> TracedArray:
        """Return f(x), shape (...)."""
        return self._called("value", x, ())

    def gradient(self, x: Any) -> TracedArray:
        """Return df/dx, shape (..., dim)."""
        return self._called("gradient", x, (self.dim,))

    def value_and_gradient(self, x: Any) -> tuple[TracedArray, TracedArray]:
        """Return value and gradient."""
        return self.value(x), self.gradient(x)

    def hessian(self, x: Any) -> TracedArray:
        """Return d2f/dx2, shape (..., dim, dim)."""
        return self._called("hessian", x, (self.dim, self.dim))

    def _called(self, part: str, x: Any, shape: tuple[int, ...]) -> TracedArray:
        points = nodes_of(x)
        found = np.empty((*points.shape[:-1], *shape), object)
        for place in np.ndindex(*points.shape[:-1]):
            call = self._graph.call(part, *points[place])
            for index in np.ndindex(*shape):
                found[(*place, *index)] = self._graph.call("item", call, *index) if shape else call
        return TracedArray(self._graph, found)


def _erf(a: Any) -> Any:
    if not isinstance(a, TracedArray):
        return FUNCTIONS["erf"](a)
    return TracedArray(a.graph, apply(a.graph, "erf", a.nodes))


class InlineFormula:
    """A formula or fit whose code is recorded where it is called, at a point of shape (dim,)."""

    def __init__(self, formula: Formula | Fit) -> None:
        self._formula = formula

    def value(self, x: TracedArray) -> TracedArray:
        """Return f(x), shape ()."""
        return TracedArray(x.graph, _recorded(self._formula, "value", x)[0])

    def hessian(self, x: TracedArray) -> TracedArray:
        """Return d2f/dx2, shape (dim, dim)."""
        entries = TracedArray(x.graph, _recorded(self._formula, "hessian", x))
        return entries.reshape(self._formula.dim, self._formula.dim)


def condition_program(dim: int, holds: Callable[[TracedArray], TracedArray]) -> Tree:
    """Return the program of whether a condition holds at a point, under the name "value"."""
    graph = Graph()
    return graph.explore(lambda: {"value": scalars(holds(input_array(graph, "x", (dim,))))})


def formula_programs(formula: Formula | Fit) -> dict[str, Tree]:
    """Return the programs of value, gradient and Hessian of a formula, or of a fit to few samples.

    Their inputs are x/0, x/1 ... They are what its own code computes. Raises Untraceable if that
    cannot be recorded.
    """
    return {part: _program(formula, part) for part in PARTS}


def curve_program(fit: Fit) -> Tree:
    """Return the program of a fitted curve, under the name "value".

    Its inputs are the parameters and then the feature, as one point.
    """
    graph, loss = Graph(), cast(Any, fit.loss)  # which takes what is recorded as numbers

    def curve() -> dict[str, list[Scalar]]:
        (z,) = _recorded(fit.model, "value", input_array(graph, "x", (fit.model.dim,)))
        return {"value": scalars(loss.curve(_array(graph, z)))}

    return graph.explore(curve)


def _program(formula: Formula | Fit, part: str) -> Tree:
    graph = Graph()
    return graph.explore(
        lambda: {part: _recorded(formula, part, input_array(graph, "x", (formula.dim,)))}
    )


def _array(graph: Graph, number: Scalar) -> TracedArray:
    nodes = np.empty((), object)
    nodes[()] = number
    return TracedArray(graph, nodes)


def _recorded_fit(fit: Fit, part: str, x: TracedArray) -> list[Scalar]:
    """Return what a fit computes of a point, sample by sample, in the order of memory."""
    total, loss = cast(Any, 0.0), cast(Any, fit.loss)
    for feature, y in zip(fit.x.tolist(), fit.y.tolist(), strict=True):
        point = np.append(x.nodes, feature)
        at = TracedArray(x.graph, point)
        z, *slopes = (
            _array(x.graph, each) for each in _recorded(fit.model, "value_and_gradient", at)
        )
        slopes = slopes[: fit.dim]
        if part == "value":
            total = total + loss.value(z, y)
            continue
        slope = loss.slope(z, y)
        if part == "gradient":
            found = [slope * each for each in slopes]
        else:
            bent = _recorded(fit.model, "hessian", at)
            curvature, dim = loss.curvature(z, y), fit.dim
            found = [
                curvature * slopes[row] * slopes[column]
                + slope * _array(x.graph, bent[row * (dim + 1) + column])
                for row in range(dim)
                for column in range(dim)
            ]
        total = [a + b for a, b in zip(total or [0.0] * len(found), found, strict=True)]
    means = total if isinstance(total, list) else [total]
    return [each for mean in means for each in scalars(mean / fit.count)]


def _recorded(formula: Formula | Fit, part: str, x: TracedArray) -> list[Scalar]:
    """Return what the own code of a formula or fit computes of a point, in the order of memory."""
    if isinstance(formula, Fit):
        return _recorded_fit(formula, part, x)
    function = formula.compiled(part).bind({**FUNCTIONS, "erf": _erf})
    return [each for result in function(*x) for each in scalars(result)]
