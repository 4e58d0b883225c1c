"""Presets: that those of the catalogue do what their names say, and how own ones are written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from commands import assert_told
from conftest import CATALOGUE, Invoke
from hypothesis import given
from hypothesis import strategies as st

import optiviz
from optiviz.descent.trajectory import Trajectory
from optiviz.kinds.base import to_dict
from optiviz.kinds.presets import MAX_NAME, Preset
from optiviz.kinds.run import Recipe
from optiviz.objective import Array
from optiviz.recipes.command import arguments_for, command_fields
from optiviz.recipes.schema import schema
from optiviz.surfaces.presets import MAX_PRESETS
from optiviz.surfaces.surface import Surface
from optiviz.system.yaml import Document

PRESETS = {
    f"{name}: {preset.name}": (name, preset)
    for name, surface in CATALOGUE.items()
    if surface.presets
    for preset in Recipe(surface=name, optimizers="sgd:lr=0.1").page_presets
}


class Run:
    """A path of a preset, in the terms of the claims."""

    def __init__(self, path: Trajectory, surface: Surface) -> None:
        self.path, self.surface = path, surface
        self.points = path.points[np.isfinite(path.points).all(axis=-1)]
        self.losses = path.losses
        values = [float(surface.value(np.array(each))) for each in surface.minima]
        slack = 1e-6 * max(1.0, *map(abs, values)) if values else 0.0
        self.best = [
            np.array(each)
            for each, value in zip(surface.minima, values, strict=True)
            if value <= min(values) + slack
        ]

    @property
    def radii(self) -> float:
        """How far from the nearest global minimum it ends, in radii of a minimum."""
        distances = [np.linalg.norm(self.points[-1] - each) for each in self.best]
        return float(min(distances, default=np.inf)) / self.surface.minimum_radius

    @property
    def turns(self) -> Array:
        """Whether each step goes back by more than 90 degrees from the one before."""
        steps = np.diff(self.points, axis=0)
        return np.asarray((steps[1:] * steps[:-1]).sum(axis=-1) < 0)

    @property
    def rests(self) -> bool:
        """Whether the last quarter of the path keeps its place."""
        last = self.points[len(self.points) * 3 // 4 :]
        return self.extent(last) < 0.02

    def extent(self, points: Array) -> float:
        """Return the size of a part of the path, as a share of the window."""
        return float(np.linalg.norm(np.ptp(points, axis=0))) / self.surface.window.diagonal

    @property
    def left(self) -> bool:
        """Whether it ends outside of the window."""
        return not bool(self.surface.window.contains(self.points[-1]))

    @property
    def sharpness(self) -> float:
        """The mean sharpness of the last quarter of the path."""
        last = self.points[len(self.points) * 3 // 4 :]
        return float(np.linalg.eigvalsh(self.surface.hessian(last))[:, -1].mean())

    @property
    def lower_nearby(self) -> bool:
        """Whether there are lower points around its end."""
        around = np.random.default_rng(0).normal(size=(200, self.surface.dim))
        near = self.points[-1] + 0.002 * self.surface.window.diagonal * around
        return bool(self.surface.value(near).min() < self.surface.value(self.points[-1]) - 1e-9)

    @property
    def level(self) -> bool:
        """Whether the slope at its end is nothing beside that at its start."""
        first, last = np.linalg.norm(self.surface.gradient(self.points[[0, -1]]), axis=-1)
        return bool(last < 1e-2 * first)


CLAIMS: dict[str, Callable[[Run], bool]] = {
    "converges": lambda run: run.radii <= 1,
    "escapes": lambda run: run.radii <= 1,
    "trapped": lambda run: run.radii > 10 and run.rests and not run.lower_nearby,
    "stuck": lambda run: run.radii > 10 and run.extent(run.points) < 0.01,
    "crawls": lambda run: (
        run.radii > 10 and np.mean(run.turns) < 0.05 and run.losses[-1] < run.losses[0]
    ),
    "zigzag": lambda run: np.mean(run.turns) > 0.85 and run.losses[-1] < run.losses[0],
    "oscillates": lambda run: np.mean(run.turns) > 0.75 and run.radii <= 1,
    "never settles": lambda run: 0.3 < np.mean(run.turns) < 0.7 and not run.rests and not run.left,
    "diverges": lambda run: (
        run.path.diverged_at is not None or (run.left and run.losses[-1] > run.losses[0])
    ),
    "edge of stability": lambda run: abs(run.sharpness * run.path.optimizer.lr / 2 - 1) < 0.05,
    "climbs": lambda run: run.losses[-1] > run.losses[0] and run.level and run.lower_nearby,
    "stops at a saddle": lambda run: (
        run.losses[-1] < run.losses[0] and run.level and run.rests and run.lower_nearby
    ),
    "jumps off": lambda run: run.left and bool(np.min(run.losses) < run.losses[0] / 10),
    "stays": lambda run: (
        bool(run.surface.window.contains(run.points).all()) and run.losses[-1] < run.losses[0]
    ),
    "escapes the saddle": lambda run: run.left and run.losses[-1] < min(0, run.losses[0]),
}


@pytest.mark.sample(20)
@pytest.mark.parametrize(("surface", "preset"), PRESETS.values(), ids=PRESETS)
def test_a_preset_of_the_catalogue_does_what_its_name_says(surface: str, preset: Preset) -> None:
    recipe = Recipe(surface=surface, optimizers="sgd:lr=0.1").of_preset(preset)
    paths = recipe.full_trajectories()
    assert len(paths) == len(preset.optimizers) * len(recipe.start_points())
    for path in paths:
        assert CLAIMS[preset.name](Run(path, CATALOGUE[surface]))


def test_the_catalogue_tells_stories_and_each_claim_tells_some_apart() -> None:
    assert len({name for name, _ in PRESETS.values()}) >= 20
    assert {preset.name for _, preset in PRESETS.values()} == {*CLAIMS}
    for name, surface in CATALOGUE.items():
        if surface.presets:
            assert 2 <= len(surface.presets) <= 4, name
    for name, surface in CATALOGUE.items():  # of a surface's presets, an escape is from a trap
        named = {text.partition(":")[0] for text in surface.presets}
        assert "escapes" not in named or named & {"trapped", "stuck"}, name


NAMES = st.text(
    st.characters(categories=["L", "N", "P", "S"], exclude_characters=":"), min_size=1, max_size=9
)
SPECS = st.lists(st.sampled_from(["adam", "sgd:lr=0.1", "nesterov:lr=0.5:label=a b"]), min_size=1)
NUMBERS = st.floats(-1e9, 1e9)
WHOLE = st.builds(
    Preset,
    name=NAMES,
    optimizers=SPECS.map(tuple),
    starts=st.lists(st.tuples(NUMBERS, NUMBERS), max_size=2).map(tuple),
    steps=st.none() | st.integers(1, 1000),
    noise=st.none() | st.floats(0, 9),
)


@given(preset=WHOLE)
def test_a_preset_is_written_as_it_is_read(preset: Preset) -> None:
    assert Preset.read(str(preset)) == preset
    recipe = Recipe(surface="bowl", optimizers="adam", presets=str(preset))
    assert Recipe(**to_dict(recipe)) == recipe
    assert recipe.page_presets == (preset,)
    fields = command_fields(recipe)
    assert fields is not None
    assert arguments_for("presets", fields["presets"]) == ["--preset", str(preset)]


SCHEMA = jsonschema.Draft202012Validator(schema({}))
TOLD = "too large: sgd:lr=1.05 --start 1,2 --start 2,1 --steps 20 --noise 0.5"


@pytest.mark.parametrize(
    "written",
    [
        f"presets: '{TOLD}'",
        f"presets: ['{TOLD}']",
        f"presets:\n  - {TOLD}",
        f"presets:\n  {TOLD}",
        "presets: {too large: {optimizers: sgd:lr=1.05, starts: [[1, 2], '2,1'], steps: 20, "
        "noise: 0.5}}",
        "presets: {too large: {optimizers: [sgd:lr=1.05], starts: [[1, 2], [2, 1]], steps: 20, "
        "noise: 0.5}}",
    ],
)
def test_yaml_has_lists_and_mappings(written: str) -> None:
    fields = Document(f"surface: bowl\noptimizers: adam\n{written}", "x").value
    assert Recipe(**fields).presets == (TOLD,)
    assert SCHEMA.is_valid(fields)


@pytest.mark.parametrize(
    ("preset", "said"),
    [
        ("sgd:lr=1", "'sgd:lr=1' has no name: write NAME: sgd:lr=1"),
        ("sgd", "'sgd' is not a preset: write NAME: OPTIMIZERS, as in"),
        ("a:", "'a:' is not a preset: write NAME: OPTIMIZERS"),
        ("a: --steps 3", "'a: --steps 3' is not a preset: write NAME: OPTIMIZERS"),
        (": adam", f"'': a name must have from 1 to {MAX_NAME} characters, not 0"),
        ("x" * 41 + ": adam", f"from 1 to {MAX_NAME} characters, not 41"),
        ("a\x1b: adam", "must not contain the unprintable character"),
        ("a: sdg", "'a': unknown optimizer 'sdg': did you mean 'sgd'?"),
        ("a: sgd:rate=1", "'a': sgd: unknown hyperparameter 'rate': choose from"),
        ("a: sgd --stps 3", "'a': unknown option '--stps': did you mean '--steps'?"),
        ("a: sgd --opt adam", "'a': unknown option '--opt'"),
        ("a: sgd --steps", "'a': --steps: the value is missing"),
        ("a: sgd --steps 0", "'a': steps: must be greater than or equal to 1, not 0"),
        ("a: sgd --steps many", "'a': steps: must be a number, not 'many'"),
        ("a: sgd --steps 1 --steps 2", "'a': sets --steps twice"),
        ("a: sgd --noise -1", "'a': noise: must be greater than or equal to 0, not -1.0"),
        ("a: sgd --start random:3", "'a': 'random:3' is not a valid start: write X,Y"),
        ("a: sgd --start 1,nan", "'a': '1,nan' is not a valid start: write X,Y"),
        (["a: sgd", "a: adam"], "two are called 'a'"),
        ([f"{n}: sgd" for n in range(21)], f"at most {MAX_PRESETS} values are allowed, not 21"),
        (3, "must be a list or a mapping, not 3"),
        ([3], "3 is not a preset"),
        ({3: "sgd"}, "3 is not a name: write text without a colon"),
        ({"a:b": "sgd"}, "'a:b' is not a name: write text without a colon"),
        ({"a": {"optimzers": "sgd"}}, "a: unknown key 'optimzers': did you mean 'optimizers'?"),
        ({"a": {"steps": 3}}, "'a:  --steps 3' is not a preset"),
    ],
)
def test_what_is_no_preset_is_told(preset: Any, said: str) -> None:
    with pytest.raises(optiviz.InputError) as raised:
        Recipe(surface="wobbly", optimizers="adam", presets=preset)
    assert str(raised.value).startswith("presets: ") and said in str(raised.value)


def test_a_start_fits_the_surface(invoke: Invoke) -> None:
    words = ("run", "--surface", "wobbly", "--opt", "adam", "-o", "x.html")
    said = "presets: 'a': 1 has 1 coordinate, but wobbly has 2"
    assert_told(invoke(*words, "--preset", "a: sgd --start 1"), 2, said)


def test_a_preset_needs_a_page(invoke: Invoke, here: Path) -> None:
    words = ("run", "--surface", "bowl", "--opt", "sgd:lr=0.1", "--steps", "5", "--size", "300x200")
    preset = ("--preset", "diverges: sgd:lr=1.05")
    said = "presets: are buttons of a page: write one, such as x.html"
    assert_told(invoke(*words, *preset, "-o", "x.gif"), 2, said)
    assert invoke(*words, *preset, "-o", "x.json", "-o", "x.html", "-q").exit_code == 0
    assert (here / "x.json").exists() and (here / "x.html").exists()
    with pytest.raises(optiviz.InputError, match=said):
        optiviz.animate("bowl", "sgd:lr=0.1", presets="diverges: sgd:lr=1.05")
    (here / "batch.yaml").write_text(
        "defaults: {surface: bowl, optimizers: sgd}\n"
        "jobs:\n- presets: {a: sgd}\n  out: x.png\n- presets: {a: sgd}\n  out: [y.png, y.html]\n"
    )
    assert_told(invoke("batch", "batch.yaml"), 2, f"batch.yaml:4:3: jobs.0.out: {said}")


def test_quotes_that_were_forgotten_are_told(invoke: Invoke) -> None:
    words = ("run", "--surface", "bowl", "--opt", "sgd")
    result = invoke(*words, "--preset", "too", "large:", "sgd:lr=1.05")
    assert_told(result, 2, "write --preset 'too large: sgd:lr=1.05'")


OWN = """
class Plain:
    def __init__(self, lr=0.1):
        self.lr = lr

    def init(self, x):
        return None

    def step(self, objective, x, nothing):
        return x - self.lr * objective.gradient(x), nothing
"""
WORDS = ("run", "--surface", "bowl", "--opt", "sgd:lr=0.1", "--steps", "5", "-q")


@pytest.mark.slow
def test_code_of_others_in_a_preset_is_not_run_without_leave(invoke: Invoke, here: Path) -> None:
    (here / "mine.py").write_text(OWN)
    assert invoke(*WORDS, "--preset", "own: mine.py:Plain:lr=0.2", "-o", "x.html").exit_code == 0
    made = optiviz.load_recipe(here / "x.html", allow_plugins=True)
    assert isinstance(made, Recipe)
    assert made.plugins is not None and [file for file, _ in made.plugins] == ["mine.py"]
    refused = invoke("run", "--recipe", "x.html", "-o", "y.html", "-q")
    assert_told(refused, 2, "presets: mine.py:Plain runs third-party code: allow it with")
    again = ("run", "--recipe", "x.html", "--allow-plugins", "-o", "y.html", "-q")
    assert invoke(*again).exit_code == 0
    assert (here / "y.html").read_bytes() == (here / "x.html").read_bytes()
    (here / "mine.py").write_text(OWN + "\n# changed\n")
    said = "mine.py has changed since the recipe was created: to use the new version, pass --preset"
    assert_told(invoke(*again), 2, said)
    new = ("--preset", "own: mine.py:Plain:lr=0.2")
    assert invoke(*again, *new).exit_code == 0


def test_a_surface_cannot_bring_code_of_others(invoke: Invoke, here: Path) -> None:
    (here / "mine.py").write_text("open('ran', 'w')")
    for value, said in (
        ("own: mine.py:Plain", "presets of dip: 'own': mine.py:Plain is third-party code, which"),
        ("a: sdg", "presets of dip: 'a': unknown optimizer 'sdg': did you mean 'sgd'?"),
        ("a: sgd --start 1", "presets of dip: 'a': 1 has 1 coordinate, but dip has 2"),
    ):
        (here / "mine.yaml").write_text(
            f"dip: {{domain: '-1:1,-1:1', formula: x**2 + y**4, presets: ['{value}']}}\n"
        )
        words = ("run", "--surfaces", "mine.yaml", "--surface", "dip", "--opt", "sgd:lr=0.1")
        assert_told(invoke(*words, "-o", "x.html"), 2, said)
    assert not (here / "ran").exists()


def test_those_of_the_recipe_replace_those_of_the_surface() -> None:
    assert [preset.name for preset in Recipe(surface="saddle", optimizers="sgd").page_presets] == [
        "stops at a saddle",
        "escapes the saddle",
    ]
    own = Recipe(surface="saddle", optimizers="sgd", presets={"mine": "adam"})
    assert [preset.name for preset in own.page_presets] == ["mine"]


def test_a_preset_changes_the_conditions_that_it_names_and_no_other() -> None:
    recipe = Recipe(
        surface="bowl", optimizers="sgd", starts=[[1, 2]], random_starts=2, steps=9, noise=1,
        vary="lr=0.1,0.2", presets=["a: adam,sgd:lr=0.1", "b: adam --start 2,2 --noise 0"],
    )  # fmt: skip
    first, second = map(recipe.of_preset, recipe.page_presets)
    assert [spec.name for spec in first.specs] == ["adam", "sgd"]
    assert first.points() == recipe.points() and first.steps == 9 and first.noise == 1
    assert second.points() == ((2, 2),) and second.steps == 9 and second.noise == 0
