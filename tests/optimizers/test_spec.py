"""The syntax of optimizer specs."""

import pytest
from conftest import TUNED
from hypothesis import given
from hypothesis import strategies as st

from optiviz.optimizers.spec import OptimizerSpec, format_value, parse_spec, parse_specs
from optiviz.system.errors import InputError


def test_words_have_names_settings_and_labels() -> None:
    first, second = parse_specs("adam:lr=0.25:beta1=0.8:label=fast one, rmsprop")
    assert first == OptimizerSpec("adam", (("lr", 0.25), ("beta1", 0.8)), "fast one")
    assert second == OptimizerSpec("rmsprop")


@given(
    name=st.sampled_from(TUNED),
    lr=st.floats(min_value=1e-300, max_value=1e300),
    label=st.text("abc xyz-_.", max_size=8).map(lambda text: " ".join(text.split())),
)
def test_a_word_reads_back_as_it_was_written(name: str, lr: float, label: str) -> None:
    word = OptimizerSpec(name, (("lr", lr),), label)
    assert parse_spec(str(word)) == word


def test_settings_have_the_type_of_their_hyperparameter() -> None:
    (word,) = parse_specs("rmsprop:centered=true:rho=0.5")
    assert dict(word.settings) == {"centered": True, "rho": 0.5}
    (word,) = parse_specs("smoothed-nesterov:points=2")
    assert type(dict(word.settings)["points"]) is int


@pytest.mark.parametrize(
    ("number", "written"), [(0.25, "0.25"), (100.0, "100"), (1e-8, "1e-08"), (True, "true")]
)
def test_numbers_are_spelled_as_people_write_them(number: float, written: str) -> None:
    assert format_value(number) == written


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("adm", "did you mean 'adam'"),
        ("adam:rl=1", "did you mean 'lr'"),
        ("adam:lr", "not a valid setting: write key=value"),
        ("adam:lr=", "not a valid setting: write key=value"),
        ("adam:lr=fast", "adam: lr must be a number"),
        ("adam:lr=0", r"lr must lie in \(0, inf\)"),
        ("adam:beta1=1", r"beta1 must lie in \[0, 1\)"),
        ("adam:eps_in_sqrt=1", "true or false"),
        ("smoothed-nesterov:points=1.5", "a whole number"),
        ("adam:lr=1:lr=2", "sets lr twice"),
        ("adam,,sgd", "does not name an optimizer"),
        ("", "does not name an optimizer"),
    ],
)
def test_a_wrong_word_is_named(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_specs(text)
