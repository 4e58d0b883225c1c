"""A graph of operations on numbers, recorded while code runs on values that are not known yet.

A node is an operation, named as numpy names it, on other nodes and on plain numbers. Equal nodes
are one node, so that common parts are computed once. Where code asks whether a node is true, it is
run once for each answer, and a program then branches there.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, NoReturn

import numpy as np

from optiviz.tracing.operations import TRUTHS, computed

MAX_NODES, MAX_LEAVES, MAX_QUESTIONS = 20_000, 64, 40


class Untraceable(BaseException):
    """Code that cannot be recorded; the message says why.

    A BaseException, so that `except Exception` in that code does not catch it.
    """


class NeedsValue(Untraceable):
    """Code that needs the value of inputs, by their names, such as the length of a loop."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(names)
        super().__init__("it needs the value of a number that is not known yet")


class Node:
    """One number of a graph: an operation on other nodes and numbers, or an input."""

    def __init__(self, graph: "Graph", number: int, name: str, args: "tuple[Scalar, ...]") -> None:
        self.graph, self.number, self.name, self.args = graph, number, name, args

    @property
    def is_truth(self) -> bool:
        """Whether it is true or false rather than a number."""
        if self.name == "where":
            return all(is_truth(each) for each in self.args[1:])
        return self.name in TRUTHS

    def __bool__(self) -> bool:
        truth = self.graph.truth(self)
        return self.graph.answer(truth) if isinstance(truth, Node) else bool(truth)

    def __float__(self) -> float:
        self.graph.refuse([self])

    def __index__(self) -> int:
        self.graph.refuse([self])

    __int__ = __index__


Scalar = Node | float | bool


Results = dict[str, list[Scalar]]


@dataclass(frozen=True)
class Leaf:
    """The end of a program: its results, by name, none where an error is raised."""

    results: Results


@dataclass(frozen=True)
class Branch:
    """A program that goes on in one of two ways."""

    condition: Node
    yes: "Tree"
    no: "Tree"


Tree = Leaf | Branch


class Graph:
    """The nodes of one program; settings are names of inputs that code may need as numbers."""

    def __init__(self, settings: Iterable[str] = ()) -> None:
        self.settings: Final = frozenset(settings)
        self._nodes: dict[tuple[Any, ...], Node] = {}
        self._numbers = count()
        self._prefix: list[bool] = []
        self._answers: dict[Node, bool] = {}

    def input(self, name: str) -> Node:
        """Return the node of an input."""
        return self._node(name, ())

    def apply(self, name: str, *args: Scalar) -> Scalar:
        """Return an operation; its value if all arguments are numbers."""
        if not any(isinstance(each, Node) for each in args):
            return computed(name, *args)  # type: ignore[arg-type]
        if name == "where":
            if not isinstance(args[0], Node):
                return args[1] if args[0] else args[2]
            args = self.truth(args[0]), *args[1:]
        if name == "add" and all(is_truth(each) for each in args):
            # In numpy that is a truth, in Python a number.
            raise Untraceable("it adds truths, such as x > 0, instead of numbers")
        if name.startswith("logical"):
            args = tuple(self.truth(each) for each in args)
        if name == "power" and args[1] in (1, 2) and not isinstance(args[1], Node):
            return args[0] if args[1] == 1 else self.apply("multiply", args[0], args[0])
        return self._node(name, args)

    def truth(self, scalar: Scalar) -> Scalar:
        """Return whether a scalar is true, as a truth; nan is."""
        return scalar if is_truth(scalar) else self.apply("not_equal", scalar, 0.0)

    def number(self, scalar: Scalar) -> Scalar:
        """Return a scalar as a number: 1 or 0 for a truth."""
        return self.apply("where", scalar, 1.0, 0.0) if is_truth(scalar) else scalar

    def call(self, name: str, *args: Scalar) -> Node:
        """Return the node of a call whose result is not known, even if all arguments are."""
        return self._node(name, args)

    def _node(self, name: str, args: tuple[Scalar, ...]) -> Node:
        # Numbers are compared as text, because 0.0 equals -0.0 and True.
        key = name, *(each if isinstance(each, Node) else repr(each) for each in args)
        known = self._nodes.get(key)
        if known is None:
            number = next(self._numbers)
            if number > MAX_NODES:
                raise Untraceable(f"it has more than {MAX_NODES} operations")
            known = self._nodes[key] = Node(self, number, name, args)
        return known

    def answer(self, node: Node) -> bool:
        """Answer whether a node is true, as this run of the code assumes."""
        known = self._answers.get(node)
        if known is not None:
            return known
        many = len(self._answers)
        if many >= MAX_QUESTIONS:
            raise Untraceable("it decides too often, as a loop of unknown length does")
        answer = self._prefix[many] if many < len(self._prefix) else True
        self._answers[node] = answer
        return answer

    def refuse(self, scalars: Iterable[Scalar]) -> NoReturn:
        """Raise Untraceable, because code needs scalars as numbers."""
        names = {each.name for each in reachable(scalars) if not each.args}
        if names and names <= self.settings:
            raise NeedsValue(names)
        raise Untraceable("it needs one of its values as a number, as float and np.array do")

    def explore(self, run: Callable[[], Results]) -> Tree:
        """Return the program of code that returns results by name.

        The code is run once for every way through it; one that ends with an error has no results.
        Raises Untraceable if all do, or if the code cannot be recorded.
        """
        self._left = MAX_LEAVES
        return self._explore(run, [])

    def _explore(self, run: Callable[[], Results], prefix: list[bool]) -> Tree:
        self._left -= 1
        if self._left < 0:
            raise Untraceable(f"it has more than {MAX_LEAVES} ways to go on")
        self._prefix, self._answers = prefix, {}
        tree: Tree
        try:
            tree = Leaf(run())
        except Exception as error:
            # Errors of these types may be about values that are recorded.
            if not self._answers or isinstance(error, AttributeError | TypeError):
                raise Untraceable(f"it raises {type(error).__name__}: {error}") from error
            tree = Leaf({})
        asked = list(self._answers.items())
        answers = [answer for _, answer in asked]
        for place in reversed(range(len(prefix), len(asked))):
            node, answer = asked[place]
            other = self._explore(run, [*answers[:place], not answer])
            tree = Branch(node, tree, other) if answer else Branch(node, other, tree)
        return tree


def is_truth(scalar: Scalar) -> bool:
    """Return whether a scalar is true or false rather than a number."""
    return scalar.is_truth if isinstance(scalar, Node) else isinstance(scalar, bool | np.bool_)


def reachable(scalars: Iterable[Scalar]) -> list[Node]:
    """Return all nodes on which some depend, each after those that it depends on."""
    found: set[Node] = set()
    left = [each for each in scalars if isinstance(each, Node)]
    while left:
        node = left.pop()
        if node not in found:
            found.add(node)
            left += [each for each in node.args if isinstance(each, Node)]
    return sorted(found, key=lambda node: node.number)
