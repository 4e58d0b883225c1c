"""The picture as it stands: PNG, and SVG and PDF whose text is text.

Each carries a comment, in ASCII. None says when it was made, so that the same picture is the same
bytes.
"""

from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

SALT = "optiviz"  # of the names in an SVG, which would be random


def save_png(figure: Figure, path: Path, comment: str) -> None:
    """Write a figure at its own size in pixels."""
    tags = {"Comment": comment, "Software": None}
    figure.savefig(path, format="png", dpi=figure.dpi, metadata=tags)


def save_svg(figure: Figure, path: Path, comment: str) -> None:
    """Write a figure as SVG. A viewer without our font sets its words in one of its own."""
    tags = {"Description": comment, "Date": None, "Creator": None}
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": SALT}):
        figure.savefig(path, format="svg", metadata=tags)


def save_pdf(figure: Figure, path: Path, comment: str) -> None:
    """Write a figure as PDF with its fonts in it, so that words can be searched and copied."""
    tags = {"Subject": comment, "CreationDate": None, "Creator": None, "Producer": None}
    with rc_context({"pdf.fonttype": 42}):
        figure.savefig(path, format="pdf", metadata=tags)
