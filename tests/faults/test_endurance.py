"""Long use: many pictures in one process, several processes at once, random recipes.

Each test prints its measurements. This draws 500 recipes:
`SOAK=125 pytest -s -m slow tests/faults/test_endurance.py`.
"""

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

import pytest
from conftest import FORMULAS, TUNED
from hypothesis import HealthCheck, Phase, given, reject, seed, settings
from hypothesis import strategies as st
from imageio.v3 import immeta, imread

import optiviz
from optiviz.kinds import load_kind
from optiviz.kinds.base import BaseRecipe
from optiviz.kinds.lesson import PICTURES
from optiviz.optimizers.schedules import SCHEDULES
from optiviz.registry import (
    ASPECTS,
    EXPLANATIONS,
    FORMATS,
    HEIGHTS,
    LEGEND_PLACES,
    QUALITIES,
    SIGNALS,
    THEMES,
    VIEWS,
)
from optiviz.rendering.render import render
from optiviz.system.errors import InputError

pytestmark = pytest.mark.slow

IMAGES = ".gif", ".apng", ".webp"  # all other animations are videos
PARTS = 4  # of the soak test, so that it uses both cores
EXAMPLES = int(os.environ.get("SOAK", "16"))  # recipes per part

rates = st.floats(-3, 1).map(lambda power: f"{10**power:.3g}")
colors = st.sampled_from(["red", "white", "black", "#0a7", "#123456", "rebeccapurple"])
words = st.builds(
    lambda name, rate, look: name + (f":lr={rate}" if rate else "") + look,
    st.sampled_from(TUNED),
    st.none() | rates | st.builds("{}@{}".format, rates, st.sampled_from(list(SCHEDULES))),
    st.just("") | colors.map(":color={}".format),
)
themes = st.sampled_from(list(THEMES)) | st.fixed_dictionaries(
    {"base": st.sampled_from(list(THEMES))},
    optional={
        "background": colors, "ink": colors, "casing": colors, "fill": st.booleans(),
        "paths": st.lists(colors, min_size=1, max_size=3), "ramp": st.just(["#fff", "#123"]),
    },
)  # fmt: skip
formulas = st.recursive(
    st.sampled_from(["x", "y", "0.3", "2", "x*y", "x**2", "y**2", "pi"]),
    lambda inner: st.one_of(
        st.builds("({}){}({})".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("{}({})".format, st.sampled_from(["sin", "exp", "log", "sqrt", "abs"]), inner),
        st.builds("max({}, {})".format, inner, inner),
    ),
    max_leaves=6,
)
windows = st.tuples(*[st.floats(-50, 50), st.floats(0.01, 100)] * 2).map(
    lambda ends: f"{ends[0]}:{ends[0] + ends[1]},{ends[2]}:{ends[2] + ends[3]}"
)
surfaces = st.sampled_from(list(FORMULAS)) | st.builds(
    lambda text, window: {"formula": f"{text} + 0*x + 0*y", "domain": window}, formulas, windows
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "theme": themes,
    "size": st.tuples(st.integers(240, 320), st.integers(160, 240))
    | st.builds("{:.2f}inx{:.2f}in".format, st.floats(2.5, 3), st.floats(1.9, 3)),
    "scale": st.floats(0.5, 1.2),
    "aspect": st.sampled_from(ASPECTS),
    "legend": st.sampled_from(LEGEND_PLACES),
    "vary": st.sampled_from(["noise=0,1", "steps=3,9", "lr=0.01,0.1@cosine"]),
    "title": st.text(st.characters(max_codepoint=0x24F, categories=["L", "N", "P"]), max_size=40),
    "surface": surfaces,
    "surfaces": st.lists(surfaces, min_size=1, max_size=4),
    "signal": st.sampled_from(list(SIGNALS)),
    "optimizers": st.lists(words, min_size=1, max_size=4),
    "lr": st.floats(1e-4, 10),
    "steps": st.integers(1, 15),
    "fps": st.floats(1, 60),
    "duration": st.floats(0.1, 2),
    "seed": st.integers(0, 2**64),
    "noise": st.floats(0, 1),
    "random_starts": st.integers(1, 3),
    "starts": st.lists(st.tuples(*[st.floats(-1e3, 1e3)] * 2), min_size=1, max_size=3),
    "view": st.lists(st.sampled_from(list(VIEWS)), min_size=1, max_size=3).map("+".join),
    "layout": st.sampled_from(["panels", "grid"]),
    "levels": st.integers(1, 60),
    "labels": st.booleans(),
    "field": st.booleans(),
    "fill": st.booleans(),
    "trail": st.integers(1, 20),
    "smooth": st.integers(1, 10),
    "orbit": st.floats(-360, 360),
    "camera": st.tuples(st.floats(-360, 360), st.floats(5, 85)),
    "height": st.sampled_from(HEIGHTS),
    "floor": st.booleans(),
    "explain": st.sampled_from(EXPLANATIONS),
    "quality": st.sampled_from(QUALITIES),
    "grid": st.tuples(*[st.integers(2, 24)] * 2),
    "trials": st.integers(2, 12),
    "over": st.sampled_from(["lr", "lr=0.001:1"]),
}
ROOMS = "aspect", "legend", "rate", "size"  # of which only the drawing knows whether they fit
DRAWN = [kind for kind in PICTURES if kind != "score"]  # which runs for long
NEEDED = {"surface", "surfaces", "signal", "optimizers", "steps", "size", "trials", "grid"}


@st.composite
def recipes(draw: st.DrawFn) -> BaseRecipe:
    """Draw recipes of all kinds with all required fields and some optional ones."""
    model = load_kind(draw(st.sampled_from(DRAWN)))
    own = [name for name in FIELDS if name in model.model_fields]
    rest = [name for name in own if name not in NEEDED]
    chosen = draw(st.sets(st.sampled_from(rest), max_size=5))
    fields = {name: draw(FIELDS[name]) for name in own if name in NEEDED | chosen}
    if "vary" in fields and draw(st.booleans()):
        fields["optimizers"] = [fields["optimizers"][0].partition(":")[0]]
        fields.pop("steps" if fields["vary"].startswith("steps") else "noise", None)
    if "over" in model.model_fields:  # the rates are tuned
        fields["optimizers"] = [word.partition(":")[0] for word in fields["optimizers"]]
    if "signal" in model.model_fields:  # a signal has no second derivatives
        second = re.compile("newton|sophia")
        fields["optimizers"] = [second.sub("adam", word) for word in fields["optimizers"]]
    try:
        return model(**fields)
    except InputError:  # for example a view that does not fit
        reject()


def fits(recipe: BaseRecipe, suffix: str) -> bool:
    """Return whether a recipe supports a format."""
    try:
        recipe.output_format(Path(f"x{suffix}"))
    except InputError:
        return False
    return True


def assert_readable(path: Path, size: tuple[int, int]) -> None:
    """Assert that another program can read a whole file."""
    data = path.read_bytes()
    match path.suffix:
        case ".json":
            assert json.loads(data)
        case ".csv":
            rows = [line for line in data.decode().splitlines() if not line.startswith("#")]
            assert len(rows) > 1 and len({row.count(",") for row in rows}) == 1
        case ".svg":
            assert ElementTree.fromstring(data).tag.endswith("svg")
        case ".html":
            parser = HTMLParser()
            parser.feed(data.decode())
            scene = data.decode().partition('id="scene">')[2].partition("</script>")[0]
            assert json.loads(scene)["paths"]
        case ".pdf":
            assert data.startswith(b"%PDF-") and data.rstrip().endswith(b"%%EOF")
        case suffix:
            frames = imread(path, plugin="pillow" if suffix in IMAGES else "pyav")
            height, width = frames.shape[-3:-1]
            assert (width - size[0], height - size[1]) in {(a, b) for a in (0, 1) for b in (0, 1)}
            assert immeta(path)


@pytest.mark.row(63)
@pytest.mark.parametrize("part", range(PARTS))
def test_any_recipe_is_drawn_and_can_be_read(part: int) -> None:
    drawn: dict[str, int] = {}

    @seed(part)
    @settings(
        max_examples=EXAMPLES,
        derandomize=False,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(recipe=recipes(), data=st.data())
    def soak(recipe: BaseRecipe, data: st.DataObject) -> None:
        fitting = [suffix for suffix in FORMATS if fits(recipe, suffix)]
        suffix = data.draw(st.sampled_from(fitting))
        with TemporaryDirectory() as folder:
            path = Path(folder) / f"x{suffix}"
            try:
                render(recipe, path)
            except InputError as error:
                assert str(error).partition(":")[0] in ROOMS and not [*Path(folder).iterdir()]
                reject()
            assert optiviz.load_recipe(path) == recipe
            assert_readable(path, recipe.pixels)
            assert [*Path(folder).iterdir()] == [path]
        drawn[suffix] = drawn.get(suffix, 0) + 1

    soak()
    assert sum(drawn.values()) == EXAMPLES
    print(f"soak {part}: {sum(drawn.values())} recipes,", dict(sorted(drawn.items())))


WRITTEN = ".gif", ".mp4", ".png", ".json", ".html", ".png", ".json", ".png", ".json"
GROWTH = """
import resource, sys
import optiviz

def used():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6

suffixes = sys.argv[1:]
recipe = optiviz.Recipe(surface="wobbly", optimizers="adam,rmsprop", steps=4, size=(240, 160))
marks = []
for number in range(1, 101):
    optiviz.render(recipe, f"x{suffixes[number % len(suffixes)]}")
    if number in (20, 100):
        marks.append(used())
print(*marks)
"""


@pytest.mark.row(64)
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks into /proc")
def test_a_hundred_runs_leak_nothing(here: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", GROWTH, *WRITTEN],
        capture_output=True,
        text=True,
        check=True,
    )
    early, late = map(float, ended.stdout.split())
    print(f"100 runs: {early:.1f} MB after 20, {late:.1f} MB after 100")
    assert late - early < 10


@pytest.mark.row(65)
def test_eight_processes_write_eight_outputs_at_once(here: Path) -> None:
    words = ["run", "--surface", "wobbly", "--opt", "adam,rmsprop", "--steps", "40", "-q", "-o"]
    running = [
        subprocess.Popen([sys.executable, "-m", "optiviz", *words, f"{number}.gif"])
        for number in range(8)
    ]
    assert [each.wait() for each in running] == [0] * 8
    assert sorted(path.name for path in here.iterdir()) == [f"{number}.gif" for number in range(8)]
    assert len({path.read_bytes() for path in here.iterdir()}) == 1
