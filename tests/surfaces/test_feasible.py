"""Constraints, the shapes they have, and the nearest points of the sets that they leave."""

import numpy as np
import pytest
from conftest import Invoke

import optiviz
from optiviz.objective import Array
from optiviz.surfaces.constraints import comparisons, in_signs, penalized, spaced
from optiviz.surfaces.feasible import ExactSet, NumericSet, feasible_set
from optiviz.surfaces.region import region_where
from optiviz.system.errors import InputError

WINDOW = ((-3.0, 3.0), (-3.0, 3.0))
TRIANGLE = ("x >= 0", "y >= 0", "x + y <= 1")
EXACT = [
    ("x + y <= 1",),
    ("0 <= x <= 1", "-1 <= y <= 2"),
    TRIANGLE,
    ("x**2 + y**2 <= 4",),
    ("(x - 1)**2 + 4*y**2 <= 1",),
    ("x**2 + x*y + y**2 <= 2", "x + y <= 0.5"),
    ("x**2 + y**2 <= 1", "(x - 1)**2 + y**2 <= 1"),
    ("(x - 1)**2 + 4*y**2 <= 1", "4*(x - 0.5)**2 + (y - 0.3)**2 <= 1"),
    ("abs(x) + 2*abs(y) <= 1",),
    ("max(abs(x), 2*abs(y)) <= 1",),
    ("x**2 + y**2 >= 1", "abs(x) <= 2", "abs(y) <= 2"),
]
NUMERIC = [("y >= x**2",), ("x*y >= 0.5", "x >= 0", "x <= 3")]
BENT = [  # of a high degree, with corners, steps and poles
    ("x**4 + y**4 <= 1",),
    ("(x**2 - 1)**2 + y**2 <= 0.25",),
    ("x**3 + y**3 <= 1",),
    ("sqrt(abs(x)) <= 1",),
    ("sqrt(abs(x)) + sqrt(abs(y)) <= 1",),
    ("1/(x*y) <= 1",),
    ("log(x) >= 0",),
    ("log(x) <= 1",),
    ("x**y <= 1",),
    ("floor(x) >= 1",),
    ("sign(x) == 1",),
]
UNPROVED = "y >= x**2", "y <= -1"
EDGES = [  # sets without inner points, and points of them
    (("x >= 0", "y >= 0", "x + y == 1"), lambda t: np.stack([t, 1 - t], axis=-1)),
    (("x**2 + y**2 == 4",), lambda t: 2 * np.stack([np.cos(7 * t), np.sin(7 * t)], axis=-1)),
]


def points(many: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).uniform(-4, 4, (many, 2))


@pytest.mark.parametrize("texts", [*EXACT, *NUMERIC], ids=str)
def test_a_projection_is_the_nearest_feasible_point(texts: tuple[str, ...]) -> None:
    found = feasible_set(texts, ("x", "y"), WINDOW)
    assert isinstance(found, ExactSet if texts in EXACT else NumericSet)
    x, many = points(12), points(100_000, 1)
    nearest = found.project(x)
    np.testing.assert_allclose(found.project(nearest), nearest, rtol=0, atol=1e-12)
    assert found.contains(nearest).all()
    others = many[found.contains(many)]
    far = np.linalg.norm(nearest - x, axis=1)
    least = np.linalg.norm(others - x[:, None], axis=-1).min(axis=1)
    assert (far <= least + 1e-12).all()


@pytest.mark.sample(4)
@pytest.mark.parametrize("texts", BENT, ids=str)
def test_a_projection_onto_a_bent_set_is_near(
    texts: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    found = feasible_set(texts, ("x", "y"), WINDOW)
    assert isinstance(found, NumericSet)
    x, many = points(12), points(100_000, 1)
    nearest = found.project(x)
    np.testing.assert_allclose(found.project(nearest), nearest, rtol=0, atol=1e-8)
    assert found.contains(nearest).all()
    far = np.linalg.norm(nearest - x, axis=1)
    others = many[found.contains(many)]
    assert (far <= np.linalg.norm(others - x[:, None], axis=-1).min(axis=1) + 1e-6).all()
    assert capfd.readouterr() == ("", "")  # libraries below print, too


def test_a_curved_interval() -> None:
    found = feasible_set(("x**3 <= 1",), ("x",), WINDOW[:1])
    np.testing.assert_allclose(found.project(np.array([[2.0], [-2.0]])), [[1], [-2]], atol=1e-12)


@pytest.mark.parametrize(("texts", "edge"), EDGES, ids=["segment", "circle"])
def test_a_projection_onto_an_edge(texts: tuple[str, ...], edge: object) -> None:
    found = feasible_set(texts, ("x", "y"), WINDOW)
    x, others = points(12), edge(np.linspace(0, 1, 10_001))  # type: ignore[operator]
    far = np.linalg.norm(found.project(x) - x, axis=1)
    least = np.linalg.norm(others - x[:, None], axis=-1).min(axis=1)
    assert (far <= least + 1e-12).all() and (least - far < 1e-5).all()


@pytest.mark.parametrize("texts", EXACT[1:10], ids=str)
def test_the_lowest_point_of_a_linear_function(texts: tuple[str, ...]) -> None:
    found = feasible_set(texts, ("x", "y"), WINDOW)
    slopes, many = points(50), points(100_000, 1)
    lowest = found.minimize_linear(slopes)
    assert found.contains(lowest).all()
    others = (many[found.contains(many)] @ slopes.T).min(axis=0)
    heights = (lowest * slopes).sum(axis=-1)
    assert (heights <= others).all()


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (("x + y <= 1",), r"x \+ y <= 1 is not bounded: give each variable two bounds"),
        (("x**2 + y**2 == 1",), "is not convex"),
        (("y >= x**2",), "is no polygon or ellipse"),
    ],
)
def test_a_set_without_a_lowest_point_is_told(texts: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        feasible_set(texts, ("x", "y"), WINDOW).minimize_linear(np.ones(2))


def test_an_interval() -> None:
    found = feasible_set(("x**2 <= 4", "x >= -1"), ("x",), WINDOW[:1])
    assert found.project(np.array([[-3.0], [0.5], [9.0]])).tolist() == [[-1], [0.5], [2]]
    assert found.box.tolist() == [[-1, 2]] and not found.constraints
    assert sorted(found.corners[:, 0]) == [-1, 2]


def test_a_point_that_is_not_finite_stays_so() -> None:
    for texts in (EXACT[0], NUMERIC[0]):
        found = feasible_set(texts, ("x", "y"), WINDOW)
        assert np.isnan(found.project(np.array([[np.nan, 0.0]]))).any()


@pytest.mark.parametrize(
    "texts",
    [
        ("x >= 1", "x <= 0"),
        ("x**2 + y**2 <= 1", "x + y >= 2"),
        ("x**2 + y**2 <= -1",),
        ("x - x >= 1",),
        UNPROVED,
    ],
    ids=str,
)
def test_an_empty_set_is_told(texts: tuple[str, ...]) -> None:
    said = (
        "^found no point that satisfies all of"
        if texts == UNPROVED
        else "^no point satisfies all of"
    )
    with pytest.raises(InputError, match=said):
        feasible_set(texts, ("x", "y"), WINDOW)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "constraint 'x = 1': write == instead of ="),
        ("x + y", "constraint 'x \\+ y' compares nothing: write, for example, x \\+ y <= 1"),
        ("x < 1", "write <= instead of <"),
        ("x >= 1 and y >= 1", 'write --constraint "x >= 1" --constraint "y >= 1"'),
        ("x >= 0, x + y <= 1", 'write --constraint "x >= 0" --constraint "x \\+ y <= 1"'),
        ("x >= 1 or y >= 1", "all constraints hold at once"),
        ("x - 1/0 <= 1", "constraint 'x - 1/0 <= 1': division by zero"),
        ("1e150 <= x <= 1e199", "1e150 <= x <= 1e199: numbers must be at most 1e\\+100"),
        ("x != 1", "compare with <=, >= or =="),
        ("x + z <= 1", "constraint 'x \\+ z <= 1': unknown variable 'z'"),
        ("1 <= 2", "compares numbers"),
        ("sin(x <= 1", "is not an expression"),
        ("__import__('os') <= x", "unknown function '__import__'"),
    ],
)
def test_text_that_is_no_constraint_is_told(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        feasible_set((text,), ("x", "y"), WINDOW)


def test_how_constraints_are_written() -> None:
    assert [each.formula for each in comparisons("0<=x<=1", "xy")] == ["0 - (x)", "x - (1)"]
    assert spaced("x+y<=1") == "x+y <= 1"
    assert in_signs("x**2 + y**2 <= 1") == "x\u00b2 + y\u00b2 \u2264 1"
    assert in_signs("abs(x)**p <= x**12") == "|x|\u1d56 \u2264 x\u00b9\u00b2"
    assert in_signs("x**2.5 + y**pi <= 1") == "x**2.5 + y**pi \u2264 1"
    assert in_signs("abs(x - y) + abs(y) <= 1e-9") == "|x \u2212 y| + |y| \u2264 1e-9"
    assert in_signs("abs(abs(x) - (y)) <= 1") == "abs(|x| \u2212 (y)) \u2264 1"
    assert penalized("x**2", 1.0, "x") == "x**2 + abs(x)"
    assert (
        penalized("x if x > 0 else y", 0.5, "xy") == "(x if x > 0 else y) + 0.5*(abs(x) + abs(y))"
    )


def test_a_surface_offers_its_constraints_and_its_penalty() -> None:
    plain = optiviz.Surface(formula="x**2 + y**2", domain="-3:3,-3:3")
    assert plain.feasible_set is plain.smooth is None and plain.l1 == 0
    bound = optiviz.Surface(
        formula="x**2 + y**2", domain="-3:3,-3:3", constraints="x+y<=1", bounds="0:,-1:2"
    )
    assert bound.constraint_texts == ("x+y <= 1", "0 <= x", "-1 <= y <= 2")
    assert bound.feasible_set is not None
    assert bound.feasible_set.project(np.array([2.0, 2.0])).tolist() == [0.5, 0.5]
    assert optiviz.Surface.model_validate(bound.model_dump(mode="json")) == bound
    sparse = plain.model_copy(update={"l1": 0.5})
    x = points(5)
    np.testing.assert_allclose(sparse.value(x), plain.value(x) + np.abs(x).sum(axis=-1) / 2)
    assert sparse.smooth is not None
    np.testing.assert_array_equal(sparse.smooth.value(x), plain.value(x))


def test_a_name_that_means_two_axes_is_refused() -> None:
    declared = {"formula": "x + y", "domain": "-1:1,-1:1", "axes": "y,x"}
    for wrong in (
        lambda: optiviz.Surface(**declared, constraints="x >= 0"),
        lambda: region_where("x > 0", optiviz.Surface(**declared)),
    ):
        with pytest.raises(InputError, match="x is a variable, but names the axis of y"):
            wrong()


@pytest.mark.parametrize(
    ("words", "window"),
    [
        (("--constraint", "x + y <= 1", "--bounds", "0:,0:"), [(-0.3, 1.3), (-0.3, 1.3)]),
        (("--constraint", "x**2 + 4*y**2 <= 16"), [(-6.7, 6.7), (-3.3, 3.3)]),
        (("--constraint", "x + y == 1", "--bounds", "0:,0:"), [(-0.3, 1.3), (-0.3, 1.3)]),
        (("--constraint", "x + y <= 1"), [(-3, 3), (-3, 3)]),
        (("--bounds", "0:1,0:1", "--domain", "0:2,0:2"), [(0, 2), (0, 2)]),
    ],
)
def test_a_typed_formula_is_drawn_around_a_bounded_set(
    words: tuple[str, ...], window: list[tuple[float, float]], invoke: Invoke
) -> None:
    opt = ("--opt", "projected-gradient:lr=0.1", "--steps", 2, "-o", "a.json")
    said = invoke("run", "--formula", "x**2 + y**2", *words, *opt).stdout
    recipe = optiviz.load_recipe("a.json")
    assert recipe.surface.window.intervals == tuple(window)
    found = window[0] not in ((-3, 3), (0, 2))
    assert ("around the points that satisfy the constraints" in said) == found
    command = invoke("inspect", "a.json").stdout
    assert ("--domain" in command) == (not found)
