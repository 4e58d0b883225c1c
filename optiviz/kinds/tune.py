"""`tune`: a search for hyperparameters, the same for every optimizer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, ValidationInfo

from optiviz.descent import problem_of
from optiviz.descent.learning_rate import ConfiguredOptimizer, configure
from optiviz.descent.search import TRIALS, Range, SearchResult, SearchSetup, check_ranges, search
from optiviz.kinds.base import (
    SETTINGS,
    Column,
    OptimizerEntry,
    Report,
    Row,
    SurfaceScene,
    finite_or_none,
)
from optiviz.kinds.facts import Facts, setting
from optiviz.kinds.fields import LegendFields, OptimizerFields, StartFields
from optiviz.kinds.types import Over, resolve_surface
from optiviz.objective import Array
from optiviz.optimizers.lookup import factory_of
from optiviz.optimizers.spec import OptimizerSpec, labelled
from optiviz.registry import Pace
from optiviz.system.progress import TaskProgress, search_progress
from optiviz.system.snapshots import offer
from optiviz.system.text import counted

Best = tuple[SearchResult, ConfiguredOptimizer]  # the trials of one optimizer, and their best

MAX_TRIALS = 10_000
DEFAULT_STARTS = 25  # of a search, unless specified


def _many_starts(number: Any, info: ValidationInfo) -> Any:
    """Return the number of random starts; DEFAULT_STARTS in a plane unless starts are specified."""
    if number is not None or "surface" not in info.data:
        return number or 0
    many = (
        not info.data.get("starts") and problem_of(resolve_surface(info.data["surface"])).in_plane
    )
    return DEFAULT_STARTS if many else 0


class TuneRecipe(StartFields, LegendFields, OptimizerFields):
    """A search for hyperparameters, the same for every optimizer, and its picture.

    over are the hyperparameters, for example "lr" and "beta1=0.5:0.99", and trials is the number
    of values, or combinations of values, tried for each optimizer. Unless specified, runs begin at
    25 random starts; networks that are descended in all weights begin at their own start.
    """

    kind: Literal["tune"] = "tune"
    random_starts: Annotated[
        int,
        BeforeValidator(_many_starts),
        Field(ge=0, le=1000, validate_default=True, json_schema_extra={"default": DEFAULT_STARTS}),
    ] = None  # type: ignore[assignment]
    formats: ClassVar = ("still", "data")
    default_suffix: ClassVar = "-tune.png"
    over: Over = ("lr",)
    trials: Annotated[int, Field(ge=2, le=MAX_TRIALS)] = TRIALS

    def search_setup(self) -> SearchSetup:
        """Return the setup of the search, the same for every optimizer."""
        surface = resolve_surface(self.surface)
        ranges = [Range.read(text) for text in self.over]
        return SearchSetup(
            surface, self.objective(), self.start_points(), self.last_step, ranges,
            self.trials, self.seed,
        )  # fmt: skip

    def make_scene(self, progress: TaskProgress | None = None) -> "TuneScene":
        self.check()
        setup = self.search_setup()
        specs = self.loaded_specs(setup.steps)
        check_ranges(specs, setup.ranges)
        entries: list[TuneEntry] = []
        for number, (spec, label) in enumerate(labelled(specs)):
            made = partial(TuneEntry, spec=spec, label=label, number=number)
            watch = partial(self._offer, setup, specs, tuple(entries), made)
            found, configured = search_best(spec, label, setup, progress, watch=watch)
            entries.append(made(search=found, configured=configured))
        return self._scene(setup, entries)

    def _offer(
        self,
        setup: SearchSetup,
        specs: Sequence[OptimizerSpec],
        before: Sequence["TuneEntry"],
        made: Callable[..., "TuneEntry"],
        make: Callable[[], Best],
    ) -> None:
        """Offer the trials so far: those of the optimizers before, and of one that make returns."""

        def scene() -> TuneScene:
            found, configured = make()
            entries = [*before, made(search=found, configured=configured)]
            done = sum(entry.search.trials for entry in entries)
            told = f"{done} of {counted(sum(map(setup.trials_of, specs)), 'trial')}"
            return replace(self._scene(setup, entries), unfinished=told)

        offer(scene)

    def _scene(self, setup: SearchSetup, entries: Sequence["TuneEntry"]) -> "TuneScene":
        many, after = len(setup.starts), f"final loss after {setup.steps} steps"
        shaded = f"median, and shaded the middle half, of {many} starts"
        return TuneScene(
            title=self.title_for(setup.surface),
            surface=setup.surface,
            entries=tuple(entries),
            conditions=(
                f"{after}: {shaded}" if many > 1 else after,
                *self.conditions_of(self.specs),
            ),
        )


def search_best(
    spec: OptimizerSpec,
    label: str,
    setup: SearchSetup,
    progress: TaskProgress | None,
    pace: Pace = "calm",
    watch: Callable[[Callable[[], Best]], None] | None = None,
) -> Best:
    """Search for one optimizer; return the trials and the optimizer with the values of the best.

    A learning rate that is neither set nor searched is first chosen as for a run, with the
    defaults of what is searched, and then is that of all trials. watch is called after some of the
    trials, with what returns the same of those so far.
    """
    rate, told = factory_of(spec.name).rate, search_progress(label, progress)
    first: ConfiguredOptimizer | None = None
    if rate and rate not in dict(spec.settings) and rate not in {each.key for each in setup.ranges}:
        surface, starts, steps = setup.surface, setup.starts, setup.steps
        first = configure(spec, surface, starts, steps, None, setup.objective, told, pace)
        spec = spec.with_default_rate(first.optimizer.hyperparameters()[rate])

    def best(found: SearchResult) -> Best:
        chosen = _configure_best(found)
        if first is not None:
            tuned = *first.tuned, *chosen.tuned
            chosen = chosen._replace(source=first.source, tuning=first.tuning, tuned=tuned)
        return found, chosen

    def see(make: Callable[[], SearchResult]) -> None:
        if watch is not None:
            watch(lambda: best(make()))

    return best(search(spec, setup, told, see))


def _configure_best(found: SearchResult) -> ConfiguredOptimizer:
    rate = factory_of(found.spec.name).rate
    source = "given" if rate in dict(found.spec.settings) else ""
    if rate in found.values:
        source = "tuned" if found.any_usable else "none fits"
    return ConfiguredOptimizer(
        found.winner.build(), source, tuned=tuple(found.values), fits=found.any_usable
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class TuneEntry(OptimizerEntry):
    """An optimizer and its trials; its value is the median final loss of the best trial."""

    search: SearchResult

    @property
    def steps(self) -> int:
        return 0

    def values(self, step: int) -> Array:
        return self.search.medians[[self.search.best]]

    def to_dict(self) -> dict[str, Any]:
        """Return the search as plain values, in full precision."""
        found = self.search
        best = {key: values[found.best] for key, values in found.values.items()}
        reached = None if found.reached is None else found.reached.mean(axis=1)
        return {
            "label": self.label,
            "optimizer": self.spec.name,
            "hyperparameters": self.configured.optimizer.hyperparameters(),
            "best": {
                **best,
                "loss": finite_or_none(float(found.losses[found.best].min())),
                "median_loss": finite_or_none(float(found.medians[found.best])),
                "reached": None if reached is None else float(reached[found.best]),
                "diverged": float(found.diverged[found.best]),
            },
            "values": {key: values.tolist() for key, values in found.values.items()},
            "median_loss": [finite_or_none(each) for each in found.medians.tolist()],
            "reached": None if reached is None else reached.tolist(),
            "diverged": found.diverged.tolist(),
            "loss": [[finite_or_none(each) for each in row] for row in found.losses.tolist()],
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class TuneScene(SurfaceScene[TuneEntry]):
    """The results of a search for hyperparameters, the same for every optimizer."""

    entries: tuple[TuneEntry, ...] = ()
    quantity = "median"

    @property
    def note(self) -> str:
        return (
            ""
            if self.unfinished
            else f"{max(entry.search.trials for entry in self.entries)} trials each"
        )

    def status(self, entry: TuneEntry, step: int) -> str:
        return "" if entry.search.any_usable else "half diverge in all trials"

    @property
    def remarks(self) -> tuple[str, ...]:
        said = ((entry.label, self.status(entry, 0)) for entry in self.entries)
        return tuple(f"{label}: {remark}" for label, remark in said if remark)

    @property
    def provides(self) -> Mapping[str, int]:
        return {"search": self.surface.dim}

    @property
    def facts(self) -> Facts:
        def best(path: str, name: str = "") -> float:
            """Return the lowest median loss of all trials, or the value that led to it."""
            found = self.entry(path).search
            if not name:
                return float(found.medians[found.best])
            return setting({key: float(each[found.best]) for key, each in found.values.items()},
                           name)  # fmt: skip

        return {"best": best}

    def to_dict(self) -> dict[str, Any]:
        return {"searches": [entry.to_dict() for entry in self.entries]}

    def rows(self) -> Row:
        keys = list(dict.fromkeys(key for entry in self.entries for key in entry.search.values))
        yield ["label", "optimizer", "trial", *keys, "start", "loss", "reached"]
        for entry in self.entries:
            found = entry.search
            for trial, losses in enumerate(found.losses.tolist()):
                tried = [
                    float(found.values[key][trial]) if key in found.values else "" for key in keys
                ]
                for start, loss in enumerate(losses):
                    reached = "" if found.reached is None else int(found.reached[trial, start])
                    yield [entry.label, entry.spec.name, trial, *tried, start, loss, reached]

    def report(self, recipe: TuneRecipe) -> Report:
        """Return one row per optimizer: its best trial, and how the runs of that trial ended."""
        headings = "trials", "best loss", "median loss", "at a global minimum", "diverge"
        rows = []
        for entry in self.entries:
            found = entry.search
            best = found.best
            reached = "-" if found.reached is None else f"{found.reached[best].mean():.0%}"
            rows.append(
                [
                    entry.label,
                    "  ".join(entry.settings),
                    str(found.trials),
                    f"{found.losses[best].min():.6g}",
                    f"{found.medians[best]:.6g}",
                    reached,
                    f"{found.diverged[best]:.0%}",
                ]
            )
        starts = counted(len(self.entries[0].search.losses[0]), "start")
        note = (
            f"best of {recipe.trials} trials each by the median final loss of {starts}; "
            f"seed {recipe.seed}"
        )
        first = [entry.label for entry in self.entries if entry.configured.tuning is not None]
        notes = [note, f"lr chosen before the trials: {', '.join(first)}"] if first else [note]
        columns = [Column("optimizer"), SETTINGS._replace(heading="best trial")]
        numbers = [Column(heading, number=True) for heading in headings]
        return Report([*columns, *numbers], rows, notes)
