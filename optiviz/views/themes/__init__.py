"""How pictures look: one file of colours and rc settings a theme."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, cast

from optiviz.registry import THEMES
from optiviz.system.errors import InputError, did_you_mean


@dataclass(frozen=True)
class Theme:
    """The colours of a picture, as matplotlib colour words, and its rc settings."""

    background: str
    ink: str  # text that is read first
    edge: str  # of marks
    muted: str  # text that is read second, axes
    warning: str  # text that says a run has failed
    casing: str  # thin border that lifts paths and marks off the surface
    ramp: tuple[str, ...]  # fill from the lowest loss to the highest
    isoline: str  # empty: coloured by the ramp
    minimum: str
    paths: tuple[str, ...]  # told apart by colour-blind readers
    fill: bool = True  # whether the ground between isolines is filled
    labels: bool = False  # whether isolines say their loss
    rc: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def settings(self) -> Iterator[None]:
        """Draw with matplotlib's own settings and this theme's, whatever the user's are.

        What is no number is not drawn, and no warning that it is none.
        """
        import matplotlib
        import numpy as np

        from optiviz.views.themes.fonts import families

        # Not rcdefaults(), which reads all style files first.
        own = {
            key: value
            for key, value in matplotlib.rcParamsDefault.items()
            if not key.startswith("backend")
        }
        # A dollar in somebody's title is a dollar.
        ours = {"font.family": families(), "text.parse_math": False}
        with matplotlib.rc_context(cast(Any, own | ours | self.rc)), np.errstate(all="ignore"):
            yield


def load_theme(name: str) -> Theme:
    """Return the theme of a name of the table."""
    if name not in THEMES:
        raise InputError(did_you_mean("theme", name, THEMES))
    theme: Theme = import_module(f"{__name__}.{name}").THEME
    return theme
