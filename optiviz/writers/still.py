"""The picture as it stands: PNG, and SVG and PDF whose text is text.

None says which software made it or when, so that the same picture is the same bytes.
"""

from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

SALT = "optiviz"  # of the names in an SVG, which would be random


def save_png(figure: Figure, path: Path) -> None:
    """Write a figure at its own size in pixels."""
    figure.savefig(path, format="png", dpi=figure.dpi, metadata={"Software": None})


def save_svg(figure: Figure, path: Path) -> None:
    """Write a figure as SVG. A viewer without our font sets its words in one of its own."""
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": SALT}):
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def save_pdf(figure: Figure, path: Path) -> None:
    """Write a figure as PDF with its fonts in it, so that words can be searched and copied."""
    with rc_context({"pdf.fonttype": 42}):
        nothing = {"CreationDate": None, "Creator": None, "Producer": None}
        figure.savefig(path, format="pdf", metadata=nothing)
