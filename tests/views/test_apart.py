"""Heads that would hide one another stand around their middle."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optiviz.objective import Array
from optiviz.views.apart import ROOM, set_apart_by_places
from optiviz.views.paths import HEAD_SIZE


@dataclass
class Headed:
    number: int
    end: Array
    aside: Array = field(default_factory=lambda: np.zeros(2))

    def move_aside(self, aside: Array, points: Array) -> None:
        self.aside = aside

    @property
    def head(self) -> Array:
        return self.end + self.aside


def set_apart(*ends: tuple[float, float]) -> list[Headed]:
    paths = [Headed(number, np.array(end, float)) for number, end in enumerate(ends)]
    set_apart_by_places(paths, [path.end for path in paths])
    return paths


def nearest(paths: list[Headed]) -> float:
    """Return the least distance between two heads that were set apart, or from one that was."""
    return min(
        float(np.hypot(*(one.head - other.head)))
        for one in paths
        for other in paths
        if one.number < other.number and (one.aside.any() or other.aside.any())
    )


def test_a_head_in_the_way_of_others_stands_around_the_same_middle() -> None:
    """It is too far from them to be near, but where one of them would stand."""
    paths = set_apart((0, 0), (0, 0), (11, 0), (300, 0))
    assert [bool(path.aside.any()) for path in paths] == [True, True, True, False]
    assert nearest(paths) > 0.8 * ROOM


@given(st.lists(st.tuples(*[st.floats(-60, 60)] * 2), min_size=2, max_size=12))
def test_no_head_that_was_set_apart_hides_another(ends: list[tuple[float, float]]) -> None:
    paths = set_apart(*ends, ends[0])
    assert nearest(paths) > 0.5 * HEAD_SIZE
    middle = np.mean([path.end for path in paths if path.aside.any()], axis=0)
    assert np.isfinite(middle).all()


def test_heads_of_one_entry_stay_where_they_are() -> None:
    paths = [Headed(0, np.zeros(2)), Headed(0, np.zeros(2)), Headed(1, np.full(2, 99.0))]
    set_apart_by_places(paths, [path.end for path in paths])
    assert not any(path.aside.any() for path in paths)
    unknown = [Headed(0, np.full(2, np.nan)), Headed(1, np.zeros(2))]
    set_apart_by_places(unknown, [path.end for path in unknown])
    assert not any(path.aside.any() for path in unknown)


def test_a_middle_is_that_of_the_ends() -> None:
    paths = set_apart((1, 1), (3, 1))
    assert (paths[0].head + paths[1].head) / 2 == pytest.approx([2, 1])
