"""One job: an optimizer on a problem, at each rate of a grid and from each start.

Runs of built-in optimizers are walked as arrays. So are those of a user's class if some of them,
walked one by one, give the same; all others are walked one by one.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from optiviz.descent.evaluations import ArrayTally, CountedObjective, RunTally
from optiviz.descent.run_arrays import AloneObjective, Numbers, Runs
from optiviz.descent.trials import innermost
from optiviz.descent.walk import walk
from optiviz.objective import Array, Spent, Stream
from optiviz.optimizers.base import (
    Method,
    Optimizer,
    OptimizerError,
    Solver,
    check_noise,
    check_offered,
)
from optiviz.optimizers.lookup import factory_of, is_third_party_optimizer
from optiviz.optimizers.spec import OptimizerSpec
from optiviz.optimizers.third_party import UserOptimizer, leftovers
from optiviz.scoring.judging import Judge, Verdict
from optiviz.scoring.problems import SHARES, BenchmarkProblem
from optiviz.scoring.rates import NETWORK_RATES, RATES, is_searched
from optiviz.scoring.results import FAILED, Results
from optiviz.scoring.setting import Group, Setting
from optiviz.scoring.table import best_rate
from optiviz.scoring.variation import varied_values
from optiviz.system.errors import InputError

NUMBERS = 2_000_000  # of points and states that are kept at once
TIMED, REPEATS = 20, 3  # evaluations that are timed, and how often
PROBED = 100  # evaluations that tell how many steps a budget allows
# What numerical code raises where numbers are no longer finite.
NUMERICAL = InputError, OptimizerError, ArithmeticError, ValueError

Values = Mapping[str, Array]  # of hyperparameters in each trial, shape (trials,)


class Job(NamedTuple):
    """One optimizer on one problem."""

    problem: BenchmarkProblem
    spec: OptimizerSpec


class Walked(NamedTuple):
    """What the runs of some trials have reached, by trial and start, and why some failed."""

    reached: Verdict
    cause: str = ""


def run_job(job: Job) -> Results:
    """Return the results of an optimizer on a problem.

    They depend on the job alone, but for `seconds`. Whatever fails, at building, for want of
    something that the optimizer needs, or in third-party code, counts as a run that failed.
    """
    rates = searched_rates(job)
    setting = Setting(job.problem)
    try:
        with np.errstate(all="ignore"):
            return _results(job, setting, rates)
    except (InputError, OptimizerError) as error:
        return _failed(job, rates, str(error))


def searched_rates(job: Job) -> Array:
    """Return the learning rates that a job tries, nan alone if it searches none."""
    with suppress(InputError):  # of third-party code that cannot be loaded
        if is_searched(job.spec):
            return NETWORK_RATES if job.problem.surface.learns else RATES
    return np.array([np.nan])


def _failed(job: Job, rates: Array, cause: str) -> Results:
    shape = len(rates), job.problem.starts
    return Results(
        rates=rates,
        gaps=np.full((*shape, len(SHARES)), np.inf),
        solved_at=np.full(shape, np.inf),
        endings=np.full(shape, FAILED, np.int8),
        cost=0.0,
        spent=0,
        cause=cause,
    )


def _results(job: Job, setting: Setting, rates: Array) -> Results:
    spec, rate = job.spec, factory_of(job.spec.name).rate
    searched = not np.isnan(rates).all()
    values = {rate: rates} if searched else {}
    if spec.schedule:
        spec = spec.with_total_steps(_steps_within(spec, setting, values))
    walked, together = _walk_all(spec, setting, values, len(rates))
    reached = walked.reached
    found = Results(
        rates=rates,
        gaps=reached.gaps,
        solved_at=reached.solved_at,
        endings=reached.endings,
        cost=float(reached.spent.sum() / max(1, reached.steps.sum())),
        spent=int(reached.spent.sum()) if searched else 0,
        cause=walked.cause,
    )
    best = {rate: rates[best_rate(found)]} if searched else {}
    solvable = together and np.isfinite(found.solved_at).any()
    varied = _vary(spec, setting, best) if solvable else {}
    return replace(found, **varied, seconds=_seconds(spec, setting, best, found.cost))


def _build(spec: OptimizerSpec, setting: Setting, values: Mapping[str, Any]) -> Method:
    """Return the optimizer; raise InputError if it cannot be built or cannot take the problem."""
    method, problem = spec.build(**values).walker, setting.problem
    check_offered(method, setting.groups[0].objective, spec.heading)
    if problem.noise and problem.noise_kind != "drift":
        check_noise(method, spec.heading)
    return method


def _walk_all(
    spec: OptimizerSpec, setting: Setting, values: Values, trials: int
) -> tuple[Walked, bool]:
    """Walk all trials from all starts; the second value is whether as arrays."""
    if not is_third_party_optimizer(spec.name):
        middle = _build(spec, setting, _of_trial(values, trials // 2))
        if isinstance(middle, Optimizer) and middle.vectorized and not middle.has_loops:
            with suppress(*NUMERICAL):  # of one run, which would end all
                return _walk_arrays(spec, setting, values, trials), True
        return _walk_each(spec, setting, values, range(trials)), False
    if setting.problem.surface.function is None:
        found = _walk_own(spec, setting, values, trials)
        if found is not None:
            return found, True
    return _walk_each(spec, setting, values, range(trials)), False


def _walk_own(spec: OptimizerSpec, setting: Setting, values: Values, trials: int) -> Walked | None:
    """Return what runs of a user's class reach as arrays; None if that is something else alone.

    Compared are runs of the first trial, the middle and the last one, and the one that is solved
    soonest, each from another start; the first also shows whether a run leaves anything behind.
    """
    source = factory_of(spec.name).sources[-1]
    budget, many = setting.problem.budget, len(setting.starts)
    before = leftovers(source)  # now that the data of the problem are there
    first = _walk_each(spec, setting, values, [0], [0])
    if leftovers(source) != before:
        return None
    try:
        method = _build(spec, setting, _of_trial(values, trials // 2))
        if not isinstance(innermost(method), UserOptimizer):
            return None
        found = _walk_arrays(spec, setting, values, trials, own=True)
    except (*NUMERICAL, TypeError):
        return None
    if not _same(found, 0, 0, first):
        return None
    best = np.lexsort(
        (
            found.reached.gaps[..., -1].mean(axis=1),
            np.minimum(found.reached.solved_at, 2 * budget).mean(axis=1),
        )
    )
    for number, trial in enumerate((trials // 2, trials - 1, int(best[0])), 1):
        start = number % many
        alone = _walk_each(spec, setting, values, [trial], [start])
        if not _same(found, trial, start, alone):
            return None
    return found


def _same(found: Walked, trial: int, start: int, alone: Walked) -> bool:
    """Return whether the run of a trial from a start has reached what it reaches alone."""
    return all(
        np.array_equal(np.asarray(each)[trial, start], np.asarray(other)[0, 0])
        for each, other in zip(found.reached, alone.reached, strict=True)
    )


def _walk_arrays(
    spec: OptimizerSpec, setting: Setting, values: Values, trials: int, own: bool = False
) -> Walked:
    """Walk trials as arrays, in blocks of some; own is whether of a user's class."""
    size = max(1, NUMBERS // _numbers_of_trial(spec, setting, _of_trial(values, trials // 2)))
    blocks = []
    for begin in range(0, trials, size):
        block = {key: each[begin : begin + size, None, None] for key, each in values.items()}
        many = min(size, trials - begin)
        if own:
            block = {key: each.view(Numbers) for key, each in block.items()}
        method = _build(spec, setting, block)
        columns = []
        for group in setting.groups:
            lead = many, len(group.starts)
            counted = _counted(setting, group, ArrayTally(lead))
            x = np.tile(group.starts, (many, 1, 1))
            run = _Run(setting, group, many)
            if own:
                run.follow(walk(AloneObjective(counted), method, x.view(Runs), run.most), counted)
            else:
                run.follow(walk(counted, method, x, run.most), counted)
            columns.append(run.verdict(lead))
        blocks.append(_beside(columns))
    return _joined(blocks)


def _numbers_of_trial(spec: OptimizerSpec, setting: Setting, values: Mapping[str, Any]) -> int:
    """Return how many numbers the points and the state of a trial have, about."""
    method, dim = _build(spec, setting, values), setting.starts.shape[1]
    rows = 1
    if "hessian" in method.needs:
        rows += dim
    objective = setting.groups[0].objective
    if "sample_gradients" in method.needs and isinstance(objective, Stream):
        rows += len(objective.at(0).full_batch.chosen)  # type: ignore[attr-defined]
    return int(dim * rows * len(setting.groups[0].starts))


def _walk_each(
    spec: OptimizerSpec,
    setting: Setting,
    values: Values,
    trials: Sequence[int],
    starts: Sequence[int] = (),
) -> Walked:
    """Walk runs one by one, from all starts unless some are given."""
    objectives = [each for group in setting.groups for each in group.alone]
    rows = []
    for trial in trials:
        columns = []
        for number in starts or range(len(objectives)):
            own, x = objectives[number], setting.starts[number]
            alone = Group(own, x[None], [own])
            run = _Run(setting, alone, 1)
            counted = _counted(setting, alone, RunTally(setting.problem.budget))
            try:
                method = _build(spec, setting, _of_trial(values, trial))
                run.follow(walk(counted, method, x, run.most), counted, method)
            except NUMERICAL as error:
                run.fail(x, 0, str(error))
            columns.append(run.verdict((1, 1)))
        rows.append(_beside(columns))
    return _joined(rows)


def _counted(setting: Setting, group: Group, tally: ArrayTally | RunTally) -> CountedObjective:
    remembers = setting.problem.surface.learns and not setting.is_random
    return CountedObjective(group.objective, tally, remembers)


def _of_trial(values: Values, trial: int) -> dict[str, float]:
    return {key: float(each[trial]) for key, each in values.items()}


class _Run:
    """Follows runs from the starts of a group, and judges them."""

    def __init__(self, setting: Setting, group: Group, trials: int) -> None:
        self._setting, self._group = setting, group
        self._runs, self._dim = trials * len(group.starts), group.starts.shape[1]
        self._judge = Judge(setting.standard(group, trials), self._dim)
        self.most = setting.problem.budget  # steps, as each has an evaluation
        self._block = int(np.clip(NUMBERS // (2 * self._runs * self._dim), 8, self.most + 1))
        self._points: list[Array] = []
        self._spent: list[Any] = []
        self._losses: list[Array | None] = []
        self._step = 0  # of the first of these
        self._cause = ""

    def follow(
        self, walked: Iterator[tuple[Array, Any]], counted: CountedObjective, method: Any = None
    ) -> None:
        """Follow runs; method is that of a single one.

        Raises what arrays raise; what a single run raises ends it.
        """
        tally, reached = counted.tally, 0
        x: Array = self._group.starts[0]
        try:
            for x, _ in walked:
                if self._points and counted.last[0] is self._points[-1]:
                    self._losses[-1] = counted.last[1]
                if isinstance(tally, RunTally):
                    here = tally.spent_at(x) if isinstance(method, Solver) else tally.spent
                    reached = max(reached, here)
                    self._add(x, reached)
                    if reached > self.most or not np.isfinite(x).all():
                        break
                else:
                    self._add(x, tally.spent)
                    if tally.spent.min() > self.most:
                        break
                if len(self._points) == self._block and not self._settle():
                    break
        except Spent:
            pass
        except NUMERICAL as error:
            if not isinstance(tally, RunTally):
                raise
            if tally.spent <= self.most:
                self.fail(x, tally.spent, str(error))

    def fail(self, x: Array, spent: int, cause: str) -> None:
        """End a single run, which failed."""
        if not self._points and not self._step:
            self._add(self._group.starts[0], 0)
        self._add(x, spent)
        self._losses[-1] = np.array([np.nan])
        self._cause = cause

    def _add(self, x: Array, spent: Any) -> None:
        self._points.append(np.asarray(x))  # of Runs as well
        self._spent.append(spent)
        self._losses.append(None)

    def _settle(self) -> bool:
        """Judge the steps that were added; return whether any run still goes on."""
        points = np.stack([np.reshape(x, (self._runs, self._dim)) for x in self._points])
        losses = np.full(points.shape[:2], np.nan)
        unknown = [n for n, loss in enumerate(self._losses) if loss is None]
        for number, loss in enumerate(self._losses):
            if loss is not None:
                losses[number] = np.reshape(loss, self._runs)
        if len(unknown) == len(points):
            losses = self._setting.losses(self._group, points, self._step)
        elif unknown:
            for number in unknown:
                here = points[number : number + 1]
                losses[number] = self._setting.losses(self._group, here, self._step + number)[0]
        spent = np.stack([np.reshape(each, -1) for each in self._spent])
        self._step += len(points)
        self._points, self._spent, self._losses = [], [], []
        return self._judge.take(points, losses, spent.astype(np.int64))

    def verdict(self, lead: tuple[int, int]) -> Walked:
        """Return what the runs have reached, by trial and start."""
        if self._points:
            self._settle()
        found = self._judge.verdict(self._setting.stationarity)
        shaped = (each.reshape(*lead, *each.shape[1:]) for each in found)
        return Walked(Verdict._make(shaped), self._cause)


def _beside(columns: list[Walked]) -> Walked:
    """Return what the same trials have reached from all starts."""
    return _concatenated(columns, axis=1)


def _joined(blocks: list[Walked]) -> Walked:
    """Return what all trials have reached."""
    return _concatenated(blocks, axis=0)


def _concatenated(parts: list[Walked], axis: int) -> Walked:
    arrays = zip(*(each.reached for each in parts), strict=True)
    cause = next((each.cause for each in parts if each.cause), "")
    return Walked(Verdict._make(np.concatenate(each, axis=axis) for each in arrays), cause)


def _steps_within(spec: OptimizerSpec, setting: Setting, values: Values) -> int:
    """Return how many steps fit into the budget, from what the first ones cost."""
    tally, budget = RunTally(), setting.problem.budget
    probed = spec.with_total_steps(budget)
    method = _build(probed, setting, _of_trial(values, 0))  # at the smallest rate
    group = setting.groups[0]
    counted, steps = CountedObjective(group.alone[0], tally), -1  # the start is no step
    for _ in walk(counted, method, group.starts[0], budget):
        steps += 1
        if tally.spent >= min(PROBED, budget):
            break
    return max(1, budget * steps // max(1, tally.spent))


def _vary(spec: OptimizerSpec, setting: Setting, best: Mapping[str, float]) -> dict[str, Any]:
    """Return the fields of Results on other values of each other hyperparameter."""
    varied = varied_values(spec, best)
    if not varied:
        return {}
    many = sum(len(each.values) for each in varied.values())
    values: dict[str, Array] = {key: np.full(many, value) for key, value in best.items()}
    begin, parts = 0, {}
    for key, each in varied.items():
        parts[key] = slice(begin, begin + len(each.values))
        values[key] = np.full(many, each.default)
        values[key][parts[key]] = each.values
        begin += len(each.values)
    own = is_third_party_optimizer(spec.name)
    try:
        walked = _walk_arrays(spec, setting, values, many, own)
    except (*NUMERICAL, TypeError):
        return {}
    return {
        "values": {key: each.values for key, each in varied.items()},
        "factors": {key: each.factors for key, each in varied.items()},
        "solved_with": {key: walked.reached.solved_at[part] for key, part in parts.items()},
    }


def _seconds(
    spec: OptimizerSpec, setting: Setting, best: Mapping[str, float], cost: float
) -> float:
    """Return the wall time of a step of one run alone, nan if it fails."""
    group, steps = (
        setting.groups[0],
        max(1, min(TIMED, setting.problem.budget) // max(1, round(cost))),
    )
    taken = []
    try:
        method = _build(spec, setting, best)
        for _ in range(1 + REPEATS):
            began = perf_counter()
            for _ in walk(group.alone[0], method, group.starts[0], steps):
                pass
            taken.append((perf_counter() - began) / steps)
    except NUMERICAL:
        return float("nan")
    return float(np.median(taken[1:]))
