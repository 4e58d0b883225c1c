"""One recipe -> its files: where the rooms meet."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import MISSING, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from optiviz.descent.basins import ground, map_basins
from optiviz.descent.learning_rate import Choice, choose, settled
from optiviz.descent.problem import begin, met, seen
from optiviz.descent.search import Comparison, Range, Search, Watch, check_ranges, search
from optiviz.descent.trajectory import Trajectory
from optiviz.descent.walk import MOST_BYTES, descend, respond
from optiviz.kinds.style import Style, check_views
from optiviz.objective import Array, Objective, Stream
from optiviz.optimizers.kinds import kind_of
from optiviz.optimizers.words import Word
from optiviz.recipe import (
    SLOWEST,
    SMALLEST,
    AnyRecipe,
    BasinsRecipe,
    Contenders,
    Contest,
    Descended,
    Met,
    PlotRecipe,
    Recipe,
    ResponseRecipe,
    TuneRecipe,
    parts_of,
    resolved,
    space_of,
)
from optiviz.recipes.provenance import comment_on
from optiviz.registry import FORMATS, Format, format_of
from optiviz.scene import (
    Answer,
    Basin,
    Descent,
    Mapped,
    Plot,
    Response,
    Run,
    Scene,
    Tried,
    Tuned,
)
from optiviz.surfaces.signal import RATE, RATES, Signal, find_signal
from optiviz.surfaces.surface import Point, Surface
from optiviz.system.errors import InputError
from optiviz.system.files import check_targets, whole
from optiviz.views.themes import load_theme

if TYPE_CHECKING:
    from optiviz.views.figure import Picture

STEPS = 120  # where neither the recipe nor the surface says

# By kind of recipe that has only one.
VIEW_OF = {"response": "response", "tune": "trials", "basins": "basins"}
FEWER = 3  # frames in one of a draft
TUNED_ON = 3, 3  # starts over the window, for learning rates that nobody gives for a grid
Progress = Callable[[str, int, int], None]  # what is being done, how much of it, of how much


def render(
    recipe: AnyRecipe,
    paths: str | Path | Sequence[str | Path],
    *,
    overwrite: bool = True,
    progress: Progress | None = None,
) -> Scene:
    """Descend, draw, and write one path or several in the format of their suffix.

    Returns what was seen. A file that exists stays untouched until the new one is whole. Raises
    InputError for a recipe or path that cannot be, OptivizError if writing fails.
    """
    targets = [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    forms = [check_format(recipe, target) for target in targets]
    check_targets(targets, overwrite)
    writers = [form.load() for form in forms]  # which may lack what they need
    scene = make_scene(recipe, progress)
    # Before anything is written, because a scene may have no picture.
    drawn = any(form.kind in ("animation", "still") for form in forms)
    picture = make_picture(recipe, scene, progress) if drawn else None
    total = sum(frames_of(recipe) if form.kind == "animation" else 1 for form in forms)
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
                    assert isinstance(recipe, Contest)
                    _save_animation(picture, recipe, temporary, comment, one_more)
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


def check_format(recipe: AnyRecipe | None, path: Path) -> Format:
    """Return the format of a path; raise InputError if the recipe, if known, has none such."""
    form = format_of(path)
    if recipe is not None and form.kind not in recipe.forms:
        fitting = [suffix for suffix, each in FORMATS.items() if each.kind in recipe.forms]
        raise InputError(
            f"{path}: a {recipe.kind} has no {form.kind}: choose from {', '.join(fitting)}"
        )
    if form.kind == "page" and isinstance(recipe, Recipe):
        from optiviz.rendering.page import check_page

        try:
            check_page(recipe)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
    if recipe is not None and max(recipe.size) > form.side:
        raise InputError(f"{path}: no side can be longer than {form.side} pixels")
    return form


def check_frames(recipe: AnyRecipe) -> None:
    """Raise InputError if all of the frames that a recipe names are beyond its last step."""
    if isinstance(recipe, Contest) and recipe.frames is not None:
        first, last = min(each.start for each in parts_of(recipe.frames)), last_step_of(recipe)
        if first > last:
            raise InputError(f"frames: {recipe.frames} begins beyond the last step, {last}")


def frames_of(recipe: AnyRecipe) -> int:
    """Return how many frames an animation of a recipe shows, before the last one is held."""
    return len(recipe.frame_steps(last_step_of(recipe))) if isinstance(recipe, Contest) else 1


def draft_of(recipe: AnyRecipe) -> AnyRecipe:
    """Return the recipe of a quick draft: half the size, a third of the frames in the same time."""
    width, height = (
        max(least, side // 2) for least, side in zip(SMALLEST, recipe.size, strict=True)
    )
    changed: dict[str, object] = {"size": (width, height)}
    if isinstance(recipe, Contest):
        changed["fps"] = max(recipe.fps / FEWER, SLOWEST)
        if recipe.frames is None:
            changed["duration"] = frames_of(recipe) / recipe.fps
        else:
            changed["frames"] = ",".join(
                f"{each.start}:{each.stop}:{FEWER * each.step}" for each in parts_of(recipe.frames)
            )
    return recipe.model_copy(update=changed)


def final_of(recipe: AnyRecipe) -> AnyRecipe:
    """Return the recipe whose animation is the last frame alone."""
    if not isinstance(recipe, Contest):
        return recipe
    last = last_step_of(recipe)
    return recipe.model_copy(update={"frames": f"{last}:{last + 1}:1"})


def last_step_of(recipe: Contest) -> int:
    """Return the step that the last frame of an animation shows."""
    if isinstance(recipe, ResponseRecipe):
        return len(signal_of(recipe).gradient) - 1
    assert isinstance(recipe, Met)
    return steps_of(recipe)


def steps_of(recipe: Met) -> int:
    """Return the recipe's number of steps, else the surface's, else ours."""
    return recipe.steps or resolved(recipe.surface).steps or STEPS


def signal_of(recipe: ResponseRecipe) -> Signal:
    """Return the signal that a recipe names or holds."""
    return find_signal(recipe.signal) if isinstance(recipe.signal, str) else recipe.signal


def _save_animation(
    picture: "Picture",
    recipe: Contest,
    path: Path,
    comment: str,
    progress: Callable[[int, int], None],
) -> None:
    from optiviz.views.figure import HOLD
    from optiviz.writers import ImageioWriter

    tags = {"comment": comment}
    writer = ImageioWriter(recipe.fps, metadata=tags, quality=recipe.quality, hold=HOLD)
    animation = picture.animation(recipe.fps, recipe.frame_steps(picture.scene.steps), hold=0)
    animation.save(path, writer=writer, progress_callback=progress)


def make_picture(
    recipe: AnyRecipe, scene: Scene | None = None, progress: Progress | None = None
) -> "Picture":
    """Draw the figure of a recipe, of a scene that was made from it if there is one already."""
    import optiviz.writers  # noqa: F401  registers "imageio" with matplotlib
    from optiviz.views.figure import Picture

    theme = load_theme(recipe.theme)
    scene = scene or make_scene(recipe)
    if isinstance(recipe, Recipe | PlotRecipe):
        grid = isinstance(recipe, PlotRecipe) or recipe.layout == "grid"
        parts = scene.parts() if grid else (scene,)
        panels = [(part, _views(recipe, part)) for part in parts]
        style: Style = recipe
    else:
        panels = [(part, [VIEW_OF[recipe.kind]]) for part in scene.parts()]
        style = Style()
    with theme.settings():
        return Picture(scene, theme, panels, style, recipe.size, _sampling(progress))


def _sampling(progress: Progress | None) -> Callable[[int, int], None] | None:
    return None if progress is None else partial(progress, "sampling the plane")


def _views(recipe: Recipe | PlotRecipe, scene: Scene) -> list[str]:
    assert isinstance(scene, Run)
    space = space_of(scene.surface) if scene.entries else 0
    return check_views(recipe.view, scene.surface.dim, space, recipe.given())


def make_scene(recipe: AnyRecipe, progress: Progress | None = None) -> Scene:
    """Do all that a recipe asks for, up to drawing it."""
    recipe.check_files()
    check_frames(recipe)
    match recipe:
        case Recipe():
            return make_run(recipe, progress)
        case TuneRecipe():
            return _tuned(recipe, progress)
        case BasinsRecipe():
            return _basins(recipe, progress)
        case PlotRecipe():
            return _plot(recipe)
        case ResponseRecipe():
            return _response(recipe)


def make_run(recipe: Recipe, progress: Progress | None = None) -> Run:
    """Descend a surface with every optimizer from every start."""
    surface = resolved(recipe.surface)
    walked = _walked(recipe, surface, progress)
    surface, paths = seen(surface, [path for entry in walked for path in entry.trajectories])
    many = len(paths) // len(walked)
    entries = tuple(
        replace(entry, trajectories=tuple(paths[number * many : (number + 1) * many]))
        for number, entry in enumerate(walked)
    )
    return Run(
        title=_titled(recipe, surface),
        surface=surface,
        entries=entries,
        conditions=_conditions(recipe, surface),
    )


def walk_all(recipe: Recipe) -> tuple[Trajectory, ...]:
    """Return every walk of a recipe where it really was, in all of a network's weights."""
    recipe.check_files()
    entries = _walked(recipe, resolved(recipe.surface))
    return tuple(path for entry in entries for path in entry.trajectories)


def met_by(recipe: Descended, surface: Surface) -> tuple[Objective | Stream, list[Array]]:
    """Return what a recipe's optimizers descend, and the points of it that they begin at."""
    objective = _met(recipe, surface)
    return objective, [begin(surface, start) for start in starts_of(recipe, surface)]


def _walked(recipe: Recipe, surface: Surface, progress: Progress | None = None) -> list[Descent]:
    steps = steps_of(recipe)
    objective, starts = met_by(recipe, surface)
    rows = recipe.frame_steps(steps)
    room = MOST_BYTES // (len(recipe.words) * len(starts))
    entries = []
    words = _loaded(recipe, steps)
    sought = None if recipe.tune is None else _compared(_search_of(recipe))
    if sought is not None:
        words = [word.rated(recipe.lr) for word in words]
        check_ranges(words, sought.ranges, given=True)
    for number, (word, label) in enumerate(_named(words)):
        if sought is None:
            choice = choose(word, surface, starts, steps, recipe.lr, objective)
        else:
            choice = _best(search(word, sought, _told(progress, label)))
        paths = tuple(
            descend(objective, choice.optimizer, start, steps, label, rows, room)
            for start in starts
        )
        entries.append(
            Descent(word=word, label=label, choice=choice, number=number, trajectories=paths)
        )
        if progress is not None:
            progress("descending", number + 1, len(recipe.words))
    return entries


def _best(found: Search) -> Choice:
    """Return an optimizer with the values that a search has found."""
    rate = kind_of(found.word.name).rate
    source = "given" if rate in dict(found.word.settings) else "default" if rate else ""
    if rate in found.values:
        source = "tuned" if found.found else "none fits"
    return Choice(found.winner.build(), source, sought=tuple(found.values), fits=found.found)


def _told(progress: Progress | None, label: str) -> Watch | None:
    return None if progress is None else partial(progress, f"trying {label}")


def _search_of(recipe: Recipe) -> TuneRecipe:
    """Return the search of a run that is to be tuned: from its starts, or those of any search."""
    assert recipe.tune is not None
    shared = {name: getattr(recipe, name) for name in Descended.model_fields}
    if not (recipe.starts or recipe.random_starts):
        del shared["random_starts"]
    return TuneRecipe(optimizers=recipe.optimizers, over=recipe.tune, **shared)


def _compared(recipe: TuneRecipe) -> Comparison:
    """Return what is the same for every optimizer of a search."""
    surface, steps = resolved(recipe.surface), steps_of(recipe)
    objective, starts = met_by(recipe, surface)
    ranges = [Range.read(text) for text in recipe.over]
    return Comparison(surface, objective, starts, steps, ranges, recipe.trials, recipe.seed)


def _tuned(recipe: TuneRecipe, progress: Progress | None = None) -> Tuned:
    """Search for hyperparameters, the same for every optimizer."""
    sought = _compared(recipe)
    words = _loaded(recipe, sought.steps)
    check_ranges(words, sought.ranges)
    entries = []
    for number, (word, label) in enumerate(_named(words)):
        found = search(word, sought, _told(progress, label))
        entries.append(
            Tried(word=word, label=label, choice=_best(found), number=number, search=found)
        )
    many, after = len(sought.starts), f"final loss after {sought.steps} steps"
    shaded = f"median, and shaded the middle half, of {many} starts"
    return Tuned(
        title=_titled(recipe, sought.surface),
        surface=sought.surface,
        entries=tuple(entries),
        conditions=(
            f"{after}: {shaded}" if many > 1 else after,
            *_conditions(recipe, sought.surface),
        ),
    )


def _basins(recipe: BasinsRecipe, progress: Progress | None = None) -> Basin:
    """Find out where every start of a grid ends."""
    surface, steps = resolved(recipe.surface), steps_of(recipe)
    objective = _met(recipe, surface)
    words = _loaded(recipe, steps)
    few = list(ground(surface, objective, TUNED_ON, steps).starts)
    choices = [choose(word, surface, few, steps, recipe.lr, objective) for word in words]
    watch = None if progress is None else partial(progress, "descending")
    place = ground(surface, objective, recipe.grid, steps)
    methods = [choice.optimizer for choice in choices]
    minima, maps = map_basins(methods, place, watch)
    entries = tuple(
        Mapped(word=word, label=label, choice=choice, number=number, basins=found, length=steps)
        for number, ((word, label), choice, found) in enumerate(
            zip(_named(words), choices, maps, strict=True)
        )
    )
    return Basin(
        title=_titled(recipe, surface),
        surface=surface,
        minima=minima,
        entries=entries,
        conditions=_conditions(recipe, surface),
    )


def _met(recipe: Met, surface: Surface) -> Objective | Stream:
    return met(surface, recipe.batch_size, recipe.noise, recipe.seed)


def _loaded(recipe: Contenders, steps: int) -> list[Word]:
    """Return the words of a run of so many steps, after all that a stranger's code may raise.

    That is before the first descent, which may be long.
    """
    words = [word.lasting(steps) for word in recipe.words]
    for word in words:
        kind = kind_of(word.name)
        if kind.rate and kind.parameters[kind.rate].default is MISSING:
            word.build(**{kind.rate: 1.0})
        else:
            word.build()
    return words


def _conditions(recipe: Met, surface: Surface) -> tuple[str, ...]:
    """Return what every step of a run was subject to."""
    said = []
    if isinstance(recipe, Recipe) and recipe.tune is not None:
        search, keys = _search_of(recipe), [Range.read(text).key for text in recipe.tune]
        many = len(starts_of(search, surface))
        said.append(
            f"{' and '.join(keys)} tuned for the median final loss of {many} "
            f"start{'s' if many > 1 else ''}, {search.trials} trials each"
        )
    if recipe.batch_size is not None:
        said.append(f"batches of {recipe.batch_size}")
    if recipe.noise:
        said.append(f"gradient noise {recipe.noise:g}")
    subject = recipe.noise or recipe.batch_size is not None
    if subject or (surface.network is not None and surface.network.dropout):
        said.append(f"seed {recipe.seed}")
    return tuple(said)


def _plot(recipe: PlotRecipe) -> Plot:
    surfaces = tuple(resolved(surface) for surface in recipe.surfaces)
    title = _titled(recipe, surfaces[0]) if len(surfaces) == 1 else (recipe.title or "").strip()
    return Plot(title=title, surfaces=surfaces)


def _response(recipe: ResponseRecipe) -> Response:
    signal = signal_of(recipe)
    entries = []
    words = _loaded(recipe, len(signal.gradient))
    for number, (word, label) in enumerate(_named(words)):
        rates = {word.name: RATES.get(word.name, RATE)}
        choice = settled(word, recipe.lr, rates, "signal")
        assert choice is not None
        update, stopped = respond(signal, choice.optimizer, len(signal.gradient))
        entries.append(
            Answer(
                word=word, label=label, choice=choice, number=number, update=update, stopped=stopped
            )
        )  # fmt: skip
    return Response(title=_titled(recipe, signal), signal=signal, entries=tuple(entries))


def _titled(recipe: AnyRecipe, subject: Surface | Signal) -> str:
    """Return the title that was given, "" for none, else that of what is drawn."""
    return subject.title if recipe.title is None else recipe.title.strip()


def _named(words: Sequence[Word]) -> list[tuple[Word, str]]:
    """Give every word a label that no other has: adam, or adam lr 0.1, or adam (2)."""
    names = [word.heading for word in words]
    titles = [
        name if names.count(name) == 1 else word.title
        for word, name in zip(words, names, strict=True)
    ]
    return [
        (
            word,
            title
            if titles.index(title) == place
            else f"{title} ({titles[:place].count(title) + 1})",
        )
        for place, (word, title) in enumerate(zip(words, titles, strict=True))
    ]


def starts_of(recipe: Descended, surface: Surface) -> tuple[Point, ...]:
    """Return the starts that were given, then the random ones; the surface's own if neither."""
    if not recipe.random_starts:
        return recipe.starts or surface.begins
    low, high = np.transpose(surface.window.intervals)
    drawn = np.random.default_rng(recipe.seed).uniform(
        low, high, (recipe.random_starts, surface.dim)
    )
    return (*recipe.starts, *(tuple(point) for point in drawn.tolist()))
