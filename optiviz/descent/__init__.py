"""Running optimizers on problems, and choosing their learning rates and hyperparameters."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optiviz.descent.problem import Problem
    from optiviz.surfaces.surface import Surface


def problem_of(surface: "Surface") -> "Problem":
    """Return the problem that a surface poses."""
    from optiviz.surfaces.origins import NetworkOrigin

    if isinstance(surface.origin, NetworkOrigin):
        from optiviz.descent.network_problem import NetworkProblem

        return NetworkProblem(surface, surface.origin)
    from optiviz.descent.problem import SurfaceProblem

    return SurfaceProblem(surface)
