"""The recipe: plain values that determine a picture."""

import pickle

import pytest
from hypothesis import given
from pydantic import ValidationError
from test_reading import RECIPES

from optiviz.kinds.base import BaseRecipe
from optiviz.kinds.run import Recipe


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
    with pytest.raises(ValidationError):
        Recipe(surface="bowl", **fields)


def test_is_frozen() -> None:
    with pytest.raises(ValidationError):
        Recipe(surface="bowl", optimizers="sgd").steps = 3
