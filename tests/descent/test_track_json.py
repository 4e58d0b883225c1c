"""Recorded paths in .json, with what their programs looked at: read, written, and refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Invoke
from numpy.testing import assert_array_equal

import optiviz
from optiviz import InputError, Trajectory
from optiviz.descent.track_files import read_track_file
from optiviz.kinds.tracks import MAX_HELD
from optiviz.shapes import (
    SHAPES,
    Ellipse,
    Points,
    Polygon,
    QuadraticModel,
    Segment,
    Shape,
    from_dict,
    plain_sketches,
    to_dict,
)

POINTS = [[1.0, 2.0], [0.5, 1.0], [0.25, 0.1]]
MODEL = QuadraticModel(np.zeros(2), 1.0, np.ones(2), np.eye(2))
EACH: list[Shape] = [
    Points(np.array(POINTS), "next"), Segment(np.array(POINTS)), Polygon(np.array(POINTS)),
    Ellipse(np.array([1.0, 2.0]), np.array([[2.0, 0.5], [0.5, 1.0]])), MODEL,
]  # fmt: skip


def write(record: Any, name: str = "run.json") -> None:
    Path(name).write_text(record if isinstance(record, str) else json.dumps(record))


def sketched(*shapes: Any, step: Any = 1) -> dict[str, Any]:
    return {"points": POINTS, "sketches": [{"step": step, "shapes": shapes}]}


@pytest.mark.parametrize("shape", EACH, ids=[*SHAPES])
def test_a_shape_is_its_plain_values(shape: Shape) -> None:
    again = from_dict(json.loads(json.dumps(to_dict(shape))))
    assert type(again) is type(shape) and again.role == shape.role
    for found, given in zip(again[:-1], shape[:-1], strict=True):
        assert_array_equal(found, given)


def test_what_is_saved_is_read(here: Path) -> None:
    first, *others = ([each] for each in EACH[:3])
    path = Trajectory.of(
        POINTS, "mine", losses=[3, 2, np.nan], steps=[0, 5, 9], sketches=[first, *others]
    )
    path.save("run.json")
    ((label, again),) = read_track_file("run.json").paths.items()
    assert (label, again.steps, again.last, again.diverged_at) == ("mine", 9, 5, 9)
    assert_array_equal(again.points, path.points)
    assert_array_equal(again.losses, path.losses)
    assert plain_sketches(again.sketches) == plain_sketches(path.sketches)
    assert [step for step, each in enumerate(again.sketches) if each] == [0, 5, 9]
    with pytest.raises(InputError, match=r"'run.csv' must end in \.json"):
        path.save("run.csv")


@pytest.mark.parametrize("surface", ["wobbly", "ripple"])
def test_a_file_of_a_run_of_ours_is_its_track(surface: str, here: Path, invoke: Invoke) -> None:
    run = "run", "--surface", surface, "--steps", 6
    assert invoke(*run, "--opt", "nelder-mead,sgd:lr=0.01", "-o", "own.json").exit_code == 0
    assert invoke(*run[:3], "--track", "own.json", "-o", "again.json").exit_code == 0
    assert invoke(*run[:3], "--track", "own.json", "--no-sketch", "-o", "off.json").exit_code == 0
    own, again, off = (
        json.loads(Path(name).read_text())["trajectories"]
        for name in ("own.json", "again.json", "off.json")
    )
    same = "label", "start", "path", "loss", "sketches"
    assert [[each.get(key) for key in same] for each in own] == [
        [each.get(key) for key in same] for each in again
    ]
    assert own[0]["sketches"] and not any("sketches" in each for each in off)


@pytest.mark.parametrize("rows", [40, MAX_HELD // 9])  # of ten numbers each
def test_a_recipe_holds_sketches_or_names_their_file(rows: int, here: Path, invoke: Invoke) -> None:
    turn = np.linspace(0, 2, rows)
    points = np.column_stack([np.cos(turn), np.sin(turn)])
    sketches = [[Points(each[None] + 0.1), Ellipse(each, np.eye(2) / 9)] for each in points]
    Trajectory.of(points, sketches=sketches).save("run.json")
    assert (
        invoke("run", "--surface", "wobbly", "--track", "run.json", "-o", "a.json").exit_code == 0
    )
    (told,) = json.loads(Path("a.json").read_text())["recipe"]["tracks"]
    assert ("sketches" in told) == (rows == 40) == ("file" not in told)
    recipe = optiviz.load_recipe("a.json")
    optiviz.render(recipe, "b.json")
    assert Path("a.json").read_bytes() == Path("b.json").read_bytes()
    hash(recipe)


def test_sketches_are_asked_for_of_a_track(here: Path, invoke: Invoke) -> None:
    words = "run", "--surface", "wobbly", "--track", "run.json", "--sketch", "-o", "x.json"
    write({"points": POINTS})
    assert "no method of this run says what it looked at" in invoke(*words).stderr
    write(sketched(to_dict(EACH[0])))
    assert invoke(*words).exit_code == 0


def test_losses_are_those_of_points_or_of_all_steps(here: Path) -> None:
    write({"points": POINTS, "steps": [0, 2, 3], "losses": [9, 8, 7]})
    first = read_track_file("run.json").paths[""]
    write({"path": POINTS, "path_steps": [0, 2, 3], "loss": [9, 8.5, 8, 7]})
    second = read_track_file("run.json").paths[""]
    assert_array_equal(first.losses, second.losses)


POINT = {"shape": "points", "role": "tried", "points": [[1, 2]]}
DISC = {"shape": "ellipse", "role": "region", "center": [0, 0], "matrix": [[1, 0], [0, 1]]}
BENT = {"shape": "quadratic-model", "role": "model", "point": [0, 0], "value": 1,
        "gradient": [1, 1], "hessian": [[1, 0], [0, 1]]}  # fmt: skip
WRONG: list[tuple[Any, str]] = [
    ("{", "run.json:1: is not valid JSON: "),
    ('{"points": [[1, 2],\n [3 4]]}', "run.json:2: is not valid JSON: "),
    ("\n\nopen('x')", "run.json:3: is not valid JSON: "),
    ("[" * 100_000, "run.json: is nested too deeply"),
    ('{"points": ' + "[" * 900 + "]" * 900 + "}", "run.json: points must be numbers, not [[[["),
    ('{"points": [1' + "0" * 5000 + ", 2]}", "run.json: a number is too large"),
    ('{"points": [1' + "0" * 400 + ", 2]}", "run.json: points: a number is too large"),
    ('{"points": [1, 2], "points": [3, 4]}', "run.json: has the key 'points' twice"),
    ([], "run.json: must be an object such as {"),
    ("3", "run.json: must be an object such as {"),
    ("null", "run.json: must be an object such as {"),
    ({}, "run.json: has no points"),
    ({"points": None}, "run.json: has no points"),
    ({"points": []}, "run.json: a path must have from 2 to 1000001 points, not 0"),
    ({"points": [[1, 2]]}, "run.json: a path must have from 2 to 1000001 points, not 1"),
    ({"points": [[], []]}, "run.json: points must have shape (rows, dim), not (2, 0)"),
    ({"points": {"x": [1, 2]}}, "run.json: points must be a list, not {'x': [1, 2]}"),
    ({"points": [[1, 2], [3]]}, "run.json: points must have equally many coordinates"),
    ({"points": [[1, "2"], [3, 4]]}, "run.json: points must be numbers, not '2'"),
    ({"points": [[1, True], [3, 4]]}, "run.json: points must be numbers, not true"),
    ({"points": [[1, [2]], [3, 4]]}, "run.json: points must be numbers, not [2]"),
    ({"points": [[1, 1], [1, 1]]}, "run.json: all 2 points are the same"),
    ({"points": [[1, 1], [None, 1], [2, 1]]}, "run.json: the point of step 1 is not finite, but"),
    ({"pionts": POINTS}, "run.json: unknown key 'pionts': did you mean 'points'?"),
    ({"points": POINTS, "losses": [1, 2]}, "run.json: losses must have shape (3,), not (2,)"),
    ({"points": POINTS, "losses": 3}, "run.json: losses must be a list, not 3"),
    ({"points": POINTS, "losses": [1, {}, 2]}, "run.json: losses must be numbers, not {}"),
    ({"points": POINTS, "losses": [1, None, 2]}, "run.json: the loss of step 1 is not finite, but"),
    ({"points": POINTS, "steps": [0, 2, 2]}, "run.json: steps must increase, but 2 follows 2"),
    ({"points": POINTS, "steps": [0, 1, 1.5]}, "run.json: a step must be a whole number from 0 to"),
    ({"points": POINTS, "steps": [-1, 1, 2]}, "run.json: a step must be a whole number from 0 to"),
    ({"points": POINTS, "steps": [0, 1, None]}, "run.json: a step must be a whole number from 0"),
    ({"points": POINTS, "label": 3}, "run.json: a label must be text, not 3"),
    ({"points": POINTS, "label": "a\x00"}, "run.json: label: must not contain the unprintable"),
    ({"trajectories": []}, "run.json: contains no trajectories"),
    ({"trajectories": 3}, "run.json: trajectories must be a list of objects such as {"),
    ({"trajectories": [3]}, "run.json: trajectories must be a list of objects such as {"),
    ({"trajectories": [], "trajectory": []}, "run.json: unknown key 'trajectory': did you mean"),
    ({"trajectories": [{"label": "BO", "points": POINTS}, {"label": "BO", "points": 3}]},
     "run.json: BO (2): points must be a list, not 3"),
    ({"points": POINTS, "sketches": {}}, "run.json: sketches must be a list, not {}"),
    ({"points": POINTS, "sketches": [[]]}, "run.json: each of sketches must be an object with a"),
    ({"points": POINTS, "sketches": [{"step": 1}]}, "run.json: each of sketches must be an object"),
    (sketched(step="1"), "run.json: the step of a sketch must be a whole number, not '1'"),
    (sketched(step=1.0), "run.json: the step of a sketch must be a whole number, not 1.0"),
    (sketched(step=True), "run.json: the step of a sketch must be a whole number, not true"),
    (sketched(step=3), "run.json: step 3: has a sketch, but no point"),
    (sketched(step=-1), "run.json: step -1: has a sketch, but no point"),
    (sketched() | {"sketches": sketched()["sketches"] * 2}, "run.json: step 1: has two sketches"),
    (sketched() | {"steps": [0, 5, 9]}, "run.json: step 1: has a sketch, but no point"),
    (sketched(3), "run.json: step 1: a shape must be an object, not 3"),
    (sketched({}), "run.json: step 1: a shape has no shape"),
    (sketched({"shape": "points"}), "run.json: step 1: a shape has no role"),
    (sketched(POINT | {"shape": "pionts"}), "run.json: step 1: unknown shape 'pionts': did you"),
    (sketched(POINT | {"shape": []}), "run.json: step 1: unknown shape '[]': choose from "),
    (sketched(POINT | {"role": "trial"}), "run.json: step 1: unknown role 'trial': did you mean "
     "'tried'?"),
    (sketched(POINT | {"role": None}), "run.json: step 1: unknown role 'None': choose from "),
    (sketched(POINT | {"center": [1, 2]}), "run.json: step 1: points: unknown key 'center'"),
    (sketched({"shape": "points", "role": "tried"}), "run.json: step 1: points: has no points"),
    (sketched(POINT | {"points": []}), "run.json: step 1: points of shape (0,): those of a Points"),
    (sketched(POINT | {"points": [1, 2]}), "run.json: step 1: points of shape (2,): those of a "),
    (sketched(POINT | {"points": [[1, 2, 3]]}), "run.json: step 1: points of shape (1, 3): those "),
    (sketched(POINT | {"points": [[1, 2], [3]]}), "run.json: step 1: points: points must be rows "),
    (sketched(POINT | {"points": [[1, "2"]]}), "run.json: step 1: points: points must be numbers,"),
    (sketched(POINT | {"points": [[1, [2]]]}), "run.json: step 1: points: points must be numbers,"),
    (sketched(POINT | {"points": [[1, None]]}), "run.json: step 1: points: points must be numbers"),
    (sketched(POINT | {"points": [[1, 1e999]]}), "run.json: step 1: points: points must be finite"),
    (sketched(POINT | {"points": [[1, 10**400]]}), "run.json: step 1: points: points must be rows"),
    (sketched(POINT | {"points": [[0, 0]] * 10_001}), "run.json: step 1: 10001 points: a step may"),
    (sketched(DISC | {"center": [0]}), "run.json: step 1: center of shape (1,): those of a"),
    (sketched(DISC | {"matrix": [1, 1]}), "run.json: step 1: matrix of shape (2,): those of a"),
    (sketched(DISC | {"matrix": [[1, 1], [0, 1]]}), "run.json: step 1: a matrix of an ellipse that "
     "is not symmetric positive semi-definite"),
    (sketched(DISC | {"matrix": [[1, 0], [0, -1]]}), "run.json: step 1: a matrix of an ellipse "),
    (sketched(BENT | {"value": [1]}), "run.json: step 1: value of shape (1,): those of a "),
    (sketched(BENT | {"hessian": 2}), "run.json: step 1: hessian of shape (): those of a "),
    (sketched(POINT) | {"points": [[1, 2, 3], [4, 5, 6]]}, "run.json: step 1: points of shape "),
    (sketched({"shape": "points", "role": "tried", "points": [[1, 2, 3]]})
     | {"points": [[1, 2, 3], [4, 5, 6]]}, "run.json: sketches need points of one or two coord"),
]  # fmt: skip


@pytest.mark.parametrize(("record", "said"), WRONG, ids=[*map(str, range(len(WRONG)))])
def test_a_wrong_document_is_told(record: Any, said: str, here: Path) -> None:
    write(record)
    with pytest.raises(InputError) as told:
        read_track_file("run.json")
    assert str(told.value).startswith(said)
    assert "\n" not in str(told.value) and len(str(told.value)) < 240


def test_what_is_no_text_or_too_long_is_told(here: Path, monkeypatch: Any) -> None:
    Path("run.json").write_bytes(b'{"points": "\xff"}')
    with pytest.raises(InputError, match=r"^run\.json: not UTF-8 text$"):
        read_track_file("run.json")
    monkeypatch.setattr("optiviz.descent.track_files.MAX_NUMBERS", 4)
    write({"points": POINTS})
    with pytest.raises(InputError, match=r"^run\.json: more than 4 numbers are not allowed$"):
        read_track_file("run.json")


@pytest.mark.parametrize(
    ("sketches", "said"),
    [
        ([[EACH[0]]], "sketches must be 3, one for each point, not 1"),
        (
            [[], [Points(np.zeros((1, 3)))], []],
            r"the sketch of step 1 has points of shape \(1, 3\)",
        ),
        ([[], [], [Points(np.zeros((1, 2)), "best")]], "the sketch of step 2 has the role 'best'"),  # type: ignore[arg-type]
        ([[3], [], []], "the sketch of step 0 has a int: choose from those in optiviz.shapes"),
        ([[Points([["a"]])], [], []], "the sketch of step 0 has points that are no array of numb"),  # type: ignore[arg-type]
    ],
)
def test_a_sketch_that_is_none_is_told(sketches: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Trajectory.of(POINTS, sketches=sketches)


def test_a_recipe_checks_its_sketches(here: Path, invoke: Invoke) -> None:
    track = sketched(POINT | {"role": "trial"}) | {"label": "BO"}
    write({"surface": "wobbly", "tracks": [track]}, "x.yaml")
    result = invoke("run", "--recipe", "x.yaml", "-o", "x.json")
    assert result.exit_code == 2
    assert "BO: step 1: unknown role 'trial': did you mean 'tried'?" in result.stderr
    assert result.stderr.count("\n") == 1
