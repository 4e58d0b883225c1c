"""Optimizer specs: NAME[:key=value]..., separated by commas.

`adam:lr=0.25:beta1=0.8,rmsprop` is two specs. `label=` and `color=` name and colour a path in the
picture, and the @ in `lr=0.1@cosine` introduces a schedule. Parsing a spec runs no third-party
code.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, dataclass, replace
from typing import Any, Self

from optiviz.optimizers.base import Hyper, Method
from optiviz.optimizers.factory import RATE_NAMES, Parameter
from optiviz.optimizers.lookup import factory_of, is_third_party_optimizer, split_wrappers
from optiviz.optimizers.schedules import Schedule
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.plugins import file_of
from optiviz.system.text import plain_text, shorten
from optiviz.themes.colors import color

Setting = float | int | bool | str | None | tuple["Setting", ...]

# What people write who come from elsewhere, and which nothing else could mean.
CALL = re.compile(r"(?:^|(?<=,))\s*([^\s,:=()]+)\s*\(((?:\([^()]*\)|[^()])*)\)(?=\s*(?:[,:]|$))")
DECIMAL_COMMA = re.compile(r"(=-?\d+),(\d+(?:e[-+]?\d+)?)\s*(?=[:,@)]|$)")
MAX_LABEL = 200  # characters
LOOK = "label", "color"  # settings of the path in the picture, not of the optimizer


@dataclass(frozen=True)
class OptimizerSpec:
    """One optimizer as written: its name, the hyperparameters that are set, and its look.

    schedule is that of the learning rate. Without a colour, it has one of the theme. seed is that
    of the recipe it belongs to, if that has one, for a random method that sets none.
    """

    name: str
    settings: tuple[tuple[str, Setting], ...] = ()
    label: str = ""
    schedule: str = ""
    color: str = ""
    seed: int | None = None

    def __str__(self) -> str:
        """Return the canonical spelling, which parses to the same spec."""
        given = dict(self.settings)
        if self.schedule and not given.keys() & set(RATE_NAMES):
            given[RATE_NAMES[0]] = ""  # it is tuned
        parts = [
            self.name,
            *(f"{key}={self.format_setting(key, value)}" for key, value in given.items()),
        ]
        look = (f"{key}={getattr(self, key)}" for key in LOOK if getattr(self, key))
        return ":".join([*parts, *look])

    @property
    def heading(self) -> str:
        """The label, else the name without the path of a file."""
        return self.label or re.sub(r"[^+]*\.py:", "", self.name)

    @property
    def title(self) -> str:
        """The label, else the name followed by its settings."""
        given = (f"{key} {self.format_setting(key, value)}" for key, value in self.settings)
        return self.label or " ".join([self.heading, *given])

    @property
    def file(self) -> str | None:
        """The Python file that defines the optimizer, if any."""
        return file_of(split_wrappers(self.name)[1])

    def format_setting(self, key: str, value: Setting) -> str:
        """Format a setting's value, with the schedule if it is the learning rate."""
        return format_value(value) + (
            f"@{self.schedule}" if self.schedule and key in RATE_NAMES else ""
        )

    def varied_value(self, key: str) -> str:
        """Return the value of a varied setting as text; that of a tuned rate is its schedule."""
        return self.format_setting(key, dict(self.settings).get(key, ""))

    @property
    def is_random(self) -> bool:
        """Whether it depends on the recipe's seed. Third-party code is run."""
        return "seed" in factory_of(self.name).parameters and "seed" not in dict(self.settings)

    def with_total_steps(self, steps: int) -> Self:
        """Return the spec for a run of `steps` steps, which a schedule may depend on."""
        if not self.schedule:
            return self
        return replace(self, schedule=str(Schedule.read(self.schedule).with_total_steps(steps)))

    def with_default_rate(self, lr: float | None) -> Self:
        """Return the spec with learning rate `lr`, unless that is None or the spec sets its own."""
        rate = factory_of(self.name).rate
        if lr is None or not rate or rate in dict(self.settings):
            return self
        return replace(self, settings=((rate, lr), *self.settings))

    def build(self, **rest: Hyper) -> Method:
        """Return the optimizer; `rest` sets hyperparameters that the spec does not.

        Raises InputError for an unknown hyperparameter or an invalid value. Third-party code is
        run.
        """
        factory = factory_of(self.name)
        given = dict(self.settings)
        if self.seed is not None and self.is_random:
            rest = {"seed": self.seed, **rest}
        for key in given:
            if not factory.open:
                _check_key(self.name, key, factory.parameters)
        try:
            made = factory.make(**{**rest, **given})
            return made.with_schedule(Schedule.read(self.schedule)) if self.schedule else made
        except InputError as error:
            said = str(error)
            raise InputError(
                said if said.startswith(self.name) else f"{self.name}: {said}"
            ) from error

    def probe(self) -> Method:
        """Return the optimizer, with a learning rate of 1 if it needs one; raise as `build`."""
        factory = factory_of(self.name)
        needed = factory.rate and factory.parameters[factory.rate].default is MISSING
        return self.build(**({factory.rate: 1.0} if needed else {}))


def format_value(value: Any) -> str:
    """Format a value so that it parses to the same one: 0.25, 100, 1e-08, true."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "/".join(map(format_value, value)) + ("/" if len(value) == 1 else "")
    if value is None:
        return "none"
    return value if isinstance(value, str) else repr(value).removesuffix(".0")


def parse_specs(text: str) -> tuple[OptimizerSpec, ...]:
    """Return the specs in `text`; raise InputError for an invalid name or value."""
    written = CALL.sub(_spec_of_call, DECIMAL_COMMA.sub(r"\1.\2", text))
    if written != text:
        raise InputError(f"{shorten(text, quoted=True)} is not a spec: write {written}")
    return tuple(parse_spec(part.strip()) for part in text.split(","))


def _spec_of_call(call: re.Match[str]) -> str:
    """Return the spec that was written as a call in Python, such as adam(lr=0.1, beta1=0.8)."""
    name, settings = call.groups()
    settings = re.sub(r"\(([^()]*)\)", lambda values: values[1].replace(",", "/"), settings)
    parts = [part for part in settings.replace(" ", "").split(",") if part]
    return ":".join([name, *(part if "=" in part else f"KEY={part}" for part in parts)])


def parse_spec(text: str) -> OptimizerSpec:
    """Return the single spec in `text`; raise InputError if it is invalid."""
    name, *settings = text.split(":")
    if not text.isprintable():
        raise InputError(f"{shorten(text, quoted=True)} contains an unprintable character")
    if "=" in name:
        raise InputError(f"{text!r} is a setting: write it after an optimizer, as in adam:{text}")
    if not name:
        raise InputError(f"{text!r} does not name an optimizer: write, for example, adam:lr=0.1")
    if name.endswith(".py"):
        if not settings or not settings[0].isidentifier():
            raise InputError(f"{name} is a file: add the name of a class, as in {name}:Lion")
        name = f"{name}:{settings.pop(0)}"
    third_party = is_third_party_optimizer(name)
    declared = None if third_party else factory_of(name).parameters
    given: dict[str, Setting] = {}
    schedule = ""
    look: dict[str, str] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not value:
            raise InputError(f"{text!r}: {setting!r} is not a valid setting: write key=value")
        if key in look:
            raise InputError(f"{text!r} sets {key} twice")
        if key in LOOK:
            look[key] = _look(name, key, value)
            continue
        if declared is not None:
            _check_key(name, key, declared, *LOOK)
        elif not key.isidentifier():
            raise InputError(f"{text!r}: {key!r} is not a valid hyperparameter name")
        if key in given or (schedule and key in RATE_NAMES):
            raise InputError(f"{text!r} sets {key} twice")
        if key in RATE_NAMES and "@" in value:
            value, _, schedule = value.partition("@")
            schedule = str(_schedule(f"{name}: {key}", schedule))
            if not value:
                continue  # it is tuned
        given[key] = _read(value, declared, key, f"{name}: {key}")
    label, chosen = (look.get(key, "") for key in LOOK)
    spec = OptimizerSpec(name, tuple(given.items()), label, schedule, chosen)
    return spec if third_party else _possible(spec)


def _look(name: str, key: str, value: str) -> str:
    """Return a label or a colour; raise InputError if it is invalid."""
    try:
        said = plain_text(value) if key == "label" else color(value)
    except ValueError as error:
        raise InputError(f"{name}: {key}: {error}") from None
    if len(said) > MAX_LABEL:
        raise InputError(
            f"{name}: {key}: at most {MAX_LABEL} characters are allowed, not {len(said)}"
        )
    return said


def _check_key(name: str, key: str, known: Mapping[str, Any], *others: str) -> None:
    """Raise InputError if an optimizer has no hyperparameter `key`."""
    if key in known or key in others:
        return
    said = did_you_mean("hyperparameter", key, [*known, *others])
    more = "" if "choose from" in said else f" (it has {', '.join(known)})"
    raise InputError(f"{name}: {said}{more}")


def _schedule(owner: str, text: str) -> Schedule:
    try:
        return Schedule.read(text)
    except InputError as error:
        raise InputError(f"{owner}: {error}") from None


def split_variation(text: str) -> tuple[str, list[str]]:
    """Return the key and the values in a text such as "momentum=0.25,0.9".

    Raises InputError if there are none.
    """
    key, equals, values = (part.strip() for part in text.partition("="))
    if not equals or not key or not values:
        raise InputError(f"{text!r} is not a valid variation: write key=value,value")
    return key, [value.strip() for value in values.split(",")]


def vary(spec: OptimizerSpec, text: str, *others: str) -> tuple[OptimizerSpec, ...]:
    """Return one spec per value in a text such as "momentum=0.25,0.9", labelled by the value.

    The values of a learning rate may have schedules. others are other keys that could be varied.
    Raises InputError for an unknown hyperparameter or an invalid value.
    """
    key, values = split_variation(text)
    third_party = is_third_party_optimizer(spec.name)
    declared = None if third_party else factory_of(spec.name).parameters
    if declared is not None:
        _check_key(spec.name, key, declared, *others)
    if key in dict(spec.settings) or (spec.schedule and key in RATE_NAMES):
        raise InputError(f"{spec.name}: {key} cannot be both set and varied")
    varied = []
    for value in values:
        given, settings, schedule = value, spec.settings, spec.schedule
        if key in RATE_NAMES and "@" in value:
            given, _, written = value.partition("@")
            schedule = str(_schedule(f"{spec.name}: {key}", written))
        if given or not schedule:  # else it is tuned
            read = _read(given, declared, key, f"{spec.name}: {key}")
            settings = (*settings, (key, read))
        varied.append(replace(spec, settings=settings, schedule=schedule))
    if len({(each.settings, each.schedule) for each in varied}) < len(varied):
        raise InputError(f"{text!r} lists a value twice")
    named = tuple(label_variant(each, key, each.varied_value(key)) for each in varied)
    return named if third_party else tuple(map(_possible, named))


def label_variant(spec: OptimizerSpec, key: str, value: str) -> OptimizerSpec:
    """Return a spec labelled by the value of what is varied.

    Raises InputError if it has a colour, which all values would share.
    """
    if spec.color:
        raise InputError(f"{spec.name}: color cannot be combined with several values")
    return replace(spec, label=f"{spec.label} {key} {value}".strip())


def _possible(spec: OptimizerSpec) -> OptimizerSpec:
    """Return a built-in spec; raise InputError if a value is outside its interval."""
    rate = factory_of(spec.name).rate
    spec.build(**({rate: 1.0} if rate else {}))
    return spec


def _read(value: str, declared: Mapping[str, Parameter] | None, key: str, owner: str) -> Setting:
    """Return a value as the type of its hyperparameter; infer the type for third-party code."""
    if declared is None:
        return _literal(value, owner)
    number_type = declared[key].type
    if number_type is bool:
        if value not in ("true", "false"):
            raise InputError(f"{owner} must be true or false, not {value!r}")
        return value == "true"
    try:
        return int(value) if number_type is int else float(value)
    except ValueError:
        number = "a whole number" if number_type is int else "a number"
        raise InputError(f"{owner} must be {number}, not {value!r}") from None


def _literal(value: str, owner: str) -> Setting:
    """Return a value of the type that a text suggests: true, none, 3, 0.1, 0.9/0.999 or a name."""
    if "/" in value:
        parts = [part for part in value.split("/") if part]
        if parts:
            return tuple(_literal(part, owner) for part in parts)
    known = {"true": True, "false": False, "none": None}
    if value in known:
        return known[value]
    for number in (int, float):
        with suppress(ValueError):
            found = number(value)
            if math.isfinite(found):
                return found
    infinite = value.lower() in ("inf", "infinity", "nan")
    if infinite or not re.fullmatch(r"[A-Za-z_][\w-]*", value):
        raise InputError(
            f"{owner} must be a number, true, false, none, a name or several as in 0.9/0.999, "
            f"not {shorten(value, quoted=True)}"
        )
    return value


def labelled(specs: Sequence[OptimizerSpec]) -> list[tuple[OptimizerSpec, str]]:
    """Return each spec with a unique label: adam, or adam lr 0.1, or adam (2)."""
    names = [spec.heading for spec in specs]
    titles = [
        name if names.count(name) == 1 else spec.title
        for spec, name in zip(specs, names, strict=True)
    ]
    return list(zip(specs, numbered(titles), strict=True))


def numbered(titles: Sequence[str]) -> list[str]:
    """Return titles with a number after those that are not the first of their kind: adam (2)."""
    counts: Counter[str] = Counter()
    unique = []
    for title in titles:
        counts[title] += 1
        unique.append(title if counts[title] == 1 else f"{title} ({counts[title]})")
    return unique
