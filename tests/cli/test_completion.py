"""Completion: the suggestions for a line, and that bash, zsh and fish really show them."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import assert_told, call
from conftest import CATALOGUE, Invoke
from hypothesis import given, settings
from hypothesis import strategies as st

from optiviz.cli import COMMANDS, cli
from optiviz.cli.completion import SHELLS, Bash, Shell, Zsh
from optiviz.kinds.run import Recipe
from optiviz.registry import FORMATS, OPTIMIZERS, THEMES, WRAPPERS, fits

BREAKS = " \t\n\"'@><=;|&(:"  # the default of bash


def offered(line: str, shell: type[Shell] = Zsh) -> list[str]:
    """Return the suggestions that a shell gets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPTIVIZ_LINE", line)
        patch.setenv("OPTIVIZ_BREAKS", BREAKS)
        said = shell(cli, {}, "optiviz", "_OPTIVIZ_COMPLETE").complete()
    rows = [line.split("\t") for line in said.split("\n") if line]
    assert all(len(row) == 3 for row in rows)
    return [value for kind, value, _ in rows if kind in ("plain", "part")]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("optiviz ", [*COMMANDS]),
        ("optiviz ba", ["basins", "batch"]),
        ("optiviz run --surface wob", ["wobbly"]),
        ("optiviz run --surface=wob", ["--surface=wobbly"]),
        ("optiviz run --surface beale", ["beale-like-ellipse", "beale"]),
        ("optiviz run --opt ", [*OPTIMIZERS, *(f"{each}+" for each in WRAPPERS)]),
        ("optiviz run --opt sgd,rms", ["sgd,rmsprop"]),
        ("optiviz run --opt lookahead+ada", [f"lookahead+{each}" for each in OPTIMIZERS
                                             if each.startswith("ada")]),
        ("optiviz run --opt sgd,adam:be", ["sgd,adam:beta1=", "sgd,adam:beta2="]),
        ("optiviz run --opt adam:beta1=0.5:be", ["adam:beta1=0.5:beta2="]),
        ("optiviz run --opt=adam:la", ["--opt=adam:label="]),
        ("optiviz run --opt sam+adam:rh", ["sam+adam:rho="]),
        ("optiviz run --opt adam:lr=0.1@co", ["adam:lr=0.1@cosine"]),
        ("optiviz run --opt adam:lr=0.1@warmup/20@co", ["adam:lr=0.1@warmup/20@cosine"]),
        ("optiviz run --opt adam:eps_in_sqrt=t", ["adam:eps_in_sqrt=true"]),
        ("optiviz run --opt torch.optim.Ad", []),
        ("optiviz run --opt ./mine.py:Lion:l", ["./mine.py:Lion:label="]),
        ("optiviz run --opt nesterov --vary mo", ["momentum="]),
        ("optiviz tune --opt adam,rmsprop --over lr,rh", ["lr,rho"]),
        ("optiviz run --view contour+l", ["contour+loss"]),
        ("optiviz plot wobbly --view l", []),
        ("optiviz run --theme ", [*THEMES]),
        ("optiviz run --layout ", ["panels", "grid"]),
        ("optiviz run --format ", [each[1:] for each in FORMATS if fits(each, Recipe.formats)]),
        ("optiviz run --data di", ["digits"]),
        ("optiviz run --data id", ["idx:"]),
        ("optiviz run --plane ra", ["random:"]),
        ("optiviz run --plane ", ["path", "random:", "hessian", "between:", "through:"]),
        ("optiviz run --plane through:a.npz,s", ["through:a.npz,start"]),
        ("optiviz run --normalize f", ["filter"]),
        ("optiviz run --biases ", ["zero", "keep"]),
        ("optiviz run --batch-norm ", ["trained", "recompute"]),
        ("optiviz plot --device c", ["cpu", "cuda"]),
        ("optiviz run --start r", ["random:"]),
        ("optiviz response --signal sp", ["spikes"]),
        ("optiviz plot wobbly,himm", ["wobbly,himmelblau"]),
        ("optiviz list vi", ["views"]),
        ("optiviz list --tag valley,sad", ["valley,saddle"]),
        ("optiviz show adamw", ["adamw"]),
        ("optiviz completion ", [*SHELLS]),
        ("optiviz run --lr-r", ["--lr-report"]),
        ("optiviz nonsense --wh", []),
        ("", [*COMMANDS]),
        ("optiviz run --opt 'adam:be", ["adam:beta1=", "adam:beta2="]),
        ("optiviz run --preset 'too la", []),
        ("optiviz run --preset 'too large: rms", ["too large: rmsprop"]),
        ("optiviz run --preset 'a: sgd,adam:be", ["a: sgd,adam:beta1=", "a: sgd,adam:beta2="]),
        ("optiviz run --preset 'a: sgd --st", ["a: sgd --start", "a: sgd --steps"]),
    ],
)  # fmt: skip
def test_what_is_offered(line: str, found: list[str]) -> None:
    assert offered(line) == found


def test_every_surface_and_alias_is_offered() -> None:
    aliases = {alias for each in CATALOGUE.values() for alias in each.aliases}
    assert {*offered("optiviz run --surface ")} == {*CATALOGUE} | aliases


def test_surfaces_of_the_lines_own_file_are_offered(here: Path) -> None:
    (here / "mine.yaml").write_text("mywell: {formula: x**2, aliases: 3}\nother: 5\n")
    assert offered("optiviz run --surfaces mine.yaml --surface my") == ["mywell"]
    assert offered("optiviz run --surfaces absent.yaml --surface wob") == ["wobbly"]


def test_a_strangers_code_is_not_run(here: Path) -> None:
    (here / "mine.py").write_text("open('ran', 'w')")
    assert offered("optiviz run --opt mine.py:Lion:b") == []
    assert not (here / "ran").exists()


def test_bash_is_given_what_stands_behind_its_breaks() -> None:
    assert offered("optiviz run --opt sgd,adam:be", Bash) == ["beta1=", "beta2="]
    assert offered("optiviz run --opt=ad", Bash)[:2] == ["adagrad", "adadelta"]
    assert offered("optiviz run --opt adam:lr=1@co", Bash) == ["@cosine"]
    assert offered("optiviz run --opt sgd,rms", Bash) == ["sgd,rmsprop"]


@pytest.mark.row(68)
@settings(max_examples=10)
@given(st.text(max_size=40))
def test_no_line_is_an_error(text: str) -> None:
    for start in ("", "optiviz ", "optiviz run --opt ", "optiviz run --surface "):
        offered((start + text).replace("\0", ""))


@pytest.mark.row(68)
def test_a_large_file_of_surfaces_takes_no_time_and_no_memory(here: Path) -> None:
    (here / "deep.yaml").write_text("mine: {}\na: " + "[" * 5000 + "]" * 5000)
    assert offered("optiviz run --surfaces deep.yaml --surface min") == ["mine"]
    (here / "huge.yaml").write_text("".join(f"s{n}: {{formula: x}}\n" for n in range(100_000)))
    assert "s123" in offered("optiviz run --surfaces huge.yaml --surface s12")
    assert offered("optiviz run --surfaces /dev/zero --surface wob") == ["wobbly"]


@pytest.mark.parametrize("asked", ["tcsh_complete", "powershell_source", "bash", "é"])
def test_what_no_shell_of_ours_asks_is_told(asked: str) -> None:
    ended = call("run", settings={"_OPTIVIZ_COMPLETE": asked})
    assert_told(ended, 2, f"_OPTIVIZ_COMPLETE: unknown request '{asked}'")


@pytest.mark.parametrize("shell", SHELLS)
def test_asking_without_a_line_is_no_error(shell: str) -> None:
    asked = os.environ | {"_OPTIVIZ_COMPLETE": f"{shell}_complete"}
    ended = subprocess.run([*PROGRAM], env=asked, capture_output=True, timeout=60, check=True)
    assert ended.stderr == b""


PROGRAM = [sys.executable, "-m", "optiviz"]


@pytest.fixture
def program(here: Path) -> Path:
    """Create a program `optiviz`, and return its folder."""
    folder = here / "bin"
    folder.mkdir()
    (folder / "optiviz").write_text(f'#!/bin/sh\nexec {sys.executable} -m optiviz "$@"\n')
    (folder / "optiviz").chmod(0o755)
    return folder


def plain(shown: bytes) -> str:
    """Return the text of a terminal without its control characters."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode(errors="replace"))
    while "\b" in text:
        text = re.sub(r"[^\b]\x08|^\x08", "", text)
    return re.sub(r"[\x00-\x09\x0b-\x1f]", "", text)


def typed(command: list[str], keys: str, folder: Path, begin: str, until: str) -> str:
    """Type keys into an interactive shell and return what it shows."""
    path = f"{folder}:{os.environ['PATH']}"
    child, screen = pty.fork()
    if child == 0:
        os.environ.update(PATH=path, TERM="dumb", PS1="> ", HOME=str(folder))
        os.execvp(command[0], command)
    shown = b""

    def wait_for(words: str) -> None:
        nonlocal shown
        end = time.monotonic() + 20
        while words not in plain(shown) and time.monotonic() < end:
            if select.select([screen], [], [], 0.2)[0]:
                shown += os.read(screen, 10_000)

    try:
        os.write(screen, f"{begin}; echo rea''dy\n".encode())
        wait_for("ready")
        shown = b""
        os.write(screen, keys.encode())
        wait_for(until)
        return plain(shown)
    finally:
        os.write(screen, b"\x03\x04")
        os.close(screen)
        os.kill(child, 9)
        os.waitpid(child, 0)


SHELL_LINES = {
    "bash": (["bash", "--norc", "-i"], 'eval "$(optiviz completion bash)"'),
    "zsh": (
        ["zsh", "-f", "-i"],
        'autoload -U compinit; compinit -u -D; eval "$(optiviz completion zsh)"',
    ),
}


@pytest.mark.sample(1)
@pytest.mark.parametrize("shell", SHELL_LINES)
@pytest.mark.parametrize(
    ("line", "whole"),
    [
        ("optiviz run --surface wobb", "wobbly "),
        ("optiviz run --opt sgd,adam:wei", "sgd,adam:weight_decay="),
        ("optiviz run --opt=adam:lr=0.1@warm", "--opt=adam:lr=0.1@warmup"),
    ],
)
def test_a_real_shell_completes(shell: str, line: str, whole: str, program: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    command, begin = SHELL_LINES[shell]
    shown = typed(command, line + "\t", program, begin, whole)
    assert whole in shown


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish here")
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("optiviz run --surface wobb", ["wobbly"]),
        ("optiviz run --opt sgd,adam:be", ["sgd,adam:beta1=", "sgd,adam:beta2="]),
        ("optiviz run --theme ", [*THEMES]),
    ],
)
def test_fish_completes(line: str, found: list[str], program: Path) -> None:
    script = f'optiviz completion fish | source; complete --do-complete "{line}"'
    path = f"{program}:{os.environ['PATH']}"
    ended = subprocess.run(
        ["fish", "--no-config", "-c", script],
        env=os.environ | {"PATH": path, "HOME": str(program)},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert [row.split("\t")[0] for row in ended.stdout.splitlines()] == found


def test_the_scripts_are_of_their_shells(invoke: Invoke) -> None:
    for shell in SHELLS:
        said = invoke("completion", shell).stdout
        assert f"_OPTIVIZ_COMPLETE={shell}_complete" in said
        if shutil.which(shell):
            subprocess.run([shell, "-n"], input=said.encode(), check=True, timeout=30)
