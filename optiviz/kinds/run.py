"""`run`: optimizers that descend a surface."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator

from optiviz.descent import problem_of
from optiviz.descent.learning_rate import configure, tune
from optiviz.descent.search import Range, check_ranges
from optiviz.descent.sharpness import sharpness, with_sharpness
from optiviz.descent.stationary import with_ball
from optiviz.descent.trajectory import Trajectory
from optiviz.descent.walk import MAX_BYTES, descend
from optiviz.kinds.base import (
    Scene,
)
from optiviz.kinds.checkpoints import CheckpointFields, trained
from optiviz.kinds.conditions import DRAWN_FIRST, NOISE_TOLD
from optiviz.kinds.fields import (
    AnimationFields,
    LegendFields,
    StartFields,
    VariationFields,
    check_samples,
    fitting_view,
)
from optiviz.kinds.presets import Preset, PresetFields, read_presets, surface_presets
from optiviz.kinds.run_entries import DescentEntry, RecordedEntry, RunEntry
from optiviz.kinds.run_scene import GROWING, RunScene, provided_by
from optiviz.kinds.style import Style, check_views
from optiviz.kinds.tracks import judged
from optiviz.kinds.tune import TuneRecipe, search_best
from optiviz.kinds.types import OptionalOptimizers, Over, resolve_surface
from optiviz.optimizers.base import Method
from optiviz.optimizers.explanations import REASONS, check_explained
from optiviz.optimizers.spec import OptimizerSpec, format_value, labelled, parse_spec
from optiviz.registry import MANY_DIMENSIONS, VIEWS, Explanation, Format, Pace, option_of
from optiviz.surfaces.domain import format_point
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import REQUIRED, InputError
from optiviz.system.progress import TaskProgress, search_progress
from optiviz.system.text import counted

# Fields that say how optimizers descend, which has no effect without any.
NEED_OPTIMIZER = (
    *("starts", "random_starts", "steps", "batch_size", "noise", "noise_kind"),
    *("lr", "tune", "pace", "vary"),
)
ROOMY = 5.5, 3.6  # inches of a layout with room for a second view, unless specified


class Recipe(
    VariationFields,
    StartFields,
    AnimationFields,
    LegendFields,
    CheckpointFields,
    PresetFields,
    Style,
):
    """Optimizers that descend a surface: the starts, the steps, and how they are shown.

    presets are named situations that a page offers as buttons, such as "too large: sgd:lr=1.05";
    tracks are paths that other programs recorded, which are drawn beside those of the optimizers,
    or without any: files such as "run.csv", or Trajectories; checkpoints are training runs of your
    own model, drawn in the same way: patterns such as "run/*.pt".

    view is one or several names of views, joined by "+"; tune names the hyperparameters to tune
    for every optimizer before it is drawn, written as `over` of a TuneRecipe; pace is "calm" if
    learning rates that nobody gives are chosen among those that draw a calm path, "fast" if among
    all.
    """

    kind: Literal["run"] = "run"
    formats: ClassVar = ("animation", "still", "data", "page")
    has_rate_report: ClassVar = True
    conditions_varied: ClassVar = ("noise", "batch_size", "steps")
    params_vary: ClassVar = True
    optimizers: OptionalOptimizers = ()
    tune: Over | None = None
    pace: Pace = "calm"
    view: Annotated[str | None, Field(validate_default=True)] = None
    layout: Literal["panels", "grid"] = "panels"

    @field_validator("optimizers")
    @classmethod
    def _or_tracks(cls, texts: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not texts and info.data.get("tracks") == info.data.get("checkpoints") == ():
            raise InputError(REQUIRED)
        return texts

    @field_validator("view")
    @classmethod
    def _fits(cls, view: str | None, info: ValidationInfo) -> str | None:
        surface = info.data.get("surface")
        provided = [] if surface is None else [provided_by(resolve_surface(surface))]
        return fitting_view(view, provided, info)

    @field_validator("layout")
    @classmethod
    def _without_a_legend(cls, layout: str, info: ValidationInfo) -> str:
        if layout == "grid" and info.data.get("legend") is not None:
            raise InputError("has names above its panels instead of a legend: omit --legend")
        return layout

    @field_validator("pace")
    @classmethod
    def _has_effect(cls, pace: Pace, info: ValidationInfo) -> Pace:
        if pace != "calm" and info.data.get("tune") is not None:
            raise InputError("applies to runs without --tune, which searches for the lowest loss")
        surface = info.data.get("surface")
        if pace != "calm" and surface is not None:
            found = resolve_surface(surface)
            problem = problem_of(found)
            if not problem.in_plane and problem.box is None:
                raise InputError(f"needs a plane, but {found.name} is descended in all its weights")
        return pace

    @property
    def style(self) -> Style:
        return self

    @property
    def small_multiples(self) -> bool:
        return self.layout == "grid" or bool(self.varied_param)

    def views(self, part: Scene[Any]) -> list[str]:
        options = self.changed_fields()
        names = check_views(self.view, part.provides, options)
        if self.view is None and not options - {*VIEWS[names[0]].options}:
            roomy = all(side >= least for side, least in zip(self.size.layout, ROOMY, strict=True))
            return names if roomy else names[:1]
        return names

    @property
    def view_names(self) -> list[str]:
        """The names of the views that are asked for; [] for those that fit by themselves."""
        return self.view.split("+") if self.view else []

    def check_output(self, form: Format) -> None:
        if form.kind != "page":
            return
        fitting = [name for name, view in VIEWS.items() if view.page]
        for name in self.view_names:
            if name not in fitting:
                raise InputError(f"a page cannot show {name}: choose from {', '.join(fitting)}")
        if self.legend is not None:
            raise InputError("a page has a legend of its own: omit --legend")
        if name := self.varied_param:
            raise InputError(f"a page shows one surface: give {name} one value")
        if self.small_multiples:
            raise InputError("a page shows all optimizers in one panel: omit --layout grid")

    def check_kinds(self, kinds: Collection[str]) -> None:
        if self.presets and "page" not in kinds:
            raise InputError("presets: are buttons of a page: write one, such as x.html")

    @property
    def page_presets(self) -> tuple[Preset, ...]:
        """The situations that a page offers: the recipe's, else the surface's.

        Raises InputError if the surface declares an invalid one.
        """
        if self.presets:
            return read_presets(self.presets)
        surface = resolve_surface(self.surface)
        try:
            return surface_presets(surface)
        except InputError as error:
            raise InputError(f"presets of {surface.name or 'the surface'}: {error}") from None

    def of_preset(self, preset: Preset) -> Self:
        """Return the recipe of the run that a preset stands for."""
        changes: dict[str, Any] = {"optimizers": preset.optimizers, "presets": None, "tracks": ()}
        changes |= {"vary": None, "tune": None, "checkpoints": (), "every": 1}
        changes |= {"sketch": None, "explain": None}  # as the page has them, if there are any
        if preset.starts:
            changes |= {"starts": preset.starts, "random_starts": 0}
        given = {"steps": preset.steps, "noise": preset.noise}
        changes |= {key: value for key, value in given.items() if value is not None}
        return self.model_copy(update=changes)

    @property
    def named_specs(self) -> tuple[OptimizerSpec, ...]:
        presets = read_presets(self.presets)
        return (*self.specs, *(spec for preset in presets for spec in preset.specs))

    def check(self) -> None:
        super().check()
        for preset in self.page_presets:
            try:
                preset.check_starts(resolve_surface(self.surface))
            except InputError as error:
                raise InputError(f"presets: {error}") from None
        if not self.optimizers:
            for name in NEED_OPTIMIZER:
                if getattr(self, name) != type(self).model_fields[name].default:
                    raise InputError(f"{name}: needs an optimizer, but all paths are recorded")
        if name := self.varied_param:
            self._check_varied(name)
        if self.measures and self.noise_kind == "drift":
            raise InputError("view: sharpness is that of a minimum that does not drift")
        sizes = [variant.batch_size for variant, _ in self.variants]
        if any(size is not None for size in sizes):
            try:
                check_samples(resolve_surface(self.surface))
            except ValueError as error:
                raise InputError(f"vary: {error}") from None

    @property
    def noises(self) -> tuple[float, ...]:
        return tuple(variant.noise for variant, _ in self.variants)

    def _check_varied(self, name: str) -> None:
        """Raise InputError for what surfaces with several values of a parameter do not allow."""
        if not self.problem.in_plane:
            raise InputError(f"vary: {name} needs a surface of one or two variables")
        for field, why in {
            "tune": "rates are tuned for each value without it",
            "tracks": "recorded paths belong to one surface",
            "legend": "panels have names above them instead",
        }.items():
            if getattr(self, field):
                option = option_of(field)
                raise InputError(f"vary: {option} does not fit several values of {name}: {why}")

    @property
    def last_step(self) -> int:
        """The number of steps of the longest run, track or training."""
        runs = [variant.descent_steps for variant, _ in self.variants]
        recorded = [track.last_step for track in self.tracks]
        return max([*runs, *recorded, *(each.steps[-1] for each in self.checkpoints)])

    @property
    def drawn_names(self) -> list[str]:
        tracks = [track.label for track in self.tracks]
        return [*super().drawn_names, *tracks, *(each.label for each in self.checkpoints)]

    def conditions(self) -> tuple[str, ...]:
        """Return what all runs share: the optimizer that is varied, conditions, and a seed."""
        each = [variant.conditions_of([spec]) for variant, spec in self.variants]
        said = dict.fromkeys(text for conditions in each for text in conditions)
        shared = [text for text in said if all(text in own for own in each)]
        shared += [text for text in said if text.startswith("seed ") and text not in shared]
        if self.noise_kind != "gaussian" and self.varied_condition == "noise":
            shared.insert(0, NOISE_TOLD[self.noise_kind][0])
        if self.noise_kind == "drift":
            shared.append(DRAWN_FIRST)
        if self.vary is not None:
            shared = [parse_spec(self.optimizers[0]).heading, *shared]
        search = self._search
        if search is None:
            return tuple(shared)
        keys = " and ".join(Range.read(text).key for text in search.over)
        starts = counted(len(search.points()), "start")
        how = f"{keys} tuned for the median final loss of {starts}, {search.trials} trials each"
        return (how, *shared)

    @property
    def _search(self) -> TuneRecipe | None:
        """The search that comes first: from the recipe's starts, else a TuneRecipe's defaults."""
        if self.tune is None:
            return None
        shared = {name: getattr(self, name) for name in StartFields.model_fields}
        if not (self.starts or self.random_starts):
            del shared["random_starts"]
        return TuneRecipe(optimizers=self.optimizers, over=self.tune, **shared)

    def make_scene(self, progress: TaskProgress | None = None) -> "RunScene":
        self.check()
        recorded = self._recorded()  # the first, as it takes no time to find them wrong
        entries = [*self._descend_all(progress), *recorded]
        surface, paths = self.problem.project(
            [path for entry in entries for path in entry.trajectories],
            spectra=any(VIEWS[name].requires == "matrices" for name in self.view_names),
        )
        projected = iter(paths)
        scene = RunScene(
            title=self.title_for(surface),
            surface=surface,
            entries=tuple(
                replace(entry, trajectories=tuple(islice(projected, len(entry.trajectories))))
                for entry in entries
            ),
            conditions=self.conditions(),
            window_told=self._window_told(surface),
            starts_told=self._starts_told(),
            drifts=self.noise_kind == "drift",
        )
        draws = any("density" in VIEWS[name].options for name in self.views(scene))
        return scene.with_density(self._temperature(entries) if draws else None)

    def _temperature(self, entries: "Sequence[RunEntry]") -> float | None:
        """Return the temperature of the density that is drawn, None if the loss is."""
        if self.density is not None:
            return self.density or None
        found = {entry.sampled_temperature for entry in entries}
        return found.pop() if len(found) == 1 else None

    def _starts_told(self) -> str:
        """Return which starts were moved to satisfy constraints, "" if none was."""
        allowed = resolve_surface(self.surface).feasible_set
        if allowed is None:
            return ""
        found = [variant for variant, _ in self.variants] if self.varied_param else [self]
        pairs = [
            (tuple(start), tuple(to.tolist()))
            for each in found
            for start, to in zip(each.points(), each.start_points(), strict=True)
        ]
        moved = {pair for pair in pairs if pair[0] != pair[1]}
        starts = {start for start, _ in moved}
        one, many = "a feasible point near it", "feasible points near them"
        if allowed.exact:
            one, many = "the nearest point", "the nearest points"
        if len(starts) == 1:
            (start, to), *others = moved
            at = (
                f"each run begins at {one}"
                if others
                else f"the run begins at {format_point(to)}, {one}"
            )
            return f"start {format_point(start)} violates the constraints: {at}"
        said = f"{len(starts)} starts violate the constraints: their runs begin at {many}"
        return said if starts else ""

    def _window_told(self, drawn: Surface) -> str:
        """Return how the window of a plane was found, "" if it is declared or needs no words."""
        surface = resolve_surface(self.surface)
        told = surface.window_told
        wider = bool(told) and drawn.window != surface.window
        return f"{told}; wider here, to fit the paths" if wider else told

    def _recorded(self) -> "list[RecordedEntry]":
        """Return the tracks and trainings, on what is descended."""
        found = [
            trained(training, label, self.problem)
            for training, label in zip(self.checkpoints, self.training_labels, strict=True)
        ]
        if self.tracks:
            objective, surface = self.problem.true_objective, resolve_surface(self.surface)
            name, variables = surface.name or "the formula", surface.variables or surface.columns
            found = [
                *(
                    judged(track, label, objective, name, variables)
                    for track, label in zip(self.tracks, self.track_labels, strict=True)
                ),
                *found,
            ]
        if self.measures:
            found = [(with_sharpness(path, self.problem), apart) for path, apart in found]
        return [
            RecordedEntry(
                label=path.label,
                number=len(self.specs) + place,
                trajectories=(replace(path, sketches=()) if self.sketch is False else path,),
                apart=apart,
                trained=place >= len(self.tracks),
            )
            for place, (path, apart) in enumerate(found)
        ]

    @property
    def measures(self) -> bool:
        """Whether the sharpness along paths is computed: if it is drawn."""
        return "sharpness" in self.view_names

    def full_trajectories(self) -> tuple[Trajectory, ...]:
        """Return every path as it was descended, in all weights or variables."""
        self.check()
        entries = self._descend_all()
        return tuple(path for entry in entries for path in entry.trajectories)

    def _descend_all(self, progress: TaskProgress | None = None) -> "list[DescentEntry]":
        if not self.optimizers:
            self._check_sketch([])
            return []
        starts = self.start_points()
        variants = [variant for variant, _ in self.variants]
        specs = self.loaded_specs(*(variant.descent_steps for variant in variants))
        self._check_sketch([spec.probe() for spec in specs])
        kept = self.frame_steps(self.last_step)
        max_bytes = MAX_BYTES // (len(specs) * len(starts))
        search = variants[0]._search
        setup = None if search is None else search.search_setup()
        if setup is not None:
            specs = [spec.with_default_rate(self.lr) for spec in specs]
            check_ranges(specs, setup.ranges, given=True)
        entries: list[DescentEntry] = []
        for number, ((spec, label), variant) in enumerate(
            zip(labelled(specs), variants, strict=True)
        ):
            surface = resolve_surface(variant.surface)
            if self.varied_condition or self.varied_param or not entries:
                steps, objective = variant.descent_steps, variant.objective()
                starts = variant.start_points()
            if entries and self.varied_condition:
                configured = entries[0].configured.for_spec(spec)
            elif setup is None:
                watch = search_progress(label, progress)
                configured = configure(
                    spec, surface, starts, steps, self.lr, objective, watch, self.pace
                )
            else:
                _, configured = search_best(spec, label, setup, progress, self.pace)
            rows = sorted({*(row for row in kept if row < steps), steps})
            paths = tuple(
                descend(
                    objective,
                    configured.optimizer,
                    start,
                    steps,
                    label,
                    rows,
                    max_bytes,
                    sketch=self.sketch is not False,
                    sharpness=partial(sharpness, variant.problem) if self.measures else None,
                    explain=self.explain,
                )
                for start in starts
            )
            if not self.sketches_all:
                paths = (paths[0], *map(with_results_alone, paths[1:]))
            if self.sketch is not False and variant.problem.in_plane and variant.batch_size is None:
                paths = tuple(with_ball(path, surface, variant.gaussian_noise) for path in paths)
            entries.append(
                DescentEntry(
                    spec=spec,
                    label=label,
                    configured=configured,
                    number=number,
                    trajectories=paths,
                    varied=self.vary is not None,
                    surface=surface if self.varied_param else None,
                )
            )
            if progress is not None:
                progress("descending", number + 1, len(specs))
        return entries

    @property
    def sketches_all(self) -> bool:
        """Whether runs from all starts are sketched, not only the first of a surface's own."""
        return bool(self.sketch or self.explain or self.starts or self.random_starts)

    def _check_sketch(self, methods: Sequence[Method]) -> None:
        """Raise InputError if sketches are asked for, but there is none to draw."""
        asked = "explain" if self.explain else "sketch"
        if not getattr(self, asked):
            return
        shadowed = self.explain is not None and REASONS[self.explain].has_shadow
        if not (self.problem.in_plane or shadowed):
            name = resolve_surface(self.surface).name or "the surface"
            raise InputError(
                f"{asked}: needs one or two dimensions, but {name} is descended in more: "
                f"omit --{asked}"
            )
        if self.explain is not None:
            self._check_explained(methods, self.explain)
            return
        recorded = any(track.trajectory.sketches for track in self.tracks)
        if not (recorded or self.gaussian_noise or any(method.has_sketch for method in methods)):
            raise InputError(
                "sketch: no method of this run says what it looked at: omit --sketch, or add one "
                "that does, such as nelder-mead"
            )

    def _check_explained(self, methods: Sequence[Method], how: Explanation) -> None:
        """Raise InputError if no step can be explained, or what explains it is not drawn."""
        if self.sketch is False:
            raise InputError("explain: what explains steps is a sketch: omit --no-sketch")
        dim = resolve_surface(self.surface).dim if self.problem.in_plane else MANY_DIMENSIONS
        try:
            check_explained(methods, how, dim)
        except InputError as error:
            raise InputError(f"explain: {error}") from None

    def rate_report(self, scene: Scene[Any]) -> str:
        """Return the score of every learning rate that was tried, or would be for tuning."""
        starts = self.start_points()
        blocks = []
        descended = [entry for entry in scene.entries if isinstance(entry, DescentEntry)]
        for entry, (variant, _) in zip(descended, self.variants, strict=True):
            method = entry.configured.optimizer
            rate = method.hyperparameters().get(method.rate)
            if rate is None:
                blocks.append(f"{entry.label} has no learning rate")
                continue
            tuning = entry.configured.tuning or tune(
                entry.spec,
                resolve_surface(variant.surface),
                starts,
                entry.steps,
                [rate],
                variant.objective(),
                pace=self.pace,
            )
            best = (
                f"best of {len(tuning.rates)} rates: {format_value(tuning.best)}"
                if tuning.any_usable
                else f"none of {len(tuning.rates)} rates is usable"
            )
            found = f"{entry.label}: lr {format_value(rate)} ({entry.configured.source}); {best}"
            blocks.append("\n".join(filter(None, [found, tuning.bounds(), tuning.table()])))
        blocks += [f"{entry.label} has no learning rate" for entry in scene.entries[len(blocks) :]]
        return "\n\n".join(blocks)


def with_results_alone(path: Trajectory) -> Trajectory:
    """Return a path whose sketches have only what it leaves, such as its samples."""
    kept = [tuple(shape for shape in each if shape.role in GROWING) for each in path.sketches]
    return replace(path, sketches=tuple(kept))
