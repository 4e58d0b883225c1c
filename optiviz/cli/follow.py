"""Following slow work: files, and a table, that show what there is so far."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from optiviz.system.errors import OptivizError

if TYPE_CHECKING:
    from optiviz.cli.options import Display
    from optiviz.kinds.base import BaseRecipe, Scene

follow_option = click.option(
    "--follow",
    is_flag=True,
    help="Write what there is so far every few seconds, and where it is stopped.",
)


@contextmanager
def following(
    recipe: "BaseRecipe", paths: Sequence[Path], display: "Display | None"
) -> Iterator[None]:
    """Write files of what has been computed of a recipe so far, now and then, and show it.

    If an error or a signal ends the work, they are of what there was, and it is said how much.
    """
    from optiviz.rendering.render import render_scene
    from optiviz.system.snapshots import followed

    written = ""

    def write(scene: "Scene[Any]", goes_on: bool) -> None:
        nonlocal written
        told = f"{scene.unfinished} so far" if goes_on else f"stopped at {scene.unfinished}"
        title = f"{scene.title} ({told})" if scene.title else told
        scene = replace(scene, title=title, is_followed=goes_on)
        with suppress(OptivizError):  # the finished picture raises it as well
            render_scene(recipe, scene, *paths)
            written = scene.unfinished
        if goes_on and display is not None:
            display.show(scene, recipe)

    try:
        with followed(write):
            yield
    except BaseException:
        if written and display is not None:
            display.say(f"{', '.join(map(str, paths))}: {written}")
        raise
