"""The animation of a picture, as matplotlib's FuncAnimation."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Protocol
from zlib import crc32

from matplotlib.animation import FuncAnimation
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from optiviz.kinds.base import BaseRecipe
from optiviz.recipes.provenance import metadata_for, metadata_of_changed
from optiviz.registry import format_of
from optiviz.rendering.render import make_picture
from optiviz.system.errors import InputError
from optiviz.system.files import atomic_write
from optiviz.views.figure import Picture
from optiviz.views.settings import drawing_settings
from optiviz.writers import ImageioWriter
from optiviz.writers.canvas import pixels_drawn, replaced

HOLD = 2.0  # seconds for which the last frame is shown


class Moving(Protocol):
    """A figure that can be moved from step to step, as a `Picture` is."""

    figure: Figure

    def update(self, step: int) -> Sequence[Artist]:
        """Move it to a step, and return the artists that move."""


def save_film(
    shots: Sequence[tuple[Moving, Sequence[int]]],
    path: Path,
    writer: ImageioWriter,
    progress: Callable[[], None],
) -> None:
    """Write one figure after another into a file, a frame for each of its steps.

    The last frame of each is held. progress is called after each frame.
    """
    first = shots[0][0].figure
    with writer.saving(first, path, first.dpi):
        for number, (picture, steps) in enumerate(shots):
            if number:
                writer.turn_to(picture.figure)
            for before, step in zip([None, *steps], steps, strict=False):
                if step == before:
                    writer.repeat(1)
                else:
                    for artist in picture.update(step):
                        artist.set_animated(True)
                    writer.grab_frame()
                progress()


class PictureAnimation(FuncAnimation):
    """A frame per step of a picture; the last one is repeated for `hold` more seconds.

    fps is in frames per second.
    """

    def __init__(
        self, picture: Picture, steps: Sequence[int], fps: float, hold: float = HOLD
    ) -> None:
        frames = list(steps)
        # Otherwise matplotlib draws once before the first frame.
        with replaced(picture.figure.canvas, "draw_idle", lambda: None):
            super().__init__(
                picture.figure,
                picture.update,
                frames=frames + frames[-1:] * round(hold * fps),
                interval=1000 / fps,
                blit=True,
                cache_frame_data=False,
            )


class Still:
    """The picture of a recipe, which a notebook displays.

    `save` writes it in the format of a suffix, with the recipe in the file's metadata. `figure` may
    be changed; files then say that no recipe makes them.
    """

    _displayed: ClassVar = ".png"  # the format in which a notebook displays it

    def __init__(self, recipe: BaseRecipe, picture: Picture) -> None:
        self._recipe = recipe
        self._picture = picture
        self._as_made = self._checksum()
        self._shown = 0, ""  # what was displayed: a checksum, and the HTML

    @property
    def figure(self) -> Figure:
        """The figure, which is that of all frames of an animation."""
        return self._picture.figure

    def save(self, filename: str | Path) -> None:
        """Write it as a still; raise InputError if the suffix is unknown, or stands for none."""
        path = Path(filename)
        form = format_of(path)
        if form.kind != "still":
            raise InputError(f"{path}: a picture is no {form.kind}: use optiviz.render")
        write, comment = form.load(), self._comment()
        self._picture.update(self._picture.scene.steps)
        with atomic_write(path) as temporary, drawing_settings():
            write(self.figure, temporary, comment, self._recipe.size.inches)

    def _comment(self) -> str:
        """Return the text that tells how the picture was made."""
        unchanged = self._checksum() == self._as_made
        return metadata_for(self._recipe) if unchanged else metadata_of_changed(self._recipe)

    def _checksum(self) -> int:
        """Return a checksum of the last frame, which anything that is added to a figure changes."""
        self._picture.update(self._picture.scene.steps)
        with drawing_settings():
            return crc32(pixels_drawn(self.figure).data)

    def _repr_html_(self) -> str:
        checksum = self._checksum()
        if self._shown[0] != checksum:
            with TemporaryDirectory(prefix="optiviz-") as folder:
                path = Path(folder) / f"shown{self._displayed}"
                self.save(path)
                data = b64encode(path.read_bytes()).decode()
            scene, kind = self._picture.scene, self._displayed[1:]
            said = ": ".join(filter(None, [scene.title, scene.description]))
            image = f'<img src="data:image/{kind};base64,{data}" alt="{escape(said)}">'
            self._shown = checksum, image
        return self._shown[1]


class Animation(Still, PictureAnimation):
    """The animation of a recipe, which a notebook displays as a GIF.

    Unless a writer is chosen, `save` writes all animations and stills of optiviz, with the recipe
    in the file's metadata; a still is the last frame. `figure` may be changed; files then say that
    no recipe makes them.
    """

    _displayed: ClassVar = ".gif"

    def __init__(self, recipe: BaseRecipe, picture: Picture) -> None:
        assert recipe.timeline is not None
        PictureAnimation.__init__(self, picture, recipe.timeline.steps, recipe.timeline.fps)
        Still.__init__(self, recipe, picture)

    def save(self, filename: Any, writer: Any = None, *args: Any, **settings: Any) -> None:
        """Write the animation, or its last frame as a still, in the format of the suffix.

        The arguments are those of matplotlib's `Animation.save`; a still has none but its file.
        Raises InputError if the suffix is unknown, or stands for a page or for data.
        """
        path = Path(filename)
        if writer is None and format_of(path).kind != "animation":
            if args or settings:
                raise InputError(f"{path}: a still has no arguments but its file")
            Still.save(self, path)
            return
        writer = writer or "imageio"
        if writer == "imageio" and "metadata" not in settings:
            settings["metadata"] = {"comment": self._comment()}
        PictureAnimation.save(self, filename, writer, *args, **settings)


def drawn(recipe: BaseRecipe) -> Still | Animation:
    """Return the picture of a recipe, or its animation if it moves."""
    cls = Still if recipe.timeline is None else Animation
    return cls(recipe, make_picture(recipe))
