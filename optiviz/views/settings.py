"""The settings of matplotlib with which pictures are drawn, whatever the user's own are."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import matplotlib
import numpy as np

from optiviz.views.fonts import families


@contextmanager
def drawing_settings() -> Iterator[None]:
    """Use matplotlib's defaults, and fonts for all letters.

    numpy does not warn about values that are not finite; these are not drawn.
    """
    # rcdefaults() would read all style files first.
    own = {
        key: value
        for key, value in matplotlib.rcParamsDefault.items()
        if not key.startswith("backend")
    }
    # A dollar sign in a title is printed as one.
    ours = {"font.family": families(), "text.parse_math": False}
    with matplotlib.rc_context(cast(Any, own | ours)), np.errstate(all="ignore"):
        yield
