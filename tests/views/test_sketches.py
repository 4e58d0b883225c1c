"""What methods looked at: its vertices, how they are drawn, and what is written and refused."""

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from conftest import Invoke
from numpy.testing import assert_allclose, assert_array_equal

import optiviz
from optiviz.kinds.run import Recipe
from optiviz.objective import Array
from optiviz.rendering.render import make_picture
from optiviz.shapes import (
    SHAPES,
    Ellipse,
    Points,
    Polygon,
    QuadraticModel,
    Role,
    Segment,
    Sketch,
    plain_sketches,
)
from optiviz.views.sketches import FAR, ISOLINES, LOOKS, Kind, SketchArtist, Strip, along, traced

PLANE = (-3.0, 3.0), (-2.0, 2.0)
LINE = ((-3.0, 3.0),)
WALKER = """
import numpy as np
from optiviz.shapes import *

class Walker:
    def init(self, x):
        return None

    def step(self, objective, x, state):
        g = objective.gradient(x)
        tried = x - np.outer([0.4, 0.2, 0.1], g)
        seen = {"x": x, "tried": tried, "f": objective.value(x), "g": g}
        return tried[-1], seen

    def sketch(self, state):
        x, eye = state["x"], np.eye(len(state["x"]))
        return (
            Points(state["tried"]), Segment(state["tried"]), Polygon(state["tried"]),
            Ellipse(x, eye / 4), QuadraticModel(x, state["f"], state["g"], 3 * eye),
            Points(x[None] * np.nan, "accepted"), Points(x[None], "average"),
            Points(x[None], "sample"),
        )
"""


@pytest.fixture
def walker(here: Path) -> str:
    """Return the name of an optimizer that looks at a shape of each kind."""
    (here / "walker.py").write_text(WALKER)
    return "walker.py:Walker"


def recipe(optimizer: str, dim: int = 2, **settings: Any) -> Recipe:
    surface = {1: {"formula": "x**4/4 - x**2", "domain": "-3:3", "start": [2.5]}, 2: "wobbly"}[dim]
    return Recipe(surface=surface, optimizers=optimizer, steps=6, size=(480, 320), **settings)


def test_a_point_and_a_line_are_their_own_vertices() -> None:
    points = np.array([[0.0, 1.0], [2.0, 0.5], [1.0, -1.0]])
    sketches: list[Sketch] = [(), (Points(points), Segment(points), Polygon(points)), ()]
    found = traced(sketches, PLANE)
    assert_array_equal(found[Kind("tried", dots=True)].of(1, 2), points)
    gap = [[np.nan, np.nan]]
    assert_array_equal(found[Kind("tried")].of(1, 2), [*points, *gap])
    ring = found[Kind("population", closed=True)]
    assert_array_equal(ring.of(1, 2), [*points, points[0], *gap])
    assert [len(ring.of(step, step + 1)) for step in range(3)] == [0, 5, 0]


def test_what_is_not_finite_or_far_away_is_not_drawn() -> None:
    points = np.array([[0.0, np.inf], [1.0, 1.0]])
    assert traced([(Points(points),)], PLANE) == {}
    far = np.array([[7 * FAR, 0.0], [1.0, 1.0]])
    (strip,) = traced([(Segment(far),)], PLANE).values()
    assert_array_equal(np.isnan(strip.vertices[:, 0]), [True, False, True])


def test_an_ellipse_has_its_equation() -> None:
    center, matrix = np.array([0.5, -0.5]), np.array([[2.0, 0.7], [0.7, 0.5]])
    (strip,) = traced([(Ellipse(center, matrix),)], PLANE).values()
    away = strip.vertices[:-1] - center
    assert_allclose(np.einsum("ni,ij,nj->n", away, np.linalg.inv(matrix), away), 1, rtol=1e-9)


def test_an_interval_has_two_ends() -> None:
    found = traced([(Ellipse(np.array([1.0]), np.array([[0.25]])),)], LINE)
    assert_array_equal(found[Kind("region", dots=True)].vertices, [[0.5], [1.5]])


@pytest.mark.parametrize(
    "hessian", [[[3.0, 1.0], [1.0, 2.0]], [[1.0, 2.0], [2.0, -1.0]], [[-2.0, 0.5], [0.5, -1.0]]]
)
def test_a_model_is_constant_on_each_isoline(hessian: list[list[float]]) -> None:
    model = QuadraticModel(
        np.array([0.3, 0.2]), 1.5, np.array([1.0, -0.4]), np.array(hessian)
    )  # fmt: skip
    found = traced([(model,)], PLANE)
    lines = found[Kind("model")].vertices
    flat = model.point - np.linalg.solve(model.hessian, model.gradient)
    bottom = model.at(flat)
    scale = np.abs(np.linalg.eigvalsh(model.hessian))
    directions = np.linalg.eigh(model.hessian)[1]
    apart = (((model.point - flat) @ directions) ** 2 * scale).sum()
    expected = np.square(ISOLINES) * apart / 2  # above or below the flat point
    heights = np.abs(model.at(lines[np.isfinite(lines[:, 0])]) - bottom)
    assert_allclose(np.abs(heights[:, None] - expected).min(axis=1), 0, atol=1e-9 * apart)
    assert all(np.isclose(each, heights).any() for each in expected)
    definite = (np.linalg.eigvalsh(model.hessian) > 0).all()
    if definite:
        assert_allclose(found[Kind("model", dots=True)].vertices, [flat])
        assert_allclose(model.at(model.point) - bottom, expected[-1])  # the last leads through it
    else:
        assert Kind("model", dots=True) not in found


def test_a_model_on_a_line_is_its_parabola() -> None:
    model = QuadraticModel(np.array([1.0]), 2.0, np.array([-2.0]), np.array([[4.0]]))
    found = traced([(model,)], LINE)
    x, y = found[Kind("model", has_height=True)].vertices[:-1].T
    assert_allclose(y, 2 - 2 * (x - 1) + 2 * (x - 1) ** 2)
    assert_allclose(found[Kind("model", dots=True, has_height=True)].vertices, [[1.5, 1.5]])


@pytest.mark.parametrize("hessian", [[[0.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]]])
def test_a_model_that_is_flat_somewhere_does_not_fail(hessian: list[list[float]]) -> None:
    model = QuadraticModel(np.zeros(2), 0.0, np.array([1.0, 1.0]), np.array(hessian))
    assert traced([(model,)], PLANE) == {}


def test_vertices_are_close_enough_to_follow_a_surface() -> None:
    nan = [np.nan, np.nan]
    vertices = np.array([[-2.0, 0.0], [2.0, 1.0], nan, [50.0, 0.0], [90.0, 0.0], nan])
    found = along(Strip(vertices, np.array([0, 3, 6])), PLANE, 0.01)
    first, second = found.of(0, 1), found.of(1, 2)
    assert np.nanmax(np.abs(np.diff(first, axis=0)) / [6, 4]) <= 0.01 + 1e-12
    assert_allclose(first[:-1, 1], (first[:-1, 0] + 2) / 4, atol=1e-12)
    assert_array_equal(first[[0, -2]], vertices[:2])
    assert_array_equal(second, vertices[3:])  # outside of the window


def test_every_role_has_a_look() -> None:
    assert [*LOOKS] == [*get_args(Role)]


def sketched(recipe: Recipe) -> tuple[Any, SketchArtist]:
    """Return the picture of a recipe, and what it draws of the first path's sketches."""
    drawn = make_picture(recipe)
    artists = drawn.cells[0].view.path_artists
    return drawn, next(each for each in artists if isinstance(each, SketchArtist))


def dots(artist: SketchArtist, role: Role) -> tuple[Array, Array]:
    """Return the dots of earlier steps and of this one."""
    marks = next(marks for marks, look, _ in artist.dots if look is LOOKS[role])
    *before, here = (mark.get_xydata() for mark in marks)
    return np.concatenate([here[:0], *before]), here


@pytest.mark.parametrize(("dim", "view"), [(1, "curve"), (2, "contour"), (2, "relief")])
def test_a_sketch_is_drawn_at_its_step(walker: str, dim: int, view: str) -> None:
    drawn, artist = sketched(recipe(walker, dim, view=view))
    (path,) = drawn.scene.trajectories
    panel = drawn.cells[0].view

    def places(points: Array) -> Array:
        if view == "contour":
            return points
        if view == "curve":
            return np.column_stack([points, drawn.scene.surface.value(points)])
        return artist.project(panel.surface.in_world(points))

    for step in (0, 1, 3, 6):
        drawn.update(step)
        before, here = dots(artist, "tried")
        tried = [sketch[0].points for sketch in path.sketches[1 : step + 1]]
        kept = tried[: step - 1][-LOOKS["tried"].dots :] if step else []
        shape = -1, dim
        assert_array_equal(here, places(np.reshape(tried[-1:], shape)))
        assert_array_equal(before, places(np.reshape(kept, shape)))
        samples = np.reshape([sketch[-1].points for sketch in path.sketches[1 : step + 1]], shape)
        assert_array_equal(dots(artist, "sample")[1], places(samples))


def test_what_was_seen_earlier_is_fainter_and_the_start_has_its_own(here: Path) -> None:
    points = np.array([[k / 4, 1 - k / 4] for k in range(9)])
    sketches = [[Points(each[None]), Polygon(each + np.eye(3)[:, :2])] for each in points]
    track = optiviz.Trajectory.of(points, sketches=sketches)
    drawn = make_picture(Recipe(surface="wobbly", tracks=[track], view="contour"))
    artist = next(each for each in drawn.cells[0].view.path_artists
                  if isinstance(each, SketchArtist))  # fmt: skip
    drawn.update(0)
    before, here_now = dots(artist, "tried")
    assert_array_equal(here_now, points[:1])
    assert not len(before)
    drawn.update(8)
    ((marks, look, _),) = artist.dots
    *faint, _ = marks
    assert_array_equal([mark.get_xydata()[0] for mark in marks], points[8 - look.dots : 9])
    alphas = [mark.get_alpha() for mark in faint]
    assert alphas == sorted(alphas) and 0 < alphas[0] < alphas[-1] == look.before
    ((strokes, _),) = artist.lines
    shown = [len(each) for each in strokes.get_paths()]
    opacity = strokes.get_colors()[:, 3]
    assert len(shown) == LOOKS["population"].lines + 2 and all(shown)
    assert (np.diff(opacity[:-2]) > 0).all() and opacity[-1] == 1


def test_a_trail_is_that_of_sketches_but_not_of_samples(walker: str) -> None:
    drawn, artist = sketched(recipe(walker, view="contour", trail=1))
    drawn.update(5)
    assert [len(each) for each in dots(artist, "tried")] == [3, 3]
    assert [len(each) for each in dots(artist, "sample")] == [0, 5]
    assert [len(each) for each in dots(artist, "average")] == [0, 1]


def test_a_sketch_stays_at_the_end_of_its_path(walker: str) -> None:
    drawn, artist = sketched(recipe(walker, view="contour"))
    drawn.update(6)
    last = dots(artist, "tried")[1].copy()
    artist.update(9)
    assert_array_equal(dots(artist, "tried")[1], last)


def test_two_marks_of_the_key_explain_sketches(walker: str) -> None:
    drawn, _ = sketched(recipe(walker, view="contour"))
    said = [each.label for each in drawn.cells[0].view.legend_entries]
    assert said == ["start", "minimum", "sample", "reach"]  # no line is an average


def test_files_have_the_sketch_of_each_step(walker: str, invoke: Invoke, here: Path) -> None:
    words = "run", "--surface", "wobbly", "--opt", f"{walker},sgd", "--steps", 4
    assert invoke(*words, "-o", "on.json").exit_code == 0
    assert invoke(*words, "--no-sketch", "-o", "off.json").exit_code == 0
    walked, other = json.loads((here / "on.json").read_text())["trajectories"]
    path = optiviz.descend("wobbly", walker, steps=4)
    assert walked["sketches"] == plain_sketches(path.sketches)
    assert [each["shape"] for each in walked["sketches"][0]["shapes"]] == [
        *SHAPES, "points", "points",
    ]  # fmt: skip
    assert "sketches" not in other
    for each in json.loads((here / "off.json").read_text())["trajectories"]:
        assert "sketches" not in each
    assert optiviz.load_recipe(here / "off.json", allow_plugins=True).sketch is False


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--surface", "wobbly", "--opt", "sgd"), "no method of this run says what it looked at"),
        (("--surface", "wobbly", "--opt", "W", "--view", "loss"), "loss does not use --sketch"),
        (("--surface", "spirals", "--opt", "W"), "spirals is descended in more: omit --sketch"),
    ],
)
def test_sketches_that_cannot_be_drawn_are_refused(
    walker: str, invoke: Invoke, words: tuple[str, ...], said: str
) -> None:
    given = (walker if each == "W" else each for each in words)
    result = invoke("run", *given, "--sketch", "--steps", 3, "-o", "x.png")
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("sketch", "said"),
    [
        ("1 / 0", "raised ZeroDivisionError at step 1"),
        ("None", "did not return a tuple of shapes from sketch at step 1"),
        ("Points(np.zeros((1, 2)))", "did not return a tuple of shapes from sketch at step 1"),
        ("(3,)", "sketched a int at step 1"),
        ("(Points(np.zeros((1, 2)), 'best'),)", "sketched the role 'best' at step 1"),
        ("(Points(np.zeros((1, 3))),)", "sketched points of shape (1, 3) at step 1"),
        ("(Ellipse(np.zeros(2), np.eye(3)),)", "sketched matrix of shape (3, 3) at step 1"),
        ("(Points(np.zeros((10001, 2))),)", "sketched 10001 points at step 1"),
    ],
)
def test_a_wrong_sketch_ends_its_path(here: Path, sketch: str, said: str) -> None:
    code = WALKER.partition("    def sketch")[0] + f"    def sketch(self, state): return {sketch}"
    (here / "wrong.py").write_text(code)
    path = optiviz.descend("wobbly", "wrong.py:Walker", steps=3)
    assert path.ending == said
    assert path.last == 0
    drawn = Recipe(surface="wobbly", optimizers="wrong.py:Walker", steps=3, sketch=False)
    assert drawn.make_scene().trajectories[0].ending == ""


def test_a_sketch_is_a_copy(here: Path) -> None:
    (here / "same.py").write_text(
        WALKER.replace('"tried": tried', '"tried": self.tried').replace(
            "        return tried[-1], seen",
            "        self.tried[:] = tried\n        return tried[-1], seen",
        ).replace("        return None", "        self.tried = np.zeros((3, 2))")
    )  # fmt: skip
    first, second = (
        each[0] for each in optiviz.descend("wobbly", "same.py:Walker", steps=2).sketches[1:]
    )
    assert not np.array_equal(first.points, second.points)
