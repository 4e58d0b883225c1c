"""The commands, pictures and live pages in README and the documentation pages."""

import re
import shlex
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


def live_page(block: str) -> str | None:
    """Return the name of the page that a shell block writes, or None."""
    for line in block.splitlines():
        words = shlex.split(line)
        if words[:1] == ["optiviz"] and words[-1].endswith(".html"):
            return words[-1]
    return None


def pictures() -> set[str]:
    """Return the pictures shown, relative to the project root."""
    return {
        str((path.parent / link).resolve().relative_to(ROOT))
        for path in documents()
        for link in re.findall(r"!\[[^\]]*\]\(([^):]+)\)", path.read_text("utf-8"))
    }
