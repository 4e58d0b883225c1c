"""Preconditioners are those of the steps, and limits of stability hold on quadratics."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from conftest import RATED, SAMPLED, Halves, fitting_surface

import optiviz
from optiviz.descent.walk import walk
from optiviz.objective import Array
from optiviz.optimizers.base import Method, Optimizer
from optiviz.optimizers.lookup import factory_of
from optiviz.optimizers.spec import parse_spec
from optiviz.surfaces.surface import Surface

wobbly = optiviz.load_surface("wobbly")
curved = Surface(formula="(3*x**2 + x*y + y**2)/2 + x**4/40", domain="-3:3,-3:3")
flat: Any = Halves(Surface(formula="0*x*y", domain="-3:3,-3:3"))
START = np.array([1.3, -0.7])

# What the steps of these follow: the mean of gradients in the state, which their rate multiplies.
MEANS = {
    "momentum": "velocity",
    "momentum:dampening=0.3": "velocity",
    **{f"{name}:weight_decay=0": "mean" for name in ("adam", "adamw", "amsgrad", "adamax")},
    "adam:eps_in_sqrt=true": "mean",
    "radam": "mean",
    "radam:beta2=0.9": "mean",
    "adabelief": "mean",
    "yogi": "mean",
    "sophia": "mean",
    "polyak-averaging+momentum": "velocity",
    "adam:lr=@exp/0.8": "mean",
    "lookahead+adam:sync_period=100": "mean",
}
# Steps by the gradient at the point before, whatever the step.
PLAIN = [
    *("sgd", "sgd:lr=@exp/0.8", "adagrad", "adagrad:lr_decay=0.1", "rmsprop"),
    *("rmsprop:centered=true:rho=0.5", "newton", "newton:damping=0.5", "gauss-newton"),
    *("natural-gradient", "asgd:lambd=0", "svrg", "saga"),
]
# Steps against P g, as long as the method chooses.
CHOSEN = [
    "polyak",
    "barzilai-borwein",
    "adgd",
    "dog",
    "exact+newton",
    "exact+sgd",
    "backtracking+rmsprop",
]
# Some mean of gradients: that of a plane, whose gradient is the same everywhere.
MIXED = [
    *("nesterov", "smoothed-nesterov", "nadam", "adan", "ademamix"),
    *("rmsprop:momentum=0.5", "adabelief:nesterov=true", "sam+adam"),
]


def make(name: str, lr: Any = 0.05) -> Optimizer:
    spec = parse_spec(name)
    made = spec.build(**({"lr": lr} if factory_of(spec.name).rate else {}))
    assert isinstance(made, Optimizer)
    return made


def applied(matrix: Array | None, vector: Array) -> Array:
    assert matrix is not None
    return matrix @ vector if matrix.ndim == 2 else matrix * vector


def state_of(state: Any, name: str) -> Array:
    """Return a field of a state or of the state within it."""
    found: Array = getattr(state, name) if hasattr(state, name) else state_of(state.inner, name)
    return found


def rate_of(method: Method, step: int) -> float:
    own = getattr(method, "_rate", None)  # of a rate that decays without a schedule
    return float(own(step) if own else method.rate_at(step) or 0)


@pytest.mark.parametrize("name", [*MEANS, *PLAIN])
def test_a_step_is_its_rate_times_the_preconditioned_gradient(name: str) -> None:
    method, surface = make(name), fitting_surface(name, curved)
    walked = list(walk(surface, method, START, 8))
    for step, ((x, _), (after, state)) in enumerate(pairwise(walked)):
        mean = state_of(state, MEANS[name]) if name in MEANS else surface.gradient(x)
        move = rate_of(method, step) * applied(method.preconditioner(state), mean)
        np.testing.assert_allclose(x - after, move, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("name", [*CHOSEN, "bfgs", "levenberg-marquardt", *MIXED])
def test_a_step_leads_along_the_preconditioned_gradient(name: str) -> None:
    surface = fitting_surface(name, curved)
    if name in MIXED:
        surface = Surface(formula="2*x - y", domain="-3:3,-3:3")
    spec = parse_spec(name)
    method = spec.build(**({"lr": 0.05} if factory_of(spec.name).rate else {}))
    walked = list(walk(surface, method, START, 6))
    for (x, _), (after, state) in pairwise(walked):
        if (x == after).all():
            continue
        way = applied(method.preconditioner(state), surface.gradient(x))
        cosine = (x - after) @ way / np.linalg.norm(x - after) / np.linalg.norm(way)
        assert cosine == pytest.approx(1, abs=1e-9)


# Whose preconditioner is the inverse of the Hessian, and changes with it.
NEWTONIAN = ["newton", "gauss-newton", "natural-gradient"]
# A rate that a method finds itself changes with the curvature.
LIMITED = [name for name in RATED if make(name).stability_limit(0) is not None]
VARIED = [
    *("momentum:dampening=0.5", "momentum:weight_decay=0.3", "nesterov:momentum=0.5"),
    *(
        "sgd:weight_decay=0.3",
        "sophia:weight_decay=0.5",
        "adam:beta1=0.5",
        "adamw:weight_decay=0.8",
        "rmsprop:momentum=0.7",
    ),
    *("smoothed-nesterov:points=1", "adabelief:nesterov=true", "adagrad:lr_decay=0.2"),
    *("ademamix:beta3=0.8:weight_decay=0.5", "nadam:momentum_decay=0.001", "sgd:lr=@warmup/20"),
    *("polyak-averaging+momentum", "asgd:lambd=0.3:alpha=0", "adam:lr=@cosine/9"),
]
FROZEN = {key: np.full(2, 0.7) for key in ("square", "largest", "accumulator", "curvature")}


def frozen(state: Any, step: int) -> Any:
    """Return a state, and the states in it, at a step and with other mean squares."""
    held: dict[str, Any] = FROZEN | {"step": step, "product": 0.0}
    fields = {key: each for key, each in held.items() if hasattr(state, key)}
    if hasattr(state, "table"):  # of saga, which fills it in its first step
        fields = {}
    if hasattr(state, "inner"):
        fields["inner"] = frozen(state.inner, step)
    return state._replace(**fields) if fields else state


def grows(method: Optimizer, surface: Any, step: int) -> bool:
    """Return whether a method that is always at one step moves away from the minimum at 0."""
    x, sizes = np.array([1e-9, 0.0]), list[float]()
    state = method.init(x)
    for _ in range(500):
        x, state = method.step(surface, x, frozen(state, step))
        sizes.append(abs(x[0]))
    return bool(max(sizes[-50:]) > 1e-9)


def held_step(name: str) -> int:
    """Return a late step: of svrg one with a snapshot, of sophia one without a Hessian."""
    if "@" in name or name.startswith("asgd"):  # before the rate is 0
        return 3
    return 100_001 if name.startswith("sophia") else 100_000


@pytest.mark.sample(6)
@pytest.mark.parametrize("name", [*LIMITED, *VARIED])
def test_a_method_is_stable_below_its_limit_and_unstable_above_it(name: str) -> None:
    """At a late step, in which the preconditioner no longer changes."""
    found = []
    for share in (0.98, 1.02):
        method, step = make(name, 0.3), held_step(name)
        bend = 1.0
        if name in NEWTONIAN:  # where the rate alone decides
            method = make(name, 2 * share)
        else:
            origin = np.zeros(2)
            _, state = method.step(flat, origin, frozen(method.init(origin), step))
            matrix = method.preconditioner(state)
            limit = method.stability_limit(step)
            assert matrix is not None and limit is not None
            bend = float(share * limit / matrix.flat[0])
        written = {"formula": f"{bend!r}*x**2/2 + y**2/9"}
        if name == "gauss-newton":
            written = {"residuals": "x, y/3"}
        if name == "natural-gradient":
            written["metric"] = "1, 0, 0, 1"
        bowl = Surface(domain="-3:3,-3:3", **written)
        found.append(grows(method, Halves(bowl) if name in SAMPLED else bowl, step))
    assert found == [False, True]


def test_there_is_no_limit_without_a_rule() -> None:
    for name in ("momentum:momentum=1", "adam:weight_decay=0.1", "lookahead+sgd", "lion"):
        assert make(name).stability_limit(0) is None
    assert make("sgd", 0.1).stability_limit(0) == 20
