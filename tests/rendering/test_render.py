"""Rendering a recipe into files, and what happens to the files if it fails."""

import os
from pathlib import Path

import numpy as np
import pytest
from commands import RUN, call
from conftest import RUN_FORMATS, only_file
from PIL import Image

import optiviz
from optiviz.kinds.run import Recipe
from optiviz.rendering.render import render

SMALL = Recipe(surface="wobbly", optimizers="adam,rmsprop", steps=6, size=(300, 200))
every_format = pytest.mark.parametrize("suffix", RUN_FORMATS)


@pytest.mark.sample(1)
@every_format
def test_the_same_recipe_gives_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for path in paths:
        render(SMALL, [path])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert str(tmp_path).encode() not in paths[0].read_bytes()


@pytest.mark.sample(1)
@every_format
def test_folders_are_made_and_capitals_are_a_suffix(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / "a b" / "ü" / f"x{suffix.upper()}"
    render(SMALL, [path])
    assert only_file(tmp_path) == path


@pytest.mark.sample(1)
@every_format
def test_a_link_stays_and_its_target_is_replaced(suffix: str, tmp_path: Path) -> None:
    target, link = tmp_path / f"target{suffix}", tmp_path / f"link{suffix}"
    target.write_text("old")
    link.symlink_to(target)
    render(SMALL, [link])
    assert link.is_symlink()
    assert target.stat().st_size > 100


@pytest.mark.slow
@pytest.mark.row(39)
@pytest.mark.skipif(os.name != "posix", reason="needs the limits of Unix")
@every_format
def test_an_output_is_untouched_when_it_cannot_be_written_whole(suffix: str, here: Path) -> None:
    import resource

    def as_on_a_full_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))

    path = here / f"x{suffix}"
    path.write_text("old")
    ended = call(*RUN, "-o", path.name, preexec_fn=as_on_a_full_disk)
    assert ended.exit_code == 1
    # PyAV may print an error that it drops in the lines before.
    assert ended.stderr.endswith(f"optiviz: {path.name} cannot be written: File too large\n")
    assert path.read_text() == "old"
    assert only_file(here) == path


def test_a_path_that_cannot_be_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "folder.gif").mkdir()
    (tmp_path / "there.gif").write_text("old")
    for name, said in [
        ("x.wmv", "unknown format '.wmv'"), ("x", "has no suffix"),
        ("folder.gif", "is a directory"), ("there.gif", "exists, and overwriting is off"),
    ]:  # fmt: skip
        with pytest.raises(optiviz.InputError, match=said):
            render(SMALL, [tmp_path / "first.json", tmp_path / name], overwrite=False)
    with pytest.raises(optiviz.InputError, match="two outputs have the same path"):
        render(SMALL, [tmp_path / "a.gif", tmp_path / "." / "a.gif"])
    assert not (tmp_path / "first.json").exists()


@pytest.mark.parametrize("mode", [0o600, 0o444, 0o755])
def test_an_existing_file_keeps_its_mode(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("old")
    path.chmod(mode)
    render(SMALL, path)
    assert path.stat().st_mode & 0o777 == mode
    assert path.read_text() != "old"


def test_what_is_no_regular_file_is_left_alone(tmp_path: Path) -> None:
    import os

    fifo, link, loop = (tmp_path / name for name in ("fifo.json", "link.json", "loop.json"))
    os.mkfifo(fifo)
    link.symlink_to("/dev/null")
    loop.symlink_to(loop)
    for path, said in [(fifo, "is not a regular"), (link, "is not a regular"), (loop, "cannot be")]:
        with pytest.raises(optiviz.InputError, match=said):
            render(SMALL, path)
    with pytest.raises(optiviz.InputError, match="File name too long"):
        render(SMALL, tmp_path / ("x" * 300 + ".json"))


def test_progress_runs_through_all_outputs(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    render(
        SMALL, [tmp_path / "x.gif", tmp_path / "x.png", tmp_path / "x.csv"],
        progress=lambda *told: seen.append(told),
    )  # fmt: skip
    frames = 7
    descents = [("descending", done, 2) for done in (1, 2)]
    drawn = [("drawing", done, frames + 2) for done in range(1, frames + 3)]
    assert seen == descents + drawn


def test_a_still_is_the_final_picture_at_its_size(tmp_path: Path) -> None:
    render(SMALL, [tmp_path / "x.png", tmp_path / "x.gif"])
    with Image.open(tmp_path / "x.png") as still, Image.open(tmp_path / "x.gif") as moving:
        assert still.size == moving.size == (300, 200)
        moving.seek(moving.n_frames - 1)
        difference = np.array(still.convert("RGB"), float) - np.array(moving.convert("RGB"))
        assert np.sqrt((difference**2).mean()) < 2
        assert "Software" not in still.info


def test_random_starts_follow_from_the_seed_and_lie_in_the_window() -> None:
    def starts(seed: int) -> list[list[float]]:
        recipe = Recipe(surface="ellipse", optimizers="sgd,adam", random_starts=5, seed=seed)
        return [path.start.tolist() for path in recipe.make_scene().trajectories]

    assert starts(1) == starts(1) != starts(2)
    assert starts(1)[:5] == starts(1)[5:], "every optimizer starts from the same points"
    (left, right), (bottom, top) = optiviz.load_surface("ellipse").domain.intervals
    assert all(left <= x <= right and bottom <= y <= top for x, y in starts(1))


def test_given_starts_come_before_random_ones() -> None:
    recipe = Recipe(surface="bowl", optimizers="sgd", starts=[(1, 2)], random_starts=2)
    scene = recipe.make_scene()
    assert len(scene.trajectories) == 3
    assert scene.trajectories[0].start.tolist() == [1, 2]


@pytest.mark.slow
def test_a_users_matplotlibrc_changes_nothing(tmp_path: Path) -> None:
    import matplotlib

    render(SMALL, [tmp_path / "a.gif", tmp_path / "a.png"])
    with matplotlib.rc_context(
        {"savefig.bbox": "tight", "font.size": 30, "axes.facecolor": "red", "lines.linewidth": 9}
    ):
        render(SMALL, [tmp_path / "b.gif", tmp_path / "b.png"])
    for suffix in (".gif", ".png"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
