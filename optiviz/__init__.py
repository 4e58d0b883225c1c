"""Loss surfaces and optimizers as exact, reproducible animations.

    import optiviz

    optiviz.animate("wobbly", "adam,rmsprop").save("wobbly.gif", writer="imageio")

Nothing heavy is imported until one of the names below is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optiviz.descent.recording import record as record
    from optiviz.descent.solver_recording import SolverRecorder as SolverRecorder
    from optiviz.rendering.api import BasinsRecipe as BasinsRecipe
    from optiviz.rendering.api import LessonRecipe as LessonRecipe
    from optiviz.rendering.api import PlotRecipe as PlotRecipe
    from optiviz.rendering.api import Recipe as Recipe
    from optiviz.rendering.api import ResponseRecipe as ResponseRecipe
    from optiviz.rendering.api import ScoreRecipe as ScoreRecipe
    from optiviz.rendering.api import Signal as Signal
    from optiviz.rendering.api import Surface as Surface
    from optiviz.rendering.api import Trajectory as Trajectory
    from optiviz.rendering.api import TuneRecipe as TuneRecipe
    from optiviz.rendering.api import animate as animate
    from optiviz.rendering.api import batch as batch
    from optiviz.rendering.api import descend as descend
    from optiviz.rendering.api import draw as draw
    from optiviz.rendering.api import explore as explore
    from optiviz.rendering.api import load_jobs as load_jobs
    from optiviz.rendering.api import load_lesson as load_lesson
    from optiviz.rendering.api import load_recipe as load_recipe
    from optiviz.rendering.api import load_suite as load_suite
    from optiviz.rendering.api import load_surface as load_surface
    from optiviz.rendering.api import render as render
    from optiviz.surfaces.models.jax import JaxProblem as JaxProblem
    from optiviz.surfaces.models.python import PythonProblem as PythonProblem
    from optiviz.surfaces.models.torch import TorchProblem as TorchProblem
    from optiviz.system.errors import InputError as InputError
    from optiviz.system.errors import OptivizError as OptivizError

_HOMES = {
    "Recipe": "rendering.api",
    "BasinsRecipe": "rendering.api",
    "LessonRecipe": "rendering.api",
    "PlotRecipe": "rendering.api",
    "ResponseRecipe": "rendering.api",
    "ScoreRecipe": "rendering.api",
    "Signal": "rendering.api",
    "Surface": "rendering.api",
    "Trajectory": "rendering.api",
    "TuneRecipe": "rendering.api",
    "animate": "rendering.api",
    "batch": "rendering.api",
    "descend": "rendering.api",
    "draw": "rendering.api",
    "explore": "rendering.api",
    "load_jobs": "rendering.api",
    "load_lesson": "rendering.api",
    "load_recipe": "rendering.api",
    "load_suite": "rendering.api",
    "load_surface": "rendering.api",
    "render": "rendering.api",
    "record": "descent.recording",
    "SolverRecorder": "descent.solver_recording",
    "JaxProblem": "surfaces.models.jax",
    "PythonProblem": "surfaces.models.python",
    "TorchProblem": "surfaces.models.torch",
    "InputError": "system.errors",
    "OptivizError": "system.errors",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'optiviz' has no attribute {name!r}")
    value = getattr(import_module(f"optiviz.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
