"""`score`: optimizers on the problems of a suite, on fair budgets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator, NonNegativeInt

from optiviz.kinds.base import Entry, Scene
from optiviz.kinds.fields import LegendFields, OptimizerFields
from optiviz.kinds.style import check_views
from optiviz.kinds.suite import Suite
from optiviz.objective import Array
from optiviz.optimizers.spec import OptimizerSpec
from optiviz.registry import VIEWS, LegendPlace
from optiviz.scoring.invariance import Invariance
from optiviz.scoring.results import Results
from optiviz.scoring.table import ScoreTable
from optiviz.system.text import counted

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
    suite: Suite
    seed: NonNegativeInt = 0
    tuned_on: str | None = None
    only: Annotated[str, AfterValidator(_figures)] | None = None
    timing: bool = False

    @property
    def legend_place(self) -> LegendPlace | None:
        """Where the legend is: nowhere if all figures name the optimizers, unless specified."""
        names = check_views(self.only, PROVIDED, ())
        unneeded = all(VIEWS[name].named for name in names)
        return "none" if self.legend is None and unneeded else self.legend

    def views(self, part: Scene[Any]) -> list[str]:
        return check_views(self.only, part.provides, ())


@dataclass(frozen=True, eq=False, kw_only=True)
class ScoreEntry(Entry):
    """An optimizer and its results on each problem; its value is the share of instances solved."""

    spec: OptimizerSpec
    results: tuple[Results, ...]  # one per problem of the suite
    invariances: Mapping[str, Invariance] = field(default_factory=dict)
    shares = True

    @property
    def heading(self) -> str:
        return self.spec.heading

    @property
    def color(self) -> str:
        return self.spec.color

    @property
    def detail(self) -> str:
        return ""

    @property
    def settings(self) -> list[str]:
        return []

    @property
    def steps(self) -> int:
        return 0

    def values(self, step: int) -> Array:
        return np.array([])


@dataclass(frozen=True, eq=False, kw_only=True)
class ScoreScene(Scene[ScoreEntry]):
    """What optimizers did on a suite, and the table that its figures are computed from."""

    suite: Suite
    table: ScoreTable
    entries: tuple[ScoreEntry, ...] = ()

    @property
    def note(self) -> str:
        return counted(len(self.table.problem), "instance")

    @property
    def provides(self) -> Mapping[str, int]:
        return PROVIDED

    def to_dict(self) -> dict[str, Any]:
        return {}
