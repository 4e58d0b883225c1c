"""The whole catalogue on one page: every surface in two dimensions, with the paths you ask for.

python examples/contact_sheet.py sheet.png
python examples/contact_sheet.py valleys.png --opt sgd,adam,newton --tag valley
"""

import argparse
import sys
from io import BytesIO
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

import optiviz
from optiviz.cli.inventory import list_names

COLUMNS = 6
TILE = (480, 320)


def tile(surface: str, optimizers: str) -> Image.Image:
    """Return the final picture of a run with the surface's default start and steps."""
    recipe = optiviz.Recipe(surface=surface, optimizers=optimizers, size=TILE)
    with TemporaryDirectory() as folder:
        path = Path(folder, "tile.png")
        optiviz.render(recipe, path)
        return Image.open(BytesIO(path.read_bytes()))


def main() -> None:
    """Read the arguments and write the page."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("out", type=Path, help="where to write the page, such as sheet.png")
    words.add_argument("--opt", default="adam,rmsprop,momentum", help="optimizers, as for run")
    words.add_argument("--tag", action="append", default=[], help="only surfaces with this tag")
    chosen = words.parse_args()
    try:
        surfaces = [each for each in list_names("surfaces", tags=chosen.tag) if each["dim"] == 2]
    except optiviz.InputError as error:
        sys.exit(str(error))
    if not surfaces:
        sys.exit("no surface in two dimensions has all of these tags")
    columns = min(COLUMNS, len(surfaces))
    width, height = TILE
    sheet = Image.new("RGB", (columns * width, ceil(len(surfaces) / columns) * height), "white")
    for number, surface in enumerate(surfaces):
        row, column = divmod(number, columns)
        sheet.paste(tile(surface["name"], chosen.opt), (column * width, row * height))
    sheet.save(chosen.out)


if __name__ == "__main__":
    main()
