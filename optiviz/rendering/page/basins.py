"""What the page's basins have to know of Python's, so that no number is written twice."""

from optiviz.descent.basins import CROWD, FLAT, MAX_FOUND, POLISH
from optiviz.surfaces.surface import MINIMUM_RADIUS
from optiviz.views.basins import BRIGHT, DARK, LEVELS, NOWHERE


def basins_told() -> dict[str, float]:
    """Return the constants of basins.js: of the minima that are reached, and of their colours."""
    return {
        "radius": MINIMUM_RADIUS,
        "crowd": CROWD,
        "polish": POLISH,
        "flat": FLAT,
        "most": MAX_FOUND,
        "bright": BRIGHT,
        "dark": DARK,
        "levels": LEVELS,
        "nowhere": NOWHERE,
    }
