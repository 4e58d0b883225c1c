"""The commands and pictures in README and the documentation pages."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def documents() -> list[Path]:
    """Return the README and all pages in docs."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(path: Path, kind: str) -> list[str]:
    """Return the fenced code blocks of one kind in a document, such as ```sh."""
    return re.findall(rf"^```{kind}\n(.*?)^```", path.read_text("utf-8"), re.M | re.S)


def commands() -> list[str]:
    """Return every optiviz command in a shell block; each line is one command."""
    lines = [
        line for path in documents() for block in blocks(path, "sh") for line in block.splitlines()
    ]
    return list(dict.fromkeys(line for line in lines if line.startswith("optiviz ")))


def pictures() -> set[str]:
    """Return the pictures shown, relative to the project root."""
    return {
        str((path.parent / link).resolve().relative_to(ROOT))
        for path in documents()
        for link in re.findall(r"!\[[^\]]*\]\(([^):]+)\)", path.read_text("utf-8"))
    }
