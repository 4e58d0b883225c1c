"""The interface of a kind: its recipe, and the scene that the recipe computes.

A recipe holds everything that one picture depends on, as plain values. It is frozen and hashable,
goes to JSON and back, and does not say where the picture is written. A scene is the content of a
picture before it is drawn: its texts and its numbers. Code that renders, writes, reports or checks
pictures uses only these two interfaces and never checks the kind.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from inspect import get_annotations
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, Self, TypeVar

from pydantic import Field, ValidationInfo, field_validator

from optiviz.descent.learning_rate import ConfiguredOptimizer
from optiviz.kinds.facts import Facts
from optiviz.kinds.size import PictureSize, Size
from optiviz.kinds.style import Style, check_views
from optiviz.kinds.types import NamedTheme, resolve_surface
from optiviz.objective import Array
from optiviz.optimizers.spec import OptimizerSpec, Setting, labelled
from optiviz.registry import FORMATS, Format, LegendPlace, Quality, fits, format_of
from optiviz.surfaces.domain import Text
from optiviz.surfaces.region import check_hessian, region_where
from optiviz.surfaces.signal import Signal
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.progress import TaskProgress
from optiviz.system.validation import Model
from optiviz.themes import load_theme
from optiviz.themes.contrast import PathColor, color_remarks

DRAFT, MAX_SCALE = 0.5, 16.0  # least scale, that of a draft of a size on paper, and largest
SHARED = "theme", "size", "scale", "title"  # fields that a lesson decides for its pictures
LEADING_FIELDS = "kind", "surface", "surfaces", "signal"  # fields that are read first

Row = Iterator[Sequence[str | int | float]]


class Timeline(NamedTuple):
    """How a picture is animated: the step that each frame shows, before the last is held."""

    fps: float
    steps: Sequence[int]
    last: int
    evenly_spaced: bool  # whether the steps are spread evenly over the duration
    quality: Quality


class Card(NamedTuple):
    """Words that are shown alone before a picture: its number and heading, and of what it is."""

    number: str
    heading: str
    title: str


class Clip(NamedTuple):
    """A part of an animation: a picture, the step that each frame shows, and a card before it."""

    recipe: "BaseRecipe"
    scene: "Scene[Any]"
    steps: Sequence[int]
    card: Card | None = None


class BaseRecipe(Model):
    """Base class of recipes: theme, size and optional title, and what a kind may override.

    `kind` is the name of the kind in the registry, of its module here and of its command. scale
    multiplies the pixels of a picture, whose layout stays the same.
    """

    # Kinds of formats, or suffixes.
    formats: ClassVar[tuple[str, ...]] = ("animation", "still", "data")
    has_rate_report: ClassVar[bool] = False  # whether rate_report is available
    default_suffix: ClassVar[str] = ".gif"  # end of the file name unless specified

    kind: str
    theme: NamedTheme = "light"
    size: Annotated[PictureSize, Field(json_schema_extra={"default": "960x640"})] = Size(960, 640)
    scale: Annotated[float, Field(ge=DRAFT, le=MAX_SCALE)] = 1.0
    title: Text | None = None

    @field_validator("size")
    @classmethod
    def _drawable(cls, size: Size) -> Size:
        size.check()
        return size

    @field_validator("scale")
    @classmethod
    def _fits_memory(cls, scale: float, info: ValidationInfo) -> float:
        if "size" in info.data:
            info.data["size"].check(scale)
        return scale

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height of the picture in pixels."""
        return self.size.pixels(self.scale)

    @property
    def drawn_surfaces(self) -> tuple[str | Surface, ...]:
        """The surfaces that are drawn."""
        return ()

    @property
    def shares_work(self) -> bool:
        """Whether it has work that several processes can share."""
        return any(resolve_surface(each).learns for each in self.drawn_surfaces)

    @property
    def specs(self) -> tuple[OptimizerSpec, ...]:
        """The optimizers that are drawn."""
        return ()

    @property
    def named_specs(self) -> tuple[OptimizerSpec, ...]:
        """All optimizers that it names, also those that are drawn only on demand."""
        return self.specs

    @property
    def path_colors(self) -> list[tuple[str, str]]:
        """The label of each entry, and the colour that was chosen for it, if any."""
        return [(label, spec.color) for spec, label in labelled(self.specs)]

    @property
    def style(self) -> Style:
        """The style options of its views."""
        return Style()

    @property
    def small_multiples(self) -> bool:
        """Whether each part of its scene has its own panels."""
        return True

    @property
    def legend_place(self) -> LegendPlace | None:
        """Where its legend is; None for where the main panel is as large as possible."""
        return None

    @property
    def timeline(self) -> Timeline | None:
        """How it is animated; None for a still picture."""
        return None

    def clips(self, scene: Any) -> tuple[Clip, ...]:
        """Return what its animation, or its still picture, shows one after another: its scene."""
        shown = self.timeline
        return (Clip(self, scene, (scene.steps,) if shown is None else shown.steps),)

    @property
    def file_stem(self) -> str:
        """The beginning of the file name unless specified."""
        raise NotImplementedError

    def title_for(self, subject: Surface | Signal) -> str:
        """Return the recipe's title, stripped, or the title of the subject if it is None."""
        return subject.title if self.title is None else self.title.strip()

    def check(self) -> None:
        """Raise InputError if the picture cannot be created, before any work is done.

        One reason is a file of third-party code that has changed since the recipe was created.
        """
        for surface in self.drawn_surfaces:
            if not isinstance(surface, str):
                surface.origin.check_file()
                surface.check_feasible()
            if self.style.where is not None:
                try:
                    region_where(self.style.where, resolve_surface(surface))
                except InputError as error:
                    raise InputError(f"where: {error}") from None
            if self.style.eigenvectors:
                check_hessian("eigenvectors: the Hessian", resolve_surface(surface))

    def output_format(self, path: Path) -> Format:
        """Return the format of a path; raise InputError if the picture cannot be written in it."""
        form = format_of(path)
        if not fits(path.suffix.lower(), self.formats):
            fitting = [suffix for suffix in FORMATS if fits(suffix, self.formats)]
            raise InputError(
                f"{path}: optiviz {self.kind} cannot write {path.suffix.lower()} files: "
                f"choose from {', '.join(fitting)}"
            )
        try:
            self.check_output(form)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        if max(self.pixels) > form.max_side:
            raise InputError(f"{path}: width and height must be at most {form.max_side} pixels")
        return form

    def check_output(self, form: Format) -> None:
        """Raise InputError if a supported format cannot show everything in the recipe."""

    def check_kinds(self, kinds: Collection[str]) -> None:
        """Raise InputError if no output of these kinds of formats shows something in the recipe."""

    def make_scene(self, progress: TaskProgress | None = None) -> "Scene[Any]":
        """Compute everything but the drawing. Raises InputError if that is impossible."""
        raise NotImplementedError

    def views(self, part: "Scene[Any]") -> list[str]:
        """Return the names of the views that show a part of its scene."""
        return check_views(None, part.provides, ())

    def hints(self, paths: Sequence[str | Path] = ()) -> tuple[str, ...]:
        """Return what readers of these files may miss: colours hard to see, frames dropped."""
        timeline = self.timeline
        dropped = [
            f"{suffix[1:].upper()}: frames last whole hundredths of a second, at least two: "
            f"{form.max_fps:g} of {timeline.fps:g} frames a second are shown"
            for suffix, form in FORMATS.items()
            if timeline is not None and form.kind == "animation" and timeline.fps > form.max_fps
            if any(Path(path).suffix.lower() == suffix for path in paths)
        ]
        return (*self._color_hints(), *dropped)

    def _color_hints(self) -> tuple[str, ...]:
        """Return a sentence for each colour that somebody chose and that is hard to see."""
        theme, paths = load_theme(self.theme), []
        for number, (label, color) in enumerate(self.path_colors):
            if color:
                paths.append(PathColor(label, color, chosen=True))
            elif number < len(theme.paths):  # after the last one they repeat, with other markers
                paths.append(PathColor(label, theme.paths[number], theme.base is not None))
        return tuple(color_remarks(theme, paths))

    def rate_report(self, scene: "Scene[Any]") -> str:
        """Return a text that lists the learning rates that were tried, with their scores."""
        raise NotImplementedError

    def draft(self) -> Self:
        """Return the recipe of a quick draft: half the pixels, and points of a plane, per side."""
        changed: dict[str, object] = {"scale": DRAFT}
        if self.size.unit == "px":
            changed = {"size": self.size.halved()}
        drawn = [_coarser(each) for each in self.drawn_surfaces]
        for field in {"surface", "surfaces"} & type(self).model_fields.keys():
            changed[field] = tuple(drawn) if field == "surfaces" else drawn[0]
        return self.model_copy(update=changed)

    def last_frame(self) -> Self:
        """Return a recipe whose animation is only the last frame."""
        return self


def _coarser(surface: str | Surface) -> str | Surface:
    """Return a network or a model with a coarser grid; any other surface as it is."""
    found = resolve_surface(surface)
    return found.coarser() if found.learns else surface


def to_dict(recipe: BaseRecipe) -> dict[str, Any]:
    """Return a recipe as plain values, its subject first, without fields that are None."""
    values = recipe.model_dump(mode="json", exclude_none=True)
    fields = [name for each in type(recipe).__mro__ for name in get_annotations(each)]
    fields = [*(name for name in LEADING_FIELDS if name in fields), *fields]
    return {name: values[name] for name in fields if name in values}


class Column(NamedTuple):
    """A column of a report: numbers are right-aligned, and long texts may wrap."""

    heading: str
    number: bool = False
    wraps: bool = False


SETTINGS = Column("hyperparameters", wraps=True)
STATUS = Column("", wraps=True)


class Report(NamedTuple):
    """The result that a command prints: a table, and notes below it."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Entry(ABC):
    """One part of a picture, with a row in its legend: an optimizer, or what is beside them."""

    label: str  # unique among the entries
    number: int  # its index among all entries, which determines its colour
    shares: ClassVar[bool] = False  # whether its values are fractions of a whole

    @property
    def heading(self) -> str:
        """Its name in the legend."""
        return self.label

    @property
    @abstractmethod
    def detail(self) -> str:
        """The legend text beside its name."""

    @property
    def color(self) -> str:
        """The colour that was chosen for it, "" for one of the theme's."""
        return ""

    @property
    @abstractmethod
    def settings(self) -> list[str]:
        """What it is or how it was configured, as shown in tables."""

    @property
    @abstractmethod
    def steps(self) -> int:
        """The number of steps requested."""

    @abstractmethod
    def values(self, step: int) -> Array:
        """Return its values at a step, shape (n,); nan where there is none."""


@dataclass(frozen=True, eq=False, kw_only=True)
class OptimizerEntry(Entry):
    """One optimizer of a picture: its spec, its configuration, and its results."""

    spec: OptimizerSpec
    configured: ConfiguredOptimizer

    @property
    def heading(self) -> str:
        return self.spec.heading

    @property
    def detail(self) -> str:
        """The rate used, and all hyperparameters specified."""
        method, given = self.configured.optimizer, dict(self.spec.settings)
        used = method.hyperparameters()
        found = (method.rate, *self.configured.tuned)
        shown = {key: used[key] for key in found if used.get(key) is not None} | given
        settings = [self.setting(key, value) for key, value in shown.items()]
        settings = [said for said in settings if said != self.heading]
        name = replace(self.spec, label="").heading
        return "  ".join([name, *settings] if self.names_optimizer else settings)

    @property
    def names_optimizer(self) -> bool:
        """Whether the detail begins with the name of the optimizer, as the heading is another."""
        return bool(self.spec.label)

    @property
    def color(self) -> str:
        return self.spec.color

    @property
    def settings(self) -> list[str]:
        """All hyperparameters that have an effect or were specified.

        A learning rate that comes from the surface or signal is marked as such.
        """
        method, source = self.configured.optimizer, self.configured.source
        shown = (method.settings().keys() - {"seed"}) | dict(self.spec.settings).keys()
        shown |= {"seed"} if self.spec.seed is None else set()  # else the conditions have it
        brought = f" (the {source}'s)" if source in ("surface", "signal") else ""
        return [
            self.setting(key, value) + (brought if key == method.rate else "")
            for key, value in method.hyperparameters().items()
            if key in shown
        ]

    def setting(self, key: str, value: Setting) -> str:
        """Return a hyperparameter as text, for example "lr 0.21 (tuned)"."""
        tuned = key in self.configured.tuned
        spelt = self.spec.format_setting(key, value)
        return f"{key} {spelt}" + (f" ({self.configured.tuned_label})" if tuned else "")


EntryT = TypeVar("EntryT", bound=Entry)


@dataclass(frozen=True, eq=False, kw_only=True)
class Scene(Generic[EntryT]):
    """The content of a picture."""

    title: str
    entries: tuple[EntryT, ...] = ()
    blanks: tuple[str, ...] = ()  # sentences on what its pictures leave blank, once drawn
    conditions: tuple[str, ...] = ()  # conditions of every step, for example "batches of 128"
    is_followed: bool = False  # whether its files will soon be written again
    unfinished: str = ""  # how much of it is there, if not all, for example "3 of 20 trials"
    quantity: ClassVar[str] = ""  # what the values of the entries are
    colored: ClassVar[bool] = True  # whether entries differ by colour

    @property
    def formula(self) -> str:
        """The formula under the title, as mathematics."""
        return ""

    @property
    def variables(self) -> Mapping[str, str]:
        """The names to show for the variables of the formula."""
        return {}

    @property
    def caption(self) -> str:
        """The line of text under the formula."""
        return ""

    @property
    def description(self) -> str:
        """A text alternative that lists the entries."""
        return ", ".join(f"{each.heading} {each.detail}".rstrip() for each in self.entries)

    @property
    def steps(self) -> int:
        """The number of steps requested, the same for all entries; 0 without entries."""
        return max((entry.steps for entry in self.entries), default=0)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What went wrong, one text per problem, each beginning with the label of its entry."""
        return ()

    @property
    def provides(self) -> Mapping[str, int]:
        """What it offers to views, with dimensions, for example {"surface": 2, "descent": 2}."""
        return {}

    @property
    def max_plane_distance(self) -> float:
        """The largest distance of any path from the plane that is drawn; 0 if all are on it."""
        return 0.0

    @property
    def facts(self) -> Facts:
        """The numbers that text may quote, by name: plain ones, and functions of entries."""
        return {}

    def entry(self, label: str) -> EntryT:
        """Return the entry with a label; raise InputError if there is none."""
        for each in self.entries:
            if each.label == label:
                return each
        raise InputError(did_you_mean("path", label, [each.label for each in self.entries]))

    def status(self, entry: EntryT, step: int) -> str:
        """Return a remark on an entry at a step, or ""; the last step has the most remarks."""
        return ""

    def failed(self, entry: EntryT, step: int) -> bool:
        """Return whether the remark on an entry at a step is about something that went wrong."""
        return bool(self.status(entry, step))

    @property
    def unit(self) -> str:
        """What its steps are called."""
        return "step"

    @property
    def note(self) -> str:
        """The text above the entries instead of the step."""
        return ""

    def parts(self) -> "tuple[Scene[EntryT], ...]":
        """Return the scenes of small multiples."""
        return (self,)

    def to_dict(self) -> dict[str, Any]:
        """Return its numbers as plain values, in full precision, None where not finite."""
        return {}

    def rows(self) -> Row:
        """Yield its numbers as the rows of a table, headings first."""
        yield from ()

    def report(self, recipe: Any) -> Report | None:
        """Return what a command prints about the scene, or None.

        recipe is the one that the scene was computed from.
        """
        return None


@dataclass(frozen=True, eq=False, kw_only=True)
class SurfaceScene(Scene[EntryT]):
    """A scene about a surface."""

    surface: Surface

    @property
    def formula(self) -> str:
        return self.surface.shown_formula

    @property
    def variables(self) -> Mapping[str, str]:
        return self.surface.shown_variables

    @property
    def caption(self) -> str:
        return ", ".join(filter(None, (self.surface.caption, *self.conditions)))


@dataclass(frozen=True, eq=False, kw_only=True)
class OnSurface(SurfaceScene[EntryT]):
    """A surface from above, and what is drawn on it.

    In a small multiple, siblings are the entries of all multiples.
    """

    siblings: tuple[EntryT, ...] = ()

    def parts(self) -> "tuple[Scene[EntryT], ...]":
        return tuple(
            replace(self, entries=(each,), siblings=self.entries, title=each.heading)
            for each in self.entries
        )


def finite_or_none(number: float) -> float | None:
    """Return a number, or None if it is not finite, which JSON cannot express."""
    return number if math.isfinite(number) else None
