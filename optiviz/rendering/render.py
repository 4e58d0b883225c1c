"""Rendering of one recipe into its files."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from optiviz.kinds.base import BaseRecipe, Card, Clip, Scene
from optiviz.recipes.provenance import metadata_for
from optiviz.registry import KINDS
from optiviz.system.errors import InputError
from optiviz.system.files import atomic_write, check_targets
from optiviz.system.progress import SAMPLING, TaskProgress
from optiviz.system.snapshots import settle
from optiviz.system.text import shorten
from optiviz.system.workers import Jobs, shared_out
from optiviz.themes import load_theme

if TYPE_CHECKING:
    from optiviz.views.card import TitleCard
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

    jobs is the number of processes on which the plane of a network or a model is sampled, or the
    optimizers of a score run, or any executor of concurrent.futures whose processes can import
    optiviz: they give the same bytes, and a model must then be named, as in "my_model.py:problem",
    and a script that passes a number must start in `if __name__ == "__main__":`, as with
    multiprocessing. Unless specified, this process does all, and samples a plane with threads on
    all cores; with jobs=1, it uses a single one.

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
    outputs = [Output.of(recipe, target) for target in targets]
    with shared_out(jobs):
        scene = recipe.make_scene(progress)
        settle()
        return _written(recipe, scene, outputs, progress)


class Output(NamedTuple):
    """A file, how it is written, which is a key of WRITERS, and the writer of its format."""

    path: Path
    way: str
    writer: Any

    @classmethod
    def of(cls, recipe: BaseRecipe, path: Path) -> "Output":
        """Return how a recipe is written to a path; raise InputError if a package is missing."""
        suffix, kind = path.suffix.lower(), KINDS[recipe.kind]
        way = "page" if suffix in kind.writers else recipe.output_format(path).kind
        return cls(path, way, kind.load_writer(suffix))


def render_scene(recipe: BaseRecipe, scene: Scene[Any], *paths: Path) -> Scene[Any]:
    """Draw a scene that was computed from a recipe, and write it to files."""
    return _written(recipe, scene, [Output.of(recipe, path) for path in paths], None)


def _written(
    recipe: BaseRecipe,
    scene: Scene[Any],
    outputs: Sequence[Output],
    progress: TaskProgress | None,
) -> Scene[Any]:
    """Draw a scene and write it to files."""
    # Drawn before anything is written, because drawing can fail.
    drawn = any(output.way in ("animation", "still") for output in outputs)
    shots = _shots(recipe.clips(scene), progress) if drawn else []
    timeline = recipe.timeline
    frames = 1 if timeline is None else len(timeline.steps)
    total = sum(frames if output.way == "animation" else 1 for output in outputs)
    context = RenderContext(
        recipe,
        scene,
        shots,
        metadata_for(recipe, scene.unfinished),
        DrawingProgress(total, progress),
    )
    blanks = dict.fromkeys(remark for shot in shots for remark in shot.picture.remarks)
    for path, way, writer in outputs:
        with atomic_write(path) as temporary, _settings(shots):
            blanks |= dict.fromkeys(WRITERS[way](context, writer, temporary) or ())
    return replace(scene, blanks=tuple(blanks)) if blanks else scene


class Shot(NamedTuple):
    """A picture, or a card, and the step that each frame of it shows."""

    picture: "Picture | TitleCard"
    steps: Sequence[int]


def _shots(clips: Sequence[Clip], progress: TaskProgress | None) -> list[Shot]:
    """Return the pictures of clips, each after its card."""
    shots = []
    for clip in clips:
        if clip.card is not None:
            shots.append(Shot(make_card(clip.card, clip.recipe), (0,)))
        shots.append(Shot(make_picture(clip.recipe, clip.scene, progress), clip.steps))
    return shots


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
    shots: Sequence[Shot]  # none if no format needs them
    comment: str
    progress: DrawingProgress


def _write_animation(context: RenderContext, writer: Any, path: Path) -> None:
    from optiviz.rendering.animation import HOLD, save_film
    from optiviz.writers import ImageioWriter  # finds its plugin by the suffix

    timeline = context.recipe.timeline
    assert timeline is not None
    tags = {"comment": context.comment}
    frames = ImageioWriter(
        timeline.fps, metadata=tags, quality=timeline.quality, hold=HOLD,
        check=False,  # our views say what moves, and tests compare their frames with full draws
    )  # fmt: skip
    frames.told.add("fps")  # a hint of the recipe
    save_film(context.shots, path, frames, context.progress.advance)


def _write_still(context: RenderContext, writer: Any, path: Path) -> None:
    (shot,) = context.shots
    shot.picture.update(context.scene.steps)
    writer(shot.picture.figure, path, context.comment, context.recipe.size.inches)
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
# which draws its own ground, returns what it leaves blank; so do a kind's own writers.
WRITERS: dict[str, Callable[[RenderContext, Any, Path], tuple[str, ...] | None]] = {
    "animation": _write_animation,
    "still": _write_still,
    "page": _write_page,
    "notebook": _write_page,
    "data": _write_data,
}


def _settings(shots: Sequence[Shot]) -> AbstractContextManager[None]:
    """Return the context in which files are written; matplotlib is only needed for pictures."""
    if not shots:
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


def make_card(card: Card, recipe: BaseRecipe) -> "TitleCard":
    """Return the card before the picture of a recipe."""
    from optiviz.views.card import TitleCard
    from optiviz.views.settings import drawing_settings

    with drawing_settings():
        return TitleCard(card, load_theme(recipe.theme), recipe.size, recipe.scale)


def _sampling(progress: TaskProgress | None) -> Callable[[int, int], None] | None:
    return None if progress is None else partial(progress, SAMPLING)
