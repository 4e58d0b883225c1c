"""Random methods: whose seed counts, and where it is told."""

from pathlib import Path

import numpy as np
import pytest
from conftest import RANDOM, Invoke

import optiviz
from optiviz.recipes.reading import read_recipe


@pytest.mark.parametrize("name", RANDOM)
def test_the_seed_is_the_recipes_unless_the_spec_has_one(name: str) -> None:
    def ends(spec: str, seed: int) -> list[float]:
        return optiviz.descend("wobbly", spec, steps=5, seed=seed).end.tolist()

    assert ends(name, 1) == ends(name, 1) != ends(name, 2)
    assert ends(f"{name}:seed=1", 2) == ends(name, 1)


def test_a_seed_is_told_where_it_matters(invoke: Invoke) -> None:
    def told(*words: str) -> tuple[str, tuple[str, ...]]:
        given = dict(zip(words[::2], words[1::2], strict=True))
        recipe = read_recipe(
            {"surface": "wobbly", "steps": 3, "seed": 7, **given}, lambda keys: str(keys)
        )
        scene = recipe.make_scene()
        report = scene.report(recipe)
        assert report is not None
        return " ".join([*report.rows[0], *report.notes]), scene.conditions

    assert told("optimizers", "random-search")[0].count("seed 7") == 1
    assert told("optimizers", "random-search")[1] == ("seed 7",)
    assert told("optimizers", "random-search,adam")[1] == ("seed 7",)
    assert told("optimizers", "random-search:seed=3")[1] == ()
    assert "seed 3" in told("optimizers", "random-search:seed=3")[0]
    assert told("optimizers", "random-search", "vary", "seed=1,2")[1] == ("random-search",)
    assert told("optimizers", "adam")[1] == ()
    basins = told("kind", "basins", "surface", "himmelblau", "optimizers", "random-search")
    assert basins[1] == ("seed 7",)
    result = invoke("response", "--signal", "spikes", "--opt", "random-search", "-o", "a.png")
    assert "seed 0" in result.output


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", RANDOM)
def test_a_page_replays_it(name: str, invoke: Invoke) -> None:
    result = invoke("run", "--surface", "wobbly", "--opt", name, "--steps", 3, "-o", "a.html")
    assert result.exit_code == 0, result.output


def test_so_is_that_of_an_own_optimizer(here: Path) -> None:
    (here / "own.py").write_text(
        "import numpy as np\n"
        "class Walk:\n"
        "    def __init__(self, seed):\n"
        "        self.seed = seed\n"
        "    def init(self, x):\n"
        "        return 0\n"
        "    def step(self, objective, x, state):\n"
        "        return x + np.random.default_rng([self.seed, state]).normal(size=2), state + 1\n"
    )
    drawn = np.random.default_rng([7, 0]).normal(size=2)
    for word, seed in [("own.py:Walk", 7), ("own.py:Walk:seed=7", 1)]:
        path = optiviz.descend("wobbly", word, steps=1, seed=seed)
        np.testing.assert_array_equal(path.end, path.start + drawn)
