"""`score`: optimizers on the problems of a suite, on fair budgets."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator, NonNegativeInt, ValidationInfo, field_validator

from optiviz.kinds.base import (
    SETTINGS,
    Column,
    Entry,
    Report,
    Row,
    Scene,
    finite_or_none,
)
from optiviz.kinds.facts import Facts
from optiviz.kinds.fields import LegendFields, OptimizerFields
from optiviz.kinds.style import check_views
from optiviz.kinds.suite import Suite, WrittenSuite
from optiviz.objective import Array
from optiviz.optimizers.lookup import factory_of
from optiviz.optimizers.spec import OptimizerSpec, labelled
from optiviz.registry import VIEWS, LegendPlace
from optiviz.scoring.invariance import Invariance
from optiviz.scoring.jobs import invariance_task, job_task, run_tasks
from optiviz.scoring.problems import BenchmarkProblem
from optiviz.scoring.profiles import data_profile, performance_profile
from optiviz.scoring.results import ENDINGS, FAILED, Results
from optiviz.scoring.runs import Job
from optiviz.scoring.sensitivity import Sensitivity, sensitivities
from optiviz.scoring.setting import Setting
from optiviz.scoring.statistics import Summary, summaries
from optiviz.scoring.table import ALL, ScoreTable, judging, read_tuned, table_of
from optiviz.scoring.words import cautions, conclusions
from optiviz.surfaces.surface import Surface
from optiviz.system.progress import SCORING, TaskProgress
from optiviz.system.snapshots import offer
from optiviz.system.text import counted

RATIOS = np.geomspace(1, 100, 61)  # of a cost to the lowest, in performance profiles
KAPPAS = np.geomspace(1, 1000, 61)  # evaluations per variable and one, in data profiles
PROVIDED = {"score": 1}


def _figures(names: str) -> str:
    return "+".join(check_views(names, PROVIDED, ()))


class ScoreRecipe(LegendFields, OptimizerFields):
    """Optimizers on the problems of a suite, each at the best learning rate of one search.

    The first optimizer is the one that is judged, the others are what it is compared with.
    tuned_on is the name of a problem or a group of the suite whose best rate is used on all
    problems, or "all" for the rate that solves most instances of the suite; unless specified, each
    problem has its own. only are the names of the figures that are drawn, joined by "+", and timing
    is whether the wall time of a step is shown, which differs from run to run.
    """

    kind: Literal["score"] = "score"
    formats: ClassVar = ("still", "data", "page")
    default_suffix: ClassVar = "-score.html"
    suite: WrittenSuite
    seed: NonNegativeInt = 0
    tuned_on: str | None = None
    only: Annotated[str, AfterValidator(_figures)] | None = None
    timing: bool = False

    @field_validator("tuned_on")
    @classmethod
    def _of_the_suite(cls, name: str | None, info: ValidationInfo) -> str | None:
        if "suite" in info.data:
            judging(info.data["suite"].problems, name)
        return name

    @property
    def drawn_surfaces(self) -> tuple[str | Surface, ...]:
        return tuple(each.surface for each in self.suite.problems)

    @property
    def shares_work(self) -> bool:
        return True

    @property
    def subject_stem(self) -> str:
        return self.suite.name

    @property
    def legend_place(self) -> LegendPlace | None:
        """Where the legend is: nowhere if all figures name the optimizers, unless specified."""
        names = check_views(self.only, PROVIDED, ())
        unneeded = all(VIEWS[name].named for name in names)
        return "none" if self.legend is None and unneeded else self.legend

    def views(self, part: Scene[Any]) -> list[str]:
        return check_views(self.only, part.provides, ())

    def make_scene(self, progress: TaskProgress | None = None) -> "ScoreScene":
        self.check()
        problems = self.suite.benchmark(self.seed)
        specs = [replace(spec, seed=self.seed) for spec in self.specs]
        for spec in specs:  # so that what cannot be built, or run, is told before any work
            spec.probe()
        for problem in problems:
            if problem.surface.network is None:  # whose data take long
                _ = Setting(problem).starts
        read = read_tuned if self.tuned_on is None else Results.from_bytes
        tasks = [
            job_task(Job(problem, spec))._replace(read=read)
            for problem in problems
            for spec in specs
        ]
        tasks += [invariance_task(spec, self.seed) for spec in specs]

        def watch(so_far: Callable[[], list[Any]]) -> None:
            offer(lambda: self._scene_so_far(problems, specs, so_far()))

        found = run_tasks(tasks, None if progress is None else partial(progress, SCORING), watch)
        return self._scene(self.suite, problems, specs, found)

    def _scene_so_far(
        self,
        problems: Sequence[BenchmarkProblem],
        specs: Sequence[OptimizerSpec],
        found: Sequence[Any],
    ) -> "ScoreScene | None":
        """Return the scene of the problems on which all optimizers have been run.

        found are the outcomes of all tasks, None for those that are not finished. Returns None if
        there is no such problem, or none of those on which rates are tuned.
        """
        many = len(specs)
        done = [
            place
            for place in range(len(problems))
            if all(each is not None for each in found[many * place : many * (place + 1)])
        ]
        names = {name for place in done for name in (problems[place].name, problems[place].group)}
        if not names or self.tuned_on not in (None, ALL, *names):
            return None
        outcomes = [each for place in done for each in found[many * place : many * (place + 1)]]
        tested = [each or {} for each in found[many * len(problems) :]]
        suite = self.suite.model_copy(
            update={"problems": tuple(self.suite.problems[place] for place in done)}
        )
        scene = self._scene(suite, [problems[place] for place in done], specs, outcomes + tested)
        finished = sum(each is not None for each in found)
        return replace(scene, unfinished=f"{finished} of {counted(len(found), 'job')}")

    def _scene(
        self,
        suite: Suite,
        problems: Sequence[BenchmarkProblem],
        specs: Sequence[OptimizerSpec],
        found: Sequence[Any],
    ) -> "ScoreScene":
        """Return the scene of outcomes: of each problem with each optimizer, and of the tests."""
        many, tested = len(specs), found[len(problems) * len(specs) :]
        results = [found[number : many * len(problems) : many] for number in range(many)]
        named = labelled(specs)
        table = table_of(problems, [label for _, label in named], results, self.tuned_on)
        entries = tuple(
            ScoreEntry(
                label=label,
                number=number,
                spec=spec,
                results=tuple(results[number]),
                invariances=tested[number],
                solved=float(np.isfinite(table.solved_at[:, number]).mean()),
                rates=table.rates[:, number],
                tuned_on=self.tuned_on,
            )
            for number, (spec, label) in enumerate(named)
        )
        tuned = self.tuned_on is None and any(entry.is_tuned for entry in entries)
        own = ["rates tuned for each problem"] if tuned else []
        return ScoreScene(
            title=self.title_of(specs),
            suite=suite,
            table=table,
            entries=entries,
            conditions=(f"seed {self.seed}", *own),
            timing=self.timing,
        )

    def title_of(self, specs: Sequence[OptimizerSpec]) -> str:
        """Return the recipe's title, stripped, or what is judged on which suite."""
        if self.title is not None:
            return self.title.strip()
        return f"{specs[0].heading} on the {self.suite.name} suite"


@dataclass(frozen=True, eq=False, kw_only=True)
class ScoreEntry(Entry):
    """An optimizer and its results on each problem; its value is the share of instances solved.

    rates, shape (p,), are the learning rates that it uses, nan where there is none, tuned on the
    problem of that name, or each on its own problem if that is None.
    """

    spec: OptimizerSpec
    results: tuple[Results, ...]  # one per problem of the suite
    invariances: Mapping[str, Invariance] = field(default_factory=dict)
    solved: float = float("nan")
    rates: Array = field(default_factory=lambda: np.array([]))
    tuned_on: str | None = None
    shares = True

    @property
    def heading(self) -> str:
        return self.spec.heading

    @property
    def color(self) -> str:
        return self.spec.color

    @property
    def is_tuned(self) -> bool:
        """Whether its learning rate was searched."""
        return any(np.isfinite(each.rates).any() for each in self.results)

    @property
    def detail(self) -> str:
        own = self.is_tuned and self.tuned_on is None  # which the caption says
        return "  ".join(self.settings[own:])

    @property
    def settings(self) -> list[str]:
        """The hyperparameters that were specified, and what its learning rate is."""
        given = [
            f"{key} {self.spec.format_setting(key, value)}" for key, value in self.spec.settings
        ]
        if not self.is_tuned:
            return given
        name = factory_of(self.spec.name).rate
        if self.tuned_on is None:
            return [f"{name} tuned for each problem", *given]
        used = self.rates[np.isfinite(self.rates)]
        where = "all problems" if self.tuned_on == ALL else self.tuned_on
        return [f"{name} {np.median(used):.3g}, tuned on {where}", *given]

    @property
    def steps(self) -> int:
        return 0

    def values(self, step: int) -> Array:
        return np.array([self.solved])

    @property
    def spent(self) -> int:
        """The evaluations of its searches for a rate, on all problems."""
        return sum(each.spent for each in self.results)

    @property
    def seconds(self) -> float:
        """The median wall time of a step over the problems on which it is known, nan if none is."""
        known = [each.seconds for each in self.results if np.isfinite(each.seconds)]
        return float(np.median(known)) if known else np.nan


@dataclass(frozen=True, eq=False, kw_only=True)
class ScoreScene(Scene[ScoreEntry]):
    """What optimizers did on a suite, and the table that its figures are computed from.

    timing is whether the wall time of a step is shown.
    """

    suite: Suite
    table: ScoreTable
    entries: tuple[ScoreEntry, ...] = ()
    timing: bool = False
    quantity = "solved"

    @property
    def note(self) -> str:
        return counted(len(self.table.problem), "instance")

    @property
    def caption(self) -> str:
        budgets = sorted({*self.table.budgets.tolist()})
        said = " to ".join(map(str, dict.fromkeys((budgets[0], budgets[-1]))))
        return ", ".join(
            [
                counted(len(self.table.problems), "problem"),
                counted(len(self.table.problem), "instance"),
                f"{said} evaluations each",
                *self.conditions,
            ]
        )

    @property
    def provides(self) -> Mapping[str, int]:
        return PROVIDED

    @cached_property
    def summaries(self) -> tuple[Summary, ...]:
        """The numbers that sum up each optimizer, with intervals and tests."""
        return summaries(self.table)

    @cached_property
    def sensitivities(self) -> tuple[dict[str, Sensitivity], ...]:
        """How much depends on each hyperparameter of each optimizer, the rate first, by name."""
        return tuple(
            sensitivities(
                entry.results, factory_of(entry.spec.name).rate, self.table.rates[:, entry.number]
            )
            for entry in self.entries
        )

    @property
    def failures(self) -> list[tuple[ScoreEntry, str, str]]:
        """The optimizer, the problem and the cause of each failure that has one."""
        return [
            (entry, problem, each.cause)
            for entry in self.entries
            for problem, each in zip(self.table.problems, entry.results, strict=True)
            if each.cause and self._failed(entry.number, problem).any()
        ]

    def _failed(self, number: int, problem: str) -> Array:
        """Return whether each instance of a problem failed with an optimizer."""
        chosen = self.table.problem == self.table.problems.index(problem)
        return np.asarray(self.table.endings[chosen, number] == FAILED)

    @property
    def remarks(self) -> tuple[str, ...]:
        said = []
        for label in dict.fromkeys(entry.label for entry, *_ in self.failures):
            causes = [
                (problem, why) for entry, problem, why in self.failures if entry.label == label
            ]
            problem, why = causes[0]
            more = f", and on {counted(len(causes) - 1, 'other')}" if len(causes) > 1 else ""
            said.append(f"{label}: fails on {problem}{more}: {why}")
        return tuple(said)

    @property
    def facts(self) -> Facts:
        def of(name: str) -> Any:
            def fact(path: str) -> float:
                return float(getattr(self.summaries[self.entry(path).number], name))

            fact.__doc__ = f"Return the {name} of an optimizer."
            return fact

        return {
            "problems": len(self.table.problems),
            "instances": len(self.table.problem),
            **{name: of(name) for name in ("solved", "median", "rank", "wins", "losses")},
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the machine, the problems, and for each optimizer its numbers on all of them."""
        table = self.table
        profiles = {
            "ratios": (RATIOS, performance_profile(table, RATIOS)),
            "kappas": (KAPPAS, data_profile(table, KAPPAS)),
        }
        return {
            "machine": f"{platform.system()} {platform.machine()}",
            "shares": table.shares.tolist(),
            "problems": [
                {"name": name, "group": group, "dim": int(dim), "budget": int(budget)}
                for name, group, dim, budget in zip(
                    table.problems, table.groups, table.dims, table.budgets, strict=True
                )
            ],
            "scores": [self._numbers(entry) for entry in self.entries],
            "profiles": {
                name: {"at": at.tolist(), "solved": found.T.tolist()}
                for name, (at, found) in profiles.items()
            },
        }

    def _numbers(self, entry: ScoreEntry) -> dict[str, Any]:
        """Return the numbers of an optimizer as plain values."""
        table, number = self.table, entry.number
        timed = {"seconds": [each.seconds for each in entry.results]} if self.timing else {}
        return {
            "label": entry.label,
            "optimizer": entry.spec.name,
            "settings": dict(entry.spec.settings),
            **{key: _plain(value) for key, value in self.summaries[number]._asdict().items()},
            "spent": entry.spent,
            "sensitivity": {
                name: {
                    "factors": found.factors.tolist(),
                    "solved": _plain(found.solved.tolist()),
                    "region": _plain(found.region),
                    "width": _plain(found.width),
                }
                for name, found in self.sensitivities[number].items()
            },
            "invariances": {
                name: {key: _plain(value) for key, value in found._asdict().items()}
                for name, found in entry.invariances.items()
            },
            "runs": [
                {
                    "problem": problem,
                    "rate": finite_or_none(float(table.rates[place, number])),
                    "cost": each.cost,
                    "spent": each.spent,
                    "cause": each.cause,
                    **{key: _plain(value[place]) for key, value in timed.items()},
                    "rates": [
                        {"rate": finite_or_none(rate), "solved": int(np.isfinite(at).sum())}
                        for rate, at in zip(each.rates.tolist(), each.solved_at, strict=True)
                    ],
                    "starts": [
                        {
                            "solved_at": finite_or_none(float(table.solved_at[row, number])),
                            "ending": ENDINGS[table.endings[row, number]],
                            "gaps": [_gap(each) for each in table.gaps[row, number].tolist()],
                        }
                        for row in np.flatnonzero(table.problem == place)
                    ],
                }
                for place, (problem, each) in enumerate(
                    zip(table.problems, entry.results, strict=True)
                )
            ],
        }

    def rows(self) -> Row:
        table = self.table
        yield [
            *("problem", "group", "dim", "budget", "start", "optimizer", "rate"),
            *("solved_at", "ending", "gap"),
        ]
        first = np.searchsorted(table.problem, table.problem)
        for row, place in enumerate(table.problem.tolist()):
            for entry in self.entries:
                number = entry.number
                yield [
                    table.problems[place],
                    table.groups[place],
                    int(table.dims[place]),
                    int(table.budgets[place]),
                    row - int(first[row]),
                    entry.label,
                    float(table.rates[place, number]),
                    float(table.solved_at[row, number]),
                    ENDINGS[table.endings[row, number]],
                    _single(float(table.gaps[row, number, -1])),
                ]

    def report(self, recipe: ScoreRecipe) -> Report:
        """Return one row per optimizer, and what can and cannot be concluded."""
        headings = [
            *("solved", "95% interval", "median cost", "mean rank", "won/tied/lost"),
            "adjusted p",
            "search",
            *(["time a step"] if self.timing else []),
        ]
        rows = []
        for entry, found in zip(self.entries, self.summaries, strict=True):
            low, high = found.solved_interval
            against = [f"{found.wins}/{found.ties}/{found.losses}", f"{found.adjusted:.3g}"]
            seconds = f"{entry.seconds * 1e6:.3g} us" if np.isfinite(entry.seconds) else "-"
            rows.append(
                [
                    entry.label,
                    "  ".join(entry.settings),
                    f"{found.solved:.0%}",
                    f"{low:.0%} to {high:.0%}",
                    f"{found.median:.1%}" if np.isfinite(found.median) else "-",
                    f"{found.rank:.2f}",
                    *(against if entry.number else ["-", "-"]),
                    f"{entry.spent:,}" if entry.spent else "-",
                    *([seconds] if self.timing else []),
                ]
            )
        columns = [Column("optimizer"), SETTINGS, *(Column(each, number=True) for each in headings)]
        first = self.entries[0].label
        notes = [
            f"{self.caption}; median cost in budgets, search in evaluations"
            + (f", won and p against {first}" if len(self.entries) > 1 else ""),
            *conclusions(self),
            *cautions(self),
            *self.remarks,
        ]
        return Report(columns, rows, notes)


def _gap(gap: float) -> float | None:
    return _single(gap) if np.isfinite(gap) else None


def _single(gap: float) -> float:
    """Return a gap in as few digits as its single precision has."""
    return float(f"{gap:.7g}")


def _plain(value: Any) -> Any:
    """Return a number, or several, as plain values, None where not finite."""
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float | np.floating):
        return finite_or_none(float(value))
    return value.item() if isinstance(value, np.generic) else value
