"""The recipe: plain values that stand for a whole picture."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from optiviz.optimizers import OPTIMIZERS
from optiviz.recipe import Recipe
from optiviz.surfaces.surface import Surface

surfaces = st.one_of(
    st.sampled_from(["wobbly", "bowl"]),
    st.just(Surface(formula="x**2 + y**2", domain="-1:1,-2:2")),
)
words = st.lists(
    st.builds("{}:lr={}".format, st.sampled_from(sorted(OPTIMIZERS)), st.floats(1e-6, 10)),
    min_size=1,
    max_size=4,
)
recipes = st.builds(
    Recipe,
    surface=surfaces,
    optimizers=words,
    lr=st.none() | st.floats(1e-6, 10),
    starts=st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), max_size=3),
    random_starts=st.integers(0, 9),
    steps=st.none() | st.integers(1, 1000),
    fps=st.floats(0.5, 60),
    size=st.tuples(st.integers(240, 2000), st.integers(160, 2000)),
    title=st.none() | st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=10),
)


@given(recipe=recipes)
def test_goes_to_json_and_back(recipe: Recipe) -> None:
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe
    assert Recipe.model_validate(recipe.model_dump(mode="json", exclude_none=True)) == recipe


@given(recipe=recipes)
def test_is_hashable_and_pickles(recipe: Recipe) -> None:
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
    with pytest.raises(ValidationError):
        Recipe(surface="bowl", **fields)


def test_is_frozen() -> None:
    with pytest.raises(ValidationError):
        Recipe(surface="bowl", optimizers="sgd").steps = 3
