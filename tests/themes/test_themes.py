"""Themes: a user's own over a built-in one, and what can hardly be told apart."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Invoke
from matplotlib.colors import CSS4_COLORS, to_rgb
from PIL import Image

import optiviz
from optiviz.kinds.base import to_dict
from optiviz.registry import THEMES
from optiviz.rendering.render import make_picture
from optiviz.themes import Theme, find_theme, load_theme
from optiviz.themes.colors import color, rgb
from optiviz.themes.contrast import PathColor, color_remarks

OWN = """\
base: dark
background: "#1d1f2b"
ramp: ["#262a3f", "#3c4a7a", "#8aa3d8"]
paths: [orange, "#0A7"]
lit: [white, 0.5]
fill: true
"""


def recipe(**fields: Any) -> optiviz.Recipe:
    given = {"surface": "bowl", "optimizers": "sgd:lr=0.1", "steps": 5, "size": (300, 200)}
    return optiviz.Recipe(**given | fields)


def test_a_theme_of_ones_own_is_its_base_with_other_colours(here: Path) -> None:
    (here / "own.yaml").write_text(OWN)
    theme, dark = find_theme("own.yaml"), load_theme("dark")
    assert isinstance(theme, Theme)
    assert (theme.background, theme.paths, theme.lit) == (
        "#1d1f2b",
        ("orange", "#0a7"),
        ("white", 0.5),
    )
    same = {"ink", "edge", "muted", "warning", "casing", "rule", "shaded", "minimum", "areas"}
    assert all(getattr(theme, name) == getattr(dark, name) for name in same)
    assert Theme.model_validate({"ink": "#111"}).ramp == load_theme("light").ramp


def test_it_is_drawn_and_comes_back_from_the_file(here: Path, invoke: Invoke) -> None:
    (here / "own.yaml").write_text(OWN)
    words = ("run", "--surface", "bowl", "--opt", "sgd:lr=0.1", "--steps", "5", "--size", "300x200")
    result = invoke(*words, "--theme", "own.yaml", "-o", "a.png", "-o", "a.json")
    assert (result.exit_code, result.stderr) == (0, "")
    with Image.open(here / "a.png") as image:
        assert image.convert("RGB").getpixel((1, 1)) == (0x1D, 0x1F, 0x2B)
    (here / "own.yaml").unlink()
    optiviz.render(optiviz.load_recipe(here / "a.png"), here / "b.png")
    assert (here / "a.png").read_bytes() == (here / "b.png").read_bytes()
    written = json.loads((here / "a.json").read_text())["recipe"]["theme"]
    assert written.pop("base") == "dark"
    assert written.keys() == {"background", "ramp", "paths", "lit"}
    shown = invoke("inspect", "a.png").stdout
    assert "background: '#1d1f2b'" in shown and "# optiviz run" not in shown


def test_a_mapping_in_a_job_and_in_python_is_the_same() -> None:
    own = {"base": "dark", "ramp": ["#000", "#555"]}
    made = recipe(theme=own)
    assert to_dict(made)["theme"] == own
    assert recipe(**{key: value for key, value in to_dict(made).items() if key == "theme"}) == made
    assert recipe(theme=made.theme) == made


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bakground: red", "own.yaml:1:1: bakground: unknown key 'bakground': did you mean 'back"),
        ("base: drak", "own.yaml:1:1: base: unknown theme 'drak': did you mean 'dark'?"),
        ("ink: rde", "own.yaml:1:1: ink: unknown colour 'rde': did you mean 'red'?"),
        ("ink: '#12'", "'#12' is not a colour: write #rgb or #rrggbb"),
        ("ink: tab:blue", "did you mean"),
        (
            "ramp: [redd, bluu]",
            "ramp.0: unknown colour 'redd': did you mean 'red'?; own.yaml:1:14: ramp.1",
        ),
        ("ramp: [red]", "own.yaml:1:1: ramp: at least 2 values are required, not 1"),
        ("ramp: [white, black, white]", "must become lighter, or darker, from each colour to the"),
        ("paths: []", "paths: at least 1 value is required, not 0"),
        ("lit: [red, 2]", "lit.1: must be less than or equal to 1, not 2"),
        ("fill: maybe", "fill: must be true or false, not 'maybe'"),
        ("[red]", "own.yaml: a theme must map keys to colours"),
        (
            "ink: rde\nmuted: gre",
            "ink: unknown colour 'rde': did you mean 'red'?; own.yaml:2:1: muted",
        ),
    ],
)
def test_a_fault_of_a_file_is_one_sentence(
    text: str, said: str, here: Path, invoke: Invoke
) -> None:
    (here / "own.yaml").write_text(text)
    result = invoke(
        "run", "--surface", "bowl", "--opt", "sgd", "--theme", "own.yaml", "-o", "a.png"
    )
    assert result.exit_code == 2
    assert result.stderr.startswith("optiviz: --theme: ")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert [path.name for path in here.iterdir()] == ["own.yaml"]


@pytest.mark.parametrize("value", [3, None, ["light"], "nofile.yaml", "lihgt"])
def test_what_is_no_theme_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="theme|No such file"):
        recipe(theme=value)


def test_a_theme_file_is_not_overwritten(here: Path, invoke: Invoke) -> None:
    (here / "jobs.yaml").write_text(
        "jobs: [{surface: bowl, optimizers: sgd, theme: own.yaml, out: own.yaml}]"
    )
    (here / "own.yaml").write_text(OWN)
    assert invoke("batch", "jobs.yaml").exit_code == 2
    assert (here / "own.yaml").read_text() == OWN


@pytest.mark.parametrize("name", sorted(CSS4_COLORS))
def test_names_are_those_of_css(name: str) -> None:
    assert color(name.upper()) == name
    assert tuple(rgb([name])[0]) == pytest.approx(to_rgb(name))
    Image.new("RGB", (1, 1), name)  # after which Pillow knows it by its numbers
    assert tuple(rgb([name])[0]) == pytest.approx(to_rgb(name))


def test_digits_are_one_or_two_to_a_channel() -> None:
    assert rgb(["#0a7", "#00aa77"]).tolist() == [list(to_rgb("#0a7"))] * 2


# Colours of paths


@pytest.mark.slow
def test_a_path_has_the_colour_of_its_spec(here: Path) -> None:
    made = recipe(optimizers="sgd:lr=0.1:color=Red,adam:lr=0.1:label=My Adam:color=#0a7,momentum")
    assert made.optimizers[1] == "adam:lr=0.1:label=My Adam:color=#0a7"
    drawn = make_picture(made)
    for cell in drawn.cells:
        colors = [
            (each.strokes.drawn.get_color()[-1][:3] if hasattr(each.strokes, "drawn")
             else to_rgb(each.strokes.line.get_color()))
            for each in cell.view.path_artists
        ]  # fmt: skip
        expected = ["red", "#0a7", load_theme("light").paths[2]]
        assert [tuple(each) for each in colors] == [to_rgb(each) for each in expected]
    optiviz.render(made, here / "a.html")
    assert '"color": "red"' in (here / "a.html").read_text().replace('"color":"', '"color": "')


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("sgd:color=rde", "sgd: color: unknown colour 'rde': did you mean 'red'?"),
        ("sgd:color=#1", "sgd: color: '#1' is not a colour"),
        ("sgd:colour=red", "sgd: unknown hyperparameter 'colour': did you mean 'color'?"),
        ("sgd:color=red:color=blue", "sets color twice"),
        ("sgd:color=notacolour", "sgd: color: unknown colour 'notacolour': "),
    ],
)
def test_what_is_no_colour_is_refused(spec: str, said: str) -> None:
    with pytest.raises(optiviz.InputError) as error:
        optiviz.optimizers.spec.parse_spec(spec)
    assert said in str(error.value)


def test_a_colour_that_would_show_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="color cannot be combined with several values"):
        recipe(optimizers="sgd:color=red", vary="lr=0.1,0.2")
    with pytest.raises(ValueError, match="color has no effect: colours are those of minima"):
        optiviz.BasinsRecipe(surface="himmelblau", optimizers="sgd:color=red")


# What is hard to see


@pytest.mark.parametrize("theme", THEMES)
def test_nothing_is_said_of_colours_that_nobody_chose(theme: str) -> None:
    names = "sgd,momentum,nesterov,rmsprop,adam,adagrad,adamax"
    assert recipe(theme=theme, optimizers=names).hints() == ()


@pytest.mark.parametrize(
    ("theme", "optimizers", "said"),
    [
        ("light", "sgd:color=yellow", ["sgd: yellow has a contrast of 1.0 with the background"]),
        ("dark", "sgd:color=yellow", []),
        ("dark", "sgd:color=#111", ["sgd: #111 has a contrast of 1.0", "hardly stands out"]),
        ("light", "sgd:color=red,adam:color=green", ["red and green look alike with protanopia"]),
        ("light", "sgd:color=red,adam:color=#fe0000", ["look alike with any sight"]),
        ("light", "sgd:color=#0000cc,adam:color=#cc5500", []),
        ({"ink": "#ccc"}, "sgd", ["theme: ink: #ccc has a contrast of 1.6"]),
        ({"background": "#777"}, "sgd:color=#888", ["ink", "muted", "warning", "sgd: #888"]),
    ],
)
def test_what_is_hard_to_see_is_told(theme: Any, optimizers: str, said: list[str]) -> None:
    hints = recipe(theme=theme, optimizers=optimizers).hints()
    assert len(hints) >= len(said) and bool(hints) == bool(said)
    for part in said:
        assert any(part in hint for hint in hints), part


def test_a_path_that_has_a_casing_stands_out_from_the_surface() -> None:
    light = load_theme("light")
    band = light.ramp[0]
    cased = [*color_remarks(light, [PathColor("a", band, True)])]
    assert not any("stands out" in each for each in cased)
    bare = light.model_copy(update={"casing": band})
    assert any("stands out" in each for each in color_remarks(bare, [PathColor("a", band, True)]))


@pytest.mark.slow
def test_hints_are_told_on_the_terminal_and_in_a_batch(here: Path, invoke: Invoke) -> None:
    words = ("run", "--surface", "bowl", "--opt", "sgd:lr=0.1:color=yellow", "--steps", "5")
    said = "sgd: yellow has a contrast of 1.0 with the background, where 3 is easy to see"
    dropped = (
        "GIF: frames last whole hundredths of a second, at least two: 50 of 60 frames a second"
    )
    printed = invoke(*words, "--fps", "60", "--size", "240x160", "-o", "a.gif").stdout
    assert said in printed and dropped in printed
    assert dropped not in invoke(*words, "--fps", "60", "--size", "240x160", "-o", "a.apng").stdout
    assert dropped not in invoke(*words, "--fps", "50", "--size", "240x160", "-o", "a.gif").stdout
    (result,) = optiviz.batch([(recipe(optimizers="sgd:lr=0.1:color=yellow", fps=60), "b.gif")])
    assert any(said == each for each in result.remarks)
    assert any(dropped in each for each in result.remarks)
