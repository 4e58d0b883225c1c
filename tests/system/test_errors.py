"""Descriptions of errors."""

import errno
import os
from pathlib import Path

import pytest

from optiviz.system.errors import describe_error, did_you_mean


def test_an_error_of_others_is_one_sentence(tmp_path: Path) -> None:
    assert describe_error(MemoryError()) == "not enough memory"
    assert describe_error(MemoryError("for 3 GiB")) == "not enough memory: for 3 GiB"
    assert describe_error(OSError(errno.EMFILE, "Too many open files", "a.ttf")) == (
        "a.ttf: Too many open files"
    )
    assert describe_error(OSError(errno.EAGAIN, "Try again")) == "operating system error: Try again"
    assert describe_error(KeyError("a\nb")) == "unexpected KeyError: 'a\\nb'"
    assert describe_error(ValueError("a\nb")) == "unexpected ValueError: a b"


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a folder that is used stays")
def test_a_folder_that_is_gone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(FileNotFoundError) as raised:
        Path.cwd()
    assert describe_error(raised.value) == "the current directory no longer exists"


@pytest.mark.parametrize(
    ("word", "choices", "near"),
    [
        ("cosinus", ["sin", "cos", "cosh"], "'cos'"),
        ("rl", ["eps", "lr"], "'lr'"),
        ("ADM", ["adam", "sgd"], "'adam'"),
        (".mov", [".svg", ".mp4"], None),
        ("pow", ["hypot", "log"], None),
        ("--learning-rate", ["--last-frame", "--legend"], None),
        ("--xlabel", ["--labels", "--levels"], "'--labels'"),
        ("--xlabel", ["--labels", "--axes"], "'--axes'"),
        ("--font", ["--format"], None),
        ("--tight", ["--height"], None),
        ("--title-size", ["--title"], None),
        ("--size", ["--size-unit", "--seed"], "'--size-unit'"),
        ("learning_rate", ["eps", "lr"], "'lr'"),
        ("lr", ["eps", "learning_rate"], "'learning_rate'"),
        ("LBFGS", ["bfgs", "l-bfgs"], "'l-bfgs'"),
        ("function", ["--formula", "--surface", "--surfaces"], "'--formula' or '--surface'"),
        ("3d", ["--view", "--grid"], "'--view relief'"),
        ("3d", ["relief", "contour"], "'relief'"),
        ("schafer", ["schaffer-n4", "schaffer-n2"], "'schaffer-n2'"),
    ],
)
def test_the_nearest_word_is_one_that_was_meant(
    word: str, choices: list[str], near: str | None
) -> None:
    assert did_you_mean("name", word, choices).endswith(
        f"did you mean {near}?" if near else f"choose from {', '.join(sorted(choices))}"
    )


def test_a_list_that_is_too_long_is_found_elsewhere() -> None:
    assert did_you_mean("option", "--foo", ["--a"], "optiviz run --help") == (
        "unknown option '--foo': optiviz run --help shows all"
    )
