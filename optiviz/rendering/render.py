"""Rendering of one recipe into its files."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from optiviz.kinds.base import BaseRecipe, Scene
from optiviz.recipes.provenance import metadata_for
from optiviz.registry import KINDS, Format
from optiviz.surfaces.grids import Jobs, shared_out
from optiviz.system.errors import InputError
from optiviz.system.files import atomic_write, check_targets
from optiviz.system.progress import SAMPLING, TaskProgress
from optiviz.system.text import shorten
from optiviz.themes import load_theme

if TYPE_CHECKING:
    from optiviz.views.figure import Picture


def render(
    recipe: BaseRecipe,
    paths: str | Path | Sequence[str | Path],
    *,
    overwrite: bool = True,
    progress: TaskProgress | None = None,
    jobs: Jobs = None,
) -> Scene[Any]:
    """Run a recipe, draw it, and write it to one or several files.

    recipe is a recipe of any kind, such as a Recipe or a PlotRecipe. paths is the path of a file,
    or several; the suffix of each selects its format: animations, stills, an interactive page,
    JSON or CSV. Missing folders are created. An existing file is replaced, but only once the new
    one is complete; with overwrite=False existing files are an error. progress is called as
    progress(task, done, total) with the name of the current task and counts of its parts.

    jobs is the number of processes on which the plane of a network or a model is sampled, or any
    executor of concurrent.futures whose processes can import optiviz: they give the same bytes, and
    a model must then be named, as in "my_model.py:problem", and a script that passes a number must
    start in `if __name__ == "__main__":`, as with multiprocessing. Unless specified, this process
    uses threads on all cores; with jobs=1, a single one.

    Returns the scene: the titles, entries and numbers that were drawn, such as the `trajectories`
    of a run.

    Raises InputError if the recipe cannot be run or drawn, and, before any work, if jobs is less
    than 1, if a format is unknown, does not fit the recipe or needs a package that is not
    installed, if a path cannot be written or is passed twice, or if it exists and overwrite is
    False. Raises OptivizError if writing fails, or if one of the processes dies.
    """
    if not isinstance(recipe, BaseRecipe):
        raise InputError(
            f"{shorten(recipe)} is not a recipe: write, for example, "
            "Recipe(surface=..., optimizers=...)"
        )
    if isinstance(jobs, int) and jobs < 1:
        raise InputError(f"jobs must be at least 1, not {jobs}")
    targets = [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    forms = [recipe.output_format(target) for target in targets]
    recipe.check_kinds([form.kind for form in forms])
    check_targets(targets, overwrite)
    kind = KINDS[recipe.kind]
    # Raises if a package is missing.
    writers = [kind.load_writer(target.suffix.lower()) for target in targets]
    with shared_out(jobs):
        return _rendered(recipe, targets, forms, writers, progress)


def _rendered(
    recipe: BaseRecipe,
    targets: Sequence[Path],
    forms: Sequence[Format],
    writers: Sequence[Any],
    progress: TaskProgress | None,
) -> Scene[Any]:
    """Run a recipe and write it to files in these formats, with these writers."""
    return _written(recipe, recipe.make_scene(progress), targets, forms, writers, progress)


def render_scene(recipe: BaseRecipe, scene: Scene[Any], path: Path) -> Scene[Any]:
    """Draw a scene that was computed from a recipe, and write it to a file."""
    writer = KINDS[recipe.kind].load_writer(path.suffix.lower())
    return _written(recipe, scene, [path], [recipe.output_format(path)], [writer], None)


def _written(
    recipe: BaseRecipe,
    scene: Scene[Any],
    targets: Sequence[Path],
    forms: Sequence[Format],
    writers: Sequence[Any],
    progress: TaskProgress | None,
) -> Scene[Any]:
    """Draw a scene and write it to files in these formats, with these writers."""
    # Drawn before anything is written, because drawing can fail.
    drawn = any(form.kind in ("animation", "still") for form in forms)
    picture = make_picture(recipe, scene, progress) if drawn else None
    timeline = recipe.timeline
    frames = 1 if timeline is None else len(timeline.steps)
    total = sum(frames if form.kind == "animation" else 1 for form in forms)
    context = RenderContext(
        recipe, scene, picture, metadata_for(recipe), DrawingProgress(total, progress)
    )
    blanks = dict.fromkeys(() if picture is None else picture.remarks)
    for target, form, writer in zip(targets, forms, writers, strict=True):
        with atomic_write(target) as temporary, _settings(picture):
            blanks |= dict.fromkeys(WRITERS[form.kind](context, writer, temporary) or ())
    return replace(scene, blanks=tuple(blanks)) if blanks else scene


class DrawingProgress:
    """Counts the frames and files that are drawn, out of a total."""

    def __init__(self, total: int, progress: TaskProgress | None) -> None:
        self.done, self.total, self.progress = 0, total, progress

    def advance(self, *_: int) -> None:
        """Count one more, and report it."""
        self.done += 1
        if self.progress is not None:
            self.progress("drawing", self.done, self.total)


class RenderContext(NamedTuple):
    """All that writers need. comment is the text for the metadata of the files."""

    recipe: BaseRecipe
    scene: Scene[Any]
    drawing: "Picture | None"  # None if no format needs one
    comment: str
    progress: DrawingProgress

    @property
    def picture(self) -> "Picture":
        """The picture. Only formats that need one may ask for it."""
        assert self.drawing is not None
        return self.drawing


def _write_animation(context: RenderContext, writer: Any, path: Path) -> None:
    from optiviz.rendering.animation import HOLD, PictureAnimation
    from optiviz.writers import ImageioWriter  # finds its plugin by the suffix

    timeline = context.recipe.timeline
    assert timeline is not None
    tags = {"comment": context.comment}
    frames = ImageioWriter(
        timeline.fps, metadata=tags, quality=timeline.quality, hold=HOLD,
        check=False,  # our views say what moves, and tests compare their frames with full draws
    )  # fmt: skip
    frames.told.add("fps")  # a hint of the recipe
    animation = PictureAnimation(context.picture, timeline.steps, timeline.fps, hold=0)
    animation.save(path, writer=frames, progress_callback=context.progress.advance)


def _write_still(context: RenderContext, writer: Any, path: Path) -> None:
    context.picture.update(context.scene.steps)
    writer(context.picture.figure, path, context.comment, context.recipe.size.inches)
    context.progress.advance()


def _write_page(context: RenderContext, writer: Any, path: Path) -> tuple[str, ...]:
    blanks: tuple[str, ...] = writer(
        context.scene, context.recipe, path, context.comment, _sampling(context.progress.progress)
    )
    context.progress.advance()
    return blanks


def _write_data(context: RenderContext, writer: Any, path: Path) -> None:
    writer(context.scene, path, context.comment)
    context.progress.advance()


# By kind of format: the function that writes a file, with the writer of its format. That of a page,
# which draws its own ground, returns what it leaves blank.
WRITERS: dict[str, Callable[[RenderContext, Any, Path], tuple[str, ...] | None]] = {
    "animation": _write_animation,
    "still": _write_still,
    "page": _write_page,
    "notebook": _write_page,
    "data": _write_data,
}


def _settings(picture: "Picture | None") -> AbstractContextManager[None]:
    """Return the context in which files are written; matplotlib is only needed for pictures."""
    if picture is None:
        return nullcontext()
    from optiviz.views.settings import drawing_settings

    return drawing_settings()


def make_picture(
    recipe: BaseRecipe, scene: Scene[Any] | None = None, progress: TaskProgress | None = None
) -> "Picture":
    """Return the picture of a recipe, drawn from its scene if that already exists."""
    import optiviz.writers  # noqa: F401  registers "imageio" with matplotlib
    from optiviz.views.figure import Picture
    from optiviz.views.settings import drawing_settings

    theme = load_theme(recipe.theme)
    scene = scene or recipe.make_scene()
    parts = scene.parts() if recipe.small_multiples else (scene,)
    panels = [(part, recipe.views(part)) for part in parts]
    with drawing_settings():
        return Picture(
            scene,
            theme,
            panels,
            recipe.style,
            recipe.size,
            recipe.scale,
            recipe.legend_place,
            "standard" if recipe.timeline is None else recipe.timeline.quality,
            _sampling(progress),
        )


def _sampling(progress: TaskProgress | None) -> Callable[[int, int], None] | None:
    return None if progress is None else partial(progress, SAMPLING)
