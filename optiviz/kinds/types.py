"""Types of fields shared by recipes, each with the ways to write it."""

import re
from collections.abc import Mapping, Sequence
from inspect import isclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
)

from optiviz.descent.search import Range
from optiviz.optimizers.spec import parse_specs
from optiviz.optimizers.third_party import asking_for_a_class
from optiviz.registry import SIGNALS, THEMES
from optiviz.surfaces.catalogue import (
    bundled_surface,
    code_surface,
    find_surface,
    load_catalogue,
)
from optiviz.surfaces.domain import MAX_STEPS, Point, format_point
from optiviz.surfaces.models.problem import ModelProblem
from optiviz.surfaces.signal import Signal, find_signal
from optiviz.surfaces.surface import Surface
from optiviz.system.json_schema import (
    NUMBERS,
    TEXT,
    MappedSchema,
    Schema,
    any_of,
    one_or_more,
    one_or_several,
)
from optiviz.system.text import counted, shorten
from optiviz.themes import Theme, find_theme

MAX_SURFACES, MAX_OPTIMIZERS, MAX_RANGES, MAX_SOUGHT = 64, 100, 100, 10
YAML_FILE = TEXT | {"pattern": r"\.ya?ml$"}
MAX_NAME = 100  # characters of a part of a file name
# What Python writes for the options of a surface, which a recipe holds as a whole.
FORMULA, NETWORK = "Surface(formula=..., domain=...)", 'Surface(network={"data": ..., ...})'
MODEL = 'Surface(model={"of": ..., ...})'
IN_A_SURFACE = {
    "formula": FORMULA,
    "residuals": "Surface(residuals=..., domain=...)",
    "fit": 'Surface(fit={"model": ..., "data": ...})',
    "loss": 'Surface(fit={"model": ..., "data": ..., "loss": ...})',
    "metric": "Surface(formula=..., metric=..., domain=...)",
    "variables": FORMULA,
    "params": "Surface(formula=..., params=..., domain=...)",
    "dim": FORMULA,
    "domain": FORMULA,
    "axes": "Surface(formula=..., domain=..., axes=...)",
    "catalogue": "load_surface(NAME, FILE)",
    "constraints": "Surface(formula=..., domain=..., constraints=...)",
    "bounds": "Surface(formula=..., domain=..., bounds=...)",
    "l1": "Surface(formula=..., domain=..., l1=...)",
    "data": NETWORK,
    "samples": NETWORK,
    "device": MODEL,
    "dtype": MODEL,
    "batch_norm": MODEL,
    **dict.fromkeys(
        ("plane", "normalize", "biases"),
        "Surface(network=..., plane=...) or Surface(model=..., plane=...)",
    ),
    "resolution": (
        'Surface(network=..., plane={"grid": ...}) or Surface(model=..., plane={"grid": ...})'
    ),
}


def _canonical_specs(value: Any) -> Any:
    texts = [value] if isinstance(value, str) else value
    for each in texts if isinstance(texts, list | tuple) else [texts]:
        if isclass(each):
            raise ValueError("must be text, not a class: write, for example, my_optimizer.py:Lion")
        if callable(each):
            raise ValueError(asking_for_a_class("must be text, not a function:"))
    if not isinstance(texts, list | tuple):
        raise ValueError(f"must be text or a list, not {shorten(value, quoted=True)}")
    if not all(isinstance(text, str) for text in texts):
        return value
    return tuple(str(word) for text in texts for word in parse_specs(text))


def _by_name(value: Any, info: ValidationInfo) -> Any:
    """Return the name of a built-in surface, so that equal pictures have the same recipe."""
    if isinstance(value, str):
        found = find_surface(value)
    elif callable(value) or isinstance(value, ModelProblem):
        found = code_surface(value)
    elif not isinstance(value, Surface | Mapping):
        raise ValueError(
            f"must be a name, a function, a model's problem or a Surface, "
            f"not {shorten(value, quoted=True)}"
        )
    else:
        found = Surface.model_validate(value, context=info.context).with_file_hashes()
    return found.name if bundled_surface(found.name) == found else found


def _pairs(value: Any) -> Any:
    return tuple(value.items()) if isinstance(value, Mapping) else value


def _several(value: Any) -> Any:
    return tuple(word.strip() for word in value.split(",")) if isinstance(value, str) else value


def _signal(value: Any) -> Any:
    """Return the name of a built-in signal, else the signal itself."""
    found = find_signal(value) if isinstance(value, str) else Signal.model_validate(value)
    return found.name if found.name in SIGNALS and find_signal(found.name) == found else found


def _theme_written(theme: str | Theme) -> str | dict[str, Any]:
    return theme if isinstance(theme, str) else theme.model_dump(mode="json")


def _sides(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return value
    sides = re.fullmatch(r"(\d{1,6})[xX](\d{1,6})", str(value))
    if sides is None:
        raise ValueError(
            f"{shorten(value, quoted=True)} is not a valid grid: write, for example, 256x256"
        )
    return int(sides[1]), int(sides[2])


def parse_frame_ranges(text: str) -> list[range]:
    """Return the ranges of steps in a text such as "0:200:20,200:9000:100".

    Raises ValueError if it is invalid.
    """
    parts: list[range] = []
    if text.count(",") >= MAX_RANGES:
        raise ValueError(f"more than {MAX_RANGES} ranges are not allowed")
    for part in text.split(","):
        said = shorten(part, quoted=True)
        numbers = re.fullmatch(r"\s*(\d{1,20}):(\d{1,20}):(\d{1,20})\s*", part)
        if numbers is None:
            raise ValueError(f"{said} is not a valid range: write START:STOP:STEP, as in 0:200:20")
        start, stop, stride = (int(number) for number in numbers.groups())
        if stop > MAX_STEPS + 1:
            raise ValueError(f"{said} exceeds the limit of {MAX_STEPS} steps")
        if start >= stop or stride < 1:
            raise ValueError(f"{said} has no steps: STOP must be above START, and STEP at least 1")
        parts.append(range(start, stop, stride))
    return parts


def _ranges(text: str | None) -> str | None:
    if text is None:
        return None
    return ",".join(f"{part.start}:{part.stop}:{part.step}" for part in parse_frame_ranges(text))


def _over(value: Any) -> Any:
    """Return the hyperparameters to tune, each in its canonical form."""
    texts = value.split(",") if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"must be text or a list, not {shorten(value, quoted=True)}")
    ranges = [Range.read(text.strip()) for text in texts]
    if len({each.key for each in ranges}) < len(ranges):
        raise ValueError(f"{','.join(texts)!r} names a hyperparameter twice")
    return tuple(str(each) for each in ranges)


def resolve_surface(surface: str | Surface) -> Surface:
    """Return the surface that a recipe names or holds."""
    return find_surface(surface) if isinstance(surface, str) else surface


def fitting_start(start: Point, surface: Surface) -> Point:
    """Return a start; raise ValueError if it has the wrong number of coordinates."""
    if len(start) not in surface.start_sizes:
        many = counted(len(start), "coordinate")
        name = surface.name or _described(surface)
        sizes = " or, on the plane, ".join(map(str, surface.start_sizes))
        raise ValueError(f"{format_point(start)} has {many}, but {name} has {sizes}")
    return start


def _described(surface: Surface) -> str:
    """Return what a surface without a name is."""
    if surface.learns:
        return "the line" if surface.dim == 1 else "the plane"
    return "the function" if surface.function else "the formula"


def _on_the_surface(start: Point, info: ValidationInfo) -> Point:
    known = "surface" in info.data
    return fitting_start(start, resolve_surface(info.data["surface"])) if known else start


def _declared(surface: str | Surface) -> str | dict[str, Any]:
    if isinstance(surface, str):
        return surface
    return surface.model_dump(mode="json", exclude_defaults=True)


FileHashes = tuple[tuple[str, str], ...]


def _mapping(pairs: FileHashes | None) -> dict[str, str] | None:
    return None if pairs is None else dict(pairs)


def _surface_schema(kept: Schema) -> Schema:
    catalogue = load_catalogue()
    return any_of({"enum": [*catalogue.surfaces, *catalogue.aliases]}, *kept["anyOf"])


NamedSurface = Annotated[
    str | Surface,
    BeforeValidator(_by_name),
    PlainSerializer(_declared, when_used="json"),
    MappedSchema(_surface_schema),
]
NamedSurfaces = Annotated[
    tuple[NamedSurface, ...],
    BeforeValidator(_several),
    Field(min_length=1, max_length=MAX_SURFACES),
    MappedSchema(lambda kept: one_or_more(kept["items"])),
]
FileHashMapping = Annotated[
    FileHashes,
    BeforeValidator(_pairs),
    PlainSerializer(_mapping, when_used="json"),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}}),
]
Optimizers = Annotated[
    tuple[str, ...],
    BeforeValidator(_canonical_specs),
    Field(min_length=1, max_length=MAX_OPTIMIZERS),
    MappedSchema(lambda kept: one_or_more(TEXT)),
]
OptionalOptimizers = Annotated[
    tuple[str, ...],
    BeforeValidator(_canonical_specs),
    Field(max_length=MAX_OPTIMIZERS, validate_default=True),
    MappedSchema(lambda kept: one_or_several(TEXT)),
]
NamedSignal = Annotated[
    str | Signal,
    BeforeValidator(_signal),
    MappedSchema(lambda kept: any_of({"enum": [*SIGNALS]}, *kept["anyOf"])),
]
PlaneStart = Annotated[
    Point, AfterValidator(_on_the_surface), MappedSchema(lambda kept: any_of(TEXT, NUMBERS))
]
NamedTheme = Annotated[
    str | Theme,
    BeforeValidator(find_theme),
    PlainSerializer(_theme_written, when_used="json"),
    MappedSchema(lambda kept: any_of({"enum": [*THEMES]}, YAML_FILE, *kept["anyOf"][1:])),
]
Sides = Annotated[
    tuple[int, int],
    BeforeValidator(_sides),
    MappedSchema(
        lambda kept: any_of(
            TEXT | {"pattern": "^[0-9]{1,6}[xX][0-9]{1,6}$"},
            NUMBERS | {"minItems": 2, "maxItems": 2},
        )
    ),
]
FrameRanges = Annotated[str | None, AfterValidator(_ranges)]
Over = Annotated[
    tuple[str, ...],
    BeforeValidator(_over),
    Field(min_length=1, max_length=MAX_SOUGHT),
    MappedSchema(lambda kept: one_or_more(TEXT)),
]


def join_names(names: Sequence[str], counted: str) -> str:
    """Return names as a part of a file name; if too long, their number, as in "30-surfaces"."""
    text = "-".join(names)
    return text if len(text) <= MAX_NAME else f"{len(names)}-{counted}"
