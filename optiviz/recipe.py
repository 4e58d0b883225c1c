"""All that one picture depends on, as plain values: from words, from YAML, from a finished file.

A recipe is frozen and hashable, and goes to JSON and back. It does not say where its picture is
written to. One class a kind of picture.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from inspect import get_annotations
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PlainSerializer,
    PositiveFloat,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from optiviz.descent.search import TRIALS, Range
from optiviz.kinds.style import Style, check_views
from optiviz.optimizers.words import Word, parse, parse_word, spell, vary
from optiviz.registry import MANY, SIGNALS, THEMES, Quality
from optiviz.scene import frame_steps
from optiviz.surfaces.catalogue import find_surface, our_surface
from optiviz.surfaces.signal import Signal, find_signal
from optiviz.surfaces.surface import (
    MAX_COORDINATE,
    MAX_STEPS,
    Point,
    Steps,
    Surface,
    Text,
    spelt,
)
from optiviz.surfaces.words import MOST_SAMPLES
from optiviz.system.errors import InputError, unknown
from optiviz.system.plugins import digest
from optiviz.system.text import shown

SMALLEST, LARGEST = (240, 160), 16384  # width and height of a picture at least, a side at most
MAX_PIXELS = 36_000_000
SLOWEST, FASTEST = 0.01, 100  # frames a second
MOST_SURFACES, MOST_OPTIMIZERS, MOST_RANGES = 64, 100, 100
MOST_TRIALS, MOST_SOUGHT = 10_000, 10
MOST_CELLS = 2048  # a side of a grid of starts
SUBJECTS = "kind", "surface", "surfaces", "signal"  # fields that are read first
STARTS = 25  # of a search, if nobody says


def _words(value: Any) -> Any:
    texts = [value] if isinstance(value, str) else value
    if any(map(callable, texts if isinstance(texts, list | tuple) else [texts])):
        raise ValueError("a class of your own is named by its file, as in my_optimizer.py:Lion")
    if not isinstance(texts, list | tuple):
        raise ValueError(f"should be text or a list, not {shown(value, quoted=True)}")
    if not all(isinstance(text, str) for text in texts):
        return value
    return tuple(str(word) for text in texts for word in parse(text))


def _by_name(value: Any, info: ValidationInfo) -> Any:
    """Return the name of a surface of our catalogue, so that equal pictures have one recipe."""
    if isinstance(value, str):
        found = find_surface(value)
    elif callable(value):
        raise ValueError("a function of your own is named by its file, as in my_surface.py:f")
    else:
        found = Surface.model_validate(value, context=info.context).fixed()
    return found.name if our_surface(found.name) == found else found


def _pairs(value: Any) -> Any:
    return tuple(value.items()) if isinstance(value, Mapping) else value


def _several(value: Any) -> Any:
    return tuple(word.strip() for word in value.split(",")) if isinstance(value, str) else value


def _signal(value: Any) -> Any:
    """Return the name of a signal of ours, else the signal itself, whatever file it came from."""
    found = find_signal(value) if isinstance(value, str) else Signal.model_validate(value)
    return found.name if found.name in SIGNALS and find_signal(found.name) == found else found


def _sides(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return value
    sides = re.fullmatch(r"(\d{1,6})[xX](\d{1,6})", str(value))
    if sides is None:
        raise ValueError(f"{shown(value, quoted=True)} is not of the form 960x640")
    return int(sides[1]), int(sides[2])


def parts_of(text: str) -> list[range]:
    """Return the ranges that a text such as "0:200:20,200:9000:100" says."""
    parts: list[range] = []
    if text.count(",") >= MOST_RANGES:
        raise ValueError(f"has more than {MOST_RANGES} parts")
    for part in text.split(","):
        said = shown(part, quoted=True)
        numbers = re.fullmatch(r"\s*(\d{1,20}):(\d{1,20}):(\d{1,20})\s*", part)
        if numbers is None:
            raise ValueError(f"{said} is not of the form FROM:TO:STRIDE, as in 0:200:20")
        start, stop, stride = (int(number) for number in numbers.groups())
        if stop > MAX_STEPS + 1:
            raise ValueError(f"{said} leads beyond {MAX_STEPS} steps")
        if start >= stop or stride < 1:
            raise ValueError(f"{said} has no step: TO is above FROM, and STRIDE at least 1")
        parts.append(range(start, stop, stride))
    return parts


def _ranges(text: str | None) -> str | None:
    if text is None:
        return None
    return ",".join(f"{part.start}:{part.stop}:{part.step}" for part in parts_of(text))


def _over(value: Any) -> Any:
    """Return hyperparameters to be sought, each in its canonical form."""
    texts = value.split(",") if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"should be text or a list, not {shown(value, quoted=True)}")
    ranges = [Range.read(text.strip()) for text in texts]
    if len({each.key for each in ranges}) < len(ranges):
        raise ValueError(f"{','.join(texts)!r} names a hyperparameter twice")
    return tuple(str(each) for each in ranges)


def resolved(surface: str | Surface) -> Surface:
    """Return the surface that a recipe names or holds."""
    return find_surface(surface) if isinstance(surface, str) else surface


def space_of(surface: Surface) -> int:
    """Return in how many dimensions a surface is descended: its own, or many."""
    return surface.dim if surface.inside else MANY


def _fitting(
    view: str | None,
    surfaces: Sequence[str | Surface | None],
    info: ValidationInfo,
    descended: bool,
) -> str | None:
    """Return a view that can draw all of these surfaces in the style of the same recipe."""
    style = Style.model_construct(**{key: info.data.get(key) for key in Style.model_fields})
    for surface in surfaces:
        if surface is not None and info.data.keys() >= Style.model_fields.keys():
            drawn = resolved(surface)
            check_views(view, drawn.dim, space_of(drawn) if descended else 0, style.given())
    return view and "+".join(name.strip() for name in view.split("+"))


def _on_the_surface(start: Point, info: ValidationInfo) -> Point:
    if "surface" in info.data:
        surface = resolved(info.data["surface"])
        if len(start) != surface.dim:
            raise ValueError(
                f"{spelt(start)} has {len(start)} coordinates and "
                f"{surface.name or 'the formula'} has {surface.dim}"
            )
    return start


def _many_starts(number: Any, info: ValidationInfo) -> Any:
    """Return so many random starts if nobody says where runs begin, and it can be said."""
    if number is not None or "surface" not in info.data:
        return number or 0
    many = not info.data.get("starts") and resolved(info.data["surface"]).inside
    return STARTS if many else 0


def _declared(surface: str | Surface) -> str | dict[str, Any]:
    if isinstance(surface, str):
        return surface
    return surface.model_dump(mode="json", exclude_defaults=True)


Digests = tuple[tuple[str, str], ...]


def _mapping(pairs: Digests | None) -> dict[str, str] | None:
    return None if pairs is None else dict(pairs)


NamedSurface = Annotated[
    str | Surface, BeforeValidator(_by_name), PlainSerializer(_declared, when_used="json")
]
Pairs = Annotated[
    Digests,
    BeforeValidator(_pairs),
    PlainSerializer(_mapping, when_used="json"),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}}),
]
Optimizers = Annotated[
    tuple[str, ...], BeforeValidator(_words), Field(min_length=1, max_length=MOST_OPTIMIZERS)
]


Over = Annotated[
    tuple[str, ...], BeforeValidator(_over), Field(min_length=1, max_length=MOST_SOUGHT)
]


class Drawing(BaseModel):
    """What every picture has: a theme, a size, and perhaps a title of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    forms: ClassVar[tuple[str, ...]] = ("animation", "still", "data")  # kinds of formats it has

    theme: str = "light"
    size: Annotated[tuple[int, int], BeforeValidator(_sides)] = (960, 640)
    title: Text | None = None

    @field_validator("theme")
    @classmethod
    def _known(cls, theme: str) -> str:
        if theme not in THEMES:
            raise InputError(unknown("theme", theme, THEMES))
        return theme

    @field_validator("size")
    @classmethod
    def _drawable(cls, size: tuple[int, int]) -> tuple[int, int]:
        """Refuse what is too small for words, too large for a video codec or for memory."""
        if not (SMALLEST[0] <= size[0] <= LARGEST and SMALLEST[1] <= size[1] <= LARGEST):
            least, most = "{}x{}".format(*SMALLEST), f"{LARGEST}x{LARGEST}"
            raise ValueError(f"{size[0]}x{size[1]} is not between {least} and {most}")
        if size[0] * size[1] > MAX_PIXELS:
            raise ValueError(f"{size[0]}x{size[1]} has more than {MAX_PIXELS} pixels")
        return size

    def check_files(self) -> None:
        """Raise InputError if a file of a stranger's code is not the one of the recipe."""
        for surface in self.subjects:
            if not isinstance(surface, str):
                surface.check_file()

    @property
    def subjects(self) -> tuple[str | Surface, ...]:
        """The surfaces that are drawn."""
        return ()


class Contenders(Drawing):
    """Who is compared.

    optimizers are words such as "adam:lr=0.25", also as one comma-separated string; plugins are
    the SHA-256 of the files that they are of, by their names.
    """

    optimizers: Optimizers
    plugins: Annotated[
        Pairs | None,
        Field(validate_default=True, description="SHA-256 of the files that optimizers are of."),
    ] = None

    @field_validator("plugins")
    @classmethod
    def _of_files(cls, pairs: Digests | None, info: ValidationInfo) -> Digests | None:
        """Return the SHA-256 of each file that optimizers are of, as it is unless it is given."""
        given: dict[str, str] = dict(pairs or ())
        found: dict[str, str] = {}
        for file, sha256 in given.items():
            if not re.fullmatch("[0-9a-f]{64}", sha256):
                raise ValueError(f"{shown(file)}: {shown(sha256, quoted=True)} is no SHA-256")
        words = [parse_word(text) for text in info.data.get("optimizers", ())]
        files = {word.file for word in words if word.file is not None}
        for file in sorted(files):
            if file in given:
                found[file] = given[file]
            else:
                with suppress(InputError):  # said when it is to be made
                    found[file] = digest(file)
        if others := given.keys() - files:
            raise ValueError(f"{shown(min(others))} is no file of these optimizers")
        return tuple(found.items()) or None

    def check_files(self) -> None:
        super().check_files()
        known = dict(self.plugins or ())
        for word in self.words:
            if word.file is not None and digest(word.file) != known.get(word.file):
                raise InputError(
                    f"{word.file} is not the file that the recipe was made with: "
                    f"if it is meant, name its optimizer anew: --opt {word.name}"
                )

    @property
    def words(self) -> tuple[Word, ...]:
        """Every optimizer that is to be drawn."""
        return tuple(parse_word(text) for text in self.optimizers)


class Contest(Contenders):
    """What every picture of optimizers has that can move: how it does.

    `vary` lets one optimizer come several times, as in "momentum=0.25,0.9". frames are the steps
    that are shown instead of evenly strided ones, as in "0:200:20,200:9000:100", each part from,
    to, stride.
    """

    vary: str | None = None
    lr: Annotated[PositiveFloat, Field(allow_inf_nan=False)] | None = None
    fps: Annotated[float, Field(ge=SLOWEST, le=FASTEST)] = 12.0
    duration: Annotated[float, Field(gt=0, le=3600)] = 10.0
    frames: Annotated[str | None, AfterValidator(_ranges)] = None
    quality: Quality = "standard"

    @field_validator("vary")
    @classmethod
    def _variable(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is not None and "optimizers" in info.data:
            words = info.data["optimizers"]
            if len(words) != 1:
                raise InputError(f"wants one optimizer, not {len(words)}")
            varied = vary(parse_word(words[0]), text)
            key = text.partition("=")[0].strip()
            return f"{key}={','.join(spell(dict(word.settings)[key]) for word in varied)}"
        return text

    def frame_steps(self, steps: int) -> list[int]:
        """Return the step that each frame shows of so many, the last one always."""
        if self.frames is None:
            return frame_steps(steps, self.fps, self.duration)
        parts = [
            range(each.start, min(each.stop, steps + 1), each.step)
            for each in parts_of(self.frames)
        ]
        shown = {steps}.union(*parts)
        return sorted(shown)

    @property
    def words(self) -> tuple[Word, ...]:
        words = super().words
        return words if self.vary is None else vary(words[0], self.vary)


class Met(BaseModel):
    """What is descended, and how long.

    surface is a name of our catalogue or a whole declaration; batch_size how many samples of a
    network a step meets, all if None; noise the standard deviation of what is added to each
    coordinate of a gradient.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    surface: NamedSurface
    seed: NonNegativeInt = 0
    steps: Steps | None = None
    batch_size: Annotated[int, Field(ge=1, le=MOST_SAMPLES)] | None = None
    noise: Annotated[float, Field(ge=0, le=MAX_COORDINATE, allow_inf_nan=False)] = 0.0

    @field_validator("batch_size")
    @classmethod
    def _of_samples(cls, size: int | None, info: ValidationInfo) -> int | None:
        if size is not None and "surface" in info.data:
            surface = resolved(info.data["surface"])
            if surface.network is None:
                raise ValueError(f"{surface.name or 'a formula'} has no samples to take batches of")
        return size

    @property
    def subjects(self) -> tuple[str | Surface, ...]:
        """The surface alone."""
        return (self.surface,)


class Descended(Met):
    """What is descended, from where, and how long."""

    starts: tuple[Annotated[Point, AfterValidator(_on_the_surface)], ...] = ()
    random_starts: Annotated[NonNegativeInt, Field(le=1000)] = 0


class Recipe(Descended, Contest, Style):
    """Optimizers that descend a surface: from where, how long, and how that is shown.

    view is one or several of the table of views, joined by "+"; tune names the hyperparameters
    that are sought for every optimizer before it is drawn, as those of a TuneRecipe.
    """

    kind: Literal["run"] = "run"
    forms: ClassVar = (*Drawing.forms, "page")
    tune: Over | None = None
    view: Annotated[str | None, Field(validate_default=True)] = None
    layout: Literal["panels", "grid"] = "panels"

    @field_validator("view")
    @classmethod
    def _fits(cls, view: str | None, info: ValidationInfo) -> str | None:
        return _fitting(view, [info.data.get("surface")], info, descended=True)


class TuneRecipe(Descended, Contenders):
    """A search for hyperparameters, the same for every optimizer, and its picture.

    over are the hyperparameters, as in "lr" and "beta1=0.5:0.99", and trials how many values, or
    combinations of values, of them each optimizer gets. Runs begin at 25 random starts if nobody
    says where; networks that are descended in all weights begin at their own.
    """

    kind: Literal["tune"] = "tune"
    random_starts: Annotated[
        int,
        BeforeValidator(_many_starts),
        Field(ge=0, le=1000, validate_default=True, json_schema_extra={"default": STARTS}),
    ] = None  # type: ignore[assignment]
    forms: ClassVar = ("still", "data")
    over: Over = ("lr",)
    trials: Annotated[int, Field(ge=2, le=MOST_TRIALS)] = TRIALS


class BasinsRecipe(Met, Contest):
    """Where each start of a grid over the window ends, with each optimizer.

    grid is how many columns and rows the starts have, also as "512x512".
    """

    kind: Literal["basins"] = "basins"
    grid: Annotated[tuple[int, int], BeforeValidator(_sides)] = (256, 256)

    @field_validator("surface", check_fields=False)
    @classmethod
    def _in_two_dimensions(cls, surface: str | Surface) -> str | Surface:
        found = resolved(surface)
        if found.dim != 2 or not found.inside:
            what = "one dimension" if found.dim == 1 else "all of a network's weights"
            raise ValueError(f"{found.name or 'it'} is descended in {what}, basins need two")
        return surface

    @field_validator("grid")
    @classmethod
    def _countable(cls, grid: tuple[int, int]) -> tuple[int, int]:
        if not all(2 <= side <= MOST_CELLS for side in grid):
            raise ValueError(
                f"{grid[0]}x{grid[1]} is not between 2x2 and {MOST_CELLS}x{MOST_CELLS}"
            )
        return grid


class PlotRecipe(Drawing, Style):
    """Surfaces without a descent, side by side: a still picture."""

    forms: ClassVar = ("still",)
    kind: Literal["plot"] = "plot"
    surfaces: Annotated[
        tuple[NamedSurface, ...],
        BeforeValidator(_several),
        Field(min_length=1, max_length=MOST_SURFACES),
    ]
    view: Annotated[str | None, Field(validate_default=True)] = None

    @field_validator("view")
    @classmethod
    def _fits(cls, view: str | None, info: ValidationInfo) -> str | None:
        return _fitting(view, info.data.get("surfaces", ()), info, descended=False)

    @property
    def subjects(self) -> tuple[str | Surface, ...]:
        return self.surfaces


class ResponseRecipe(Contest):
    """What optimizers answer to a signal of gradients.

    signal is the name of one of ours, of a .csv file, or the signal itself.
    """

    kind: Literal["response"] = "response"
    signal: Annotated[str | Signal, BeforeValidator(_signal)]


AnyRecipe = Recipe | TuneRecipe | BasinsRecipe | PlotRecipe | ResponseRecipe
KINDS: dict[str, type[AnyRecipe]] = {
    "run": Recipe,
    "tune": TuneRecipe,
    "basins": BasinsRecipe,
    "plot": PlotRecipe,
    "response": ResponseRecipe,
}


def plain(recipe: AnyRecipe) -> dict[str, Any]:
    """Return a recipe as plain values, its subject first, without what nobody gave."""
    values = recipe.model_dump(mode="json", exclude_none=True)
    fields = [name for each in type(recipe).__mro__ for name in get_annotations(each)]
    fields = [*(name for name in SUBJECTS if name in fields), *fields]
    return {name: values[name] for name in fields if name in values}
