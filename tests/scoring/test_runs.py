"""One job: what is counted, how runs are judged, and that arrays are walked as single runs are."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optiviz.kinds.suite import Suite
from optiviz.objective import Array
from optiviz.optimizers.spec import parse_spec
from optiviz.scoring import runs
from optiviz.scoring.judging import Judge, Standard
from optiviz.scoring.problems import SHARES, BenchmarkProblem
from optiviz.scoring.rates import NETWORK_RATES, RATES
from optiviz.scoring.results import ELSEWHERE, FAILED, MOVING, SOLVED, Results
from optiviz.scoring.runs import Job, run_job
from optiviz.scoring.setting import Setting
from optiviz.system.processes import ProcessExecutor

FIT = {"model": "a*x + b", "data": {"x": [0, 1, 2, 3, 4], "y": [1, 3, 2, 5, 4]}}
OWN = """
import numpy as np


class Lion:
    def __init__(self, lr, beta1=0.9, beta2=0.99):
        self.lr, self.beta1, self.beta2 = lr, beta1, beta2

    def init(self, x):
        return np.zeros_like(x)

    def step(self, objective, x, mean):
        g = objective.gradient(x)
        x = x - self.lr * np.sign(self.beta1 * mean + (1 - self.beta1) * g)
        return x, self.beta2 * mean + (1 - self.beta2) * g


class Whole(Lion):
    def step(self, objective, x, mean):
        g = objective.gradient(x)
        return x - self.lr * g / np.sqrt(g @ g), mean


class Failing(Lion):
    def step(self, objective, x, mean):
        if abs(x).max() > 3:
            raise ValueError("too far")
        return x - self.lr * objective.gradient(x), mean


class Refusing(Lion):
    def __init__(self, lr):
        if lr > 1:
            raise ValueError("lr must be at most 1")
        super().__init__(lr)
"""


def problem(surface: Any = "rosenbrock", **given: Any) -> BenchmarkProblem:
    made = {"name": "made", "group": "made", "surface": surface, "budget": 60, "starts": 2} | given
    (found,) = Suite(problems=[made]).benchmark()
    return found


def results(spec: str, surface: Any = "rosenbrock", **given: Any) -> Results:
    return run_job(Job(problem(surface, **given), parse_spec(spec)))


def same(one: Results, other: Results) -> bool:
    mine, theirs = vars(one), vars(other)
    return all(
        np.array_equal(mine[name], theirs[name])
        for name in ("rates", "gaps", "solved_at", "endings", "cost", "spent", "cause")
    ) and all(np.array_equal(one.solved_with[key], other.solved_with[key]) for key in one.values)


@pytest.mark.parametrize(
    ("spec", "cost"),
    [
        ("sgd:lr=0.001", 1),
        ("sam+sgd:lr=0.001", 2),
        ("lookahead+adam:lr=0.01", 1),
        ("simulated-annealing", 1),
        ("newton:lr=0.5", 1 + 2),  # a Hessian has two columns
    ],
)
def test_a_step_costs_as_many_evaluations_as_points_and_columns(spec: str, cost: int) -> None:
    assert results(spec).cost == pytest.approx(cost, abs=0.05)  # the first of annealing is 2


def test_all_samples_cost_as_many_evaluations_as_there_are_batches() -> None:
    found = results("svrg:lr=0.01:period=10", {"fit": FIT}, batch_size=2, minimum=0.1)
    # In each ten steps: batches of all samples 3, batches at two points 2, at the snapshot 1.
    assert found.cost == pytest.approx((3 + 1 + 9 * 2) / 10, rel=0.03)


@pytest.mark.parametrize("spec", ["sgd", "nesterov:momentum=0.5", "adam", "amsgrad", "sam+sgd"])
def test_arrays_are_walked_as_single_runs_are(spec: str) -> None:
    setting, parsed = Setting(problem(budget=40)), parse_spec(spec)
    with np.errstate(all="ignore"):
        values = {"lr": RATES[:22:3]}
        together, _ = runs._walk_all(parsed, setting, values, 8)
        alone = runs._walk_each(parsed, setting, values, range(8))
    for one, other in zip(together.reached, alone.reached, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-9)


@pytest.mark.parametrize(
    "spec", ["nelder-mead", "particle-swarm:popsize=5", "newton", "random-search"]
)
def test_methods_without_rates_are_walked_as_single_runs_are(spec: str) -> None:
    setting, parsed = Setting(problem()), parse_spec(spec)
    together, arrays = runs._walk_all(parsed, setting, {}, 1)
    alone = runs._walk_each(parsed, setting, {}, range(1))
    assert arrays
    for one, other in zip(together.reached, alone.reached, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-9)


def test_no_run_evaluates_more_than_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[bytes] = set()
    setting = Setting(problem(starts=1))
    value, gradient = setting.posed.surface.compiled.value, setting.true.gradient

    class Watched:
        dim = 2

        def value(self, x: Array) -> Array:
            seen.add(x.tobytes())
            return value(x)

        def gradient(self, x: Array) -> Array:
            seen.add(x.tobytes())
            return gradient(x)

        def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
            return self.value(x), self.gradient(x)

    group = setting.groups[0]._replace(alone=[Watched()])
    monkeypatch.setitem(setting.__dict__, "groups", (group,))
    for spec in ("backtracking+sgd", "powell", "bfgs"):
        for budget in (7, 30):
            seen.clear()
            monkeypatch.setitem(
                setting.__dict__, "problem", setting.problem._replace(budget=budget)
            )
            walked = runs._walk_each(parse_spec(spec), setting, {}, range(1))
            assert walked.reached.spent.max() <= budget
            assert len(seen) <= budget + 1  # the last is refused


def test_a_method_that_takes_two_evaluations_has_half_the_steps() -> None:
    setting = Setting(problem(starts=1, budget=40))
    steps = [
        int(runs._walk_each(parse_spec(spec), setting, {}, range(1)).reached.steps[0, 0])
        for spec in ("sgd:lr=1e-4", "sam+sgd:lr=1e-4")
    ]
    assert steps == [40, 20]


def test_schedules_last_as_long_as_the_budget() -> None:
    spec = parse_spec("sam+sgd:lr=@cosine")
    setting = Setting(problem(budget=50))
    assert runs._steps_within(spec, setting, {"lr": RATES}) == 25


def test_rates_are_searched_unless_they_are_set_or_have_a_default() -> None:
    np.testing.assert_array_equal(results("sgd").rates, RATES)
    assert RATES[[0, 28, 40]] == pytest.approx([1e-7, 1.0, 1e3], rel=1e-12)
    for spec in ("sgd:lr=0.1", "prodigy", "newton", "nelder-mead"):
        found = results(spec)
        assert np.isnan(found.rates).all()
        assert found.spent == 0
    np.testing.assert_array_equal(
        results("sgd", "xor", starts=1, budget=10, minimum=0.0).rates, NETWORK_RATES
    )
    assert NETWORK_RATES[[0, -1]] == pytest.approx([1e-4, 10**1.5])


def judged(losses: list[float], smoothed: bool = False, **limits: Any) -> Judge:
    given = {"minimum": 0.0, "tolerance": 0.1, "budget": len(losses) - 1} | limits
    standard = Standard(first=np.array([losses[0]]), slopes=np.ones(1), smoothed=smoothed, **given)
    judge = Judge(standard, 1)
    for begin in range(0, len(losses), 7):  # in blocks
        part = np.array(losses[begin : begin + 7])[:, None]
        spent = begin + np.arange(len(part))[:, None]
        if not judge.take(np.zeros((len(part), 1, 1)), part, spent):
            break
    return judge


def verdict(losses: list[float], gradient: float = 1.0, **limits: Any) -> Any:
    return judged(losses, **limits).verdict(lambda x: np.full((1, 1), gradient))


def test_gaps_are_the_lowest_so_far_at_shares_of_the_budget() -> None:
    losses = np.random.default_rng(0).uniform(1, 2, 101)
    losses[0] = 2.0
    found = verdict(losses.tolist())
    expected = [losses[: int(share * 100) + 1].min() / 2 for share in SHARES]
    np.testing.assert_allclose(found.gaps[0], expected, rtol=1e-12)
    assert found.endings == [MOVING]
    assert verdict(losses.tolist(), gradient=1e-7).endings == [ELSEWHERE]
    assert found.spent == found.steps == [100]


def test_a_run_is_solved_at_the_first_gap_below_the_tolerance() -> None:
    found = verdict([1.0] * 20 + [0.09, 0.5, 0.01])
    assert found.solved_at == [20]
    assert found.endings == [SOLVED]
    beyond = verdict([1.0] * 20 + [0.09, 0.5, 0.01], budget=19)
    assert np.isinf(beyond.solved_at)


def test_a_gap_below_a_wrong_minimum_is_negative_beyond_rounding() -> None:
    assert (verdict([1.0] + [-1e-12] * 9).gaps >= 0).all()
    assert verdict([1.0] + [-0.25] * 9).gaps[0, -1] == -0.25


def test_what_reaches_the_minimum_unseen_has_cost_an_evaluation(own: str) -> None:
    Path(own).write_text(
        OWN + "\n\nclass Knowing(Lion):\n"
        "    def step(self, objective, x, mean):\n        return 0 * x, mean\n"
    )
    assert (results(f"{own}:Knowing", "bowl").solved_at == 1).all()


def test_a_problem_that_starts_below_its_minimum_is_told() -> None:
    found = results("sgd", "bowl", minimum=100.0)
    assert found.cause == "made: the loss at its start is not above the minimum"


def test_gaps_are_infinite_from_where_a_run_fails() -> None:
    failed = verdict([1.0] * 10 + [np.nan] + [0.01] * 10)
    assert failed.endings == [FAILED]
    assert (np.isinf(failed.gaps[0]) == (SHARES * 20 >= 10)).all()
    solved = verdict([1.0] * 5 + [0.05] + [np.inf] * 15)
    assert solved.endings == [SOLVED]
    assert solved.solved_at == [5]


def test_one_lucky_step_does_not_solve_a_random_problem() -> None:
    lucky = [1.0] * 10 + [0.0] + [1.0] * 10
    assert np.isinf(verdict(lucky, smoothed=True).solved_at)
    steady = [1.0] * 10 + [0.05] * 20
    assert verdict(steady, smoothed=True).solved_at == [
        19
    ]  # nine of ten, and (1 + 9*0.05)/10 > 0.1


def test_each_start_has_its_own_noise_which_is_the_same_for_all() -> None:
    setting, again = Setting(problem(noise=0.5)), Setting(problem(noise=0.5))
    x = np.zeros(2)
    (group,), (other,) = setting.groups, again.groups
    first, second = (each.at(3).gradient(x) for each in group.alone)  # type: ignore[union-attr]
    assert (first != second).all()
    assert (other.alone[1].at(3).gradient(x) == second).all()  # type: ignore[union-attr]
    both = group.objective.at(3).gradient(np.zeros((4, 2, 2)))  # type: ignore[union-attr]
    assert (both == [first, second]).all()
    assert (setting.starts == again.starts).all()
    assert tuple(setting.starts[0]) == setting.problem.surface.start


@pytest.mark.parametrize("spec", ["adam", "momentum"])
def test_a_job_gives_the_same_in_another_process(spec: str) -> None:
    job = Job(problem(noise=0.1), parse_spec(spec))
    here = run_job(job)
    assert same(here, run_job(pickle.loads(pickle.dumps(job))))
    assert here.seconds > 0


@pytest.mark.slow
def test_a_job_gives_the_same_in_a_spawned_process() -> None:
    job = Job(problem(), parse_spec("adam"))
    with ProcessExecutor(1) as executor:
        assert same(executor.submit(run_job, job).result(), run_job(job))


def test_what_an_optimizer_lacks_fails_alone() -> None:
    found = results("saga")
    assert (found.endings == FAILED).all()
    assert found.cause.startswith("saga needs samples")
    assert results("bfgs", noise=1.0).cause.startswith("bfgs needs a fixed objective")
    assert results("own.py:Missing").cause


@pytest.fixture
def own(here: Path) -> str:
    Path("own.py").write_text(OWN)
    return "own.py"


@pytest.mark.parametrize("given", [{}, {"noise": 0.1}, {"noise": 0.1, "noise_kind": "drift"}])
def test_a_users_class_is_walked_as_arrays_if_that_is_the_same(
    own: str, given: dict[str, Any]
) -> None:
    setting = Setting(problem(budget=40, **given))
    values = {"lr": RATES[8:32:4]}
    with np.errstate(all="ignore"):
        for name, expected in (("Lion", True), ("Whole", False)):
            spec = parse_spec(f"{own}:{name}")
            walked, together = runs._walk_all(spec, setting, values, 6)
            alone = runs._walk_each(spec, setting, values, range(6))
            assert together is expected
            for one, other in zip(walked.reached, alone.reached, strict=True):
                np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_code_that_raises_fails_where_it_does(own: str) -> None:
    found = results(f"{own}:Failing")
    assert "too far" in found.cause
    assert (found.endings[:8] != FAILED).all()
    assert (found.endings[-1] == FAILED).all()
    refused = results(f"{own}:Refusing", budget=20)
    assert (refused.endings[RATES > 1] == FAILED).all()
    assert (refused.endings[RATES < 1e-3] != FAILED).all()


def test_other_hyperparameters_are_varied_by_factors_of_their_defaults(own: str) -> None:
    found = results("adam", "ellipse", budget=300)
    assert set(found.values) == {"beta1", "beta2", "eps"}
    expected = 1 - 0.1 * 10 ** np.array([-2, -1.5, -1, -0.5, 0, 0.5, 1])
    np.testing.assert_allclose(found.values["beta1"], expected, atol=1e-12)
    np.testing.assert_allclose(found.factors["beta1"], (1 - found.values["beta1"]) / 0.1)
    np.testing.assert_allclose(found.factors["eps"], found.values["eps"] / 1e-8)
    best = runs.best_rate(found)
    for key, values in found.values.items():
        default = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}[key]
        assert found.solved_with[key].shape == (len(values), 2)
        at_default = found.solved_with[key][values == default]
        np.testing.assert_array_equal(at_default, found.solved_at[[best]])
    assert set(results("adam:beta1=0.8", "ellipse", budget=300).values) == {"beta2", "eps"}
    assert set(results(f"{own}:Lion", "ellipse", budget=300).values) == {"beta1", "beta2"}


@pytest.mark.parametrize(
    "given", [{}, {"batch_size": 2}, {"noise": 0.1}, {"noise": 0.1, "noise_kind": "drift"}]
)
@pytest.mark.parametrize("surface", ["xor", "rosenbrock"])
def test_random_steps_are_the_same_as_arrays_and_alone(surface: str, given: dict[str, Any]) -> None:
    if surface == "rosenbrock" and "batch_size" in given:
        return
    setting = Setting(problem(surface, minimum=0.0, budget=30, **given))
    values, spec = {"lr": RATES[12:28:5]}, parse_spec("adam")
    together, _ = runs._walk_all(spec, setting, values, 4)
    alone = runs._walk_each(spec, setting, values, range(4))
    for one, other in zip(together.reached, alone.reached, strict=True):
        np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-9)


def test_a_network_starts_at_other_weights() -> None:
    setting = Setting(problem("xor", minimum=0.0, starts=3))
    assert len(np.unique(setting.starts, axis=0)) == 3
    assert setting.starts[0] == pytest.approx(setting.posed.origin.space.initial)  # type: ignore[attr-defined]


@pytest.mark.torch
@pytest.mark.parametrize("name", ["torch.optim.SGD", "optax.sgd", "torch.optim.LBFGS"])
def test_other_libraries_take_part(name: str) -> None:
    pytest.importorskip(name.partition(".")[0])
    rates = {"torch.optim.SGD": 1e-3, "optax.sgd": 1e-3, "torch.optim.LBFGS": 1.0}
    found = results(f"{name}:{'learning_rate' if 'optax' in name else 'lr'}={rates[name]}")
    if "LBFGS" in name:
        assert found.cost > 1
        return
    own = results("sgd:lr=1e-3")
    assert found.cost == own.cost == 1
    np.testing.assert_allclose(found.gaps, own.gaps, rtol=1e-9)
