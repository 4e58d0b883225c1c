"""The pictures of a lesson that have no live page: films that can be stopped, and stills."""

from base64 import b64encode
from dataclasses import replace
from html import escape
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from optiviz.kinds.base import MAX_SCALE, BaseRecipe
from optiviz.kinds.lesson import Passage
from optiviz.rendering.page import page_themes
from optiviz.rendering.render import render_scene

FINER = 2.0  # pixels of a still per pixel of CSS, for HiDPI screens
DARK = "(prefers-color-scheme: dark)"


def shown_picture(passage: Passage, picture: BaseRecipe) -> tuple[str, None, tuple[str, ...]]:
    """Return the HTML of a picture in the themes of its page, and sentences on its blanks."""
    moves = picture.timeline is not None and len(picture.timeline.steps) > 1
    still = picture.model_copy(update={"scale": min(FINER * picture.scale, MAX_SCALE)})
    drawn, suffix = (picture, ".mp4") if moves else (still, ".png")
    scene = replace(passage.scene, title="")  # the section has the heading
    made, blanks = {}, dict[str, None]()
    with TemporaryDirectory(prefix="optiviz-") as folder:
        for name, theme in page_themes(picture.theme).items():
            path = Path(folder) / f"{name}{suffix}"
            recipe = drawn.model_copy(update={"theme": name if name != "own" else theme})
            blanks |= dict.fromkeys(render_scene(recipe, scene, path).blanks)
            made[name] = _film(path) if moves else _still(path)
    said = escape(f"{passage.heading}: {scene.description}".rstrip(": "))
    width, height = picture.pixels
    size = f'width="{width}" height="{height}"'
    show = _films if moves else _stills
    return f'<div class="picture">{show([*made.values()], said, size)}</div>', None, tuple(blanks)


def _films(addresses: list[str], said: str, size: str) -> str:
    kept = "loop muted playsinline controls"
    names = ("", "") if len(addresses) == 1 else (' class="in-light"', ' class="in-dark"')
    return "\n".join(
        f'<video{name} {kept} {size} aria-label="{said}" src="{address}"></video>'
        for name, address in zip(names, addresses, strict=False)
    )


def _stills(addresses: list[str], said: str, size: str) -> str:
    first, *others = addresses
    sources = "".join(f'<source media="{DARK}" srcset="{each}">' for each in others)
    return f'<picture>{sources}<img src="{first}" {size} alt="{said}"></picture>'


def _film(path: Path) -> str:
    return f"data:video/mp4;base64,{b64encode(path.read_bytes()).decode()}"


def _still(path: Path) -> str:
    """Return a picture as the address of its data, lossless and as small as it gets."""
    png, webp = path.read_bytes(), BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").save(webp, "WEBP", lossless=True, quality=100, method=4)
    kind, data = min(("png", png), ("webp", webp.getvalue()), key=lambda each: len(each[1]))
    return f"data:image/{kind};base64,{b64encode(data).decode()}"
