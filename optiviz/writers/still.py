"""Still pictures: PNG, and SVG and PDF whose text stays text.

Each has a comment, in ASCII. None has a date, so that the same picture gives the same bytes.
"""

from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

SALT = "optiviz"  # of the ids in an SVG, which would otherwise be random


def save_png(figure: Figure, path: Path, comment: str) -> None:
    """Write a figure as PNG at its own size in pixels."""
    tags = {"Comment": comment, "Software": None}
    figure.savefig(path, format="png", dpi=figure.dpi, metadata=tags)


def save_svg(figure: Figure, path: Path, comment: str) -> None:
    """Write a figure as SVG. A viewer without its font uses another one."""
    tags = {"Description": comment, "Date": None, "Creator": None}
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": SALT}):
        figure.savefig(path, format="svg", metadata=tags)


def save_pdf(figure: Figure, path: Path, comment: str) -> None:
    """Write a figure as PDF with embedded fonts, so that text can be searched and copied."""
    tags = {"Subject": comment, "CreationDate": None, "Creator": None, "Producer": None}
    with rc_context({"pdf.fonttype": 42}):
        figure.savefig(path, format="pdf", metadata=tags)
