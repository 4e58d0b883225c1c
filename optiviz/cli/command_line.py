"""A recipe as the command line that renders it."""

import re
import shlex
from importlib import import_module
from typing import Any

import click

from optiviz.kinds.base import BaseRecipe
from optiviz.optimizers.spec import format_value
from optiviz.recipes.reading import Fields, check_trusted, read_recipe
from optiviz.surfaces.catalogue import bundled_surface
from optiviz.surfaces.origins import NetworkOrigin
from optiviz.surfaces.signal import Signal
from optiviz.surfaces.surface import Surface
from optiviz.surfaces.syntax import vector_names
from optiviz.system.errors import InputError
from optiviz.themes import Theme


def command_of(recipe: BaseRecipe) -> str | None:
    """Return the command line of a recipe; None if options cannot express all of it.

    Also None if third-party code would have to run to find out.
    """
    fields = _fields(recipe)
    try:
        check_trusted(fields, str, reading=True)
        if read_recipe(fields, str) != recipe:
            return None
    except InputError:  # for a surface or a signal that exists only in the recipe
        return None
    arguments = ["optiviz", recipe.kind]
    for option in import_module(f"optiviz.cli.{recipe.kind}").command.params:
        if option.name in fields:
            arguments += _arguments(option, fields[option.name])
    return shlex.join(arguments)


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
        fields |= _surfaces(name, [drawn] if name == "surface" else drawn)
    if "starts" in fields or "random_starts" in fields:
        points = [",".join(map(format_value, start)) for start in fields.get("starts", ())]
        drawn = fields.pop("random_starts", 0)
        fields["starts"] = points + ([f"random:{drawn}"] if drawn else [])
    if "optimizers" in fields:
        fields["optimizers"] = [",".join(fields["optimizers"])]
    if "tracks" in fields:  # no option has numbers
        fields["tracks"] = [f"{each.file}:{each.label}" for each in fields["tracks"] if each.file]
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
    formulas = [each.formula for each in declared if not each.origin.reference]
    fields: Fields = {name: ",".join(filter(None, named))} if any(named) else {}
    if formulas:
        fields["formula"] = formulas[0] if name == "surface" else formulas
    networks = [each.origin for each in declared if isinstance(each.origin, NetworkOrigin)]
    if networks:
        given, ours = networks[0], bundled_surface(networks[0].name)
        own = None if ours is None else ours.origin
        known = own if isinstance(own, NetworkOrigin) else None
        if known is None or given.network.data != known.network.data:
            fields["data"] = given.network.data
        if given.network.samples is not None:
            fields["samples"] = given.network.samples
        if known is None or given.plane != known.plane:
            fields["plane"] = given.plane.as_text
    elif declared and declared[0].plane is not None:
        fields["plane"] = declared[0].plane.as_text
    if declared and (names := declared[0].variables):
        if names == vector_names(len(names)):
            fields["dim"] = len(names)
        else:
            fields["variables"] = ",".join(names)
    if declared and (window := declared[0].domain) is not None:
        sides = window.intervals
        fields["domain"] = ",".join(
            f"{format_value(low)}:{format_value(high)}" for low, high in sides
        )
    return fields


def _reference(surface: Surface) -> str:
    """Return the word for a surface; one in more dimensions has that of its general form."""
    general = re.fullmatch(r"(.+)-\d+d", surface.name)
    if general and surface.variables == vector_names(len(surface.variables)):
        return general[1]
    return surface.origin.reference


def _arguments(option: click.Parameter, value: Any) -> list[str]:
    """Return the arguments that set an option."""
    if isinstance(option, click.Argument):
        return [value]
    if isinstance(value, bool):
        return [(option.opts if value else option.secondary_opts)[0]]
    name = max(option.opts, key=len)
    if option.nargs > 1:
        return [name, *map(format_value, value)]
    if option.multiple and not isinstance(value, str):
        return [argument for each in value for argument in (name, each)]
    if isinstance(
        value, tuple
    ):  # levels; a single number without a comma would be a number of bands
        return [name, ",".join(map(format_value, value)) + ("," if len(value) == 1 else "")]
    return [name, value if isinstance(value, str) else format_value(value)]
