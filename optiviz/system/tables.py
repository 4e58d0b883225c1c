"""Tables in .csv files that anybody may have written: their lines, and numbers in their cells."""

import csv
import io
import re
from collections.abc import Iterator

from optiviz.system.errors import InputError


def table_lines(file: str, content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each line with its number, without comments and empty lines.

    file is the name in messages. Raises InputError if the content is not a table in UTF-8.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{file}: not UTF-8 text") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if row and not row[0].startswith("#") and any(map(str.strip, row)):
                yield reader.line_num, row
    except csv.Error as error:
        raise InputError(f"{file}:{reader.line_num}: {error}") from None


def check_separated(where: str, head: list[str]) -> None:
    """Raise InputError if the names of the columns are separated by other signs than commas."""
    if len(head) == 1 and re.search(r"[;\t ]", head[0].strip()):
        raise InputError(f"{where}: columns must be separated by commas")


def cell_number(cell: str) -> float | None:
    """Return the number in a cell, None if it has none."""
    try:
        return None if "_" in cell else float(cell)
    except ValueError:
        return None
