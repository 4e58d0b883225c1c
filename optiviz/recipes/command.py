"""A recipe as the arguments of the command line that sets the same fields."""

import re
from dataclasses import asdict
from typing import Any, NamedTuple

from optiviz.kinds.base import BaseRecipe
from optiviz.kinds.checkpoints import as_texts
from optiviz.optimizers.spec import format_value
from optiviz.recipes import Fields
from optiviz.recipes.reading import check_trusted, read_recipe
from optiviz.registry import option_of
from optiviz.surfaces.catalogue import bundled_surface
from optiviz.surfaces.config import PlaneConfig
from optiviz.surfaces.models.problem import Setting
from optiviz.surfaces.origins import NetworkOrigin
from optiviz.surfaces.signal import Signal
from optiviz.surfaces.surface import Surface
from optiviz.surfaces.syntax import vector_names
from optiviz.system.errors import InputError
from optiviz.system.validation import checked
from optiviz.themes import Theme

# Fields that say how a surface is descended, and what a page or an animation does with that.
DESCENT = (
    *("starts", "random_starts", "steps", "noise", "seed", "lr", "tune", "pace", "vary"),
    *("presets", "fps", "duration", "frames", "quality"),
)


class DrawnCommand(NamedTuple):
    """A command line, and whether the window has to be added to it."""

    arguments: list[str]
    needs_window: bool


def drawn_command(recipe: BaseRecipe) -> DrawnCommand | None:
    """Return the command line that sets what is drawn, and in which style.

    Optimizers, DESCENT, the window and the outputs are left to be added. None if options cannot
    express the rest, or if third-party code would have to run to find out.
    """
    others = {name: type(recipe).model_fields[name].default for name in DESCENT}
    fields = command_fields(recipe.model_copy(update=others))
    if fields is None:
        return None
    arguments = ["optiviz", recipe.kind]
    for name, value in fields.items():
        if name not in ("kind", "optimizers", "domain"):
            arguments += arguments_for(name, value)
    return DrawnCommand(arguments, "domain" in fields)


def command_fields(recipe: BaseRecipe) -> Fields | None:
    """Return the fields of a recipe that are not defaults, as command-line values.

    A list stands for an option that is repeated. None if options cannot express all of the recipe,
    or if third-party code would have to run to find out. No checkpoint is read.
    """
    if recipe.kind in ("lesson", "score"):  # no option has sections, or problems
        return None
    fields = _fields(recipe)
    held = fields.copy()
    if "checkpoints" in fields:
        if fields["checkpoints"] is None:
            return None
        held["checkpoints"] = getattr(recipe, "checkpoints", ())
    known = checked(PlaneConfig, fields.get("plane", {}))
    if isinstance(known, PlaneConfig) and known.files:
        digests = {
            surface.plane.sha256
            for surface in (getattr(recipe, "surface", None), *getattr(recipe, "surfaces", ()))
            if isinstance(surface, Surface) and surface.plane is not None
        }
        held["plane"] = known.model_copy(update={"sha256": max(digests, default=())})
    try:
        check_trusted(held, str, reading=True)
        same = read_recipe(held, str) == recipe
    except InputError:  # for a surface or a signal that exists only in the recipe
        return None
    return fields if same else None


def arguments_for(name: str, value: Any) -> list[str]:
    """Return the arguments that set a field."""
    option = option_of(name)
    if isinstance(value, bool):
        return [option if value else f"--no-{option[2:]}"]
    if isinstance(value, list):
        return [argument for each in value for argument in (option, each)]
    if isinstance(value, tuple):  # a single number without a comma would be a number of bands
        return [option, ",".join(map(format_value, value)) + ("," if len(value) == 1 else "")]
    return [option, value if isinstance(value, str) else format_value(value)]


def _fields(recipe: BaseRecipe) -> Fields:
    """Return the fields of a recipe that are not defaults, as command-line values."""
    given = {name: getattr(recipe, name) for name in type(recipe).model_fields}
    fields = {
        name: value
        for name, value in given.items()
        if value != type(recipe).model_fields[name].default and name != "plugins"
    }
    for name in {"surface", "surfaces"} & fields.keys():
        drawn = fields.pop(name)
        fields = _surfaces(name, [drawn] if name == "surface" else drawn) | fields
    if "starts" in fields or "random_starts" in fields:
        points = [",".join(map(format_value, start)) for start in fields.get("starts", ())]
        drawn = fields.pop("random_starts", 0)
        fields["starts"] = points + ([f"random:{drawn}"] if drawn else [])
    if "optimizers" in fields:
        fields["optimizers"] = [",".join(fields["optimizers"])]
    if "presets" in fields:
        fields["presets"] = [*fields["presets"]]
    if "tracks" in fields:  # no option has numbers
        fields["tracks"] = [f"{each.file}:{each.label}" for each in fields["tracks"] if each.file]
    if "checkpoints" in fields:
        fields["checkpoints"] = as_texts(fields["checkpoints"])
    if isinstance(fields.get("signal"), Signal):
        fields["signal"] = fields["signal"].name
    if isinstance(fields.get("theme"), Theme):
        fields["theme"] = ""  # no option has colours
    if "size" in fields:
        fields["size"] = str(fields["size"])
    if "grid" in fields:
        fields["grid"] = "{}x{}".format(*fields["grid"])
    for name in {"over", "tune"} & fields.keys():
        fields[name] = ",".join(fields[name])
    return {"kind": recipe.kind} | fields


def _surfaces(name: str, drawn: list[str | Surface]) -> Fields:
    named = [each if isinstance(each, str) else _reference(each) for each in drawn]
    declared = [each for each in drawn if isinstance(each, Surface)]
    formulas = [
        each.formula
        for each in declared
        if not (each.origin.reference or each.residuals or each.fit)
    ]
    fields: Fields = {name: ",".join(filter(None, named))} if any(named) else {}
    if formulas:
        fields["formula"] = formulas[0] if name == "surface" else formulas
    for key in ("residuals", "metric"):
        if declared and getattr(declared[0], key) is not None:
            fields[key] = str(getattr(declared[0], key))
    if declared and (fit := declared[0].fit) is not None and isinstance(fit.data, str):
        fields |= {"fit": fit.model, "data": fit.data}
        if fit.loss != type(fit).model_fields["loss"].default:
            fields["loss"] = fit.loss
    networks = [each.origin for each in declared if isinstance(each.origin, NetworkOrigin)]
    if networks:
        given, ours = networks[0], bundled_surface(networks[0].name)
        own = None if ours is None else ours.origin
        known = own if isinstance(own, NetworkOrigin) else None
        if known is None or given.network.data != known.network.data:
            fields["data"] = given.network.data
        if given.network.samples is not None:
            fields["samples"] = given.network.samples
        grid = given.plane.grid
        moved = known is None or given.plane != known.plane.model_copy(update={"grid": grid})
        if moved:
            fields |= _plane(given.plane)
        if grid is not None and (moved or known is None or grid != known.plane.grid):
            fields["resolution"] = grid
    elif declared and declared[0].plane is not None:
        fields |= _plane(declared[0].plane)
        if declared[0].plane.grid is not None:
            fields["resolution"] = declared[0].plane.grid
    models = [each.model for each in declared if each.model is not None]
    if models:
        for key, value in asdict(models[0].setting).items():
            if value != getattr(Setting, key):
                fields[key] = value
    if declared and (params := declared[0].params):
        fields["params"] = [f"{key}={format_value(value)}" for key, value in params]
    if declared and (names := declared[0].variables):
        if names == vector_names(len(names)):
            fields["dim"] = len(names)
        else:
            fields["variables"] = ",".join(names)
    if declared and (axes := declared[0].axes):
        fields["axes"] = ",".join(axes)
    if declared and declared[0].constraints:
        fields["constraints"] = [*declared[0].constraints]
    if declared and declared[0].bounds:
        fields["bounds"] = ",".join(
            ":".join("" if end is None else format_value(end) for end in side)
            for side in declared[0].bounds
        )
    if declared and declared[0].l1:
        fields["l1"] = declared[0].l1
    sought = bool(declared) and (declared[0].fit or declared[0].feasible_set) is not None
    found = sought and declared[0].window_told  # which is found again
    if declared and (window := declared[0].domain) is not None and not found:
        sides = window.intervals
        fields["domain"] = ",".join(
            f"{format_value(low)}:{format_value(high)}" for low, high in sides
        )
    return fields


def _plane(plane: PlaneConfig) -> Fields:
    """Return the fields that set a plane."""
    own = {name: getattr(plane, name) for name in ("normalize", "biases")}
    defaults = type(plane).model_fields
    return {"plane": plane.as_text} | {
        name: value for name, value in own.items() if value != defaults[name].default
    }


def _reference(surface: Surface) -> str:
    """Return the word for a surface; one in more dimensions has that of its general form."""
    general = re.fullmatch(r"(.+)-\d+d", surface.name)
    if general and surface.variables == vector_names(len(surface.variables)):
        return general[1]
    return surface.origin.reference
