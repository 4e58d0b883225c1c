"""Cautious steps and clipped gradients: their formulas, and what their sketches mark."""

import numpy as np
import pytest
from conftest import Invoke

import optiviz
from optiviz.optimizers.spec import parse_spec
from optiviz.shapes import Segment, is_finite
from optiviz.system.errors import InputError

wobbly = optiviz.load_surface("wobbly")
END_OF_C_ADAMW = [-0.1690168662375356, -0.9093295593593774]  # after 100 steps at lr 0.1
THIRD_OF_TORCH = [-2.5011631886165913, -2.4820034567610714]  # SGD at 0.1, clip_grad_norm_ of 1.5


def test_a_cautious_step_has_the_coordinates_that_descend() -> None:
    plain, cautious = (parse_spec(f"{name}momentum:lr=0.05").build() for name in ("", "cautious+"))
    x = np.array(wobbly.start)
    state, seen = cautious.init(x), 0
    for _ in range(60):
        g = wobbly.gradient(x)
        would, _ = plain.step(wobbly, x, state.inner)
        u = x - would
        mask = u * g > 0
        moved, state = cautious.step(wobbly, x, state)
        np.testing.assert_allclose(moved, x - 2 / (mask.sum() + 1) * mask * u, rtol=0, atol=1e-15)
        assert g @ (moved - x) <= 0
        shapes = [each for each in cautious.sketch(state) if is_finite(each)]
        ends = [each.points[-1] for each in shapes if isinstance(each, Segment)]
        expected = [x + np.where(np.arange(2) == axis, -u, 0) for axis in np.flatnonzero(~mask)]
        np.testing.assert_array_equal(ends, expected)
        assert all(each.role == "masked" for each in shapes)
        seen += len(ends)
        x = moved
    assert seen > 5


def test_with_xi_0_it_is_the_authors_code() -> None:
    """Their c_adamw divides the mask by its mean, which is at least 0.001."""
    path = optiviz.descend("wobbly", "cautious+adam:lr=0.1:xi=0", steps=100)
    np.testing.assert_allclose(path.points[-1], END_OF_C_ADAMW, rtol=0, atol=1e-9)


def test_a_clipped_gradient_is_as_long_as_torch_makes_it() -> None:
    """clip_grad_norm_ adds 1e-6 to the length of the gradient, so the paths differ a little."""
    path = optiviz.descend("wobbly", "clip+sgd:lr=0.1:max_norm=1.5", steps=20)
    np.testing.assert_allclose(path.points[2], THIRD_OF_TORCH, rtol=0, atol=1e-6)
    lengths = np.linalg.norm(np.diff(path.points, axis=0), axis=1)
    assert lengths.max() == pytest.approx(0.15, rel=1e-12)
    short = np.linalg.norm(wobbly.gradient(path.points[:-1]), axis=1) < 1.5
    np.testing.assert_allclose(
        np.diff(path.points, axis=0)[short], -0.1 * wobbly.gradient(path.points[:-1][short])
    )


def test_the_sketch_of_clipping_is_the_step_that_was_not_taken() -> None:
    method = parse_spec("clip+sgd:lr=0.1:max_norm=1.5").build()
    for x, clipped in [(np.array(wobbly.start), True), (np.array(wobbly.minima[0]), False)]:
        _, state = method.step(wobbly, x, method.init(x))
        line, end = method.sketch(state)
        assert is_finite(line) == is_finite(end) == clipped
        if clipped:
            np.testing.assert_allclose(line[0], [x, x - 0.1 * wobbly.gradient(x)])


def test_the_cliff_throws_sgd_out_and_holds_it_when_clipped() -> None:
    thrown = optiviz.descend("cliff", "sgd:lr=1")
    held = optiviz.descend("cliff", "clip+sgd:lr=1:max_norm=0.2")
    window = optiviz.load_surface("cliff").window
    assert not window.contains(thrown.points).all()
    assert window.contains(held.points).all()
    assert held.losses[-1] < held.losses[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("cautious+bfgs",), "cautious cannot wrap bfgs, which runs its own loop"),
        (("cautious+adam:xi=-1",), "xi must lie in [0, inf), not -1.0"),
        (("clip+sgd:max_norm=0",), "max_norm must lie in (0, inf), not 0.0"),
        (
            ("cautious+projected-gradient", "--constraint", "x <= 1"),
            "cautious+projected-gradient does not know constraints",
        ),
    ],
)
def test_what_cannot_be_wrapped_is_refused(
    invoke: Invoke, words: tuple[str, ...], said: str
) -> None:
    result = invoke("run", "--surface", "bowl", "-o", "x.json", "--opt", *words)
    assert result.exit_code == 2
    assert said in result.output


def test_the_ball_of_a_clipped_step_is_a_disc_through_its_end() -> None:
    method = parse_spec("clip+sgd:lr=0.1:max_norm=1.5").build()
    x = np.array(wobbly.start)
    moved, state = method.step(wobbly, x, method.init(x))
    disc = method.ball(state, x, moved)
    np.testing.assert_array_equal(disc.center, x)
    np.testing.assert_allclose(disc.matrix, 0.15**2 * np.eye(2), rtol=1e-12, atol=1e-18)


def test_a_clipped_newton_step_has_the_true_hessian() -> None:
    method, x = parse_spec("clip+newton:max_norm=0.5").build(), np.array([2.0, 1.0])
    valley = optiviz.load_surface("rosenbrock")
    g = valley.gradient(x)
    moved, _ = method.step(valley, x, method.init(x))
    step = np.linalg.solve(valley.hessian(x), -0.5 * g / np.linalg.norm(g))
    np.testing.assert_allclose(moved - x, step, rtol=0, atol=1e-15)


@pytest.mark.parametrize("wrapper", ["clip", "sam"])
@pytest.mark.parametrize("name", ["nelder-mead", "gauss-newton", "svrg", "saga"])
def test_what_asks_for_no_gradient_has_none_that_could_be_changed(wrapper: str, name: str) -> None:
    with pytest.raises(InputError, match=rf"{wrapper} changes a gradient .*: omit {wrapper}\+"):
        parse_spec(f"{wrapper}+lookahead+{name}").probe()
