"""Recordings of scipy's, pycma's and pymoo's solvers are what these did."""

import inspect
import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import Invoke
from numpy.testing import assert_allclose, assert_array_equal
from scipy import optimize

import optiviz
from optiviz import InputError, SolverRecorder
from optiviz.objective import Array
from optiviz.shapes import Ellipse, Points, Polygon, Shape

BEALE = optiviz.load_surface("beale")
START = np.array([3.0, -1.5])


class Watched:
    """A function that keeps where it was called, and a callback that keeps where it was told."""

    def __init__(self, gradient: bool = False) -> None:
        self.calls: list[Array] = []
        self.told: list[Array] = []
        self.counts: list[int] = []
        self.gradient = gradient

    def __call__(self, x: Array) -> Any:
        self.calls.append(np.array(x))
        value = float(BEALE.value(np.asarray(x)))
        return (value, BEALE.gradient(np.asarray(x))) if self.gradient else value

    def seen(self, x: Any) -> None:
        self.told.append(np.array(x, float))
        self.counts.append(len(self.calls))


def seeded(seed: int) -> dict[str, Any]:
    """Return a seed as this scipy calls it."""
    names = inspect.signature(optimize.dual_annealing).parameters
    return {"rng" if "rng" in names else "seed": seed}


def shapes(path: Any, kind: type, role: str) -> list[list[Shape]]:
    return [
        [each for each in sketch if isinstance(each, kind) and each.role == role]
        for sketch in path.sketches
    ]


@pytest.mark.parametrize(
    ("method", "more"),
    [
        ("BFGS", {"jac": True}), ("BFGS", {}), ("L-BFGS-B", {"jac": True}), ("Powell", {}),
        ("CG", {"jac": True}), ("COBYLA", {}), ("COBYQA", {}), ("SLSQP", {"jac": True}),
        ("Nelder-Mead", {}), ("TNC", {"jac": True}),
    ],
)  # fmt: skip
def test_what_was_tried_is_what_was_called(method: str, more: dict[str, Any]) -> None:
    f = Watched(gradient="jac" in more)
    recorder = SolverRecorder(f, start=START)

    def callback(x: Any) -> None:
        f.seen(x)
        recorder.callback(x)

    try:
        most = {"maxfun" if method == "TNC" else "maxiter": 15}
        optimize.minimize(recorder, START, method=method, callback=callback, options=most, **more)
    except ValueError:
        pytest.skip(f"this scipy has no {method}")
    path = recorder.trajectory
    assert_array_equal(path.points, [START, *f.told])  # accepted
    assert path.evaluations is not None
    assert path.evaluations.tolist() == [0, *f.counts]
    tried = [each[0].points if each else np.zeros((0, 2)) for each in shapes(path, Points, "tried")]
    assert_array_equal(np.concatenate(tried), f.calls[: f.counts[-1]])
    assert [len(each) for each in tried] == np.diff(f.counts, prepend=[0, 0]).tolist()


@pytest.mark.parametrize("options", [{}, {"adaptive": True}, {"initial_simplex": 1}])
@pytest.mark.parametrize("start", [START, np.array([-2.0, 3.5]), np.array([0.0, 0.0])])
def test_the_simplex_is_that_of_scipy(start: Array, options: dict[str, Any]) -> None:
    if options.get("initial_simplex"):
        options = {"initial_simplex": start + np.array([[0, 0], [3, 1], [0, -2]])}
    for maxiter in (2, 7, 40):
        f = Watched()
        recorder = SolverRecorder(f, start=start, simplex=True)
        result = optimize.minimize(
            recorder, start, method="Nelder-Mead", callback=recorder.callback,
            options={"maxiter": maxiter, **options},
        )  # fmt: skip
        path = recorder.trajectory
        found = [each[0].points for each in shapes(path, Polygon, "population")]
        assert len(found) == path.steps + 1 == result.nit  # which scipy counts from 1
        assert_array_equal(found[0], f.calls[:3])
        assert_array_equal(found[-1], result.final_simplex[0])
        assert_array_equal(path.points[1:], [each[0] for each in found[1:]])
        assert_array_equal(path.losses, BEALE.value(path.points))


def test_a_simplex_that_shrinks_is_that_of_scipy() -> None:
    def bumpy(x: Array) -> float:
        return float(np.sum(np.cos(9 * x) + np.abs(x)))

    recorder = SolverRecorder(bumpy, simplex=True)
    result = optimize.minimize(
        recorder, [1.7, -2.3], method="Nelder-Mead", callback=recorder.callback,
        options={"initial_simplex": [[1.7, -2.3], [3.1, -0.4], [-0.6, 1.9]], "maxiter": 40},
    )  # fmt: skip
    path = recorder.trajectory
    assert (np.diff(path.evaluations) > 2).any()  # it shrank
    assert_array_equal(path.sketches[-1][0][0], result.final_simplex[0])
    assert_array_equal(path.start, [1.7, -2.3])


def test_a_trust_region_is_that_of_trust_constr() -> None:
    f, states = Watched(), []
    recorder = SolverRecorder(f)

    def callback(x: Array, state: Any) -> None:
        states.append((np.array(x), float(state.tr_radius)))
        recorder.callback(x, state)

    optimize.minimize(recorder, START, method="trust-constr", jac=BEALE.gradient,
                      callback=callback, options={"maxiter": 12})  # fmt: skip
    path = recorder.trajectory
    assert_array_equal(path.points, [x for x, _ in states])
    assert_array_equal(path.start, START)
    discs = shapes(path, Ellipse, "region")
    assert not discs[0]
    for (x, radius), (disc,), sketch in zip(states, discs[1:], path.sketches[1:], strict=False):
        assert_array_equal(disc.center, x)
        assert_allclose(disc.matrix, radius**2 * np.eye(2))
        for tried in (each for each in sketch if isinstance(each, Points)):
            assert (np.linalg.norm(tried.points - x, axis=1) <= radius * (1 + 1e-9)).all()
    again = SolverRecorder(f, start=START)
    optimize.minimize(again, START, method="trust-constr", jac=BEALE.gradient,
                      callback=again.callback, options={"maxiter": 12})  # fmt: skip
    assert_array_equal(again.trajectory.points, path.points)


def test_a_result_can_be_what_a_callback_is_given() -> None:
    f = Watched()
    recorder = SolverRecorder(f, start=START)

    def callback(intermediate_result: Any) -> None:
        f.seen(intermediate_result.x)
        recorder.callback(intermediate_result=intermediate_result)

    optimize.minimize(recorder, START, method="BFGS", callback=callback, options={"maxiter": 5})
    assert_array_equal(recorder.trajectory.points, [START, *f.told])


def test_global_solvers_are_recorded() -> None:
    bounds = [(-4.5, 4.5)] * 2
    f = Watched()
    recorder = SolverRecorder(f, label="de")
    few = {"maxiter": 5, "popsize": 4, "polish": False, **seeded(0)}
    optimize.differential_evolution(recorder, bounds, callback=recorder.callback, **few)
    path = recorder.trajectory
    assert (path.label, path.steps) == ("de", 4)
    tried = [each.points for sketch in path.sketches for each in sketch]
    assert_array_equal(np.concatenate(tried), f.calls)
    fast = SolverRecorder(lambda x: BEALE.value(np.moveaxis(x, 0, -1)))
    optimize.differential_evolution(
        fast, bounds, vectorized=True, updating="deferred", callback=fast.callback, **few
    )
    assert fast.trajectory.evaluations is not None
    assert fast.trajectory.evaluations.tolist() == [16, 24, 32, 40, 48][: fast.trajectory.steps + 1]
    hops = SolverRecorder(f, start=START)
    told = []
    optimize.basinhopping(
        hops, START, niter=6, stepsize=3.0, **seeded(1),
        callback=lambda x, value, accept: (hops.callback(x, value, accept), told.append(accept))[0],
    )  # fmt: skip
    moved = (np.diff(hops.trajectory.points, axis=0) != 0).any(axis=1)
    assert not moved[~np.array(told)].any()
    cold = SolverRecorder(f)
    optimize.dual_annealing(cold, bounds, maxiter=20, callback=cold.callback, **seeded(1))
    assert (np.diff(cold.trajectory.losses) < 0).all()


def test_a_strategy_of_pycma_is_recorded() -> None:
    cma = pytest.importorskip("cma")
    options = {"seed": 3, "maxiter": 8, "verbose": -9, "verb_log": 0}
    expected: list[Any] = []

    def callback(es: Any) -> None:
        expected.append((np.array(es.mean), es.C * es.sigma**2, es.countevals))

    f = Watched()
    recorder = SolverRecorder(f, label="cma")
    es = cma.CMAEvolutionStrategy(START, 0.5, options)
    es.optimize(recorder, callback=[callback, recorder.callback])
    path = recorder.trajectory
    assert_array_equal(path.points, [START, *(mean for mean, *_ in expected)])
    assert path.evaluations is not None
    assert path.evaluations.tolist() == [0, *(many for *_, many in expected)]
    first, *others = (each[0] for each in shapes(path, Ellipse, "population"))
    assert_allclose(first.matrix, 0.25 * np.eye(2))
    for ellipse, (mean, covariance, _) in zip(others, expected, strict=True):
        assert_array_equal(ellipse.center, mean)
        assert_allclose(ellipse.matrix, covariance, rtol=1e-12)
    groups = shapes(path, Points, "population")
    found = np.concatenate([each[0].points for each in groups[1:]])
    assert_allclose(np.sort(found, axis=0), np.sort(f.calls, axis=0), rtol=0, atol=1e-12)

    told = SolverRecorder()  # a loop of ask and tell, in scaled coordinates
    es = cma.CMAEvolutionStrategy(START, 0.5, options | {"bounds": [[-4, -4], [4, 4]],
                                  "CMA_stds": [1.0, 2.0]})  # fmt: skip
    while not es.stop():
        points = es.ask()
        es.tell(points, [f(each) for each in points])
        told.callback(es)
        assert_allclose(
            np.sort(told.trajectory.sketches[-1][0][0], axis=0), np.sort(points, axis=0), atol=1e-9
        )
    scale = es.sigma * np.array([1.0, 2.0])
    ellipse = told.trajectory.sketches[-1][1]
    assert_allclose(ellipse[1], scale[:, None] * es.C * scale)


def test_a_history_of_pymoo_is_recorded() -> None:
    pytest.importorskip("pymoo")
    from pymoo.algorithms.soo.nonconvex.ga import GA
    from pymoo.core.problem import ElementwiseProblem
    from pymoo.optimize import minimize

    class Beale(ElementwiseProblem):  # type: ignore[misc]
        def __init__(self, many: int = 1) -> None:
            super().__init__(n_var=2, n_obj=many, xl=-4.5, xu=4.5)

        def _evaluate(self, x: Array, out: dict[str, Any], *args: Any, **named: Any) -> None:
            out["F"] = [float(BEALE.value(x))] * self.n_obj

    live = SolverRecorder()
    result = minimize(Beale(), GA(pop_size=8), ("n_gen", 6), seed=1, save_history=True,
                      callback=live.callback)  # fmt: skip
    recorder = SolverRecorder(label="ga")
    for each in result.history:
        recorder.callback(each)
    path = recorder.trajectory
    assert_array_equal(path.points, live.trajectory.points)
    assert_allclose(path.end, result.X)
    assert_allclose(path.losses, BEALE.value(path.points))
    assert path.evaluations is not None
    assert path.evaluations.tolist() == [8 * (each + 1) for each in range(6)]
    for sketch, each in zip(path.sketches, result.history, strict=True):
        assert_array_equal(sketch[0][0], each.pop.get("X"))


def test_a_generation_is_what_an_algorithm_says() -> None:
    def told(points: Any, losses: Any) -> SimpleNamespace:
        found = {"X": np.array(points, float), "F": np.array(losses, float)}
        return SimpleNamespace(get=found.__getitem__)

    def generation(best: Any, many: int, losses: Any = ((1.0,),)) -> SimpleNamespace:
        return SimpleNamespace(
            pop=told([[0, 0], [1, 2], best], [[3], [4], [1]]),
            opt=told([best], losses), evaluator=SimpleNamespace(n_eval=many),
        )  # fmt: skip

    recorder = SolverRecorder()
    for number in range(3):
        recorder.callback(generation([number, 1], 3 * number + 3))
    path = recorder.trajectory
    assert_array_equal(path.points, [[0, 1], [1, 1], [2, 1]])
    assert_array_equal(path.losses, [1, 1, 1])
    assert path.evaluations is not None and path.evaluations.tolist() == [3, 6, 9]
    assert_array_equal(path.sketches[2][0][0], [[0, 0], [1, 2], [2, 1]])
    with pytest.raises(InputError, match="pymoo minimises 2 objectives: a path needs one"):
        recorder.callback(generation([0, 0], 12, [[1.0, 2.0]]))


def test_a_recording_is_drawn(here: Path, invoke: Invoke) -> None:
    recorder = SolverRecorder(Watched(), start=START, label="Powell")
    optimize.minimize(recorder, START, method="Powell", callback=recorder.callback)
    recorder.save("run.json")
    words = "run", "--surface", "beale", "--track", "run.json", "-o", "x.json"
    result = invoke(*words)
    assert (result.exit_code, result.stderr) == (0, "")
    path = recorder.trajectory
    assert path.evaluations is not None
    assert f"{path.evaluations[-1]:.0f} evaluations" in result.stdout
    (told,) = json.loads(Path("x.json").read_text())["trajectories"]
    assert told["path"] == path.points.tolist() and told["evaluations"][-1] == path.evaluations[-1]


def test_many_variables_have_no_sketches() -> None:
    recorder = SolverRecorder(lambda x: float(x @ x), start=np.ones(5))
    optimize.minimize(recorder, np.ones(5), method="BFGS", callback=recorder.callback)
    path = recorder.trajectory
    assert path.sketches == () and path.evaluations is not None and path.evaluations[-1] > 5
    assert math.isclose(float(path.losses[-1]), float(path.end @ path.end))


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda: SolverRecorder(3), "f must be a function, not a int"),
        (lambda: SolverRecorder(start="a"), "a point must be an array of numbers, not a str"),
        (lambda: SolverRecorder()([1, 2]), "a SolverRecorder without f has nothing to evaluate"),
        (
            lambda: SolverRecorder(start=START).callback(),
            "a point must be an array of numbers, not",
        ),
        (
            lambda: SolverRecorder(start=START).callback([1.0]),
            r"a point of shape \(1,\) follows one",
        ),
        (lambda: SolverRecorder(start=START).trajectory, "a path must have from 2 to"),
        (
            lambda: SolverRecorder(simplex=True).callback(START),
            "a simplex needs its corners",
        ),
    ],
)
def test_what_is_no_recording_is_told(act: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        act()
