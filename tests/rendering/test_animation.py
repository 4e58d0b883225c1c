"""What `animate` returns: it is saved in every format, also after someone has changed it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import optiviz
from optiviz.registry import FORMATS

STILLS = [suffix for suffix, form in FORMATS.items() if form.kind == "still"]
FIELDS = {"steps": 5, "size": (300, 200)}


def made() -> "optiviz.rendering.animation.Animation":
    return optiviz.animate("bowl", "adam:lr=0.1", **FIELDS)


@pytest.mark.sample(1)
@pytest.mark.parametrize("suffix", STILLS)
def test_a_still_is_the_last_frame(suffix: str, tmp_path: Path) -> None:
    made().save(tmp_path / f"x{suffix}")
    recipe = optiviz.Recipe(surface="bowl", optimizers="adam:lr=0.1", **FIELDS)
    assert optiviz.load_recipe(tmp_path / f"x{suffix}") == recipe
    optiviz.render(recipe, tmp_path / f"y{suffix}")
    assert (tmp_path / f"x{suffix}").read_bytes() == (tmp_path / f"y{suffix}").read_bytes()


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x.html", "x.html: a picture is no page: use optiviz.render"),
        ("x.csv", "x.csv: a picture is no data: use optiviz.render"),
        ("x.gfi", "unknown format '.gfi'"),
    ],
)
def test_what_it_cannot_write_is_refused(name: str, said: str, here: Path) -> None:
    with pytest.raises(optiviz.InputError, match=said):
        made().save(name)
    with pytest.raises(optiviz.InputError, match=r"x\.png: a still has no arguments but its file"):
        made().save("x.png", fps=3)
    assert not list(here.iterdir())


@pytest.mark.sample(1)
@pytest.mark.parametrize("suffix", [".gif", ".mp4", ".webp", ".apng", *STILLS])
def test_a_picture_that_was_changed_has_no_recipe(suffix: str, tmp_path: Path) -> None:
    animation = made()
    animation.figure.axes[0].plot([-1, 1], [-1, 1], "m", lw=5)
    path = tmp_path / f"x{suffix}"
    animation.save(path)
    with pytest.raises(optiviz.InputError, match="added to this picture of optiviz, or changed"):
        optiviz.load_recipe(path)
    if suffix in (".png", ".gif", ".apng", ".webp"):
        with Image.open(path) as image:
            seen = np.asarray(image.convert("RGB")).astype(int)
        assert (np.abs(seen - (191, 0, 191)).max(-1) < 3).sum() > 100


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    "change",
    [
        lambda figure: figure.axes[0].set_title("mine"),
        lambda figure: figure.set_facecolor("beige"),
        lambda figure: figure.axes[0].lines[-1].set_color("magenta"),
        lambda figure: figure.axes[0].set_xlim(-9, 9),
    ],
)
def test_any_change_that_is_seen_counts(change: object, tmp_path: Path) -> None:
    animation = made()
    change(animation.figure)  # type: ignore[operator]
    animation.save(tmp_path / "x.gif")
    with pytest.raises(optiviz.InputError, match="no recipe makes it"):
        optiviz.load_recipe(tmp_path / "x.gif")


@pytest.mark.slow
def test_what_only_looks_at_a_picture_changes_nothing(tmp_path: Path) -> None:
    animation = made()
    animation.save(tmp_path / "x.gif")
    animation.figure.savefig(tmp_path / "look.png")
    animation.to_jshtml()
    animation.figure.canvas.draw()
    animation.save(tmp_path / "y.gif")
    assert (tmp_path / "x.gif").read_bytes() == (tmp_path / "y.gif").read_bytes()
    assert optiviz.load_recipe(tmp_path / "y.gif").surface == "bowl"


@pytest.mark.slow
def test_a_notebook_shows_what_was_changed() -> None:
    animation = made()
    before = animation._repr_html_()
    assert animation._repr_html_() is before
    animation.figure.axes[0].plot([-1, 1], [-1, 1], "m", lw=5)
    assert animation._repr_html_() != before
