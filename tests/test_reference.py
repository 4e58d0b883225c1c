"""Every trajectory against numbers from the real libraries (tests/reference).

There is one file per run; `compare_rows` is the number of rows for which two exact implementations
agree before a rounding error grows beyond 1e-9. Those of pytorch_optimizer and schedulefree have
our names of hyperparameters, beside the call. Runs with different rules are not included: optax's
amsgrad (corrects the bias before the maximum), nadam (no momentum schedule) and rprop (one step
late).
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import optiviz
from optiviz.registry import OPTIMIZERS as OURS
from optiviz.surfaces.surface import Surface

REFERENCE = Path(__file__).parent / "reference"
RUNS = sorted(each for each in REFERENCE.glob("*/*.json") if each.parent.name != "responses")
SURFACES = {"x2": "parabola", "cosx2": "parabola-cosine", "cos": "cosine"}
OPTIMIZERS = {"gd": "sgd"}
FAMILIES = "momentum", "adaptive", "adam", "successors", "sign"  # modules of rules that torch has
# The libraries' names of hyperparameters; None for those that are fixed in optiviz, whose values
# are in the files only for the record.
NAMES = {
    "learning_rate": "lr",
    "epsilon": "eps",
    "decay": "rho",
    "initial_accumulator_value": "initial_accumulator",
    "initial_scale": None,
    "bias_correction": None,
    "amsgrad": None,
    "b1": "beta1",
    "b2": "beta2",
    "b3": "beta3",
    "clip_value_fn": None,
}
WITH_OUR_NAMES = "pytorch_optimizer", "schedulefree"
PAIRS = {"betas": "beta", "eps": "eps", "etas": "eta", "step_sizes": "step_size"}


def word_of(run: Path, record: dict[str, Any]) -> str:
    """Return the spec of a reference run's optimizer."""
    library = run.parent.name
    given = {key: value for key, value in record["hyperparameters"].items() if value is not None}
    name = record["optimizer"].lower().replace(" ", "_").removeprefix("contrib_").split("_")[0]
    name = OPTIMIZERS.get(name, name)
    if library == "torch":
        given.pop("maximize", None)
        for key in [key for key, value in given.items() if isinstance(value, list)]:
            for number, value in enumerate(given.pop(key), start=1):
                if value is not None:
                    given[f"{PAIRS[key]}{number}"] = value
        if name == "rmsprop":
            given["rho"] = given.pop("alpha")
        if name == "adam" and given["amsgrad"]:
            name = "amsgrad"
        if name == "adamw" and given["amsgrad"]:
            name = "amsgrad"
        if name == "sgd":
            if given["nesterov"]:
                name = "nesterov"
            elif given["momentum"]:
                name = "momentum"
            if name != "momentum":
                del given["dampening"]
            if name == "sgd":
                del given["momentum"]
    if library == "one_dimension" and "alpha" in given:
        given["damping"] = given.pop("alpha")
    if library == "article" and name in ("rmsprop", "adagrad"):
        given["eps_in_sqrt"] = True
    if given.get("nesterov") is False:
        del given["nesterov"]
    names = NAMES | ({"nesterov": None} if library == "torch" else {})
    names = {} if library in WITH_OUR_NAMES else names
    settings = [(names.get(key, key), value) for key, value in given.items()]
    return ":".join(
        [name] + [f"{key}={str(value).lower()}" for key, value in settings if key is not None]
    )


@pytest.mark.sample(40)
@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.parent.name}-{run.stem}")
def test_trajectory_agrees(run: Path) -> None:
    record = json.loads(run.read_text())
    surface = record["surface"].replace("_", "-")
    path = optiviz.descend(
        SURFACES.get(surface, surface), word_of(run, record), record["start"], record["steps"]
    )
    # Lasagne and article 4 include Adam's bias correction in lr: their eps is effectively smaller.
    other_eps = run.parent.name in ("article", "ellipse") and run.stem.endswith("__adam")
    tolerance = 1e-4 if other_eps else 1e-9
    rows = slice(record["compare_rows"])
    np.testing.assert_allclose(path.points[rows], record["path"][rows], rtol=0, atol=tolerance)
    np.testing.assert_allclose(
        path.losses[rows], record["loss"][rows], rtol=tolerance, atol=tolerance
    )


def test_every_rule_of_a_library_is_held_to_it() -> None:
    tested = {word_of(run, json.loads(run.read_text())).split(":")[0] for run in RUNS}
    rules = {name for name, target in OURS.items() if target.partition(":")[0] in FAMILIES}
    assert rules - tested == {"smoothed-nesterov"}  # which is held to its formula
    assert {"lookahead", "sam", "cautious", "clip", "schedule-free"} == {
        name for word in tested for name in word.split("+")[:-1]
    }


def test_minima_are_the_recomputed_ones() -> None:
    names = {"simple_quad": "bowl", "giant_plateu": "giant-plateau"}
    for name, known in json.loads((REFERENCE / "article_minima.json").read_text()).items():
        surface = optiviz.load_surface(names.get(name, name.replace("_", "-")))
        listed = np.array(surface.minima)
        # Of the 625 minima of ripple, only the global one is listed.
        published = np.array([each["at"] for each in known["minima"]])[: len(listed)]
        np.testing.assert_allclose(listed, published, atol=1e-9)
        if name != "ripple":
            assert len(listed) == len(known["minima"])


STANDARD = json.loads((REFERENCE / "test_functions.json").read_text())
every_standard_function = pytest.mark.parametrize("name", STANDARD)


@every_standard_function
def test_a_standard_function_is_the_published_one(name: str) -> None:
    known = STANDARD[name]
    low, high = np.transpose(known["domain"])
    points = np.random.default_rng(0).uniform(low, high, (200, 2))
    x, y = points.T
    published = eval(known["expression"], {"np": np, "x": x, "y": y})
    # Terms cancel, so the tolerance depends on the size of the numbers that are added.
    size = 1e-14 * np.abs(published).max()
    ours = optiviz.load_surface(name).value(points)
    np.testing.assert_allclose(ours, published, rtol=1e-10, atol=size)


@every_standard_function
def test_global_minima_are_the_recomputed_ones(name: str) -> None:
    surface, known = optiviz.load_surface(name), STANDARD[name]
    if known["value"] is None:
        assert surface.minima == ()
        return
    listed = np.array(surface.minima)
    for best in known["minima"]:
        assert np.hypot(*(listed - best).T).min() < 1e-5
    assert lowest(surface) == pytest.approx(known["value"], rel=1e-12, abs=1e-12)


def lowest(surface: Surface) -> float:
    return min(float(surface.value(np.array(each))) for each in surface.minima)
