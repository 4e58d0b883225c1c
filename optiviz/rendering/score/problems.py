"""The problems of a score as live pages, and what its script draws of each."""

import shlex
from contextlib import suppress
from typing import Any

import numpy as np

from optiviz.kinds.run import Recipe
from optiviz.kinds.score import ScoreRecipe, ScoreScene
from optiviz.kinds.suite import SuiteProblem
from optiviz.kinds.types import resolve_surface
from optiviz.recipes.command import arguments_for, command_fields
from optiviz.recipes.provenance import metadata_for
from optiviz.rendering.page import page_parts
from optiviz.rendering.page.programs import computes
from optiviz.rendering.score.numbers import percent
from optiviz.scoring import profiles
from optiviz.scoring.problems import start_seed
from optiviz.scoring.statistics import extremes
from optiviz.system.errors import InputError

STEPS = 20, 200  # bounds of the steps of an animation
LONGER = 1.25  # than it takes to solve a problem
MOST_PAGES = 60
DIGITS = 2  # of the logarithms of gaps


def suite_problem(scene: ScoreScene, at: int) -> SuiteProblem:
    """Return a problem of the table as the suite has it, which may have others, too."""
    name = scene.table.problems[at]
    return next(each for each in scene.suite.problems if each.name == name)


def problem_recipe(scene: ScoreScene, recipe: ScoreRecipe, at: int) -> Recipe:
    """Return the recipe of a run on a problem, of all optimizers at the rates that they have there.

    The rates have four digits. Raises InputError if none can be made.
    """
    problem, rates = suite_problem(scene, at), scene.table.rates[at]
    surface = resolve_surface(problem.surface)
    specs = [
        str(entry.spec.with_default_rate(float(f"{rate:.4g}") if np.isfinite(rate) else None))
        for entry, rate in zip(scene.entries, rates, strict=True)
    ]
    is_random = problem.noise > 0 or problem.batch_size is not None
    conditions = {
        "batch_size": problem.batch_size,
        "noise": problem.noise,
        "noise_kind": problem.noise_kind,
    }
    return Recipe.model_validate(
        {
            "surface": problem.surface,
            "optimizers": specs,
            "starts": [surface.start] if len(surface.default_starts) > 1 else [],
            "steps": _steps(scene, at),
            "seed": start_seed(recipe.seed, 0) if is_random else recipe.seed,
            "theme": recipe.theme,
            **{
                key: value
                for key, value in conditions.items()
                if value != type(problem).model_fields[key].default
            },
        }
    )


def _steps(scene: ScoreScene, at: int) -> int:
    """Return how many steps show how a problem is solved from its first start."""
    first = int(np.flatnonzero(scene.table.problem == at)[0])
    costs = np.array([max(entry.results[at].cost, 1.0) for entry in scene.entries])
    needed = LONGER * scene.table.solved_at[first] / costs
    most = int(scene.table.budgets[at] / costs.min())
    longest = float(needed.max())
    return int(np.clip(longest if np.isfinite(longest) else most, STEPS[0], min(STEPS[1], most)))


def with_pages(scene: ScoreScene, recipe: ScoreRecipe) -> dict[str, dict[str, str]]:
    """Return the parts of the live page of each problem that has one, by its number.

    If there are more than MOST_PAGES, those where the first optimizer does best and worst have one;
    none has while the score is unfinished, as its page is soon written anew.
    """
    if scene.unfinished:
        return {}
    many = len(scene.table.problems)
    chosen = [int(at) for each in extremes(scene.table) for at in each]
    order = [*dict.fromkeys([*chosen, *range(many)])]
    pages: dict[int, dict[str, str]] = {}
    for at in order:
        if len(pages) == MOST_PAGES:
            break
        with suppress(InputError):  # for what no run can show, or what cannot be built
            run = problem_recipe(scene, recipe, at).model_copy(update={"title": ""})
            if computes(run):
                shown = run.make_scene()
                pages[at], _ = page_parts(shown, run, metadata_for(run), framed=True, spare=True)
    return {str(at): pages[at] for at in sorted(pages)}


def problems_told(
    scene: ScoreScene, recipe: ScoreRecipe, pages: dict[str, dict[str, str]]
) -> dict[str, Any]:
    """Return what the script needs to know of each problem, as plain values."""
    table = scene.table
    ranks, shares = profiles.problem_ranks(table), profiles.problem_shares(table)
    return {
        "goesOn": scene.is_followed,
        "optimizers": [entry.heading for entry in scene.entries],
        "shares": [float(f"{share:.4g}") for share in table.shares],
        "problems": [
            {
                "name": name,
                "group": table.groups[at],
                "dim": int(table.dims[at]),
                "budget": int(table.budgets[at]),
                "tolerance": suite_problem(scene, at).tolerance or scene.suite.tolerance,
                "page": str(at) in pages,
                "title": resolve_surface(suite_problem(scene, at).surface).title,
                "command": _command(scene, recipe, at),
                "rates": [f"{rate:.4g}" if np.isfinite(rate) else "" for rate in table.rates[at]],
                "ranks": [f"{rank:.3g}" for rank in ranks[at]],
                "solved": [percent(share) for share in shares[at]],
                "gaps": _gaps(scene, at),
            }
            for at, name in enumerate(table.problems)
        ],
    }


def _gaps(scene: ScoreScene, at: int) -> list[list[float | None]]:
    """Return the logarithm of the median gap over starts, for each optimizer."""
    gaps = np.median(scene.table.gaps[scene.table.problem == at], axis=0)
    with np.errstate(divide="ignore"):
        powers = np.log10(np.maximum(gaps, 1e-16))
    return [
        [round(float(each), DIGITS) if np.isfinite(each) else None for each in line]
        for line in powers
    ]


def _command(scene: ScoreScene, recipe: ScoreRecipe, at: int) -> str:
    """Return the command that makes the animation of a problem, "" if options cannot say it."""
    with suppress(InputError):
        fields = command_fields(problem_recipe(scene, recipe, at))
        if fields is not None:
            arguments = ["optiviz", "run"]
            for name, value in fields.items():
                arguments += [] if name == "kind" else arguments_for(name, value)
            return shlex.join([*arguments, "-o", f"{scene.table.problems[at]}.gif"])
    return ""
