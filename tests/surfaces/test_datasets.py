"""Data sets: what they contain, and one sentence about each invalid one."""

import gzip
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optiviz.surfaces.datasets import DATASETS, Dataset, check_dataset, dataset_hash, load_dataset
from optiviz.system.errors import InputError

OURS = ("blobs", "spirals", "xor", "pixels")


def assert_whole(data: Dataset) -> None:
    for inputs, targets in (data[:2], data[2:]):
        assert len(inputs) == len(targets)
        assert inputs.dtype == targets.dtype == float
        np.testing.assert_allclose(targets.sum(axis=1), 1)
    assert data.inputs.shape[1] == data.test_inputs.shape[1]


@pytest.mark.parametrize("name", [*OURS, "digits"])
def test_a_data_set_is_whole_and_the_same_again(name: str) -> None:
    data = load_dataset(name, 3)
    assert_whole(data)
    assert len(data.test_inputs) and (data.targets.sum(axis=0) > 0).all()
    load_dataset.cache_clear()
    for one, other in zip(data, load_dataset(name, 3), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", OURS)
def test_what_is_drawn_depends_on_the_seed(name: str) -> None:
    assert (load_dataset(name, 1).inputs != load_dataset(name, 2).inputs).any()


def test_digits_are_scaled_and_the_last_fifth_is_held_out() -> None:
    data = load_dataset("digits")
    assert data.inputs.shape == (1438, 64) and data.test_inputs.shape == (359, 64)
    assert (data.inputs.min(), data.inputs.max()) == (0, 1)
    assert data.targets[:4].argmax(axis=1).tolist() == [0, 1, 2, 3]


def test_the_four_pixels_are_article_3s() -> None:
    data = load_dataset("pixels")
    assert data.inputs.shape == (4000, 4) and data.test_inputs.shape == (1000, 4)
    kinds = {(tuple(x.astype(int)), int(y.argmax())) for x, y in zip(*data[:2], strict=True)}
    rows = {
        0: [(1, 1, 1, 1)],
        1: [(1, -1, 1, -1)],
        2: [(1, -1, -1, 1)],
        3: [(1, 1, -1, -1)],
    }
    assert kinds == {
        (tuple(sign * pixel for pixel in row), label)
        for label, [row] in rows.items()
        for sign in (1, -1)
    }


def test_every_name_of_the_list_is_one() -> None:
    for name in DATASETS:
        kind, colon, _ = name.partition(":")
        assert check_dataset(f"{kind}:x" if colon else kind)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("digit", "unknown data set 'digit': did you mean 'digits'"),
        ("digits:x", "unknown data set 'digits:x'"),
        ("npz:", "'npz:' has no path: write npz:FILE"),
        ("idx:", "'idx:' has no path: write idx:DIR"),
        ("", "unknown data set ''"),
    ],
)
def test_a_wrong_name_is_told(name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        check_dataset(name)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # where no digits are
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.delitem(sys.modules, "sklearn.datasets", raising=False)
    for name in ("digits", "mnist"):
        load_dataset.cache_clear()
        with pytest.raises(InputError, match=r"pip install 'optiviz-cli\[networks\]'"):
            load_dataset(name)


def test_mnist_that_cannot_be_fetched_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no network\nat all")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fail)
    with pytest.raises(InputError, match="^mnist cannot be downloaded: no network$"):
        load_dataset("mnist", 9)


def test_mnist_is_split_as_it_is_published(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = np.zeros((70000, 2))
    inputs[60000:] = 255
    labels = (np.arange(70000) % 10).astype(str)
    monkeypatch.setattr("sklearn.datasets.fetch_openml", lambda *_, **__: (inputs, labels))
    data = load_dataset("mnist", 8)
    assert (len(data.inputs), len(data.test_inputs)) == (60000, 10000)
    assert data.inputs.max() == 0 and data.test_inputs.min() == 1
    load_dataset.cache_clear()


def test_no_data_set_loads_what_it_does_not_need() -> None:
    code = (
        "import sys, optiviz; optiviz.load_surface('digits-race');"
        "assert not {'sklearn', 'scipy', 'torch'} & set(sys.modules), sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# npz ----------------------------------------------------------------------------------------------

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.random((6, 3)), np.array([0, 1, 2, 0, 1, 2])


def test_an_npz_file_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x_train=X, y_train=Y)
    data = load_dataset(f"npz:{tmp_path / 'a.npz'}")
    assert_whole(data)
    np.testing.assert_array_equal(data.inputs, X)
    assert data.test_inputs.shape == (0, 3)
    images = RANDOM.integers(0, 256, (6, 2, 2)).astype("u1")
    np.savez_compressed(
        tmp_path / "b.npz", x_train=images, y_train=np.eye(3)[Y], x_test=images, y_test=np.eye(3)[Y]
    )
    data = load_dataset(f"npz:{tmp_path / 'b.npz'}")
    assert_whole(data)
    np.testing.assert_array_equal(data.inputs, images.reshape(6, 4) / 255)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x_train": X}, "has no array y_train: it contains x_train"),
        ({"x_train": X, "y_train": Y[:5]}, "x_train and y_train differ in length: 6 and 5"),
        ({"x_train": X, "y_train": Y, "x_test": X}, "must contain both x_test and y_test, or"),
        (
            {"x_train": X, "y_train": Y, "x_test": X[:, :2], "y_test": Y},
            "x_train and x_test differ in features: 3 and 2",
        ),
        ({"x_train": X, "y_train": Y + 0.5}, "y_train must contain labels that are whole"),
        ({"x_train": X, "y_train": Y - 1}, "y_train must contain labels that are whole"),
        ({"x_train": X, "y_train": 10**6 * Y}, "y_train must contain labels up to 9999"),
        ({"x_train": X, "y_train": 0 * Y}, "must be between 2 and 10000, not 1$"),
        (
            {"x_train": X, "y_train": np.full((6, 2), 0.7)},
            "y_train must contain rows of probabilities",
        ),
        ({"x_train": X, "y_train": np.zeros((6, 2, 2))}, "y_train must contain one label or"),
        ({"x_train": X[:0], "y_train": Y[:0]}, "has no samples"),
        ({"x_train": X[0, 0], "y_train": Y}, "x_train must be an array of samples"),
        ({"x_train": X * np.nan, "y_train": Y}, "x_train must contain only finite numbers"),
        ({"x_train": X.astype(str), "y_train": Y}, "x_train must contain real numbers"),
        ({"x_train": X + 1j, "y_train": Y}, "x_train must contain real numbers"),
        ({"x_train": X.astype(object), "y_train": Y}, "contains pickled objects, which are"),
        (
            {"x_train": X, "y_train": np.eye(3)[Y], "x_test": X, "y_test": np.eye(4)[Y]},
            "y_train and y_test differ in classes: 3 and 4",
        ),
    ],
)
def test_a_wrong_npz_file_is_told(arrays: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=said) as error:
        load_dataset(f"npz:{path}")
    assert str(error.value).startswith(f"npz:{path}: ") and "\n" not in str(error.value)


@pytest.mark.row(48)
@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04" + bytes(30), b"\x80\x04N."])
def test_what_is_no_npz_file_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.npz: is not a valid npz file"):
        load_dataset(f"npz:{tmp_path / 'a.npz'}")


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def zipped(path: Path, data: bytes, name: str = "x_train.npy") -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, data)
    return f"npz:{path}"


CLAIM = "{'descr': '<f8', 'fortran_order': False, 'shape': (%s,)}"


@pytest.mark.slow
@pytest.mark.row(48)
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (header(CLAIM % 10**15), "x_train has more than 100000000 numbers"),
        (header(CLAIM % 10**7), "x_train contains fewer numbers than its header declares"),
        (header("(" * 300 + ")" * 300), "not a valid npz file"),
        (
            header("{'descr': '<f8', 'fortran_order': False, 'shape': (True,)}"),
            "not a valid npz file",
        ),
        (header("{[]: 1}"), "not a valid npz file"),
        (header("__import__('os').system('touch ran')"), "not a valid npz file"),
        (bytes(9 * 10**8), "x_train has more than 100000000 numbers"),
    ],
    ids=["claims", "lies", "deep", "boolean", "unhashable", "runs", "bomb"],
)
def test_a_hostile_npz_file_is_refused(data: bytes, said: str, here: Path) -> None:
    with pytest.raises(InputError, match=said) as error:
        load_dataset(zipped(here / "a.npz", data))
    assert "\n" not in str(error.value) and [each.name for each in here.iterdir()] == ["a.npz"]


def test_arrays_that_nobody_asked_for_are_not_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x_train=X, y_train=Y, junk=np.array([{}], object))
    assert_whole(load_dataset(f"npz:{tmp_path / 'a.npz'}"))
    with pytest.raises(InputError, match=r"has no array x_train: it contains 'a\\x1b\[31mb'"):
        load_dataset(zipped(tmp_path / "b.npz", b"", "a\x1b[31mb.npy"))


def test_samples_of_many_classes_are_bounded(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x_train=np.zeros((20000, 1)), y_train=np.full(20000, 9999))
    with pytest.raises(InputError, match="20000 samples with 10000 classes are too many"):
        load_dataset(f"npz:{tmp_path / 'a.npz'}")


@pytest.mark.parametrize("name", ["npz:a\nb", "npz:a\x1b[31m", "idx:\ud800", "npz:a\0"])
def test_a_name_that_a_terminal_would_obey_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="unprintable character|no such file"):
        load_dataset(name)


@pytest.mark.parametrize("kind", ["npz", "idx"])
def test_a_missing_file_is_told(kind: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_dataset(f"{kind}:{tmp_path / 'none'}")
    with pytest.raises(InputError, match="not a file|no such file"):
        load_dataset(f"{kind}:{tmp_path}")


def test_another_file_than_the_recipes_is_noticed(tmp_path: Path) -> None:
    name = f"npz:{tmp_path / 'a.npz'}"
    np.savez(tmp_path / "a.npz", x_train=X, y_train=Y)
    sha256 = dataset_hash(name)
    load_dataset(name, 0, sha256)
    assert dataset_hash(name) == sha256
    np.savez(tmp_path / "a.npz", x_train=X + 1, y_train=Y)
    assert dataset_hash(name) != sha256
    load_dataset.cache_clear()
    with pytest.raises(InputError, match="has changed: its SHA-256"):
        load_dataset(name, 0, sha256)


# IDX ----------------------------------------------------------------------------------------------


def idx(values: Any, dtype: int = 0x08) -> bytes:
    array = np.asarray(values, "u1")
    return struct.pack(f">HBB{array.ndim}I", 0, dtype, array.ndim, *array.shape) + array.tobytes()


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)  # else test ids differ between processes


def write_idx(folder: Path) -> None:
    for prefix, many in (("train", 6), ("t10k", 3)):
        images = np.arange(many * 4).reshape(many, 2, 2)
        for kind, values in (("images-idx3", images), ("labels-idx1", Y[:many])):
            (folder / f"{prefix}-{kind}-ubyte.gz").write_bytes(packed(idx(values)))


def test_idx_files_are_read(tmp_path: Path) -> None:
    write_idx(tmp_path)
    data = load_dataset(f"idx:{tmp_path}")
    assert_whole(data)
    np.testing.assert_array_equal(data.inputs, np.arange(24).reshape(6, 4) / 255)
    assert data.test_targets.argmax(axis=1).tolist() == [0, 1, 2]
    assert len(dataset_hash(f"idx:{tmp_path}")) == 64


@pytest.mark.row(48)
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not a valid IDX file"),
        (packed(b"nonsense, and more than sixteen bytes"), "is not a valid IDX file"),
        (b"nonsense", "cannot be read"),
        (packed(idx(np.zeros((6, 2, 2))))[:30], "cannot be read|is not a valid IDX file|24 bytes"),
        (packed(idx(np.zeros((6, 2, 2)))[:-1]), "its header declares: 24 bytes"),
        (packed(idx(np.zeros((6, 2, 2))) + b"x"), "its header declares: 24 bytes"),
        (packed(idx(np.zeros(24))), "dimensions must be 3, not 1"),
        (packed(struct.pack(">HBB3I", 0, 8, 3, *[2**32 - 1] * 3)), "more than 100000000 numbers"),
        (packed(idx(np.zeros((5, 2, 2)))), "x_train and y_train differ in length: 5 and 6"),
    ],
)
def test_wrong_idx_files_are_told(content: bytes, said: str, tmp_path: Path) -> None:
    write_idx(tmp_path)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(content)
    with pytest.raises(InputError, match=said) as error:
        load_dataset(f"idx:{tmp_path}")
    assert "\n" not in str(error.value)
