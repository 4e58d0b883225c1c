"""What has changed in a figure since it was last drawn, by whatever means.

matplotlib marks an artist as stale when one of its setters is called, and its Axes and figure with
it. That tells neither which artist has changed, nor what was changed without a setter, nor what
changed before a draw by someone else. So each artist reports its staleness here instead, and what
has no setter is compared: attributes, arrays, transforms and the order of drawing.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple, cast
from zlib import crc32

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backend_bases import FigureCanvasBase, RendererBase
from matplotlib.cbook import CallbackRegistry
from matplotlib.collections import Collection
from matplotlib.figure import FigureBase
from matplotlib.image import BboxImage
from matplotlib.legend import Legend
from matplotlib.offsetbox import AnnotationBbox
from matplotlib.patches import Patch
from matplotlib.path import Path
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter
from matplotlib.transforms import (
    Affine2D,
    Bbox,
    BboxBase,
    LockableBbox,
    TransformedPatchPath,
    TransformNode,
    TransformWrapper,
)
from numpy.typing import NDArray

from optiviz.writers.canvas import Canvas, Container, compute_layout, layout_engine, tree

MANY = 256  # of a longer list, so many items are looked into
DEPTH = 3  # of objects within objects, such as the formatter of a ticker of an axis
BEST = 0  # the place of a legend that avoids the other artists
TITLES = "_suptitle", "_supxlabel", "_supylabel"  # of a figure, which a layout makes room for
BACK = {"axis"}  # attributes that refer to an artist of which nothing depends
OURS = "matplotlib", "mpl_toolkits"
STATELESS = Artist, TransformNode, FigureCanvasBase, RendererBase, CallbackRegistry
PLAIN = str, int, float, type(None)


class Changes(NamedTuple):
    """The artists that have begun to move, and whether more has changed than artists that move."""

    artists: set[Artist]
    rest: bool


class Watch:
    """Tells what changes in a figure.

    Artists are those that a figure or its Axes draw one by one, such as lines and legends. What
    happens to a part of one, or to another artist that it refers to, happens to it. `moving` are
    those that are animated, that have changed, or that depend on what cannot be watched; they are
    drawn again for each frame.
    """

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._figure = canvas.figure
        self.moving: set[Artist] = set()
        self._all_still = _Known()
        self._noted: set[Artist] = set()  # artists and parts that have reported a change
        self._rest = False
        self._callbacks: list[tuple[Any, Any, Any]] = []
        self._sticks_out = False  # whether a layout has to make room for what moves
        self.renew()

    def renew(self) -> None:
        """Take the present state of the figure as known. Artists that move go on moving."""
        self.close()
        before, self.moving = self.moving, set()
        self._owners: dict[Artist, list[Artist]] = {}  # the artists that a part belongs to
        self._containers: dict[Any, _Known] = {}
        self._still: dict[Artist, _Known] = {}
        self._zorder: dict[Artist, float] = {}
        self._titles: dict[Any, tuple[Any, ...]] = {}
        self._edges: dict[Any, list[float]] = {}
        inside = list(tree(self._figure))
        # Projecting artists changes their attributes.
        self._depths = {axes: _depths(axes) for axes, _ in inside if _sorts_by_depth(axes)}
        self._shared: set[int] = set()  # transforms that belong to figures and Axes
        for container, artists in inside:
            _unstale(container)
            vars(container)["_stale"] = False
            self._listen(container, self._note_rest)
            self._containers[container] = _Known.of(container, self._shared)
            if isinstance(container, Axes):
                self._titles[container] = _titles(container)
            for artist in artists:
                self._zorder[artist] = artist.get_zorder()
                for part in _parts(artist):
                    self._owners.setdefault(part, []).append(artist)
        for part in self._owners:
            self._listen(part, self._note)
        animated = (part for part in self._owners if part.get_animated())
        self.moving = self._owners_of([*animated, *before]) | set(filter(_depends, self._zorder))
        self._has_factor = any(axes.yaxis.offsetText.get_text() for axes in self._titles)
        self._take(self._zorder.keys() - self.moving)
        self.settle()

    def settle(self) -> None:
        """Forget what has been noted, because it is drawn."""
        self._noted.clear()
        self._rest = False
        for container in self._containers:
            vars(container)["_stale"] = False

    def changes(self) -> Changes:
        """Return what has changed since the last draw, and add new artists to those that move."""
        differ: list[Artist] = []
        if self._all_still.differs():  # which is faster than to ask each
            differ = [artist for artist, known in self._still.items() if known.differs()]
        changed = self._owners_of([*differ, *self._noted])
        rest = self._rest
        for container, known in self._containers.items():
            _unstale(container)
            rest = rest or known.differs()
        rest = rest or any(artist.get_zorder() != at for artist, at in self._zorder.items())
        new = changed - self.moving
        self.moving |= new
        for artist in new:
            del self._still[artist]
        if new:
            self._all_still = _Known.joined(self._still.values())
        rest = (
            rest
            or any(map(_moves_others, changed))
            or self._depth_differs()
            or self._titles_differ(changed)
            or self._layout_differs()
        )
        return Changes(new, rest)

    def close(self) -> None:
        """Let artists report to whom they reported before."""
        for artist, before, own in self._callbacks:
            if artist.stale_callback == own:
                artist.stale_callback = before
        self._callbacks.clear()

    def _take(self, artists: Iterable[Artist]) -> None:
        """Take the present state of artists that stand still as known."""
        for artist in artists:
            vars(artist)["_stale"] = False
            self._still[artist] = _Known.of(artist, self._shared.copy())
        self._all_still = _Known.joined(self._still.values())

    @contextmanager
    def _measuring(self) -> Iterator[None]:
        """Measure axes, which changes them as a draw would: their ticks and formatters."""
        with self._canvas.quiet():
            yield
        self._take([artist for artist in self._still if isinstance(artist, Axis)])

    def _owners_of(self, parts: Iterable[Artist]) -> set[Artist]:
        """Return the artists that are drawn again if these or parts of them change."""
        found: set[Artist] = set()
        waiting = list(parts)
        while waiting:
            for owner in self._owners.get(waiting.pop(), ()):
                if owner not in found:
                    found.add(owner)
                    waiting.append(owner)
        return found

    def _listen(self, artist: Any, note: Callable[..., None]) -> None:
        self._callbacks.append((artist, artist.stale_callback, note))
        artist.stale_callback = note

    def _note(self, artist: Artist, _: bool) -> None:
        if not self._canvas.is_drawing:
            self._noted.add(artist)

    def _note_rest(self, *_: Any) -> None:
        if not self._canvas.is_drawing:
            self._rest = True

    def _depth_differs(self) -> bool:
        """Return whether 3-D Axes would draw their artists in another order than before."""
        for axes, before in self._depths.items():
            if self.moving.isdisjoint(before):
                continue
            now = {
                artist: _depth(artist) if artist in self.moving else before.get(artist, 0.0)
                for artist in _in_depth(axes)
            }
            if now.keys() != before.keys() or _order(now) != _order(before):
                return True
        return False

    def _titles_differ(self, changed: set[Artist]) -> bool:
        """Return whether a title would move, which keeps clear of ticks and factors of axes.

        That is only computed if an axis has changed or a title's edge has, or if there are factors.
        """
        an_axis = any(isinstance(artist, Axis) for artist in changed)
        for axes, titles in self._titles.items():
            if self.moving.isdisjoint(titles) and not an_axis:
                continue
            edges = _lower_edges(titles, self._canvas.agg)
            before, self._edges[axes] = self._edges.get(axes), edges
            if edges == before and not an_axis and not self._has_factor:
                continue
            places = [title.get_position() for title in titles]
            with self._measuring():
                axes._update_title_position(self._canvas.agg)
            if places != [title.get_position() for title in titles]:
                return True
        return False

    def _layout_differs(self) -> bool:
        """Return whether a layout that each draw computes has changed with what moves."""
        if layout_engine(self._figure) is None:
            return False
        renderer = self._canvas.agg
        before = self._sticks_out
        self._sticks_out = any(_sticks_out(artist, renderer) for artist in self.moving)
        if not (before or self._sticks_out):
            return False
        with self._measuring():
            differs = compute_layout(self._figure)
        return differs or any(
            known.differs() for artist, known in self._still.items() if artist.axes is None
        )


class _Known:
    """The state of an artist at some moment, to be compared with what it is later.

    That is its attributes, and those of objects of matplotlib among them, such as a formatter or a
    norm; the values in lists, dictionaries and arrays; and transforms.
    """

    def __init__(self) -> None:
        self._copies: list[tuple[Any, Any]] = []
        self._arrays: list[tuple[memoryview, int]] = []
        self._strided: list[tuple[NDArray[Any], bytes]] = []
        self._nodes: list[tuple[TransformNode, Any]] = []

    @classmethod
    def joined(cls, parts: Iterable["_Known"]) -> "_Known":
        """Return several states as one."""
        whole = cls()
        for part in parts:
            whole._copies += part._copies
            whole._arrays += part._arrays
            whole._strided += part._strided
            whole._nodes += part._nodes
        return whole

    @classmethod
    def of(cls, artist: Artist, nodes: set[int]) -> "_Known":
        """Return the state of an artist, without transforms in `nodes`; its own join those."""
        known = cls()
        # Axes have hundreds of parts, all of which report what happens to them.
        for part in [artist] if isinstance(artist, Axis | Axes | FigureBase) else _parts(artist):
            known._take_attributes(part, nodes, DEPTH)
        return known

    def differs(self) -> bool:
        """Return whether the artist is not in this state any more."""
        try:
            for live, copy in self._copies:
                if live != copy:
                    return True
        except Exception:  # two arrays, or anything of a stranger, cannot be compared
            return True
        for array, checksum in self._arrays:
            if crc32(array) != checksum:
                return True
        for strided, before in self._strided:
            if strided.tobytes() != before:
                return True
        return any(_state(node) != state for node, state in self._nodes)

    def _take_attributes(self, holder: Any, seen: set[int], depth: int) -> None:
        attributes = vars(holder)
        self._copies.append((attributes, attributes.copy()))
        self._take(attributes.values(), seen, depth)

    def _take(self, values: Iterable[Any], seen: set[int], depth: int) -> None:
        for value in values:
            if isinstance(value, PLAIN):
                continue
            if isinstance(value, np.ndarray):
                self._take_array(value)
            elif isinstance(value, Path):
                self._take_array(np.asarray(value.vertices))
            elif isinstance(value, TransformNode):
                self._nodes += [(node, _state(node)) for node in _changeable(value, seen)]
            elif isinstance(value, list | tuple | dict):
                if not isinstance(value, tuple):
                    self._copies.append((value, value.copy()))
                if depth and not isinstance(value, dict):
                    self._take(value[:: 1 + len(value) // MANY], seen, depth - 1)
            elif depth and _has_a_state(cast(Any, type(value))) and id(value) not in seen:
                seen.add(id(value))
                self._take_attributes(value, seen, depth - 1)

    def _take_array(self, array: NDArray[Any]) -> None:
        if isinstance(array, np.ma.MaskedArray):
            self._copies.append((vars(array), vars(array).copy()))  # a mask may be added
            self._take_array(np.asarray(array.mask))
            array = array.data
        if array.flags.c_contiguous and not array.dtype.hasobject:
            live = np.asarray(array).reshape(-1).view(np.uint8).data
            self._arrays.append((live, crc32(live)))
        elif not array.dtype.hasobject:
            self._strided.append((array, array.tobytes()))


@cache
def _has_a_state(kind: Any) -> bool:
    """Return whether objects of a class of matplotlib are told apart by their attributes."""
    ours = any(map(_is_ours, kind.__mro__))
    return ours and not issubclass(kind, STATELESS) and hasattr(kind, "__dict__")


def _is_ours(thing: Any) -> bool:
    """Return whether a class or function is matplotlib's."""
    return str(thing.__module__).partition(".")[0] in OURS


def _changeable(node: TransformNode, seen: set[int]) -> Iterator[TransformNode]:
    """Yield a transform, and those that it consists of, if they can be changed in place."""
    if id(node) not in seen:
        seen.add(id(node))
        if type(node) in (Affine2D, Bbox, LockableBbox) or isinstance(node, TransformWrapper):
            yield node
        for value in list(vars(node).values()):
            if isinstance(value, TransformNode):
                yield from _changeable(value, seen)


def _state(node: Any) -> Any:
    if isinstance(node, Affine2D):
        return node.get_matrix().tobytes()
    return node.get_points().tobytes() if isinstance(node, BboxBase) else node._child


def _unstale(container: Container) -> None:
    """Compute limits that matplotlib only computes when they are needed."""
    if isinstance(container, Axes):
        container.viewLim  # noqa: B018


def _parts(artist: Artist) -> Iterable[Artist]:
    """Return an artist, its parts, and the artists that these refer to."""
    found: dict[Artist, None] = {}
    waiting = [artist]
    while waiting:
        part = waiting.pop()
        if part not in found and not isinstance(part, Axes | FigureBase):
            found[part] = None
            waiting += part.get_children()
            waiting += [
                value
                for name, value in vars(part).items()
                if isinstance(value, Artist) and name not in BACK
            ]
    return found


def _depends(artist: Artist) -> bool:
    """Return whether the drawing of an artist depends on what cannot be watched."""
    if isinstance(artist, Legend):
        return bool(cast(Any, artist)._loc == BEST)
    if isinstance(artist, Axis):
        formatters = artist.get_major_formatter(), artist.get_minor_formatter()
        return any(map(_is_a_strangers, formatters))
    if isinstance(artist, Annotation | AnnotationBbox):
        coords = [artist.xycoords, getattr(artist, "anncoords", None)]
        flat = [each for some in coords for each in (some if isinstance(some, tuple) else [some])]
        if not all(isinstance(each, str | None) for each in flat):
            return True
    clip: Any = artist.get_clip_path()
    if isinstance(clip, TransformedPatchPath):
        axes = artist.axes
        if axes is None or cast(Any, clip)._patch is not axes.patch:
            return True
    return artist.get_agg_filter() is not None or isinstance(artist, BboxImage)


def _is_a_strangers(formatter: Any) -> bool:
    """Return whether ticks are written by a function, which may read what it likes."""
    if not isinstance(formatter, FuncFormatter):
        return False
    function = getattr(formatter.func, "func", formatter.func)  # of labels that are given, ours
    return not _is_ours(function)


def _moves_others(artist: Artist) -> bool:
    """Return whether a change of an artist changes what others draw.

    That is so for an axis in 3-D, and for one whose label is aligned with others.
    """
    if not isinstance(artist, Axis) or artist.axes is None:
        return False
    figure: Any = artist.axes.get_figure(root=False)
    aligned = figure._align_label_groups.get(cast(Any, artist).axis_name)
    return hasattr(artist, "draw_pane") or (
        aligned is not None and len(aligned.get_siblings(artist.axes)) > 1
    )


def _titles(axes: Any) -> tuple[Any, ...]:
    return axes.title, axes._left_title, axes._right_title


def _lower_edges(titles: Iterable[Any], renderer: Any) -> list[float]:
    return [title.get_window_extent(renderer).ymin for title in titles if title.get_text()]


def _sticks_out(artist: Any, renderer: Any) -> bool:
    """Return whether a layout may have to make room for an artist."""
    if not (artist.get_visible() and artist.get_in_layout()):
        return False
    if artist.axes is None:
        figure = artist.get_figure()
        titles = [getattr(figure, name, None) for name in TITLES]
        return isinstance(artist, Legend) or any(artist is each for each in titles)
    if isinstance(artist, Axis):
        return True
    if artist._fully_clipped_to_axes():
        return False
    around = artist.get_tightbbox(renderer)
    inner = artist.axes.bbox
    return around is not None and not (
        inner.x0 <= around.x0 and around.x1 <= inner.x1
        and inner.y0 <= around.y0 and around.y1 <= inner.y1
    )  # fmt: skip


def _sorts_by_depth(container: Any) -> bool:
    return bool(getattr(container, "computed_zorder", False)) and container.M is not None


def _in_depth(axes: Any) -> Iterator[Any]:
    """Yield the artists that 3-D Axes sort by depth."""
    for artist in axes.get_children():
        is_sorted = isinstance(artist, Collection | Patch) and hasattr(artist, "do_3d_projection")
        if is_sorted and artist.get_visible():
            yield artist


def _depth(artist: Any) -> float:
    return float(artist.do_3d_projection())


def _depths(axes: Any) -> dict[Any, float]:
    return {artist: _depth(artist) for artist in _in_depth(axes)}


def _order(depths: dict[Any, float]) -> list[Any]:
    return sorted(depths, key=lambda artist: depths[artist], reverse=True)
