"""Whose learning rate it is: the word's, the option's, the optimizer's, the surface's ..."""

import pytest

import optiviz
from optiviz.optimizers import OPTIMIZERS
from optiviz.optimizers.words import parse_word
from optiviz.surfaces.surface import Surface
from optiviz.tuning import RATES, with_rate

WOBBLY = optiviz.load_surface("wobbly")


@pytest.mark.parametrize(
    ("word", "option", "rate"),
    [
        ("adam:lr=0.5", 0.1, 0.5),
        ("adam", 0.1, 0.1),
        ("adam", None, 0.25),  # wobbly's own
        ("adamax", None, RATES["adamax"]),
        ("newton", None, 1.0),  # its default
        ("newton", 0.1, 0.1),
    ],
)
def test_rates_are_taken_in_order(word: str, option: float | None, rate: float) -> None:
    assert with_rate(parse_word(word), WOBBLY, option).hyperparameters()["lr"] == rate


def test_every_optimizer_without_a_default_is_in_the_table() -> None:
    assert set(RATES) == set(OPTIMIZERS) - {"newton"}


def test_a_surfaces_rate_for_no_optimizer_is_told() -> None:
    surface = Surface(formula="x", domain="0:1", name="mine", learning_rates={"adm": 0.1})
    with pytest.raises(optiviz.InputError, match=r"mine: learning_rates: .* did you mean 'adam'"):
        with_rate(parse_word("sgd"), surface)


def test_the_readme_tells_the_table() -> None:
    from pathlib import Path

    readme = (Path(__file__).parents[1] / "README.md").read_text()
    rows = [line.strip("|").split("|") for line in readme.splitlines() if line.startswith("| ")]
    told = {name.strip(): row[1].strip() for row in rows for name in row[0].split(",")}
    for name, rate in RATES.items():
        assert float(told[name]) == rate
