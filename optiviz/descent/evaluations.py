"""How often methods evaluate their objective."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optiviz.descent.walk import walk
from optiviz.objective import BESIDE, OBJECTIVES, Array, Objective, Spent, Stream
from optiviz.optimizers.base import Method

AT_POINTS = "residuals", "jacobian", "sample_gradients"  # cost no more than a gradient there
Hashes = NDArray[np.uint64]
Kind = tuple[str, int]  # of what is evaluated, such as a Hessian, and how much it costs
POINT: Kind = "", 1


def count_evaluations(
    objective: Objective, method: Method, start: Array, steps: int
) -> tuple[int, Array]:
    """Return at how many points a method evaluates an objective in `steps` steps, and their end.

    start and the end have shape (dim,). A point counts once, whatever is evaluated there, and
    however often.
    """
    tally, x = RunTally(), start
    counted = CountedObjective(objective, tally)
    with np.errstate(all="ignore"):
        for point, _ in walk(counted, method, start, steps):
            x = point
    return tally.points, x


class RunTally:
    """The evaluations of one run: at how many points, and how many they are in all.

    A point counts once in a step; of a fixed objective, it also counts once in two steps on end.
    Raises Spent at the first evaluation beyond a `budget`.
    """

    def __init__(self, budget: float = np.inf) -> None:
        self.points, self.spent = 0, 0
        self._budget = budget
        self._now: dict[tuple[str, bytes], int] = {}
        self._before = self._now

    def begin_step(self, fixed: bool) -> None:
        """Begin a step, of an objective that is that of the last step if it is fixed."""
        self._before, self._now = self._now if fixed else {}, {}

    def add(self, x: Array, kind: Kind) -> None:
        """Count the points of an array of shape (..., dim)."""
        name, cost = kind
        for point in np.reshape(x, (-1, np.shape(x)[-1])):
            key = name, point.tobytes()
            if key in self._now:
                continue
            if key not in self._before:
                self.points += not name
                self.spent += cost
                if self.spent > self._budget:
                    raise Spent
            self._now[key] = self._before.get(key, self.spent)

    def add_product(self, x: Array) -> None:
        """Count a product with the Hessian at each point."""
        self.spent += int(np.prod(np.shape(x)[:-1]))
        if self.spent > self._budget:
            raise Spent

    def spent_at(self, x: Array) -> int:
        """Return how many there had been after a point of this step, of shape (dim,)."""
        return self._now.get(("", x.tobytes()), self.spent)


class ArrayTally:
    """The evaluations of many runs that are walked as an array of shape (*lead, dim).

    Those of each are counted as RunTally counts them. points and spent have shape lead.
    """

    def __init__(self, lead: tuple[int, ...]) -> None:
        self._lead = lead
        self._points = self._spent = np.zeros(lead, np.int64)  # before this step
        self._products = 0
        self._now: dict[Kind, list[Hashes]] = {}
        self._before: dict[Kind, Hashes] = {}
        self._known: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None

    @property
    def points(self) -> NDArray[np.int64]:
        """At how many points each was evaluated."""
        return self._settled()[0]

    @property
    def spent(self) -> NDArray[np.int64]:
        """How many evaluations those of each are, in all."""
        return self._settled()[1]

    def _settled(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return both numbers; that of a step is found when they are asked for."""
        if self._known is None:
            points, spent = self._points, self._spent + self._products
            for kind in self._now:
                fresh = self._fresh(kind)
                spent = spent + kind[1] * fresh
                points = points if kind[0] else points + fresh
            self._known = points, spent
        return self._known

    def begin_step(self, fixed: bool) -> None:
        """Begin a step, of an objective that is that of the last step if it is fixed."""
        (self._points, self._spent), self._products = self._settled(), 0
        last = {kind: _together(found) for kind, found in self._now.items()}
        self._before, self._now = last if fixed else {}, {}

    def add(self, x: Array, kind: Kind) -> None:
        """Count the points of an array: (*lead, dim), (*lead, n, dim) or (n, *lead, dim)."""
        self._now.setdefault(kind, []).append(self._by_run(hashes(x)))
        self._known = None

    def add_product(self, x: Array) -> None:
        """Count a product with the Hessian at each point."""
        self._known = None
        self._products += max(1, np.size(x) // (self._spent.size * np.shape(x)[-1]))

    def _by_run(self, found: Hashes) -> Hashes:
        """Return what there is of each run, shape (*lead, n)."""
        deep = len(self._lead)
        if found.shape[:deep] == self._lead:
            return found.reshape(*self._lead, -1)
        if found.shape[-deep:] == self._lead:
            return np.moveaxis(found.reshape(-1, *self._lead), 0, -1)
        return np.broadcast_to(found, self._lead)[..., None]

    def _fresh(self, kind: Kind) -> NDArray[np.int64]:
        """Return at how many points each was evaluated in this step, but not in the last."""
        now, before = _together(self._now[kind]), self._before.get(kind)
        if before is None:
            return _distinct(now)
        if now.shape[-1] == before.shape[-1] == 1:
            return np.asarray(now != before, np.int64)[..., 0]
        return _distinct(_together([before, now])) - _distinct(before)


def hashes(x: Array) -> Hashes:
    """Return a number for each point, shape (...), that others have with a chance of 2**-64."""
    bits = np.ascontiguousarray(x, np.float64).view(np.uint64)
    mixed = (bits ^ (bits >> np.uint64(31))) * _weights(bits.shape[-1])
    found: Hashes = (mixed ^ (mixed >> np.uint64(29))).sum(axis=-1)
    return found


@cache
def _weights(dim: int) -> Hashes:
    """Return an odd number for each coordinate, shape (dim,)."""
    drawn = np.random.default_rng(0).integers(1 << 63, size=dim, dtype=np.uint64)
    return 2 * drawn + np.uint64(1)


def _together(found: list[Hashes]) -> Hashes:
    return found[0] if len(found) == 1 else np.concatenate(found, axis=-1)


def _distinct(found: Hashes) -> NDArray[np.int64]:
    """Return how many different ones there are, of an array of shape (..., n)."""
    ordered = np.sort(found, axis=-1)
    changes: NDArray[np.int64] = (ordered[..., 1:] != ordered[..., :-1]).sum(axis=-1)
    return 1 + changes


class CountedObjective:
    """An objective, or a stream, as a stream whose evaluations are counted.

    A Hessian costs as many as it has columns, its product with a vector one, and the loss of all
    samples, beside a batch, as many as there are batches. If `remembers`, the loss is computed with
    each gradient, and last is the point where it was, and what it was. kind is that of a point, and
    is_part is whether it is one of the OBJECTIVES that another one offers.
    """

    def __init__(
        self,
        objective: Objective | Stream,
        tally: RunTally | ArrayTally,
        remembers: bool = False,
        kind: Kind = POINT,
        is_part: bool = False,
    ) -> None:
        self.tally, self.last = tally, (np.zeros(0), np.zeros(0))
        self._remembers, self._kind = remembers, kind
        self._stream = objective if isinstance(objective, Stream) else None
        self._offers = [name for name in BESIDE if not (is_part and name in OBJECTIVES)]
        self._meet(objective)

    def _meet(self, objective: Any) -> None:
        self._here: Any = objective
        for name in self._offers:
            if hasattr(objective, name):
                setattr(self, name, self._counted(name, getattr(objective, name)))

    def _counted(self, name: str, offered: Any) -> Any:
        """Return what an objective offers beside its protocol, counted."""
        dim = self.dim
        if offered is None:
            return None
        if name in AT_POINTS:
            return self._at_points(offered, self._kind)
        if name in ("hessian", "third_derivatives"):
            return self._at_points(offered, (name, dim if name == "hessian" else dim * dim))
        if name == "hessian_product":

            def product(x: Array, v: Array) -> Any:
                self.tally.add_product(v)
                return offered(x, v)

            return product
        if name in OBJECTIVES:
            kind = self._kind_of_all(offered) if name == "full_batch" else self._kind
            return CountedObjective(offered, self.tally, kind=kind, is_part=True)
        return offered

    def _at_points(self, evaluate: Callable[[Array], Any], kind: Kind) -> Callable[[Array], Any]:
        def counted(x: Array) -> Any:
            self.tally.add(x, kind)
            return evaluate(x)

        return counted

    def _kind_of_all(self, full_batch: Any) -> Kind:
        """Return the kind of a point at which the loss of all samples is evaluated."""
        samples, size = (getattr(each, "chosen", None) for each in (full_batch, self._here))
        if samples is None or size is None:
            return self._kind
        return "whole", -(-len(samples) // len(size))

    @property
    def dim(self) -> int:
        """Number of coordinates of a point."""
        return int(self._here.dim)

    def at(self, step: int) -> "CountedObjective":
        """Return the objective of step number `step`."""
        self.tally.begin_step(self._stream is None)
        if self._stream is not None:
            self._meet(self._stream.at(step))
        return self

    def value(self, x: Array) -> Array:
        """Return f(x), shape (...)."""
        self.tally.add(x, self._kind)
        value: Array = self._here.value(x)
        return value

    def gradient(self, x: Array) -> Array:
        """Return df/dx, shape (..., dim)."""
        if self._remembers:
            return self.value_and_gradient(x)[1]
        self.tally.add(x, self._kind)
        gradient: Array = self._here.gradient(x)
        return gradient

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return value and gradient."""
        self.tally.add(x, self._kind)
        value, gradient = self._here.value_and_gradient(x)
        if self._remembers:
            self.last = x, value
        return value, gradient
