"""Optimizers as they are written: NAME[:key=value]..., separated by commas.

`adam:lr=0.25:beta1=0.8,rmsprop` is two words. `label=` names a path in the picture.
"""

from dataclasses import Field, dataclass, fields
from typing import Any

from optiviz.documents import plain_text
from optiviz.errors import InputError, unknown
from optiviz.optimizers import load_optimizer
from optiviz.optimizers.base import Hyper, Optimizer

Setting = float | int | bool


@dataclass(frozen=True)
class Word:
    """One optimizer as written: its name, the hyperparameters that were given, its label."""

    name: str
    settings: tuple[tuple[str, Setting], ...] = ()
    label: str = ""

    def __str__(self) -> str:
        """Return the canonical spelling, which parses to the same word."""
        parts = [self.name, *(f"{key}={spell(value)}" for key, value in self.settings)]
        return ":".join(parts + ([f"label={self.label}"] if self.label else []))

    @property
    def title(self) -> str:
        """The label, else the name followed by the settings that were given."""
        given = (f"{key} {spell(value)}" for key, value in self.settings)
        return self.label or " ".join([self.name, *given])

    def build(self, **rest: Hyper) -> Optimizer:
        """Return the optimizer; `rest` fills hyperparameters that the word leaves open."""
        return load_optimizer(self.name)(**{**rest, **dict(self.settings)})


def spell(value: Setting) -> str:
    """Write a number so that it reads back as the same one: 0.25, 100, 1e-08, true."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).removesuffix(".0")


def parse(text: str) -> tuple[Word, ...]:
    """Return the words in `text`; raise InputError for a name or value that is none."""
    return tuple(parse_word(part.strip()) for part in text.split(","))


def parse_word(text: str) -> Word:
    """Return the one word in `text`."""
    name, *settings = text.split(":")
    if not name:
        raise InputError(f"{text!r} names no optimizer: write for example adam or adam:lr=0.1")
    declared = _declared(name)
    given: dict[str, Setting] = {}
    label = ""
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not value:
            raise InputError(f"{text!r}: {setting!r} is not of the form key=value")
        if key == "label":
            try:
                label = plain_text(value)
            except ValueError as error:
                raise InputError(f"{name}: label: {error}") from None
            continue
        if key not in declared:
            raise InputError(f"{name}: {unknown('hyperparameter', key, [*declared, 'label'])}")
        if key in given:
            raise InputError(f"{text!r} gives {key} twice")
        given[key] = _read(value, declared[key].type, f"{name}: {key}")
    return _possible(Word(name, tuple(given.items()), label))


def vary(word: Word, text: str) -> tuple[Word, ...]:
    """Return a word in several variations, from "momentum=0.25,0.9": one a value, labelled by it.

    Raises InputError for what is no hyperparameter of the optimizer, or no value of it.
    """
    key, equals, values = (part.strip() for part in text.partition("="))
    if not equals or not key or not values:
        raise InputError(f"{text!r} is not of the form key=value,value")
    declared = _declared(word.name)
    if key not in declared:
        raise InputError(f"{word.name}: {unknown('hyperparameter', key, declared)}")
    if key in dict(word.settings):
        raise InputError(f"{word.name}: {key} is given, and is to vary")
    kind, owner = declared[key].type, f"{word.name}: {key}"
    read = [_read(value.strip(), kind, owner) for value in values.split(",")]
    if len(set(read)) < len(read):
        raise InputError(f"{text!r} gives a value twice")
    return tuple(
        _possible(
            Word(
                word.name,
                (*word.settings, (key, value)),
                f"{word.label} {key} {spell(value)}".strip(),
            )
        )
        for value in read
    )


def _declared(name: str) -> "dict[str, Field[Any]]":
    return {each.name: each for each in fields(load_optimizer(name))}


def _possible(word: Word) -> Word:
    """Return a word whose values lie in their intervals."""
    try:
        word.build(**({"lr": 1.0} if "lr" in _declared(word.name) else {}))
    except InputError as error:
        raise InputError(f"{word.name}: {error}") from None
    return word


def _read(value: str, kind: object, owner: str) -> Setting:
    if kind is bool:
        if value not in ("true", "false"):
            raise InputError(f"{owner} is true or false, not {value!r}")
        return value == "true"
    try:
        return int(value) if kind is int else float(value)
    except ValueError:
        number = "a whole number" if kind is int else "a number"
        raise InputError(f"{owner} must be {number}, not {value!r}") from None
