"""Walking optimizers down what is descended, and finding what to walk them with."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optiviz.descent.problem import Problem
    from optiviz.surfaces.surface import Surface


def problem_of(surface: "Surface") -> "Problem":
    """Return what is descended on a surface."""
    if surface.network is not None:
        from optiviz.descent.network_problem import NetworkProblem

        return NetworkProblem(surface)
    from optiviz.descent.problem import SurfaceProblem

    return SurfaceProblem(surface)
