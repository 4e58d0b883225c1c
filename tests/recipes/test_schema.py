"""The schema accepts valid files, and rejects what an editor should mark."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from test_reading import RECIPES

from optiviz.kinds import load_kind
from optiviz.kinds.base import BaseRecipe, to_dict
from optiviz.recipes.jobs import JOB_FIELDS
from optiviz.recipes.reading import allowed_keys
from optiviz.recipes.schema import schema
from optiviz.recipes.shipped_files import SUITES
from optiviz.recipes.suites import read_suite
from optiviz.recipes.surfaces import SURFACE_OPTIONS
from optiviz.registry import KINDS
from optiviz.system.yaml import Document

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
SCHEMA = schema({})
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@given(recipe=RECIPES)
def test_every_recipe_is_accepted(recipe: BaseRecipe) -> None:
    assert VALIDATOR.is_valid(to_dict(recipe))
    assert VALIDATOR.is_valid({"jobs": [{**to_dict(recipe), "out": "x.png"}]})


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_accepted(path: Path) -> None:
    assert VALIDATOR.is_valid(Document.read(path).value)


@pytest.mark.parametrize("name", SUITES.names())
def test_every_suite_is_accepted_by_its_name_and_as_it_is_written(name: str) -> None:
    written = Document.read(SUITES.folder / f"{name}.yaml").value
    for suite in (name, written, read_suite(name).model_dump(mode="json", exclude_defaults=True)):
        recipe = {"kind": "score", "optimizers": "adam", "suite": suite}
        assert VALIDATOR.is_valid(recipe)
        assert VALIDATOR.is_valid({"jobs": [{**recipe, "out": "x.json"}]})
    slip = {**written, "problems": [{"surfac": "bowl"}]}
    assert not VALIDATOR.is_valid({"kind": "score", "optimizers": "adam", "suite": slip})


JOB = {"surface": "bowl", "optimizers": "adam", "out": "a.gif"}


@pytest.mark.parametrize(
    "fields",
    [
        {"domain": "-3:3,-3:3", "starts": ["random:3", [1, 2], "1,2"], "size": "480x320"},
        {"surface": None, "formula": "x**2", "domain": [[0, 1]]},
        {"surface": {"formula": "x", "domain": "0:1", "learning_rates": {"adam": 1}}},
        {"matrix": {"seed": [1, 2], "surface": ["bowl"]}, "out": ["a.gif", "b.json"]},
        {"catalogue": "mine.yaml", "name": "one", "levels": 3, "fill": False},
        {"tracks": "run.csv", "optimizers": []},
        {"tracks": ["run.csv:a", {"file": "run.npz", "label": "b"}]},
        {"tracks": {"label": "a", "points": [[1, 2], [3, 4], [None, None]], "steps": [0, 5, 9]}},
        {"checkpoints": "run/*.pt", "every": 5, "optimizers": []},
        {"checkpoints": ["a/*.pt:mine", {"files": ["a.pt", "b.pt"], "label": "b"}]},
        {"checkpoints": {"files": ["a.pt", "b.pt"], "sha256": ["0" * 64] * 2, "steps": [0, 7]}},
    ],
)
def test_what_may_be_written_is_accepted(fields: dict[str, Any]) -> None:
    job = {key: value for key, value in {**JOB, **fields}.items() if value is not None}
    assert VALIDATOR.is_valid({"defaults": {"theme": "dark", "kind": "run"}, "jobs": [job]})


@pytest.mark.parametrize(
    "fields",
    [
        {"them": "dark"},
        {"theme": "drak"},
        {"theme": {"bakground": "red"}},
        {"fps": "fast"},
        {"fps": 0},
        {"size": "big"},
        {"size": [3]},
        {"kind": "rum"},
        {"seed": -1},
        {"out": []},
        {"matrix": {"seed": []}},
        {"matrix": {"sed": [1]}},
        {"surface": {"formula": "x", "domian": "0:1"}},
        {"checkpoints": {"file": "a.pt"}},
        {"checkpoints": "run/*.pt", "every": 0},
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid({"jobs": [JOB | fields]})


def test_every_field_of_every_kind_is_there() -> None:
    for kind in KINDS:
        model = load_kind(kind)
        assert set(SCHEMA["$defs"][kind]["properties"]) == set(allowed_keys(model))
        job = SCHEMA["$defs"][f"{kind}-job"]["properties"]
        assert set(job) == {*allowed_keys(model), *JOB_FIELDS}
    assert set(SURFACE_OPTIONS) <= set(SCHEMA["$defs"]["run"]["properties"])
