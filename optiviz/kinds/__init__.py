"""The kinds of pictures, one module per kind, each with its recipe and its scene."""

from importlib import import_module
from typing import TYPE_CHECKING

from optiviz.registry import KINDS

if TYPE_CHECKING:
    from optiviz.kinds.base import BaseRecipe


def load_kind(name: str) -> "type[BaseRecipe]":
    """Return the recipe class of a kind in the registry."""
    module, _, cls = KINDS[name].target.partition(":")
    found: type[BaseRecipe] = getattr(import_module(f"{__name__}.{module}"), cls)
    return found
