"""The scripts of examples/ really run."""

import runpy
import sys
from pathlib import Path

import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[1] / "examples"


def contact_sheet(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["contact_sheet.py", "sheet.png", "--opt", "adam", *words])
    runpy.run_path(str(EXAMPLES / "contact_sheet.py"), run_name="__main__")


def test_the_contact_sheet_has_a_tile_for_every_surface(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact_sheet(monkeypatch, "--tag", "saddle", "--tag", "unbounded")
    with Image.open(here / "sheet.png") as sheet:
        assert sheet.size == (2 * 480, 320)  # saddle and monkey-saddle


@pytest.mark.parametrize(
    ("tag", "said"), [("valey", "did you mean 'valley'"), ("one-dimension", "no surface in two")]
)
def test_a_contact_sheet_of_nothing_is_refused(
    here: Path, monkeypatch: pytest.MonkeyPatch, tag: str, said: str
) -> None:
    with pytest.raises(SystemExit, match=said):
        contact_sheet(monkeypatch, "--tag", tag)
    assert not list(here.iterdir())
