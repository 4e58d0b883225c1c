"""Programs of optimizers, and how they are run in Python."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from optiviz.objective import Objective
from optiviz.shapes import ShapeForm
from optiviz.tracing.forms import StatePart
from optiviz.tracing.graph import Branch, Node, Scalar, Tree, reachable
from optiviz.tracing.operations import PARTS, computed


@dataclass(frozen=True)
class SketchProgram:
    """A method's sketch: `tree` returns the numbers of all shapes, of these forms, or nothing."""

    forms: tuple[ShapeForm, ...]
    tree: Tree


@dataclass(frozen=True)
class MethodProgram:
    """An optimizer as programs: `init` returns the first state, `step` the next point and state.

    variable are the names of the hyperparameters that are inputs, in order, and idle of those that
    have no effect on it. unsketched says why a method's sketch has no program, "" if it has one, or
    the method no sketch.
    """

    variable: tuple[str, ...]
    state: tuple[StatePart, ...]
    init: Tree
    step: Tree
    sketch: SketchProgram | None = None
    unsketched: str = ""
    idle: tuple[str, ...] = ()


def run(
    tree: Tree, inputs: Mapping[str, Sequence[float | bool]], objective: Objective | None = None
) -> dict[str, list[float | bool]]:
    """Return the results of a program by name, {} where it raises an error.

    inputs are lists of numbers: that under "x" has x/0, x/1 and so on. The objective is needed by
    a program that calls it.
    """
    values: dict[Node, Any] = {}

    def valued(scalar: Scalar) -> Any:
        return values[scalar] if isinstance(scalar, Node) else scalar

    def evaluate(scalars: Iterable[Scalar]) -> None:
        for node in reachable(scalars):
            if node in values:
                continue
            name, args = node.name, [valued(each) for each in node.args]
            if not args:
                key, _, place = name.partition("/")
                values[node] = inputs[key][int(place or 0)]
            elif name in PARTS:
                values[node] = getattr(objective, name)(np.array(args))
            elif name == "item":
                values[node] = float(args[0][tuple(args[1:])])
            else:
                values[node] = computed(name, *args)

    while isinstance(tree, Branch):
        evaluate([tree.condition])
        tree = tree.yes if values[tree.condition] else tree.no
    evaluate(each for result in tree.results.values() for each in result)
    return {name: [valued(each) for each in result] for name, result in tree.results.items()}
