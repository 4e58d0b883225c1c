"""How work goes on, on a terminal: a bar, and above it a table of what there is so far."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Self

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from optiviz.cli.options import Display
from optiviz.cli.tables import table_of
from optiviz.kinds.base import BaseRecipe, Scene


class TerminalDisplay(Display, AbstractContextManager["TerminalDisplay"]):
    """A display that is drawn in place while its context is open."""

    def __init__(self, ways_out: Mapping[str, str], console: Console) -> None:
        super().__init__(ways_out)
        told = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
        columns = (*told, TimeRemainingColumn(compact=True))
        self._bar = _Bar(*columns, console=console, transient=True)
        self._task = self._bar.add_task("descending", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._bar.stop()

    def __call__(self, task: str, done: int, total: int) -> None:
        if self._bar.tasks[self._task].description != task:  # another pace
            self._bar.reset(self._task)
        self._bar.update(self._task, description=task, completed=done, total=total)
        super().__call__(task, done, total)

    def say(self, text: str) -> None:
        self._bar.console.print(text, markup=False, highlight=False)

    def show(self, scene: Scene[Any], recipe: BaseRecipe) -> None:
        report = scene.report(recipe)
        self._bar.above = [] if report is None else [table_of(report), Text(scene.unfinished)]


class _Bar(Progress):
    """A progress bar with something above it."""

    above: Iterable[RenderableType] = ()

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from self.above
        yield from super().get_renderables()
