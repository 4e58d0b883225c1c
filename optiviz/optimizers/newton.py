"""Newton's method, plain and regularised."""

from dataclasses import dataclass

import numpy as np

from optiviz.objective import Array, Objective, TwiceDifferentiable
from optiviz.optimizers.base import Hyper, Optimizer, hyper
from optiviz.optimizers.momentum import NoState
from optiviz.system.errors import InputError


@dataclass(frozen=True, eq=False, kw_only=True)
class Newton(Optimizer):
    """Newton's method: a step to where the gradient of the quadratic model vanishes.

        x <- x - lr * (H + damping * I)**-1 * g

    Paper: Nocedal and Wright, Numerical Optimization, 2006, section 3.3; damping: Levenberg,
    1944, article 2's regularised Newton.

    Where the Hessian is not positive definite, the plain method climbs to a maximum or a saddle;
    enough damping turns it downhill. A singular matrix gives nan.
    """

    lr: Hyper = hyper(1.0, help="fraction of the full step", within="(0, inf)")
    damping: Hyper = hyper(0.0, help="added to the diagonal of the Hessian")

    def init(self, x: Array) -> NoState:
        return NoState()

    def step(self, objective: Objective, x: Array, state: NoState) -> tuple[Array, NoState]:
        if not isinstance(objective, TwiceDifferentiable):
            raise InputError("newton needs second derivatives, which this objective does not have")
        g = objective.gradient(x)
        identity = np.eye(x.shape[-1])
        damping = self.damping * np.ones_like(g)
        hessian = objective.hessian(x) + damping[..., None] * identity
        singular = ~np.isfinite(hessian).all(axis=(-2, -1)) | (np.linalg.det(hessian) == 0)
        solvable = np.where(singular[..., None, None], identity, hessian)
        move = np.linalg.solve(solvable, g[..., None])[..., 0]
        return x - self.lr * np.where(singular[..., None], np.nan, move), state
