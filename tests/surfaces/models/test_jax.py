"""JaxProblem: the loss of a JAX model, its gradients, batches, planes and bad input."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import Invoke

import optiviz
from optiviz import InputError
from optiviz.optimizers import load_optimizer
from optiviz.recipes.reading import read_recipe
from optiviz.surfaces.directions import random_directions
from optiviz.surfaces.grids import sample_grid
from optiviz.surfaces.models.problem import Setting
from optiviz.surfaces.models.space import ModelPlane
from optiviz.surfaces.network import Architecture, Batches, Network
from optiviz.system.text import key_path

pytestmark = pytest.mark.torch
jax = pytest.importorskip("jax")
jnp = jax.numpy

RANDOM = np.random.default_rng(0)
INPUTS, LABELS = RANDOM.normal(size=(60, 5)), RANDOM.integers(0, 3, 60)
TARGETS = np.eye(3)[LABELS]
DOUBLE = Setting(dtype="float64")


def outputs(params, inputs):
    hidden = jnp.tanh(inputs @ params["dense1"]["kernel"] + params["dense1"]["bias"])
    return hidden @ params["dense2"]["kernel"] + params["dense2"]["bias"]


def loss(params, batch):
    inputs, targets = batch
    return -jnp.mean(jnp.sum(targets * jax.nn.log_softmax(outputs(params, inputs)), axis=-1))


def parameters(seed=1):
    random = np.random.default_rng(seed)
    shapes = {"dense1": (5, 4), "dense2": (4, 3)}
    return {
        name: {"kernel": random.normal(size=shape), "bias": random.normal(size=shape[1])}
        for name, shape in shapes.items()
    }


@pytest.fixture(scope="module")
def problem():
    return made().with_setting(DOUBLE)


def test_parts_are_key_paths(problem):
    assert [(part.name, part.shape) for part in problem.parts] == [
        ("dense1/bias", (4,)), ("dense1/kernel", (5, 4)),
        ("dense2/bias", (3,)), ("dense2/kernel", (4, 3)),
    ]  # fmt: skip
    assert problem.caption == "loss, 60 samples, 39 parameters"
    assert problem.samples == 60 and not problem.is_random


def test_loss_and_gradient_are_those_of_jax(problem):
    for each, tolerance in ((problem, 1e-12), (made(), 1e-6)):
        with jax.enable_x64(True):
            value, slope = jax.value_and_grad(loss)(parameters(), (INPUTS, TARGETS))
        slopes = [np.reshape(leaf, -1) for leaf in jax.tree_util.tree_leaves(slope)]
        found, gradient = each.value_and_gradient(each.initial)
        np.testing.assert_allclose(found, value, rtol=tolerance)
        away = np.abs(gradient - np.concatenate(slopes)).max()
        assert away <= tolerance * np.abs(gradient).max()
        np.testing.assert_allclose(each.value(each.initial), value, rtol=tolerance)
    assert not jax.config.jax_enable_x64


def test_arrays_of_points(problem):
    points = problem.initial + np.random.default_rng(3).normal(size=(3, 2, problem.dim)) / 10
    values, slopes = problem.value_and_gradient(points)
    assert values.shape == (3, 2) and slopes.shape == points.shape
    np.testing.assert_allclose(problem.value(points), values, rtol=1e-12)
    np.testing.assert_allclose(problem.gradient(points[2, 1]), slopes[2, 1], rtol=1e-12)


def test_hessian_products_are_those_of_the_whole_hessian(problem):
    with jax.enable_x64(True):
        whole = jax.hessian(lambda flat: loss(problem._params(flat), (INPUTS, TARGETS)))
        hessian = np.asarray(whole(problem.initial))
    for way in np.random.default_rng(4).normal(size=(3, problem.dim)):
        product = problem.hessian_product(problem.initial, way)
        np.testing.assert_allclose(product, hessian @ way, rtol=1e-10, atol=1e-12)


def test_batches_have_products_with_their_own_hessian(problem):
    x, v = problem.initial, np.random.default_rng(4).normal(size=problem.dim)
    here = problem.batches(7, seed=3).at(1)
    near = (here.gradient(x + 1e-6 * v) - here.gradient(x - 1e-6 * v)) / 2e-6
    np.testing.assert_allclose(here.hessian_product(x, v), near, atol=1e-7)
    whole = problem.hessian_product(x, v)
    np.testing.assert_array_equal(problem.batches(None, 0).hessian_product(x, v), whole)
    assert not np.allclose(near, whole, atol=1e-3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_grid_is_a_direct_evaluation(problem, dtype):
    single = problem.with_setting(Setting(dtype=dtype))
    directions = random_directions(single.parts, single.initial, 0)
    plane = ModelPlane(single, single.initial, directions)
    side = np.linspace(-1, 1, 5)
    grid = sample_grid(plane, side, side)
    with jax.enable_x64(True):
        for row, b in enumerate(side):
            for column, a in enumerate(side):
                flat = single.initial + a * directions[0] + b * directions[1]
                direct = loss(problem._params(jnp.asarray(flat)), (INPUTS, TARGETS))
                tolerance = {"float32": 1e-6, "float64": 1e-12}[dtype]
                np.testing.assert_allclose(grid[row, column], direct, rtol=tolerance)


def own_network():
    """Return our own network, and the same one as a JaxProblem; both begin alike."""
    architecture = Architecture((5, 4, 3), ("tanh",), "cross-entropy", bias=True)
    network = Network(architecture, INPUTS, TARGETS)
    x = architecture.initial("xavier", 0)
    (first, bias1), (second, bias2) = architecture.unpacked(x)
    params = [[first, bias1], [second, bias2]]

    def same(params, batch):
        (first, bias1), (second, bias2) = params
        inputs, targets = batch
        z = jnp.tanh(inputs @ first.T + bias1) @ second.T + bias2
        return -jnp.mean(jnp.sum(targets * jax.nn.log_softmax(z), axis=-1))

    problem = optiviz.JaxProblem(params, same, (INPUTS, TARGETS), name="same")
    double = problem.with_setting(DOUBLE)
    return network, double, x


@pytest.mark.parametrize(("name", "lr"), [("sgd", 0.5), ("momentum", 0.1), ("adam", 0.05)])
@pytest.mark.parametrize("size", [None, 16])
def test_trajectories_are_those_of_our_own_network(name, lr, size):
    from optiviz.descent.walk import descend

    network, double, x = own_network()
    ours = network if size is None else Batches(network, size, seed=3)
    paths = [
        descend(objective, load_optimizer(name)(lr=lr), x, 50, "a", range(51))
        for objective in (ours, double.batches(size, 3))
    ]
    np.testing.assert_allclose(paths[1].points, paths[0].points, rtol=0, atol=1e-10)
    np.testing.assert_allclose(paths[1].losses, paths[0].losses, rtol=0, atol=1e-10)


def test_losses_of_blocks_add_up(problem, monkeypatch):
    from optiviz.surfaces.models import jax as module

    monkeypatch.setattr(module, "BLOCK", 4_000)
    for scale, sums in ((1.0, False), (None, True)):

        def other(params, batch, scale=scale):
            return loss(params, batch) * (len(batch[0]) if scale is None else scale)

        blocks = optiviz.JaxProblem(parameters(), other, (INPUTS, TARGETS)).with_setting(DOUBLE)
        assert blocks._sums is sums and blocks._most < 60 and len([*blocks._blocks()]) > 1
        factor = 60 if sums else 1
        for evaluate in ("value", "gradient"):
            np.testing.assert_allclose(
                getattr(blocks, evaluate)(blocks.initial),
                factor * getattr(problem, evaluate)(problem.initial), rtol=1e-12, atol=1e-13,
            )  # fmt: skip


def test_a_loss_of_all_samples_is_in_one_block(monkeypatch):
    from optiviz.surfaces.models import jax as module

    monkeypatch.setattr(module, "BLOCK", 4_000)
    whole = made(loss=lambda params, batch: loss(params, batch) * batch[0].std())
    assert whole._sums is None and len([*whole._blocks()]) == 1


def test_a_rare_class_that_few_samples_miss_shows_a_weighted_mean(monkeypatch):
    from optiviz.surfaces.models import jax as module

    monkeypatch.setattr(module, "BLOCK", 40_000)
    inputs = np.linspace(-3, 3, 15_000).reshape(-1, 5)
    targets = np.zeros((3_000, 3))
    targets[:, 0] = 1
    targets[5:80] = [0, 1, 0]

    def weighted(params, batch):
        inputs, targets = batch
        weights = targets @ jnp.array([1.0, 50.0, 1.0])
        of_each = -jnp.sum(targets * jax.nn.log_softmax(outputs(params, inputs)), axis=-1)
        return jnp.sum(weights * of_each) / jnp.sum(weights)

    for setting in (Setting(), DOUBLE):
        for function, sums in ((weighted, None), (loss, False)):
            whole = made(loss=function, data=(inputs, targets)).with_setting(setting)
            assert whole._most < 3_000 and whole._sums is sums
            wanted = float(function(parameters(), (inputs, targets)))
            np.testing.assert_allclose(whole.value(whole.initial), wanted, rtol=1e-5)


def test_memory_that_runs_out_halves_the_blocks(problem, monkeypatch):
    blocks = problem.with_setting(Setting(dtype="float64", device="cpu"))
    both, sizes = blocks._both, []

    def small(flat, batch):
        sizes.append(len(batch[0]))
        if sizes[-1] > 20:
            raise MemoryError("RESOURCE_EXHAUSTED: Out of memory")
        return both(flat, batch)

    monkeypatch.setattr(blocks, "_both", small)
    found = blocks.gradient(blocks.initial)
    np.testing.assert_allclose(found, problem.gradient(problem.initial), rtol=1e-12, atol=1e-13)
    assert sizes[0] == 60 and len(set(sizes)) > 1 and sizes[-1] <= 20

    def never(flat, batch):
        raise MemoryError("RESOURCE_EXHAUSTED: Out of memory")

    monkeypatch.setattr(blocks, "_both", never)
    with pytest.raises(optiviz.OptivizError, match="loss: not enough memory for one sample"):
        blocks.gradient(blocks.initial)


def test_a_loss_is_tried_on_fewer_samples_in_little_memory():
    def greedy(room):
        def limited(params, batch):
            if len(batch[0]) > room:
                raise MemoryError
            return loss(params, batch)

        return limited

    found = made(loss=greedy(9), name="mine")
    np.testing.assert_allclose(found.value(found.initial), made().value(found.initial), rtol=1e-6)
    with pytest.raises(optiviz.OptivizError, match="mine: not enough memory for one") as raised:
        made(loss=greedy(0), name="mine")
    assert not isinstance(raised.value, InputError)


def test_a_function_draws_batches():
    def draw(seed, step):
        key = jax.random.key(1000 * seed + step)
        return key, np.random.default_rng([seed, step]).normal(size=(8, 5))

    def noisy(params, batch):
        key, inputs = batch
        kept = jax.random.bernoulli(key, 0.5, inputs.shape)
        return jnp.mean(outputs(params, inputs * kept) ** 2)

    drawn = optiviz.JaxProblem(parameters(), noisy, draw)
    assert drawn.samples is None and drawn.is_random
    assert drawn.caption == "noisy, mean of 16 batches, 39 parameters"
    stream, x = drawn.batches(None, 5), drawn.initial
    losses = [float(stream.at(step).value(x)) for step in range(3)]
    assert len(set(losses)) == 3
    assert [float(drawn.batches(None, 5).at(step).value(x)) for step in (2, 1, 0)] == losses[::-1]
    all_steps = [float(drawn.batches(None, 0).at(step).value(x)) for step in range(16)]
    np.testing.assert_allclose(drawn.value(x), np.mean(all_steps), rtol=1e-6)
    with pytest.raises(InputError, match="has no samples for batches"):
        drawn.batches(4, 0)


def test_a_step_evaluates_once(problem):
    step = problem.batches(16, 0).at(0)
    step.value(problem.initial)
    known = step._known
    step.gradient(problem.initial)
    assert step._known is known
    step.gradient(problem.initial + 1)
    assert step._known is not known


def test_accuracy_is_that_of_the_users_function():
    def share(params):
        return jnp.mean(outputs(params, INPUTS).argmax(-1) == LABELS)

    tested = optiviz.JaxProblem(parameters(), loss, (INPUTS, TARGETS), test=share)
    x = tested.initial
    assert tested.accuracy(x) == pytest.approx(float(share(parameters())))
    assert tested.accuracy(np.full_like(x, np.nan)) is None


def test_a_fingerprint_is_that_of_data_loss_and_type(problem):
    others = [
        made(),
        made(data=(INPUTS + 1e-3, TARGETS)),
        made(loss=lambda params, batch: 2 * loss(params, batch)),
    ]
    assert len({each.fingerprint() for each in (*others, problem)}) == 4
    assert problem.fingerprint() == problem.fingerprint()


def made(params=None, loss=loss, data=(INPUTS, TARGETS), **given):
    return optiviz.JaxProblem(parameters() if params is None else params, loss, data, **given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"params": {}}, "params have no arrays"),
        ({"params": {"w": np.ones(3, int)}}, "params: w must be floating-point, not int64"),
        ({"params": {"w": "text"}}, "params: w must be floating-point"),
        ({"loss": 3}, "loss must be a function, not int"),
        ({"loss": lambda params: 0.0}, "loss must take (params, batch)"),
        ({"loss": lambda params, batch: outputs(params, batch[0])},
         "loss must return one number, not an array of shape (32, 3): take its mean"),
        ({"loss": lambda params, batch: "small"}, "loss must return a number, not str"),
        ({"loss": lambda params, batch: 3}, "loss must return a floating-point number, not int32"),
        ({"loss": lambda params, batch: loss(params, batch) + jnp.nan}, " is nan at its parameter"),
        ({"loss": lambda params, batch: 1 / 0, "name": "mine"}, "mine: raised ZeroDivisionError"),
        ({"loss": lambda params, batch: loss(params, batch) if batch[0].sum() > 0 else 0.0,
          "name": "mine"}, "mine: raised TracerBoolConversionError: "),
        ({"data": ()}, "data: has no samples"),
        ({"data": (INPUTS[:0], TARGETS[:0])}, "data: has no samples"),
        ({"data": (INPUTS, TARGETS[:7])}, "data: its arrays must have as many samples each, not"),
        ({"data": np.array(["a"])}, "data must be arrays of numbers, not of <U1"),
        ({"data": np.array([None])}, "data must be arrays of numbers, not of object"),
        ({"data": lambda seed: INPUTS}, "data: a function must take (seed, step)"),
        ({"data": lambda seed, step: ()}, "data: returned no arrays for seed 0, step 0"),
        ({"test": 3}, "test must be a function, not int"),
        ({"test": lambda: 3}, "test must take (params)"),
        ({"test": lambda params: 3.0}, "test: must return a share from 0 to 1, not "),
        ({"test": lambda params: 1 / 0, "name": "mine"}, "test: mine: raised ZeroDivisionError"),
        ({"name": 3}, "name must be text, not int"),
        ({"name": "a\x07b"}, "name must not contain the unprintable character '\\x07'"),
        ({"loss": lambda params, batch: loss(params, batch) * RANDOM.random(), "name": "mine"},
         "the loss of mine is another each time"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(given, said):
    with pytest.raises(InputError) as raised:
        made(**given)
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_settings_that_cannot_be(problem):
    for setting, said in (
        (Setting(batch_norm="recompute"), "batch_norm: is for models of PyTorch"),
        (Setting(device="mps"), "device: no mps here, only cpu"),
    ):
        with pytest.raises(InputError, match=said):
            problem.with_setting(setting)
    with pytest.raises(InputError, match="a batch cannot have 61 samples: the model learns 60"):
        problem.batches(61, 0)


def test_without_jax():
    program = (
        "import sys; sys.modules['jax'] = None; import optiviz\n"
        "try: optiviz.JaxProblem({}, None, ())\nexcept optiviz.InputError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert said.stdout == "a JaxProblem needs jax: pip install 'optiviz-cli[optax]'\n"


def test_nothing_imports_jax_before_it_is_used():
    program = (
        "import sys, optiviz; optiviz.JaxProblem; optiviz.PythonProblem\n"
        "from optiviz.surfaces.models import space\nprint('jax' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert said.stdout == "False\n"


MODEL = """
import numpy as np, optiviz, jax.numpy as jnp

def loss(params, batch):
    inputs, targets = batch
    hidden = jnp.tanh(inputs @ params["in"])
    return jnp.mean((hidden @ params["out"] - targets) ** 2)

def problem():
    random = np.random.default_rng(0)
    inputs = random.normal(size=(50, 4))
    params = {"in": random.normal(size=(4, 6)) / 2, "out": random.normal(size=6) / 2}
    return optiviz.JaxProblem(params, loss, (inputs, np.sin(inputs[:, 0])))
"""


def test_every_optimizer_and_a_recording_race(here: Path, invoke: Invoke):
    Path("m.py").write_text(MODEL)
    space = {}
    exec(MODEL, space)
    params = {key: jnp.asarray(each) for key, each in parameters_of(space).items()}
    with optiviz.record(params) as recording:
        for _ in range(20):
            value, slope = jax.value_and_grad(space["loss"])(params, batch_of(space))
            params = jax.tree_util.tree_map(lambda x, g: x - 0.3 * g, params, slope)
            recording.step(value, params)
    optimizers = "sgd:lr=0.3,adam:lr=0.1,l-bfgs,optax.lbfgs,torch.optim.SGD:lr=0.3"
    result = invoke(
        "run", "--surface", "m.py:problem", "--opt", optimizers, "--steps", "20",
        "--checkpoints", "run.npz", "--plane", "path", "-o", "a.png", "-o", "a.json", "--preview",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert "differ" not in result.stdout
    import json

    paths = json.loads(Path("a.json").read_text())["trajectories"]
    assert [path["label"] for path in paths][-1] == "training"
    np.testing.assert_allclose(paths[-1]["loss"], paths[0]["loss"], rtol=1e-4)
    assert [path["stopped_at"] for path in paths] == [None] * 6
    assert all(path["loss"][-1] < path["loss"][0] for path in paths)


def parameters_of(space):
    made = space["problem"]()
    return {part.name: part.of(made.initial) for part in made.parts}


def batch_of(space):
    random = np.random.default_rng(0)
    inputs = random.normal(size=(50, 4))
    return inputs.astype("f4"), np.sin(inputs[:, 0]).astype("f4")


def test_settings_and_batches_in_a_recipe(here: Path):
    Path("m.py").write_text(MODEL)
    fields = {"surface": "m.py:problem", "optimizers": "sgd:lr=0.1", "steps": 5, "batch_size": 10}
    losses = []
    for dtype in ("float32", "float64"):
        scene = read_recipe(fields | {"dtype": dtype}, key_path).make_scene()
        losses.append(scene.trajectories[0].losses)
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    assert (losses[0] != losses[1]).any()
    with pytest.raises(InputError, match="device: no mps here, only cpu"):
        read_recipe(fields | {"device": "mps"}, key_path).make_scene()
