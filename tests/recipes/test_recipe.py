"""The recipe: plain values that determine a picture."""

import pickle

import pytest
from hypothesis import given
from pydantic import ValidationError
from test_reading import RECIPES

import optiviz
from optiviz.kinds import load_kind
from optiviz.kinds.base import BaseRecipe
from optiviz.kinds.lesson import Section
from optiviz.kinds.run import Recipe
from optiviz.recipes.reading import read_recipe
from optiviz.recipes.surfaces import SURFACE_OPTIONS
from optiviz.registry import KINDS
from optiviz.surfaces.signal import Signal
from optiviz.surfaces.surface import Surface
from optiviz.system.validation import Model, dotted


@given(recipe=RECIPES)
def test_goes_to_json_and_back(recipe: BaseRecipe) -> None:
    assert type(recipe).model_validate_json(recipe.model_dump_json()) == recipe


@given(recipe=RECIPES)
def test_is_hashable_and_pickles(recipe: BaseRecipe) -> None:
    again = pickle.loads(pickle.dumps(recipe))
    assert (again, hash(again)) == (recipe, hash(recipe))


def test_words_are_kept_in_one_spelling() -> None:
    several = Recipe(surface="bowl", optimizers=["adam:lr=0.10", "sgd , momentum"])
    assert several.optimizers == ("adam:lr=0.1", "sgd", "momentum")
    assert several == Recipe(surface="bowl", optimizers="adam:lr=1e-1,sgd,momentum")


@pytest.mark.parametrize(
    "fields",
    [
        {"optimizers": ()},
        {"optimizers": "adm"},
        {"optimizers": 3},
        {"optimizers": "sgd", "lr": 0},
        {"optimizers": "sgd", "lr": float("inf")},
        {"optimizers": "sgd", "steps": 0},
        {"optimizers": "sgd", "fps": 0},
        {"optimizers": "sgd", "duration": float("nan")},
        {"optimizers": "sgd", "size": (10, 10)},
        {"optimizers": "sgd", "starts": [[float("nan"), 1]]},
        {"optimizers": "sgd", "colour": "red"},
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(optiviz.InputError):
        Recipe(surface="bowl", **fields)


def test_is_frozen() -> None:
    with pytest.raises(ValidationError):
        Recipe(surface="bowl", optimizers="sgd").steps = 3


VALID: dict[str, object] = {
    "surface": "bowl",
    "surfaces": "bowl",
    "optimizers": "sgd",
    "signal": "spikes",
    "gradient": [1.0],
    "formula": "x**2",
    "domain": "-1:1",
    "heading": "A bowl",
    "text": "It ends at {{loss(sgd)}}.",
    "question": "Why?",
    "answer": "Since it is round.",
    "picture": {"surface": "bowl", "optimizers": "sgd"},
}
VALID["suite"] = {"problems": [{"name": "round", "group": "smooth", "surface": "bowl"}]}
VALID["sections"] = [{key: VALID[key] for key in Section.model_fields.keys() & VALID.keys()}]
CALLED = [*map(load_kind, KINDS), Section, Surface, Signal]


def valid(model: type[Model]) -> dict[str, object]:
    needed = [name for name, each in model.model_fields.items() if each.is_required()]
    if "tracks" in model.model_fields:
        needed.append("optimizers")  # not required beside tracks
    return {name: VALID[name] for name in needed or ["formula", "domain"]}


def said_by(cls: type[Model], /, **fields: object) -> list[str]:
    with pytest.raises(optiviz.InputError) as raised:
        cls(**fields)
    assert raised.value.__cause__ is None
    assert "pydantic" not in str(raised.value)
    return str(raised.value).splitlines()


@pytest.mark.parametrize("model", CALLED)
def test_what_is_wrong_is_told_in_a_line_per_field(model: type[Model]) -> None:
    fields = valid(model)
    model(**fields)
    for name in fields:
        without = {key: value for key, value in fields.items() if key != name}
        assert [line for line in said_by(model, **without) if line.startswith(f"{name}: required")]
        near = f"{name}x"
        assert said_by(model, **fields, **{near: 1}) == [
            f"{near}: unknown key {near!r}: did you mean {name!r}?"
        ]
    for name in model.model_fields:
        lines = said_by(model, **fields | {name: object()})
        assert any(line.startswith(f"{name}: ") for line in lines)
    with pytest.raises(optiviz.InputError, match="fields need their names, as in"):
        model(*fields.values())


@pytest.mark.parametrize("kind", KINDS)
def test_python_is_told_what_a_file_is_told(kind: str) -> None:
    model = load_kind(kind)
    fields = valid(model) | {"size": "9", "title": 3, "theme": "ligt"}
    with pytest.raises(optiviz.InputError) as raised:
        read_recipe({"kind": kind} | fields, dotted)
    assert sorted(said_by(model, **fields)) == sorted(str(raised.value).splitlines())


def test_a_fault_within_a_surface_has_its_place() -> None:
    surface = {"formula": "x**2", "domain": "-1:1", "startt": 1, "minima": [["x"]]}
    assert set(said_by(Recipe, surface=surface, optimizers="sgd")) == {
        "surface.startt: unknown key 'startt': did you mean 'start'?",
        "surface.minima.0.0: must be a number, not 'x'",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_options_of_a_surface_are_written_in_the_surface(kind: str) -> None:
    model = load_kind(kind)
    drawn = {"surface", "surfaces"} & model.model_fields.keys()
    assert set(model.elsewhere) == (set(SURFACE_OPTIONS) if drawn else set())
    for option, written in model.elsewhere.items():
        assert said_by(model, **valid(model), **{option: "x**2"}) == [
            f"{option}: not a field of {model.__name__}: write {written}"
        ]
        assert written.partition("=")[0] in drawn
