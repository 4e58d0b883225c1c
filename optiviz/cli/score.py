"""`optiviz score`: optimizers on the problems of a suite, on fair budgets."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optiviz.cli import debug_option
from optiviz.cli.follow import follow_option
from optiviz.cli.help import Command, completes, section
from optiviz.cli.options import (
    Output,
    explicit_options,
    legend_option,
    option_for,
    output_options,
    plugins_option,
    read_made,
    render_and_report,
    style_options,
    views_of,
    workers_options,
)
from optiviz.system.errors import InputError

if TYPE_CHECKING:
    from optiviz.kinds.suite import Suite

SHARED = "budget", "starts", "tolerance"  # what options set for all problems of a suite


@click.command(cls=Command, name="score", short_help="Score optimizers on many problems.")
@click.argument(
    "spec", metavar="[SPEC,...]", required=False, shell_complete=completes("optimizers")
)
@section(
    "Optimizers",
    click.option(
        "--against",
        multiple=True,
        metavar="SPEC,...",
        shell_complete=completes("optimizers"),
        help="Optimizers to compare with; may be repeated.",
    ),
    click.option(
        "--tuned-on",
        metavar="NAME",
        help="Problem or group of the suite whose best rate is used on all problems, or all for "
        "the one that solves most.  [default: each problem has its own]",
    ),
)
@section(
    "Problems",
    click.option(
        "--suite",
        default="quick",
        show_default=True,
        metavar="NAME|FILE",
        shell_complete=completes("suites"),
        help="Suite: quick, full, or a YAML file with problems of your own.",
    ),
    click.option("--starts", type=int, metavar="N", help="Starts of each problem."),
    click.option("--budget", type=int, metavar="N", help="Evaluations that each run may take."),
    click.option(
        "--tolerance",
        type=float,
        metavar="SHARE",
        help="Gap at which a problem is solved, as a share of that at the start.",
    ),
    click.option(
        "--seed",
        type=int,
        default=0,
        show_default=True,
        help="Seed for random starts, batches, noise and random methods.",
    ),
)
@section(
    "Results",
    click.option(
        "--results",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Folder in which all results are kept, and which repeats its last score without SPEC. "
        " [default: the cache]",
    ),
    click.option(
        "--add",
        multiple=True,
        metavar="SPEC,...",
        shell_complete=completes("optimizers"),
        help="Optimizers to add to the last score in --results; may be repeated.",
    ),
    click.option(
        "--compare",
        metavar="FILE.json",
        help="Score made elsewhere, or before: say which of its numbers differ.",
    ),
    workers_options("run optimizers on problems", "the number of cores", "the files of optimizers"),
    plugins_option,
)
@section(
    "Picture",
    click.option(
        "--only",
        metavar="NAME+NAME",
        shell_complete=completes("views"),
        help=f"Figures: {views_of('score')}.",
    ),
    click.option("--timing", is_flag=True, help="Show the wall time of a step."),
    legend_option,
    style_options,
)
@output_options("outputs/SUITE-OPT-score.html", "page", "still", "data")
@section("Output", follow_option)
@debug_option
def command(
    spec: str | None,
    against: tuple[str, ...],
    add: tuple[str, ...],
    results: Path | None,
    allow_plugins: bool,
    compare: str | None,
    **options: Any,
) -> None:
    """Run optimizers on many problems from many starts, and show which solves how many.

    \b
    optiviz score lion --against adam,sgd,momentum,rmsprop -o score.html
    optiviz score my_optimizer.py:Lion --against adam --suite full --results lion

    SPEC is the optimizer that is judged. Every optimizer gets the same problems, starts, seeds and
    budget of evaluations, and rates that nobody gives are searched on the same grid. What was run
    before is not run again: a score that was stopped goes on, and --results lion --add adan runs
    only adan.
    """
    from optiviz.kinds.score import ScoreRecipe
    from optiviz.recipes.provenance import RecipeSource, metadata_for, read_source, versions
    from optiviz.recipes.reading import check_trusted, input_files, read_recipe
    from optiviz.recipes.shipped_files import SUITES
    from optiviz.recipes.suites import read_suite
    from optiviz.scoring.comparison import comparison, read_score, score_of
    from optiviz.scoring.store import read_record, results_in

    output = Output.pop_from(options)
    shared = {name: options.pop(name) for name in SHARED}
    suite, changed = options["suite"], explicit_options(options)
    named = [*_specs("SPEC", [] if spec is None else [spec]), *_specs("--against", against)]
    added = _specs("--add", add)
    record = None if results is None else read_record(results)
    if record is None and added:
        lacks = "" if results is None else f": there is none in {results}"
        raise InputError(
            f"--add needs --results DIR, a folder with the score that it adds to{lacks}"
        )
    if named and added:
        raise InputError("--add adds to the score in --results: leave out SPEC and --against")
    if spec is None and (named or record is None):
        raise InputError("SPEC: required, but missing: name the optimizer to judge, such as lion")
    made, sources = RecipeSource({"kind": "score"}, option_for, {}), list[Path]()
    held = None
    if record is not None and not named:
        made = read_source(record)
        if not allow_plugins:
            check_trusted(made.fields, made.locate)
        last = read_recipe(made.fields, made.locate)
        if not isinstance(last, ScoreRecipe):
            raise InputError(f"{record} is no record of a score: name another folder of results")
        named, held = [*last.optimizers], last.suite
    if named != made.fields.get("optimizers") or added:
        changed["optimizers"] = [*named, *added]
    if held is None or "suite" in changed:
        held = read_suite(suite, allow_plugins)
        sources.append(SUITES.file(suite))
    changed["suite"] = _with(held, shared)
    recipe, locate = read_made(made, changed, output, True, record)
    sources += input_files(made.fields)
    other = None if compare is None else read_score(compare)
    keeping = nullcontext() if results is None else results_in(results, metadata_for(recipe))
    with keeping as store:
        try:
            scene = render_and_report(recipe, output, sources, locate)
        except KeyboardInterrupt:
            if not output.quiet:
                click.echo("what was run is kept: the same command goes on with it", err=True)
            raise
        if other is not None:
            for line in comparison(str(compare), other, score_of(scene.to_dict(), versions())):
                click.echo(line, err=output.to_stdout)
        for path in store.damaged if store is not None and not output.quiet else ():
            click.echo(f"{path} was damaged, and made again", err=True)


def _specs(where: str, texts: Sequence[str]) -> list[str]:
    """Return the specs in texts; raise InputError, which says where, for an invalid one."""
    from optiviz.optimizers.spec import parse_specs

    try:
        return [str(each) for text in texts for each in parse_specs(text)]
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _with(suite: "Suite", shared: Mapping[str, Any]) -> "Suite":
    """Return a suite in which all problems have what options set."""
    try:
        return suite.with_shared({key: each for key, each in shared.items() if each is not None})
    except InputError as error:
        lines = str(error).splitlines()
        raise InputError("\n".join(f"--{line}" for line in lines)) from None
