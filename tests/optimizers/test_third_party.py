"""Third-party optimizers: files, torch, optax and entry points, and errors in them."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import Invoke

import optiviz
from optiviz.kinds.run import Recipe
from optiviz.optimizers.spec import OptimizerSpec, parse_spec
from optiviz.optimizers.third_party import EXAMPLE
from optiviz.system import plugins
from optiviz.system.errors import InputError

ROOT = Path(__file__).parents[2]
OWN = (ROOT / "examples" / "my_optimizer.py").read_text()
MORE = """
class Steep(Lion):
    def step(self, objective, x, mean):
        if objective.value(x) < 12:
            raise ArithmeticError("too steep")
        return super().step(objective, x, mean)


class Shape(Lion):
    def step(self, objective, x, mean):
        return np.zeros(3), mean


class Pair(Lion):
    def step(self, objective, x, mean):
        return x


class Nan(Lion):
    def step(self, objective, x, mean):
        return x * np.nan, mean


class Complex(Lion):
    def step(self, objective, x, mean):
        return x + 1j, mean


class Inplace(Lion):
    def step(self, objective, x, mean):
        x -= self.lr * objective.gradient(x)
        mean += 1
        return x, mean


class Unborn(Lion):
    def init(self, x):
        return 1 / 0


class Leaving(Lion):
    def step(self, objective, x, mean):
        raise SystemExit(3)


class Itself:
    def __init__(self, lr):
        self.lr, self.velocity = lr, 0.0

    def init(self, x):
        return None

    def step(self, objective, x, nothing):
        self.velocity = 0.9 * self.velocity + objective.gradient(x)
        return x - self.lr * self.velocity, nothing


class Timid(Lion):
    def __init__(self, lr):
        if lr <= 0:
            raise ValueError("no rate")
        super().__init__(lr)


class Picky(Lion):
    def __init__(self, lr, betas=(0.9, 0.99), mode="hard", power=2, **rest):
        assert lr < 10
        super().__init__(lr, *betas)


def nothing():
    return 3


class Typo(Lion):
    def step(self, objective, x, mean):
        return x - objective.gradiant(x), mean


class Diagonal:
    def __init__(self, lr, rho=0.9):
        self.lr, self.rho = lr, rho

    def init(self, x):
        return np.zeros_like(x)

    def step(self, objective, x, squares):
        g = objective.gradient(x)
        squares = self.rho * squares + (1 - self.rho) * g**2
        return x - self.lr * g * self.preconditioner(squares), squares

    def preconditioner(self, squares):
        return 1 / (np.sqrt(squares) + 1e-8)

    def stability_limit(self, step):
        return 2 / self.lr


class Misshapen(Lion):
    def stability_limit(self, step):
        return self.limit

    def preconditioner(self, mean):
        return np.ones(3)
"""


@pytest.fixture
def own(here: Path) -> Path:
    path = here / "own.py"
    path.write_text(OWN + MORE)
    return path


def test_a_class_of_ones_own_is_the_rule_that_it_says(own: Path) -> None:
    path = optiviz.descend("wobbly", "own.py:Lion:lr=0.1")
    ours = optiviz.descend("wobbly", "lion:lr=0.1:weight_decay=0")
    np.testing.assert_array_equal(path.points, ours.points)
    np.testing.assert_array_equal(path.states["state"], ours.states["mean"])


@pytest.mark.slow
def test_its_rate_is_tuned_on_the_same_grid(own: Path) -> None:
    scene = Recipe(surface="wobbly", optimizers="own.py:Lion,lion:weight_decay=0").make_scene()
    theirs, ours = (entry.configured for entry in scene.entries)
    assert theirs.source == ours.source == "tuned"
    assert theirs.tuning is not None
    assert ours.tuning is not None
    assert theirs.tuning.best == ours.tuning.best
    np.testing.assert_array_equal(theirs.tuning.rates, ours.tuning.rates)


def test_wrappers_and_schedules_go_around_it(own: Path) -> None:
    for word in ("lookahead+{}:lr=0.1:sync_period=3", "sam+{}:lr=0.1", "{}:lr=0.1@cosine@exp/0.99"):
        theirs = optiviz.descend("wobbly", word.format("own.py:Lion"))
        ours = optiviz.descend("wobbly", word.format("lion") + ":weight_decay=0")
        np.testing.assert_array_equal(theirs.points, ours.points)


@pytest.mark.row(59)
@pytest.mark.parametrize(
    ("name", "step", "said"),
    [
        ("Steep", 9, "raised ArithmeticError at step 9: too steep (line 21)"),
        ("Shape", 1, "returned shape (3,) at step 1: a point has shape (2,)"),
        ("Nan", 1, "returned nan at step 1"),
        ("Complex", 1, "returned complex numbers at step 1"),
        ("Pair", 1, "did not return (x, state) at step 1"),
        ("Unborn", 0, "raised ZeroDivisionError at step 0: division by zero (line 54)"),
        (
            "Typo",
            1,
            "raised AttributeError at step 1: unknown attribute of the objective 'gradiant': "
            "did you mean 'gradient'? (line 93)",
        ),
        ("Leaving", 1, "raised SystemExit at step 1: 3 (line 59)"),
    ],
)
def test_what_goes_wrong_ends_its_path_alone(name: str, step: int, said: str, own: Path) -> None:
    scene = Recipe(surface="wobbly", optimizers=f"own.py:{name}:lr=0.1,adam").make_scene()
    wrong, right = scene.trajectories
    assert (wrong.stopped_at, wrong.ending + wrong.ending_detail) == (step, said)
    assert wrong.last == max(step - 1, 0)
    assert np.isnan(wrong.points[max(step, 1) :]).all()
    np.testing.assert_array_equal(right.points, optiviz.descend("wobbly", "adam").points)
    assert scene.remarks == (f"{name} {said}",)


def test_what_has_no_gradient_is_not_its_fault(own: Path) -> None:
    ground = optiviz.Surface(formula="sqrt(x) + y", domain="-1:1,-1:1")
    path = optiviz.descend(ground, "own.py:Inplace:lr=0.1", (-0.5, 0.5))
    assert (path.no_gradient_at, path.stopped_at) == (0, None)


def test_each_path_has_an_object_that_may_keep_things_in_itself(own: Path) -> None:
    plain = "own.py:Itself:lr=0.01"
    scene = Recipe(surface="wobbly", optimizers=plain, starts=[(-2, 2), (-2, 2)]).make_scene()
    np.testing.assert_array_equal(*(path.points for path in scene.trajectories))
    for schedule in ("", "@exp/0.99"):
        theirs = optiviz.descend("wobbly", plain + schedule).points
        ours = optiviz.descend("wobbly", "momentum:lr=0.01" + schedule).points
        np.testing.assert_allclose(theirs, ours, atol=1e-12)


@pytest.mark.slow
def test_a_rate_that_it_refuses_does_not_fit(own: Path) -> None:
    words = "own.py:Picky,lookahead+own.py:Unborn,lion:weight_decay=0"
    picky, unborn, lion = Recipe(surface="wobbly", optimizers=words).make_scene().entries
    assert [entry.configured.source for entry in (picky, unborn)] == ["tuned", "none fits"]
    assert picky.configured.optimizer.hyperparameters()["lr"] == lion.configured.optimizer.lr
    assert optiviz.descend("wobbly", "own.py:Timid:lr=1@cosine/5", steps=9).stopped_at == 6


def test_what_it_changes_in_place_is_its_own(own: Path) -> None:
    path = optiviz.descend("wobbly", "own.py:Inplace:lr=0.01", steps=9)
    np.testing.assert_array_equal(
        path.points, optiviz.descend("wobbly", "sgd:lr=0.01", steps=9).points
    )
    np.testing.assert_array_equal(path.states["state"][:, 0], np.arange(10))


@pytest.mark.sample(1)
@pytest.mark.parametrize("suffix", [".gif", ".png", ".json", ".csv"])
def test_a_stopped_path_is_drawn_and_told(suffix: str, own: Path, invoke: Invoke) -> None:
    result = invoke(
        *("run", "--surface", "wobbly", "--opt", "own.py:Unborn:lr=1,own.py:Steep:lr=0.1"),
        *("--view", "contour+loss+state", "-o", f"a{suffix}"),
    )
    assert result.exit_code == 0
    assert "raised ArithmeticError at step 9: too steep" in result.stdout
    if suffix == ".json":
        known = json.loads((own.parent / "a.json").read_text())["trajectories"]
        assert [each["stopped_at"] for each in known] == [0, 9]


@pytest.mark.row(59)
@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("own.py:Lino", "own.py: unknown name 'Lino': did you mean 'Lion'"),
        ("own.py", "is a file: add the name of a class, as in own.py:Lion"),
        ("own.py:Lion:beta3=1", "unknown hyperparameter 'beta3': did you mean 'beta1'"),
        ("own.py:Lion:beta3=1", "it has lr, beta1, beta2"),
        ("own.py:Lion:lr=@cosin", "unknown schedule 'cosin': did you mean 'cosine'"),
        ("own.py:Lion:lr=;", "a name or several as in 0.9/0.999, not ';'"),
        ("own.py:Picky:lr=11", "own.py:Picky: raised AssertionError"),
        ("own.py:np", "own.py: np is not a class or function"),
        ("absent.py:Lion", "absent.py: no such file in /"),
        ("wrong.py:Lion", "wrong.py: raised RuntimeError: not today (line 2)"),
        ("broken.py:Lion", "broken.py: raised SyntaxError"),
        ("nowhere.Lion", "nowhere.Lion: no module named 'nowhere'"),
        ("json.encode.Lion", "json: unknown name 'encode'"),
        ("lookahead+bfgs", "lookahead cannot wrap bfgs, which runs its own loop"),
        ("sma+adam", "unknown wrapper 'sma': did you mean 'sam'"),
        ("sam", "sam is a wrapper: add an optimizer, as in sam+sgd"),
        ("armijo+adam", "unknown wrapper 'armijo': did you mean 'backtracking'?"),
        ("steepest-descent", "did you mean 'sgd' or 'exact+sgd'?"),
        ("polyak-ruppert", "did you mean 'polyak-averaging+sgd'?"),
        ("dogleg", "unknown optimizer 'dogleg': did you mean 'trust-region'?"),
        ("rprop:lr=1@cosine", "cannot follow a schedule, because lr sets only the first step"),
        ("bfgs:gtol=1@cosine", "gtol must be a number"),
    ],
)
def test_a_wrong_one_is_named(word: str, said: str, own: Path, invoke: Invoke) -> None:
    (own.parent / "wrong.py").write_text("\nraise RuntimeError('not today')\n")
    (own.parent / "broken.py").write_text("class Lion(:\n")
    result = invoke("run", "--surface", "wobbly", "--opt", word, "-o", "a.png")
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (own.parent / "a.png").exists()


def test_values_are_read_as_they_look(own: Path) -> None:
    word = parse_spec("own.py:Picky:lr=1:betas=0.5/0.75:mode=soft:power=3:free=none:on=true")
    values = {"lr": 1, "betas": (0.5, 0.75), "mode": "soft", "power": 3, "free": None, "on": True}
    assert dict(word.settings) == values
    assert parse_spec(str(word)) == word
    used = word.build().hyperparameters()
    assert used == {**values, "lr": 1}


def test_to_read_a_word_runs_nothing(here: Path) -> None:
    (here / "mine.py").write_text("raise SystemExit('ran')\n")
    recipe = Recipe(surface="wobbly", optimizers="mine.py:Lion:lr=0.1", vary="beta=1,2")
    assert [word.name for word in recipe.specs] == ["mine.py:Lion"] * 2
    with pytest.raises(InputError, match="ran"):
        recipe.make_scene()


def test_a_file_that_has_changed_is_loaded_anew_and_not_for_an_old_recipe(own: Path) -> None:
    recipe = Recipe(surface="wobbly", optimizers="own.py:Lion:lr=0.1")
    first = recipe.make_scene().trajectories[0].points
    own.write_text(OWN.replace("x - self.lr", "x - 2 * self.lr"))
    with pytest.raises(InputError, match=r"own.py has changed since the recipe was created"):
        recipe.make_scene()
    again = Recipe(surface="wobbly", optimizers="own.py:Lion:lr=0.1")
    assert not np.array_equal(again.make_scene().trajectories[0].points, first)


@pytest.mark.parametrize(
    ("plugins", "said"),
    [
        ({"own.py": "abcd"}, "own.py: 'abcd' is not a SHA-256 hash"),
        ({"./own.py": "0" * 64}, "./own.py is not the file of any of these optimizers"),
        ({"own.py": "0" * 64, "b.py": "0" * 64}, "b.py is not the file of any of these optimizers"),
    ],
)
def test_digests_that_fit_nothing_are_refused(
    plugins: dict[str, str], said: str, own: Path, invoke: Invoke
) -> None:
    fields = {"surface": "wobbly", "optimizers": ["own.py:Lion:lr=1"], "plugins": plugins}
    (own.parent / "one.yaml").write_text(json.dumps(fields))
    result = invoke("run", "--recipe", "one.yaml", "--allow-plugins", "-o", "a.png")
    assert result.exit_code == 2
    assert said in result.stderr


def test_what_runs_is_what_was_hashed_and_leaves_nothing_behind(own: Path) -> None:
    slow = OWN.replace("- self.lr", "- 0.125 * self.lr")
    quick = OWN.replace("- self.lr", "- 0.500 * self.lr")
    ends = []
    for text in (slow, quick):  # same size, possibly within the same second
        own.write_text(text)
        ends.append(optiviz.descend("wobbly", "own.py:Lion:lr=0.1", steps=3).points[-1])
    assert not np.array_equal(*ends)
    assert [path.name for path in own.parent.iterdir()] == ["own.py"]


def test_a_state_may_be_anything(own: Path) -> None:
    own.write_text(
        OWN
        + """
class Growing(Lion):
    def init(self, x):
        return 0.0

class Imaginary(Lion):
    def init(self, x):
        return {"z": x + 1j, "x": x}

    def step(self, objective, x, state):
        return x - self.lr * objective.gradient(x), state

class Odd(Lion):
    def init(self, x):
        itself = {}
        itself["itself"] = itself
        return itself

    def step(self, objective, x, state):
        return x - self.lr * objective.gradient(x), state
"""
    )
    path = optiviz.descend("wobbly", "own.py:Growing:lr=0.1", steps=4)
    assert path.states["state"].shape == (5, 2)
    assert optiviz.descend("wobbly", "own.py:Odd:lr=0.01", steps=4).states == {}
    assert list(optiviz.descend("wobbly", "own.py:Imaginary:lr=0.01", steps=4).states) == ["x"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the names of files are text")
def test_its_folder_may_have_any_name(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = own.with_name(os.fsdecode(b"f\xff"))
    folder.mkdir()
    own.rename(folder / own.name)
    monkeypatch.chdir(folder)
    assert len(optiviz.descend("wobbly", "own.py:Lion:lr=0.1", steps=4).points) == 5


def test_a_response_that_stops_leaves_the_others(own: Path, invoke: Invoke) -> None:
    words = ("response", "--signal", "spikes", "--opt", "own.py:Leaving:lr=1,adam", "-o", "a.png")
    result = invoke(*words)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "raised SystemExit: 3 (line 59) at step 0" in result.stdout


YAML = "jobs:\n  - {{surface: wobbly, optimizers: '{}', out: a.png}}\n"


@pytest.mark.sample(1)
@pytest.mark.parametrize("word", ["own.py:Lion:lr=0.1", "sam+os.system", "torch.optim.Adam"])
def test_no_file_runs_code_unasked(word: str, own: Path, invoke: Invoke) -> None:
    (own.parent / "jobs.yaml").write_text(YAML.format(word))
    (own.parent / "one.yaml").write_text(f"surface: wobbly\noptimizers: ['{word}']\n")
    for command in (("batch", "jobs.yaml"), ("run", "--recipe", "one.yaml", "-o", "a.png")):
        result = invoke(*command)
        assert result.exit_code == 2
        assert "runs third-party code: allow it with --allow-plugins" in result.stderr
    with pytest.raises(InputError, match="--allow-plugins"):
        optiviz.load_recipe(own.parent / "one.yaml")
    with pytest.raises(InputError, match="--allow-plugins"):
        optiviz.load_jobs(own.parent / "jobs.yaml")
    assert not (own.parent / "a.png").exists()
    # Another optimizer and `inspect` need no third-party code.
    assert invoke("run", "--recipe", "one.yaml", "--opt", "adam", "-o", "b.png").exit_code == 0
    assert invoke("inspect", "one.yaml").exit_code == 0


def test_what_is_no_text_names_no_code(here: Path, invoke: Invoke) -> None:
    Path("one.yaml").write_text("surface: wobbly\noptimizers: [{name: 'own.py:f'}]\n")
    result = invoke("run", "--recipe", "one.yaml", "-o", "a.png")
    assert result.exit_code == 2
    assert "one.yaml:2:14: optimizers.0: must be text, not {'name': 'own.py:f'}" in result.stderr


@pytest.mark.slow
def test_an_allowed_one_makes_the_same_bytes(own: Path, invoke: Invoke) -> None:
    assert invoke("run", "--surface", "wobbly", "--opt", "own.py:Lion:lr=0.1", "-o", "a.png")
    allowed = invoke("run", "--recipe", "a.png", "--allow-plugins", "-o", "b.png")
    assert allowed.exit_code == 0
    assert (own.parent / "a.png").read_bytes() == (own.parent / "b.png").read_bytes()
    (own.parent / "jobs.yaml").write_text(YAML.format("own.py:Lion:lr=0.1"))
    assert "1 up to date" in invoke("batch", "jobs.yaml", "--allow-plugins").stdout
    own.write_text(OWN + "# changed")
    assert (
        "own.py has changed since" in invoke("run", "--recipe", "a.png", "--allow-plugins").stderr
    )
    assert "1 made" in invoke("batch", "jobs.yaml", "--allow-plugins").stdout


PACKAGE = '''
from dataclasses import dataclass

from optiviz.optimizers.base import Optimizer, hyper
from optiviz.surfaces.surface import Surface


@dataclass(frozen=True, eq=False, kw_only=True)
class Twice(Optimizer):
    """Gradient descent at twice the rate."""

    lr: float = hyper(help="half of the rate")

    def init(self, x):
        return ()

    def step(self, objective, x, state):
        return x - 2 * self.lr * objective.gradient(x), state


def hole(x, y):
    """A hole."""
    return x**2 + y**2


pit = Surface(name="pit", formula="x**2 + y**4", domain="-1:1,-1:1")
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install a package with entry points."""
    info = tmp_path / "site" / "acme-1.5.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(
        "[optiviz.optimizers]\ntwice = acme_plugin:Twice\nbroken = acme_plugin:Absent\n"
        "[optiviz.surfaces]\nhole = acme_plugin:hole\npit = acme_plugin:pit\n"
    )
    (info.parent / "acme_plugin.py").write_text(PACKAGE)
    monkeypatch.syspath_prepend(info.parent)
    plugins.installed_plugins.cache_clear()
    yield info
    plugins.installed_plugins.cache_clear()


@pytest.mark.slow
def test_packages_add_optimizers_and_surfaces(package: Path, invoke: Invoke) -> None:
    result = invoke("run", "--surface", "hole", "--opt", "twice,sam+twice:lr=0.1", "-o", "a.png")
    assert result.exit_code == 0
    assert "acme 1.5" in invoke("inspect", "a.png").stdout
    assert optiviz.load_surface("pit").formula == "x**2 + y**4"
    twice = optiviz.descend("pit", "twice:lr=0.1").points
    np.testing.assert_array_equal(twice, optiviz.descend("pit", "sgd:lr=0.2").points)


@pytest.mark.row(59)
def test_a_broken_one_is_a_warning_until_it_is_used(package: Path, invoke: Invoke) -> None:
    result = invoke("list", "optimizers")
    assert result.exit_code == 0
    assert "twice" in result.stdout
    assert "warning: broken (package acme): raised AttributeError" in result.stderr
    used = invoke("run", "--surface", "bowl", "--opt", "broken", "-o", "a.png")
    assert used.exit_code == 2
    assert "broken (package acme): raised AttributeError" in used.stderr
    assert "did you mean 'twice'" in invoke("run", "--surface", "bowl", "--opt", "twce").stderr


@pytest.mark.row(59)
def test_two_of_one_name_are_an_error_that_names_both(package: Path, invoke: Invoke) -> None:
    points = package / "entry_points.txt"
    points.write_text("[optiviz.optimizers]\nadam = acme_plugin:Twice\n")
    plugins.installed_plugins.cache_clear()
    result = invoke("run", "--surface", "bowl", "--opt", "adam", "-o", "a.png")
    assert result.exit_code == 2
    assert "'adam' is provided by more than one package: acme and optiviz" in result.stderr


def test_no_yaml_names_them_unasked(package: Path, invoke: Invoke, here: Path) -> None:
    for surface, word in [("bowl", "twice"), ("hole", "adam"), ("pit", "adam")]:
        (here / "one.yaml").write_text(f"surface: {surface}\noptimizers: [{word}]\n")
        result = invoke("run", "--recipe", "one.yaml", "-o", "a.png")
        assert "allow it with --allow-plugins" in result.stderr


def torch_word(name: str, settings: dict[str, object]) -> str:
    written = {
        key: "/".join(map(str, value)) if isinstance(value, list) else str(value).lower()
        for key, value in settings.items()
        if value is not None and key not in ("maximize", "decoupled_weight_decay")
    }
    return ":".join([f"torch.optim.{name}", *(f"{key}={each}" for key, each in written.items())])


TORCH = {"adam": "Adam", "adamw": "AdamW", "adagrad": "Adagrad", "sgd": "SGD", "rprop": "Rprop"}


@pytest.mark.torch
@pytest.mark.parametrize("name", TORCH)
def test_torch_gives_its_own_numbers(name: str) -> None:
    pytest.importorskip("torch")
    for run in (ROOT / "tests" / "reference" / "torch").glob(f"wobbly__{name}*.json"):
        record = json.loads(run.read_text())
        if record["optimizer"].split("_")[0] == name:
            word = torch_word(TORCH[name], record["hyperparameters"])
            path = optiviz.descend("wobbly", word, steps=record["steps"])
            rows = slice(record["compare_rows"])
            np.testing.assert_allclose(path.points[rows], record["path"][rows], atol=1e-9)


@pytest.mark.torch
def test_torch_takes_closures_and_schedules_and_tells_its_states() -> None:
    torch = pytest.importorskip("torch")
    assert torch is not None
    path = optiviz.descend("rosenbrock", "torch.optim.LBFGS:line_search_fn=strong_wolfe", steps=50)
    assert path.losses[-1] < 1e-9
    adam = optiviz.descend("wobbly", "torch.optim.Adam:lr=0.1@cosine")
    ours = optiviz.descend("wobbly", "adam:lr=0.1@cosine")
    np.testing.assert_allclose(adam.points, ours.points, atol=1e-9)
    np.testing.assert_allclose(adam.states["exp_avg"], ours.states["mean"], atol=1e-9)
    stream = optiviz.descend("wobbly", "torch.optim.Adam:lr=0.1", noise=1.0, seed=3)
    noisy = optiviz.descend("wobbly", "adam:lr=0.1", noise=1.0, seed=3)
    np.testing.assert_allclose(stream.points, noisy.points, atol=1e-9)


FUNCTIONS = """
def step(x, gradient, lr=0.1):
    return x - lr * gradient

def nothing(lr=0.1):
    return 3

class Empty:
    pass
"""


@pytest.mark.parametrize("name", ["step", "nothing", "Empty"])
def test_what_is_no_optimizer_gets_an_example_that_runs(
    name: str, invoke: Invoke, here: Path
) -> None:
    (here / "functions.py").write_text(FUNCTIONS)
    given = "run", "--surface", "bowl", "--steps", "5", "-o", "a.json", "--opt"
    ended = invoke(*given, f"functions.py:{name}")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"optiviz: functions.py:{name}")
    before, example, after = ended.stderr.split("\n\n")[0], EXAMPLE, ended.stderr.splitlines()[-1]
    assert "a class with init(x) and step(objective, x, state) in a file" in before
    assert f"\n\n{example}\n" in ended.stderr
    (here / "my_optimizer.py").write_text(example)
    assert invoke(*given, after.rpartition(" ")[2] + ":lr=0.1").exit_code == 0
    pasted = optiviz.load_recipe(here / "a.json", allow_plugins=True)
    assert pasted.optimizers == ("my_optimizer.py:Descent:lr=0.1",)
    ours = optiviz.descend("bowl", "sgd:lr=0.1", steps=5)
    theirs = optiviz.descend("bowl", "my_optimizer.py:Descent:lr=0.1", steps=5)
    np.testing.assert_array_equal(ours.points, theirs.points)


def test_a_function_from_python_gets_the_example_too() -> None:
    for optimizers in (abs, [lambda x: x], ("adam", abs)):
        with pytest.raises(InputError, match="optimizers: must be text, not a function") as raised:
            optiviz.animate("wobbly", optimizers)  # type: ignore[arg-type]
        assert EXAMPLE in str(raised.value)


TYPES = """
import torch

class Types(torch.optim.SGD):
    def step(self):
        super().step()
        for parameter in self.param_groups[0]["params"]:
            mean = parameter.detach()
            self.state[parameter] |= {
                "half": mean.half(), "brain": mean.bfloat16(), "single": mean.float(),
                "whole": torch.tensor(3), "truth": torch.tensor(True), "complex": mean + 1j,
                "sparse": mean.to_sparse(), "packed": torch.quantize_per_tensor(
                    mean.float(), 0.1, 0, torch.qint8
                ), "text": "none", "several": [mean], "nothing": None,
            }
"""


@pytest.mark.torch
def test_torch_may_keep_a_state_of_any_type(here: Path) -> None:
    pytest.importorskip("torch")
    (here / "types_.py").write_text(TYPES)
    path = optiviz.descend("bowl", "types_.py:Types:lr=0.1", steps=5)
    assert path.ended_at is None
    for name, digits in {"half": 1e-3, "brain": 1e-2, "single": 1e-6}.items():
        np.testing.assert_allclose(path.states[name][1:], path.points[1:], rtol=digits)
    assert (path.states["whole"][1:] == 3).all() and (path.states["truth"][1:] == 1).all()
    assert not {"complex", "sparse", "text"} & path.states.keys()


class Tensor:
    """What the adapter uses of a tensor: numpy knows no bfloat16."""

    def __init__(self, values: object, type_: str) -> None:
        self.values, self.type = np.array(values), type_

    def is_complex(self) -> bool:
        return self.type == "complex"

    def detach(self) -> "Tensor":
        return self

    def double(self) -> "Tensor":
        if self.type == "quantized":
            raise RuntimeError("not implemented")
        return Tensor(self.values.astype(float), "double")

    def numpy(self) -> np.ndarray:
        if self.type == "bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.values


def test_a_state_of_any_type_is_shown_as_floats_or_left_out() -> None:
    from optiviz.optimizers.torch_adapter import _states

    kept = {
        "brain": Tensor([0.5, 1.5], "bfloat16"), "whole": Tensor(3, "int64"),
        "complex": Tensor([1j], "complex"), "packed": Tensor([1.0], "quantized"),
        "step": 3, "text": "none", "nothing": None,
    }  # fmt: skip
    found = _states(kept)
    assert found.keys() == {"brain", "whole"}
    assert all(each.dtype == float for each in found.values())
    assert found["brain"].tolist() == [0.5, 1.5]


@pytest.mark.torch
@pytest.mark.parametrize("name", ["adabelief", "adan", "lamb", "lion", "yogi"])
def test_optax_gives_its_own_numbers(name: str) -> None:
    pytest.importorskip("optax")
    run = ROOT / "tests" / "reference" / "optax" / f"wobbly__{name}.json"
    record = json.loads(run.read_text())
    given = {key: each for key, each in record["hyperparameters"].items() if each is not None}
    word = OptimizerSpec(f"optax.{name}", tuple(given.items()))
    path = optiviz.descend("wobbly", str(word), steps=record["steps"])
    rows = slice(record["compare_rows"])
    np.testing.assert_allclose(path.points[rows], record["path"][rows], atol=1e-9)


@pytest.mark.torch
def test_optax_takes_schedules_line_searches_and_wrappers() -> None:
    pytest.importorskip("optax")
    path = optiviz.descend("rosenbrock", "optax.lbfgs", steps=60)
    assert path.losses[-1] < 1e-9
    theirs = optiviz.descend("wobbly", "lookahead+optax.adam:learning_rate=0.1@cosine")
    ours = optiviz.descend("wobbly", "lookahead+adam:lr=0.1@cosine")
    np.testing.assert_allclose(theirs.points, ours.points, atol=1e-9)
    np.testing.assert_allclose(theirs.states["mu"], ours.states["mean"], atol=1e-9)


@pytest.mark.torch
def test_line_searches_of_optax_descend_in_all_weights() -> None:
    pytest.importorskip("optax")
    path = optiviz.descend("digits-race", "optax.lbfgs", steps=3)
    assert path.stopped == "" and (np.diff(path.losses) < 0).all()


@pytest.mark.parametrize("name", ["torch", "optax"])
def test_a_library_that_is_not_there_is_named_with_its_extra(name: str, invoke: Invoke) -> None:
    try:
        __import__(name)
    except ModuleNotFoundError:
        result = invoke("run", "--surface", "wobbly", "--opt", f"{name}.optim.Adam")
        assert f"needs {name}: pip install 'optiviz-cli[{name}]'" in result.stderr
    else:
        pytest.skip(f"{name} is there")


def test_what_it_tells_numpy_does_not_last(here: Path, invoke: Invoke) -> None:
    (here / "strict.py").write_text(
        "import numpy as np\nnp.seterr(all='raise')\n\nclass Strict:\n"
        "    def __init__(self, lr=0.1):\n        self.lr = lr\n"
        "    def init(self, x):\n        np.seterr(all='raise')\n        return ()\n"
        "    def step(self, objective, x, state):\n        np.seterr(all='raise')\n"
        "        return x - self.lr * objective.gradient(x), state\n"
    )
    before = np.geterr()
    words = ("--formula", "exp(x**2) + y**2", "--opt", "strict.py:Strict:lr=1e9", "--steps", "5")
    result = invoke("run", *words, "-o", "x.json", "-o", "x.png", "--size", "300x200")
    assert (result.exit_code, result.stderr) == (0, "")
    assert np.geterr() == before


def test_a_class_of_ones_own_is_explained_as_a_built_in_method_is(own: Path) -> None:
    specs = "own.py:Diagonal:lr=0.1,rmsprop:lr=0.1"
    recipe = Recipe(
        surface="wobbly", optimizers=specs, steps=5, view="contour+sharpness", explain="ball"
    )
    mine, theirs = recipe.make_scene().trajectories
    np.testing.assert_allclose(mine.sharpness, theirs.sharpness, rtol=1e-9)
    np.testing.assert_array_equal(mine.stability_limits, theirs.stability_limits)
    for (one,), (other,) in zip(mine.sketches[1:], theirs.sketches[1:], strict=True):
        np.testing.assert_allclose(one.matrix, other.matrix, rtol=1e-9)


def test_a_wrong_explanation_ends_its_path_alone(own: Path) -> None:
    recipe = Recipe(surface="wobbly", optimizers="own.py:Misshapen:lr=0.1,sgd", view="sharpness")
    wrong, right = recipe.make_scene().trajectories
    said = "returned a preconditioner of shape (3,) at step 1: choose (), (2,) or (2, 2)"
    assert wrong.ending + wrong.ending_detail == said
    assert right.ending == ""
    with pytest.raises(InputError, match=r"Misshapen: raised AttributeError: .*limit"):
        wrong.stability_limits  # noqa: B018
