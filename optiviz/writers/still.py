"""Still pictures: PNG, and SVG and PDF whose text stays text.

Each has a comment, in ASCII. None has a date, so that the same picture gives the same bytes. A page
has a width and a height in inches, which differ from those of the figure: that is magnified.
"""

import re
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib import rc_context
from matplotlib.backends.backend_pdf import Op, PdfFile, PdfPages
from matplotlib.figure import Figure

SALT = "optiviz"  # of the ids in an SVG, which would otherwise be random
Page = tuple[float, float]  # width and height in inches


def save_png(figure: Figure, path: Path, comment: str, page: Page) -> None:
    """Write a figure as PNG at its own size in pixels; all of them together fill the page."""
    tags = {"Comment": comment, "Software": None}
    dense = figure.get_size_inches()[0] * figure.dpi / page[0]
    figure.savefig(
        path, format="png", dpi=figure.dpi, metadata=tags, pil_kwargs={"dpi": (dense, dense)}
    )


def save_svg(figure: Figure, path: Path, comment: str, page: Page) -> None:
    """Write a figure as SVG. A viewer without its font uses another one."""
    tags = {"Description": comment, "Date": None, "Creator": None}
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": SALT}):
        figure.savefig(path, format="svg", metadata=tags)
    text = path.read_text("utf-8")
    width, height = (f"{side:.10g}in" for side in page)
    text = re.sub(r'<svg (.*?)height="[^"]*"', rf'<svg \1height="{height}"', text, count=1)
    text = re.sub(r'<svg (.*?)width="[^"]*"', rf'<svg \1width="{width}"', text, count=1)
    path.write_text(text, "utf-8", newline="\n")


def save_pdf(figure: Figure, path: Path, comment: str, page: Page) -> None:
    """Write a figure as PDF with embedded fonts, so that text can be searched and copied."""
    save_pages([[Placed(figure, 0, 0, *page)]], path, comment, page)


class Placed(NamedTuple):
    """A figure, and its place on a page, in inches from the left and from the bottom."""

    figure: Figure
    left: float
    bottom: float
    width: float
    height: float


def save_pages(pages: Iterable[Sequence[Placed]], path: Path, comment: str, page: Page) -> None:
    """Write pages as one PDF, each of figures of which later ones cover earlier ones."""
    tags = {"Subject": comment, "CreationDate": None, "Creator": None, "Producer": None}
    written = BytesIO()  # matplotlib leaves a file that cannot be written whole open
    with rc_context({"pdf.fonttype": 42}), PdfPages(written) as book:
        file = book._file = PagedFile(written, tags, page)
        for figures in pages:
            file.waiting = [*figures]
            for placed in figures:
                placed.figure.savefig(book, format="pdf")
    path.write_bytes(written.getvalue())


class PagedFile(PdfFile):
    """A PDF file with pages of another size than their figures, which are magnified.

    `waiting` are the figures of a page that are not yet drawn: matplotlib begins a page for each,
    but here only the first one does, and the last one ends it.
    """

    def __init__(self, file: BytesIO, metadata: dict[str, str | None], page: Page) -> None:
        super().__init__(file, metadata=metadata)  # type: ignore[no-untyped-call]
        self.page = page
        self.waiting: list[Placed] = []
        self._shared = self._open = False  # whether the page has several figures, and one is drawn

    def newPage(self, width: float, height: float) -> None:
        if not self._shared:
            super().newPage(*self.page)  # type: ignore[no-untyped-call]
        placed = self.waiting.pop(0)
        self._shared, self._open = self._shared or bool(self.waiting), True
        if self._shared:  # each figure begins with the settings of a new page
            self.output(Op.gsave)  # type: ignore[no-untyped-call]
        scale: Any = placed.width / width, 0, 0, placed.height / height
        self.output(*scale, 72 * placed.left, 72 * placed.bottom, Op.concat_matrix)  # type: ignore[no-untyped-call]
        self.width, self.height = width, height  # paths are cut off beyond these

    def endStream(self) -> None:
        if self._open and self._shared:
            self.output(Op.grestore)  # type: ignore[no-untyped-call]
        self._open = False
        if not (self._shared and self.waiting):
            self._shared = False
            super().endStream()  # type: ignore[no-untyped-call]
