"""Kinds of noise: what they are distributed as, and that all runs get the same."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Invoke

import optiviz
from optiviz.descent.basins import map_basins, start_grid
from optiviz.descent.trials import Trials, walk_trials
from optiviz.descent.walk import descend
from optiviz.kinds.facts import evaluate
from optiviz.objective import Array
from optiviz.optimizers.momentum import SGD
from optiviz.optimizers.spec import parse_spec
from optiviz.recipes.command import drawn_command
from optiviz.registry import NOISE_KINDS, NoiseKind
from optiviz.rendering.page.programs import page_programs
from optiviz.surfaces.batches import Residuals, SampleBatches
from optiviz.surfaces.noise import DRAWN, Drift, with_noise

GRADIENTS: list[NoiseKind] = list(DRAWN)
every_kind = pytest.mark.parametrize("kind", NOISE_KINDS)


class Slope:
    """A linear function of many variables, whose gradient is known."""

    dim = 100_000
    slope = np.linspace(-3, 5, dim)

    def value(self, x: Array) -> Array:
        return np.asarray(x @ self.slope)

    def gradient(self, x: Array) -> Array:
        return np.broadcast_to(self.slope, x.shape)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        return self.value(x), self.gradient(x)


def noisy_slopes(kind: NoiseKind, sigma: float) -> Array:
    """Return one noisy gradient of Slope, shape (dim,)."""
    stream: Any = with_noise(Slope(), sigma, 3, kind)
    found: Array = stream.at(7).gradient(np.zeros(Slope.dim))
    return found


def test_kinds_are_distributed_as_they_say() -> None:
    slope = Slope.slope
    added = noisy_slopes("gaussian", 0.7) - slope
    assert abs(added.mean()) < 0.01 and added.std() == pytest.approx(0.7, rel=0.01)
    tails = noisy_slopes("cauchy", 0.7) - slope  # quartiles at plus and minus the scale
    np.testing.assert_allclose(
        np.quantile(tails, [0.25, 0.5, 0.75]), [-0.7, 0, 0.7], rtol=0.02, atol=0.01
    )
    assert np.abs(tails).max() > 1000
    factor = noisy_slopes("multiplicative", 0.7) / slope
    assert factor.mean() == pytest.approx(1, abs=0.01)
    assert factor.std() == pytest.approx(0.7, rel=0.01)
    kept = noisy_slopes("sparse", 0.9) / slope
    np.testing.assert_allclose(np.unique(kept.round(9)), [0, 10])
    assert kept.mean() == pytest.approx(1, abs=0.03)


@every_kind
def test_noise_depends_on_seed_and_step_alone(kind: NoiseKind) -> None:
    surface, x = optiviz.load_surface("himmelblau"), np.array([[1.0, 2.0], [-3.0, 0.5]])
    stream: Any = with_noise(surface, 0.3, 5, kind)
    forwards = [stream.at(step).gradient(x) for step in range(60)]
    fresh: Any = pickle.loads(pickle.dumps(with_noise(surface, 0.3, 5, kind)))
    backwards = [fresh.at(step).gradient(x) for step in reversed(range(60))]
    np.testing.assert_array_equal(forwards, backwards[::-1])
    for number in range(2):
        np.testing.assert_array_equal(stream.at(30).gradient(x[number]), forwards[30][number])
    assert (stream.at(3).gradient(x) != forwards[4]).any()
    other: Any = with_noise(surface, 0.3, 6, kind)
    assert any((other.at(step).gradient(x) != forwards[step]).any() for step in range(1, 9))


@every_kind
def test_runs_of_an_array_are_the_runs_alone(kind: NoiseKind) -> None:
    surface = optiviz.load_surface("himmelblau")
    rates, starts = np.array([0.003, 0.01]), np.array([[0.0, 0.0], [-1.0, 3.0]])
    many = Trials(
        parse_spec("adam"), {"lr": rates}, surface, with_noise(surface, 0.3, 2, kind), starts, 9, 10
    )
    walked = walk_trials(many)
    for row, rate in enumerate(rates):
        for column, start in enumerate(starts):
            alone = optiviz.descend(
                surface, f"adam:lr={rate}", start, 9, noise=0.3, noise_kind=kind, seed=2
            )
            np.testing.assert_array_equal(alone.points, walked[:, row, column])


def test_a_drifting_objective_is_the_same_elsewhere() -> None:
    surface, x = optiviz.load_surface("himmelblau"), np.array([1.0, 2.0])
    stream = Drift(surface, 0.2, 4)
    here: Any = stream.at(9)
    assert here.value(x) == surface.value(x - stream.moved(9))
    nudges = 1e-6 * np.eye(2)
    slopes = [(here.value(x + nudge) - here.value(x - nudge)) / 2e-6 for nudge in nudges]
    np.testing.assert_allclose(here.gradient(x), slopes, rtol=1e-6)
    bends = [(here.gradient(x + nudge) - here.gradient(x - nudge)) / 2e-6 for nudge in nudges]
    np.testing.assert_allclose(here.hessian(x), bends, rtol=1e-6)
    assert (stream.moved(0) == 0).all()
    steps = np.diff([stream.moved(step) for step in range(2001)], axis=0)
    assert steps.std() == pytest.approx(0.2, rel=0.05)
    assert abs(np.corrcoef(steps[1:, 0], steps[:-1, 0])[0, 1]) < 0.1


def test_few_places_of_many_variables_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    surface = optiviz.load_surface("himmelblau")
    whole = [Drift(surface, 0.2).moved(step) for step in range(40)]
    monkeypatch.setattr("optiviz.surfaces.noise.KEPT", 6)
    stream = Drift(surface, 0.2)
    for step in [*range(40), 3, 39, 20]:
        np.testing.assert_array_equal(stream.moved(step), whole[step])
        assert len(stream._kept) <= 3


def test_a_path_is_judged_by_the_loss_that_moved() -> None:
    surface = optiviz.Surface(residuals="x - 1, y + 2, x*y", domain={"x": [-3, 3], "y": [-3, 3]})
    batches = SampleBatches(surface, Residuals(surface), 1, 2)
    stream = Drift(batches, 0.2, 2)
    path = descend(stream, SGD(lr=0.05), [2.0, 2.0], 20)
    moved = np.array([stream.moved(step) for step in range(21)])
    np.testing.assert_allclose(path.true_losses, surface.value(path.points - moved), rtol=1e-12)


def test_a_path_that_follows_a_drift_reaches_its_minimum() -> None:
    surface = optiviz.load_surface("bowl")
    stream = Drift(surface, 0.05, 1)
    last = stream.moved(200)
    assert np.linalg.norm(last) > 3 * surface.minimum_radius
    method = SGD(lr=0.45)
    grid = start_grid(surface, stream, (3, 3), 200)
    minima, (found,) = map_basins([method], grid)
    np.testing.assert_allclose(minima, [[0, 0]])
    assert (found.reached == 0).all()


def test_a_method_without_gradients_notices_a_drift_alone(invoke: Invoke) -> None:
    words = "run --surface bowl --opt nelder-mead --steps 5 -o x.json --noise 0.1 --noise-kind"
    assert invoke(*words.split(), "drift").exit_code == 0
    for kind in GRADIENTS:
        said = invoke(*words.split(), kind)
        assert said.exit_code == 2 and "never asks for a gradient" in said.stderr


def test_distances_to_a_minimum_that_drifts_are_not_told() -> None:
    recipe = optiviz.Recipe(
        surface="bowl", optimizers="sgd:lr=0.1", noise=0.1, noise_kind="drift", steps=9
    )
    scene = recipe.make_scene()
    assert "to nearest minimum" not in [each.heading for each in scene.report(recipe).columns]
    with pytest.raises(optiviz.InputError, match="the minimum drifts"):
        evaluate("distance(sgd)", scene.facts)
    with pytest.raises(optiviz.InputError, match="the minimum drifts"):
        evaluate("gradient(sgd)", scene.facts)
    still = recipe.model_copy(update={"noise_kind": "cauchy"}).make_scene()
    assert evaluate("distance(sgd)", still.facts) > 0


def test_a_page_replays_what_is_not_gaussian(invoke: Invoke, here: Path) -> None:
    words = "run --surface bowl --opt sgd:lr=0.1 --steps 9 --noise 0.1 --noise-kind cauchy"
    recipe = optiviz.Recipe(
        surface="bowl", optimizers="sgd:lr=0.1", steps=9, noise=0.1, noise_kind="cauchy"
    )
    found = page_programs(recipe.make_scene(), recipe)
    assert not found.methods and not found.presets
    assert [each["why"] for each in found.entries] == ["a page has Gaussian noise alone"]
    command = drawn_command(recipe)
    assert command is not None and command.arguments[-2:] == ["--noise-kind", "cauchy"]
    said = invoke(*words.split(), "--preset", "a: sgd:lr=1", "-o", "x.html")
    assert said.exit_code == 2 and "presets: are buttons of a page that computes" in said.stderr
    assert "a page has Gaussian noise alone" in said.stderr


def test_noise_of_a_kind_varies_and_is_told(invoke: Invoke, here: Path) -> None:
    words = "run --surface bowl --opt sgd:lr=0.1 --steps 9 --noise-kind sparse --vary noise=0,0.9"
    said = invoke(*words.split(), "-o", "x.json")
    assert said.exit_code == 0, said.stderr
    scene = optiviz.Recipe(
        surface="bowl", optimizers="sgd:lr=0.1", vary="noise=0,0.9", noise_kind="sparse", steps=9
    ).make_scene()
    assert scene.conditions == ("sgd", "sparse gradients", "seed 0")
    still, sparse = scene.trajectories
    assert (np.diff(still.points, axis=0) != 0).all()
    assert (np.diff(sparse.points, axis=0) == 0).mean() > 0.5
    told = optiviz.Recipe(surface="bowl", optimizers="sgd", noise=0.9, noise_kind="sparse")
    assert told.conditions() == ("sparse gradients: 90 % of coordinates missing", "seed 0")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "--noise-kind cauchy",
            "noise_kind: cauchy has no effect without noise, such as noise 0.1",
        ),
        ("--noise-kind cauchy --vary noise=0", "noise_kind: cauchy has no effect without noise"),
        ("--noise 1 --noise-kind sparse", "is a probability below 1, not 1"),
        ("--vary noise=0.5,2 --noise-kind sparse", "is a probability below 1, not 2"),
        ("--noise 1 --noise-kind cauchi", "unknown kind of noise 'cauchi': did you mean 'cauchy'?"),
        ("--noise 1 --noise-kind drift --view sharpness", "a minimum that does not drift"),
        ("--noise 1 --noise-kind drift --l1 1", "does not drift with a penalty: omit --l1"),
    ],
)
def test_noise_that_makes_no_sense_is_told(
    words: str, said: str, invoke: Invoke, here: Path
) -> None:
    opt = "proximal-gradient:lr=0.1" if "l1" in words else "sgd:lr=0.1"
    result = invoke("run", "--surface", "bowl", "--opt", opt, *words.split(), "-o", "x.json")
    assert result.exit_code == 2 and said in result.stderr, result.stderr
    assert result.stderr.count("\n") == 1 and not list(here.iterdir())
