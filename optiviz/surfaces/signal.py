"""Signals: sequences of gradients that do not depend on what an optimizer does.

Article 1's first script draws the response of methods to spikes, rectangles and noise.
"""

import csv
import json
import math
from collections.abc import Callable
from functools import cached_property
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import BeforeValidator, Field, FiniteFloat

from optiviz.objective import Array
from optiviz.registry import SIGNALS
from optiviz.surfaces.domain import MAX_COORDINATE, Text
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.text import plain_number, plain_text, shorten
from optiviz.system.validation import Model
from optiviz.system.yaml import read_text

LENGTH = 300  # of the built-in signals
MAX_LENGTH = 100_000
# The learning rates of article 1's first script; adadelta's is Zeiler's.
DEFAULT_RATES = {"adagrad": 2.5, "adadelta": 1.0}
DEFAULT_RATE = 0.25  # of all other optimizers


Slope = Annotated[
    FiniteFloat,
    Field(ge=-MAX_COORDINATE, le=MAX_COORDINATE),
    BeforeValidator(plain_number),
]


class Signal(Model):
    """A Stream in one dimension: the gradients that an optimizer receives, step by step.

    Step i begins at x = 0. Its gradient at a point q is the signal at time i - q, linearly
    interpolated, and 0 outside of the signal: an optimizer that looks ahead along its own update
    receives future gradients. Every step begins at 0 again, so that small updates keep all their
    digits; therefore weight decay has no effect.
    """

    name: Text = ""
    gradient: Annotated[tuple[Slope, ...], Field(min_length=1, max_length=MAX_LENGTH)]

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return 1

    @property
    def title(self) -> str:
        """The name as a title."""
        return self.name.replace("-", " ").capitalize() or "Signal"

    @cached_property
    def _played(self) -> "_Played":
        return _Played(np.array(self.gradient))

    def at(self, step: int) -> "SignalObjective":
        """Return the objective of step number `step`."""
        return SignalObjective(step, self._played)


class _Played:
    """A signal as arrays, cached."""

    def __init__(self, signal: Array) -> None:
        self.signal = signal  # (n,), at the times 0, 1 ... n - 1
        self.times = np.arange(len(signal), dtype=float)


class SignalObjective(NamedTuple):
    """The objective whose gradient at q is the signal at the time step - q."""

    step: int
    played: _Played

    @property
    def dim(self) -> int:
        """Number of coordinates."""
        return 1

    def gradient(self, x: Array) -> Array:
        """Return the gradient at x, shape (..., 1)."""
        played = self.played
        found: Array = np.interp(self.step - x, played.times, played.signal, left=0.0, right=0.0)
        return found

    def value(self, x: Array) -> Array:
        """Return the integral of the gradient that is 0 at x = step, shape (...)."""
        signal = self.played.signal
        padded = np.append(signal, signal[-1])
        area = np.concatenate([[0.0], np.cumsum((signal[1:] + signal[:-1]) / 2)])
        time = np.clip(self.step - x[..., 0], 0, len(signal) - 1)
        whole = np.nan_to_num(time).astype(int)
        part, slope = time - whole, np.diff(padded)[whole]
        value: Array = -(area[whole] + part * (signal[whole] + part * slope / 2))
        return value

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return value and gradient."""
        return self.value(x), self.gradient(x)


# Article 1's signals; those with noise are stored, because they depend on its random generator.
FORMULAS: dict[str, Callable[[Array], Array]] = {
    "spikes": lambda t: np.where(t % 60 == 0, 1.0, 0.0),
    "rectangles": lambda t: np.where(t % 40 < 20, 1.0, -1.0),
    "uneven-sawtooth": lambda t: t % 20 / np.where(t > 80, 20.0, 5.0),
    "saturation": lambda t: np.where(t % 80 < 40, 1.0, 0.0),
}


def find_signal(name: str) -> Signal:
    """Return a built-in signal, or the one in a file whose name ends in .csv.

    Raises InputError if there is none, or the file is invalid.
    """
    if name.lower().endswith(".csv"):
        return read_signal(Path(name))
    if name not in SIGNALS:
        raise InputError(f"{did_you_mean('signal', name, SIGNALS)} (or name a .csv file)")
    if name in FORMULAS:
        return Signal(
            name=name, gradient=tuple(FORMULAS[name](np.arange(LENGTH, dtype=float)).tolist())
        )
    recorded = json.loads(files(__package__).joinpath("signals.json").read_text("utf-8"))
    return Signal(name=name, gradient=recorded[name])


def read_signal(path: Path) -> Signal:
    """Return the signal in a CSV file: one number per line, after an optional heading.

    Raises InputError, with the line, if one is not a finite number.
    """
    numbers: list[float] = []
    heading = False
    for line, text in enumerate(StringIO(read_text(path), newline=None), 1):
        cell = _cell(text, f"{path}:{line}")
        if cell is None:
            continue
        number = _number(cell)
        if number is not None and abs(number) > MAX_COORDINATE:
            raise InputError(
                f"{path}:{line}: must be between -{MAX_COORDINATE:g} and {MAX_COORDINATE:g}, "
                f"not {shorten(cell, quoted=True)}".replace("e+", "e")
            )
        if number is not None:
            numbers.append(number)
        elif numbers or heading or not _heading(cell):
            raise InputError(
                f"{path}:{line}: must be a finite number, not {shorten(cell, quoted=True)}"
            )
        else:
            heading = True
        if len(numbers) > MAX_LENGTH:
            raise InputError(f"{path}:{line}: more than {MAX_LENGTH} numbers are not allowed")
    if not numbers:
        raise InputError(f"{path}: contains no numbers")
    try:
        name = plain_text(path.stem)
    except ValueError:
        name = ""
    return Signal(name=name, gradient=tuple(numbers))


def _cell(line: str, where: str) -> str | None:
    """Return the only cell of a line, without its quotes; None if the line is empty."""
    try:
        row = next(csv.reader([line.rstrip("\n")], strict=True), [])
    except csv.Error as error:
        raise InputError(f"{where}: {error}") from None
    if len(row) > 1:
        raise InputError(f"{where}: must have one column, not {len(row)}")
    return row[0] if row else None


def _heading(cell: str) -> bool:
    """Return whether a cell is the name of a column, not a mistyped number."""
    return cell.strip()[:1].isalpha() and cell.strip().lower() not in ("nan", "inf", "infinity")


def _number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in cell else None
