"""The canvas on which frames are drawn, and its pixels."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any, NamedTuple, cast

import numpy as np
from matplotlib.animation import Animation
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure, FigureBase, SubFigure
from matplotlib.layout_engine import LayoutEngine, PlaceHolderLayoutEngine
from matplotlib.patches import Patch
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

TRIES = 9  # at most, to compute a layout
UNSEEN = 1e-7  # of the figure's sides, a change of a layout that is not seen

Box = tuple[slice, slice]
Container = FigureBase | Axes  # an artist that draws others one by one
Color = tuple[float, float, float, float]  # RGBA, from 0 to 1
Pixels = NDArray[np.uint32]  # (height, width), the four bytes of RGBA in one number


class Look(NamedTuple):
    """The background of a figure, as the arguments of `Figure.savefig` choose it.

    None stands for a colour of the figure itself. With `solid`, the background is drawn in full,
    whatever its opacity.
    """

    facecolor: Color | None = None
    edgecolor: Color | None = None
    transparent: bool = False
    solid: bool = False

    @contextmanager
    def given_to(self, figure: Figure) -> Iterator[None]:
        """Give a figure this look for a while."""
        with ExitStack() as stack:
            if self.transparent:
                for container, _ in tree(figure):
                    patch = stack.enter_context(_restored(container.patch))
                    patch.set(facecolor="none", edgecolor="none")
            patch = stack.enter_context(_restored(figure.patch))
            if self.solid:
                patch.set(alpha=None, visible=True)
            if self.facecolor is not None:
                patch.set_facecolor(self.facecolor)
            if self.edgecolor is not None:
                patch.set_edgecolor(self.edgecolor)
            yield

    def made_solid(self, figure: Figure) -> "Look | None":
        """Return the look without transparency, None if it has none.

        The background has the figure's colour, or is white if that has no opacity of its own.
        """
        with self.given_to(figure):
            if not self.transparent and figure.patch.get_visible() and _opacity(figure) == 1:
                return None
        look = Look(solid=True) if self.transparent else self._replace(solid=True)
        with look.given_to(figure):
            color = to_rgba(figure.get_facecolor() if _opacity(figure) else "white", 1)
        return look._replace(facecolor=color)


class Canvas(FigureCanvasAgg):
    """A canvas for saving: it draws only on request, and then all artists, the moving included.

    `before_use` is called whenever someone is about to draw on it, and `is_lent` once someone else
    has its renderer, and may draw at any time.
    """

    def __init__(self, figure: Figure) -> None:
        self.before: Any = figure.canvas
        self.is_done = False
        self.look = Look()
        self.before_use: Callable[[], None] = lambda: None
        self.is_drawing = self.is_lent = False
        cast(Any, super()).__init__(figure)
        cast(Any, self)._is_saving = True  # so that no draw starts an animation

    def give_back(self) -> None:
        """Give the figure the canvas that it had before, or before that if another is done, too."""
        self.is_done = True
        canvas = self.before
        while isinstance(canvas, Canvas) and canvas.is_done:
            canvas = canvas.before
        figure = self.figure
        canvas.figure = figure
        figure.set_canvas(canvas)

    def draw_idle(self, *args: Any, **kwargs: Any) -> None:
        return

    def draw(self) -> None:
        """Draw all artists, also those marked as animated, which matplotlib would leave out."""
        figure = self.figure
        self.before_use()
        with ExitStack() as stack:
            for artist in figure.findobj(lambda each: each.get_animated()):
                artist.set_animated(False)
                stack.callback(artist.set_animated, True)
            stack.enter_context(self.quiet())
            stack.enter_context(self.look.given_to(figure))
            stack.enter_context(_settled_layout(figure))
            cast(Any, super()).draw()

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Do what changes artists as a draw would."""
        before, self.is_drawing = self.is_drawing, True
        try:
            yield
        finally:
            self.is_drawing = before

    def get_renderer(self) -> Any:
        """Return the renderer, the same object while the size does not change."""
        if not self.is_drawing:
            self.before_use()
            self.is_lent = True
        return self.agg

    @property
    def agg(self) -> Any:
        """The renderer, for those that do not draw on it behind our back."""
        return cast(Any, super()).get_renderer()

    @property
    def frame(self) -> NDArray[np.uint8]:
        """The last drawing as a writable view, RGBA of shape (height, width, 4)."""
        return frame_of(self.agg)

    @property
    def pixels(self) -> Pixels:
        """The same view, of shape (height, width)."""
        return pixels_of(self.agg)

    def is_listened_to(self) -> bool:
        """Return whether somebody but an animation wants to know of each draw."""
        registry: Any = self.callbacks
        listeners = (each() for each in registry.callbacks.get("draw_event", {}).values())
        return any(
            not isinstance(getattr(each, "__self__", None), Animation)
            for each in listeners
            if each is not None
        )


def pixels_drawn(figure: Figure) -> Pixels:
    """Draw all artists of a figure, and return the pixels. The figure keeps its canvas."""
    canvas = Canvas(figure)
    try:
        canvas.draw()
    finally:
        canvas.give_back()
    return canvas.pixels


def frame_of(renderer: Any) -> NDArray[np.uint8]:
    """Return the pixels of a renderer as a writable view, RGBA of shape (height, width, 4)."""
    return np.asarray(renderer.buffer_rgba())


def pixels_of(renderer: Any) -> Pixels:
    """Return the same view, of shape (height, width)."""
    return frame_of(renderer).view(np.uint32)[..., 0]


def box_of(marked: NDArray[np.bool_]) -> Box | None:
    """Return the smallest box around all marked pixels, None if no pixel is marked."""
    rows = np.flatnonzero(marked.any(axis=1))
    if not rows.size:
        return None
    height = slice(int(rows[0]), int(rows[-1]) + 1)
    columns = np.flatnonzero(marked[height].any(axis=0))
    return height, slice(int(columns[0]), int(columns[-1]) + 1)


def tree(container: Container) -> Iterator[tuple[Any, list[Artist]]]:
    """Yield a container and all within it, each with the artists that it draws one by one.

    Those are lines, axes, legends and so on, which draw their own parts.
    """
    inner: list[Container] = []
    artists: list[Artist] = []
    for child in container.get_children():
        if isinstance(child, Axes | SubFigure):
            inner.append(child)
        else:
            artists.append(child)
    yield container, artists
    for each in inner:
        yield from tree(each)


def layout_engine(figure: Figure) -> LayoutEngine | None:
    """Return what computes the places of Axes in each draw, None if nothing does."""
    engine = figure.get_layout_engine()
    return None if isinstance(engine, PlaceHolderLayoutEngine) else engine


def compute_layout(figure: Figure) -> bool:
    """Compute the places of Axes once, and return whether they change.

    Engines start from the previous places, and approach the final ones step by step. If a step is
    too small to be seen, it is undone, so that a layout that is settled stays as it is.
    """
    engine = layout_engine(figure)
    if engine is None:
        return False
    every: list[Any] = list(figure.axes)
    places: list[Bbox] = [box for axes in every for box in (axes._originalPosition, axes._position)]
    before = np.array([box.get_points() for box in places])
    engine.execute(figure)
    after = np.array([box.get_points() for box in places])
    if np.abs(after - before).max(initial=0) > UNSEEN:
        return True
    for box, points in zip(places, before, strict=True):
        box.set_points(points)
    return False


@contextmanager
def _settled_layout(figure: Figure) -> Iterator[None]:
    """Compute the layout until it is settled, and not again for a while."""
    for _ in range(TRIES):
        if not compute_layout(figure):
            break
    engine = layout_engine(figure)
    with nullcontext() if engine is None else replaced(engine, "execute", lambda _: None):
        yield


def _opacity(figure: Figure) -> float:
    *_, alpha = cast(tuple[float, ...], figure.get_facecolor())
    return alpha


@contextmanager
def replaced(thing: Any, name: str, value: Any) -> Iterator[None]:
    """Give an object another attribute for a while."""
    is_own, before = name in vars(thing), vars(thing).get(name)
    setattr(thing, name, value)
    try:
        yield
    finally:
        if is_own:
            setattr(thing, name, before)
        else:
            delattr(thing, name)


@contextmanager
def _restored(artist: Patch) -> Iterator[Patch]:
    """Restore all attributes of an artist afterwards; nobody is told of a change."""
    before = vars(artist).copy()
    artist.stale_callback = None
    try:
        yield artist
    finally:
        vars(artist).update(before)
