"""Signals: gradients that come one after another, whatever an optimizer does with them.

Article 1's first script draws what a method answers to spikes, rectangles and noise.
"""

import csv
import json
import math
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from optiviz.documents import plain_text, shown
from optiviz.errors import InputError, unknown
from optiviz.objective import Array
from optiviz.surfaces import SIGNALS
from optiviz.surfaces.surface import Number, Text

LENGTH = 300  # of our own signals
MAX_LENGTH = 100_000
# The rates of article 1's first script; adadelta's is Zeiler's.
RATES = {"adagrad": 2.5, "adadelta": 1.0}
RATE = 0.25  # of all others


class Signal(BaseModel):
    """A Stream in one dimension: the gradients that an optimizer meets, step by step.

    Step i begins at x = 0, and the gradient that it asks for at a point q is the signal at the
    time i - q, linearly interpolated, 0 outside of the signal: who looks ahead along its own
    update meets what is to come. Every step begins at 0 anew, so that small updates keep all
    their digits; a weight decay therefore has nothing to pull at.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Text = ""
    gradient: Annotated[tuple[Number, ...], Field(min_length=1, max_length=MAX_LENGTH)]

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return 1

    @property
    def title(self) -> str:
        """Its name as a title."""
        return self.name.replace("-", " ").capitalize() or "Signal"

    def at(self, step: int) -> "Moment":
        """Return the objective of step number `step`."""
        return Moment(step, np.array(self.gradient))


class Moment(NamedTuple):
    """The objective whose gradient at q is the signal at the time step - q."""

    step: int
    signal: Array  # (n,), at the times 0, 1 ... n - 1

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return 1

    def gradient(self, x: Array) -> Array:
        """Return the gradient at x, shape (..., 1)."""
        times = np.arange(len(self.signal))
        found: Array = np.interp(self.step - x, times, self.signal, left=0.0, right=0.0)
        return found

    def value(self, x: Array) -> Array:
        """Return what has that gradient and is 0 at x = step, shape (...)."""
        padded = np.append(self.signal, self.signal[-1])
        area = np.concatenate([[0.0], np.cumsum((self.signal[1:] + self.signal[:-1]) / 2)])
        time = np.clip(self.step - x[..., 0], 0, len(self.signal) - 1)
        whole = time.astype(int)
        part, slope = time - whole, np.diff(padded)[whole]
        value: Array = -(area[whole] + part * (self.signal[whole] + part * slope / 2))
        return value

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return both at once."""
        return self.value(x), self.gradient(x)


# Article 1's signals. Those with noise are numbers, because they hang on its random generator.
FORMULAS: dict[str, Callable[[Array], Array]] = {
    "spikes": lambda t: np.where(t % 60 == 0, 1.0, 0.0),
    "rectangles": lambda t: np.where(t % 40 < 20, 1.0, -1.0),
    "uneven-sawtooth": lambda t: t % 20 / np.where(t > 80, 20.0, 5.0),
    "saturation": lambda t: np.where(t % 80 < 40, 1.0, 0.0),
}


def find_signal(name: str) -> Signal:
    """Return one of our signals, or the one in a file whose name ends in .csv."""
    if name.lower().endswith(".csv"):
        return read_signal(Path(name))
    if name not in SIGNALS:
        raise InputError(f"{unknown('signal', name, SIGNALS)}, or name a .csv file")
    if name in FORMULAS:
        return Signal(
            name=name, gradient=tuple(FORMULAS[name](np.arange(LENGTH, dtype=float)).tolist())
        )
    recorded = json.loads(files("optiviz.surfaces").joinpath("signals.json").read_text("utf-8"))
    return Signal(name=name, gradient=recorded[name])


def read_signal(path: Path) -> Signal:
    """Return the signal in a CSV file: one number a line, after a heading or not.

    Raises InputError that names the line with what is no number.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            table = csv.reader(file)
            rows = [(table.line_num, row) for row in table if row]
    except UnicodeDecodeError:
        raise InputError(f"{path}: not UTF-8 text") from None
    except csv.Error as error:
        raise InputError(f"{path}: not CSV: {error}") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from None
    numbers = []
    for place, (line, row) in enumerate(rows):
        if len(row) > 1:
            raise InputError(f"{path}:{line}: {len(row)} columns, and a signal has one")
        number = _number(row[0])
        if number is not None:
            numbers.append(number)
        elif place or len(rows) == 1:
            raise InputError(f"{path}:{line}: {shown(row[0], quoted=True)} is not a finite number")
    if not numbers:
        raise InputError(f"{path}: no numbers")
    if len(numbers) > MAX_LENGTH:
        raise InputError(f"{path}: {len(numbers)} numbers, more than {MAX_LENGTH}")
    try:
        name = plain_text(path.stem)
    except ValueError:
        name = ""
    return Signal(name=name, gradient=tuple(numbers))


def _number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in cell else None
