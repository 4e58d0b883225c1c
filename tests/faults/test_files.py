"""Rows 36 to 48 of docs/reliability.md: output paths, and files that are read."""

import os
import subprocess
from pathlib import Path

import pytest
from commands import (
    OPTIVIZ,
    POWERLESS,
    RUN,
    assert_told,
    call,
    linux,
    needs_powerless,
    untouched,
)
from conftest import RUN_FORMATS, Invoke, only_file
from imageio.v3 import immeta

import optiviz
from optiviz.system.files import atomic_write


@pytest.mark.slow
@pytest.mark.row(36)
@linux
@needs_powerless
@pytest.mark.parametrize("name", ["x.gif", "sub/x.json"])
def test_a_folder_that_is_read_only_is_named(name: str, here: Path) -> None:
    folder = here / "folder"
    folder.mkdir()
    (folder / "old.gif").write_text("old")
    folder.chmod(0o555)
    with untouched(here):
        ended = call(*RUN, "-o", f"folder/{name}", within=POWERLESS)
    assert_told(ended, 1, f"folder/{name} cannot be written: Permission denied")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("folder.gif", "folder.gif is a directory", marks=pytest.mark.row(37)),
        pytest.param("a.txt/x.gif", "a.txt is not a directory", marks=pytest.mark.row(37)),
        pytest.param(".", "an output needs a file name", marks=pytest.mark.row(37)),
        pytest.param("x", "x has no suffix: write, for example, x.gif", marks=pytest.mark.row(38)),
        pytest.param("x.giff", "did you mean '.gif'?", marks=pytest.mark.row(38)),
        pytest.param("x.docx", "unknown format '.docx'", marks=pytest.mark.row(38)),
        pytest.param("", "an output needs a file name", marks=pytest.mark.row(38)),
        pytest.param("/dev/null", "/dev/null has no suffix", marks=pytest.mark.row(38)),
        pytest.param("x" * 300 + ".gif", "File name too long", marks=pytest.mark.row(43)),
    ],
)
def test_a_path_that_cannot_be_is_refused(name: str, said: str, invoke: Invoke, here: Path) -> None:
    (here / "folder.gif").mkdir()
    (here / "a.txt").write_text("mine")
    with untouched(here):
        assert_told(invoke(*RUN, "-o", name), 2, said)


@pytest.mark.row(43)
def test_too_many_folders_are_told(invoke: Invoke, here: Path) -> None:
    with untouched(here):
        result = invoke(*RUN, "-o", "a/" * 2000 + "x.json")
    assert_told(result, 1, "cannot be written: File name too long")


FULL = """
mkdir full && mount -t tmpfs -o size=8k none full && cd full || exit 99
printf old > "$1"; shift
"$@"; code=$?
test "$(ls -A)" = "$(ls)" && test "$(cat *)" = old || exit 98
exit $code
"""


@pytest.mark.slow
@pytest.mark.row(39)
@linux
@pytest.mark.parametrize(
    "suffix",
    RUN_FORMATS,
)
def test_a_full_disk_leaves_what_was_there(suffix: str, here: Path) -> None:
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("may not mount a small disk")
    name = f"x{suffix}"
    ended = call(
        *("run", "--surface", "wobbly", "--opt", "adam:lr=0.1,sgd:lr=0.1", "--steps", 150),
        *("--size", "480x320", "-q", "-o", name),
        within=["unshare", "-rm", "sh", "-c", FULL, "sh", name],
    )
    assert_told(ended, 1, f"{name} cannot be written: No space left on device")


@pytest.mark.sample(1)
@pytest.mark.row(40)
@linux
@pytest.mark.parametrize(
    "words",
    [[*RUN[:-1], "-o", "x.json"], ["list"], ["show", "bowl"], ["--help"], ["schema"]],
)
def test_a_full_standard_output_is_told(words: list[str], here: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ended = call(*words, stdout=full)
    assert_told(ended, 1, "standard output cannot be written: No space left on device")
    if "run" in words:
        assert optiviz.load_recipe(only_file(here))


@pytest.mark.sample(1)
@pytest.mark.row(41)
@linux
@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (["list"], {}),
        (["--help"], {}),
        ([*RUN[:-1], "-o", "x.json"], {}),
        ([], {"_OPTIVIZ_COMPLETE": "bash_complete", "OPTIVIZ_LINE": "optiviz "}),
        ([], {"_OPTIVIZ_COMPLETE": "zsh_source"}),
    ],
)
def test_who_stops_listening_is_no_fault(
    words: list[str], settings: dict[str, str | None], here: Path
) -> None:
    for reader in (["head", "-c", "1"], ["true"]):
        reading, writing = os.pipe()
        with subprocess.Popen(reader, stdin=reading, stdout=subprocess.DEVNULL):
            os.close(reading)
            ended = call(*words, stdout=writing, settings=settings)
            os.close(writing)
        assert ended.exit_code in (0, 1)  # 1 if the lost output was noticed
        assert ended.stderr == ""
    if "run" in words:
        assert optiviz.load_recipe(only_file(here))


@pytest.mark.row(42)
def test_a_link_stays_and_its_target_is_replaced(invoke: Invoke, here: Path) -> None:
    (here / "there").mkdir()
    (here / "there" / "old.gif").write_text("old")
    (here / "x.gif").symlink_to("there/old.gif")
    (here / "y.gif").symlink_to("new.gif")
    (here / "loop.gif").symlink_to("loop.gif")
    assert invoke(*RUN, "-o", "x.gif", "-o", "y.gif").exit_code == 0
    assert (here / "x.gif").is_symlink() and (here / "y.gif").is_symlink()
    for target in ("there/old.gif", "new.gif"):
        assert optiviz.load_recipe(here / target)
    with untouched(here):
        assert_told(invoke(*RUN, "-o", "loop.gif"), 2, "Too many levels of symbolic links")
        two = invoke(*RUN, "-o", "x.gif", "-o", "there/old.gif")
        assert_told(two, 2, "two outputs have the same path")


@pytest.mark.sample(1)
@pytest.mark.row(43)
@pytest.mark.parametrize(
    "name",
    [
        "ü ñ/日本 👍.gif", "-x.gif", "--.json", "x" * 250 + ".gif", "%03d.png", "{}.svg", "a:b.mp4",
        "pipe:1.mp4", "~/x.png", "a\nb.pdf", "'\".csv", "http:x?y.webm", "*.apng",
    ],
)  # fmt: skip
def test_any_name_is_a_name(name: str, invoke: Invoke, here: Path) -> None:
    result = invoke(*RUN, f"-o{name}")
    assert (result.exit_code, result.stderr) == (0, "")
    assert only_file(here) == here / name
    assert optiviz.load_recipe(here / name)


@pytest.mark.slow
@pytest.mark.row(43)
@linux
def test_a_name_that_is_no_text_is_a_name(here: Path) -> None:
    ended = call(*RUN, "-o", os.fsdecode(b"\xff\xfe.mp4"))
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert os.fsencode(only_file(here).name) == b"\xff\xfe.mp4"


@pytest.mark.row(44)
def test_an_existing_file_is_replaced_whole_or_left(invoke: Invoke, here: Path) -> None:
    (here / "x.gif").write_text("old")
    (here / "x.gif").chmod(0o640)
    with untouched(here):
        result = invoke(*RUN, "--no-overwrite", "-o", "x.gif")
        assert_told(result, 2, "x.gif exists, and overwriting is off")
    assert invoke(*RUN, "-o", "x.gif").exit_code == 0
    assert (here / "x.gif").stat().st_mode & 0o777 == 0o640
    assert optiviz.load_recipe(only_file(here))


@pytest.mark.row(45)
@pytest.mark.slow
def test_two_processes_may_write_one_output(here: Path) -> None:
    words = [*OPTIVIZ, *RUN, "-o", "x.gif"]
    running = [subprocess.Popen(words, stderr=subprocess.PIPE) for _ in range(3)]
    assert [(each.communicate()[1], each.returncode) for each in running] == [(b"", 0)] * 3
    assert optiviz.load_recipe(only_file(here))
    assert immeta("x.gif")


@pytest.mark.row(46)
def test_two_jobs_of_one_output_are_refused(invoke: Invoke, here: Path) -> None:
    (here / "jobs.yaml").write_text(
        "defaults: {optimizers: adam, surface: bowl}\n"
        "jobs:\n- {seed: 1, out: x.gif}\n- {seed: 2, out: ./x.gif}\n"
    )
    with untouched(here):
        result = invoke("batch", "jobs.yaml")
    assert_told(result, 2, "jobs.yaml:4:13: jobs.1.out: ./x.gif is also written by jobs.0.out")


@linux
def test_only_what_nobody_writes_is_swept(here: Path) -> None:
    theirs = [here / name for name in (".optiviz-notes", ".optiviz-0123456789ab", ".optiviz-x.gif")]
    for each in theirs:
        each.write_text("theirs")
    left = here / ".optiviz-0123456789ab.gif"
    left.write_text("unfinished")
    with atomic_write(here / "one.json") as one:
        assert not left.exists()
        one.write_text("1")
        with atomic_write(here / "two.json") as two:
            assert one.exists()
            two.write_text("2")
    names = sorted(path.name for path in here.iterdir())
    assert names == sorted([*(each.name for each in theirs), "one.json", "two.json"])
