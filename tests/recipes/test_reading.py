"""The same recipe is read from options, from YAML and from a finished file."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import TUNED
from hypothesis import given
from hypothesis import strategies as st

import optiviz
from optiviz.kinds.base import BaseRecipe, to_dict
from optiviz.kinds.basins import BasinsRecipe
from optiviz.kinds.plot import PlotRecipe
from optiviz.kinds.response import ResponseRecipe
from optiviz.kinds.run import Recipe
from optiviz.kinds.score import ScoreRecipe
from optiviz.kinds.suite import Suite, SuiteProblem
from optiviz.kinds.tune import TuneRecipe
from optiviz.recipes.reading import input_files, merge_fields, read_recipe
from optiviz.registry import NOISE_KINDS, SIGNALS, THEMES
from optiviz.surfaces.surface import Surface
from optiviz.system.text import key_path
from optiviz.system.yaml import Document, yaml_text

SURFACES = st.one_of(
    st.sampled_from(["wobbly", "bowl"]),
    st.just(Surface(formula="x**2 + y**2", domain="-1:1,-2:2", levels=[1e-7, 0.1, 3e20])),
)
# None, or strings that YAML readers often take for something else.
TITLES = st.none() | st.sampled_from(
    ["on", "1e-3", "0x1f", "~", "a: b", "# c", "- d", "1:30", "{e}"]
)
LOOKS: dict[str, Any] = {
    "theme": st.sampled_from(sorted(THEMES)),
    "size": st.tuples(st.integers(240, 2000), st.integers(160, 2000)),
    "title": TITLES | st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=10),
}
WORDS = st.lists(
    st.builds("{}:lr={}".format, st.sampled_from(TUNED), st.floats(1e-6, 10)),
    min_size=1, max_size=4,
)  # fmt: skip


def suite_of(surface: str | Surface, noise: float, budget: int) -> Suite:
    """Return a suite of one problem."""
    only = SuiteProblem(name="only", group="few", surface=surface, minimum=0, noise=noise)
    return Suite(budget=budget, problems=(only,))


RECIPES: st.SearchStrategy[BaseRecipe] = st.one_of(
    st.builds(
        Recipe,
        surface=SURFACES,
        optimizers=WORDS,
        lr=st.none() | st.floats(1e-9, 1e9),
        starts=st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), max_size=3),
        random_starts=st.integers(0, 9),
        steps=st.none() | st.integers(1, 1000),
        fps=st.floats(0.5, 60),
        levels=st.none() | st.integers(1, 20) | st.just((0.1, 2.5)),
        presets=st.none() | st.just(["too large: sgd:lr=1.05", "b: adam,sgd --start 1,2"]),
        **LOOKS,
    ),
    st.builds(
        TuneRecipe,
        surface=SURFACES,
        optimizers=WORDS,
        over=st.sampled_from(["lr", "lr=1e-3:1,beta1", ("beta2=0.5:0.75",)]),
        trials=st.integers(2, 900),
        random_starts=st.none() | st.integers(0, 9),
        **LOOKS,
    ),
    st.builds(
        BasinsRecipe,
        surface=SURFACES,
        optimizers=WORDS,
        grid=st.tuples(st.integers(2, 999), st.integers(2, 999)),
        noise=st.floats(0, 9),
        noise_kind=st.sampled_from(list(NOISE_KINDS)),
        **LOOKS,
    ),
    st.builds(PlotRecipe, surfaces=st.lists(SURFACES, min_size=1, max_size=3), **LOOKS),
    st.builds(
        ResponseRecipe,
        signal=st.sampled_from(sorted(SIGNALS)) | st.builds(
            optiviz.Signal,
            gradient=st.lists(st.floats(-1e100, 1e100), min_size=1, max_size=5),
        ),
        optimizers=WORDS,
        **LOOKS,
    ),
    st.builds(
        ScoreRecipe,
        optimizers=WORDS,
        suite=st.builds(suite_of, SURFACES, noise=st.floats(0, 9), budget=st.integers(10, 99)),
        tuned_on=st.none() | st.sampled_from(["all", "only"]),
        only=st.none() | st.just("solved+rank"),
        **LOOKS,
    ),
)  # fmt: skip


def at(keys: Sequence[Any]) -> str:
    return key_path(keys) or "recipe"


@given(recipe=RECIPES)
def test_a_recipe_prints_what_reads_as_itself(recipe: BaseRecipe) -> None:
    assert read_recipe(to_dict(recipe), at) == recipe
    assert read_recipe(json.loads(json.dumps(to_dict(recipe))), at) == recipe
    assert read_recipe(Document(yaml_text(to_dict(recipe)), "x").value, at) == recipe


BOWL = Surface(formula="x**2 + 2*y**2", domain="-3:3,-3:3")


@pytest.mark.parametrize(
    ("fields", "recipe"),
    [
        ({"surface": "wobbly", "optimizers": "adam"}, Recipe(surface="wobbly", optimizers="adam")),
        ({"formula": "x**2 + 2*y**2", "optimizers": "adam"},
         Recipe(surface=BOWL, optimizers="adam")),
        ({"formula": "x**2", "optimizers": ["sgd", "adam"], "starts": ["0.5", [1]]},
         Recipe(surface=Surface(formula="x**2", domain="-3:3"), optimizers="sgd,adam",
                starts=[(0.5,), (1,)])),
        ({"surface": "wobbly", "domain": "-1:1,-2:2", "optimizers": "adam"},
         Recipe(surface=optiviz.load_surface("wobbly").model_copy(
             update={"domain": Surface(formula="x", domain="-1:1,-2:2").domain}),
             optimizers="adam")),
        ({"surface": {"formula": "x**2 + 2*y**2"}, "domain": [[-3, 3], [-3, 3]],
          "optimizers": "adam"}, Recipe(surface=BOWL, optimizers="adam")),
        ({"surface": "bowl", "optimizers": "adam", "size": "480x320",
          "starts": ["random:2", "1,2", "random:3"]},
         Recipe(surface="bowl", optimizers="adam", size=(480, 320), starts=[(1, 2)],
                random_starts=5)),
        ({"kind": "plot", "surfaces": "wobbly, beale"}, PlotRecipe(surfaces=["wobbly", "beale"])),
        ({"kind": "plot", "surfaces": "bowl", "formula": ["x**2 + 2*y**2"]},
         PlotRecipe(surfaces=["bowl", BOWL])),
        ({"kind": "response", "signal": "spikes", "optimizers": "adam"},
         ResponseRecipe(signal="spikes", optimizers="adam")),
    ],
)  # fmt: skip
def test_a_thing_may_be_said_in_several_ways(fields: dict[str, Any], recipe: BaseRecipe) -> None:
    assert read_recipe(fields, at) == recipe


def test_an_own_catalogue_is_embedded(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("dip: {domain: '-1:1,-1:1', formula: x**2 + y**4}\n")
    fields = {"surface": "dip", "optimizers": "adam", "catalogue": str(path)}
    recipe = read_recipe(fields, at)
    assert isinstance(recipe, Recipe)
    assert isinstance(recipe.surface, Surface)
    assert recipe.surface.formula == "x**2 + y**4"
    assert read_recipe(fields | {"surface": "wobbly"}, at) == Recipe(
        surface="wobbly", optimizers="adam"
    )


def test_in_another_window_a_start_that_nobody_gave_goes_along(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    dip = "dip: {domain: '-1:1,-1:1', formula: x**2 + y**4"
    path.write_text(f"{dip}}}\ngiven-{dip}, start: [0.5, 0.5]}}\n")
    starts = []
    for name in ("dip", "given-dip"):
        fields = {"surface": name, "optimizers": "adam", "catalogue": str(path)}
        recipe = read_recipe(fields | {"domain": "5:7,-1:9"}, at)
        assert isinstance(recipe, Recipe) and isinstance(recipe.surface, Surface)
        starts.append(recipe.surface.start)
    assert starts == [pytest.approx((5.2, 1.0)), (0.5, 0.5)]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "missing: name a surface, or give a formula or a fit\noptimizers: "),
        ({"kind": "plot"}, "surfaces: required, but missing: name a surface"),
        (
            {"kind": 3},
            "kind: unknown kind '3': choose from basins, lesson, plot, response, run, score, tune",
        ),
        ({"surface": "bowl", "formula": "x"}, "surface: cannot be combined with a formula"),
        ({"formula": ["x"]}, "formula: must be text, not ['x']"),
        ({"formula": "x +"}, "formula: formula 'x +' is not"),
        ({"formla": "x"}, "formla: unknown key 'formla': did you mean 'formula'?"),
        ({"surface": 3}, "surface: must be a name, a function, a model's problem or a Surface"),
        ({"surface": "bowl", "optimizers": [{"name": "a.py:f"}]}, "optimizers.0: must be text"),
        ({"surface": "bowl", "optimizers": []}, "optimizers: required, but missing"),
        ({"surface": "bowl", "domain": "3"}, "domain: '3' is not a valid domain: write -3:3"),
        ({"surface": "bowl", "domain": "0:1"}, "domain: must have one interval per coordinate"),
        ({"surface": "bowl", "domain": "1:0,0:1"}, "domain.x: the interval of x must increase"),
        ({"surface": "bowl", "catalogue": 3}, "catalogue: must be the name of a YAML file"),
        ({"surface": "bowl", "catalogue": "none.yaml"}, "catalogue: none.yaml: No such file"),
        ({"surface": {"formula": "x**", "domain": "0:1"}}, "surface.formula: formula 'x**'"),
        ({"surface": {"domain": "0:1"}}, "surface.formula: required, but missing or"),
        ({"surface": "bowl", "starts": ["1,b"]}, "starts.0: '1,b' is not a valid start: write X,Y"),
        ({"surface": "bowl", "starts": ["random:0"]}, "starts.0: 'random:0' is not a valid start"),
        ({"surface": "bowl", "starts": [[1, 2], [1]]}, "starts.1: 1 has 1 coordinate, but bowl"),
        ({"surface": "bowl", "size": "wide"}, "size: 'wide' is not a valid size: write, for"),
        ({"kind": "plot", "surfaces": ["bowl", "bowel"]},
         "surfaces.1: unknown surface 'bowel': did you mean 'bowl'?"),
        ({"kind": "response", "signal": "spike"}, "signal: unknown signal 'spike': did you mean"),
        ({"kind": "response", "formula": "x", "signal": "spikes"}, "formula: unknown key"),
        ({"kind": "response", "signal": {"gradient": ["a"]}}, "signal.gradient.0: must be a"),
    ],
)  # fmt: skip
def test_a_fault_is_told_where_it_stands(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(optiviz.InputError) as raised:
        read_recipe(fields, at)
    assert said in str(raised.value)


def test_all_faults_are_told_at_once() -> None:
    fields = {
        "formula": "x +", "domain": "1:0", "optimizers": "adm", "theme": "drak", "fps": -1,
        "starts": ["q"], "colour": 1,
    }  # fmt: skip
    with pytest.raises(optiviz.InputError) as raised:
        read_recipe(fields, at)
    told = [line.split(":")[0].split(".")[0] for line in str(raised.value).splitlines()]
    assert sorted(told) == sorted(fields)


def test_a_subject_replaces_another() -> None:
    beneath = {"surface": "bowl", "theme": "dark"}
    assert merge_fields(beneath, {"formula": "x"}) == {"theme": "dark", "formula": "x"}
    assert merge_fields(beneath, {"fps": 3}) == {**beneath, "fps": 3}
    assert merge_fields({"random_starts": 3}, {"starts": ["1,2"]}) == {"starts": ["1,2"]}


def test_random_starts_add_up() -> None:
    fields = {"surface": "bowl", "optimizers": "adam", "starts": ["random:2"], "random_starts": 3}
    recipe = read_recipe(fields, at)
    assert isinstance(recipe, Recipe)
    assert recipe.random_starts == 5


def test_another_plane_has_none_of_the_places_of_the_former_one() -> None:
    declared = {
        "network": {"hidden": [3], "data": "blobs", "samples": 60},
        "plane": {"weights": ["layer0.weight[1,0]", "layer1.weight[2,1]"]},
        "domain": "-4:4,-3:3", "starts": [[1, 2], [2, 1]], "start": [1, 1], "levels": [0.1, 0.2],
    }  # fmt: skip
    fields = {"surface": declared, "optimizers": "sgd", "plane": "random"}
    recipe = read_recipe(fields, key_path)
    assert isinstance(recipe, Recipe) and isinstance(recipe.surface, Surface)
    assert not {"domain", "start", "starts", "levels"} & recipe.surface.model_fields_set
    assert recipe.surface.default_starts == ((),)


def test_every_file_that_is_read_is_known() -> None:
    declared = {"network": {"hidden": [3], "data": "npz:a.npz"}}
    fields = {"surface": declared, "data": "npz:b.npz", "catalogue": "c.yaml", "signal": "d.csv"}
    assert sorted(map(str, input_files(fields))) == ["a.npz", "b.npz", "c.yaml", "d.csv"]
