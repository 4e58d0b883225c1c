"""Signals from a user's file."""

import os
from pathlib import Path

import numpy as np
import pytest

from optiviz import InputError, ResponseRecipe, Signal
from optiviz.descent.walk import respond
from optiviz.optimizers.spec import parse_spec
from optiviz.surfaces.signal import find_signal


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "my.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "1\n-2.5\n3e-3\n",
        "gradient\n1\n-2.5\n3e-3",
        "\ufeff1\r\n\r\n-2.5\r\n3e-3\r\n",
        ' 1\n"-2.5"\n3e-3',
    ],
)
def test_one_number_a_line_after_a_heading_or_not(text: str, tmp_path: Path) -> None:
    signal = find_signal(str(written(tmp_path, text)))
    assert signal == Signal(name="my", gradient=(1.0, -2.5, 0.003))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "my.csv: contains no numbers"),
        ("\n\n", "my.csv: contains no numbers"),
        ("gradient\n", "my.csv: contains no numbers"),
        ("nan\n1\n", "my.csv:1: must be a finite number, not 'nan'"),
        ("1_000\n2\n", "my.csv:1: must be a finite number, not '1_000'"),
        ("1;5\n2\n", "my.csv:1: must be a finite number, not '1;5'"),
        ("1\n1e101\n", "my.csv:2: must be between -1e100 and 1e100, not '1e101'"),
        ("a\nb\n", "my.csv:2: must be a finite number, not 'b'"),
        ("1\n2\nthree\n", "my.csv:3: must be a finite number, not 'three'"),
        ("1\nnan\n", "my.csv:2: must be a finite number, not 'nan'"),
        ("1\n1e999\n", "my.csv:2: must be a finite number, not '1e999'"),
        ("1\n1_000\n", "my.csv:2: must be a finite number, not '1_000'"),
        ("1,2\n3,4\n", "my.csv:1: must have one column, not 2"),
        ("t\n1,2\n", "my.csv:2: must have one column, not 2"),
        (b"\xff\xfe1\n", "my.csv: not UTF-8 text"),
        ("1\n" * 100_001, "my.csv:100001: more than 100000 numbers are not allowed"),
        ('1\n"2\n3\n', "my.csv:2: unexpected end of data"),
        ('1\n"2"3\n', "my.csv:2: "),
        ('"a"\n"1"\n""\n', "my.csv:3: must be a finite number, not ''"),
        ("1\n2\x00\n", "my.csv"),
    ],
)
def test_what_is_no_signal_is_told_with_its_line(
    text: str | bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=said):
        find_signal(str(written(tmp_path, text)))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError):
            find_signal(f"{path}" if path.suffix else f"{path}/x.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=r"folder\.csv: not a file"):
        find_signal(str(tmp_path / "folder.csv"))


@pytest.mark.row(48)
def test_what_never_ends_is_not_read(tmp_path: Path) -> None:
    fifo, endless = tmp_path / "f.csv", tmp_path / "z.csv"
    os.mkfifo(fifo)
    endless.symlink_to("/dev/zero")
    large = written(tmp_path, b"1\n" * 2_100_000)
    for path, said in [(fifo, "not a file"), (endless, "not a file"), (large, "must be at most")]:
        with pytest.raises(InputError, match=said):
            find_signal(str(path))


def test_a_long_signal_is_answered_in_time_that_grows_with_it(tmp_path: Path) -> None:
    """Searching the whole signal in each step would take minutes."""
    signal = find_signal(str(written(tmp_path, "1\n-1\n" * 25_000)))
    update, _ = respond(signal, parse_spec("momentum:lr=0.1").build(), 50_000)
    assert np.isfinite(update).all()


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"did you mean 'spikes'\? \(or name a \.csv file\)"):
        find_signal("spike")


def test_a_recipe_holds_a_users_signal_and_names_ours(tmp_path: Path) -> None:
    path = written(tmp_path, "1\n2\n")
    recipe = ResponseRecipe(signal=str(path), optimizers="sgd")
    assert recipe.signal == Signal(name="my", gradient=(1, 2))
    assert str(tmp_path) not in recipe.model_dump_json()
    again = ResponseRecipe.model_validate_json(recipe.model_dump_json())
    assert again == recipe and hash(again) == hash(recipe)
    assert ResponseRecipe(signal=find_signal("spikes"), optimizers="sgd").signal == "spikes"
