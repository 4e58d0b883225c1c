"""How a picture was created: its recipe and the versions of the software, as text in its file.

The same recipe and versions have the same text, and give the same bytes on one machine. The text
does not say when, where or by whom the picture was created.
"""

import json
import platform
import warnings
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from optiviz.kinds.base import BaseRecipe, to_dict
from optiviz.optimizers.lookup import packages_of
from optiviz.recipes import Fields
from optiviz.recipes.reading import inlined_files, unhashed_checkpoints
from optiviz.registry import FORMATS, format_of
from optiviz.surfaces.domain import Text
from optiviz.system import plugins
from optiviz.system.errors import InputError
from optiviz.system.text import key_path
from optiviz.system.validation import KeyLocator
from optiviz.system.yaml import Document

MAX_BYTES = 500_000_000  # of a file whose metadata is read
CHANGED = '{"changed"'  # begins the metadata of a picture that was changed
DISTRIBUTIONS = {
    "optiviz": "optiviz-cli",
    "numpy": "numpy",
    "sympy": "sympy",
    "matplotlib": "matplotlib",
    "pillow": "pillow",
    "imageio": "imageio",
    "av": "av",
}


class Provenance(BaseModel):
    """The metadata in a file: the fields of a recipe, which may be invalid, and versions."""

    recipe: dict[str, Any]
    versions: dict[Text, Text]


@cache
def versions() -> dict[str, str]:
    """Return the versions of the software that makes pictures, by name."""
    found = {}
    for name, each in DISTRIBUTIONS.items():
        with suppress(PackageNotFoundError):  # only some formats need it
            found[name] = version(each)
    return found | {"python": platform.python_version()}


def metadata_for(recipe: BaseRecipe, unfinished: str = "") -> str:
    """Return the metadata for a file of a recipe: JSON in ASCII, which all formats can store.

    unfinished is how much of it is there, "" for all.
    """
    others = {
        name: each for spec in recipe.named_specs for name, each in packages_of(spec.name).items()
    }
    told = {"unfinished": unfinished} if unfinished else {}
    return json.dumps({**told, "recipe": to_dict(recipe), "versions": versions() | others})


def metadata_of_changed(recipe: BaseRecipe) -> str:
    """Return the metadata for a file of a recipe's picture that was changed: no recipe makes it."""
    return json.dumps({"changed": True, "versions": json.loads(metadata_for(recipe))["versions"]})


def read_metadata(path: Path) -> str | None:
    """Return the metadata in a finished file, None if none can be read.

    Raises InputError if there is no such file, and OptivizError if its reader cannot be loaded.
    """
    form = format_of(path)
    try:
        if not path.is_file():
            raise InputError(f"{path}: " + ("not a file" if path.exists() else "no such file"))
        with path.open("rb"):
            pass
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    if path.stat().st_size > MAX_BYTES:
        return None
    read = form.load_reader()
    try:
        with warnings.catch_warnings(action="ignore"):  # about a broken file
            return read(path)
    except Exception:  # libraries raise anything for a broken file or one of another format
        return None


def read_provenance(path: Path) -> Provenance:
    """Return how a finished file was made; raise InputError if it contains no recipe."""
    said = read_metadata(path) or ""
    try:
        return Provenance.model_validate_json(said)
    except ValidationError:
        if said.startswith(CHANGED):
            raise InputError(
                f"{path}: artists were added to this picture of optiviz, or changed: no recipe "
                "makes it"
            ) from None
        raise InputError(f"{path}: contains no optiviz recipe") from None


class RecipeSource(NamedTuple):
    """The fields of a recipe, where each is written, and the versions if a picture holds it."""

    fields: Fields
    locate: KeyLocator
    versions: dict[str, str]

    @property
    def version_differences(self) -> str:
        """The versions it was written with that differ from those here, such as "numpy 2.0.0"."""
        ours = plugins.versions(*self.versions) | versions()
        return ", ".join(
            f"{name} {each}" for name, each in self.versions.items() if ours.get(name) != each
        )


def read_source(path: Path) -> RecipeSource:
    """Return the recipe in a finished file, or in a YAML file of one recipe.

    Raises InputError if it is neither.
    """
    if path.suffix.lower() in FORMATS:
        made = read_provenance(path)
        if inlined_files(made.recipe) or any(unhashed_checkpoints(made.recipe)):
            raise InputError(f"{path}: its recipe names another file, so optiviz did not write it")
        return RecipeSource(
            made.recipe, lambda keys: f"{path}: {key_path(keys) or 'recipe'}", made.versions
        )
    if path.suffix.lower() not in (".yaml", ".yml", "") and path.is_file():
        raise InputError(f"{path}: is neither an optiviz picture nor a .yaml recipe")
    document = Document.read(path)
    fields = document.value
    if not isinstance(fields, dict):
        raise InputError(f"{document.name}: a recipe must map fields to values")
    if "jobs" in fields:
        raise InputError(f"{document.name}: contains several jobs: render them with optiviz batch")
    return RecipeSource(fields, document.locate, {})
