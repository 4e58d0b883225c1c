"""Suites: the problems on which optimizers are scored, and what counts as solved."""

from collections.abc import Mapping
from typing import Annotated, Self

import numpy as np
from pydantic import BeforeValidator, Field, FiniteFloat, ValidationInfo, field_validator

from optiviz.kinds.conditions import Noise, check_noise_kind
from optiviz.kinds.fields import SampledBatchSize
from optiviz.kinds.types import NamedSurface, resolve_surface
from optiviz.registry import NoiseKind
from optiviz.scoring.problems import TOLERANCE, BenchmarkProblem
from optiviz.scoring.table import ALL
from optiviz.surfaces.domain import Kebab, Text
from optiviz.system.json_schema import TEXT, MappedSchema, any_of
from optiviz.system.validation import Model

MAX_PROBLEMS, MAX_STARTS, MAX_BUDGET = 5_000, 1000, 1_000_000

Budget = Annotated[int, Field(ge=10, le=MAX_BUDGET)]
StartCount = Annotated[int, Field(ge=1, le=MAX_STARTS)]
Tolerance = Annotated[float, Field(gt=0, lt=1)]


class SuiteProblem(Model):
    """One problem: a surface, its conditions, and what is specific to it.

    minimum is the lowest loss there is, or a bound that none is below: that of the surface's known
    minima unless specified. budget, starts and tolerance are those of the suite unless specified.
    """

    name: Kebab
    group: Kebab
    surface: NamedSurface
    minimum: FiniteFloat | None = None
    budget: Budget | None = None
    starts: StartCount | None = None
    tolerance: Tolerance | None = None
    batch_size: SampledBatchSize | None = None
    noise: Noise = 0.0
    noise_kind: Annotated[NoiseKind, Field(validate_default=True)] = "gaussian"

    @field_validator("name", "group")
    @classmethod
    def _of_its_own(cls, name: str) -> str:
        if name == ALL:
            raise ValueError(f"cannot be {ALL}, which stands for all problems")
        return name

    @field_validator("noise_kind")
    @classmethod
    def _of_a_size(cls, kind: NoiseKind, info: ValidationInfo) -> NoiseKind:
        if "noise" in info.data:
            check_noise_kind(kind, [info.data["noise"]])
        return kind


class Suite(Model):
    """Problems with what they share: a budget of evaluations, and the number of starts.

    tolerance is the gap, as a fraction of that at the start, at which an instance is solved.
    """

    name: Kebab = "suite"
    title: Text = ""
    budget: Budget = 1000
    starts: StartCount = 5
    tolerance: Tolerance = TOLERANCE
    problems: Annotated[tuple[SuiteProblem, ...], Field(min_length=1, max_length=MAX_PROBLEMS)]

    @field_validator("problems")
    @classmethod
    def _named_once(cls, problems: tuple[SuiteProblem, ...]) -> tuple[SuiteProblem, ...]:
        names = [each.name for each in problems]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two problems are called {name}")
        return problems

    def with_shared(self, given: Mapping[str, float]) -> Self:
        """Return the suite in which all problems have a given budget, number of starts, and so on.

        Raises InputError with a line for each field that is invalid.
        """
        own = dict.fromkeys(given)
        problems = tuple(each.model_copy(update=own) for each in self.problems)
        kept = {name: getattr(self, name) for name in self.model_fields_set - {"problems"}}
        return type(self)(**kept | dict(given), problems=problems)

    def benchmark(self, seed: int = 0) -> tuple[BenchmarkProblem, ...]:
        """Return the problems as they are run."""
        return tuple(
            BenchmarkProblem(
                each.name,
                each.group,
                resolve_surface(each.surface),
                known_minimum(each),
                each.budget or self.budget,
                each.starts or self.starts,
                each.tolerance or self.tolerance,
                each.batch_size,
                each.noise,
                each.noise_kind,
                seed,
            )
            for each in self.problems
        )


def _no_name(suite: object) -> object:
    if isinstance(suite, str):
        raise ValueError("must be a suite: optiviz.load_suite returns that of a name or a file")
    return suite


WrittenSuite = Annotated[
    Suite, BeforeValidator(_no_name), MappedSchema(lambda kept: any_of(TEXT, kept))
]


def known_minimum(problem: SuiteProblem) -> float:
    """Return the lowest loss of a problem; raise ValueError if it is unknown."""
    surface = resolve_surface(problem.surface)
    if problem.minimum is not None:
        return problem.minimum
    if not surface.minima:
        raise ValueError(f"{problem.name}: minimum: is needed, as none is known of its surface")
    return float(surface.value(np.array(surface.minima, float)).min())
