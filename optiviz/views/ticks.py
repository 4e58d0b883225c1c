"""Ticks of a window: few, round, and short in writing whatever the window's size."""

import math
import re
from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import MaxNLocator

TICKS = 6  # of an axis at most
STEPS = (1, 2, 2.5, 5, 10)

Ticks = tuple[Sequence[float], Sequence[str]]  # where they are, and what is written there


def ticks(low: float, high: float, many: int = TICKS) -> Ticks:
    """Return about so many positions inside [low, high], and labels that tell them apart.

    Plain decimals where they are short, else as many digits in scientific notation as it takes.
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
        written = [f"{place:.{min(digits, 17)}g}" for place in places]
    return places.tolist(), [signed(label) for label in written]


def signed(number: str) -> str:
    """Return a number as it is written in pictures: −2, 1.5e5, 3e-7."""
    short = re.sub(r"e([+-])0*", lambda power: f"e{power[1]}".replace("+", ""), number)
    return re.sub(r"^-", "\N{MINUS SIGN}", short)
