"""The directions along which a loss bends most: leading eigenvectors of its Hessian."""

from collections.abc import Callable

import numpy as np

from optiviz.objective import Array
from optiviz.system.errors import InputError, require_package

DENSE = 32  # dimensions up to which the whole Hessian is computed
BASIS, LEAST_BASIS = 24, 6  # vectors that the Lanczos method holds
HELD = 200_000_000  # numbers in these vectors, at most, unless there are only LEAST_BASIS
PRECISE = 1e-7  # relative residual of an eigenvalue, whose error is about its square
RESTARTS = 100
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


def _dense(product: Callable[[Array], Array], dim: int) -> tuple[Array, Array]:
    matrix = np.array([product(unit) for unit in np.eye(dim)])
    values, ways = np.linalg.eigh((matrix + matrix.T) / 2)
    return values, ways


def _sparse(product: Callable[[Array], Array], dim: int, begin: Array) -> tuple[Array, Array]:
    with require_package("a plane of eigenvectors", "scipy", "optiviz-cli[scipy]"):
        from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh
    basis = max(LEAST_BASIS, min(BASIS, HELD // dim))
    matrix = LinearOperator((dim, dim), matvec=product, dtype=float)
    try:
        values, ways = eigsh(matrix, 2, v0=begin, ncv=basis, tol=PRECISE, maxiter=RESTARTS)
    except ArpackError as error:
        said = str(error).partition("\n")[0]
        raise InputError(f"no eigenvectors of the Hessian were found: {said}") from None
    return values, ways
