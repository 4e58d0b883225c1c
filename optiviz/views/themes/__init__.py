"""Themes, the look of pictures: one file of colours and rc settings per theme."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, cast

from optiviz.registry import THEMES
from optiviz.system.errors import InputError, did_you_mean


@dataclass(frozen=True)
class Theme:
    """The colours of a picture, in matplotlib's notation, and its rc settings."""

    background: str
    ink: str  # primary text
    edge: str  # of marks
    muted: str  # secondary text, axes
    warning: str  # text about a failed run
    casing: str  # thin border that sets paths and marks off from the surface
    rule: str  # grid lines of charts, and what is not yet done of a progress line
    ramp: tuple[str, ...]  # fill from the lowest loss to the highest, in rising lightness
    lit: tuple[str, float]  # colour and opacity of contour lines on slopes that face the light
    shaded: tuple[str, float]  # and of those that face away from it
    minimum: str
    paths: tuple[str, ...]  # distinguishable by colour-blind readers
    areas: tuple[str, ...]  # of basins, of medium lightness
    isoline: str = ""  # of contour lines without a fill; empty: colours of the ramp
    fill: bool = True  # whether the areas between contour lines are filled
    labels: bool = False  # whether contour lines are labelled with their loss
    rc: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def settings(self) -> Iterator[None]:
        """Use matplotlib's defaults and this theme's settings, whatever the user's own are.

        numpy does not warn about values that are not finite; these are not drawn.
        """
        import matplotlib
        import numpy as np

        from optiviz.views.themes.fonts import families

        # rcdefaults() would read all style files first.
        own = {
            key: value
            for key, value in matplotlib.rcParamsDefault.items()
            if not key.startswith("backend")
        }
        # A dollar sign in a title is printed as one.
        ours = {"font.family": families(), "text.parse_math": False}
        with matplotlib.rc_context(cast(Any, own | ours | self.rc)), np.errstate(all="ignore"):
            yield


def load_theme(name: str) -> Theme:
    """Return a theme by its name in `registry.THEMES`; raise InputError for an unknown name."""
    if name not in THEMES:
        raise InputError(did_you_mean("theme", name, THEMES))
    theme: Theme = import_module(f"{__name__}.{name}").THEME
    return theme
