"""The interactive page of a recipe, as a notebook shows it."""

from functools import cached_property
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from optiviz.kinds.base import BaseRecipe
from optiviz.registry import FORMATS
from optiviz.rendering.render import render
from optiviz.system.errors import InputError
from optiviz.system.files import atomic_write, check_targets

HEIGHT = 760  # pixels of the frame in a notebook


class Explorer:
    """The interactive page of a recipe, made when it is first shown or saved.

    At the end of a notebook cell, it is displayed in a frame whose scripts can reach nothing
    outside of it.
    """

    def __init__(self, recipe: BaseRecipe) -> None:
        recipe.check_output(FORMATS[".html"])  # raises if no page can show it
        self._recipe = recipe

    @cached_property
    def _made(self) -> tuple[bytes, str]:
        """The page, and a text alternative."""
        with TemporaryDirectory(prefix="optiviz-") as folder:
            path = Path(folder) / "page.html"
            scene = render(self._recipe, path)
            said = ": ".join(filter(None, [scene.title, scene.description]))
            return path.read_bytes(), said

    def save(self, path: str | Path) -> None:
        """Write the page, as `optiviz run -o x.html` does.

        Raises InputError if the suffix is not that of a page or the path cannot be written, and
        OptivizError if writing fails.
        """
        target = Path(path)
        form = self._recipe.output_format(target)
        if form.kind != "page":
            raise InputError(f"{target}: a page is no {form.kind}: use optiviz.render")
        check_targets([target])
        with atomic_write(target) as temporary:
            temporary.write_bytes(self._made[0])

    def _repr_html_(self) -> str:
        page, said = self._made
        return (
            f'<iframe srcdoc="{escape(page.decode())}" sandbox="allow-scripts" '
            f'allow="clipboard-write *" title="{escape(said)}" height="{HEIGHT}" '
            'style="width: 100%; border: 0"></iframe>'
        )
