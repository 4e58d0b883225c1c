"""How often methods evaluate their objective."""

import numpy as np
import pytest

import optiviz
from optiviz.descent.evaluations import count_evaluations
from optiviz.optimizers.spec import parse_spec

ROSENBROCK = optiviz.load_surface("rosenbrock")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("sgd:lr=0.001", 3),
        ("newton", 3),
        ("cma-es:popsize=7", 21),
        ("bfgs", 6),  # nfev of scipy
    ],
)
def test_each_point_counts_once(spec: str, expected: int) -> None:
    start = np.array(ROSENBROCK.start)
    number, end = count_evaluations(ROSENBROCK, parse_spec(spec).build(), start, 3)
    np.testing.assert_array_equal(end, optiviz.descend(ROSENBROCK, spec, steps=3).points[-1])
    assert number == expected


def test_a_line_search_counts_what_it_tries() -> None:
    spec = "backtracking+sgd"
    path = optiviz.descend(ROSENBROCK, spec, steps=1)
    [tried] = [shape.points for shape in path.sketches[1] if shape.role == "tried"][1:]
    number, _ = count_evaluations(ROSENBROCK, parse_spec(spec).build(), path.points[0], 1)
    assert number == 1 + len(tried) + 1  # the start, and the length that is accepted
