"""Paths that other programs recorded, in memory and in files."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optiviz import InputError, Trajectory
from optiviz.descent.track_files import read_track_file, split_name
from optiviz.surfaces.domain import MAX_STEPS

POINTS = [[1.0, 2.0], [0.5, 1.0], [0.25, 0.1]]


def test_a_path_has_every_step_unless_others_are_given() -> None:
    path = Trajectory.of(POINTS, label="mine", losses=[3, 2, 1])
    assert (path.label, path.optimizer, path.steps, path.last) == ("mine", None, 2, 2)
    np.testing.assert_array_equal(path.points, POINTS)
    np.testing.assert_array_equal(path.losses, [3, 2, 1])
    assert path.rows is None and path.ended_at is None


def test_between_recorded_steps_the_last_one_counts() -> None:
    path = Trajectory.of(POINTS, losses=[3, 2, 1], steps=[2, 5, 6])
    assert (path.steps, path.last) == (6, 6)
    assert path.row_of_step.tolist() == [0, 0, 0, 0, 0, 1, 2]
    assert [path.loss(step) for step in range(8)] == [3, 3, 3, 3, 3, 2, 1, 1]
    assert np.isnan(path.losses[[0, 1, 3, 4]]).all()


def test_a_path_of_numbers_is_one_dimensional() -> None:
    assert Trajectory.of([3, 2, 1]).points.shape == (3, 1)


def test_a_path_may_end_in_what_is_not_finite() -> None:
    ends = Trajectory.of([*POINTS, [np.inf, 1], [np.nan, np.nan]])
    assert (ends.diverged_at, ends.ending) == (3, "diverged at step 3")
    ends = Trajectory.of(POINTS, losses=[3, 1, np.inf], steps=[0, 10, 20])
    assert (ends.last, ends.diverged_at) == (10, 20)


def test_points_are_copied() -> None:
    points = np.array(POINTS)
    path = Trajectory.of(points)
    points += 1
    np.testing.assert_array_equal(path.points, POINTS)


def changing(copy: bool) -> list[Any]:
    vector, path = np.array([1.0, 2.0]), []
    for _ in range(3):
        path.append(vector.copy() if copy else vector)
        vector += 1
    return path


def views() -> list[Any]:
    vector = np.array([1.0, 2.0])
    return [vector[:], vector[:], np.array([3.0, 4.0])]


def lists() -> list[Any]:
    vector = [1.0, 2.0]
    return [vector, vector, [3.0, 4.0]]


@pytest.mark.parametrize(
    "points", [changing(copy=False), views(), lists(), np.array(changing(copy=False))]
)
def test_one_vector_that_changes_in_place_is_told(points: Any) -> None:
    with pytest.raises(InputError, match=r"append a copy, path\.append\(vector\.copy\(\)\)"):
        Trajectory.of(points)


def test_copies_and_rows_of_one_array_are_a_path() -> None:
    assert Trajectory.of(changing(copy=True)).steps == 2
    assert Trajectory.of(list(np.array(POINTS))).steps == 2
    assert Trajectory.of([(1, 2), (3, 4), (1, 2), (1, 2)]).steps == 3


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"points": [[1, 2]]}, "a path must have from 2 to 1000001 points, not 1"),
        ({"points": []}, "a path must have from 2 to 1000001 points, not 0"),
        ({"points": np.zeros((MAX_STEPS + 2, 1))}, "from 2 to 1000001 points, not 1000002"),
        ({"points": np.zeros((2, 2, 2))}, r"must have shape \(rows, dim\), not \(2, 2, 2\)"),
        ({"points": np.zeros((2, 0))}, r"must have shape \(rows, dim\), not \(2, 0\)"),
        ({"points": [[1, 2], [3]]}, "points cannot be read as an array: "),
        ({"points": [["1", "2"], ["3", "4"]]}, "points must be real numbers, not <U1"),
        ({"points": [[1j, 2], [3, 4]]}, "points must be real numbers, not complex128"),
        ({"points": None}, "points must be real numbers, not object"),
        ({"losses": [1, 2]}, r"losses must have shape \(3,\), not \(2,\)"),
        ({"losses": [1, np.nan, 3]}, "the loss of step 1 is not finite, but later ones are"),
        ({"losses": [1, np.nan, np.nan]}, "must have at least two points with a finite loss"),
        ({"points": [[1, 2], [np.nan, 1], [3, 4]]}, "the point of step 1 is not finite, but later"),
        ({"points": [[1, 2], [np.nan, 1], [np.nan, 4]]}, "at least two points that are finite"),
        ({"steps": [0, 1]}, r"steps must have shape \(3,\), not \(2,\)"),
        ({"steps": [0, 2, 2]}, "steps must increase, but 2 follows 2"),
        ({"steps": [0, 2, 1]}, "steps must increase, but 1 follows 2"),
        ({"steps": [-1, 2, 3]}, "a step must be a whole number from 0 to 1000000, not -1.0"),
        ({"steps": [0, 0.5, 1]}, "a step must be a whole number from 0 to 1000000, not 0.5"),
        ({"steps": [0, 1, 1e9]}, "a step must be a whole number from 0 to 1000000, not 1000000000"),
        ({"steps": [0, 1, np.nan]}, "a step must be a whole number from 0 to 1000000, not nan"),
        ({"points": np.ones((3, 2))}, "all 3 points are the same: append a copy"),
    ],
)
def test_what_is_no_path_is_told(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Trajectory.of(**{"points": POINTS} | given)


TABLES = [
    "step,x,y,loss\n0,1,2,3\n1,0.5,1,2\n2,0.25,0.1,1\n",
    "x,y,loss\n1,2,3\n0.5,1,2\n0.25,0.1,1\n",
    "# made by me\n\nLoss, Y ,X\n3,2,1\n2,1,0.5\n\n1,0.1,0.25",
    '\ufeffsteps,x1,x2,losses\r\n0.0,1,2,3\r\n1e0,0.5,"1",2\r\n2,0.25,0.1,1\r\n',
    "label,start,step,x,y,loss\nmine,0,0,1,2,3\nmine,0,1,0.5,1,2\nmine,0,2,0.25,0.1,1\n",
]


@pytest.mark.parametrize("text", TABLES)
def test_a_table_is_read(text: str, here: Path) -> None:
    Path("run.csv").write_text(text, "utf-8")
    (path,) = read_track_file("run.csv").paths.values()
    np.testing.assert_array_equal(path.points, POINTS)
    np.testing.assert_array_equal(path.losses, [3, 2, 1])
    assert path.rows is None


def test_a_table_can_be_sparse_and_end_early(here: Path) -> None:
    Path("run.csv").write_text("step,x,loss\n5,1,3\n6,,\n10,0.5,2\n20,0.25,inf\n30,,\n40,,\n")
    (path,) = read_track_file("run.csv").paths.values()
    assert path.step_of_row.tolist() == [5, 10, 20, 30]
    assert (path.last, path.diverged_at) == (10, 20)


def test_a_table_in_many_dimensions(here: Path) -> None:
    points = np.arange(12.0).reshape(3, 4)
    head = "x1,x2,x4,x3\n"
    Path("run.csv").write_text(
        head + "\n".join(",".join(map(str, row[[0, 1, 3, 2]])) for row in points)
    )
    (path,) = read_track_file("run.csv").paths.values()
    np.testing.assert_array_equal(path.points, points)


def test_several_paths_have_their_names(here: Path) -> None:
    Path("run.csv").write_text(
        "label,start,step,x\na,0,0,1\na,0,1,2\na,1,0,3\na,1,1,4\nb,0,0,5\nb,0,1,6\n"
    )
    found = read_track_file("run.csv").paths
    assert {name: path.points[:, 0].tolist() for name, path in found.items()} == {
        "a": [1, 2], "a (2)": [3, 4], "b": [5, 6],
    }  # fmt: skip


ARRAYS: list[dict[str, Any]] = [
    {"points": POINTS, "loss": [3, 2, 1]},
    {"points": POINTS, "losses": [3, 2, 1], "steps": [0, 1, 2]},
    {"x": [1, 0.5, 0.25], "y": [2, 1, 0.1], "step": [0, 1, 2], "loss": np.float32([3, 2, 1])},
]


@pytest.mark.parametrize("arrays", ARRAYS)
def test_arrays_are_read(arrays: dict[str, Any], here: Path) -> None:
    np.savez("run.npz", **arrays)
    (path,) = read_track_file("run.npz").paths.values()
    np.testing.assert_array_equal(path.points, POINTS)
    np.testing.assert_array_equal(path.losses, [3, 2, 1])


def test_one_array_is_read(here: Path) -> None:
    np.save("run.npy", np.array(POINTS))
    (path,) = read_track_file("run.npy").paths.values()
    np.testing.assert_array_equal(path.points, POINTS)


HEAD = "step,x,y,loss\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "run.csv: is empty"),
        ("# nothing\n", "run.csv: contains no points"),
        (HEAD, "run.csv: contains no points"),
        (HEAD + "0,1,2,3\n", "run.csv: a path must have from 2 to 1000001 points, not 1"),
        ("0,1,2,3\n1,2,3,4\n", "run.csv:1: must name the columns, for example step,x,y,loss"),
        ("step;x;y\n0;1;2\n", "run.csv:1: columns must be separated by commas"),
        ("step,x,x\n", "run.csv:1: has the column 'x' twice"),
        ("step,steps,x\n", "run.csv:1: has the column 'step' twice"),
        ("step,x,y,lss\n", "run.csv:1: unknown column 'lss': the columns must be x, y (or x1, x2"),
        ("step,loss\n", "run.csv:1: the columns must be x, y (or x1, x2, ..., or the names of"),
        ("y\n1\n", "run.csv:1: the columns must be x, y (or x1"),
        ("x1,x3\n", "run.csv:1: the columns must be x, y (or x1"),
        (HEAD + "0,1,2\n", "run.csv:2: must have 4 columns, not 3"),
        (HEAD + "0,1,2,3\n1,one,2,3\n", "run.csv:3: must be a number, not 'one'"),
        (HEAD + "0,1,2,3\n1,1_0,2,3\n", "run.csv:3: must be a number, not '1_0'"),
        (HEAD + "0.5,1,2,3\n", "run.csv:2: a step must be a whole number from 0 to 1000000, not"),
        (HEAD + ",1,2,3\n", "run.csv:2: a step must be a whole number from 0 to 1000000, not ''"),
        (HEAD + "nan,1,2,3\n", "run.csv:2: a step must be a whole number from 0 to 1000000, not"),
        (HEAD + "1,1,2,3\n1,2,2,3\n", "run.csv:3: steps must increase, but 1 follows 1"),
        (HEAD + "0,1,2,3\n1,nan,nan,3\n2,1,1,1\n", "run.csv: the point of step 1 is not finite"),
        (HEAD + "0,1,2,3\n1,nan,nan,nan\n2,1,1,1\n", "run.csv: the point of step 1 is not finite"),
        (HEAD + "0,1,2,3\n1,1,1,\n2,1,1,1\n", "run.csv: the loss of step 1 is not finite"),
        (HEAD + "0,1,2,3\n1,1,2,3\n", "run.csv: all 2 points are the same: append a copy"),
        (HEAD + '0,"1,2,3\n', "run.csv:2: unexpected end of data"),
        ("label,x\na,1\na,2\nb,1\n", "run.csv: b: a path must have from 2 to 1000001 points"),
        ("x\n" + "9" * 140_000 + "\n", "run.csv:2: field larger than field limit"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_told(text: str, said: str, here: Path) -> None:
    Path("run.csv").write_text(text)
    with pytest.raises(InputError) as told:
        read_track_file("run.csv")
    assert str(told.value).startswith(said)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({}, "run.npz: must have either an array points or arrays x and y"),
        ({"y": [1, 2]}, "run.npz: must have either an array points or arrays x and y"),
        ({"points": POINTS, "x": [1, 2, 3]}, "run.npz: must have either an array points or arrays"),
        ({"point": POINTS}, "run.npz: unknown array 'point': did you mean 'points'?"),
        ({"x": [1, 2], "y": [1, 2, 3]}, "run.npz: x and y must have one shape, (rows,)"),
        ({"x": POINTS, "y": POINTS}, "run.npz: x and y must have one shape, (rows,)"),
        ({"points": POINTS, "step": [0, 2, 1]}, "run.npz: steps must increase, but 1 follows 2"),
        ({"points": [{}, {}]}, "run.npz: points contains pickled objects, which are not read"),
        ({"points": POINTS, "loss": ["a", "b", "c"]}, "run.npz: losses must be real numbers"),
    ],
)
def test_wrong_arrays_are_told(arrays: dict[str, Any], said: str, here: Path) -> None:
    np.savez("run.npz", **arrays)
    with pytest.raises(InputError) as told:
        read_track_file("run.npz")
    assert str(told.value).startswith(said)


def huge() -> bytes:
    """Return an .npz file with far more numbers than bytes."""
    head = io.BytesIO()
    shape = {"descr": "<f8", "fortran_order": False, "shape": (10**8, 2)}
    np.lib.format.write_array_header_1_0(head, shape)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("points.npy", head.getvalue() + bytes(1000))
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("run.npz", b"no zip", "run.npz: is not a valid npz file"),
        ("run.npy", b"no array", "run.npy: is not a valid npy file"),
        ("run.npz", huge(), "run.npz: points has more than 30000000 numbers"),
        ("run.csv", b"x\n\xff\n", "run.csv: not UTF-8 text"),
    ],
)
def test_what_is_no_such_file_is_told(name: str, content: bytes, said: str, here: Path) -> None:
    Path(name).write_bytes(content)
    with pytest.raises(InputError) as told:
        read_track_file(name)
    assert str(told.value).startswith(said)


def test_a_file_that_cannot_be_read_is_told(here: Path, monkeypatch: Any) -> None:
    Path("run.csv").mkdir()
    for name, said in [("run.csv", "not a file"), ("no.csv", "no such file"), ("\0.csv", "null")]:
        with pytest.raises(InputError, match=said):
            read_track_file(name)
    monkeypatch.setattr("optiviz.descent.track_files.MAX_BYTES", 10)
    Path("long.csv").write_text("x\n" + "1\n" * 10)
    with pytest.raises(InputError, match=r"long\.csv: must be at most 10 bytes"):
        read_track_file("long.csv")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("run.csv", ("run.csv", "")),
        ("run.CSV:a b", ("run.CSV", "a b")),
        ("a:b/run.npz:c:d", ("a:b/run.npz", "c:d")),
        ("x.csv.npy", ("x.csv.npy", "")),
        ("run.csv:", ("run.csv", "")),
    ],
)
def test_a_label_follows_the_file(text: str, found: tuple[str, str]) -> None:
    assert split_name(text) == found


@pytest.mark.parametrize("text", ["", "run", "run.txt", "run.csvx", ":a"])
def test_other_files_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"must end in \.json, \.csv, \.npz or \.npy"):
        split_name(text)
