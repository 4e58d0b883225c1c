"""The lessons and suites that are shipped, by name; nothing is parsed, to list them at once."""

import re
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.files import shipped


class ShippedFiles(NamedTuple):
    """Files of one kind: what it is, the key of their line about it, and a command to list them."""

    kind: str
    key: str
    command: str

    @property
    def folder(self) -> Path:
        """The folder of the shipped files."""
        return shipped(f"{self.kind}s")

    def names(self) -> list[str]:
        """Return the names of the shipped ones, in alphabetical order."""
        return sorted(each.stem for each in self.folder.glob("*.yaml") if "." not in each.stem)

    def summary(self, name: str) -> str:
        """Return what a shipped one is about, in a line, without parsing its YAML."""
        text = (self.folder / f"{name}.yaml").read_text("utf-8")
        found = re.search(rf"^{self.key}: (.*)$", text, re.M)
        return "" if found is None else found[1].strip()

    def file(self, name: str) -> Path:
        """Return a file by its name or path; raise InputError if there is none of this name."""
        names, path = self.names(), Path(name)
        if name in names:
            return self.folder / f"{name}.yaml"
        if name.isprintable() and not re.fullmatch("[a-z0-9-]+", name):
            if path.stem in names and not path.exists():
                raise InputError(f"{name}: no such file: the shipped {self.kind} is {path.stem}")
            return path
        with suppress(OSError, ValueError):  # of a name that no file can have
            if path.is_file():
                return path
        raise InputError(did_you_mean(self.kind, name[:60], names, self.command))


LESSONS = ShippedFiles("lesson", "summary", "optiviz lesson")
SUITES = ShippedFiles("suite", "title", "optiviz list suites")


def plain_name(path: Path, otherwise: str) -> str:
    """Return the name of a file in plain lower-case letters and hyphens."""
    plain = unicodedata.normalize("NFKD", path.name.partition(".")[0]).encode("ascii", "ignore")
    return "-".join(re.findall("[a-z0-9]+", plain.decode().lower())) or otherwise
