"""Planes and lines of every kind of space: where they are, and what they are called."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optiviz.objective import Array
from optiviz.surfaces.config import PlaneConfig
from optiviz.surfaces.curvature import leading_eigenvectors
from optiviz.surfaces.directions import random_directions
from optiviz.surfaces.models.python import PythonProblem
from optiviz.surfaces.models.space import ModelSpace
from optiviz.surfaces.parts import parts_of, place_of
from optiviz.surfaces.plane import difference_product, pca_plane
from optiviz.surfaces.space import Space
from optiviz.surfaces.surface import Surface
from optiviz.surfaces.weight_plane import WeightPlane
from optiviz.surfaces.windows import EDGE, RISE
from optiviz.system.errors import InputError

PARTS = parts_of([("conv", (3, 2, 2)), ("conv.bias", (3,)), ("scale", ()), ("fc", (2, 4))])
CLOUDS = {"hidden": [8], "activation": "tanh", "data": "blobs", "samples": 60, "bias": True}
SLOPES = np.array([3.0, -50.0, 1.0, 0.5, 20.0])


def network(plane: Any, **settings: Any) -> Surface:
    return Surface.model_validate({"network": CLOUDS, "plane": plane, **settings})


def quadratic(plane: Any, x0: Array | None = None) -> ModelSpace:
    """Return sum(SLOPES * x**2) / 2 + 5, as a program of anybody's."""
    problem = PythonProblem(
        np.ones(5) if x0 is None else x0,
        lambda x: 5 + float(SLOPES @ x**2) / 2,
        lambda x: SLOPES * x,
        name="quadratic",
    )
    return ModelSpace(problem, PlaneConfig.model_validate(plane))


def point() -> Array:
    drawn: Array = np.random.default_rng(1).normal(size=PARTS[-1].offset + PARTS[-1].size)
    return drawn


def lengths(part: Any, x: Array, by_filter: bool) -> Array:
    own = part.of(x)
    return np.linalg.norm(own.reshape(own.shape[0] if by_filter else 1, -1), axis=1)


@pytest.mark.parametrize("normalize", ["filter", "layer"])
@pytest.mark.parametrize("biases", ["zero", "keep"])
def test_random_directions_are_as_long_as_filters_or_layers(normalize: Any, biases: Any) -> None:
    x = point()
    for direction in random_directions(PARTS, x, 3, normalize, biases):
        for part in PARTS:
            if len(part.shape) > 1:
                own, drawn = (lengths(part, each, normalize == "filter") for each in (x, direction))
                np.testing.assert_allclose(drawn, own)
                assert np.abs(part.of(direction) - part.of(x)).max() > 0.1
            else:
                kept = part.of(x) if biases == "keep" else 0 * part.of(x)
                np.testing.assert_array_equal(part.of(direction), kept)


def test_the_same_normal_numbers_are_scaled_in_every_way() -> None:
    x, (conv, *_) = point(), PARTS
    plain, by_filter, by_layer = (
        conv.of(random_directions(PARTS, x, 3, each)[1])  # type: ignore[arg-type]
        for each in ("none", "filter", "layer")
    )
    ratios = (by_filter / plain).reshape(3, -1)
    np.testing.assert_allclose(ratios, ratios[:, :1].repeat(4, axis=1))
    assert np.ptp(ratios[:, 0]) > 0.1
    np.testing.assert_allclose(by_layer / plain, (by_layer / plain).flat[0])
    drawn = random_directions(parts_of([("w", (200, 100))]), np.ones(20_000), 0, "none")
    assert drawn.std() == pytest.approx(1, abs=0.02) and abs(drawn.mean()) < 0.02


def test_a_vector_is_one_layer() -> None:
    for x0, norm in ((np.arange(5.0), np.sqrt(30)), (np.zeros(5), 1.0)):
        space = quadratic("random:2", x0)
        np.testing.assert_allclose(np.linalg.norm(space.plane.directions, axis=1), norm)
        assert space.axes == tuple(f"direction {each} (norm {norm:.3g})" for each in (1, 2))
        assert space.frame.caption == "random directions"
    plain = quadratic({"kind": "random", "normalize": "none"})
    assert plain.frame.caption == "random directions, not normalised"


@pytest.mark.parametrize(
    ("plane", "said"),
    [
        ("random", "random directions, filter-normalised, biases fixed"),
        (
            {"kind": "random", "normalize": "layer", "biases": "keep"},
            "random directions, layer-normalised, biases along themselves",
        ),
        ("hessian", "eigenvectors of the Hessian at the start, of length 1"),
    ],
)
def test_the_caption_says_how_directions_were_made(plane: Any, said: str) -> None:
    assert network(plane).caption.endswith(f"squared error, {said}")


def test_weights_are_named_by_tensor_and_index() -> None:
    numbered = np.arange(PARTS[-1].offset + PARTS[-1].size, dtype=float)
    assert [place_of(name, PARTS) for name in ("conv[0,0,0]", "conv.bias[1]", "scale")] == [
        0,
        13,
        15,
    ]
    assert numbered[place_of("fc[1,2]", PARTS)] == PARTS[-1].of(numbered)[1, 2]
    for name, said in {
        "fc[1,4]": "there is no fc[1,4], only fc[0,0] to fc[1,3]",
        "fc[1]": "there is no fc[1], only fc[0,0] to fc[1,3]",
        "scale[0]": "there is no scale[0], only scale, one number",
        "conv.bia[0]": "unknown weight 'conv.bia': did you mean 'conv.bias'?",
        "cnv": "unknown weight 'cnv': did you mean 'conv'? (with an index, as in conv[0,0,0])",
    }.items():
        with pytest.raises(InputError, match=f"^{re.escape(said)}$"):
            place_of(name, PARTS)


@pytest.mark.parametrize(
    ("names", "fast"),
    [
        ("layer0.weight[1,0],layer1.weight[2,1]", True),
        ("layer0.bias[1],layer1.weight[2,1]", False),
    ],
)
def test_a_plane_of_weights_has_their_values(names: str, fast: bool) -> None:
    space = network(names).origin.space  # type: ignore[attr-defined]
    plane = space.plane
    assert isinstance(plane, WeightPlane) == fast and space.axes == tuple(
        f"{each}]" for each in names.removesuffix("]").split("],")
    )
    x = space.initial.copy()
    x[[place_of(name, space.parts) for name in space.axes]] = 3.0, -2.0
    np.testing.assert_allclose(plane.to_weights([3.0, -2.0]), x)
    np.testing.assert_allclose(plane.value(np.array([3.0, -2.0])), space.objective.value(x))


def test_eigenvectors_are_those_of_the_whole_hessian() -> None:
    """A network of 513 weights, whose Hessian is known column by column."""
    config = CLOUDS | {"hidden": [14, 26], "activation": "tanh", "loss": "cross-entropy"}
    space = network("hessian", network=config).origin.space  # type: ignore[attr-defined]
    dim, gradient = space.network.dim, space.network.gradient
    assert dim == 513
    whole = np.array([difference_product(gradient, space.initial, unit) for unit in np.eye(dim)])
    values, ways = np.linalg.eigh((whole + whole.T) / 2)
    order = np.argsort(-np.abs(values))[:2]
    found, vectors = leading_eigenvectors(lambda v: space.hessian_product(space.initial, v), dim)
    np.testing.assert_allclose(found, values[order], rtol=1e-6)
    np.testing.assert_allclose(np.abs(vectors @ ways[:, order]), np.eye(2), atol=1e-5)
    assert (vectors[[0, 1], np.abs(vectors).argmax(axis=1)] > 0).all()
    np.testing.assert_array_equal(space.plane.directions, vectors)
    for number, value in enumerate(found):
        assert space.axes[number] == f"eigenvector {number + 1} (λ = {value:.4g})"


@pytest.mark.parametrize("many", [5, 300])
def test_eigenvalues_largest_in_magnitude_come_first(many: int) -> None:
    bends = np.linspace(-3, 1, many)
    values, vectors = leading_eigenvectors(lambda v: bends * v, many)
    np.testing.assert_allclose(values, bends[:2], rtol=1e-9)
    np.testing.assert_allclose(vectors, np.eye(2, many), atol=1e-4)


@pytest.mark.parametrize(
    ("product", "said"),
    [
        (lambda v: 0 * v, "the Hessian at the start is 0"),
        (lambda v: np.nan * v, "is not finite"),
        (lambda v: 9 * np.sign(v) + v, "the gradient has jumps"),
    ],
)
def test_a_hessian_that_cannot_be_had_is_told(product: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        leading_eigenvectors(product, 40)


def test_eigenvectors_of_variables_and_of_a_program() -> None:
    space = quadratic("hessian")
    assert space.axes == ("eigenvector 1 (λ = -50)", "eigenvector 2 (λ = 20)")
    np.testing.assert_allclose(np.abs(space.plane.directions), np.eye(5)[[1, 4]], atol=1e-6)
    formula = "sum(x**2) + 7*x[2]**2 - 3*x[3]**2"
    declared = {"formula": formula, "variables": 4, "plane": "hessian"}
    surface = Surface.model_validate(declared)
    assert surface.axis_names == ("eigenvector 1 (λ = 16)", "eigenvector 2 (λ = -4)")
    assert surface.window.intervals == ((-3, 3), (-3, 3))


def test_a_window_reaches_to_where_the_loss_has_risen() -> None:
    """On 5 + r**2 / 2 * slopes, which is known everywhere."""
    space = quadratic({"kind": "weights", "weights": ["x[0]", "x[4]"]}, np.zeros(5))
    assert space.window.domain.intervals == ((-10, 10), (-10, 10))  # of weights, as they are
    space = quadratic("hessian", np.zeros(5))
    found = space.window
    assert "does not rise" in found.told  # it falls along the first eigenvector
    for x0 in (np.zeros(5), 1e-3 * np.ones(5), 1e3 * np.eye(5)[0]):
        space = quadratic("random:1", x0)
        (low, high), up = space.window.domain.intervals
        assert (low, high) == up and low == -high
        if "at its edge is 10 times" in space.window.told:
            middle = float(space.plane.value(np.zeros(2)))
            assert np.median(space.plane.value(high * EDGE)) >= 0.95 * RISE * middle
            assert np.median(space.plane.value(0.85 * high * EDGE)) < RISE * middle
            assert f"{middle:.3g}" in space.window.told


def test_a_window_around_a_loss_below_0_is_the_usual_one() -> None:
    problem = PythonProblem(np.zeros(2), lambda x: float(x @ x) - 1, lambda x: 2 * x, name="bowl")
    found = ModelSpace(problem, PlaneConfig.model_validate("random")).window
    assert found.domain.intervals == ((-1, 1), (-1, 1))
    assert found.told == "window ±1: the loss in its middle is -1"


@pytest.mark.parametrize("factor", [1.0, 100.0, 1e-3])
def test_a_window_shrinks_and_grows(factor: float) -> None:
    """The loss is 1 + r**2 / 2 on an axis and 1 + r**2 in a corner, in the median 10 at 3.46."""
    problem = PythonProblem(
        np.zeros(2), lambda x: 1 + float(x @ x) / 2, lambda x: x.copy(), name="bowl"
    )
    space = ModelSpace(problem, PlaneConfig.model_validate("random"))
    space.plane = space.plane_through(np.zeros(2), factor * np.eye(2))
    ((low, high), _) = space.window.domain.intervals
    if factor == 1e-3:  # farther than it looks
        assert (low, high) == (-1, 1) and "does not rise" in space.window.told
    else:
        assert high == pytest.approx(3.46 / factor, rel=0.1) and low == -high


def checkpoints(space: Space, folder: Path) -> dict[str, Array]:
    """Write three checkpoints, and return their parameters by name."""
    random, found = np.random.default_rng(4), {}
    for name in ("a", "b", "c"):
        x = space.initial + random.normal(size=len(space.initial))
        np.savez(folder / f"{name}.npz", **{each.name: each.of(x) for each in space.parts})
        found[name] = x
    return found


SPACES = {
    "network": lambda plane: network(plane).origin.space,
    "program": quadratic,
    "variables": lambda plane: (
        Surface.model_validate(
            {"formula": "sum(x**2)", "variables": 4, "plane": plane}
        ).origin.space
    ),
}


@pytest.mark.parametrize("kind", SPACES)
def test_a_line_leads_from_one_checkpoint_to_the_other(kind: str, here: Path) -> None:
    found = checkpoints(SPACES[kind]("random"), here)  # type: ignore[arg-type,operator]
    space: Any = SPACES[kind]("between:a.npz,b.npz")
    assert space.plane.dim == 1 and space.window.domain.intervals == ((-0.25, 1.25),)
    ends = space.plane.to_weights(np.array([[0.0], [1.0]]))
    np.testing.assert_allclose(ends, [found["a"], found["b"]])
    norm = np.linalg.norm(found["b"] - found["a"])
    assert space.axes == (f"from a to b (norm {norm:.3g})",)
    shares = np.array([[0.0], [0.3], [1.0]])
    losses = [float(space.objective.value(x)) for x in space.plane.to_weights(shares)]
    np.testing.assert_allclose(space.plane.value(shares), losses)


@pytest.mark.parametrize("kind", SPACES)
def test_a_plane_leads_through_three_checkpoints(kind: str, here: Path) -> None:
    found = checkpoints(SPACES[kind]("random"), here)  # type: ignore[arg-type,operator]
    space: Any = SPACES[kind]("through:start,b.npz,c.npz")
    plane, (start, b, c) = space.plane, space.frame.anchors
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-12)
    for anchor, x in ((start, space.initial), (b, found["b"]), (c, found["c"])):
        np.testing.assert_allclose(plane.to_weights(anchor.point), x, atol=1e-12)
        assert space.window.domain.contains(anchor.point)
    assert [each.name for each in space.frame.anchors] == ["start", "b", "c"]
    assert space.axes == ("from start to b (norm 1)", "towards c (norm 1)")
    assert c.point[1] > 0 == b.point[1]


def test_checkpoints_that_make_no_plane_are_told(here: Path) -> None:
    space = quadratic("random")
    x = checkpoints(space, here)
    np.savez("middle.npz", x=(x["a"] + x["b"]) / 2)
    np.savez("copy.npz", x=x["a"])
    np.savez("nan.npz", x=np.full(5, np.nan))
    np.savez("other.npz", y=np.ones(5))
    for plane, said in {
        "between:a.npz,copy.npz": "a.npz and copy.npz are the same parameters",
        "through:a.npz,b.npz,middle.npz": "a.npz, b.npz, middle.npz are on one line",
        "between:a.npz,nan.npz": "nan.npz: has parameters that are not finite",
        "between:a.npz,other.npz": "other.npz: is of another model: it has no x",
        "between:a.npz,none.npz": "none.npz",
    }.items():
        with pytest.raises(InputError, match=re.escape(said)):
            quadratic(plane).plane  # noqa: B018


def test_checkpoints_of_one_name_are_told_apart(here: Path) -> None:
    for folder in ("one", "two"):
        (here / folder).mkdir()
        np.savez(here / folder / "last.npz", x=np.full(5, len(folder) + ord(folder[0])))
    space = quadratic("between:one/last.npz,two/last.npz")
    assert space.axes[0].startswith("from one/last.npz to two/last.npz")


@pytest.mark.parametrize(
    ("plane", "said"),
    [
        ("between", "between needs two different checkpoints, as in between:start,a.npz"),
        ("between:a.npz", "between needs two different checkpoints"),
        ("between:a,1.npz,b.npz", "not 3: names with commas are written in a YAML file"),
        ("between:a.npz,a.npz", "between needs two different checkpoints"),
        ("through:a.npz,b.npz", "through needs three different checkpoints"),
        ("hesian", "unknown plane 'hesian': did you mean 'hessian'"),
        ({"kind": "path", "checkpoints": ["a.npz"]}, "a path plane has no checkpoints"),
        ({"kind": "path", "seed": 3}, "is for random planes: write random:0"),
        ({"kind": "hessian", "normalize": "layer"}, "is for random planes: write random:0"),
        ({"kind": "weights"}, "a plane of weights needs two weights, as in layer0.weight[0,1],"),
        ({"weights": ["a[0]", "a[0]"]}, "must be two different weights"),
    ],
)
def test_a_plane_that_is_none_is_refused(plane: Any, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        PlaneConfig.model_validate(plane)


@pytest.mark.parametrize(
    "text",
    [
        *("path", "random", "random:7", "hessian", "x1,x4", "conv1.weight[0,1,2,2],fc.bias[3]"),
        *("between:a.npz,b.npz", "through:start,runs/a.pt,b.npz"),
    ],
)
def test_a_plane_is_written_as_it_is_read(text: str) -> None:
    plane = PlaneConfig.model_validate(text)
    assert plane.as_text == text
    assert PlaneConfig.model_validate(plane.model_dump(mode="json")) == plane


def test_shares_of_variance_are_those_of_scikit_learn() -> None:
    decomposition = pytest.importorskip("sklearn.decomposition")
    points = np.random.default_rng(0).normal(size=(40, 200)) * np.linspace(1, 9, 200)
    found = pca_plane(points)
    theirs = decomposition.PCA(n_components=2, svd_solver="full").fit(points)
    np.testing.assert_allclose(found.shares, theirs.explained_variance_ratio_, rtol=1e-9)
    np.testing.assert_allclose(
        np.abs(found.directions @ theirs.components_.T), np.eye(2), atol=1e-9
    )
