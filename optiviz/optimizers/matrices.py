"""Methods whose step is that of a whole matrix: Muon, Shampoo and SOAP.

They read the parts of an objective, its named tensors in the flat vector of all parameters. A
tensor of more than two axes is, to Muon, the matrix of its first axis by all others.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from optiviz.objective import Array, Objective
from optiviz.optimizers.base import Hyper, Optimizer, hyper
from optiviz.shapes import Ball, Body

EPS = float(np.finfo(float).eps)
QUINTIC = 3.4445, -4.7750, 2.0315  # coefficients of Muon's Newton-Schulz iteration
SHORTEST = 1e-7  # length by which Muon divides at least
ADAM_BETAS, ADAM_EPS = (0.9, 0.95), 1e-10  # of the Adam beside Muon
DENSE = 1024  # coordinates up to which a preconditioner is formed as a matrix


def decomposed(decompose: Callable[[Array], tuple[Array, ...]], matrix: Array) -> tuple[Array, ...]:
    """Return the factors of matrices, shape (..., n, m), nan where one is not finite."""
    finite = np.asarray(np.isfinite(matrix).all(axis=(-2, -1)))[..., None, None]
    factors = decompose(np.where(finite, matrix, np.eye(*matrix.shape[-2:])))
    return tuple(
        np.where(finite if each.ndim == matrix.ndim else finite[..., 0], each, np.nan)
        for each in factors
    )


def orthogonal(matrix: Array) -> Array:
    """Return the nearest orthogonal matrix U V' of each matrix U S V', shape (..., n, m).

    Directions in which a matrix is 0 up to rounding stay 0.
    """
    left, values, right = decomposed(lambda each: np.linalg.svd(each, full_matrices=False), matrix)
    rounding = EPS * max(matrix.shape[-2:]) * values[..., :1]
    kept = np.where(values > rounding, 1.0, np.where(np.isnan(values), np.nan, 0.0))
    product: Array = (left * kept[..., None, :]) @ right
    return product


def newton_schulz(matrix: Array, iterations: int) -> Array:
    """Return matrices, shape (..., n, m), with singular values near 1, about 0.7 to 1.2.

    X <- a X + b XX'X + c XX'XX'X, from a matrix divided by its Frobenius norm.
    """
    first, third, fifth = QUINTIC
    tall = matrix.shape[-2] > matrix.shape[-1]
    x = np.swapaxes(matrix, -2, -1) if tall else matrix
    x = x / np.maximum(np.sqrt((x * x).sum(axis=(-2, -1), keepdims=True)), SHORTEST)
    for _ in range(iterations):
        gram = x @ np.swapaxes(x, -2, -1)
        x = first * x + (third * gram + fifth * (gram @ gram)) @ x
    return np.swapaxes(x, -2, -1) if tall else x


def inverse_root(matrix: Array, order: int, least: Hyper) -> Array:
    """Return matrix**(-1/order) of symmetric ones with eigenvalues of at least `least`."""
    values, vectors = decomposed(np.linalg.eigh, matrix)
    roots = np.maximum(values, least) ** (-1 / order)
    product: Array = (vectors * roots[..., None, :]) @ np.swapaxes(vectors, -2, -1)
    return product


Shapes = tuple[tuple[int, ...], ...]  # of the tensors in a vector, one after another


def shapes_of(objective: Any) -> Shapes:
    """Return the shapes of the tensors of an objective; a number is a vector of one."""
    return tuple(tuple(part.shape) or (1,) for part in objective.parts)


def tensors_in(x: Array, shapes: Shapes) -> Iterator[tuple[slice, Array]]:
    """Yield where each tensor is in vectors, shape (..., dim), and its values, (..., *shape)."""
    begin = 0
    for shape in shapes:
        place = slice(begin, begin + prod(shape))
        yield place, x[..., place].reshape(*x.shape[:-1], *shape)
        begin = place.stop


def matrices_in(x: Array, shapes: Shapes) -> Iterator[tuple[slice, Array]]:
    """Yield where each tensor of two or more axes is, and its values, (..., rows, columns)."""
    for (place, tensor), shape in zip(tensors_in(x, shapes), shapes, strict=True):
        if len(shape) > 1:
            yield place, tensor.reshape(*x.shape[:-1], shape[0], -1)


class MuonState(NamedTuple):
    """State of Muon, and of the Adam beside it."""

    velocity: Array  # (..., dim), running mean of gradients
    mean: Array  # (..., dim), Adam's
    square: Array  # (..., dim), Adam's
    shapes: Shapes  # of the tensors, () before the first step
    step: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Muon(Optimizer):
    """Momentum whose step on a matrix is made orthogonal: all its singular values become one.

        v <- momentum * v + (1 - momentum) * g
        m <- momentum * v + (1 - momentum) * g             with nesterov, else v
        O <- U V'                                          of the matrix m = U S V'
        x <- x - lr * (sqrt(max(1, rows / columns)) * O + weight_decay * x)

    Paper: Jordan et al., Muon: An optimizer for hidden layers in neural networks, 2024; as the
    steepest descent in the spectral norm: Bernstein and Newhouse, Old Optimizer, New Norm, 2024.

    U V' is found by the Newton-Schulz iteration of their coefficients, which brings singular values
    that are not tiny to between about 0.7 and 1.2, or exactly with iterations=0. Tensors of one
    axis, such as biases, are left to Adam with the rate adam_lr, beta1 = 0.9, beta2 = 0.95 and
    eps = 1e-10, as in their MuonWithAuxAdam. The same as torch.optim.Muon, which computes U V' in
    bfloat16.
    """

    lr: Hyper = hyper(help="learning rate of matrices", within="(0, inf)")
    momentum: Hyper = hyper(0.95, help="decay rate of the mean gradient", within="[0, 1)")
    nesterov: bool = hyper(True, help="look ahead along the mean gradient")
    iterations: int = hyper(
        5, help="Newton-Schulz iterations, 0 for an exact U V'", within="[0, 100)"
    )
    weight_decay: Hyper = hyper(0.0, help="decoupled: lr * weight_decay * x is subtracted")
    adam_lr: Hyper = hyper(3e-4, help="learning rate of Adam for other tensors", within="(0, inf)")

    needs: ClassVar = ("matrices",)

    def scaled(self, factor: float) -> Self:
        return self.with_fields(lr=self.lr * factor, adam_lr=self.adam_lr * factor)

    def init(self, x: Array) -> MuonState:
        zero = np.zeros_like(x)
        return MuonState(zero, zero, zero, (), 0)

    def step(self, objective: Objective, x: Array, state: MuonState) -> tuple[Array, MuonState]:
        g = objective.gradient(x)
        velocity = self.momentum * state.velocity + (1 - self.momentum) * g
        looking = self.momentum * velocity + (1 - self.momentum) * g if self.nesterov else velocity
        (beta1, beta2), t = ADAM_BETAS, state.step + 1
        mean = beta1 * state.mean + (1 - beta1) * g
        square = beta2 * state.square + (1 - beta2) * g * g
        move = mean / (1 - beta1**t) / (np.sqrt(square / (1 - beta2**t)) + ADAM_EPS)
        rate = np.zeros_like(x) + self.adam_lr
        shapes = shapes_of(objective)
        for place, matrix in matrices_in(looking, shapes):
            rows, columns = matrix.shape[-2:]
            many = int(self.iterations)
            found = newton_schulz(matrix, many) if many else orthogonal(matrix)
            longer = float(np.sqrt(max(1.0, rows / columns)))
            move[..., place] = longer * found.reshape(*x.shape[:-1], -1)
            rate[..., place] = self.lr
        moved = x - rate * (move + self.weight_decay * x)
        return moved, MuonState(velocity, mean, square, shapes, t)

    def ball(self, state: MuonState, before: Array, after: Array) -> Ball:
        """Return the ball of the largest singular value: of each matrix that of its step.

        Steps end on its edge with iterations=0, and otherwise near it. Other tensors, of which it
        says nothing, are where Adam takes them.
        """
        center, longest = after.copy(), np.zeros_like(after)
        for place, _ in matrices_in(after, state.shapes):
            center[place] = before[place] * (1 - self.lr * self.weight_decay)
        for place, matrix in matrices_in(after - center, state.shapes):
            longest[place] = np.linalg.norm(matrix, 2) if np.isfinite(matrix).all() else np.nan
        return Body(center, partial(_spectral, state.shapes, longest))


def _spectral(shapes: Shapes, longest: Array, directions: Array) -> Array:
    """Return the furthest points of balls of matrices, shape (n, dim), along directions.

    longest, shape (dim,), are the largest singular values of the matrices in the balls.
    """
    far = np.zeros_like(directions)
    for place, matrix in matrices_in(directions, shapes):
        far[..., place] = orthogonal(matrix).reshape(len(directions), -1)
    return far * longest


def _front(tensor: Array, axis: int, lead: int) -> tuple[Array, tuple[int, ...]]:
    """Return a tensor as a matrix, (..., n, rest), of one axis by all others, and its shape."""
    moved = np.moveaxis(tensor, lead + axis, lead)
    return moved.reshape(*moved.shape[: lead + 1], -1), moved.shape


def _gram(tensor: Array, axis: int, lead: int) -> Array:
    """Return the products of a tensor with itself along all axes but one, shape (..., n, n)."""
    matrix, _ = _front(tensor, axis, lead)
    product: Array = matrix @ np.swapaxes(matrix, -2, -1)
    return product


def _along(matrices: tuple[Array, ...], tensor: Array, lead: int) -> Array:
    """Return a tensor, shape (..., *shape), times a matrix along each axis."""
    for axis, each in enumerate(matrices):
        front, shape = _front(tensor, axis, lead)
        tensor = np.moveaxis((each @ front).reshape(shape), lead, lead + axis)
    return tensor


def _transposed(matrices: tuple[Array, ...]) -> tuple[Array, ...]:
    return tuple(np.swapaxes(each, -2, -1) for each in matrices)


def _of_matrix(value: Hyper) -> Hyper:
    """Return a hyperparameter, perhaps of shape (..., 1), as it is multiplied with matrices."""
    return value[..., None] if isinstance(value, np.ndarray) else value


def _kronecker(matrices: tuple[Array, ...]) -> Array:
    """Return the matrix that multiplies a tensor, row by row, by one matrix along each axis."""
    whole: Array = np.ones((1, 1))
    for each in matrices:
        whole = np.kron(whole, each).astype(float)
    return whole


Factors = tuple[tuple[Array, ...], ...]  # of each tensor, one matrix per axis, shape (..., n, n)


class ShampooState(NamedTuple):
    """State of Shampoo."""

    factors: Factors  # () before the first step
    roots: Factors  # their inverse roots, by which the last step was multiplied
    step: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Shampoo(Optimizer):
    """A preconditioner for each axis of a matrix, from the gradients of all steps.

        L <- L + G G'          from eps * I, rows by rows
        R <- R + G' G          from eps * I, columns by columns
        x <- x - lr * L**(-1/4) G R**(-1/4)

    Paper: Gupta, Koren and Singer, Shampoo: Preconditioned Stochastic Tensor Optimization, 2018,
    algorithms 1 and 2.

    A tensor of k axes has k preconditioners with the exponent -1/(2k): that of a vector, such as
    biases, is H**(-1/2), the full matrix of Adagrad. The same as pytorch_optimizer's Shampoo
    without momentum.
    """

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")
    eps: Hyper = hyper(1e-6, help="the first preconditioners are eps * I", within="(0, inf)")

    needs: ClassVar = ("matrices",)

    def init(self, x: Array) -> ShampooState:
        return ShampooState((), (), 0)

    def step(
        self, objective: Objective, x: Array, state: ShampooState
    ) -> tuple[Array, ShampooState]:
        g, lead, moved = objective.gradient(x), x.ndim - 1, x.copy()
        kept, used = [], []
        for number, (place, tensor) in enumerate(tensors_in(g, shapes_of(objective))):
            order = tensor.ndim - lead
            factors = tuple(
                (
                    state.factors[number][axis]
                    if state.factors
                    else _of_matrix(self.eps) * np.eye(tensor.shape[lead + axis])
                )
                + _gram(tensor, axis, lead)
                for axis in range(order)
            )
            roots = tuple(inverse_root(each, 2 * order, self.eps) for each in factors)
            step = _along(roots, tensor, lead).reshape(*x.shape[:-1], -1)
            moved[..., place] -= self.lr * step
            kept.append(factors)
            used.append(roots)
        return moved, ShampooState(tuple(kept), tuple(used), state.step + 1)

    def preconditioner(self, state: ShampooState) -> Array | None:
        ends = np.cumsum([0, *(prod(map(len, each)) for each in state.roots)])
        if not 0 < ends[-1] <= DENSE:
            return None
        whole = np.zeros((ends[-1], ends[-1]))
        for roots, begin, end in zip(state.roots, ends, ends[1:], strict=False):
            whole[begin:end, begin:end] = _kronecker(roots)
        return whole


class SOAPState(NamedTuple):
    """State of SOAP."""

    mean: Array  # (..., dim), running mean of gradients
    square: Array  # (..., dim), that of squared gradients in the eigenbases
    factors: Factors  # Shampoo's, as running means, () before the first step
    bases: Factors  # their eigenvectors, as columns; () for a tensor of one axis
    shapes: Shapes  # of the tensors, () before the first step
    step: int  # steps taken, the first of which moves nothing


@dataclass(frozen=True, eq=False, kw_only=True)
class SOAP(Optimizer):
    """Adam in the eigenbasis of Shampoo's preconditioners.

        G' <- QL' G QR                                    QL, QR: eigenvectors of L and R
        m <- beta1 * m + (1 - beta1) * G
        s <- beta2 * s + (1 - beta2) * G'**2
        N <- QL' m QR / (1 - beta1**t) / (sqrt(s / (1 - beta2**t)) + eps / sqrt(1 - beta2**t))
        x <- (x - lr * QL N QR') * (1 - lr * weight_decay)
        L <- beta2 * L + (1 - beta2) * G G'
        R <- beta2 * R + (1 - beta2) * G' G
        Q <- QR decomposition of L Q or R Q               every `period` steps

    Paper: Vyas et al., SOAP: Improving and Stabilizing Shampoo using Adam, 2024, algorithms 3
    and 4.

    The first step only finds the bases, and moves nothing; t = 1 is the second. Tensors of one
    axis, such as biases, have no bases: theirs are steps of Adam. The same as the authors' code,
    and as pytorch_optimizer's SOAP, in float64.
    """

    lr: Hyper = hyper(help="learning rate", within="(0, inf)")
    beta1: Hyper = hyper(0.95, help="decay rate of the mean gradient", within="[0, 1)")
    beta2: Hyper = hyper(
        0.95, help="decay rate of the mean squared gradient and of L and R", within="[0, 1)"
    )
    eps: Hyper = hyper(1e-8, help="avoids division by zero", within="(0, inf)")
    period: int = hyper(10, help="steps between two eigenbases", within="[1, inf)")
    weight_decay: Hyper = hyper(0.0, help="decoupled: lr * weight_decay * x is subtracted")

    needs: ClassVar = ("matrices",)

    def init(self, x: Array) -> SOAPState:
        zero = np.zeros_like(x)
        return SOAPState(zero, zero, (), (), (), 0)

    def step(self, objective: Objective, x: Array, state: SOAPState) -> tuple[Array, SOAPState]:
        g, lead, t = objective.gradient(x), x.ndim - 1, state.step
        shapes = shapes_of(objective)
        tensors = list(tensors_in(g, shapes))
        if not t:
            return x, self._begun(g, shapes)
        bases, square = state.bases, state.square
        if t > 1 and (t - 1) % int(self.period) == 0:
            bases, square = _turned(state, tensors, lead)
        mean = self.beta1 * state.mean + (1 - self.beta1) * g
        turned, looked = g.copy(), mean.copy()
        for (place, tensor), own in zip(tensors, bases, strict=True):
            back = _transposed(own)
            turned[..., place] = _along(back, tensor, lead).reshape(*x.shape[:-1], -1)
            shaped = mean[..., place].reshape(tensor.shape)
            looked[..., place] = _along(back, shaped, lead).reshape(*x.shape[:-1], -1)
        square = self.beta2 * square + (1 - self.beta2) * turned * turned
        move = looked * self._scale(square, t)
        for (place, tensor), own in zip(tensors, bases, strict=True):
            shaped = move[..., place].reshape(tensor.shape)
            move[..., place] = _along(own, shaped, lead).reshape(*x.shape[:-1], -1)
        moved = (x - self.lr * move) * (1 - self.lr * self.weight_decay)
        beta = _of_matrix(self.beta2)
        factors = tuple(
            tuple(
                beta * each + (1 - beta) * _gram(tensor, axis, lead)
                for axis, each in enumerate(own)
            )
            for (_, tensor), own in zip(tensors, state.factors, strict=True)
        )
        return moved, SOAPState(mean, square, factors, bases, state.shapes, t + 1)

    def _scale(self, square: Array, t: int) -> Array:
        """Return what the mean in the eigenbases is multiplied by in step t = 1, 2, ..."""
        correction = np.sqrt(1 - self.beta2**t) / (1 - self.beta1**t)
        scale: Array = correction / (np.sqrt(square) + self.eps)
        return scale

    def decayed(self, x: Array, state: Any) -> Array:
        return x * (1 - self.lr * self.weight_decay)

    def _begun(self, g: Array, shapes: Shapes) -> SOAPState:
        """Return the state with the first bases, those of the first gradient."""
        beta, zero = _of_matrix(self.beta2), np.zeros_like(g)
        factors = tuple(
            tuple(
                (1 - beta) * _gram(tensor, axis, g.ndim - 1)
                for axis in range(len(shape))
                if len(shape) > 1
            )
            for (_, tensor), shape in zip(tensors_in(g, shapes), shapes, strict=True)
        )
        bases = tuple(
            tuple(decomposed(np.linalg.eigh, each)[1][..., ::-1] for each in own) for own in factors
        )
        return SOAPState(zero, zero, factors, bases, shapes, 1)

    def preconditioner(self, state: SOAPState) -> Array | None:
        if state.step < 2 or len(state.square) > DENSE:
            return None
        whole = np.zeros((len(state.square),) * 2)
        scale, begin = self._scale(state.square, state.step - 1), 0
        for shape, own in zip(state.shapes, state.bases, strict=True):
            end = begin + prod(shape)
            turn = _kronecker(own) if own else np.eye(end - begin)
            whole[begin:end, begin:end] = (turn * scale[begin:end]) @ turn.T
            begin = end
        return whole


def _turned(
    state: SOAPState, tensors: list[tuple[slice, Array]], lead: int
) -> tuple[Factors, Array]:
    """Return newer eigenbases, after one step of power iteration, and the squares in their order.

    The vectors are sorted by their estimated eigenvalues, the largest first.
    """
    bases, square = [], state.square.copy()
    for (place, tensor), factors, own in zip(tensors, state.factors, state.bases, strict=True):
        found = []
        squares = square[..., place].reshape(tensor.shape)
        for axis, (factor, basis) in enumerate(zip(factors, own, strict=True)):
            product = factor @ basis
            order = np.argsort(-(basis * product).sum(axis=-2), axis=-1, kind="stable")
            along = [1] * tensor.ndim
            along[:lead] = tensor.shape[:lead]
            along[lead + axis] = order.shape[-1]
            squares = np.take_along_axis(squares, order.reshape(along), lead + axis)
            found.append(_orthonormal(np.take_along_axis(product, order[..., None, :], -1)))
        square[..., place] = squares.reshape(*square.shape[:-1], -1)
        bases.append(tuple(found))
    return tuple(bases), square


def _orthonormal(matrix: Array) -> Array:
    """Return the orthonormal factor of a QR decomposition, nan where it is not finite."""
    return decomposed(np.linalg.qr, matrix)[0]
