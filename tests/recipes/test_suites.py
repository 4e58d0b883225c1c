"""Suites in YAML: what an entry may say, and every fault with its place."""

from pathlib import Path

import numpy as np
import pytest

import optiviz
from optiviz.kinds.score import ScoreRecipe
from optiviz.kinds.suite import Suite
from optiviz.recipes.reading import check_trusted, inlined_files
from optiviz.recipes.suites import checked_suite, read_suite
from optiviz.surfaces.catalogue import find_surface
from optiviz.system.errors import InputError
from optiviz.system.text import key_path
from optiviz.system.validation import Fault

QUADRATIC = {"quadratic": {"condition": 100, "rotated": True}}


def suite(*problems: object, **fields: object) -> Suite:
    """Return a suite of these problems."""
    found = checked_suite({"problems": list(problems), **fields})
    assert isinstance(found, Suite), found
    return found


def faults(*problems: object, **fields: object) -> list[Fault]:
    """Return what is wrong with a suite of these problems."""
    found = checked_suite({"problems": list(problems), **fields})
    assert isinstance(found, list), found
    return found


def test_an_entry_has_the_keys_of_a_surface_and_of_runs() -> None:
    made = suite(
        {"surface": "rosenbrock", "dim": 10, "minimum": 0, "budget": 50},
        {"formula": "x**2 + k*y**2", "params": {"k": 9}, "domain": "-2:2,-1:1", "minimum": 0,
         "name": "mine", "group": "ours"},
        {"surface": "bowl", "noise": 2, "starts": 3, "tolerance": 0.5},
        {"surface": "linear-regression", "batch_size": 4},
        {"surface": QUADRATIC, "dim": 7, "minimum": 0},
        budget=80,
    )  # fmt: skip
    assert [(each.name, each.group) for each in made.problems] == [
        ("rosenbrock-10d", "others"),
        ("mine", "ours"),
        ("bowl-noise", "convex"),
        ("linear-regression-batch-4", "convex"),
        ("quadratic-100-rotated-7d", "others"),
    ]
    first, mine, noisy, batches, quadratic = made.benchmark(seed=3)
    assert (first.budget, first.starts, first.tolerance, first.seed) == (50, 5, 1e-3, 3)
    assert mine.surface.value(np.ones(2)) == 10
    assert (noisy.noise, noisy.starts, noisy.tolerance, noisy.budget) == (2, 3, 0.5, 80)
    assert batches.batch_size == 4 and batches.minimum == pytest.approx(0.6255768, abs=1e-6)
    assert len(quadratic.surface.variables) == 7
    assert Suite.model_validate(made.model_dump(mode="json", exclude_defaults=True)) == made
    again = checked_suite(made.model_dump(mode="json", exclude_defaults=True))
    assert again == made


def test_one_entry_stands_for_many_by_its_matrix_or_by_tags() -> None:
    made = suite(
        {"minimum": 0, "matrix": {"dim": [3, 5], "surface": ["sphere", QUADRATIC]}},
        {"tags": ["valley"]},
    )
    names = [each.name for each in made.problems]
    assert names[:4] == ["sphere-3d", "quadratic-100-rotated-3d", "sphere-5d",
                         "quadratic-100-rotated-5d"]  # fmt: skip
    assert {"rosenbrock", "beale"} <= set(names[4:])
    assert {each.group for each in made.problems[4:]} == {"valley"}
    assert all("valley" in find_surface(name).tags for name in names[4:])
    without = "linear-layer", "digits-output"  # many variables, or a network
    assert not {*without} & {*names}


@pytest.mark.parametrize(
    ("problem", "keys", "said"),
    [
        ({"surface": "rosenbrok"}, ("surface",), "did you mean 'rosenbrock'"),
        ({"surfac": "bowl"}, ("surfac",), "did you mean 'surface'"),
        ({"surface": "bowl", "noize": 1}, ("noize",), "did you mean 'noise'"),
        ({"surface": "rosenbrock", "dim": 10}, ("surface",), "minimum: is needed"),
        ({"surface": "saddle"}, ("surface",), "minimum: is needed"),
        ({"surface": "bowl", "starts": True}, ("starts",), "cannot be true"),
        ({"surface": "bowl", "tolerance": 2}, ("tolerance",), "less than 1"),
        ({"surface": "bowl", "minimum": float("nan")}, ("minimum",), "finite number"),
        ({"surface": "bowl", "name": "all"}, ("name",), "stands for all problems"),
        ({"surface": "bowl", "batch_size": 2}, ("batch_size",), "samples"),
        ({"surface": "bowl", "noise_kind": "cauchi", "noise": 1}, ("noise_kind",), "'cauchy'"),
        ({"surface": "bowl", "noise_kind": "cauchy"}, ("noise_kind",), "no effect without noise"),
        ({"surface": "bowl", "noise_kind": "sparse", "noise": 1}, ("noise_kind",), "below 1"),
        ({"tags": ["vally"]}, ("tags",), "did you mean 'valley'"),
        ({"tags": ["valley"], "surface": "bowl"}, ("surface",), "with tags: give only one"),
        ({"formula": "x**2 +", "minimum": 0}, ("formula",), "is not an expression"),
        ({"matrix": {"surface": ["bowl", "bowll"]}}, ("matrix", "surface", 1), "'bowl'"),
        ({"matrix": {"surface": "bowl"}}, ("matrix", "surface"), "must be a list of values"),
        ({"surface": {"quadratic": {"condition": 0}, "variables": 3}},
         ("surface", "quadratic", "condition"), "greater than or equal to 1"),
        ("bowl", (), "must map fields to values"),
    ],
)  # fmt: skip
def test_a_fault_of_a_problem_is_told_with_its_keys(
    problem: object, keys: tuple[object, ...], said: str
) -> None:
    (fault, *_) = faults({"surface": "sphere"}, problem)
    assert (fault.keys or ())[:2] == ("problems", 1)
    assert (fault.keys or ())[2:] == keys and said in fault.message


def test_faults_of_the_whole_are_told() -> None:
    assert "must be a list of problems" in str(checked_suite({"problems": []}))
    assert "a suite must be a mapping" in str(checked_suite([]))
    (unknown,) = faults({"surface": "bowl"}, budgett=5)
    assert unknown.keys == ("budgett",) and "'budget'" in unknown.message
    (twice,) = faults({"surface": "bowl"}, {"surface": "sphere"}, {"surface": "bowl"})
    assert twice.keys == ("problems", 2, "surface")
    assert "another problem is called bowl, too" in twice.message


def test_a_file_is_read_with_the_line_of_each_fault(here: Path) -> None:
    Path("my suite.yaml").write_text("problems:\n- surface: bowl\n", "utf-8")
    assert read_suite("my suite.yaml").name == "my-suite"
    Path("bad.yaml").write_text("budget: 5\nproblems:\n- surface: bowll\n- dim: 3\n", "utf-8")
    with pytest.raises(InputError) as error:
        read_suite("bad.yaml")
    assert [each[:13] for each in str(error.value).splitlines()] == [
        "bad.yaml:1:1:", "bad.yaml:3:3:", "bad.yaml:4:3:"]  # fmt: skip
    with pytest.raises(InputError, match="did you mean 'quick'"):
        read_suite("quik")
    with pytest.raises(InputError, match="the shipped suite is quick"):
        read_suite("quick.yaml")


@pytest.mark.parametrize(
    "written", ["- surface: my.py:f", "- surface: {function: {of: 'my.py:f'}}",
                "- matrix: {surface: [bowl, 'my.py:f']}"]
)  # fmt: skip
def test_code_of_others_is_not_run_unless_it_is_allowed(here: Path, written: str) -> None:
    Path("my.py").write_text("open('ran', 'w').close()\ndef f(x, y): return x*x + y*y\n", "utf-8")
    Path("s.yaml").write_text(f"problems:\n{written}\n", "utf-8")
    with pytest.raises(InputError, match=r"s.yaml:2:.*my.py:f runs third-party code: allow it"):
        read_suite("s.yaml")
    with pytest.raises(InputError, match="suite: my.py:f runs third-party code"):
        check_trusted({"kind": "score", "suite": "s.yaml"}, key_path)
    assert not Path("ran").exists()
    assert inlined_files({"suite": "s.yaml"}) == [Path("s.yaml")]
    assert inlined_files({"suite": "quick"}) == []


def test_python_reads_a_suite_for_a_score() -> None:
    assert ScoreRecipe(optimizers="adam", suite=optiviz.load_suite("quick")).suite.name == "quick"
    with pytest.raises(InputError, match="suite: must be a suite: optiviz.load_suite returns"):
        ScoreRecipe(optimizers="adam", suite="quick")
