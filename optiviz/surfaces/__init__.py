"""What is descended: named surfaces, formulas, and signals of gradients."""

from importlib.resources import files
from pathlib import Path

GROUP = "optiviz.surfaces"  # of entry points


def our_file() -> Path:
    """Return the file of the named surfaces."""
    # Packed into the wheel beside the code; in a clone it lies at the top, above the package.
    package = Path(str(files("optiviz")))
    packed = package / "surfaces.yaml"
    return packed if packed.exists() else package.parent / packed.name
