"""One recipe -> its files: where the rooms meet."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optiviz.kinds.base import BaseRecipe, Progress, Scene, Timeline
from optiviz.recipes.provenance import comment_on
from optiviz.system.files import check_targets, whole
from optiviz.views.themes import load_theme

if TYPE_CHECKING:
    from optiviz.views.figure import Picture


def render(
    recipe: BaseRecipe,
    paths: str | Path | Sequence[str | Path],
    *,
    overwrite: bool = True,
    progress: Progress | None = None,
) -> Scene[Any]:
    """Descend, draw, and write one path or several in the format of their suffix.

    Returns what was seen. A file that exists stays untouched until the new one is whole. Raises
    InputError for a recipe or path that cannot be, OptivizError if writing fails.
    """
    targets = [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    forms = [recipe.output_format(target) for target in targets]
    check_targets(targets, overwrite)
    writers = [form.load() for form in forms]  # which may lack what they need
    scene = recipe.make_scene(progress)
    # Before anything is written, because a scene may have no picture.
    drawn = any(form.kind in ("animation", "still") for form in forms)
    picture = make_picture(recipe, scene, progress) if drawn else None
    timeline = recipe.timeline
    frames = 1 if timeline is None else len(timeline.steps)
    total = sum(frames if form.kind == "animation" else 1 for form in forms)
    comment = comment_on(recipe)
    done = 0

    def one_more(*_: int) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress("drawing", done, total)

    for target, form, writer in zip(targets, forms, writers, strict=True):
        with whole(target) as temporary, picture.theme.settings() if picture else nullcontext():
            match form.kind:
                case "animation":
                    assert picture is not None
                    assert timeline is not None
                    _save_animation(picture, timeline, temporary, comment, one_more)
                    continue
                case "still":
                    assert picture is not None
                    picture.update(scene.steps)
                    writer(picture.figure, temporary, comment)
                case "page":
                    writer(scene, recipe, temporary, comment, _sampling(progress))
                case "data":
                    writer(scene, temporary, comment)
            one_more()
    return scene


def _save_animation(
    picture: "Picture",
    timeline: Timeline,
    path: Path,
    comment: str,
    progress: Callable[[int, int], None],
) -> None:
    from optiviz.views.figure import HOLD
    from optiviz.writers import ImageioWriter

    tags = {"comment": comment}
    writer = ImageioWriter(timeline.fps, metadata=tags, quality=timeline.quality, hold=HOLD)
    animation = picture.animation(timeline.fps, timeline.steps, hold=0)
    animation.save(path, writer=writer, progress_callback=progress)


def make_picture(
    recipe: BaseRecipe, scene: Scene[Any] | None = None, progress: Progress | None = None
) -> "Picture":
    """Draw the figure of a recipe, of a scene that was made from it if there is one already."""
    import optiviz.writers  # noqa: F401  registers "imageio" with matplotlib
    from optiviz.views.figure import Picture

    theme = load_theme(recipe.theme)
    scene = scene or recipe.make_scene()
    parts = scene.parts() if recipe.small_multiples else (scene,)
    panels = [(part, recipe.views(part)) for part in parts]
    with theme.settings():
        return Picture(scene, theme, panels, recipe.style, recipe.size, _sampling(progress))


def _sampling(progress: Progress | None) -> Callable[[int, int], None] | None:
    return None if progress is None else partial(progress, "sampling the plane")
