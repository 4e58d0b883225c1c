"""Loss surfaces and optimizers as exact, reproducible animations.

    import optiviz

    optiviz.animate("wobbly", "adam,rmsprop").save("wobbly.gif", writer="imageio")

Nothing heavy is imported until one of the names below is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optiviz.api import BasinsRecipe as BasinsRecipe
    from optiviz.api import PlotRecipe as PlotRecipe
    from optiviz.api import Recipe as Recipe
    from optiviz.api import ResponseRecipe as ResponseRecipe
    from optiviz.api import Signal as Signal
    from optiviz.api import Surface as Surface
    from optiviz.api import Trajectory as Trajectory
    from optiviz.api import TuneRecipe as TuneRecipe
    from optiviz.api import animate as animate
    from optiviz.api import batch as batch
    from optiviz.api import descend as descend
    from optiviz.api import load_jobs as load_jobs
    from optiviz.api import load_recipe as load_recipe
    from optiviz.api import load_surface as load_surface
    from optiviz.api import render as render
    from optiviz.errors import InputError as InputError
    from optiviz.errors import OptivizError as OptivizError

_HOMES = {
    "Recipe": "api",
    "BasinsRecipe": "api",
    "PlotRecipe": "api",
    "ResponseRecipe": "api",
    "Signal": "api",
    "Surface": "api",
    "Trajectory": "api",
    "TuneRecipe": "api",
    "animate": "api",
    "batch": "api",
    "descend": "api",
    "load_jobs": "api",
    "load_recipe": "api",
    "load_surface": "api",
    "render": "api",
    "InputError": "errors",
    "OptivizError": "errors",
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
