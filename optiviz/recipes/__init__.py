"""Reading and writing recipes: command lines, YAML, batches and finished files."""

from typing import Any

Fields = dict[str, Any]  # of a recipe, as they are written
Keys = tuple[Any, ...]  # where in them a value is
