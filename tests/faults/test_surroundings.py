"""Rows 56 to 62 of docs/reliability.md: the machine, its settings, and what is installed."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from commands import POWERLESS, RUN, SMALL, assert_told, call, linux, needs_powerless
from conftest import Invoke, only_file

import optiviz
from optiviz.surfaces.datasets import load_dataset
from optiviz.system import plugins

DRAW = [*RUN, "--title", "Größe – λ", "-o", "x.gif", "-o", "x.svg", "-o", "x.mp4"]
HOSTILE_RC = """\
savefig.bbox: tight
savefig.dpi: 300
figure.autolayout: True
font.size: 40
lines.linewidth: 20
axes.facecolor: red
text.usetex: True
backend: nonsense
savefig.transparent: True
not.a.key: 3
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the pictures drawn with default settings, by file name."""
    folder = tmp_path_factory.mktemp("plain")
    assert call(*DRAW, cwd=folder).exit_code == 0
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
@linux
@needs_powerless
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param(
            {"HOME": None, "MPLCONFIGDIR": None}, marks=pytest.mark.row(56), id="no home"
        ),
        pytest.param(
            {"HOME": "/none", "MPLCONFIGDIR": None}, marks=pytest.mark.row(56),
            id="a home that is not there",
        ),
        pytest.param(
            {"HOME": "closed", "XDG_CACHE_HOME": "closed", "MPLCONFIGDIR": "closed"},
            marks=pytest.mark.row(56), id="an unwritable cache",
        ),
        pytest.param(
            {"MPLBACKEND": "nonsense", "MATPLOTLIBRC": "rc"}, marks=pytest.mark.row(57),
            id="matplotlibrc",
        ),
        pytest.param(
            {"LC_ALL": "C", "NO_COLOR": "1", "TERM": "dumb"},
            marks=pytest.mark.row(58), id="C",
        ),
        pytest.param(
            {"TERM": None, "COLUMNS": "1"}, marks=pytest.mark.row(58),
            id="no terminal",
        ),
    ],
)  # fmt: skip
def test_no_surroundings_change_a_picture(
    settings: dict[str, str | None], plain: dict[str, bytes], tmp_path: Path
) -> None:
    closed, config, there = (tmp_path / name for name in ("closed", "rc", "there"))
    for folder in (closed, config, there):
        folder.mkdir()
    closed.chmod(0o555)
    (config / "matplotlibrc").write_text(HOSTILE_RC)
    places = {"closed": str(closed), "rc": str(config)}
    found = {key: places.get(value or "", value) for key, value in settings.items()}
    ended = call(*DRAW, cwd=there, settings=found, within=POWERLESS)
    assert (ended.exit_code, ended.stdout, ended.stderr) == (0, "", "")
    assert {path.name: path.read_bytes() for path in there.iterdir()} == plain
    assert not list(closed.iterdir())


@pytest.mark.row(58)
def test_no_colour_and_no_bar_where_nobody_looks(here: Path) -> None:
    ended = call(*RUN[:-1], "-o", "x.json", settings={"LC_ALL": "C", "NO_COLOR": "1"})
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.stdout.startswith("x.json\n")
    assert "\x1b" not in ended.stdout


EXTRAS = {
    "sklearn": (["run", "--surface", "digits-output", "--opt", "sgd"], "scikit-learn", "networks"),
    "scipy": (["run", "--surface", "bowl", "--opt", "bfgs"], "scipy", "scipy"),
    "cma": (["run", "--surface", "bowl", "--opt", "cma-es"], "pycma", "cma"),
    "torch": (["run", "--surface", "bowl", "--opt", "torch.optim.Adam:lr=0.1"], "torch", "torch"),
    "optax": (["run", "--surface", "bowl", "--opt", "optax.adam:lr=0.1"], "optax", "optax"),
    "distributed": (["batch", "jobs.yaml", "--scheduler", "tcp://a:1"], "dask", "cluster"),
}


@pytest.mark.row(60)
@pytest.mark.parametrize("module", EXTRAS)
def test_an_extra_that_is_not_there_is_named(
    module: str, invoke: Invoke, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "jobs.yaml").write_text("jobs: [{surface: bowl, optimizers: adam, out: x.gif}]")
    for name in list(sys.modules):
        if name.partition(".")[0] == module:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    load_dataset.cache_clear()
    words, library, extra = EXTRAS[module]
    result = invoke(*words)
    assert_told(result, 2, f" needs {library}: pip install 'optiviz-cli[{extra}]'")
    assert only_file(here).name == "jobs.yaml"


@dataclass
class Without:
    """A finder of modules for which a package is not installed."""

    package: str

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] == self.package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.row(60)
@pytest.mark.parametrize("module", plugins.EXTRAS)
@pytest.mark.parametrize("imports", ["import {}", "from {}.part import name"])
@pytest.mark.parametrize("option", ["--opt", "--surface"])
def test_an_extra_that_a_users_file_imports_is_named(
    module: str,
    imports: str,
    option: str,
    invoke: Invoke,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] == module:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Without(module), *sys.meta_path])
    written = f"# mine\n{imports.format(module)}\ndef name(x, y): return x\n"
    (here / "own.py").write_text(written)
    given = {"--surface": "bowl", "--opt": "sgd:lr=1"} | {option: "own.py:name"}
    ended = invoke("run", *(word for pair in given.items() for word in pair))
    extra = plugins.EXTRAS[module]
    assert_told(ended, 2, f"own.py needs {module}: pip install 'optiviz-cli[{extra}]' (line 2)")


def broken(folder: Path, raised: str) -> dict[str, str | None]:
    """Return environment variables with which `import av` raises `raised`."""
    (folder / "broken" / "av").mkdir(parents=True)
    (folder / "broken" / "av" / "__init__.py").write_text(f"raise {raised}")
    return {"PYTHONPATH": str(folder / "broken")}


@pytest.mark.slow
@pytest.mark.row(61)
def test_a_gif_needs_no_av(tmp_path: Path) -> None:
    settings, there = broken(tmp_path, "OSError('libav.so: not found')"), tmp_path / "there"
    there.mkdir()
    still = ["x.gif", "x.png", "x.svg", "x.json", "x.apng"]
    words = [word for name in still for word in ("-o", name)]
    ended = call(*RUN, *words, cwd=there, settings=settings)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert all(optiviz.load_recipe(there / name) for name in still)


@pytest.mark.slow
@pytest.mark.row(61)
@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        ("OSError('libav.so')", 1, "needs PyAV, which cannot be loaded: OSError: libav.so"),
        ("ModuleNotFoundError('no av')", 2, "needs PyAV: pip install 'av'"),
    ],
)
def test_a_video_names_the_av_that_it_needs(
    raised: str, code: int, said: str, tmp_path: Path
) -> None:
    settings, there = broken(tmp_path, raised), tmp_path / "there"
    there.mkdir()
    ended = call(*RUN, "-o", "x.gif", "-o", "x.mp4", cwd=there, settings=settings)
    assert_told(ended, code, said)
    assert not list(there.iterdir()), "told before any work"
    (there / "x.mp4").write_bytes(b"a video")
    assert_told(call("inspect", "x.mp4", cwd=there, settings=settings), code, said)


@pytest.mark.row(59)
@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import nowhere", "own.py: No module named 'nowhere' (line 1)"),
        ("\nraise SystemExit(0)", "own.py: raised SystemExit: 0 (line 2)"),
        ("def (", "own.py: raised SyntaxError: invalid syntax (own.py, line 1)"),
        ("raise ValueError('a\\nb\\x1b[2J')", "own.py: raised ValueError: a b[2J (line 1)"),
    ],
)
def test_a_plug_in_that_fails_on_import_is_named(
    code: str, said: str, invoke: Invoke, here: Path
) -> None:
    (here / "own.py").write_text(code)
    result = invoke("run", "--surface", "bowl", "--opt", "own.py:Mine", *SMALL, "-o", "x.gif")
    assert_told(result, 2, said)
    assert only_file(here).name == "own.py"
