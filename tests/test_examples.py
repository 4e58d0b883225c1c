"""The scripts of examples/ really run."""

import runpy
import sys
from pathlib import Path

import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_the_contact_sheet_has_a_tile_for_every_surface(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["contact_sheet.py", "sheet.png", "--opt", "adam", "--tag", "saddle"]
    monkeypatch.setattr(sys, "argv", [*words, "--tag", "unbounded"])
    runpy.run_path(str(EXAMPLES / "contact_sheet.py"), run_name="__main__")
    with Image.open(here / "sheet.png") as sheet:
        assert sheet.size == (2 * 480, 320)  # saddle and monkey-saddle
