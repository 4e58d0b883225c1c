"""Data sets for networks: bundled, downloaded, read from files, or generated from a seed.

The table of names holds only strings, so that help is fast.
"""

import gzip
import hashlib
import math
import warnings
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from optiviz.objective import Array
from optiviz.system.arrays import read_npz
from optiviz.system.cache import cached
from optiviz.system.errors import InputError, did_you_mean, require_package
from optiviz.system.text import plain_text, shorten

DATASETS = {
    "digits": "1,797 handwritten digits of 8x8 pixels, bundled with scikit-learn",
    "mnist": "70,000 handwritten digits of 28x28 pixels, downloaded once by scikit-learn",
    "blobs": "three round clouds in a plane",
    "spirals": "two spirals that wind around each other",
    "xor": "four squares in a plane, opposite ones of the same class",
    "associations": "eight tokens, each with the next one, of which the i-th is 1/i as frequent",
    "pixels": "article 3's camera of four pixels: solid, vertical, diagonal or horizontal",
    "idx:DIR": "the four IDX files of MNIST, gzipped, in a folder",
    "npz:FILE": "NumPy arrays x_train, y_train and, if there are any, x_test, y_test",
}
TOKENS = 8  # of associations
DIGIT_PIXELS = 64
HELD_OUT = 0.2  # share of digits, the last ones, used only for testing
MAX_VALUES = 100_000_000  # numbers in an array read from a file
MAX_CLASSES = 10_000
IDX_FILES = {
    "train-images-idx3-ubyte.gz": "x_train",
    "train-labels-idx1-ubyte.gz": "y_train",
    "t10k-images-idx3-ubyte.gz": "x_test",
    "t10k-labels-idx1-ubyte.gz": "y_test",
}
IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


class Dataset(NamedTuple):
    """Inputs, shape (samples, features), and targets, shape (samples, classes), with test data."""

    inputs: Array
    targets: Array
    test_inputs: Array
    test_targets: Array


def check_dataset(name: str) -> str:
    """Return the name of a data set; raise InputError if it is not valid."""
    kind, colon, path = plain_text(name).partition(":")
    if f"{kind}:" in ("idx:", "npz:"):
        if not path:
            known = next(each for each in DATASETS if each.startswith(kind))
            raise InputError(f"{name!r} has no path: write {known}")
        return name
    if colon or name not in DATASETS:
        raise InputError(did_you_mean("data set", name, DATASETS))
    return name


@lru_cache(maxsize=4)
def load_dataset(name: str, seed: int = 0, sha256: str = "") -> Dataset:
    """Return a data set; generated ones depend on the seed.

    Pixels are scaled to 0 ... 1. Raises InputError if the data are missing, invalid, or in a file
    with another SHA-256.
    """
    kind, _, path = check_dataset(name).partition(":")
    if sha256 and dataset_hash(name) != sha256:
        raise InputError(f"{name}: has changed: its SHA-256 is not the expected one")
    loaders: dict[str, Callable[[], Dataset]] = {
        "digits": _digits,
        "mnist": _mnist,
        "associations": lambda: _associations(seed),
        "idx": lambda: _idx(Path(path)),
        "npz": lambda: _npz(Path(path)),
    }
    return loaders.get(kind, lambda: _drawn(kind, seed))()


def files_of(name: str) -> list[Path]:
    """Return the user's files that a data set is read from, if any."""
    kind, _, path = name.partition(":")
    if not path or kind not in ("idx", "npz"):
        return []
    return [Path(path)] if kind == "npz" else [Path(path) / file for file in IDX_FILES]


def dataset_hash(name: str) -> str:
    """Return the SHA-256 of a data set's file, or of a folder's four files concatenated."""
    hashed = hashlib.sha256()
    for part in files_of(name):
        _check_file(part)
        try:
            with part.open("rb") as file:
                while block := file.read(1 << 20):
                    hashed.update(block)
        except OSError as error:
            raise InputError(f"{part}: {error.strerror}") from None
    return hashed.hexdigest()


def _sklearn(name: str) -> Any:
    with require_package(name, "scikit-learn", "optiviz-cli[networks]"):
        import sklearn.datasets

    return sklearn.datasets


def _digits() -> Dataset:
    """Return the digits, from the cache if possible: importing scikit-learn takes a second."""

    def loaded() -> bytes:
        inputs, labels = _sklearn("digits").load_digits(return_X_y=True)
        return np.column_stack([inputs, labels]).astype(np.uint8).tobytes()

    rows = np.frombuffer(cached("datasets/digits", loaded), np.uint8).reshape(-1, DIGIT_PIXELS + 1)
    inputs, labels = rows[:, :-1].astype(float), rows[:, -1].astype(int)
    kept = len(inputs) - int(HELD_OUT * len(inputs))
    return _dataset("digits", inputs[:kept] / 16, labels[:kept], inputs[kept:] / 16, labels[kept:])


def _mnist() -> Dataset:
    fetch = _sklearn("mnist").fetch_openml
    try:
        with warnings.catch_warnings(action="ignore"):
            inputs, labels = fetch(
                "mnist_784", version=1, return_X_y=True, as_frame=False, parser="liac-arff"
            )
    except Exception as error:  # a download can fail in any way
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"mnist cannot be downloaded: {said}") from None
    labels = labels.astype(int)
    return _dataset(
        "mnist", inputs[:60000] / 255, labels[:60000], inputs[60000:] / 255, labels[60000:]
    )


def _drawn(name: str, seed: int) -> Dataset:
    """Generate 800 training and 400 test samples; 4000 and 1000 of pixels."""
    many, more = (4000, 1000) if name == "pixels" else (800, 400)
    random = np.random.default_rng(seed)
    inputs, labels = GENERATED[name](random, many + more)
    return _dataset(name, inputs[:many], labels[:many], inputs[many:], labels[many:])


def _associations(seed: int) -> Dataset:
    """Return pairs of tokens, repeated as often as Zipf's law says.

    The input of each token is a vector of an orthonormal basis that the seed draws, so that the
    best weights have no preferred coordinates; its label is the token after it.
    """
    most = math.lcm(*range(1, TOKENS + 1))
    labels = np.repeat(np.arange(TOKENS), [most // rank for rank in range(1, TOKENS + 1)])
    basis = np.linalg.qr(np.random.default_rng(seed).normal(size=(TOKENS, TOKENS)))[0]
    return _dataset("associations", basis[labels], labels, basis[:0], labels[:0])


def _blobs(random: np.random.Generator, many: int) -> tuple[Array, Any]:
    labels = random.integers(0, 3, many)
    angles = np.pi * (2 * labels / 3 + 0.5)
    middles = 1.5 * np.column_stack([np.cos(angles), np.sin(angles)])
    return middles + random.normal(0, 0.6, (many, 2)), labels


def _spirals(random: np.random.Generator, many: int) -> tuple[Array, Any]:
    labels = random.integers(0, 2, many)
    along = np.sqrt(random.uniform(0, 1, many))
    angles = 3 * np.pi * along + np.pi * labels
    places = 2 * along[:, None] * np.column_stack([np.cos(angles), np.sin(angles)])
    return places + random.normal(0, 0.05, (many, 2)), labels


def _xor(random: np.random.Generator, many: int) -> tuple[Array, Any]:
    inputs = random.uniform(-1, 1, (many, 2))
    return inputs, (inputs[:, 0] * inputs[:, 1] > 0).astype(int)


def _pixels(random: np.random.Generator, many: int) -> tuple[Array, Any]:
    patterns = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, -1, -1, 1], [1, 1, -1, -1]], float)
    labels = random.integers(0, len(patterns), many)
    return patterns[labels] * random.choice([-1.0, 1.0], (many, 1)), labels


GENERATED: dict[str, Callable[[np.random.Generator, int], tuple[Array, Any]]] = {
    "blobs": _blobs,
    "spirals": _spirals,
    "xor": _xor,
    "pixels": _pixels,
}


def _dataset(name: str, inputs: Any, labels: Any, test_inputs: Any, test_labels: Any) -> Dataset:
    """Return a data set of these arrays; raise InputError if they are not valid."""
    parts = {"train": (inputs, labels), "test": (test_inputs, test_labels)}
    taken = {
        part: (_inputs(f"{name}: x_{part}", x), _labels(f"{name}: y_{part}", y))
        for part, (x, y) in parts.items()
    }
    for part, (x, y) in taken.items():
        if len(x) != len(y):
            raise InputError(
                f"{name}: x_{part} and y_{part} differ in length: {len(x)} and {len(y)}"
            )
    (x, y), (test_x, test_y) = taken["train"], taken["test"]
    if not x.size:
        raise InputError(f"{name}: has no samples")
    if len(test_x) and test_x.shape[1] != x.shape[1]:
        raise InputError(
            f"{name}: x_train and x_test differ in features: {x.shape[1]} and {test_x.shape[1]}"
        )
    if y.ndim == 1 or test_y.ndim == 1:
        y, test_y = (_numbered(each) for each in (y, test_y))
        classes = int(max(y.max(initial=0), test_y.max(initial=0))) + 1
    else:
        classes = y.shape[1]
        if len(test_y) and test_y.shape[1] != classes:
            raise InputError(
                f"{name}: y_train and y_test differ in classes: {classes} and {test_y.shape[1]}"
            )
    if classes < 2 or classes > MAX_CLASSES:
        raise InputError(
            f"{name}: the number of classes must be between 2 and {MAX_CLASSES}, not {classes}"
        )
    if (len(x) + len(test_x)) * classes > MAX_VALUES:
        raise InputError(f"{name}: {len(x)} samples with {classes} classes are too many")
    return Dataset(
        x,
        _one_hot(y, classes),
        test_x.reshape(len(test_x), x.shape[1]),
        _one_hot(test_y, classes).reshape(len(test_x), classes),
    )


def _inputs(name: str, given: Any) -> Array:
    array = np.asarray(given)
    if array.dtype.kind not in "buif":
        raise InputError(f"{name} must contain real numbers")
    if array.ndim < 1:
        raise InputError(f"{name} must be an array of samples, not one number")
    features = int(np.prod(array.shape[1:]))
    flat: Array = array.reshape(len(array), features).astype(float)
    if array.dtype == np.uint8:
        flat /= 255.0
    if not np.isfinite(flat).all():
        raise InputError(f"{name} must contain only finite numbers")
    return flat


def _labels(name: str, given: Any) -> Any:
    """Return labels from 0, or one row of class probabilities per sample unchanged."""
    array = np.asarray(given)
    if array.dtype.kind not in "buif" or array.ndim not in (1, 2):
        raise InputError(
            f"{name} must contain one label or one row of class probabilities per sample"
        )
    if array.ndim == 2 and array.shape[1] > 1:
        if array.min(initial=0) < 0 or not np.allclose(array.sum(axis=1), 1):
            raise InputError(f"{name} must contain rows of probabilities that sum to 1")
        return array.astype(float)
    flat = array.reshape(-1).astype(float)
    if not np.isfinite(flat).all() or (flat != np.floor(flat)).any() or flat.min(initial=0) < 0:
        raise InputError(f"{name} must contain labels that are whole numbers from 0")
    if flat.max(initial=0) >= MAX_CLASSES:
        raise InputError(f"{name} must contain labels up to {MAX_CLASSES - 1}")
    return flat.astype(int)


def _numbered(labels: Any) -> Any:
    return labels if labels.ndim == 1 else labels.argmax(axis=1)


def _one_hot(labels: Any, classes: int) -> Array:
    if labels.ndim == 2:
        shares: Array = labels
        return shares
    rows = np.zeros((len(labels), classes))
    rows[np.arange(len(labels)), labels] = 1
    return rows


def _npz(path: Path) -> Dataset:
    name = f"npz:{path}"
    _check_file(path)
    given, found = read_npz(path, name, IDX_FILES.values(), MAX_VALUES)
    for key in ("x_train", "y_train"):
        if key not in given:
            raise InputError(
                f"{name}: has no array {key}: it contains {', '.join(found) or 'no arrays'}"
            )
    return _tested(name, given)


def _tested(name: str, given: Mapping[str, Any]) -> Dataset:
    """Return a data set of named arrays; without test arrays, its test data are empty."""
    x, y = given["x_train"], given["y_train"]
    if ("x_test" in given) != ("y_test" in given):
        raise InputError(f"{name}: must contain both x_test and y_test, or neither")
    none = np.empty((0, *np.shape(x)[1:])), np.empty((0, *np.shape(y)[1:]))
    test_x, test_y = (given["x_test"], given["y_test"]) if "x_test" in given else none
    return _dataset(name, x, y, test_x, test_y)


def _idx(folder: Path) -> Dataset:
    """Read four files in the format of MNIST (LeCun, Cortes and Burges), images of any size."""
    given = {
        array: _idx_array(folder / file, 3 if array.startswith("x") else 1)
        for file, array in IDX_FILES.items()
    }
    return _tested(f"idx:{folder}", given)


def _idx_array(path: Path, axes: int) -> Any:
    _check_file(path)
    try:
        with gzip.open(path) as file:
            head = file.read(4 + 4 * axes)
            if len(head) < 4 + 4 * axes or head[:2] != b"\0\0" or head[2] not in IDX_TYPES:
                raise InputError(f"{path}: is not a valid IDX file")
            if head[3] != axes:
                raise InputError(f"{path}: the number of dimensions must be {axes}, not {head[3]}")
            shape = tuple(int(each) for each in np.frombuffer(head[4:], ">u4"))
            dtype = np.dtype(IDX_TYPES[head[2]])
            size = dtype.itemsize * int(np.prod(np.array(shape, object)))
            if size > dtype.itemsize * MAX_VALUES:
                raise InputError(f"{path}: has more than {MAX_VALUES} numbers")
            data = file.read(size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    if len(data) != size:
        raise InputError(f"{path}: does not have the size that its header declares: {size} bytes")
    return np.frombuffer(data, dtype).reshape(shape)


def _check_file(path: Path) -> None:
    try:
        there, known = path.is_file(), path.exists()
    except (OSError, ValueError) as error:
        raise InputError(f"{shorten(str(path))}: {error}") from None
    if not there:
        raise InputError(f"{shorten(str(path))}: " + ("not a file" if known else "no such file"))
