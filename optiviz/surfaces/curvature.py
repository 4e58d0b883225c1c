"""The directions along which a loss bends most: leading eigenvectors of its Hessian."""

from collections.abc import Callable
from typing import Literal

import numpy as np

from optiviz.objective import Array
from optiviz.system.errors import InputError, require_package

DENSE = 32  # dimensions up to which the whole Hessian is computed
BASIS, LEAST_BASIS = 24, 6  # vectors that the Lanczos method holds
BASIS_OF_ONE = 12  # the same for one eigenvalue, with fewer products
HELD = 200_000_000  # numbers in these vectors, at most, unless there are only LEAST_BASIS
PRECISE = 1e-7  # relative residual of an eigenvalue, whose error is about its square
RESTARTS = 100
SHARP = 1e-5  # the same of the largest eigenvalue alone, which is computed many times
ROUGH = 0.01  # relative residual beyond which products are those of no matrix


def leading_eigenvectors(product: Callable[[Array], Array], dim: int) -> tuple[Array, Array]:
    """Return the two eigenvalues of largest magnitude, shape (2,), and eigenvectors, (2, dim).

    product(v) is the Hessian times v, both of shape (dim,). The eigenvectors have length 1, and
    their entries of largest magnitude are positive. By Lanczos with implicit restarts (Lehoucq,
    Sorensen, Yang, ARPACK Users' Guide, 1998), from a fixed vector; up to DENSE dimensions from the
    whole matrix. Raises InputError if there are fewer than two dimensions, if products are not
    finite or all 0, or if eigenvectors are not found, as where the gradient has jumps.
    """
    if dim < 2:
        raise InputError("a plane of eigenvectors needs two parameters or more")
    begin = np.random.default_rng(0).normal(size=dim)

    def checked(v: Array) -> Array:
        found = product(np.asarray(v, float).reshape(dim))
        if not np.isfinite(found).all():
            raise InputError("the Hessian at the start is not finite")
        return found

    if not checked(begin).any():
        raise InputError("the Hessian at the start is 0: choose a random plane")
    values, ways = _dense(checked, dim) if dim <= DENSE else _sparse(checked, dim, begin)
    order = np.argsort(-np.abs(values), kind="stable")[:2]
    vectors = ways[:, order].T.copy()
    for vector in vectors:
        vector /= np.linalg.norm(vector)
        vector *= np.sign(vector[np.abs(vector).argmax()])
    rests = [checked(v) - value * v for v, value in zip(vectors, values[order], strict=True)]
    if max(map(np.linalg.norm, rests)) > ROUGH * abs(values[order][0]):
        raise InputError("the Hessian at the start cannot be measured: the gradient has jumps")
    return values[order], vectors


def largest_eigenvalue(product: Callable[[Array], Array], dim: int) -> float:
    """Return the largest eigenvalue of a symmetric matrix of which only products are known.

    product(v) is the matrix times v, both of shape (dim,). By the same Lanczos method as
    `leading_eigenvectors`. nan if products are not finite, or if it does not converge.
    """
    try:
        if dim <= DENSE:
            return float(_dense(product, dim)[0][-1])
        begin = np.random.default_rng(0).normal(size=dim)
        return float(_sparse(product, dim, begin, 1, "LA", SHARP, BASIS_OF_ONE)[0][0])
    except (_NotFound, np.linalg.LinAlgError):
        return np.nan


class _NotFound(InputError):
    """The Lanczos method has found no eigenvectors."""


def _dense(product: Callable[[Array], Array], dim: int) -> tuple[Array, Array]:
    matrix = np.array([product(unit) for unit in np.eye(dim)])
    values, ways = np.linalg.eigh((matrix + matrix.T) / 2)
    return values, ways


def _sparse(
    product: Callable[[Array], Array],
    dim: int,
    begin: Array,
    many: int = 2,
    which: Literal["LM", "LA"] = "LM",
    precise: float = PRECISE,
    most: int = BASIS,
) -> tuple[Array, Array]:
    """Return some eigenvalues of largest magnitude, "LM", or the largest, and eigenvectors."""
    with require_package("an eigenvalue of the Hessian", "scipy", "optiviz-cli[scipy]"):
        from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh
    basis = max(LEAST_BASIS, min(most, HELD // dim))
    matrix = LinearOperator((dim, dim), matvec=product, dtype=float)
    try:
        values, ways = eigsh(
            matrix, many, v0=begin, ncv=basis, which=which, tol=precise, maxiter=RESTARTS
        )
    except ArpackError as error:
        said = str(error).partition("\n")[0]
        raise _NotFound(f"no eigenvectors of the Hessian were found: {said}") from None
    return values, ways
