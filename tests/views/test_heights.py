"""How values become heights: in proportion, or by the stated rule where they span decades."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiviz.surfaces.catalogue import find_surface
from optiviz.views.heights import HARDEST, SOFTEST, Heights
from optiviz.views.sampled_surface import SampledSurface


def heights(values: np.ndarray, kind: str | None = None, pole: bool = False) -> Heights:
    return Heights.for_values(np.ma.masked_invalid(values), kind, lambda *_: pole)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("rosenbrock", "log"), ("goldstein-price", "log"), ("beale", "log"),
        ("himmelblau", "linear"), ("wobbly", "linear"), ("easom", "linear"), ("bowl", "linear"),
    ],
)  # fmt: skip
def test_values_that_span_decades_are_compressed(name: str, kind: str) -> None:
    sampled = SampledSurface.sample(find_surface(name), 81)
    found = heights(sampled.values)
    assert found.kind == kind
    assert found.is_cut == (False, False)


@given(st.floats(1, 7), st.floats(-100, 100))
def test_half_of_a_surface_is_below_half_its_compressed_height(power: float, low: float) -> None:
    values = low + np.linspace(0, 1, 2001) ** power * 1000
    found = heights(values, "log")
    assert found.of(low) == 0 and found.of(low + 1000) == pytest.approx(1)
    if HARDEST * 1000 < found.softness < SOFTEST * 1000:
        assert found.of(np.median(values)) == pytest.approx(0.5)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50),
    st.sampled_from(["linear", "log"]),
    st.floats(0.05, 0.5),
)
def test_ticks_stand_apart_and_say_where_they_are(
    values: list[float], kind: str, apart: float
) -> None:
    found = heights(np.array(values), kind)
    spread = found.of(np.sort(values))
    assert (np.diff(spread) >= 0).all()
    places, said = found.ticks(5, 1.0, apart)
    assert len(places) == len(said) <= 5
    assert (np.diff(places) >= apart - 1e-9).all()
    assert all(-1e-6 <= place <= 1 + 1e-6 for place in places)
    assert len(set(said)) == len(said)
    span = found.high - found.low
    for place, text in zip(places, said, strict=True):
        value = float(text.replace("\N{MINUS SIGN}", "-"))
        assert abs(found.of(value) - place) <= 0.02 + 1e-6 * abs(value) / span


def test_an_axis_has_two_ticks_even_between_round_values() -> None:
    for low, span in ((1000.3, 0.5), (1e9, 4.0), (5.6, 0.7)):
        values = low + span * np.linspace(0, 1, 500) ** 20
        found = heights(values)
        assert found.kind == "log"
        places, said = found.ticks(5, 1.0, 0.1)
        assert len(set(said)) == len(places) >= 2


def test_ticks_of_very_large_values_tell_these() -> None:
    places, said = heights(np.linspace(-1, 1, 9)).ticks(5, 1e200, 0.1)
    assert said[0].endswith("e200") and len(places) > 2


def test_what_is_cut_off_is_told() -> None:
    values = np.append(np.linspace(0, 1, 5000), [900.0, 1e6])
    assert heights(values).name("loss", 1.0) == "loss (log)"
    cut = heights(values, "linear", pole=True)
    assert cut.is_cut == (False, True)
    assert cut.high == pytest.approx(0.98, abs=0.01)
    assert cut.name("loss", 1.0) == "loss up to 0.98"
    assert cut.with_ends(np.array([-5.0, 0.5])).name("loss", 10.0) == "loss from 0 to 9.8"
    longer = heights(np.linspace(0, 1, 99)).with_ends(np.array([-0.1, 1.2, np.nan]))
    assert (longer.low, longer.high, longer.name("loss", 1.0)) == (-0.1, 1.2, "loss")
    near = heights(1e9 + values, "linear", pole=True)
    assert near.name("loss", 1.0) == "loss up to 1000000000.98"
    assert (
        heights(-values, "linear", pole=True)
        .name("loss", 1.0)
        .startswith("loss from \N{MINUS SIGN}0.98")
    )
    assert heights(values, "linear").name("loss", 1.0) == "loss"


@pytest.mark.parametrize("values", [[], [3.0], [0.0, 0.0], [1e300, 1e300]])
def test_level_ground_has_heights_too(values: list[float]) -> None:
    found = heights(np.array(values))
    assert found.high > found.low
    for value in values:
        assert 0 <= found.of(value) <= 1
    found.ticks(5, 1.0, 0.1)
