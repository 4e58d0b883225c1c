"""Still pictures: PNG, and SVG and PDF whose text stays text.

Each has a comment, in ASCII. None has a date, so that the same picture gives the same bytes. A page
has a width and a height in inches, which differ from those of the figure: that is magnified.
"""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

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
    tags = {"Subject": comment, "CreationDate": None, "Creator": None, "Producer": None}
    written = BytesIO()  # matplotlib leaves a file that cannot be written whole open
    with rc_context({"pdf.fonttype": 42}), PdfPages(written) as pages:
        pages._file = PagedFile(written, tags, page)
        figure.savefig(pages, format="pdf")
    path.write_bytes(written.getvalue())


class PagedFile(PdfFile):
    """A PDF file with pages of another size than the figure, which is magnified."""

    def __init__(self, file: BytesIO, metadata: dict[str, str | None], page: Page) -> None:
        super().__init__(file, metadata=metadata)  # type: ignore[no-untyped-call]
        self.page = page

    def newPage(self, width: float, height: float) -> None:
        super().newPage(*self.page)  # type: ignore[no-untyped-call]
        scale: Any = self.page[0] / width, 0, 0, self.page[1] / height, 0, 0
        self.output(*scale, Op.concat_matrix)  # type: ignore[no-untyped-call]
        self.width, self.height = width, height  # paths are cut off beyond these
