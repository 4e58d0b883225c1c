"""The commands that README and the documents show, and the pictures that they show with them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def documents() -> list[Path]:
    """Return the README and all pages of docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(path: Path, kind: str) -> list[str]:
    """Return the blocks of a document that are of a kind, as in ```sh."""
    return re.findall(rf"^```{kind}\n(.*?)^```", path.read_text("utf-8"), re.M | re.S)


def commands() -> list[str]:
    """Return every command of ours that stands in a shell's block; a line is a command."""
    lines = [
        line for path in documents() for block in blocks(path, "sh") for line in block.splitlines()
    ]
    return list(dict.fromkeys(line for line in lines if line.startswith("optiviz ")))


def pictures() -> set[str]:
    """Return the pictures that are shown, from the top of the project."""
    return {
        str((path.parent / link).resolve().relative_to(ROOT))
        for path in documents()
        for link in re.findall(r"!\[[^\]]*\]\(([^):]+)\)", path.read_text("utf-8"))
    }
