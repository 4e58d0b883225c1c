"""Sharpness: how strongly a loss curves at the points of a path, as the method sees it."""

from dataclasses import replace

import numpy as np

from optiviz.descent.problem import Problem
from optiviz.descent.trajectory import Trajectory
from optiviz.objective import Array
from optiviz.optimizers.base import IDENTITY
from optiviz.surfaces.curvature import largest_eigenvalue


def sharpness(problem: Problem, x: Array, preconditioner: Array = IDENTITY) -> float:
    """Return the largest eigenvalue of P times the Hessian of a problem's loss at x, shape (dim,).

    P is the preconditioner, in one of the shapes of `Method.preconditioner`; the eigenvalue is that
    of the symmetric matrix L'HL, where P = LL'. nan where the Hessian is not finite or the Lanczos
    method, which computes it where only products are known, does not converge. Source: Cohen et
    al., Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability, 2021; with a
    preconditioner, Adaptive Gradient Methods at the Edge of Stability, 2022, section 2.
    """
    if not np.isfinite(x).all():
        return np.nan
    whole = preconditioner.ndim == 2
    root = np.linalg.cholesky(preconditioner) if whole else np.sqrt(preconditioner)
    with np.errstate(all="ignore"):
        hessian = problem.hessian(x)
        if hessian is None:

            def product(v: Array) -> Array:
                along = problem.hessian_product(x, root @ v if whole else root * v)
                return root.T @ along if whole else root * along

            return largest_eigenvalue(product, len(x))
        if whole:
            hessian = root.T @ hessian @ root
        else:
            scale = root * np.ones(len(x))
            hessian = scale[:, None] * hessian * scale
    known = np.isfinite(hessian).all()
    return float(np.linalg.eigvalsh(hessian)[-1]) if known else np.nan


def with_sharpness(path: Trajectory, problem: Problem) -> Trajectory:
    """Return a path that another program recorded, with the sharpness at its points."""
    return replace(path, sharpness=np.array([sharpness(problem, x) for x in path.points]))
