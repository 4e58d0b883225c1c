"""`optiviz run`: optimizers descend a surface."""

from pathlib import Path
from typing import Any

import click

from optiviz.cli import debug_option
from optiviz.cli.help import Choice, Command, completes, section
from optiviz.cli.options import (
    Output,
    animation_options,
    contour_options,
    descent_options,
    explicit_options,
    legend_option,
    network_options,
    optimizer_options,
    option_for,
    output_options,
    pace_option,
    plugins_option,
    read_made,
    relief_options,
    render_and_report,
    sampling_options,
    style_options,
    surface_options,
    views_of,
)
from optiviz.registry import EXPLANATIONS
from optiviz.system.errors import InputError


@click.command(cls=Command, name="run", short_help="Descend a surface and draw the paths.")
@surface_options
@network_options
@sampling_options
@section(
    "Optimizers",
    optimizer_options,
    click.option(
        "--track",
        "tracks",
        multiple=True,
        metavar="FILE[:LABEL]",
        shell_complete=completes("tracks"),
        help="Path that another program recorded: .csv with columns step, x, y and loss, .npz or "
        ".npy, or .json, also with what it looked at; may be repeated, beside --opt or alone.",
    ),
    click.option(
        "--checkpoints",
        multiple=True,
        metavar="PATTERN[:LABEL]",
        shell_complete=completes("checkpoints"),
        help="Training run of your model, from the files that it saved, .pt, .pth, .safetensors or "
        ".npz, such as 'run/*.pt' in quotes; may be repeated, beside --opt or alone.",
    ),
    click.option(
        "--every",
        type=int,
        default=1,
        metavar="N",
        help="Keep every Nth checkpoint, with the first and the last.",
    ),
    click.option(
        "--preset",
        "presets",
        multiple=True,
        metavar="NAME: SPEC",
        shell_complete=completes("presets"),
        help='Button of a page, such as "too large: sgd:lr=1.05", with --start, --steps or --noise '
        "of its own; may be repeated.  [default: the surface's]",
    ),
    click.option(
        "--tune",
        is_flag=False,
        flag_value="lr",
        metavar="[KEY,...]",
        shell_complete=completes("tunable"),
        help="Tune lr, or these hyperparameters, for every optimizer, as optiviz tune does.",
    ),
    pace_option,
    click.option(
        "--lr-report",
        is_flag=True,
        help="Print the score and the pace of every learning rate that was tried.",
    ),
)
@descent_options("the surface's")
@section(
    "Picture",
    click.option(
        "--view",
        metavar="NAME+NAME",
        shell_complete=completes("views"),
        help=f"Panels: {views_of('run')}.  [default: contour+loss, or curve in 1-D]",
    ),
    click.option(
        "--layout",
        type=Choice("layout", ["panels", "grid"]),
        default="panels",
        show_default=True,
        help="panels draws all optimizers together, grid each in its own panel.",
    ),
    contour_options,
    relief_options,
    legend_option,
    click.option(
        "--trail", type=int, metavar="N", help="Fade the part of a path that is older than N steps."
    ),
    click.option(
        "--sketch/--no-sketch",
        default=None,
        help="Draw what a method looked at, such as the points of a line search.  "
        "[default: sketch]",
    ),
    click.option(
        "--explain",
        type=Choice("explanation", EXPLANATIONS),
        metavar="ball|bound",
        help="Draw why a step is what it is, instead of what its method looked at: the ball of the "
        "norm in which it is steepest, or the quadratic bound to whose minimum it leads.",
    ),
    click.option(
        "--eigenvectors",
        is_flag=True,
        help="Draw the eigenvectors of the Hessian at the head of each path, longer where it is "
        "flatter and dashed where it curves down.",
    ),
    click.option(
        "--gradients",
        is_flag=True,
        help="Draw arrows at the head of each path: down the loss, and dashed along the gradient "
        "of each constraint that is active there.",
    ),
    click.option(
        "--smooth", type=int, default=1, metavar="N", help="Average loss curves over N steps."
    ),
    click.option(
        "--orbit",
        type=float,
        default=0,
        metavar="DEGREES",
        help="Turn the camera of a relief around it, over the course of the animation.",
    ),
    style_options,
)
@animation_options
@output_options("outputs/SURFACE-OPT.gif", "animation", "still", "page", "data")
@section(
    "Recipe",
    click.option(
        "--recipe",
        "source",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Render the recipe in a finished file or a YAML file; other options override it.",
    ),
    plugins_option,
)
@debug_option
def command(source: Path | None, allow_plugins: bool, lr_report: bool, **options: Any) -> None:
    """Descend a surface with one or more optimizers and draw their paths.

    \b
    optiviz run --surface wobbly --opt adam,rmsprop
    optiviz run --formula "x**2 + 10*y**2" --opt sgd:lr=0.09,momentum -o bowl.mp4 -o bowl.json
    """
    from optiviz.recipes.provenance import RecipeSource, read_source
    from optiviz.recipes.reading import input_files, merge_fields

    output = Output.pop_from(options)
    changed = explicit_options(options)
    made = RecipeSource({}, option_for, {})
    if source is not None:
        from optiviz.recipes.lessons import with_lesson

        made = with_lesson(read_source(source))
    recipe, locate = read_made(made, changed, output, allow_plugins, source)
    if lr_report and not recipe.has_rate_report:
        raise InputError(f"--lr-report applies to recipes of kind 'run', not {recipe.kind!r}")
    read = input_files(merge_fields(made.fields, changed))
    scene = render_and_report(recipe, output, read, locate)
    if lr_report:
        with output.redirect_messages():
            click.echo(nl=not output.quiet)
            click.echo(recipe.rate_report(scene))
