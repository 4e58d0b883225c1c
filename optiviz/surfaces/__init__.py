"""What is descended: named surfaces, formulas, and signals of gradients.

The table of signals holds strings only, so that help stays light.
"""

from importlib.resources import files
from pathlib import Path

GROUP = "optiviz.surfaces"  # of entry points

SIGNALS = {
    "spikes": "1 at every 60th step, else 0",
    "rectangles": "20 steps of 1, 20 of -1",
    "noisy-sine": "a sine wave under noise of its own size",
    "very-noisy-sine": "a sine wave under noise five times its size",
    "uneven-sawtooth": "large teeth for 80 steps, then small ones",
    "saturation": "40 steps of 1, 40 of 0",
}


def our_file() -> Path:
    """Return the file of the named surfaces."""
    # Packed into the wheel beside the code; in a clone it lies at the top, above the package.
    package = Path(str(files("optiviz")))
    packed = package / "surfaces.yaml"
    return packed if packed.exists() else package.parent / packed.name
