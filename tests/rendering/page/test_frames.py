"""What live pages in frames have in common, and pages that are spare."""

import json
from typing import Any

from optiviz.kinds.run import Recipe
from optiviz.recipes.provenance import metadata_for
from optiviz.rendering.page import page_parts
from optiviz.rendering.page.frames import in_common
from optiviz.rendering.page.programs import computes


def joined(common: Any, mine: Any) -> Any:
    """Return what frames.js makes of what all have in common and what one has beside it."""
    if not (isinstance(common, dict) and isinstance(mine, dict)):
        return mine
    return common | {key: joined(common.get(key), value) for key, value in mine.items()}


def test_what_is_equal_in_most_is_kept_once_and_nothing_is_lost() -> None:
    whole = [
        {"a": 1, "b": {"c": "same", "d": number, "e": {"f": [1, 2]}}, "g": None, "h": [number]}
        for number in range(3)
    ]
    whole[1]["only"] = True
    whole[2]["b"] = {**whole[2]["b"], "c": True}  # type: ignore[dict-item]
    whole[0]["a"] = whole[1]["a"] = True  # which is 1 for Python, but not for a page
    common, own = in_common(whole)
    assert common == {"a": True, "b": {"c": "same", "e": {"f": [1, 2]}}, "g": None}
    assert common["a"] is True
    assert own[0] == {"b": {"d": 0, "e": {}}, "h": [0]}
    assert [json.dumps(joined(common, each), sort_keys=True) for each in own] == [
        json.dumps(each, sort_keys=True) for each in whole
    ]
    assert in_common(whole[:1]) == ({}, whole[:1])


def test_a_spare_page_has_the_optimizers_of_its_recipe_alone() -> None:
    recipe = Recipe(surface="himmelblau", optimizers="adam:lr=0.1,sgd:lr=0.01", steps=3)
    parts, _ = page_parts(recipe.make_scene(), recipe, metadata_for(recipe), spare=True)
    told = json.loads(parts["scene"])
    assert list(told["methods"]) == ["adam", "sgd"]
    assert (told["relief"], told["presets"], told["live"]) == (None, [], "")


def test_pages_compute_formulas_without_batches() -> None:
    assert computes(Recipe(surface="himmelblau", optimizers="adam", noise=0.1))
    assert not computes(Recipe(surface="spirals", optimizers="adam"))
