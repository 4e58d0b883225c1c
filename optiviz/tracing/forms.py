"""The form of an optimizer's state: a flat list of numbers, and what they stand for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from optiviz.optimizers.third_party import UserRunState
from optiviz.tracing.arrays import Nodes, TracedArray, nodes_of
from optiviz.tracing.graph import Graph, Scalar, Untraceable

LEAF = "leaf"


class StatePart(NamedTuple):
    """A number or an array in a state: its name and its shape."""

    name: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """The number of its elements."""
        return int(np.prod(self.shape))


class Form:
    """The structure of a state, and the parts in it, in order."""

    def __init__(self, structure: Any, parts: Sequence[StatePart]) -> None:
        self._structure, self.parts = structure, tuple(parts)

    @classmethod
    def of(cls, state: Any) -> "Form":
        """Return the form of a state; raise Untraceable if it holds anything but numbers."""
        structure, leaves = _split(state, "state")
        return cls(structure, [StatePart(name, leaf.shape) for name, leaf in leaves])

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The shapes of all parts."""
        return [part.shape for part in self.parts]

    @property
    def size(self) -> int:
        """How many numbers a state has."""
        return sum(part.size for part in self.parts)

    def widened(self, other: "Form") -> "Form":
        """Return the form that holds the states of both; raise Untraceable if there is none."""
        if self._structure != other._structure:
            raise Untraceable("its state has another form after a step than before")
        shapes = map(np.broadcast_shapes, self.shapes, other.shapes)
        names = (part.name for part in self.parts)
        return Form(self._structure, [StatePart(*each) for each in zip(names, shapes, strict=True)])

    def flat(self, state: Any) -> list[Scalar]:
        """Return the numbers in a state of this form."""
        structure, leaves = _split(state, "state")
        if structure != self._structure:
            raise Untraceable("its state has another form after a step than before")
        return [
            each
            for (_, leaf), part in zip(leaves, self.parts, strict=True)
            for each in np.broadcast_to(leaf, part.shape).ravel().tolist()
        ]

    def inputs(self, graph: Graph) -> Any:
        """Return a state of inputs, s/0, s/1 and so on."""
        begin, arrays = 0, []
        for part in self.parts:
            nodes = np.empty(part.size, object)
            nodes[:] = [graph.input(f"s/{begin + place}") for place in range(part.size)]
            arrays.append(TracedArray(graph, nodes.reshape(part.shape)))
            begin += part.size
        return _joined(self._structure, iter(arrays))


def _split(value: Any, name: str) -> tuple[Any, list[tuple[str, Nodes]]]:
    """Return the structure of a state, and its numbers and arrays with their names."""
    if isinstance(value, UserRunState):
        value = value.state
    if value is None:
        return None, []
    if isinstance(value, Mapping):
        names, parts = [str(key) for key in value], list(value.values())
        kind: Any = tuple(value)
    elif isinstance(value, tuple | list):
        names, kind = list(getattr(value, "_fields", [name] * len(value))), type(value)
        parts = list(value)
    else:
        return LEAF, [(name, nodes_of(value))]
    split = [_split(each, key) for key, each in zip(names, parts, strict=True)]
    return (kind, *(each for each, _ in split)), [leaf for _, leaves in split for leaf in leaves]


def _joined(structure: Any, arrays: Iterator[TracedArray]) -> Any:
    """Return the state of a structure with these arrays in it."""
    if structure is None:
        return None
    if structure == LEAF:
        return next(arrays)
    kind, *parts = structure
    joined = [_joined(each, arrays) for each in parts]
    if isinstance(kind, tuple):
        return dict(zip(kind, joined, strict=True))
    return kind(*joined) if hasattr(kind, "_fields") else kind(joined)
