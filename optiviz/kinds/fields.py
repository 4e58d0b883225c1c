"""Groups of fields shared by kinds: optimizers, problem, animation."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

import numpy as np
from pydantic import (
    AfterValidator,
    Field,
    NonNegativeInt,
    PositiveFloat,
    ValidationInfo,
    field_validator,
)

from optiviz.descent import problem_of
from optiviz.descent.problem import Problem
from optiviz.kinds.base import BaseRecipe, Timeline
from optiviz.kinds.conditions import (
    BatchSize,
    Conditions,
    Noise,
    check_noise_kind,
    format_condition,
    noise_told,
    vary_condition,
)
from optiviz.kinds.presets import read_presets
from optiviz.kinds.style import Style, check_views
from optiviz.kinds.types import (
    IN_A_SURFACE,
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
from optiviz.optimizers.base import Method, check_noise, check_offered
from optiviz.optimizers.lookup import factory_of, is_third_party_optimizer
from optiviz.optimizers.spec import (
    OptimizerSpec,
    format_value,
    label_variant,
    parse_spec,
    split_variation,
    vary,
)
from optiviz.registry import LegendPlace, NoiseKind, Quality
from optiviz.surfaces.domain import MAX_COORDINATE, Point, Steps
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError
from optiviz.system.plugins import file_hash
from optiviz.system.text import shorten
from optiviz.system.validation import Model

MIN_FPS, MAX_FPS = 0.01, 100  # frames per second
FPS = 12, 15, 20, 25, 50  # unless specified: the slowest at which all steps take SECONDS at most
SECONDS = 10.5
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
        for preset in read_presets(info.data.get("presets")):
            specs += preset.specs
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
        for spec in self.named_specs:
            if spec.file is not None and file_hash(spec.file) != known.get(spec.file):
                said = f"name {spec.name} again" if spec in self.specs else "pass --preset again"
                raise InputError(
                    f"{spec.file} has changed since the recipe was created: "
                    f"to use the new version, {said}"
                )

    @property
    def specs(self) -> tuple[OptimizerSpec, ...]:
        return tuple(parse_spec(text) for text in self.optimizers)

    def loaded_specs(self, *steps: int) -> list[OptimizerSpec]:
        """Return the specs of runs of so many steps each, after building each optimizer once.

        One number of steps is that of all runs. Errors of third-party code are thus raised before
        the first descent, which may be long.
        """
        specs = self.specs
        each = steps if len(steps) == len(specs) else steps * len(specs)
        seed = getattr(self, "seed", None)  # of random methods
        loaded = [
            replace(spec.with_total_steps(many), seed=seed)
            for spec, many in zip(specs, each, strict=True)
        ]
        for spec in loaded:
            self.check_method(spec, spec.probe())
        return loaded

    def check_method(self, spec: OptimizerSpec, method: Method) -> None:
        """Raise InputError if an optimizer cannot descend what the recipe says."""

    @property
    def file_stem(self) -> str:
        names = [re.sub(r"[^\w.+-]+", "-", each) for each in self.drawn_names]
        return f"{self.subject_stem}-{join_names(names, 'optimizers')}"

    @property
    def drawn_names(self) -> list[str]:
        """The names of the optimizers in the file name."""
        specs = (parse_spec(text) for text in self.optimizers)
        return [replace(spec, label="").heading for spec in specs]

    @property
    def subject_stem(self) -> str:
        """The name of the problem in the file name."""
        raise NotImplementedError


class LegendFields(BaseRecipe):
    """Where the legend is: on the right, below the panels, inside the main one, or nowhere."""

    legend: LegendPlace | None = None

    @property
    def legend_place(self) -> LegendPlace | None:
        return self.legend


class VariationFields(Model):
    """What is varied: the first of the bases of a recipe of AnimationFields, which is read last.

    vary repeats one optimizer with several values, for example "momentum=0.25,0.9", or, in a run,
    under several conditions, for example "noise=0,1,3" or "batch_size=1,16,all"; what is tuned is
    then tuned under the first one and used under all. It can also name a parameter of the surface,
    for example "k=1,10,100", whose values have panels of their own.
    """

    conditions_varied: ClassVar[tuple[str, ...]] = ()  # those that vary can name
    params_vary: ClassVar[bool] = False  # whether it can name a parameter of the surface

    vary: str | None = None

    @field_validator("vary")
    @classmethod
    def _variable(cls, text: str | None, info: ValidationInfo) -> str | None:
        if text is None or "optimizers" not in info.data:
            return text
        specs = info.data["optimizers"]
        if len(specs) != 1:
            raise InputError(f"needs exactly one optimizer, not {len(specs)}")
        spec = parse_spec(specs[0])
        key, values = split_variation(text)
        key = key.replace("-", "_") if key.replace("-", "_") in Conditions.model_fields else key
        surface = info.data.get("surface")
        params = () if surface is None else dict(resolve_surface(surface).params)
        if key in params:
            return _vary_param(spec, key, values, cls.params_vary)
        if key in cls.conditions_varied:
            read = vary_condition(key, values)
            label_variant(spec, key, "")
            return f"{key}={','.join(map(format_condition, read))}"
        if key in Conditions.model_fields and not is_third_party_optimizer(spec.name):
            raise InputError(f"only a run has {key} to vary")
        varied = vary(spec, text, *cls.conditions_varied)
        return f"{key}={','.join(each.varied_value(key) for each in varied)}"


class AnimationFields(OptimizerFields):
    """Optimizers in a picture that can be animated, and how it is.

    frames are the steps to show instead of evenly spaced ones, for example
    "0:200:20,200:9000:100", each range as START:STOP:STEP.
    """

    conditions_varied: ClassVar[tuple[str, ...]] = ()
    params_vary: ClassVar[bool] = False
    if TYPE_CHECKING:
        vary: str | None  # of VariationFields
    lr: Annotated[PositiveFloat, Field(allow_inf_nan=False)] | None = None
    fps: Annotated[float, Field(ge=MIN_FPS, le=MAX_FPS)] | None = None
    duration: Annotated[float, Field(gt=0, le=3600)] | None = None
    frames: FrameRanges = None
    quality: Quality = "standard"

    @property
    def varied_condition(self) -> str:
        """The name of the condition that is varied, "" if there is none."""
        key = "" if self.vary is None else split_variation(self.vary)[0]
        return key if key in self.conditions_varied else ""

    @property
    def varied_param(self) -> str:
        """The name of the parameter of the surface that is varied, "" if there is none."""
        surface = getattr(self, "surface", None)
        if self.vary is None or surface is None or not self.params_vary:
            return ""
        key = split_variation(self.vary)[0]
        return key if key in dict(resolve_surface(surface).params) else ""

    @property
    def variants(self) -> "list[tuple[Self, OptimizerSpec]]":
        """Each optimizer, and the recipe under whose conditions it runs."""
        specs = super().specs
        if self.vary is None:
            return [(self, spec) for spec in specs]
        key, values = split_variation(self.vary)
        if self.varied_param:
            surface = resolve_surface(getattr(self, "surface"))  # noqa: B009  (not of all kinds)
            return [
                (
                    self.model_copy(
                        update={"vary": None, "surface": surface.with_params({key: float(value)})}
                    ),
                    label_variant(specs[0], key, value),
                )
                for value in values
            ]
        if key not in self.conditions_varied:
            alike = self.model_copy(update={"vary": None})
            return [(alike, spec) for spec in vary(specs[0], self.vary)]
        return [
            (
                self.model_copy(update={"vary": None, key: value}),
                label_variant(specs[0], key.replace("_", " "), format_condition(value)),
            )
            for value in vary_condition(key, values)
        ]

    def loaded_specs(self, *steps: int) -> list[OptimizerSpec]:
        """Return the specs of runs; raise InputError for a learning rate that none would use."""
        loaded = super().loaded_specs(*steps)
        if self.lr is not None and not any(factory_of(each.name).rate for each in self.named_specs):
            several = "none of these optimizers has a"
            owner = several if len(loaded) > 1 else f"{loaded[0].name} has no"
            raise InputError(f"lr: has no effect: {owner} learning rate")
        return loaded

    def speed(self, steps: int) -> float:
        """Return the frames per second: FPS[0] or, so that all steps are shown, one of the others.

        What is specified counts: the frames per second, or how long it lasts at most.
        """
        if self.fps is not None:
            return self.fps
        chosen = self.duration is not None or self.frames is not None
        fitting = [] if chosen else [fps for fps in FPS if steps < fps * SECONDS]
        return float(fitting[0] if fitting else FPS[0])

    def frames_in(self, steps: int) -> int:
        """Return the most frames: one per step, unless these are many or a duration is set."""
        if self.duration is None and steps < FPS[-1] * SECONDS:
            return steps + 1
        seconds = SECONDS if self.duration is None else self.duration
        return int(self.speed(steps) * seconds + 1e-9)

    def frame_steps(self, steps: int) -> list[int]:
        """Return the step that each frame shows; the last step is always included."""
        if self.frames is None:
            return frame_steps(steps, self.frames_in(steps))
        parts = [
            range(each.start, min(each.stop, steps + 1), each.step)
            for each in parse_frame_ranges(self.frames)
        ]
        shown = {steps}.union(*parts)
        return sorted(shown)

    @property
    def specs(self) -> tuple[OptimizerSpec, ...]:
        return tuple(spec for _, spec in self.variants)

    @property
    def last_step(self) -> int:
        """The step that the last frame of an animation shows."""
        raise NotImplementedError

    @property
    def timeline(self) -> Timeline:
        last = self.last_step
        return Timeline(
            self.speed(last), self.frame_steps(last), last, self.frames is None, self.quality
        )

    def check(self) -> None:
        super().check()
        if key := self.varied_condition:
            if getattr(self, key) != type(self).model_fields[key].default:
                raise InputError(f"vary: {key} cannot be both set and varied")
            for variant, _ in self.variants:
                variant.check()
        if self.frames is not None:
            first = min(each.start for each in parse_frame_ranges(self.frames))
            if first > self.last_step:
                raise InputError(
                    f"frames: {self.frames} starts after the last step, {self.last_step}"
                )

    def draft(self) -> Self:
        """Return the recipe of a draft: half the size, a third of the frames, the same duration."""
        fps = self.timeline.fps
        changed: dict[str, object] = {"fps": max(fps / DRAFT_STRIDE, MIN_FPS), "quality": "draft"}
        if self.frames is None:
            changed["duration"] = len(self.timeline.steps) / fps
        else:
            changed["frames"] = ",".join(
                f"{each.start}:{each.stop}:{DRAFT_STRIDE * each.step}"
                for each in parse_frame_ranges(self.frames)
            )
        return super().draft().model_copy(update=changed)

    def last_frame(self) -> Self:
        last = self.last_step
        return self.model_copy(update={"frames": f"{last}:{last + 1}:1"})


def check_samples(surface: Surface) -> None:
    """Raise ValueError if a surface has no samples for batches."""
    if not problem_of(surface).has_samples:
        name = surface.name or ("the model" if surface.model else "the formula")
        raise ValueError(f"{name} has no samples for batches")


def _of_samples(size: int, info: ValidationInfo) -> int:
    if "surface" in info.data:
        check_samples(resolve_surface(info.data["surface"]))
    return size


SampledBatchSize = Annotated[BatchSize, AfterValidator(_of_samples)]  # after a field `surface`


class ProblemFields(Model):
    """What is descended, and for how many steps.

    surface is a name in the built-in catalogue or a whole declaration; batch_size is the number
    of samples of a network per step, all if None; noise is the standard deviation of the noise
    added to each coordinate of a gradient, or what SIGMA is to another kind in NOISE_KINDS.
    """

    elsewhere: ClassVar = {key: f"surface={text}" for key, text in IN_A_SURFACE.items()}

    surface: NamedSurface
    seed: NonNegativeInt = 0
    steps: Steps | None = None
    batch_size: SampledBatchSize | None = None
    noise: Noise = 0.0
    noise_kind: NoiseKind = "gaussian"

    @property
    def drawn_surfaces(self) -> tuple[str | Surface, ...]:
        """Its only surface."""
        return (self.surface,)

    @property
    def subject_stem(self) -> str:
        """The name of the surface in the file name."""
        return resolve_surface(self.surface).origin.file_name

    @property
    def descent_steps(self) -> int:
        """The number of steps: the recipe's, else the surface's, else DEFAULT_STEPS."""
        return self.steps or resolve_surface(self.surface).steps or DEFAULT_STEPS

    @property
    def last_step(self) -> int:
        """The step that the last frame of an animation shows."""
        return self.descent_steps

    @property
    def problem(self) -> Problem:
        """The problem that is descended."""
        return problem_of(resolve_surface(self.surface))

    def objective(self) -> Objective | Stream:
        """Return the objective of every optimizer."""
        return self.problem.objective(self.batch_size, self.noise, self.seed, self.noise_kind)

    @property
    def noises(self) -> tuple[float, ...]:
        """The noise of its runs."""
        return (self.noise,)

    @property
    def gaussian_noise(self) -> float:
        """The standard deviation of Gaussian noise on its gradients."""
        return self.noise if self.noise_kind == "gaussian" else 0.0

    def check_method(self, spec: OptimizerSpec, method: Method) -> None:
        """Raise InputError if an optimizer lacks what it needs, or would ignore constraints."""
        try:
            check_noise_kind(self.noise_kind, self.noises)
        except InputError as error:
            raise InputError(f"noise_kind: {error}") from None
        if any(self.noises) and self.noise_kind != "drift":
            check_noise(method, spec.name)
        surface = resolve_surface(self.surface)
        if self.noise_kind == "drift" and surface.l1:
            raise InputError("noise_kind: a minimum does not drift with a penalty: omit --l1")
        # Otherwise the objective, which takes long to make, says what it offers.
        if not surface.learns and "full_batch" not in method.needs:
            check_offered(method, self.problem.offered, spec.name)

    def conditions_of(self, specs: Sequence[OptimizerSpec]) -> tuple[str, ...]:
        """Return the conditions of every step of optimizers, for example "batches of 128"."""
        said = [*resolve_surface(self.surface).params_told]
        if self.batch_size is not None:
            said.append(f"batches of {self.batch_size}")
        if self.noise:
            said.append(noise_told(self.noise_kind, self.noise))
        seeded = [spec for spec in specs if spec.is_random]
        drawn = self.problem.is_random or any(
            spec.probe().draws(self.objective()) for spec in seeded
        )
        if self.noise or self.batch_size is not None or drawn:
            said.append(f"seed {self.seed}")
        return tuple(said)


def _vary_param(spec: OptimizerSpec, key: str, values: Sequence[str], may: bool) -> str:
    """Return the values of a parameter of the surface, as they are varied.

    Raises InputError if one is not a number, or is listed twice, or if the optimizer has such a
    hyperparameter.
    """
    if not may:
        raise InputError(f"only a run compares several values of {key}")
    if not is_third_party_optimizer(spec.name) and key in factory_of(spec.name).parameters:
        raise InputError(
            f"{key} is a parameter of the surface and of {spec.name}: rename the first"
        )
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        raise InputError(f"{key} must be numbers, not {shorten(','.join(values))}") from None
    if not np.isfinite(numbers).all() or max(map(abs, numbers)) > MAX_COORDINATE:
        raise InputError(f"{key} must be finite numbers, not {shorten(','.join(values))}")
    if len(set(numbers)) < len(numbers):
        raise InputError(f"{key}={','.join(values)} lists a value twice")
    label_variant(spec, key, "")
    return f"{key}={','.join(map(format_value, numbers))}"


class StartFields(ProblemFields):
    """What is descended, from which starts, and for how many steps."""

    starts: tuple[PlaneStart, ...] = ()
    random_starts: Annotated[NonNegativeInt, Field(le=1000)] = 0

    def points(self) -> tuple[Point, ...]:
        """Return the specified starts, then random ones; the surface's starts if there are none."""
        surface = resolve_surface(self.surface)
        if not self.random_starts:
            return self.starts or surface.default_starts
        box = self.problem.box
        low, high = np.transpose(surface.window.intervals if box is None else box)
        drawn = np.random.default_rng(self.seed).uniform(low, high, (self.random_starts, len(low)))
        return (*self.starts, *(tuple(point) for point in drawn.tolist()))

    def start_points(self) -> list[Array]:
        """Return the starts of runs as points of the objective."""
        return [self.problem.start(point) for point in self.points()]


def frame_steps(steps: int, most: int) -> list[int]:
    """Return the step that each frame shows: evenly spaced, the first and the last included.

    There is one frame per step, or fewer if there may be at most `most`.
    """
    frames = max(2, min(steps + 1, most))
    return [round(step) for step in np.linspace(0, steps, frames)]
