"""`optiviz doctor`: it says what works, and what to install for what does not."""

import re
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pytest
from conftest import Invoke

from optiviz.cli import doctor
from optiviz.registry import FORMATS
from optiviz.system.errors import OptivizError

LINE = re.compile(r"(ok|no|-) +(\S.*?)  +(\S.*)")


def findings(said: str) -> dict[str, tuple[str, str]]:
    rows = [LINE.fullmatch(line) for line in said.splitlines()]
    assert all(rows)
    return {row[2]: (row[1], row[3]) for row in rows if row}


@pytest.mark.slow
def test_all_is_well_here(invoke: Invoke) -> None:
    result = invoke("doctor")
    assert (result.exit_code, result.stderr) == (0, "")
    found = findings(result.stdout)
    assert not any(state == "no" for state, _ in found.values())
    for suffix, form in FORMATS.items():
        assert found[suffix] == ("ok", form.about)
    for library in ("numpy", "matplotlib", "imageio", "av", "click"):
        assert found[library] == ("ok", version(library))
    assert {"cluster", "networks", "scipy", "torch", "optax"} <= found.keys()


def test_what_is_missing_is_named_with_what_installs_it(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> str:
        if name in ("scipy", "sympy"):
            raise PackageNotFoundError(name)
        return "0.0.1" if name == "pillow" else version(name)

    monkeypatch.setattr(doctor, "version", absent)
    monkeypatch.setattr(doctor, "FORMATS", {})
    result = invoke("doctor")
    found = findings(result.stdout)
    wanted = "scipy is not installed: pip install 'optiviz-cli[scipy]'"
    assert found["scipy"] == ("-", wanted)
    assert found["sympy"] == ("no", "sympy is not installed")
    assert found["pillow"][1].startswith("pillow 0.0.1 is installed, but >=")
    assert (result.exit_code, result.stderr) == (1, "optiviz: 2 checks failed\n")


@pytest.mark.parametrize("folder", ["/" + "a" * 300, "/etc/passwd", "/proc/x"])
def test_a_cache_that_cannot_be_kept_is_told(
    folder: str, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", folder)
    monkeypatch.setattr(doctor, "FORMATS", {})
    result = invoke("doctor")
    assert (result.exit_code, result.stderr) == (0, "")
    assert findings(result.stdout)["cache"][0] == "-"


def test_without_pyav_only_its_formats_are_missing(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    from optiviz.recipes import provenance

    def absent(name: str) -> str:
        if name == "av":
            raise PackageNotFoundError(name)
        return version(name)

    provenance.versions.cache_clear()
    monkeypatch.setattr(provenance, "version", absent)
    monkeypatch.setattr(doctor, "FORMATS", {".png": FORMATS[".png"]})
    assert findings(invoke("doctor").stdout)[".png"][0] == "ok"
    provenance.versions.cache_clear()


def test_a_format_that_cannot_be_written_is_told(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    import optiviz

    render = optiviz.render

    def broken(recipe: Any, path: Any) -> Any:
        if path.suffix == ".mp4":
            raise OptivizError("no encoder")
        if path.suffix == ".gif":
            raise ZeroDivisionError
        return render(recipe, path)

    monkeypatch.setattr(optiviz, "render", broken)
    tried = {suffix: FORMATS[suffix] for suffix in (".mp4", ".gif", ".png")}
    monkeypatch.setattr(doctor, "FORMATS", tried)
    found = findings(invoke("doctor").stdout)
    assert found[".mp4"] == ("no", "no encoder")
    assert found[".gif"][0] == "no"
    assert found[".png"][0] == "ok"
