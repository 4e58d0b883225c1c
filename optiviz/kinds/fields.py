"""Groups of fields shared by kinds: optimizers, problem, animation."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import MISSING, replace
from typing import Annotated, Self

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    ValidationInfo,
    field_validator,
)

from optiviz.descent import problem_of
from optiviz.descent.problem import Problem
from optiviz.kinds.base import BaseRecipe, Timeline
from optiviz.kinds.style import Style, check_views
from optiviz.kinds.types import (
    FileHashes,
    FileHashMapping,
    FrameRanges,
    NamedSurface,
    Optimizers,
    PlaneStart,
    join_names,
    parse_frame_ranges,
    resolve_surface,
)
from optiviz.objective import Array, Objective, Stream
from optiviz.optimizers.lookup import factory_of
from optiviz.optimizers.spec import OptimizerSpec, format_value, parse_spec, vary
from optiviz.registry import Quality
from optiviz.surfaces.config import MAX_SAMPLES
from optiviz.surfaces.domain import MAX_COORDINATE, Point, Steps
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError
from optiviz.system.plugins import file_hash
from optiviz.system.text import shorten

MIN_FPS, MAX_FPS = 0.01, 100  # frames per second
DRAFT_STRIDE = 3  # frames per frame of a draft
DEFAULT_STEPS = 120  # if neither the recipe nor the surface specifies them


def fitting_view(
    view: str | None, provided: Sequence[Mapping[str, int]], info: ValidationInfo
) -> str | None:
    """Return a view without spaces; raise InputError if it cannot draw what is provided.

    info holds the fields of the same recipe, whose style the view must support.
    """
    style = Style.model_construct(**{key: info.data.get(key) for key in Style.model_fields})
    if info.data.keys() >= Style.model_fields.keys():
        for each in provided:
            check_views(view, each, style.changed_fields())
    return view and "+".join(name.strip() for name in view.split("+"))


class OptimizerFields(BaseRecipe):
    """The optimizers that are compared.

    optimizers are specs such as "adam:lr=0.25", also as one comma-separated string; plugins maps
    the files of third-party optimizers to their SHA-256.
    """

    optimizers: Optimizers
    plugins: Annotated[
        FileHashMapping | None,
        Field(validate_default=True, description="SHA-256 of the files of third-party optimizers."),
    ] = None

    @field_validator("plugins")
    @classmethod
    def _of_files(cls, pairs: FileHashes | None, info: ValidationInfo) -> FileHashes | None:
        """Return the SHA-256 of each optimizer's file, computed unless it is specified."""
        given: dict[str, str] = dict(pairs or ())
        found: dict[str, str] = {}
        for file, sha256 in given.items():
            if not re.fullmatch("[0-9a-f]{64}", sha256):
                said = f"{shorten(sha256, quoted=True)} is not a SHA-256 hash"
                raise ValueError(f"{shorten(file)}: {said}")
        specs = [parse_spec(text) for text in info.data.get("optimizers", ())]
        files = {spec.file for spec in specs if spec.file is not None}
        for file in sorted(files):
            if file in given:
                found[file] = given[file]
            else:
                with suppress(InputError):  # check() reports it
                    found[file] = file_hash(file)
        if others := given.keys() - files:
            raise ValueError(f"{shorten(min(others))} is not the file of any of these optimizers")
        return tuple(found.items()) or None

    def check(self) -> None:
        super().check()
        known = dict(self.plugins or ())
        for spec in self.specs:
            if spec.file is not None and file_hash(spec.file) != known.get(spec.file):
                raise InputError(
                    f"{spec.file} has changed since the recipe was created: "
                    f"to use the new version, pass --opt {spec.name}"
                )

    @property
    def specs(self) -> tuple[OptimizerSpec, ...]:
        return tuple(parse_spec(text) for text in self.optimizers)

    def loaded_specs(self, steps: int) -> list[OptimizerSpec]:
        """Return the specs of a run of so many steps, after building each optimizer once.

        Errors of third-party code are thus raised before the first descent, which may be long.
        """
        specs = [spec.with_total_steps(steps) for spec in self.specs]
        for spec in specs:
            factory = factory_of(spec.name)
            if factory.rate and factory.parameters[factory.rate].default is MISSING:
                spec.build(**{factory.rate: 1.0})
            else:
                spec.build()
        return specs

    @property
    def file_stem(self) -> str:
        specs = [parse_spec(text) for text in self.optimizers]
        names = [re.sub(r"[^\w.+-]+", "-", replace(each, label="").heading) for each in specs]
        return f"{self.subject_stem}-{join_names(names, 'optimizers')}"

    @property
    def subject_stem(self) -> str:
        """The name of the problem in the file name."""
        raise NotImplementedError


class AnimationFields(OptimizerFields):
    """Optimizers in a picture that can be animated, and how it is.

    vary repeats one optimizer with several values, for example "momentum=0.25,0.9". frames are
    the steps to show instead of evenly spaced ones, for example "0:200:20,200:9000:100", each
    range as START:STOP:STEP.
    """

    vary: str | None = None
    lr: Annotated[PositiveFloat, Field(allow_inf_nan=False)] | None = None
    fps: Annotated[float, Field(ge=MIN_FPS, le=MAX_FPS)] = 12.0
    duration: Annotated[float, Field(gt=0, le=3600)] = 10.0
    frames: FrameRanges = None
    quality: Quality = "standard"

    @field_validator("vary")
    @classmethod
    def _variable(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is not None and "optimizers" in info.data:
            specs = info.data["optimizers"]
            if len(specs) != 1:
                raise InputError(f"needs exactly one optimizer, not {len(specs)}")
            varied = vary(parse_spec(specs[0]), text)
            key = text.partition("=")[0].strip()
            return f"{key}={','.join(format_value(dict(spec.settings)[key]) for spec in varied)}"
        return text

    def frame_steps(self, steps: int) -> list[int]:
        """Return the step that each frame shows; the last step is always included."""
        if self.frames is None:
            return frame_steps(steps, self.fps, self.duration)
        parts = [
            range(each.start, min(each.stop, steps + 1), each.step)
            for each in parse_frame_ranges(self.frames)
        ]
        shown = {steps}.union(*parts)
        return sorted(shown)

    @property
    def specs(self) -> tuple[OptimizerSpec, ...]:
        specs = super().specs
        return specs if self.vary is None else vary(specs[0], self.vary)

    @property
    def last_step(self) -> int:
        """The step that the last frame of an animation shows."""
        raise NotImplementedError

    @property
    def timeline(self) -> Timeline:
        last = self.last_step
        return Timeline(self.fps, self.frame_steps(last), last, self.frames is None, self.quality)

    def check(self) -> None:
        super().check()
        if self.frames is not None:
            first = min(each.start for each in parse_frame_ranges(self.frames))
            if first > self.last_step:
                raise InputError(
                    f"frames: {self.frames} starts after the last step, {self.last_step}"
                )

    def draft(self) -> Self:
        """Return the recipe of a draft: half the size, a third of the frames, the same duration."""
        changed: dict[str, object] = {"fps": max(self.fps / DRAFT_STRIDE, MIN_FPS)}
        if self.frames is None:
            changed["duration"] = len(self.timeline.steps) / self.fps
        else:
            changed["frames"] = ",".join(
                f"{each.start}:{each.stop}:{DRAFT_STRIDE * each.step}"
                for each in parse_frame_ranges(self.frames)
            )
        return super().draft().model_copy(update=changed)

    def last_frame(self) -> Self:
        last = self.last_step
        return self.model_copy(update={"frames": f"{last}:{last + 1}:1"})


class ProblemFields(BaseModel):
    """What is descended, and for how many steps.

    surface is a name in the built-in catalogue or a whole declaration; batch_size is the number
    of samples of a network per step, all if None; noise is the standard deviation of the noise
    added to each coordinate of a gradient.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    surface: NamedSurface
    seed: NonNegativeInt = 0
    steps: Steps | None = None
    batch_size: Annotated[int, Field(ge=1, le=MAX_SAMPLES)] | None = None
    noise: Annotated[float, Field(ge=0, le=MAX_COORDINATE, allow_inf_nan=False)] = 0.0

    @field_validator("batch_size")
    @classmethod
    def _of_samples(cls, size: int | None, info: ValidationInfo) -> int | None:
        if size is not None and "surface" in info.data:
            surface = resolve_surface(info.data["surface"])
            if not problem_of(surface).has_samples:
                raise ValueError(f"{surface.name or 'the formula'} has no samples for batches")
        return size

    @property
    def drawn_surfaces(self) -> tuple[str | Surface, ...]:
        """Its only surface."""
        return (self.surface,)

    @property
    def subject_stem(self) -> str:
        """The name of the surface in the file name."""
        return resolve_surface(self.surface).origin.file_name

    @property
    def last_step(self) -> int:
        """The number of steps: the recipe's, else the surface's, else DEFAULT_STEPS."""
        return self.steps or resolve_surface(self.surface).steps or DEFAULT_STEPS

    @property
    def problem(self) -> Problem:
        """The problem that is descended."""
        return problem_of(resolve_surface(self.surface))

    def objective(self) -> Objective | Stream:
        """Return the objective of every optimizer."""
        return self.problem.objective(self.batch_size, self.noise, self.seed)

    def conditions(self) -> tuple[str, ...]:
        """Return the conditions of every step, for example "batches of 128"."""
        said = []
        if self.batch_size is not None:
            said.append(f"batches of {self.batch_size}")
        if self.noise:
            said.append(f"gradient noise {self.noise:g}")
        if self.noise or self.batch_size is not None or self.problem.is_random:
            said.append(f"seed {self.seed}")
        return tuple(said)


class StartFields(ProblemFields):
    """What is descended, from which starts, and for how many steps."""

    starts: tuple[PlaneStart, ...] = ()
    random_starts: Annotated[NonNegativeInt, Field(le=1000)] = 0

    def points(self) -> tuple[Point, ...]:
        """Return the specified starts, then random ones; the surface's starts if there are none."""
        surface = resolve_surface(self.surface)
        if not self.random_starts:
            return self.starts or surface.default_starts
        low, high = np.transpose(surface.window.intervals)
        drawn = np.random.default_rng(self.seed).uniform(
            low, high, (self.random_starts, surface.dim)
        )
        return (*self.starts, *(tuple(point) for point in drawn.tolist()))

    def start_points(self) -> list[Array]:
        """Return the starts of runs as points of the objective."""
        return [self.problem.start(point) for point in self.points()]


def labelled(specs: Sequence[OptimizerSpec]) -> list[tuple[OptimizerSpec, str]]:
    """Return each spec with a unique label: adam, or adam lr 0.1, or adam (2)."""
    names = [spec.heading for spec in specs]
    titles = [
        name if names.count(name) == 1 else spec.title
        for spec, name in zip(specs, names, strict=True)
    ]
    return [
        (
            spec,
            title
            if titles.index(title) == place
            else f"{title} ({titles[:place].count(title) + 1})",
        )
        for place, (spec, title) in enumerate(zip(specs, titles, strict=True))
    ]


def frame_steps(steps: int, fps: float, duration: float) -> list[int]:
    """Return the step that each frame shows: evenly spaced, the first and the last included.

    There is one frame per step, or fewer if they would not fit into `duration` seconds.
    """
    frames = max(2, min(steps + 1, int(fps * duration + 1e-9)))
    return [round(step) for step in np.linspace(0, steps, frames)]
