"""`optiviz.record`: what is recorded of a training loop."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import Invoke

import optiviz
from optiviz import InputError, OptivizError
from optiviz.surfaces.checkpoint_files import checkpoint_hash, is_recording, read_recording
from optiviz.surfaces.pytrees import named_leaves

SLOPES = np.array([1.0, 3, 10, 0.5, 2])
MODEL = """
import numpy as np, optiviz
SLOPES = np.array([1.0, 3, 10, 0.5, 2])
def problem():
    return optiviz.PythonProblem(np.ones(5), lambda x: float(SLOPES @ x**2), lambda x: 2*SLOPES*x)
"""


def read(file="run.npz"):
    assert is_recording(file)
    return read_recording(file, checkpoint_hash(file))


def descend(steps, rate=0.04, **given):
    """Descend with a loop as users write it; return the points and their losses."""
    x, points, losses = np.ones(5), [np.ones(5)], []
    with optiviz.record(x, "run.npz", **given) as recording:
        for _ in range(steps):
            losses.append(float(SLOPES @ x**2))
            x -= rate * 2 * SLOPES * x
            recording.step(losses[-1])
            points.append(x.copy())
    return np.array(points), losses


def test_every_step_is_recorded(here: Path) -> None:
    points, losses = descend(20)
    found = read()
    assert found.steps.tolist() == [*range(21)]
    np.testing.assert_array_equal(found.tensors["x"], points)
    assert found.losses[:-1].tolist() == losses and np.isnan(found.losses[-1])


@pytest.mark.parametrize("most", [2, 3, 10, 200])
@pytest.mark.parametrize("every", [1, 3])
def test_many_steps_are_thinned_out_evenly(here: Path, most: int, every: int) -> None:
    points, losses = descend(500, rate=0.001, snapshots=most, every=every)
    found = read()
    assert len(found.steps) <= most and found.steps[0] == 0 and found.steps[-1] == 500
    assert len(set(np.diff(found.steps)[:-1])) <= 1  # all but the last are evenly spaced
    assert len(found.steps) >= min(most, 501 // every) / 2
    assert (found.steps[:-1] % every == 0).all()
    np.testing.assert_array_equal(found.tensors["x"], points[found.steps])
    assert found.losses[:-1].tolist() == [losses[step] for step in found.steps[:-1]]


def test_a_file_is_as_small_as_it_must_be(here: Path) -> None:
    descend(500, max_bytes=2000)
    assert len(read().steps) <= 2000 // 40
    assert Path("run.npz").stat().st_size < 2000 + 2000
    with pytest.raises(InputError, match="a snapshot has 40 bytes, but max_bytes is 79: at least"):
        optiviz.record(np.ones(5), max_bytes=79)


def test_the_same_run_is_the_same_file(here: Path) -> None:
    descend(10)
    first = Path("run.npz").read_bytes()
    descend(10)
    assert Path("run.npz").read_bytes() == first


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_was_recorded_is_kept(here: Path, error: type[BaseException]) -> None:
    def train() -> None:
        x = np.ones(2)
        with optiviz.record(x) as recording:
            for step in range(5):
                x -= 0.1
                recording.step(step)
                if step == 3:
                    raise error

    with pytest.raises(error):
        train()
    assert read().steps.tolist() == [0, 1, 2, 3, 4]


def test_a_file_that_cannot_be_written(here: Path) -> None:
    Path("folder").touch()
    with pytest.raises(InputError, match=r"run\.npz cannot be written: folder is not a directory"):
        optiviz.record(np.ones(2), "folder/run.npz")
    recording = optiviz.record(np.ones(2), "later/run.npz")
    Path("later").touch()
    with pytest.raises(OptivizError, match=r"run\.npz cannot be written: "), recording:
        recording.step()
    with pytest.raises(ZeroDivisionError) as raised, recording:
        recording.step(1 / 0)
    assert "run.npz cannot be written: " in raised.value.__notes__[0]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_a_folder_without_permission(here: Path) -> None:
    Path("closed").mkdir(mode=0o500)
    with pytest.raises(InputError, match=r"run\.npz cannot be written: Permission denied"):
        optiviz.record(np.ones(2), "closed/run.npz")


def reshape_at_last(steps: int, every: int, error: type[BaseException] | None = None) -> None:
    """Record steps, after which the parameters have another shape."""
    x = {"a": np.zeros(3)}
    with optiviz.record(x, every=every) as recording:
        for _ in range(steps):
            x["a"] += 1
            recording.step(1.0)
        x["a"] = np.zeros(5)
        if error is not None:
            raise error


def test_parameters_that_change_their_shape_at_last(here: Path) -> None:
    with pytest.raises(KeyboardInterrupt) as raised:
        reshape_at_last(25, 10, KeyboardInterrupt)
    assert read().tensors["a"][:, 0].tolist() == [0, 10, 20]
    (note,) = raised.value.__notes__
    assert note == (
        "optiviz.record: run.npz ends at step 20 of 25: the parameters are of another model "
        "than the first: a has shape (5,), not (3,)"
    )


def test_an_end_without_an_error_tells_what_is_missing(here: Path) -> None:
    with pytest.raises(InputError, match=r"run\.npz ends at step 2 of 3: "):
        reshape_at_last(3, 2)
    assert read().steps.tolist() == [0, 2]


def test_parameters_that_a_step_rejects(here: Path) -> None:
    def train() -> None:
        with optiviz.record(np.zeros(2)) as recording:
            for size in (2, 2, 3):
                recording.step(1.0, np.ones(size))

    with pytest.raises(InputError, match="^the parameters are of another model"):
        train()
    assert read().tensors["x"][:, 0].tolist() == [0, 1, 1]


def test_the_last_step_is_recorded_without_a_loss(here: Path) -> None:
    x = np.zeros(2)
    with optiviz.record(x, every=10) as recording:
        for _ in range(25):
            x += 1
            recording.step()
    found = read()
    assert found.steps.tolist() == [0, 10, 20, 25] and np.isnan(found.losses).all()
    assert found.tensors["x"][:, 0].tolist() == [0, 10, 20, 25]


def test_a_tree_is_given_at_each_step(here: Path) -> None:
    params = {"dense": {"kernel": 1.0, "bias": 0.0}}
    with optiviz.record(params) as recording:
        for step in range(3):
            params = {"dense": {"kernel": 1.0 + step, "bias": -1.0}}
            recording.step(2.0, params)
    found = read()
    assert found.tensors["dense/kernel"].tolist() == [1, 1, 2, 3]
    assert found.tensors["dense/bias"].tolist() == [0, -1, -1, -1]


def test_a_recording_is_a_callback(here: Path) -> None:
    with optiviz.record(np.zeros(2)) as recording:
        recording(np.ones(2))
        recording(3.0, 2 * np.ones(2), state=None)
        recording(np.float64(4.0), 3 * np.ones(2))
    found = read()
    assert found.tensors["x"][:, 0].tolist() == [0, 1, 2, 3]
    assert np.nan_to_num(found.losses, nan=-1).tolist() == [-1, 3, 4, -1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda: optiviz.record(np.ones(2), "run.csv"), "'run.csv' must end in .npz"),
        (lambda: optiviz.record(np.ones(2), every=0), "every must be a whole number from 1 on"),
        (lambda: optiviz.record(np.ones(2), snapshots=1), "snapshots must be a whole number"),
        (lambda: optiviz.record(np.ones(2), every=True), "every must be a whole number from 1 on"),
        (lambda: optiviz.record(np.ones(2), max_bytes="x"), "max_bytes must be a whole number"),
        (lambda: optiviz.record({"a/b": np.ones(2), "a": {"b": np.ones(2)}}), "two arrays have"),
        (lambda: optiviz.record({"a": np.ones(2), 1: np.ones(2)}), "the keys of a dict of param"),
        (lambda: optiviz.record({}), "a dict has no parameters to record"),
        (lambda: optiviz.record("model"), "x must be an array of real numbers, not model"),
        (lambda: optiviz.record(1.0).step(), "parameters that do not change in place go to step"),
        (lambda: optiviz.record(np.ones(2)).step("a"), "a loss must be a number, not 'a'"),
        (lambda: optiviz.record(np.ones(2)).step(np.ones(3)), "not an array of shape (3,)"),
        (lambda: optiviz.record(np.ones(2)).step(1, np.ones(3)),
         "the parameters are of another model than the first: x has shape (3,), not (2,)"),
        (lambda: optiviz.record(np.ones(2)).step(1, {"y": np.ones(3)}), "they have no x"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(here: Path, given, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError) as raised:
        given()
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_names_are_those_of_jax() -> None:
    assert [*named_leaves({"b": [1, {"c": 2}], "a": (3, None)})] == ["a/0", "b/0", "b/1/c"]
    assert named_leaves(np.ones(2)).keys() == {"x"}


def test_recording_imports_neither_torch_nor_jax() -> None:
    program = (
        "import sys, optiviz, numpy; optiviz.record(numpy.ones(2)).step(1.0);"
        "print([each for each in ('torch', 'jax', 'sympy', 'matplotlib') if each in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (said.stdout, said.stderr) == ("[]\n", "")


def test_a_recording_is_drawn(here: Path, invoke: Invoke) -> None:
    Path("m.py").write_text(MODEL)
    _, losses = descend(30, rate=0.02)
    words = ["run", "--surface", "m.py:problem", "--plane", "path", "--checkpoints", "run.npz"]
    result = invoke(*words, "--every", "4", "-o", "a.json")
    assert result.exit_code == 0 and "differ" not in result.stdout
    record = json.loads(Path("a.json").read_text())
    (path,) = record["trajectories"]
    assert path["label"] == "training" and path["path_steps"] == [*range(0, 30, 4), 30]
    np.testing.assert_allclose([path["loss"][step] for step in range(0, 30, 4)], losses[::4])
    (held,) = record["recipe"]["checkpoints"]
    assert held["files"] == ["run.npz"] and held["sha256"] == [checkpoint_hash("run.npz")]


def test_losses_of_another_model_are_told(here: Path, invoke: Invoke) -> None:
    Path("m.py").write_text(MODEL.replace("float(SLOPES", "1 + float(SLOPES"))
    descend(30, rate=0.02)
    words = ["run", "--surface", "m.py:problem", "--plane", "path", "--checkpoints", "run.npz"]
    said = invoke(*words, "-o", "a.csv").stdout
    assert (
        "training: recorded losses, perhaps of batches, differ from the model's by up to 1" in said
    )


@pytest.mark.torch
def test_a_torch_module_with_its_buffers(here: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3)).to(torch.bfloat16)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with optiviz.record(model) as recording:
        for _ in range(4):
            loss = model(torch.ones(4, 2, dtype=torch.bfloat16)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            recording.step(loss)
    found = read()
    state = model.state_dict()
    assert list(found.tensors) == list(state)
    for name, tensor in state.items():
        np.testing.assert_array_equal(found.tensors[name][-1], tensor.float().numpy())
    assert found.tensors["1.num_batches_tracked"].tolist() == [0, 1, 2, 3, 4]
    assert np.isfinite(found.losses[:-1]).all()


@pytest.mark.torch
def test_a_tree_of_jax(here: Path) -> None:
    jax = pytest.importorskip("jax")
    params = {"dense": {"kernel": jax.numpy.ones((2, 3)), "bias": jax.numpy.zeros(3)}}
    with optiviz.record(params) as recording:
        for _ in range(3):
            params = jax.tree_util.tree_map(lambda leaf: leaf + 1, params)
            recording.step(jax.numpy.float32(2.5), params)
        with pytest.raises(InputError, match="parameters that do not change in place go to step"):
            recording.step(1.0)
    found = read()
    assert list(found.tensors) == ["dense/bias", "dense/kernel"]
    assert found.tensors["dense/kernel"].shape == (4, 2, 3)
    assert found.tensors["dense/bias"][:, 0].tolist() == [0, 1, 2, 3]
    assert found.losses[:-1].tolist() == [2.5] * 3
