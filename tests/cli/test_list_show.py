"""`optiviz list`, `optiviz show` and every `--help`."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from conftest import FORMULAS, NETWORKS, RATED, Invoke

from optiviz.cli import COMMANDS
from optiviz.kinds import load_kind
from optiviz.optimizers.schedules import SCHEDULES
from optiviz.recipes.shipped_files import LESSONS, SUITES
from optiviz.registry import (
    FAMILIES,
    FORMATS,
    OPTIMIZERS,
    SIGNALS,
    THEMES,
    VIEWS,
    WRAPPERS,
    fits,
)
from optiviz.registry import KINDS as PICTURES
from optiviz.surfaces.catalogue import load_catalogue
from optiviz.surfaces.index import tagged
from optiviz.surfaces.vocabulary import CONSTANTS, FUNCTIONS, OPERATORS

CATALOGUE = load_catalogue()


def _home(name: str) -> str:
    return OPTIMIZERS[name].partition(":")[0]


KINDS: dict[str, Collection[str]] = {
    "surfaces": CATALOGUE.surfaces,
    "optimizers": sorted(OPTIMIZERS, key=lambda name: [*FAMILIES].index(_home(name))),
    "wrappers": WRAPPERS,
    "schedules": [each.form for each in SCHEDULES.values()],
    "views": VIEWS,
    "functions": [*(each.call for each in FUNCTIONS.values()), *CONSTANTS, *OPERATORS],
    "signals": SIGNALS,
    "lessons": LESSONS.names(),
    "suites": SUITES.names(),
    "themes": THEMES,
    "formats": FORMATS,
}


def test_list_names_everything(invoke: Invoke) -> None:
    said = invoke("list").stdout
    for name in [*CATALOGUE.aliases, *(name for names in KINDS.values() for name in names)]:
        assert name in said


@pytest.mark.parametrize(
    ("kind", "names"),
    KINDS.items(),
)
def test_list_one_kind(kind: str, names: Collection[str], invoke: Invoke) -> None:
    titles = {"", *(f"{title}:" for title in FAMILIES.values())}
    lines = [line for line in invoke("list", kind).stdout.splitlines() if line not in titles]
    assert all(line.startswith(name) for line, name in zip(lines, names, strict=True))
    listed = json.loads(invoke("list", kind, "--json").stdout)
    assert [each["name"] for each in listed[kind]] == list(names)
    assert list(json.loads(invoke("list", "--json").stdout)) == list(KINDS)


def test_list_the_surfaces_of_a_tag(invoke: Invoke) -> None:
    result = invoke("list", "surfaces", "--tag", "valley", "--tag", "kinked")
    names = [line.split()[0] for line in result.stdout.splitlines()]
    assert names == [each.name for each in tagged(CATALOGUE.entries, ["valley", "kinked"])]
    assert invoke("list", "--tag", "valley", "--tag", "kinked").stdout == result.stdout
    assert invoke("list", "--tag", "valley,kinked").stdout == result.stdout
    listed = json.loads(invoke("list", "--tag", "valley", "--json").stdout)
    assert all("valley" in each["tags"] for each in listed["surfaces"])
    none = invoke("list", "--tag", "convex,saddle")
    assert (none.exit_code, none.stdout) == (0, "")
    assert none.stderr == "no surface has the tags convex and saddle\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--tag", "valey"), "unknown tag 'valey': did you mean 'valley'?"),
        (("optimizers", "--tag", "valley"), "--tag applies to surfaces, not to optimizers"),
        (("formats", "--surfaces", "x.yaml"), "--surfaces applies to surfaces, not to formats"),
    ],
)
def test_a_wrong_tag_is_told(words: tuple[str, ...], said: str, invoke: Invoke) -> None:
    result = invoke("list", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"optiviz: {said}\n"


@pytest.mark.sample(14)
@pytest.mark.parametrize("name", [*FORMULAS, *CATALOGUE.aliases])
def test_show_a_surface(name: str, invoke: Invoke) -> None:
    surface = CATALOGUE[name]
    known = json.loads(invoke("show", name, "--json").stdout)
    assert known["formula"] == surface.formula
    names = surface.variables or ("x", "y")[: surface.dim]
    assert list(known["gradient"]) == [f"d/d{name}" for name in names]
    assert known["minima"] == [list(point) for point in surface.minima]
    assert known["start"] == list(surface.start)
    said = invoke("show", name).stdout
    for word in ("formula", "gradient", "domain", "start", "source", surface.source):
        assert word in said
    assert ("\nminima " in said) == bool(surface.minima)
    assert not any(line.endswith("  -") for line in said.splitlines())


@pytest.mark.parametrize("name", NETWORKS)
def test_show_a_network(name: str, invoke: Invoke) -> None:
    known = json.loads(invoke("show", name, "--json").stdout)
    declared = NETWORKS[name].model_dump(mode="json")
    told = {key: value for key, value in declared["network"].items() if value not in ("", None)}
    assert known["network"] == told and known["plane"] == declared["plane"]
    assert "formula" not in known and "gradient" not in known
    said = invoke("show", name).stdout
    assert "hidden" in said and NETWORKS[name].source in said


@pytest.mark.parametrize("name", [*OPTIMIZERS, *WRAPPERS])
def test_show_an_optimizer(name: str, invoke: Invoke) -> None:
    known = json.loads(invoke("show", name, "--json").stdout)
    assert known["rule"]
    assert known["paper"]
    assert ("lr" in {each["name"] for each in known["hyperparameters"]}) == (name in RATED)
    said = invoke("show", name).stdout
    assert all(line.strip() in said for line in known["rule"].splitlines())
    assert all(each["name"] in said for each in known["hyperparameters"])


def test_show_says_what_an_own_optimizer_says_of_itself(invoke: Invoke, here: Path) -> None:
    (here / "own.py").write_text(
        'class Own:\n    """Steps\n    of one size.\n\n    More."""\n'
        "    def __init__(self, lr=0.1): ...\n    def init(self, x): ...\n"
        "    def step(self, objective, x, state): ...\n"
    )
    said = invoke("show", "own.py:Own").stdout
    assert "Steps of one size.\n" in said and "More" not in said
    around = invoke("show", "sam+adam").stdout
    assert "Sharpness" in around and "Adaptive moments" in around


def test_show_has_the_rules_and_notes_of_a_wrapper_and_of_what_it_wraps(invoke: Invoke) -> None:
    def told(name: str) -> Any:
        return json.loads(invoke("show", name, "--json").stdout)

    both, outer, inner = map(told, ("lookahead+adam", "lookahead", "adam"))
    assert both["rule"] == f"{outer['rule']}\n\n{inner['rule']}"
    for key in ("notes", "paper"):
        assert both[key] == f"{outer[key]}\n{inner[key]}"
    meant = [*inner["hyperparameters"], *outer["hyperparameters"]]
    assert [each["meaning"] for each in both["hyperparameters"]] == [
        each["meaning"] for each in meant
    ]


def test_show_writes_defaults_as_people_do(invoke: Invoke) -> None:
    lines = invoke("show", "adam").stdout.splitlines()
    said = "beta2 0.999 decay rate of the mean squared gradient"
    assert any(line.endswith(said) for line in lines)
    assert any("eps_in_sqrt false" in line for line in lines)


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_help_has_a_short_name(command: tuple[str, ...], invoke: Invoke) -> None:
    result = invoke(*command, "--help")
    assert result.exit_code == 0
    assert invoke(*command, "-h").stdout == result.stdout


def test_help_names_every_command_and_format(invoke: Invoke) -> None:
    said = invoke("--help").stdout
    assert all(name in said for name in COMMANDS)
    for kind in PICTURES:
        said = invoke(kind, "--help").stdout
        assert all(suffix in said for suffix in FORMATS if fits(suffix, load_kind(kind).formats))


def test_without_a_command_there_is_help(invoke: Invoke) -> None:
    result = invoke()
    assert result.exit_code == 2
    assert "Commands:" in result.stdout


def test_version(invoke: Invoke) -> None:
    from importlib.metadata import version

    assert invoke("--version").stdout == f"optiviz, version {version('optiviz-cli')}\n"
