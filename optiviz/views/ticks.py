"""Ticks of an axis: few, at round values, and with short labels whatever its range."""

import math
import re
from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

TICKS = 6  # about the most on an axis
STEPS = (1, 2, 2.5, 5, 10)

Ticks = tuple[Sequence[float], Sequence[str]]  # positions and labels


def ticks(low: float, high: float, many: int = TICKS) -> Ticks:
    """Return about `many` positions within [low, high], and labels that tell them apart.

    Labels are plain decimals where these are short, and otherwise in scientific notation with as
    many digits as it takes.
    """
    found = np.asarray(MaxNLocator(many, steps=STEPS).tick_values(low, high), float)
    slack = 1e-9 * (high - low)
    places = found[(found >= low - slack) & (found <= high + slack)]
    step = float(found[1] - found[0])
    largest = float(np.abs(places).max(initial=step))
    places = np.where(np.abs(places) < step / 1e6, 0.0, places)
    if step >= 1e-3 and largest < 1e5:
        decimals = next((n for n in range(4) if round(step, n) == round(step, 6)), 4)
        written = [f"{place:.{decimals}f}" for place in places]
    else:
        digits = math.ceil(math.log10(largest / step)) + 1
        while digits < 17 and not _exact(places, digits, step):
            digits += 1
        written = [f"{place:.{min(digits, 17)}g}" for place in places]
    return places.tolist(), [signed(label) for label in written]


def _exact(places: NDArray[np.float64], digits: int, step: float) -> bool:
    """Return whether places, of shape (n,), are themselves with so many significant digits."""
    return all(abs(float(f"{place:.{digits}g}") - place) < step / 1000 for place in places)


def signed(number: str) -> str:
    """Return a formatted number as pictures show it: −2, 1.5e5, 3e-7."""
    short = re.sub(r"e([+-])0*", lambda power: f"e{power[1]}".replace("+", ""), number)
    return re.sub(r"^-", "\N{MINUS SIGN}", short)
