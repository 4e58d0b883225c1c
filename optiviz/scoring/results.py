"""What one optimizer did on one problem, as numbers that go to a file and back."""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from io import BytesIO
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array
from optiviz.scoring.problems import SHARES

# How a run ended: below the tolerance, at a point without slope that is none, at the end of its
# budget, or because its numbers were not finite or its code failed.
ENDINGS = "solved", "elsewhere", "moving", "failed"
SOLVED, ELSEWHERE, MOVING, FAILED = range(len(ENDINGS))


@dataclass(frozen=True, eq=False, kw_only=True)
class Results:
    """The runs of one optimizer on one problem: at each rate of a grid, from each start.

    rates, shape (r,), are those that were tried, nan alone if none was searched. gaps, shape (r,
    starts, shares), are the lowest gaps so far, as fractions of that at the start, when these
    SHARES of the budget were spent; inf from where a run failed. Where steps are random, a gap is
    the mean of those after the last ten steps, of which those before the first are 1. Files have
    gaps in single precision, and where rates are not used, the last share may be all there is.
    solved_at, shape (r, starts), is after how many evaluations the problem was solved, inf if it
    was not, and endings, of the same shape, are indices of ENDINGS. cost is the mean number of
    evaluations of a step, 0 if none was taken, and spent is that of all evaluations of the search,
    0 without one. values are those of each hyperparameter that was varied beside the best rate,
    shape (v,), and factors, increasing, are what they are of its default, or what their distances
    from 1 are of its own, if it is a decay rate, so that they decrease. solved_with, shape (v,
    starts), is after how many evaluations it was solved with each. cause is why runs failed, "" if
    none did or none said, and seconds is the wall time of a step, which differs from run to run.
    """

    rates: Array
    gaps: Array | Sequence[Array]
    solved_at: Array
    endings: NDArray[np.int8]
    cost: float
    spent: int
    values: Mapping[str, Array] = field(default_factory=dict)
    factors: Mapping[str, Array] = field(default_factory=dict)
    solved_with: Mapping[str, Array] = field(default_factory=dict)
    cause: str = ""
    seconds: float = float("nan")

    @property
    def last_gaps(self) -> Array:
        """The gaps at the end of the budget, shape (r, starts), as precise as in a file."""
        return np.array([each[:, -1] for each in self.gaps], np.float32)

    def at_rate(self, number: int) -> Self:
        """Return what a score needs that uses one rate: of others, gaps at the end alone."""
        used = np.arange(len(self.rates)) == number
        pairs = zip(self.gaps, used, strict=True)
        return replace(self, gaps=[(each if use else each[:, -1:]).copy() for each, use in pairs])

    def to_bytes(self) -> bytes:
        """Return them as the bytes of a file."""
        plain, arrays = {}, {}
        for name, value in asdict(replace(self, gaps=np.asarray(self.gaps, np.float32))).items():
            if isinstance(value, np.ndarray):
                arrays[name] = value
            elif isinstance(value, dict):
                arrays |= {f"{name}/{key}": each for key, each in value.items()}
            else:
                plain[name] = value
        arrays["plain"] = np.frombuffer(json.dumps(plain).encode(), np.uint8)
        file = BytesIO()
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        return file.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return what `to_bytes` wrote; raise ValueError or OSError for anything else."""
        try:
            found = _unpacked(data)
            known = {each.name for each in fields(cls)}
            results = cls(**{key: value for key, value in found.items() if key in known})
            results._check()
        except (AttributeError, EOFError, KeyError, TypeError, BadZipFile, zlib.error) as error:
            raise ValueError(str(error)) from None
        return results

    def _check(self) -> None:
        """Raise ValueError or TypeError unless all have the types and shapes of those in a file."""
        (rates, starts), real = self.solved_at.shape, np.dtype(float)
        varied = {key: len(each) for key, each in self.values.items()}
        wanted: list[tuple[NDArray[Any], tuple[int, ...], np.dtype[Any]]] = [
            (self.rates, (rates,), real),
            (np.asarray(self.gaps), (rates, starts, len(SHARES)), np.dtype(np.float32)),
            (self.solved_at, (rates, starts), real),
            (self.endings, (rates, starts), np.dtype(np.int8)),
            *((self.values[key], (many,), real) for key, many in varied.items()),
            *((self.solved_with[key], (many, starts), real) for key, many in varied.items()),
        ]
        plain = (self.cost, float), (self.spent, int), (self.seconds, float), (self.cause, str)
        if (
            any((each.shape, each.dtype) != (shape, kind) for each, shape, kind in wanted)
            or not all(isinstance(each, kind) for each, kind in plain)
            or not np.isin(self.endings, range(len(ENDINGS))).all()
        ):
            raise ValueError("values of other types or shapes")


def _unpacked(data: bytes) -> dict[str, Any]:
    """Return the values in the bytes of a file by name."""
    found: dict[str, Any] = {}
    with np.load(BytesIO(data), allow_pickle=False) as arrays:
        for key in arrays.files:
            name, slash, inner = key.partition("/")
            if slash:
                found.setdefault(name, {})[inner] = arrays[key]
            elif key == "plain":
                found |= json.loads(arrays[key].tobytes())
            else:
                found[name] = arrays[key]
    return found
