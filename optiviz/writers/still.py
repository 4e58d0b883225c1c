"""The picture as it stands: PNG."""

from pathlib import Path

from matplotlib.figure import Figure


def save_still(figure: Figure, path: Path) -> None:
    """Write a figure at its own size, without a word about the software that made it."""
    figure.savefig(path, dpi=figure.dpi, metadata={"Software": None})
