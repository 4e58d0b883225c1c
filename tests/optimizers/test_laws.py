"""Properties that every built-in optimizer has."""

import copy
import pickle
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from conftest import RANDOM, STEPPING, fitting_surface
from hypothesis import given, settings
from hypothesis import strategies as st

import optiviz
from optiviz.descent.walk import descend, walk
from optiviz.objective import Array
from optiviz.optimizers import load_optimizer, load_wrapper
from optiviz.optimizers.base import Hyper, Method, Optimizer
from optiviz.optimizers.describe import describe
from optiviz.optimizers.lookup import factory_of
from optiviz.optimizers.spec import parse_spec
from optiviz.registry import OPTIMIZERS, WRAPPERS
from optiviz.system.errors import InputError

STEPS = 25
WRAPPED = [
    *("lookahead+adam", "sam+sgd", "lookahead+sam+momentum", "sam+rmsprop"),
    *("polyak-averaging+momentum", "lookahead+projected-gradient"),
    *("schedule-free+sgd", "schedule-free+adam", "schedule-free+proximal-gradient"),
    *("cautious+momentum", "cautious+adam:xi=0", "clip+sgd", "clip+projected-gradient"),
    *("exact+momentum", "backtracking+sgd", "backtracking+adam:interpolate=true"),
]
FLOWS = [pytest.param(f"flow+{name}", marks=pytest.mark.slow) for name in ("sgd", "rmsprop")]
SCHEDULED = ["adam:lr=@cosine/20", "lookahead+sgd:lr=@warmup/5@step/10/0.5"]
wobbly = optiviz.load_surface("wobbly")
bowl = optiviz.load_surface("bowl")
flat = optiviz.Surface(formula="3 + 0*x*y", domain="-3:3,-3:3")
every_optimizer = pytest.mark.parametrize("name", [*STEPPING, *WRAPPED, *SCHEDULED, *FLOWS])
every_quick_one = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name == "log-barrier" else name
        for name in [*STEPPING, *WRAPPED, *SCHEDULED]
    ]
    + FLOWS,
)
every_name = pytest.mark.parametrize("name", OPTIMIZERS)


def make(name: str, lr: Any = 0.01) -> Optimizer:
    spec = parse_spec(name)
    made = spec.build(**({"lr": lr} if factory_of(spec.name).rate else {}))
    assert isinstance(made, Optimizer)
    return made


def end_of(optimizer: Method, x: Array, surface: Any = wobbly) -> Array:
    return [x for x, _ in walk(surface, optimizer, x, STEPS)][-1]


def leaves(state: Any) -> list[Any]:
    """Return the arrays of a state and of its nested states."""
    return (
        [leaf for part in state for leaf in leaves(part)] if isinstance(state, tuple) else [state]
    )


points = st.tuples(*[st.floats(-3, 3)] * 2)


@pytest.mark.sample(4)
@every_quick_one
@settings(max_examples=10)
@given(starts=st.lists(points, min_size=1, max_size=6), rate=st.floats(1e-4, 0.05))
def test_rows_of_a_batch_are_independent(
    name: str, starts: list[tuple[float, float]], rate: float
) -> None:
    together = np.array(starts)
    for usual, tolerance in [(bowl, 0.0), (wobbly, 1e-12)]:
        surface = fitting_surface(name, usual)
        ends = end_of(make(name, rate), together, surface)
        alone = np.array([end_of(make(name, rate), start, surface) for start in together])
        np.testing.assert_allclose(ends, alone, rtol=tolerance, atol=tolerance)
        grid = end_of(make(name, rate), together[:, None], surface)
        np.testing.assert_array_equal(grid[:, 0], ends)


@pytest.mark.sample(24)
@every_optimizer
def test_a_hyperparameter_may_be_an_array_over_runs(name: str) -> None:
    spec = parse_spec(name)
    factory = factory_of(spec.name)
    usual = {key: each.default for key, each in factory.parameters.items() if each.type == Hyper}
    key = factory.rate or next(iter(usual), "")
    if not key:
        return
    values = np.array([[1e-3], [1e-2], [0.1]]) * (1 if factory.rate else 10 * usual[key])
    starts = np.tile(wobbly.start, (3, 1))
    surface = fitting_surface(name, wobbly)
    together = end_of(spec.build(**{key: values}), starts, surface)
    alone = np.array([end_of(spec.build(**{key: each[0]}), starts[0], surface) for each in values])
    np.testing.assert_allclose(together, alone, rtol=1e-12, atol=1e-12)


@every_optimizer
def test_step_is_pure(name: str) -> None:
    optimizer, surface = make(name), fitting_surface(name, wobbly)
    x = np.array(wobbly.start)
    state = optimizer.init(x)
    for _ in range(3):
        before = (x.copy(), copy.deepcopy(state))
        first, second = (optimizer.step(surface, x, state) for _ in range(2))
        np.testing.assert_array_equal(x, before[0])
        for kept, original in zip(leaves(state), leaves(before[1]), strict=True):
            np.testing.assert_array_equal(kept, original)
        np.testing.assert_array_equal(first[0], second[0])
        x, state = first


@every_optimizer
def test_points_and_states_stay_float64(name: str) -> None:
    optimizer, x = make(name), np.array([1.0, 2.0])
    x, state = optimizer.step(fitting_surface(name, bowl), x, optimizer.init(x))
    assert x.dtype == np.float64
    assert all(np.asarray(each).dtype in (np.float64, np.int64) for each in leaves(state))


@every_optimizer
def test_swapping_the_axes_of_a_symmetric_surface_swaps_the_path(name: str) -> None:
    if name in [*RANDOM, "coordinate-descent"]:
        return  # its numbers, or the axes in their order, are not swapped
    x, surface = np.array([2.5, -1.3]), fitting_surface(name, bowl)
    np.testing.assert_allclose(
        end_of(make(name), x, surface)[::-1],
        end_of(make(name), x[::-1].copy(), surface),
        rtol=0,
        # A sum of three weights, the eigenvectors of a matrix that is not diagonal, and squares of
        # which one is a rounding error.
        atol={"mirror-descent": 1e-12, "log-barrier": 1e-12, "soap": 1e-9}.get(name, 0),
    )


@pytest.mark.sample(24)
@every_optimizer
def test_it_descends_a_bowl(name: str) -> None:
    path = descend(fitting_surface(name, bowl), make(name, 0.02), bowl.start, 50)
    assert path.losses[-1] < path.losses[0]
    assert not path.ending


@pytest.mark.sample(18)
@pytest.mark.parametrize("name", STEPPING)
def test_every_hyperparameter_has_an_effect(name: str) -> None:
    """On the points or states of one of two runs, by one of several values."""
    parameters, surface = dict(factory_of(name).parameters), fitting_surface(name, wobbly)
    usual = {"weight_decay": "0.1", "lr": "0.5", "radius": "3"}

    def ends(**changed: str) -> list[bytes]:
        settings = {key: each for key, each in usual.items() if key in parameters} | changed
        optimizer = parse_spec(":".join([name, *map("=".join, settings.items())])).build()
        with np.errstate(all="ignore"):
            *_, end = walk(surface, optimizer, np.array([[1.5, -2.0], [0.3, 0.9]]), STEPS)
        return [np.asarray(leaf).tobytes() for leaf in leaves(end)]

    before = ends()
    if name == "nelder-mead":
        return  # tested with scipy, as they end a run, or adapt to many dimensions
    parameters.pop("adam_lr", None)  # of what is no matrix; held to torch
    if name not in RANDOM:
        parameters.pop("seed", None)  # of what is drawn where no Hessian is known, in test_sophia
    for key, parameter in parameters.items():
        numbers = ["3", "0.3", "-0.3", "0.01", "0.24", "7"]
        values = ["false", "true"] if parameter.type is bool else numbers
        changed = False
        for value in values:
            with suppress(InputError):  # a value out of range
                changed = changed or ends(**{key: value}) != before
        assert changed, key


@pytest.mark.parametrize("name", STEPPING)
def test_weight_decay_leads_to_the_origin(name: str) -> None:
    if "weight_decay" not in factory_of(name).parameters:
        return
    far = np.array([1.5, -2.0])
    end = end_of(
        parse_spec(f"{name}:weight_decay=0.1").build(lr=0.01), far, fitting_surface(name, flat)
    )
    assert (np.abs(end) < np.abs(far)).all() and (np.sign(end) == np.sign(far)).all()


@every_optimizer
def test_pickles(name: str) -> None:
    optimizer = pickle.loads(pickle.dumps(make(name)))
    assert optimizer.hyperparameters() == make(name).hyperparameters()


@pytest.mark.parametrize("name", [*OPTIMIZERS, *WRAPPERS])
def test_docstring_has_rule_paper_and_meanings(name: str) -> None:
    known = describe(load_wrapper(name) if name in WRAPPERS else load_optimizer(name))
    assert known.summary.endswith(".")
    assert "x <- " in known.rule
    assert any(letter.isdigit() for letter in known.paper), "a paper has a year"
    assert all(meaning for _, _, meaning in known.hyperparameters)


@pytest.mark.parametrize("name", STEPPING)
def test_states_are_recorded_by_name(name: str) -> None:
    path = descend(fitting_surface(name, wobbly), make(name), wobbly.start, 4)
    state = make(name).init(path.start)
    known = getattr(state, "recorded", state._asdict())
    drawn = [key for key, each in known.items() if np.shape(each) in ((), (2,))]
    assert list(path.states) == drawn
    assert all(len(each) == 5 for each in path.states.values())


def test_the_states_of_a_wrapped_optimizer_are_recorded_too() -> None:
    path = optiviz.descend("wobbly", "lookahead+adam:lr=0.01@exp/0.99", steps=4)
    assert set(path.states) == {"mean", "square", "slow", "step"}
    assert all(len(each) == 5 for each in path.states.values())
