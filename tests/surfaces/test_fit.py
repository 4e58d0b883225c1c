"""Curves that are fitted to samples: their losses, derivatives, batches, and what is wrong."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import FITS, Invoke
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import curve_fit, root

import optiviz
from optiviz.descent import problem_of
from optiviz.descent.trajectory import Trajectory
from optiviz.recipes.command import drawn_command
from optiviz.surfaces.fit import best_fit
from optiviz.surfaces.surface import Surface

X = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 6.0])
Y = np.array([5.1, 3.0, 1.9, 1.1, 0.7, 0.4])
LABELS = np.array([1, 1, 0, 1, 0, 0])
POINTS = "x,y\n" + "".join(f"{x},{y}\n" for x, y in zip(X, Y, strict=True))


def surface(model: str, y: Any = Y, loss: str = "squared-error", **more: Any) -> Surface:
    """Return the surface of a fit to X and y."""
    return Surface(fit={"model": model, "data": {"x": X, "y": y}, "loss": loss}, **more)


LINE, CURVE = surface("w*x + b"), surface("a*exp(-b*x)")
LOGISTIC = surface("w*x + b", LABELS, "logistic")


def path(fitted: Surface, optimizer: str, **more: Any) -> Trajectory:
    """Return the path of an optimizer."""
    recipe = optiviz.Recipe(surface=fitted, optimizers=optimizer, **more)
    return recipe.full_trajectories()[0]


def mean_loss(fitted: Surface, parameters: Any) -> Any:
    """Return the loss as its definition has it, for complex parameters, too."""
    one, other = parameters
    if fitted is CURVE:
        return np.mean((one * np.exp(-other * X) - Y) ** 2) / 2
    z = one * X + other
    if fitted is LINE:
        return np.mean((z - Y) ** 2) / 2
    return np.mean(np.log(1 + np.exp(z)) - LABELS * z)


@pytest.mark.parametrize("fitted", [LINE, CURVE, LOGISTIC], ids=["line", "curve", "logistic"])
def test_derivatives_are_exact(fitted: Surface) -> None:
    for point in np.random.default_rng(0).normal(size=(5, 2)):
        assert_allclose(fitted.value(point), mean_loss(fitted, point), rtol=1e-13)
        slopes = [mean_loss(fitted, point + 1e-30j * each).imag / 1e-30 for each in np.eye(2)]
        assert_allclose(fitted.gradient(point), slopes, rtol=1e-12, atol=1e-13)
        both = fitted.value_and_gradient(point)
        assert_array_equal(both[0], fitted.value(point))
        assert_array_equal(both[1], fitted.gradient(point))
        ends = [fitted.gradient(point + side * np.eye(2) * 1e-5) for side in (1, -1)]
        assert_allclose(fitted.hessian(point), (ends[0] - ends[1]) / 2e-5, rtol=1e-7, atol=1e-8)


def test_the_logistic_loss_neither_overflows_nor_cancels() -> None:
    far = np.array([[-300.0, 1000.0], [1000.0, -2000.0], [0.0, 40.0]])
    for parameters, value in zip(far, LOGISTIC.value(far), strict=True):
        z = (1 - 2 * LABELS) * (parameters[0] * X + parameters[1])
        exact = np.where(z > 30, z + np.exp(-np.abs(z)), np.log1p(np.exp(np.minimum(z, 30))))
        assert_allclose(value, exact.mean(), rtol=1e-14)
    assert np.isfinite(LOGISTIC.gradient(far)).all() and np.isfinite(LOGISTIC.hessian(far)).all()


def test_minima_are_those_of_numpy_and_scipy() -> None:
    assert_allclose(LINE.minima[0], np.polyfit(X, Y, 1), rtol=1e-12)
    known, _ = curve_fit(
        lambda x, a, b: a * np.exp(-b * x), X, Y, (5, 0.5), ftol=1e-15, xtol=1e-15,
        jac=lambda x, a, b: np.exp(-b * x)[:, None] * np.column_stack([np.ones(6), -a * x]),
    )  # fmt: skip
    assert_allclose(CURVE.minima[0], known, rtol=1e-9)
    features = np.column_stack([X, np.ones(6)])
    slopes = lambda p: features.T @ (1 / (1 + np.exp(-features @ p)) - LABELS)  # noqa: E731
    assert_allclose(LOGISTIC.minima[0], root(slopes, (0, 0), tol=1e-13).x, rtol=1e-9)
    for each in (LINE, CURVE, LOGISTIC):
        assert_allclose(each.gradient(np.array(each.minima[0])), 0, atol=1e-13)
    separable = surface("w*x + b", (X > 2).astype(float), "logistic")
    assert separable.minima == () and separable.window.intervals == ((-3, 3), (-3, 3))
    assert surface("(p + q)*x").minima == ()  # a valley of best fits
    assert_allclose(surface("w*x").minima, [[X @ Y / (X @ X)]])


def test_the_window_holds_the_ellipse_of_a_fit_that_knows_nothing() -> None:
    sides = np.array(LINE.window.intervals)
    best, hessian = np.array(LINE.minima[0]), LINE.hessian(np.zeros(2))
    angles = np.linspace(0, 2 * np.pi, 1000)
    circle = np.sqrt(Y.var()) * np.column_stack([np.cos(angles), np.sin(angles)])
    ellipse = best + circle @ np.linalg.inv(np.linalg.cholesky(hessian))
    extent = np.array([ellipse.min(axis=0), ellipse.max(axis=0)]).T
    assert_allclose(sides, extent, atol=0.06 * np.ptp(extent, axis=1).max())
    assert LINE.window_told.endswith("around the best fit")
    assert surface("w*x + b", domain="-1:1,0:9").window_told == ""


@pytest.mark.parametrize("name", FITS)
def test_minima_of_named_fits_are_the_best(name: str) -> None:
    fitted = FITS[name]
    assert fitted.fit is not None
    best = best_fit(fitted.fit, fitted.variables).parameters
    assert_allclose(fitted.minima[0], best, rtol=1e-12)
    assert fitted.window.contains(np.array([best, fitted.start])).all()
    assert set(fitted.tags) <= {"convex", "valley", "fit"} and fitted.source
    one, other = np.random.default_rng(0).normal(size=(2, 500, 2)) * 3
    middle = fitted.value((one + other) / 2)
    assert (middle <= (fitted.value(one) + fitted.value(other)) / 2 + 1e-12).all()


def test_published_fits_are_found() -> None:
    """Anscombe (1973) has y = 3 + 0.5x; Dalal et al. (1989) 15.043 and -0.2322 per degree."""
    assert_allclose(FITS["linear-regression"].minima[0], (0.5, 3), rtol=2e-4)
    slope, level = FITS["logistic-regression"].minima[0]
    assert_allclose((level - 65 * slope / 10, slope / 10), (15.043, -0.2322), atol=1e-4)


def test_the_squared_error_is_half_the_sum_of_squares_of_residuals() -> None:
    objective: Any = problem_of(CURVE).without_noise(None, 0)
    point = np.array([2.0, 0.3])
    r, jacobian = objective.residuals(point), objective.jacobian(point)
    assert_allclose(r @ r / 2, CURVE.value(point), rtol=1e-14)
    assert_allclose(r @ jacobian, CURVE.gradient(point), rtol=1e-13)
    other: Any = problem_of(LOGISTIC).without_noise(None, 0)
    assert other.jacobian is None and other.residuals is None
    assert_allclose(path(CURVE, "gauss-newton", starts=[(4, 0.4)], steps=30).end, CURVE.minima[0])


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("fitted", "rate"), [(CURVE, 0.05), (LOGISTIC, 0.1)], ids=["curve", "logistic"]
)
def test_batches_are_unbiased_and_each_epoch_has_every_sample(fitted: Surface, rate: float) -> None:
    stream: Any = problem_of(fitted).objective(batch_size=2, seed=3)
    point = np.array([0.7, -0.4])
    epoch = [stream.at(step) for step in range(3)]
    assert sorted(np.concatenate([each.chosen for each in epoch])) == [*range(6)]
    for part in ("value", "gradient"):
        mean = np.mean([getattr(each, part)(point) for each in epoch], axis=0)
        assert_allclose(mean, getattr(fitted, part)(point), rtol=1e-13)
    assert_allclose(stream.full_batch.gradient(point), fitted.gradient(point), rtol=1e-13)
    assert_allclose(stream.sample_gradients(point).mean(axis=0), fitted.gradient(point), rtol=1e-13)
    walked = path(fitted, f"saga:lr={rate}", starts=[(4, 0.5)], batch_size=1, steps=1500)
    assert walked.loss(1500) < float(fitted.value(np.array(fitted.minima[0]))) + 1e-3


def test_values_of_many_points_are_those_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(0).normal(size=(4, 5, 2))
    whole = CURVE.value(points), CURVE.gradient(points), CURVE.hessian(points)
    monkeypatch.setattr("optiviz.surfaces.fit.BLOCK", 13)
    for part, known in zip(("value", "gradient", "hessian"), whole, strict=True):
        assert_array_equal(getattr(CURVE, part)(points), known)


def test_parameters_may_be_in_another_order() -> None:
    turned = surface("w*x + b", variables="b,w")
    point = np.array([0.3, -2.0])
    assert_array_equal(turned.value(point), LINE.value(point[::-1]))
    assert_allclose(turned.minima[0], LINE.minima[0][::-1])


def test_a_file_is_what_is_declared(here: Path) -> None:
    (here / "p.csv").write_text("# measured\n" + POINTS)
    np.savez(here / "p.npz", x=X, y=Y, other=np.array(["a"]))
    np.save(here / "p.npy", np.column_stack([X, Y]))
    for file in ("p.csv", "p.npz", "p.npy"):
        found = Surface(fit={"model": "w*x + b", "data": file})
        assert_array_equal(found.minima, LINE.minima)
        assert found.domain == LINE.domain and found.shown_formula == "y = w*x + b"
    pairs = Surface(fit={"model": "w*x + b", "data": np.column_stack([X, Y]).tolist()})
    assert pairs.fit == LINE.fit
    (here / "n.csv").write_text("area,town,price\n30,A,1\n50,B,2.5\n60,C,2\n")
    named = Surface(fit={"model": "price ~ w*area + b", "data": "n.csv"})
    assert named.shown_formula == "price = w*area + b" and named.variables == ("w", "b")


def test_recipes_hold_data_or_the_hash_of_their_file(here: Path, invoke: Invoke) -> None:
    (here / "p.csv").write_text(POINTS)
    words = ["run", "--fit", "w*x + b", "--data", "p.csv", "--opt", "sgd:lr=0.01", "--steps", "3"]
    assert invoke(*words, "-o", "x.json", "-q").exit_code == 0
    kept = json.loads((here / "x.json").read_text())["recipe"]["surface"]["fit"]
    assert kept["model"] == "y = w*x + b" and len(kept["sha256"]) == 64
    assert invoke("run", "--recipe", "x.json", "-o", "y.json", "-q").exit_code == 0
    paths = [json.loads((here / each).read_text())["trajectories"] for each in ("x.json", "y.json")]
    assert paths[0] == paths[1]
    command = drawn_command(optiviz.load_recipe(here / "x.json"))
    assert command is not None and not command.needs_window
    assert command.arguments[2:] == [
        *("--fit", "y = w*x + b", "--data", "p.csv", "--variables", "w,b")
    ]
    result = invoke("run", "--recipe", "x.json", "-o", "p.csv")
    assert result.exit_code == 2 and "p.csv" in result.stderr
    (here / "p.csv").write_text(POINTS + "7,0.3\n")
    result = invoke("run", "--recipe", "x.json", "-o", "y.json")
    assert result.exit_code == 2 and "p.csv has changed since the recipe" in result.stderr
    (here / "p.csv").unlink()
    result = invoke("run", "--recipe", "x.json", "-o", "y.json")
    assert result.exit_code == 2 and "p.csv: no such file" in result.stderr
    recipe = optiviz.Recipe(surface=LINE, optimizers="sgd:lr=0.01")
    assert type(recipe).model_validate(recipe.model_dump(mode="json")) == recipe


FILES = {
    "p.csv": POINTS,
    "one.csv": "x\n1\n2\n",
    "text.csv": "x,y\n1,2\n2,b\n",
    "short.csv": "x,y\n1,2\n2\n",
    "bare.csv": "1,2\n2,3\n",
    "empty.csv": "x,y\n",
    "three.csv": "x,u,v\n1,2,3\n",
    "p.txt": "x,y\n1,2\n",
    "s.csv": "x;y\n1;2\n",
}
MISTAKES = {
    "w*x+b --data none.csv": "--data: none.csv: no such file",
    "w*x+b": "--data: required, but missing: name the file of samples",
    "w*x+b --data p.txt": "--data: 'p.txt' must end in .csv, .npz or .npy",
    "w*x+b --data one.csv": "--fit: needs another column than x, to which it is fitted",
    "w*x+b --data text.csv": "text.csv:3: y must be a finite number, not 'b'",
    "w*x+b --data short.csv": "--data: short.csv:3: must have 2 columns, not 1",
    "w*x+b --data bare.csv": "--data: bare.csv:1: must name the columns, for example x,y",
    "w*x+b --data empty.csv": "empty.csv: there are no samples",
    "w*x+b --data three.csv": "--fit: name the column that is fitted, as in u = w*x+b",
    "z=w*x+b --data p.csv": "--fit: unknown column 'z': choose from x, y",
    "w*z+b --data p.csv": "must have one of the columns, but has none of x and y",
    "sigmoid(w*x) --data p.csv --loss logistic": "loss adds by itself: write y = w * x",
    "w*x+b --data s.csv": "s.csv:1: columns must be separated by commas",
    "w*x+b*y --data p.csv": "must have one of the columns, but has several of x and y",
    "=w*x+b --data p.csv": "'=w*x+b' must name a column before =",
    "a*x**2+b*x+c --data p.csv": "must have one or two parameters, but has a, b and c",
    "x**2 --data p.csv": "must have one or two parameters, but has none",
    "w*x+ --data p.csv": "--fit: formula 'w*x+' is not an expression",
    "w*x+b --data p.csv --loss logistic": "y must be 0 or 1 for the logistic loss, but contains 5",
    "w*x+b --data p.csv --loss logit": "--loss: unknown loss 'logit': did you mean 'logistic'?",
    "w*x+b --data p.csv --variables w,c": "--variables: must be the parameters of w*x+b: w,b",
    "w*x+b --data p.csv --formula x": "--fit: cannot be combined with a surface or a formula",
    "w*x+b --data p.csv --l1 1": "--l1: is added to a formula, but there is a fit",
    "w*x+b --data p.csv --param w=1": "--param: are those of a formula: write numbers instead",
    "w*x+b --data p.csv --batch-size 7": "a batch cannot have 7 samples: there are 6",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_what_is_wrong_is_told(words: str, here: Path, invoke: Invoke) -> None:
    for file, text in FILES.items():
        (here / file).write_text(text)
    result = invoke("run", "--opt", "sgd:lr=0.1", "--fit", *words.split(), "-o", "x.json")
    assert result.exit_code == 2 and MISTAKES[words] in result.stderr


def test_options_of_fits_need_one(invoke: Invoke) -> None:
    result = invoke("run", "--surface", "bowl", "--opt", "sgd", "--loss", "logistic")
    assert result.exit_code == 2 and "--loss: needs a fit, but there is none" in result.stderr
    result = invoke("run", "--surface", "bowl", "--opt", "sgd", "--view", "data")
    assert result.exit_code == 2 and "data has no samples to draw" in result.stderr


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([[1, 2, 3]], "must be a file, or points such as"),
        ({"x": [1, 2], "y": [1]}, "y and x differ in length: 1 and 2"),
        ({"x": [1, 2], "y": [1, np.nan]}, "y must contain finite numbers"),
        ({"x": 1, "y": [1]}, "x must be a list of numbers"),
        ([], "must be a file, or points such as"),
    ],
)
def test_data_that_are_none_are_told(data: Any, said: str) -> None:
    with pytest.raises(optiviz.InputError, match=said):
        Surface(fit={"model": "w*x + b", "data": data})
