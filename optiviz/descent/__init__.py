"""Running optimizers on problems, and choosing their learning rates and hyperparameters."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optiviz.descent.problem import Problem
    from optiviz.surfaces.surface import Surface


def problem_of(surface: "Surface") -> "Problem":
    """Return the problem that a surface poses."""
    from optiviz.surfaces.origins import FitOrigin, SpaceOrigin

    origin = surface.origin
    if isinstance(origin, SpaceOrigin):
        from optiviz.descent.space_problem import SpaceProblem

        return SpaceProblem(surface, origin)
    from optiviz.descent.problem import FitProblem, SurfaceProblem

    if isinstance(origin, FitOrigin):
        return FitProblem(surface, origin)
    return SurfaceProblem(surface)
