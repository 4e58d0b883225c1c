"""Lists of entries in YAML, one of which can stand for many: its matrix has lists of values."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from itertools import product
from math import prod
from typing import Any, NamedTuple

from optiviz.recipes import Fields, Keys
from optiviz.system.errors import did_you_mean
from optiviz.system.text import shorten


class EntryFields(NamedTuple):
    """The fields of an entry, and where each one is written."""

    fields: Fields
    origins: dict[str, Keys]
    at: Keys

    def keys(self, keys: Sequence[Any]) -> Keys:
        """Return the keys in the document that correspond to keys in the entry."""
        if keys and keys[0] in self.origins:
            return (*self.origins[keys[0]], *keys[1:])
        return (*self.at, *keys)


class EntryReader(ABC):
    """Reads entries, each once for every combination of values in its matrix."""

    @abstractmethod
    def wrong(self, keys: Keys, said: str) -> None:
        """Collect a fault."""

    def each_entry(
        self, kind: str, listed: Any, varied: Collection[str], most: int
    ) -> Iterator[tuple[Keys, Fields, dict[str, tuple[int, Any]]]]:
        """Yield where an entry is, its own fields, and a choice of its matrix with its places.

        listed is the list of entries, such as jobs, which is what `kind` says; varied are the
        fields that a matrix may have, and most is how many entries there may be.
        """
        if not isinstance(listed, list) or not listed:
            self.wrong((kind,), f"must be a list of {kind}")
            return
        number = 0
        for place, entry in enumerate(listed):
            at = (kind, place)
            if not isinstance(entry, dict):
                self.wrong(at, "must map fields to values, such as surface: bowl")
                continue
            own = dict(entry)
            matrix = self._matrix((*at, "matrix"), own, varied)
            number += prod(len(values) for values in matrix.values())
            if number > most:
                self.wrong(at, f"more than {most} {kind} are not allowed")
                return
            for choice in product(*(enumerate(values) for values in matrix.values())):
                yield at, own, dict(zip(matrix, choice, strict=True))

    def _matrix(self, at: Keys, own: Fields, fields: Collection[str]) -> dict[str, list[Any]]:
        """Remove the matrix from an entry and return its lists of values by field."""
        matrix = self.mapping(at, own.pop("matrix", None) or {})
        self.check_keys(at, matrix, fields)
        for key, values in matrix.items():
            if not isinstance(values, list) or not values:
                self.wrong((*at, key), "must be a list of values")
            elif key in own:
                within = f"the {at[0][:-1]}"
                self.wrong((*at, key), f"is set in {within} and in its matrix: set it only once")
        known = set(fields) - own.keys()
        return {
            key: matrix[key] for key in matrix if key in known and isinstance(matrix[key], list)
        }

    def mapping(self, at: Keys, value: Any) -> Fields:
        """Return a mapping, empty if the value is none, which is a fault."""
        if isinstance(value, dict):
            return value
        self.wrong(at, "must map fields to values")
        return {}

    def check_keys(self, at: Keys, given: Fields, known: Collection[str]) -> None:
        """Collect a fault for each unknown key."""
        for key in given:
            if key not in known:
                self.wrong((*at, key), did_you_mean("key", shorten(key), known))


def origins_of(at: Keys, own: Fields, choice: dict[str, tuple[int, Any]]) -> dict[str, Keys]:
    """Return where each field of an entry is written, in it or in its matrix."""
    origins: dict[str, Keys] = {key: (*at, key) for key in own}
    return origins | {key: (*at, "matrix", key, place) for key, (place, _) in choice.items()}
