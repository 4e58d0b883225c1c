"""The interactive page as a file: self-contained, correct, and safe with any texts."""

import json
import os
import re
import shutil
import subprocess
from base64 import b64decode, b64encode
from functools import cache
from hashlib import sha256
from html.parser import HTMLParser
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from conftest import Invoke
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import optiviz
from optiviz.kinds.run_scene import RunScene
from optiviz.registry import THEMES
from optiviz.rendering.page.page import MAX_POINTS
from optiviz.rendering.page.text import point_text, rounded
from optiviz.shapes import Ellipse, Points
from optiviz.themes import load_theme

MODULES = Path(os.environ.get("NODE_MODULES", ""))  # of npm
JAR = MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"
Made = tuple[RunScene, str, "Elements", dict[str, Any]]
ARTICLE_1 = "nesterov,rmsprop,adadelta,adagrad,adam"
SCENES = {
    "article-1": {"surface": "wobbly", "optimizers": ARTICLE_1},
    "one-dimension": {"surface": "parabola", "optimizers": "sgd:lr=0.1,newton,sgd:lr=1.2"},
    "starts": {"surface": "himmelblau", "optimizers": "adam:lr=0.1,sgd:lr=0.5", "random_starts": 3},
    "noise": {"surface": "wobbly", "optimizers": "adam", "noise": 2.0},
    "kinked": {"surface": "wobbly", "optimizers": "nelder-mead", "trail": 5, "field": "arrows"},
    "loss": {"surface": "wobbly", "optimizers": "adam", "view": "loss", "smooth": 5},
    "theme": {"surface": "beale", "optimizers": "adam:lr=0.1", "theme": "article"},
    "network": {"surface": "spirals", "optimizers": "adam:lr=0.1", "steps": 20},
    "tracks": {
        "surface": "wobbly",
        "optimizers": "adam",
        "steps": 9,
        "tracks": [
            optiviz.Trajectory.of([[2, 1], [1, 1], [1, 0]], "my <loop>"),
            optiviz.Trajectory.of(
                [[2, 1], [0, 1], [np.nan, 0]],
                steps=[5, 10, 20],
                sketches=[[], [Points(np.array([[1.0, 0.5]])), Ellipse(np.ones(2), np.eye(2))], []],
                evaluations=[1, 4, 9],
            ),
        ],
    },
    "pole": {
        "surface": optiviz.Surface(formula="1/x", domain="-1:1"),
        "optimizers": "sgd:lr=0.1",
        "starts": [(0.0,)],
    },
}


class Elements(HTMLParser):
    """The elements of a page with their attributes, and the text of some."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.name = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.name = f"{tag} {dict(attrs).get('id', '')}".strip()

    def handle_endtag(self, tag: str) -> None:
        self.name = ""

    def handle_data(self, data: str) -> None:
        self.texts[self.name] = self.texts.get(self.name, "") + data


@cache
def of_scene(name: str) -> Made:
    """Return the page of a scene, rendered once for all tests."""
    with TemporaryDirectory() as folder:
        return made(Path(folder) / "a.html", **SCENES[name])


def made(path: Path, **fields: Any) -> Made:
    """Return the scene, the page's text, its elements, and the data that its scripts draw."""
    scene = optiviz.render(optiviz.Recipe(**fields), path)
    text = path.read_text("utf-8")
    elements = Elements(text)
    assert isinstance(scene, RunScene)
    return scene, text, elements, json.loads(elements.texts["script scene"])


@pytest.fixture
def every_scene(here: Path) -> list[Path]:
    """Return files with the pages of all scenes."""
    for name in SCENES:
        Path(f"{name}.html").write_text(of_scene(name)[1], "utf-8")
    return sorted(here.iterdir())


@pytest.mark.slow
@pytest.mark.skipif(
    not (MODULES / "html-validate").is_dir(), reason="html-validate is not in NODE_MODULES"
)
def test_pages_keep_the_recommended_rules_of_html(every_scene: list[Path], here: Path) -> None:
    (here / ".htmlvalidate.json").write_text(
        '{"root": true, "extends": ["html-validate:recommended"]}'
    )
    command = [MODULES / ".bin" / "html-validate", *every_scene]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout[-2000:]


@pytest.mark.slow
@pytest.mark.skipif(
    not (JAR.is_file() and shutil.which("java")),
    reason="vnu-jar is not in NODE_MODULES, or no java",
)
def test_pages_are_valid_html(every_scene: list[Path]) -> None:
    newer = ".*container.*"  # its rules of CSS do not know container queries
    command = ["java", "-jar", JAR, "--errors-only", "--filterpattern", newer, *every_scene]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr[-2000:]


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", SCENES)
def test_it_needs_nothing_else_and_says_how_it_was_made(name: str, here: Path) -> None:
    _, text, elements, _ = of_scene(name)
    for tag, attributes in elements.found:
        assert tag not in ("link", "iframe", "object", "embed", "base", "img", "form")
        for key in ("src", "href", "action", "srcset"):
            assert key not in attributes, (tag, key)
        assert not any(key.startswith("on") for key in attributes)
    assert not re.search(r"https?:|url\(|@import|fetch\(|XMLHttp|import\(", text)
    (here / "a.html").write_text(text, "utf-8")
    recipe = optiviz.load_recipe(here / "a.html")
    assert recipe == optiviz.Recipe(**SCENES[name])
    optiviz.render(recipe, here / "b.html")
    assert (here / "b.html").read_text("utf-8") == text


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", SCENES)
def test_nothing_but_its_own_script_and_style_may_run(name: str) -> None:
    _, text, elements, _ = of_scene(name)
    (policy,) = [
        attributes["content"] or ""
        for tag, attributes in elements.found
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    for tag in ("style", "script"):
        found = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.S)
        wholes = [b64encode(sha256(each.encode()).digest()).decode() for each in found]
        allowed = " ".join(f"'sha256-{each}'" for each in wholes)
        assert f"; {tag}-src {allowed};" in policy
    assert policy.startswith("default-src 'none'; img-src data:")


def test_what_a_track_looked_at_is_replayed() -> None:
    *_, told = of_scene("tracks")
    other, path = told["paths"][-2:]
    assert "sketches" not in other and other["evaluations"] is None
    assert (path["steps"], path["evaluations"]) == ([5, 10], [1, 4])
    assert path["sketches"] == [[], [[0, 1, 0.5], [1, 1, 1, 1, 0, 0, 1]]]
    assert [form[:2] for form in path["forms"]] == [["points", "tried"], ["ellipse", "region"]]
    assert told["unit"] == "step"  # as there is an optimizer, too


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", SCENES)
def test_it_draws_the_paths_that_were_descended(name: str) -> None:
    scene, _, _, told = of_scene(name)
    assert told["steps"] == scene.steps
    replayed = [
        path
        for entry, said in zip(scene.entries, told["entries"], strict=True)
        if said["method"] is None
        for path in entry.trajectories
    ]
    assert told["live"] or len(replayed) < len(scene.trajectories) or name == "kinked"
    for said, path in zip(told["paths"], replayed, strict=True):
        assert said["steps"] == path.step_of_row[: len(path.finite_points)].tolist()
        assert said["last"] == path.last
        points = np.array(said["points"], float)
        np.testing.assert_allclose(points, path.finite_points, rtol=1e-6)
        losses = [path.loss(step) for step in said["steps"]]
        losses = np.where(np.isfinite(losses), losses, np.nan)
        np.testing.assert_allclose(np.array(said["losses"], float), losses, rtol=1e-6)


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", SCENES)
def test_it_computes_with_the_values_that_were_used(name: str) -> None:
    scene, _, _, told = of_scene(name)
    for entry, said in zip(scene.entries, told["entries"], strict=True):
        if said["method"] is None:
            assert said["why"] or told["live"]
            continue
        named = [each["name"] for each in told["methods"][said["method"]]["parameters"]]
        used = {key: entry.hyperparameters[key] for key in named}
        assert dict(zip(named, said["values"], strict=True)) == used
        assert told["starts"] == [path.start.tolist() for path in entry.trajectories]


@pytest.mark.parametrize("name", SCENES)
def test_words_say_the_values_that_were_used(name: str) -> None:
    scene, text, elements, told = of_scene(name)
    for entry, said in zip(scene.entries, told["entries"], strict=True):
        assert said["detail"] == entry.detail
        assert said["name"] == entry.heading
    for path in told["paths"]:
        paths = scene.entries[path["entry"]].trajectories
        assert (path["outcome"] or [""])[0] == scene.outcome(paths[path["start"]])
    labels = [each.get("aria-label") or "" for tag, each in elements.found if tag == "canvas"]
    assert any(labels)
    for path in scene.trajectories:
        assert f"{path.end[0]:.4g}" in text


def test_article_1s_scene_is_small() -> None:
    _, text, *_ = of_scene("article-1")
    assert len(text.encode()) < 500_000


@pytest.mark.sample(1)
@pytest.mark.parametrize("theme", THEMES)
def test_light_follows_the_readers_system_and_others_stay(theme: str, here: Path) -> None:
    fields = {"surface": "beale", "optimizers": "adam:lr=0.1", "theme": theme}
    _, text, _, told = made(here / "a.html", **fields)
    assert [*told["theme"]] == (["light", "dark"] if theme == "light" else [theme])
    assert [*told["relief"]["images"]] == [*told["theme"]]
    for name in told["theme"]:
        assert f"--background:{load_theme(name).background};" in text
    assert ("prefers-color-scheme: dark){:root" in text) == (theme == "light")


def test_the_image_is_the_ground_alone() -> None:
    _, _, _, told = of_scene("network")
    data = told["images"]["light"].partition("base64,")[2]
    with Image.open(BytesIO(b64decode(data))) as image:
        assert image.width / image.height == pytest.approx(told["surface"]["ratio"], rel=0.01)
        colors = {each for _, each in image.convert("RGB").getcolors(1 << 20) or ()}
    assert len(colors) <= 256
    paths = {
        tuple(int(color[i : i + 2], 16) for i in (1, 3, 5)) for color in load_theme("light").paths
    }
    assert not colors & paths


@pytest.mark.slow
@pytest.mark.row(66)
@settings(max_examples=3)
@given(st.text(min_size=1, max_size=30).filter(lambda text: text.isprintable() and text.strip()))
def test_words_of_a_stranger_stay_words(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    from optiviz.system.errors import InputError

    path = tmp_path_factory.mktemp("words") / "a.html"
    title = f"</script></style></title><img onerror=x>&amp;${{x}}$title {text}"
    try:
        fields = {"surface": "bowl", "optimizers": "adam:lr=0.1:label=<b>", "steps": 3}
        _, _, elements, _ = made(path, title=title, **fields)
    except InputError:  # no font has these letters
        return
    assert elements.texts["title"].split() == title.split()
    assert elements.texts["h1"].split() == title.split()
    assert "img" not in [tag for tag, _ in elements.found]
    assert not any("onerror" in attributes for _, attributes in elements.found)
    recipe = optiviz.load_recipe(path)
    assert recipe.title == optiviz.Recipe(title=title, **fields).title


@pytest.mark.slow
def test_long_runs_leave_steps_out_and_say_so(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_POINTS == 60_000  # as CHANGELOG says
    monkeypatch.setattr("optiviz.rendering.page.page.MAX_POINTS", 1200)
    fields = {"surface": "rosenbrock", "optimizers": "nelder-mead", "steps": 3000}
    _, text, _, told = made(here / "a.html", **fields)
    (path,) = told["paths"]
    assert len(path["steps"]) <= 1200 + 1
    assert "Every third step is kept, with straight lines between." in text
    assert path["steps"][:3] == [0, 3, 6]
    assert path["steps"][-1] == 3000


@pytest.mark.sample(1)
@pytest.mark.parametrize("domain", ["0:1,0:1e6", "0:1e6,0:1", "0:1e9,0:1e-9", "0:1,0:20"])
def test_a_narrow_window_has_a_page_of_common_proportions(domain: str, here: Path) -> None:
    surface = optiviz.Surface(formula="x**2 + y**2", domain=domain)
    *_, told = made(here / "a.html", surface=surface, optimizers="sgd:lr=0.1", steps=3)
    assert 0.5 < told["surface"]["ratio"] < 2


@pytest.mark.slow
def test_numbers_are_as_exact_as_their_axes_want(here: Path) -> None:
    def track(middle: float, size: float) -> optiviz.Trajectory:
        return optiviz.Trajectory.of([[middle - size * 0.8**step] * 2 for step in range(31)])

    far = optiviz.Surface(formula="x**2 + y**2 + 1e6", domain="-3:3,-3:3")
    *_, told = made(here / "a.html", surface=far, tracks=[track(0.0, 3.0)])
    losses = told["paths"][0]["losses"]
    assert all(later < before for before, later in pairwise(losses))
    near = optiviz.Surface(
        formula="(x-100)**2 + (y-100)**2", domain="99.99999:100.00001,99.99999:100.00001"
    )
    *_, told = made(here / "b.html", surface=near, tracks=[track(100.0, 9e-6)])
    points = np.array(told["paths"][0]["points"])
    np.testing.assert_allclose(points[:, 0], points[:, 1], rtol=1e-12)
    assert len(np.unique(points[:, 0])) > 20


def test_a_formula_alone_is_the_heading(here: Path) -> None:
    surface = optiviz.Surface(formula="x**2 + 3*y**2", domain="-3:3,-3:3")
    _, text, elements, _ = made(here / "a.html", surface=surface, optimizers="adam:lr=0.1")
    assert text.count('<span class="unseen">x**2 + 3*y**2</span>') == 1
    assert elements.texts["title"] == "x**2 + 3*y**2"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--view rate", "a page cannot show rate: choose from contour, curve, relief, loss, state"),
        ("--layout grid", "a page shows all optimizers in one panel"),
    ],
)
def test_what_a_page_does_not_have_is_told(words: str, said: str, invoke: Invoke) -> None:
    run = ("run", "--surface", "wobbly", "--opt", "adam", "-o", "a.html")
    result = invoke(*run, *words.split())
    assert result.exit_code == 2
    assert result.stderr.startswith(f"optiviz: a.html: {said}")
    assert "plot cannot write .html files" in invoke("plot", "wobbly", "-o", "a.html").stderr


def test_a_page_makes_no_picture(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import optiviz.rendering.render

    def never(*_: Any) -> None:
        raise AssertionError("a page needs no picture")

    monkeypatch.setattr(optiviz.rendering.render, "make_picture", never)
    made(here / "a.html", surface="bowl", optimizers="adam:lr=0.1", steps=3)


@given(st.lists(st.floats()))
def test_numbers_are_those_of_json(values: list[float]) -> None:
    said = json.loads(json.dumps(rounded(values), allow_nan=False))
    for number, value in zip(said, values, strict=True):
        assert number is None or number == pytest.approx(value, rel=1e-6)
        assert (number is None) == (not np.isfinite(value))


def test_the_alternative_text_leads_each_path_from_its_start_to_its_end(here: Path) -> None:
    scene, text, *_ = made(here / "a.html", surface="bowl", optimizers="sgd:lr=0.1", steps=3)
    (path,) = scene.trajectories
    assert f"sgd goes from {point_text(path.start)} to {point_text(path.end)}, loss " in text
    assert point_text(path.start) != point_text(path.end)


@pytest.mark.parametrize(
    ("view", "said"),
    [("loss", "The loss of each path against the step."), ("sharpness", "The sharpness along")],
)
def test_the_alternative_text_of_the_chart_says_what_it_shows(
    view: str, said: str, here: Path
) -> None:
    recipe = optiviz.Recipe(
        surface="rosenbrock:dim=3", optimizers="sgd:lr=0.001", steps=3, view=view
    )
    optiviz.render(recipe, "x.html")
    assert f'<canvas role="img" aria-label="{said}' in (here / "x.html").read_text("utf-8")
