"""What pictures are of: one file a kind, with its recipe and the scene that it becomes."""

from importlib import import_module
from typing import TYPE_CHECKING

from optiviz.registry import KINDS

if TYPE_CHECKING:
    from optiviz.kinds.base import BaseRecipe


def load_kind(name: str) -> "type[BaseRecipe]":
    """Return the class of the recipes of a kind of the registry."""
    module, _, cls = KINDS[name].target.partition(":")
    found: type[BaseRecipe] = getattr(import_module(f"{__name__}.{module}"), cls)
    return found
