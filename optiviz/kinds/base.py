"""The contract of a kind: a recipe, the scene that it becomes, and what each has to answer.

A recipe is all that one picture depends on, as plain values. It is frozen and hashable, goes to
JSON and back, and does not say where its picture is written to. A scene is what is seen, before
there is a pixel: it knows what the words of a picture say, and its numbers. Whoever makes,
writes, tells or checks a picture asks these two, and never which kind it is.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import get_annotations
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, Self, TypeVar

from pydantic import BaseModel, ConfigDict, field_validator

from optiviz.descent.learning_rate import ConfiguredOptimizer
from optiviz.kinds.style import Style, check_views
from optiviz.kinds.types import Sides
from optiviz.objective import Array
from optiviz.optimizers.spec import OptimizerSpec, Setting
from optiviz.registry import FORMATS, THEMES, Format, Quality, format_of
from optiviz.surfaces.domain import Text
from optiviz.surfaces.signal import Signal
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.json_schema import MappedSchema
from optiviz.system.progress import TaskProgress

MIN_SIZE, MAX_SIDE = (240, 160), 16384  # width and height of a picture at least, a side at most
MAX_PIXELS = 36_000_000
LEADING_FIELDS = "kind", "surface", "surfaces", "signal"  # fields that are read first

Row = Iterator[Sequence[str | int | float]]


class Timeline(NamedTuple):
    """How a picture moves: the step that each frame shows, before the last one is held."""

    fps: float
    steps: Sequence[int]
    last: int
    evenly_spaced: bool  # whether steps are as evenly strided as the duration wants them
    quality: Quality


class BaseRecipe(BaseModel):
    """What every picture has: a theme, a size, perhaps a title of its own; and what a kind says.

    A kind overrides what is different of it. `kind` is its word in the registry, its file here
    and its command.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    formats: ClassVar[tuple[str, ...]] = ("animation", "still", "data")  # kinds of them
    has_rate_report: ClassVar[bool] = False  # whether it tells what learning rates were tried
    default_suffix: ClassVar[str] = ".gif"  # with what the name of its file ends, if nobody says

    kind: str
    theme: Annotated[str, MappedSchema(lambda kept: {"enum": [*THEMES]})] = "light"
    size: Sides = (960, 640)
    title: Text | None = None

    @field_validator("theme")
    @classmethod
    def _known(cls, theme: str) -> str:
        if theme not in THEMES:
            raise InputError(did_you_mean("theme", theme, THEMES))
        return theme

    @field_validator("size")
    @classmethod
    def _drawable(cls, size: tuple[int, int]) -> tuple[int, int]:
        """Refuse what is too small for words, too large for a video codec or for memory."""
        if not (MIN_SIZE[0] <= size[0] <= MAX_SIDE and MIN_SIZE[1] <= size[1] <= MAX_SIDE):
            least, most = "{}x{}".format(*MIN_SIZE), f"{MAX_SIDE}x{MAX_SIDE}"
            raise ValueError(f"{size[0]}x{size[1]} is not between {least} and {most}")
        if size[0] * size[1] > MAX_PIXELS:
            raise ValueError(f"{size[0]}x{size[1]} has more than {MAX_PIXELS} pixels")
        return size

    @property
    def drawn_surfaces(self) -> tuple[str | Surface, ...]:
        """The surfaces that are drawn."""
        return ()

    @property
    def specs(self) -> tuple[OptimizerSpec, ...]:
        """The optimizers that are drawn."""
        return ()

    @property
    def style(self) -> Style:
        """What its views heed."""
        return Style()

    @property
    def small_multiples(self) -> bool:
        """Whether each part of its scene has panels of its own."""
        return True

    @property
    def timeline(self) -> Timeline | None:
        """How it moves; None of what stands still."""
        return None

    @property
    def file_stem(self) -> str:
        """What the name of its file begins with, if nobody says."""
        raise NotImplementedError

    def title_for(self, subject: Surface | Signal) -> str:
        """Return the title that was given, "" for none, else that of what is drawn."""
        return subject.title if self.title is None else self.title.strip()

    def check(self) -> None:
        """Raise InputError if it cannot be made, before any work.

        So it is if a file of a stranger's code is not the one that it was made with.
        """
        for surface in self.drawn_surfaces:
            if not isinstance(surface, str):
                surface.origin.check_file()

    def output_format(self, path: Path) -> Format:
        """Return the format of a path; raise InputError if it cannot be written as that."""
        form = format_of(path)
        if form.kind not in self.formats:
            fitting = [suffix for suffix, each in FORMATS.items() if each.kind in self.formats]
            raise InputError(
                f"{path}: a {self.kind} has no {form.kind}: choose from {', '.join(fitting)}"
            )
        try:
            self.check_output(form)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        if max(self.size) > form.max_side:
            raise InputError(f"{path}: no side can be longer than {form.max_side} pixels")
        return form

    def check_output(self, form: Format) -> None:
        """Raise InputError if a format that it has cannot show all that it asks for."""

    def make_scene(self, progress: TaskProgress | None = None) -> "Scene[Any]":
        """Do all that it asks for, up to drawing it. Raises InputError if that cannot be."""
        raise NotImplementedError

    def views(self, part: "Scene[Any]") -> list[str]:
        """Return the names of the views that show a part of its scene."""
        return check_views(None, part.provides, ())

    def rate_report(self, scene: "Scene[Any]") -> str:
        """Return what was tried to find learning rates, in lines."""
        raise NotImplementedError

    def draft(self) -> Self:
        """Return the recipe of a quick draft, of half the size."""
        sides = zip(MIN_SIZE, self.size, strict=True)
        return self.model_copy(update={"size": tuple(max(least, n // 2) for least, n in sides)})

    def last_frame(self) -> Self:
        """Return the recipe whose animation is the last frame alone."""
        return self


def to_dict(recipe: BaseRecipe) -> dict[str, Any]:
    """Return a recipe as plain values, its subject first, without what nobody gave."""
    values = recipe.model_dump(mode="json", exclude_none=True)
    fields = [name for each in type(recipe).__mro__ for name in get_annotations(each)]
    fields = [*(name for name in LEADING_FIELDS if name in fields), *fields]
    return {name: values[name] for name in fields if name in values}


class Column(NamedTuple):
    """A column of a report: numbers stand on the right, and long texts may be broken."""

    heading: str
    number: bool = False
    wraps: bool = False


SETTINGS = Column("hyperparameters", wraps=True)
STATUS = Column("", wraps=True)


class Report(NamedTuple):
    """What came out, as a command prints it: a table, and sentences below it."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Entry(ABC):
    """One optimizer of a picture: its word, its learning rate, and what it did."""

    spec: OptimizerSpec
    label: str  # no other entry has it
    configured: ConfiguredOptimizer
    number: int  # its place among all entries, which its colour goes by
    shares: ClassVar[bool] = False  # whether its numbers are shares of a whole

    @property
    def heading(self) -> str:
        """What the legend calls it."""
        return self.spec.heading

    @property
    def detail(self) -> str:
        """What the legend says beside it: the rate really used, and all that was given."""
        method, given = self.configured.optimizer, dict(self.spec.settings)
        used = method.hyperparameters()
        found = (method.rate, *self.configured.tuned)
        shown = {key: used[key] for key in found if used.get(key) is not None} | given
        settings = [self.setting(key, value) for key, value in shown.items()]
        settings = [said for said in settings if said != self.heading]
        named = not self.spec.label
        return "  ".join(settings if named else [replace(self.spec, label="").heading, *settings])

    @property
    def settings(self) -> list[str]:
        """All hyperparameters that do something or were given, as tables show them.

        A learning rate that the surface or signal brings along says so.
        """
        method, source = self.configured.optimizer, self.configured.source
        shown = method.settings().keys() | dict(self.spec.settings).keys()
        brought = f" (the {source}'s)" if source in ("surface", "signal") else ""
        return [
            self.setting(key, value) + (brought if key == method.rate else "")
            for key, value in method.hyperparameters().items()
            if key in shown
        ]

    def setting(self, key: str, value: Setting) -> str:
        """Write a hyperparameter as it is shown everywhere, as in "lr 0.21 (tuned)"."""
        tuned = key in self.configured.tuned
        spelt = self.spec.format_setting(key, value)
        return f"{key} {spelt}" + (f" ({self.configured.tuned_label})" if tuned else "")

    @property
    @abstractmethod
    def steps(self) -> int:
        """The number of steps that were asked for."""

    @abstractmethod
    def values(self, step: int) -> Array:
        """Return the numbers that belong to it in a step; nan where there is none."""


EntryT = TypeVar("EntryT", bound=Entry)


@dataclass(frozen=True, eq=False, kw_only=True)
class Scene(Generic[EntryT]):
    """All that a picture is of. Entries differ by colour."""

    title: str
    entries: tuple[EntryT, ...] = ()
    quantity: ClassVar[str] = ""  # what the numbers of the entries are
    colored: ClassVar[bool] = True  # whether entries differ by colour

    @property
    def formula(self) -> str:
        """What stands under the title, as mathematics."""
        return ""

    @property
    def caption(self) -> str:
        """What stands under that, in words."""
        return ""

    @property
    def description(self) -> str:
        """Who is seen, for those who cannot see it."""
        return ", ".join(f"{each.heading} {each.detail}".rstrip() for each in self.entries)

    @property
    def steps(self) -> int:
        """The number of steps that all entries were asked for; 0 where there are none."""
        return max((entry.steps for entry in self.entries), default=0)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What did not go as one would wish, each with whose it is."""
        return ()

    @property
    def provides(self) -> Mapping[str, int]:
        """What it has for views, and in how many dimensions, as in {"surface": 2, "descent": 2}."""
        return {}

    @property
    def max_plane_distance(self) -> float:
        """How far the farthest point of any path is from the plane that is drawn; 0 if on it."""
        return 0.0

    def status(self, entry: EntryT, step: int) -> str:
        """Return what is to be said of an entry in a step, which is most in the last one."""
        return ""

    def step_label(self, step: int) -> str:
        """Return what stands above the entries in a step."""
        return f"step {step} of {self.steps}" if self.entries else ""

    def parts(self) -> "tuple[Scene[EntryT], ...]":
        """Return the scenes of small multiples."""
        return (self,)

    def to_dict(self) -> dict[str, Any]:
        """Return all of its numbers as plain values, in full precision, None where not finite."""
        return {}

    def rows(self) -> Row:
        """Return its numbers as a table whose first row are the headings."""
        yield from ()

    def report(self, recipe: Any) -> Report | None:
        """Return what a command prints of it; None if there is nothing to say.

        The recipe is the one that it was made from.
        """
        return None


@dataclass(frozen=True, eq=False, kw_only=True)
class OnSurface(Scene[EntryT]):
    """A surface from above, and what is drawn on it.

    Where this is one of several small multiples, company are the entries of all.
    """

    surface: Surface
    siblings: tuple[EntryT, ...] = ()
    conditions: tuple[str, ...] = ()  # what every step was subject to, as in "batches of 128"

    @property
    def formula(self) -> str:
        return self.surface.formula

    @property
    def caption(self) -> str:
        return ", ".join(filter(None, (self.surface.caption, *self.conditions)))

    def parts(self) -> "tuple[Scene[EntryT], ...]":
        return tuple(
            replace(self, entries=(each,), siblings=self.entries, title=each.heading)
            for each in self.entries
        )


def finite_or_none(number: float) -> float | None:
    """Return a number, None if JSON has none such."""
    return number if math.isfinite(number) else None
