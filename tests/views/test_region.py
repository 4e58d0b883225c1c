"""Sets that are shaded, checked by their edges and by the colours of pictures."""

import numpy as np
import pytest
from conftest import Invoke
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from matplotlib.patches import PathPatch
from test_contour import picture

from optiviz.kinds.plot import PlotRecipe
from optiviz.kinds.style import Style
from optiviz.rendering.render import make_picture
from optiviz.surfaces.catalogue import find_surface
from optiviz.surfaces.surface import Surface
from optiviz.themes import load_theme
from optiviz.themes.colors import lightness, oklab
from optiviz.views.ramp import ramp
from optiviz.views.region import OPACITIES, Shading, colors_of, shadings


def shading(surface: Surface, where: str) -> Shading:
    (found,) = shadings(surface, Style(where=where))
    return found


def test_an_edge_is_exact() -> None:
    wobbly = find_surface("wobbly")
    circle = shading(wobbly, "x**2 + y**2 < 1").outline()
    np.testing.assert_allclose(np.hypot(*circle.edge[1:].T), 1, atol=1e-5)
    assert circle.area is not None
    tried = [[0, 0.99], [0.69, 0.69], [0, 1.01], [-0.72, 0.72]]
    assert circle.area.contains_points(tried).tolist() == [
        True, True, False, False,
    ]  # fmt: skip
    corner = shading(wobbly, "x > 0.0123 and y > 0.0321").outline().edge
    along = np.isclose(corner, [0.0123, 0.0321], atol=1e-5).any(axis=1)
    assert along.sum() > 0.99 * len(corner) > 500


def test_where_a_surface_is_convex() -> None:
    # The Hessian of x**3 + y**2 is positive definite for x > 0, that of x**3 - y**2 nowhere.
    cubic, saddle = (
        Surface(formula=f"x**3 {sign} y**2", domain="-1:1,-1:1") for sign in ("+", "-")
    )
    edge = shading(cubic, "convex").outline().edge
    np.testing.assert_allclose(edge[:, 0], 0, atol=1e-5)
    assert shading(saddle, "convex").outline().area is None
    line = Surface(formula="x**3 - x", domain="-1:2")
    np.testing.assert_allclose(shading(line, "convex").spans(), [[0, 2]], atol=1e-6)


def test_spans_of_a_line_include_its_ends() -> None:
    line = Surface(formula="w**2", domain="-3:3")
    found = shading(line, "w <= -1 or 0 < w < 0.5 or w > 2.5").spans()
    np.testing.assert_allclose(found, [[-3, -1], [0, 0.5], [2.5, 3]], atol=1e-6)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_set_has_another_hue_and_is_as_light(theme: str) -> None:
    known = load_theme(theme)
    ground, found = (
        np.array([to_rgb(each(share)) for share in np.linspace(0, 1, 9)])
        for each in (ramp(known.ramp), colors_of(known, "set"))
    )
    np.testing.assert_allclose(lightness(found), lightness(ground), atol=6)
    apart = (oklab(found) - oklab(ground))[:, 1:]
    assert (np.hypot(*apart.T) > 0.03).all()


def test_the_infeasible_part_is_veiled() -> None:
    disc = find_surface("wobbly").model_copy(update={"constraints": ("x**2 + y**2 <= 1",)})
    drawn = make_picture(PlotRecipe(surfaces=[disc]))
    veil = [each for each in drawn.figure.axes[0].patches if each.get_clip_path() is not None]
    assert [mark.label for mark in drawn.cells[0].view.legend_entries] == ["minimum", "infeasible"]
    assert veil


def test_without_a_fill_a_set_is_flat() -> None:
    drawn = picture("wobbly", "adam", where="x > 0", fill=False)
    flat = [
        each for each in drawn.figure.axes[0].artists + drawn.figure.axes[0].patches
        if isinstance(each, PathPatch) and each.get_alpha() == OPACITIES["set"]
    ]  # fmt: skip
    assert len(flat) == 1


@pytest.mark.parametrize("view", ["contour", "relief"])
def test_a_set_is_seen(view: str, invoke: Invoke, here: object) -> None:
    words = ["--surface", "bowl", "--opt", "sgd:lr=0.1", "--view", view, "--size", "240x160"]
    for name, rest in (("all", ["--where", "x > -99"]), ("none", [])):
        assert invoke("run", *words, *rest, "-o", f"{name}.png").exit_code == 0
    shaded, plain = (imread(f"{name}.png")[..., :3] for name in ("all", "none"))
    changed = np.abs(shaded - plain).max(axis=-1) > 0.1
    assert changed.mean() > 0.05
    assert ((shaded - plain)[changed] @ [1, -1, 0]).mean() > 0.15  # redder, less green


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--surface wobbly --where x**2", "'x**2' is not a condition: write a comparison"),
        ("--surface wobbly --where x<", "is not an expression"),
        ("--surface wobbly --where q>0", "where: unknown variable 'q': choose from x, y"),
        ("--formula w**2+b**2 --where weight>0", "where: unknown variable 'weight': choose from"),
        ("--surface wobbly --where exec(x)>0", "unknown function 'exec'"),
        ("--surface digits-512 --where convex", "convex needs second derivatives"),
        ("--surface wobbly --where convex&(x>0)", "convex cannot be combined with other"),
        ("--surface wobbly --view loss --where x>0", "loss does not use --where; contour"),
    ],
)  # fmt: skip
def test_what_is_no_set_of_the_surface_is_told(
    words: str, said: str, invoke: Invoke, here: object
) -> None:
    result = invoke("run", *words.split(), "--opt", "sgd:lr=0.1", "--steps", "2", "-o", "x.png")
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr


def test_a_set_that_is_nowhere_is_told(invoke: Invoke, here: object) -> None:
    result = invoke(
        "run", "--surface", "bowl", "--opt", "sgd:lr=0.1", "--where", "x > 99", "-o", "x.png"
    )
    assert (result.exit_code, "x > 99 holds nowhere in the window" in result.stdout) == (0, True)


def test_constraints_that_exclude_the_window_are_told(invoke: Invoke, here: object) -> None:
    said = "no point in the window satisfies the constraints"
    words = "plot", "--formula", "x**2 + y**2", "-o", "x.png", "--constraint"
    assert said in invoke(*words, "x >= 99").stdout
    assert said not in invoke(*words, "x + y == 1").stdout
    assert said not in invoke(*words, "x <= 99").stdout
