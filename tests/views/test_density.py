"""The density of samplers, drawn instead of the loss."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Invoke

import optiviz
from optiviz.kinds.plot import PlotRecipe
from optiviz.kinds.run import Recipe
from optiviz.kinds.run_scene import RunScene
from optiviz.rendering.render import make_picture
from optiviz.themes import load_theme
from optiviz.views.curve import CurveView
from optiviz.views.sampled_surface import SampledSurface

HMC = "hmc:lr=0.04:temperature=20"


def scene(**fields: Any) -> RunScene:
    made = Recipe(**{"surface": "himmelblau", "steps": 3, **fields}).make_scene()
    assert isinstance(made, RunScene)
    return made


@pytest.mark.parametrize(
    ("fields", "temperature"),
    [
        ({"optimizers": HMC}, 20.0),
        ({"optimizers": f"{HMC},polyak-averaging+langevin:lr=0.01@cosine:temperature=20"}, 20.0),
        ({"optimizers": f"{HMC},langevin:lr=0.01"}, None),
        ({"optimizers": f"{HMC},sgd:lr=0.01"}, None),
        ({"optimizers": "sgd:lr=0.01", "density": 5}, 5.0),
        ({"optimizers": HMC, "density": 0}, None),
        ({"optimizers": HMC, "view": "loss"}, None),
    ],
)
def test_the_ground_is_the_density_of_samplers_or_what_is_asked_for(
    fields: dict[str, Any], temperature: float | None
) -> None:
    found = scene(**fields)
    assert found.temperature == temperature
    assert ("density" in found.caption) == (temperature is not None)


def test_the_density_is_that_of_the_losses_and_its_levels_are_even() -> None:
    surface = optiviz.load_surface("himmelblau")
    loss = SampledSurface.sample(surface, 41)
    density = SampledSurface.sample(surface, 41, temperature=20.0)
    expected = np.exp(-(loss.values - loss.values.min()) / 20)
    np.testing.assert_allclose(density.values, expected, rtol=1e-12)
    assert density.values.max() == 1.0
    np.testing.assert_allclose(np.diff(density.levels), 1 / 22, rtol=1e-9)
    few = SampledSurface.sample(surface, 41, 4, temperature=20.0)
    np.testing.assert_allclose(few.levels, [0, 0.25, 0.5, 0.75, 1])


def test_plots_and_pages_show_a_density(invoke: Invoke, here: Path) -> None:
    (part,) = PlotRecipe(surfaces="himmelblau", density=2).make_scene().parts()
    assert isinstance(part, RunScene) and part.ground == "density"
    words = "run", "--surface", "himmelblau", "--opt", HMC, "--steps", 3
    assert invoke(*words, "-o", "x.html").exit_code == 0
    assert "density exp" in (here / "x.html").read_text()


@pytest.mark.parametrize(("asked", "first"), [(None, 14), (5, 15)])
def test_a_path_of_samples_ends_early_unless_asked_to_fade(asked: int | None, first: int) -> None:
    drawn = make_picture(Recipe(surface="himmelblau", optimizers="langevin", steps=20, trail=asked))
    drawn.update(20)
    (path,) = drawn.scene.trajectories
    artist = drawn.cells[0].view.path_artists[-1]
    segments = artist.strokes.drawn.get_segments()
    assert artist.strokes.trail == (asked is not None)
    in_full = segments[artist.strokes.trail]
    np.testing.assert_array_equal(in_full, path.points[first:])


def test_a_curve_has_the_height_of_the_density() -> None:
    surface = optiviz.Surface(formula="x**2/2", domain="-4:4")
    recipe = Recipe(surface=surface, optimizers="langevin:lr=0.3", steps=3)
    view = CurveView(recipe.make_scene(), load_theme("light"), recipe)  # type: ignore[arg-type]
    np.testing.assert_allclose(view.value, np.exp(-(view.x**2) / 2), atol=1e-12)
    np.testing.assert_allclose(view.slope, -view.x * np.exp(-(view.x**2) / 2), atol=1e-12)


@pytest.mark.parametrize("value", ["-1", "inf", "hot"])
def test_a_temperature_that_is_none_is_refused(invoke: Invoke, value: str) -> None:
    said = invoke("run", "--surface", "bowl", "--opt", "sgd", f"--density={value}", "-o", "x.png")
    assert said.exit_code == 2
    assert "--density" in said.stderr and len(said.stderr.splitlines()) == 1
