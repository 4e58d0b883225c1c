"""Walking optimizers down what is descended, and finding what to walk them with."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optiviz.descent.problem import Problem
    from optiviz.surfaces.surface import Surface


def problem_of(surface: "Surface") -> "Problem":
    """Return what is descended on a surface."""
    from optiviz.surfaces.origins import NetworkOrigin

    if isinstance(surface.origin, NetworkOrigin):
        from optiviz.descent.network_problem import NetworkProblem

        return NetworkProblem(surface, surface.origin)
    from optiviz.descent.problem import SurfaceProblem

    return SurfaceProblem(surface)
