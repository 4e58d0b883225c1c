"""What commands print: how every run ended, how its learning rate was found, what was answered."""

import math
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from optiviz.descent.learning_rate import tune
from optiviz.descent.walk import MOST_ROWS
from optiviz.optimizers.words import spell
from optiviz.recipe import (
    AnyRecipe,
    BasinsRecipe,
    Contest,
    Recipe,
    ResponseRecipe,
    TuneRecipe,
    resolved,
)
from optiviz.registry import format_of
from optiviz.rendering.render import met_by
from optiviz.scene import Basin, Response, Run, Scene, Tuned

MOST_COLUMNS = 6  # of minima
SCORE = "the lowest loss so far, averaged over all steps; - of what cannot be used"
WIDE = 10_000  # columns, where no terminal would break a row into lines


def print_scene(scene: Scene, recipe: AnyRecipe) -> None:
    """Print what came out, one row a run or an answer; of a plot there is nothing to say."""
    if isinstance(recipe, TuneRecipe):
        assert isinstance(scene, Tuned)
        print_trials(scene, recipe)
    elif isinstance(recipe, BasinsRecipe):
        assert isinstance(scene, Basin)
        print_basins(scene)
    elif isinstance(recipe, Recipe):
        assert isinstance(scene, Run)
        print_runs(scene, recipe)
    elif isinstance(recipe, ResponseRecipe):
        assert isinstance(scene, Response)
        print_responses(scene)


def print_runs(scene: Run, recipe: Recipe) -> None:
    """Print one row a run: its settings, how far it came, and what went wrong."""
    table = _table()
    several = len(scene.entries[0].trajectories) > 1
    for heading in ("optimizer", *(["start"] if several else [])):
        table.add_column(heading, no_wrap=True)
    table.add_column("hyperparameters", overflow="fold")
    learned = scene.surface.network is not None
    known = bool(scene.surface.minima)
    added = ["to nearest minimum"] * known
    if learned:
        added = ["accuracy", *(["off plane"] if scene.farthest else [])]
    for heading in ("steps", "final loss", *added):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for entry in scene.entries:
        for path in entry.trajectories:
            away = scene.surface.distance_to_minimum(path.end.tolist())
            figures = ["-" if away is None else f"{away:.4g}"] * known
            if learned:
                figures = ["-" if path.accuracy is None else f"{path.accuracy:.1%}"]
                figures += [f"{path.away[-1]:.4g}"] if scene.farthest else []
            table.add_row(
                entry.label,
                *([",".join(f"{each:.4g}" for each in path.start)] if several else []),
                "  ".join(entry.settings),
                str(path.last),
                f"{path.loss(path.last):.6g}",
                *figures,
                scene.verdict(path) + path.why,
            )
    _print(table)
    if (
        recipe.random_starts
        or recipe.tune
        or any(each.startswith("seed ") for each in scene.conditions)
    ):
        click.echo(f"seed {recipe.seed}")
    if not recipe.tune and any(entry.choice.source == "tuned" for entry in scene.entries):
        click.echo(
            "tuned: for low losses all along the way from here; --tune goes by the final loss"
        )
    kept = min(len(path.points) for path in scene.trajectories)
    if kept < min(len(recipe.frame_steps(scene.steps)), MOST_ROWS):
        click.echo(f"{kept} points of each path are kept: more would fill the memory")


def print_trials(scene: Tuned, recipe: TuneRecipe) -> None:
    """Print one row an optimizer: its best trial, and how the runs of that ended."""
    table = _table()
    table.add_column("optimizer", no_wrap=True)
    table.add_column("best trial", overflow="fold")
    for heading in ("trials", "best loss", "median loss", "at a global minimum", "diverge"):
        table.add_column(heading, justify="right", no_wrap=True)
    for entry in scene.entries:
        found = entry.search
        best = found.best
        reached = "-" if found.reached is None else f"{found.reached[best].mean():.0%}"
        table.add_row(
            entry.label,
            "  ".join(entry.settings),
            str(found.trials),
            f"{found.losses[best].min():.6g}",
            f"{found.medians[best]:.6g}",
            reached,
            f"{found.diverged[best]:.0%}",
        )
    _print(table)
    many = len(scene.entries[0].search.losses[0])
    click.echo(
        f"of {many} start{'s' if many > 1 else ''}, {recipe.trials} trials each, by the median "
        f"final loss; seed {recipe.seed}"
    )


def print_basins(scene: Basin) -> None:
    """Print one row an optimizer: how many of the starts reach each minimum, and how soon."""
    table = _table()
    table.add_column("optimizer", no_wrap=True)
    table.add_column("hyperparameters", overflow="fold")
    minima = scene.minima if len(scene.minima) <= MOST_COLUMNS else scene.minima[:0]
    headings = [",".join(f"{each:.3g}" for each in point) for point in minima]
    several = [f"one of {len(scene.minima)} minima"] if len(minima) < len(scene.minima) else []
    for heading in (*several, *headings, "none", "median step"):
        table.add_column(heading, justify="right", no_wrap=True)
    for entry in scene.entries:
        found = entry.basins
        shares = [(found.reached == number).mean() for number in (*range(len(headings)), -1)]
        shares = ([(found.reached >= 0).mean()] if several else []) + shares
        arrived = found.arrived[found.arrived >= 0]
        table.add_row(
            entry.label,
            "  ".join(entry.settings),
            *(f"{share:.1%}" for share in shares),
            f"{np.median(arrived):.0f}" if arrived.size else "-",
        )
    _print(table)


def print_skipped(scene: Scene, recipe: AnyRecipe, paths: Sequence[Path]) -> None:
    """Say how many of the steps an animation shows, if not all."""
    if not isinstance(recipe, Contest):
        return
    frames = len(recipe.frame_steps(scene.steps))
    if frames <= scene.steps and any(format_of(path).kind == "animation" for path in paths):
        whole = math.ceil((scene.steps + 1) / recipe.fps)
        more = f": --duration {whole} would show each step" if recipe.frames is None else ""
        click.echo(f"{frames} frames show steps 0 to {scene.steps}{more}")


def print_responses(scene: Response) -> None:
    """Print one row an answer: its settings, its largest update and its last one."""
    table = _table()
    table.add_column("optimizer", no_wrap=True)
    table.add_column("hyperparameters", overflow="fold")
    for heading in ("largest update", "last update"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for entry in scene.entries:
        known = entry.update[np.isfinite(entry.update)]
        table.add_row(
            entry.label,
            "  ".join(entry.settings),
            f"{known[np.abs(known).argmax()]:.6g}" if known.size else "-",
            f"{entry.update[-1]:.6g}",
            f"{entry.stopped} at step {entry.stopped_at}" if entry.stopped else "",
        )
    _print(table)


def _table() -> Table:
    return Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")


def _print(table: Table) -> None:
    console = Console(highlight=False, emoji=False, markup=False)
    if not console.is_terminal:
        console.width = WIDE
    console.print(table)


def print_rates(scene: Run, recipe: Recipe) -> None:
    """Print the score of every learning rate that was, or would have been, tried."""
    surface = resolved(recipe.surface)
    objective, starts = met_by(recipe, surface)
    blocks = []
    for entry in scene.entries:
        method = entry.choice.optimizer
        rate = method.hyperparameters().get(method.rate)
        if rate is None:
            blocks.append(f"{entry.label} has no learning rate")
            continue
        tuning = entry.choice.tuning or tune(
            entry.word, surface, starts, scene.steps, also=[rate], met=objective
        )
        best = f"the best is {spell(tuning.best)}" if tuning.found else "none can be used"
        scores = zip(tuning.rates.tolist(), tuning.scores.tolist(), strict=True)
        blocks.append(
            f"{entry.label}: lr {spell(rate)} ({entry.choice.source}); "
            f"of {len(tuning.rates)} {best}\n{'lr':<10}  score ({SCORE})\n"
            + "\n".join(
                f"{spell(tried):<10}  {'-' if math.isinf(score) else f'{score:.6g}'}"
                for tried, score in scores
            )
        )
    click.echo("\n\n".join(blocks))
