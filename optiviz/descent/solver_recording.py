"""Recording how another library's solver finds its steps, to be drawn as a track."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from optiviz.descent.trajectory import Trajectory
from optiviz.objective import Array
from optiviz.shapes import DRAWN, MOST_POINTS, Ellipse, Points, Polygon, Shape
from optiviz.system.errors import InputError


class SolverRecorder:
    """An objective and a callback that record what a solver of scipy, pycma or pymoo looks at.

        recorder = optiviz.SolverRecorder(f, start=x0)
        scipy.optimize.minimize(recorder, x0, method="BFGS", callback=recorder.callback)
        recorder.save("bfgs.json")

    f(x, ...) is the objective, which returns the loss or, for `jac=True`, the loss and its
    gradient; calling the recorder calls f. Without it, what a solver evaluates is known only if the
    callback is given it. start, of shape (dim,), is the first point of the path, which otherwise is
    that of the first call of the callback. simplex is whether the solver is scipy's Nelder-Mead,
    whose simplex is then found from its evaluations.

    Each call of `callback` ends an iteration, of which the sketch has, in one or two dimensions,
    all points at which f was evaluated, up to the last ten thousand; in addition the trust region
    of scipy's trust-constr, the distribution and the population of pycma, or the population of
    pymoo, whose `result.history` can be given to the callback afterwards, too.

    Raises InputError if f is no function, or start is no point.
    """

    def __init__(
        self,
        f: Callable[..., Any] | None = None,
        start: ArrayLike | None = None,
        label: str = "solver",
        simplex: bool = False,
    ) -> None:
        if f is not None and not callable(f):
            raise InputError(f"f must be a function, not a {type(f).__name__}")
        self._f, self.label, self._simplex = f, label, simplex
        self._points: list[Array] = []
        self._losses: list[float] = []
        self._counts: list[int] = []
        self._sketches: list[tuple[Shape, ...]] = []
        self._calls = 0
        self._seen: list[tuple[Array, float]] = []  # evaluations since the last iteration
        self._corners: list[tuple[Array, float]] = []  # of the simplex, the best first
        self._radius: float | None = None  # of the trust region about the last point
        self._known: dict[bytes, float] = {}  # losses of points that may be accepted
        if start is not None:
            self._add(_point(start), ())

    def __call__(self, x: ArrayLike, *args: Any, **named: Any) -> Any:
        """Return f(x, ...), and record that it was evaluated there."""
        if self._f is None:
            raise InputError("a SolverRecorder without f has nothing to evaluate")
        given = np.array(x, float)  # a copy, as solvers change points in place
        found = self._f(x, *args, **named)
        value = found[0] if isinstance(found, tuple) else found
        if given.ndim == 2 and np.ndim(value) == 1:  # scipy's vectorized: a column per point
            for point, loss in zip(given.T, np.asarray(value, float), strict=True):
                self._evaluated(point, float(loss))
        else:
            self._evaluated(given.ravel(), float(np.asarray(value).ravel()[0]))
        return found

    def callback(self, *given: Any, **named: Any) -> None:
        """End an iteration, at what the solver gives to its callback.

        That is the point; the point and a state or more, as of trust-constr, differential_evolution
        and basinhopping; scipy's `intermediate_result`; or the strategy of pycma or the algorithm
        of pymoo, from which the point is its mean or its best. Of basinhopping, only accepted
        points are steps.
        """
        result: Any = named.get("intermediate_result", given[0] if given else None)
        if hasattr(result, "sigma_vec"):
            self._end_strategy(result)
        elif hasattr(result, "pop") and hasattr(result, "opt"):
            self._end_generation(result)
        else:
            state = given[1] if len(given) > 1 else result
            refused = len(given) == 3 and given[2] is False  # of basinhopping
            here = result.x if hasattr(result, "x") else result
            x = self._points[-1] if refused and self._points else _point(here)
            self._end(x, getattr(state, "tr_radius", None))

    @property
    def trajectory(self) -> Trajectory:
        """What was recorded up to the last iteration; raises InputError if that is no path."""
        losses = self._losses if np.isfinite(self._losses).all() else None
        return Trajectory.of(
            np.array(self._points),
            self.label,
            losses,
            None,
            self._sketches,
            self._counts if self._counts and self._counts[-1] else None,
        )

    def save(self, file: str | Path) -> None:
        """Write the trajectory as a .json file, which `--track` reads."""
        self.trajectory.save(file)

    def _evaluated(self, point: Array, loss: float) -> None:
        self._calls += 1
        self._known[point.tobytes()] = loss
        if point.size <= DRAWN:
            self._seen.append((point, loss))

    def _add(self, x: Array, shapes: tuple[Shape, ...], loss: float | None = None) -> None:
        """Add an iteration that ends at x."""
        if self._points and x.shape != self._points[0].shape:
            raise InputError(f"a point of shape {x.shape} follows one of {self._points[0].shape}")
        kept = self._known.get(x.tobytes(), np.nan) if loss is None else loss
        if np.isnan(kept) and self._points and (x == self._points[-1]).all():
            kept = self._losses[-1]
        if len(self._losses) == 1 and np.isnan(self._losses[0]):  # the start is evaluated later
            self._losses[0] = self._known.get(self._points[0].tobytes(), np.nan)
        self._points.append(x)
        self._losses.append(kept)
        self._counts.append(self._calls)
        self._sketches.append(shapes if x.size <= DRAWN else ())
        self._seen, self._known = [], {x.tobytes(): kept}

    def _end(self, x: Array, radius: float | None) -> None:
        """End an iteration of scipy at x; radius is that of the trust region about it, if any."""
        tried = _dots([point for point, _ in self._seen], "tried")
        if radius is not None and self._radius is None:  # it begins at its start
            if len(self._points) == 1 and (self._points[0] == x).all():
                self._points, self._losses, self._counts, self._sketches = [], [], [], []
            self._add(x, tried)
        elif self._simplex and x.size <= DRAWN:
            self._end_simplex(x)
        else:
            self._add(x, (*self._region(), *tried))
        self._radius = radius

    def _region(self) -> tuple[Shape, ...]:
        """Return the trust region about the last point, if there is one."""
        if self._radius is None:
            return ()
        center = self._points[-1]
        return (Ellipse(center, self._radius**2 * np.eye(center.size), "region"),)

    def _end_simplex(self, x: Array) -> None:
        """End an iteration of scipy's Nelder-Mead: find its simplex from its evaluations.

        They are one or two points, the first reflected and the second expanded or contracted, and
        after a contraction that is not low enough all corners of a simplex that has shrunk.
        """
        many, seen = x.size + 1, self._seen
        if not self._corners:
            first, seen = seen[:many], seen[many:]
            if len(first) < many:
                raise InputError("a simplex needs its corners' evaluations: minimise the recorder")
            self._corners = sorted(first, key=_loss)
            shape = Polygon(np.array([point for point, _ in first]), "population")
            if self._points:  # the start, to which its evaluation belongs
                self._sketches[0], self._counts[0] = (shape,), many
                self._losses[0] = first[0][1]
            else:
                self._calls, calls = many, self._calls
                self._add(first[0][0], (shape,), first[0][1])
                self._calls = calls
        corners = self._corners
        if len(seen) > 2:
            corners = [corners[0], *seen[-x.size :]]
        elif seen:
            reflected, chosen = seen[0], seen[-1]
            if reflected[1] < corners[0][1] and not chosen[1] < reflected[1]:
                chosen = reflected
            corners = [*corners[:-1], chosen]
        self._corners = sorted(corners, key=_loss)
        shape = Polygon(np.array([point for point, _ in self._corners]), "population")
        self._add(x, (shape, *_dots([point for point, _ in seen], "tried")))

    def _end_strategy(self, strategy: Any) -> None:
        """End an iteration of pycma."""

        def drawn(x: Any) -> Array:
            return _point(strategy.gp.pheno(x, into_bounds=strategy.boundary_handler.repair))

        if not self._points:
            self._calls = 0
            scale = strategy.sigma0 * strategy.sigma_vec * np.ones(strategy.N)
            self._add(drawn(strategy.x0), _spread(strategy, strategy.x0, np.diag(scale**2)))
        scale = strategy.sigma * strategy.sigma_vec * np.ones(strategy.N)
        covariance = scale[:, None] * strategy.C * scale
        population = [drawn(each) for each in strategy.pop_sorted]
        self._calls = int(strategy.countevals)
        spread = _spread(strategy, strategy.mean, covariance)
        self._add(drawn(strategy.mean), (*_dots(population, "population"), *spread))

    def _end_generation(self, algorithm: Any) -> None:
        """End a generation of pymoo, whose point is the best one."""
        best, losses = (np.atleast_2d(algorithm.opt.get(each)) for each in "XF")
        if losses.shape[1] != 1:
            raise InputError(f"pymoo minimises {losses.shape[1]} objectives: a path needs one")
        self._calls = int(algorithm.evaluator.n_eval)
        population = [_point(each) for each in algorithm.pop.get("X")]
        self._add(_point(best[0]), _dots(population, "population"), float(losses[0, 0]))


def _loss(evaluated: tuple[Array, float]) -> float:
    return evaluated[1]


def _point(x: Any) -> Array:
    """Return a copy of a point as an array of shape (dim,); raise InputError if it is none."""
    try:
        found = np.array([] if x is None else x, float)
    except Exception:  # what a solver passes may be anything
        found = np.zeros(0)
    if found.ndim > 1 or not found.size:
        raise InputError(f"a point must be an array of numbers, not a {type(x).__name__}")
    return found.reshape(-1)


def _dots(points: list[Array], role: Any) -> tuple[Shape, ...]:
    return (Points(np.array(points[-MOST_POINTS:]), role),) if points else ()


def _spread(strategy: Any, center: Any, covariance: Array) -> tuple[Shape, ...]:
    """Return the distribution of pycma, where its coordinates are those of the objective."""
    if not strategy.gp.isidentity:
        return ()
    return (Ellipse(np.array(center, float), covariance, "population"),)
