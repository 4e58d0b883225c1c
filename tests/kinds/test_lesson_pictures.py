"""Pictures of lessons are recipes like all others, whatever their surface is declared by."""

import pytest

from optiviz.kinds.facts import evaluate
from optiviz.kinds.lesson import LessonRecipe
from optiviz.kinds.plot import PlotRecipe
from optiviz.kinds.run import Recipe
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError

DECLARED = [
    {"residuals": "y - k*x**2, 1 - x", "params": {"k": 2}},
    {"residuals": "y - x**2, 1 - x", "metric": "1, 0, 0, x**2"},
    {"formula": "x**2 + y**2", "constraints": ["x + y <= 1"]},
]


@pytest.mark.parametrize("declared", DECLARED, ids=lambda each: next(reversed(each)))
def test_a_picture_is_the_recipe_that_it_was_given_as(declared: dict[str, object]) -> None:
    picture = Recipe(surface=Surface(domain="-3:3,-3:3", **declared), optimizers="adam:lr=0.1")
    said = dict.fromkeys(("heading", "text", "question", "answer"), "a")
    lesson = LessonRecipe(sections=[{**said, "picture": picture}])
    assert lesson.sections[0].picture == picture
    assert LessonRecipe.model_validate(lesson.model_dump(mode="json")) == lesson


def test_text_quotes_the_surface_that_is_plotted() -> None:
    facts = PlotRecipe(surfaces="momentum-factor").make_scene().facts
    assert evaluate("value(2/(m + L), 0)", facts) == pytest.approx(9 / 11)  # gradient descent's
    with pytest.raises(InputError, match="unknown number 'k'"):
        evaluate("sqrt(k)", facts)
