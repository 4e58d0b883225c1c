"""Where a surface is least under its constraints."""

import numpy as np

from optiviz.objective import Array
from optiviz.surfaces.surface import Surface

SIDE = {1: 2001, 2: 81}  # samples per side of the window, by its dimensions
STEPS = 400  # of the descent from the best of them
SETTLED = 1e-12  # length of a step, as a share of the window's diagonal, that is as good as none


def constrained_minimum(surface: Surface) -> Array | None:
    """Return the feasible point of the window at which a surface is least, shape (dim,).

    None if there are no constraints, or if the loss falls on beyond the window. The best of a grid
    of feasible points descends by projected gradients, whose length doubles while they lower the
    loss.
    """
    allowed = surface.feasible_set
    if allowed is None:
        return None
    sides = [np.linspace(*ends, SIDE[surface.dim]) for ends in surface.window.intervals]
    tried = np.stack(np.meshgrid(*sides), axis=-1).reshape(-1, surface.dim)
    middle = tried.mean(axis=0, keepdims=True)
    inside = tried[allowed.contains(tried)]
    near = allowed.project(tried if allowed.exact else middle)
    tried = np.concatenate([inside, near])
    tried = tried[surface.window.contains(tried)]
    with np.errstate(all="ignore"):
        losses = surface.value(tried)
        if not np.isfinite(losses).any():
            return None
        x = tried[np.nanargmin(losses)]
        loss, rate = surface.value(x), None
        for _ in range(STEPS):
            g = surface.gradient(x)
            if not np.isfinite(g).all():
                break
            steep = float(np.sqrt((g * g).sum()))
            unit = surface.window.diagonal / max(steep, np.finfo(float).tiny)
            rate = unit / SIDE[surface.dim] if rate is None else rate
            moved = allowed.project(x - rate * g)
            lower = surface.value(moved) < loss
            if lower:
                x, loss, rate = moved, surface.value(moved), 2 * rate
            else:
                rate = rate / 2
            if rate < SETTLED * unit:
                break
    return x if surface.window.contains(x) else None
