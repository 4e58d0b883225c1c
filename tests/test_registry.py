"""Everything that is named by a string exists, so that a move cannot go unnoticed."""

import tomllib
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from optiviz.kinds import load_kind
from optiviz.kinds.base import BaseRecipe
from optiviz.registry import FORMATS, KINDS, OPTIMIZERS, PACKAGES, VIEWS
from optiviz.views import View, load_view

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_its_recipe_and_a_command(kind: str) -> None:
    model = load_kind(kind)
    assert issubclass(model, BaseRecipe)
    assert model.model_fields["kind"].default == kind
    assert import_module(f"optiviz.cli.{kind}").command.name == kind
    assert set(KINDS[kind].provides) <= {view.requires for view in VIEWS.values()}


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_draws_what_some_kind_provides(name: str) -> None:
    assert issubclass(load_view(name), View)
    assert any(VIEWS[name].requires in kind.provides for kind in KINDS.values())


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_format_has_a_writer_and_a_reader(suffix: str) -> None:
    assert callable(FORMATS[suffix].load())
    assert callable(FORMATS[suffix].load_reader())


def test_packages_are_of_modules_of_optimizers() -> None:
    modules = {target.partition(":")[0] for target in OPTIMIZERS.values()}
    assert PACKAGES.keys() <= modules
    for module, packages in PACKAGES.items():
        source = find_spec(f"optiviz.optimizers.{module}")
        assert source is not None
        assert source.origin is not None
        text = Path(source.origin).read_text("utf-8")
        assert all(f"import {package}" in text or f"from {package}" in text for package in packages)


def test_what_the_linter_names_is_there() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
    calls = settings["ruff"]["lint"]["flake8-bugbear"]["extend-immutable-calls"]
    for call in calls:
        module, _, name = call.rpartition(".")
        assert callable(getattr(import_module(module), name))
