"""`basins`: where each start of a grid over the window ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import field_validator

from optiviz.descent import problem_of
from optiviz.descent.basins import Basins, map_basins, start_grid
from optiviz.descent.learning_rate import configure
from optiviz.kinds.base import SETTINGS, Column, OnSurface, OptimizerEntry, Report, Row
from optiviz.kinds.conditions import DRAWN_FIRST
from optiviz.kinds.facts import Facts, part, setting
from optiviz.kinds.fields import AnimationFields, ProblemFields, VariationFields
from optiviz.kinds.style import Style
from optiviz.kinds.types import Sides, resolve_surface
from optiviz.objective import Array
from optiviz.optimizers.base import check_offered
from optiviz.optimizers.spec import labelled, parse_spec
from optiviz.registry import Aspect, Pace
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError
from optiviz.system.progress import TaskProgress, search_progress

MAX_CELLS = 2048  # per side of a grid of starts
MAX_COLUMNS = 6  # minima in a report
ZERO = 1e-6  # share of the side of the window below which a coordinate counts as 0
TUNING_GRID = 3, 3  # starts over the window that learning rates are tuned from


class BasinsRecipe(VariationFields, ProblemFields, AnimationFields):
    """Where each start of a grid over the window ends, for each optimizer.

    grid is the number of columns and rows of starts, also written as "512x512". pace is how
    learning rates that nobody gives are chosen, and aspect is that of the axes, as in a Recipe.
    """

    default_suffix: ClassVar = "-basins.png"
    kind: Literal["basins"] = "basins"
    grid: Sides = (256, 256)
    pace: Pace = "calm"
    aspect: Aspect | None = None

    @field_validator("surface", check_fields=False)
    @classmethod
    def _in_two_dimensions(cls, surface: str | Surface) -> str | Surface:
        found = resolve_surface(surface)
        if found.dim != 2 or not problem_of(found).in_plane:
            what = "one" if found.dim == 1 else "many dimensions"
            name = found.name or ("the model" if found.model else "the formula")
            raise ValueError(f"basins need two dimensions, but {name} is descended in {what}")
        return surface

    @field_validator("grid")
    @classmethod
    def _countable(cls, grid: tuple[int, int]) -> tuple[int, int]:
        if not all(2 <= side <= MAX_CELLS for side in grid):
            raise ValueError(
                f"must be between 2x2 and {MAX_CELLS}x{MAX_CELLS}, not {grid[0]}x{grid[1]}"
            )
        return grid

    @field_validator("optimizers", check_fields=False)
    @classmethod
    def _uncolored(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for spec in map(parse_spec, texts):
            if spec.color:
                raise InputError(f"{spec.name}: color has no effect: colours are those of minima")
        return texts

    @property
    def style(self) -> Style:
        return Style(aspect=self.aspect)

    def make_scene(self, progress: TaskProgress | None = None) -> "BasinsScene":
        self.check()
        surface, steps = resolve_surface(self.surface), self.last_step
        objective = self.objective()
        specs = self.loaded_specs(steps)
        few = list(start_grid(surface, objective, TUNING_GRID, steps).starts)
        configured = []
        for spec, label in labelled(specs):
            check_offered(spec.probe(), objective, spec.name)
            watch = search_progress(label, progress)
            configured.append(
                configure(spec, surface, few, steps, self.lr, objective, watch, self.pace)
            )
        watch = None if progress is None else partial(progress, "descending")
        place = start_grid(surface, objective, self.grid, steps)
        methods = [each.optimizer.walker for each in configured]
        minima, maps = map_basins(methods, place, watch)
        entries = tuple(
            BasinsEntry(
                spec=spec,
                label=label,
                configured=chosen,
                number=number,
                basins=found,
                length=steps,
            )
            for number, ((spec, label), chosen, found) in enumerate(
                zip(labelled(specs), configured, maps, strict=True)
            )
        )
        return BasinsScene(
            title=self.title_for(surface),
            surface=surface,
            minima=minima,
            entries=entries,
            conditions=(
                *self.conditions_of(self.specs),
                *([DRAWN_FIRST] if self.noise_kind == "drift" else []),
            ),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class BasinsEntry(OptimizerEntry):
    """An optimizer run from every start of a grid; its value is the share reaching a minimum."""

    basins: Basins
    length: int  # steps
    shares = True

    @property
    def steps(self) -> int:
        return self.length

    def values(self, step: int) -> Array:
        return np.array([self.basins.share(step)])


@dataclass(frozen=True, eq=False, kw_only=True)
class BasinsScene(OnSurface[BasinsEntry]):
    """The minima of a surface, and the starts from which each optimizer reaches them."""

    minima: Array  # (m, 2)
    entries: tuple[BasinsEntry, ...] = ()
    siblings: tuple[BasinsEntry, ...] = ()
    colored = False

    @property
    def latest(self) -> int:
        """The last step at which a run of any optimizer settles at a minimum."""
        return max(int(each.basins.arrived.max()) for each in self.siblings or self.entries)

    @property
    def provides(self) -> Mapping[str, int]:
        return {"basins": self.surface.dim}

    @property
    def facts(self) -> Facts:
        def share(path: str, number: int) -> float:
            """Return the share of the starts that end at a minimum; the first has number 1."""
            part(self.minima, number, "minimum")
            return float((self.entry(path).basins.reached == number - 1).mean())

        def used(path: str, name: str) -> float:
            """Return a hyperparameter as it was used."""
            return setting(self.entry(path).configured.optimizer.hyperparameters(), name)

        return {"steps": self.steps, "share": share, "setting": used}

    def to_dict(self) -> dict[str, Any]:
        """Return the minima and, for each optimizer, the grid of the minima reached."""
        maps = [
            {
                "label": entry.label,
                "optimizer": entry.spec.name,
                "hyperparameters": entry.configured.optimizer.hyperparameters(),
                "lr_source": entry.configured.source,
                "reached": [_known(row) for row in entry.basins.reached.tolist()],
                "arrived": [_known(row) for row in entry.basins.arrived.tolist()],
            }
            for entry in self.entries
        ]
        window = self.surface.window.model_dump(mode="json")
        return {"domain": window, "minima": self.minima.tolist(), "basins": maps}

    def rows(self) -> Row:
        yield ["label", "optimizer", "row", "column", "minimum", "arrived"]
        for entry in self.entries:
            found = entry.basins
            for (row, column), reached in np.ndenumerate(found.reached):
                known = (
                    [int(reached), int(found.arrived[row, column])] if reached >= 0 else ["", ""]
                )
                yield [entry.label, entry.spec.name, row, column, *known]

    def report(self, recipe: BasinsRecipe) -> Report:
        """Return one row per optimizer: which share of starts reach each minimum, and how soon."""
        minima = self.minima if len(self.minima) <= MAX_COLUMNS else self.minima[:0]
        sides = [high - low for low, high in self.surface.window.intervals]
        headings = [",".join(map(_written, point, sides)) for point in minima]
        several = [f"one of {len(self.minima)} minima"] if len(minima) < len(self.minima) else []
        rows = []
        for entry in self.entries:
            found = entry.basins
            shares = [(found.reached == number).mean() for number in (*range(len(headings)), -1)]
            shares = ([(found.reached >= 0).mean()] if several else []) + shares
            arrived = found.arrived[found.arrived >= 0]
            rows.append(
                [
                    entry.label,
                    "  ".join(entry.settings),
                    *(f"{share:.1%}" for share in shares),
                    f"{np.median(arrived):.0f}" if arrived.size else "-",
                ]
            )
        counted = [*several, *headings, "none", "median step"]
        numbers = [Column(heading, number=True) for heading in counted]
        return Report([Column("optimizer"), SETTINGS, *numbers], rows)


def _written(coordinate: float, side: float) -> str:
    """Return a coordinate of a minimum as text; 0 for what is as good as 0 in a window."""
    return f"{0.0 if abs(coordinate) < ZERO * side else coordinate:.3g}"


def _known(numbers: Sequence[int]) -> list[int | None]:
    return [None if number < 0 else number for number in numbers]
