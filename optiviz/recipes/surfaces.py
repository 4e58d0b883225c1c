"""Surfaces as recipes may write them: by name, as a formula, or declared, with options beside."""

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, Field

from optiviz.kinds.types import MAX_SURFACES
from optiviz.optimizers.spec import format_value
from optiviz.recipes import Fields, Keys
from optiviz.registry import OPTIMIZERS, BatchNorm, Biases, Device, DType, FitLoss, Normalize
from optiviz.surfaces.catalogue import (
    code_surface,
    find_surface,
    is_third_party_surface,
    load_catalogue,
)
from optiviz.surfaces.config import Grid, ModelConfig, PlaneConfig, WrittenPlane
from optiviz.surfaces.declared import placed
from optiviz.surfaces.domain import (
    AxisNames,
    Bounds,
    Domain,
    Text,
    ValidationContext,
    VariableNames,
    Window,
    axis_names,
)
from optiviz.surfaces.formulas import half_sum_of_squares, split_formulas
from optiviz.surfaces.models.problem import ModelProblem
from optiviz.surfaces.origins import DEFAULT_INTERVAL, SpaceOrigin
from optiviz.surfaces.surface import Surface
from optiviz.surfaces.syntax import (
    AXES,
    MAX_VARIABLES,
    check_params,
    variables_of,
    vector_names,
    with_params,
)
from optiviz.system.errors import REQUIRED, InputError, did_you_mean
from optiviz.system.json_schema import TEXT, MappedSchema, any_of, one_or_more
from optiviz.system.plugins import is_import_path
from optiviz.system.text import counted, shorten
from optiviz.system.validation import Fault, checked


class SurfaceOptions(BaseModel):
    """Ways to write a surface beside its name or declaration."""

    formula: Annotated[
        Any,
        MappedSchema(lambda kept: one_or_more(TEXT)),
        Field(description="a formula instead of a named surface, for example x**2 + 10*y**2"),
    ]
    residuals: Annotated[
        Any,
        MappedSchema(lambda kept: one_or_more(TEXT)),
        Field(
            description="residuals instead of a formula, for example y - x**2, 1 - x: the surface "
            "is half the sum of their squares"
        ),
    ]
    fit: Annotated[
        str,
        Field(
            description="a curve instead of a formula, for example y = w*x + b, which is fitted to "
            "the columns of data: its parameters are the variables"
        ),
    ]
    loss: Annotated[FitLoss, Field(description="the loss of the samples of a fit")]
    metric: Annotated[
        Any,
        MappedSchema(lambda kept: one_or_more(TEXT)),
        Field(description="the metric of natural-gradient, row by row, for example 1, 0, 0, x**2"),
    ]
    variables: Annotated[
        VariableNames,
        Field(description="the variables of a formula or function, for example w,b"),
    ]
    params: Annotated[
        Any,
        MappedSchema(lambda kept: any_of(*one_or_more(TEXT)["anyOf"], {"type": "object"})),
        Field(
            description="values of other names in a formula, for example k=10, or {k: 10}; a run "
            "compares several, as in k=1,10,100"
        ),
    ]
    dim: Annotated[
        int, Field(ge=1, le=MAX_VARIABLES, description="the number of variables, x1, x2 and so on")
    ]
    domain: Annotated[Window, Field(description="the window to draw, for example -3:3,-2:2")]
    axes: Annotated[AxisNames, Field(description="the names of the axes, for example w,b")]
    catalogue: Annotated[str, Field(description="a YAML file of additional surfaces")]
    data: Annotated[
        str, Field(description="the data set that a network learns, or the file of a fit")
    ]
    samples: Annotated[int, Field(ge=1, description="the number of samples that a network learns")]
    device: Annotated[Device, Field(description="where your own model is evaluated")]
    dtype: Annotated[DType, Field(description="in which numbers your own model is evaluated")]
    batch_norm: Annotated[
        BatchNorm,
        Field(description="the statistics of batch norm: as trained, or computed at each point"),
    ]
    plane: Annotated[
        WrittenPlane,
        Field(
            description="the plane through weights or many variables: path, random:SEED, hessian, "
            "between:A,B, through:A,B,C, fc2.weight[5,250],fc2.weight[5,251] or x1,x2"
        ),
    ]
    normalize: Annotated[
        Normalize,
        Field(
            description="how long random directions through weights are: as long as the weights "
            "of each filter, of each layer, or not scaled"
        ),
    ]
    biases: Annotated[
        Biases,
        Field(
            description="biases in random directions: zero, so that they stay, or keep, so that "
            "they grow along themselves"
        ),
    ]
    resolution: Annotated[
        Grid, Field(description="points per side at which a network or a model is evaluated")
    ]
    constraints: Annotated[
        tuple[Text, ...],
        MappedSchema(lambda kept: one_or_more(TEXT)),
        Field(description="where steps must stay, for example x + y <= 1 or 0 <= x <= 1"),
    ]
    bounds: Annotated[Bounds, Field(description="an interval for each variable, as -1:1,0:2")]
    l1: Annotated[float, Field(ge=0, description="the weight of a penalty |x| + |y| that is added")]


class Names(BaseModel):
    """Names of axes and variables, whose number is not known yet, and the points per side."""

    axes: AxisNames = ()
    variables: VariableNames = ()
    dim: Annotated[int | None, Field(ge=1, le=MAX_VARIABLES)] = None
    resolution: Grid | None = None


SURFACE_OPTIONS = tuple(SurfaceOptions.model_fields)


OF_NETWORK = ("data", "samples")  # options that change its declaration


OF_MODEL = ("device", "dtype", "batch_norm")


OF_FIT = ("data", "loss")


OF_PLANE = ("plane", "normalize", "biases")


OF_GRID = ("resolution",)


OF_FORMULA = ("constraints", "bounds", "l1", "metric")


NEEDS = {
    "data": "needs a network or a --fit, but there is none",
    "samples": "needs a network, but there is none",
    "loss": "needs a fit, but there is none",
    **dict.fromkeys(OF_MODEL, "needs a model of your own, but there is none"),
    **dict.fromkeys(OF_GRID, "needs a network or a model, but there is none"),
    **dict.fromkeys(
        OF_PLANE, "needs a network, a model or more than two variables, but there are none"
    ),
}


def read_surfaces(fields: Fields, field: str) -> list[Fault]:
    """Replace the options of surfaces in `fields` by the surfaces; return the faults."""
    options = {option: fields.pop(option, None) for option in SURFACE_OPTIONS}
    domain, catalogue = options["domain"], options["catalogue"]
    changing = (*NEEDS, *OF_FORMULA)
    changes = {option: options[option] for option in changing if options[option] is not None}
    several = field == "surfaces"
    named = as_list(field, fields.get(field), several)
    formulas = as_list("formula", options["formula"], several)
    others = [key for key in ("residuals", "fit") if options[key] is not None]
    for key in others:
        if named or formulas or len(others) > 1:
            return [Fault((key,), "cannot be combined with a surface or a formula")]
    if not named and not formulas and not others:
        return [Fault((field,), f"{REQUIRED}: name a surface, or give a formula or a fit")]
    if len(named) + len(formulas) > MAX_SURFACES:
        return [Fault((field,), f"more than {MAX_SURFACES} surfaces are not allowed")]
    if named and formulas and not several:
        return [Fault((field,), "cannot be combined with a formula: give only one")]
    if all(option is None for option in options.values()):
        return []  # the recipe reads names and declarations itself
    try:
        params = _params(options["params"], fields)
    except InputError as error:
        return [Fault(("params",), str(error))]
    faults: list[Fault] = []
    if isinstance(domain, Mapping) and len(formulas) == 1 and isinstance(formulas[0][1], str):
        names = options["variables"] or variables_of(with_params(formulas[0][1], params))
        domain = placed(domain, names.split(",") if isinstance(names, str) else names)
    window = None if domain is None else checked(Domain, domain)
    if isinstance(window, list):
        faults += [Fault(("domain", *(fault.keys or ())), fault.message) for fault in window]
        window = None
    given = {key: options[key] for key in Names.model_fields if options[key] is not None}
    called = checked(Names, given)
    if isinstance(called, list):
        return [*faults, *called]
    if called.dim is not None and called.variables:
        return [Fault(("dim",), "cannot be combined with variables: give only one")]
    if called.resolution is not None:
        changes["resolution"] = called.resolution
    surfaces = SurfaceReader(catalogue, window, changes, called, params)
    found = [surfaces.named(*each) for each in named]
    found += [surfaces.of_formula(*each) for each in formulas]
    if options["residuals"] is not None:
        found.append(surfaces.of_formula(("residuals",), options["residuals"], "residuals"))
    if options["fit"] is not None:
        found.append(surfaces.of_fit(("fit",), options["fit"]))
    used = OF_FIT if options["fit"] is not None else ()
    for option in changes.keys() & NEEDS.keys() - {*used}:
        if all(each is not None and not _takes(each, option) for each in found):
            faults.append(Fault((option,), NEEDS[option]))
    faults += surfaces.faults
    if not faults:
        fields[field] = tuple(found) if several else found[0]
    return faults


def param_names(given: Any) -> set[str]:
    """Return the names of parameters, written as text, a list of texts, or a mapping."""
    texts = [given] if isinstance(given, str) else given or ()
    return {each.partition("=")[0].strip() for each in texts if isinstance(each, str)}


def _params(given: Any, fields: Fields) -> dict[str, float]:
    """Return the values of parameters, written as text, a list of texts, or a mapping.

    Of one with several values it is the first, and fields then vary it. Raises InputError for what
    is no number, and for several values of several parameters or of another kind than a run.
    """
    texts = [given] if isinstance(given, str) else [] if given is None else given
    if not isinstance(texts, Mapping):
        pairs = [each.partition("=") for each in texts if isinstance(each, str)]
        for each, (name, equals, values) in zip(texts, pairs, strict=False):
            if not (name.strip() and equals and values.strip()):
                said = shorten(each, quoted=True)
                raise InputError(
                    f"{said} is not the value of a parameter: write, for example, k=10"
                )
        names = [name.strip() for name, _, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"{name} is set twice: write {name}=1,10 for several values")
        texts = {name.strip(): values.split(",") for name, _, values in pairs}
    params: dict[str, float] = {}
    for name, written in texts.items():
        several = written if isinstance(written, list | tuple) else [written]
        numbers = [_number(name, value) for value in several]
        if not numbers:
            raise InputError(f"{shorten(name)} has no value: write {shorten(name)}=10")
        params[name] = numbers[0]
        if len(numbers) > 1:
            if fields.get("kind", "run") != "run":
                raise InputError(f"only a run compares several values: write {name}={numbers[0]:g}")
            if fields.get("vary") is not None:
                raise InputError(f"only one thing can vary, but there is {fields['vary']}")
            fields["vary"] = f"{name}={','.join(map(format_value, numbers))}"
    return params


def _number(name: Any, value: Any) -> float:
    """Return the value of a parameter; raise InputError if it is not a finite number."""
    with suppress(TypeError, ValueError):
        number = float(value)
        if math.isfinite(number) and not isinstance(value, bool):
            return number
    raise InputError(f"{shorten(name)} must be a number, not {shorten(value, quoted=True)}")


def _takes(surface: Surface, option: str) -> bool:
    """Return whether an option changes the declaration of a surface."""
    if option in OF_NETWORK:
        return surface.network is not None
    if option == "loss":
        return False
    if option in OF_MODEL:
        return surface.model is not None
    if option in OF_GRID:
        return surface.learns
    return surface.learns or surface.has_many_variables


def as_list(field: str, given: Any, several: bool) -> list[tuple[Keys, Any]]:
    """Return the values of a field, one or several, each with its keys."""
    if field == "surfaces" and isinstance(given, str):
        given = [name.strip() for name in given.split(",") if name.strip()]
    if several and isinstance(given, list | tuple):
        return [((field, number), each) for number, each in enumerate(given)]
    return [] if given is None else [((field,), given)]


class SurfaceReader:
    """Reads the surfaces of one recipe and collects their faults.

    All surfaces get the same window, if there is one, and the same names of axes and variables.
    changes are data, samples, device, plane and the like, replacing what is declared.
    """

    def __init__(
        self,
        catalogue: Any,
        window: Domain | None,
        changes: Mapping[str, Any],
        names: Names,
        params: Mapping[str, float],
    ) -> None:
        self.params = params
        self.window = window
        self.axes = names.axes
        self.variables = names.variables or (() if names.dim is None else vector_names(names.dim))
        self.given_variables = "variables" if names.variables else "dim"
        self.changes = changes
        self.faults: list[Fault] = []
        self._find = find_surface if catalogue is None else self._opened(catalogue)

    def _opened(self, path: Any) -> Callable[[str], Surface] | None:
        if not isinstance(path, str | Path):
            self.faults.append(Fault(("catalogue",), "must be the name of a YAML file"))
            return None
        try:
            catalogue = load_catalogue(Path(path), OPTIMIZERS)
            return lambda name: (
                find_surface(name) if is_third_party_surface(name) else catalogue[name]
            )
        except ValueError as error:  # an InputError, or a path that cannot be one
            said = str(error)
            self.faults.append(Fault(None if "\n" in said else ("catalogue",), said))
            return None

    def named(self, keys: Keys, value: Any) -> Surface | None:
        """Return the surface of a name or of a declaration, None if it has a fault."""
        if isinstance(value, Mapping):
            return self._declared(keys, self._changed(value))
        if self._find is None:
            return None
        try:
            surface = value if isinstance(value, Surface) else self._named(value)
        except InputError as error:
            self.faults.append(Fault(keys, str(error)))
            return None
        if self.variables and surface.variables != self.variables:
            try:
                surface = surface.with_variables(self.variables)
            except InputError as error:
                self.faults.append(Fault((self.given_variables,), str(error)))
                return None
        if self.params:
            known = dict(surface.params)
            for name in self.params.keys() - known.keys():
                said = did_you_mean("parameter", name, known)
                if not known:
                    said = f"{surface.name or 'the surface'} has no parameters"
                self.faults.append(Fault(("params",), said))
                return None
            surface = surface.with_params(self.params)
        many = surface.has_many_variables
        if (self.changes and (many or surface.learns)) or (self.window is not None and many):
            return self._declared(keys, self._changed(_declaration(surface)))
        if self.axes:
            try:
                surface = surface.model_copy(update={"axes": axis_names(self.axes, surface.dim)})
            except ValueError as error:
                self.faults.append(Fault(("axes",), str(error)))
        if self.window is None:
            return self._constrained(keys, surface)
        if len(self.window.intervals) != surface.dim:
            coordinates = counted(surface.dim, "coordinate")
            said = f"must have one interval per coordinate, but {surface.name or surface.title}"
            self.faults.append(Fault(("domain",), f"{said} has {coordinates}"))
            return surface
        return self._constrained(keys, surface.within(self.window))

    def _constrained(self, keys: Keys, surface: Surface) -> Surface | None:
        """Return a surface with what is given of constraints, a penalty and a metric.

        What was known about it without them is left out: presets, and minima that are none.
        """
        given = {key: self.changes[key] for key in OF_FORMULA if key in self.changes}
        if not given:
            return surface
        former = {"presets"} if given.keys() - {"metric"} else set[str]()
        former |= {"minima", "levels"} if given.get("l1") else set()
        declared = {key: each for key, each in _declaration(surface).items() if key not in former}
        found = self._declared(keys, declared | given)
        if found is None or found.feasible_set is None:
            return found
        kept = [each for each in found.minima if found.feasible_set.contains(np.array(each))]
        return found.model_copy(update={"minima": tuple(kept)})

    def _named(self, value: Any) -> Surface:
        """Return the surface of a name or of a Python function."""
        assert self._find is not None
        named = isinstance(value, str)
        code = callable(value) or isinstance(value, ModelProblem)
        if code or (named and self.variables and is_import_path(value)):
            return code_surface(value, self.variables)
        if named:
            return self._find(value)
        raise InputError(f"must be a name or a Surface, not {shorten(value, quoted=True)}")

    def of_formula(self, keys: Keys, text: Any, field: str = "formula") -> Surface | None:
        """Return the surface of a formula or of residuals, None if it has a fault."""
        formula = text
        if field == "residuals" and isinstance(text, str):
            formula = half_sum_of_squares(split_formulas(text))
        found = isinstance(formula, str) and variables_of(with_params(formula, self.params))
        names = self.variables or found or AXES[:1]
        if isinstance(formula, str) and self.params:
            try:
                given = self.changes.get("constraints") or ()
                listed = [given] if isinstance(given, str) else given
                constraints = [each for each in listed if isinstance(each, str)]
                check_params(self.params, formula, names, constraints)
            except InputError as error:
                self.faults.append(Fault(("params",), str(error)))
                return None
        declared = {field: text, "axes": self.axes, "variables": self.variables}
        if self.params:
            declared["params"] = dict(self.params)
        if len(names) <= len(AXES):
            declared["domain"] = self.window or [DEFAULT_INTERVAL] * len(names)
        elif self.window is not None:
            declared["domain"] = self.window
        if any(key in self.changes for key in OF_PLANE):
            declared["plane"] = self._plane(None)
        declared |= {key: self.changes[key] for key in OF_FORMULA if key in self.changes}
        surface = self._declared(keys, declared, of=1)
        if surface is None or self.window is not None:
            return surface
        return surface.around_feasible_set() or surface

    def of_fit(self, keys: Keys, model: Any) -> Surface | None:
        """Return the surface of a curve that is fitted to data, None if it has a fault."""
        given = {key: self.changes[key] for key in OF_FIT if key in self.changes}
        if "data" not in given:
            said = f"{REQUIRED}: name the file of samples, such as points.csv"
            self.faults.append(Fault(("data",), said))
            return None
        declared = {"fit": {"model": model, **given}, "axes": self.axes}
        if self.params:
            self.faults.append(Fault(("params",), "are those of a formula: write numbers instead"))
            return None
        optional: Fields = {"domain": self.window, "variables": self.variables}
        declared |= {key: each for key, each in optional.items() if each}
        declared |= {key: self.changes[key] for key in OF_FORMULA if key in self.changes}
        return self._declared(keys, declared, of=1)

    def _plane(self, declared: Any) -> Any:
        """Return the declaration of a plane with the changes applied."""
        plane = self.changes.get("plane", declared)
        found = checked(PlaneConfig, {} if plane is None else plane)
        changes = {key: self.changes[key] for key in ("normalize", "biases") if key in self.changes}
        if isinstance(found, list) or not changes:
            return plane  # its faults are found again where it belongs
        return found.model_dump(mode="json") | changes

    def _changed(self, declared: Any) -> Any:
        """Return a declaration with the window and, where it learns, the changes applied."""
        if not isinstance(declared, Mapping):
            return declared
        changed = dict(declared)
        network, model = declared.get("network"), declared.get("model")
        setting = {key: self.changes[key] for key in OF_MODEL if key in self.changes}
        if setting and model is not None:
            known = ModelConfig.model_validate(model)
            kept = {key: getattr(known, key) for key in type(known).model_fields}
            changed["model"] = kept | setting
        if isinstance(network, Mapping):
            learned = {key: self.changes[key] for key in OF_NETWORK if key in self.changes}
            if "data" in learned:  # the hash and title belong to the former data
                network = {key: value for key, value in network.items() if key != "sha256"}
                named = str(learned["data"]).rpartition("/")[2].rpartition(":")[2]
                changed["title"] = "".join(filter(str.isprintable, named)).capitalize()
            changed["network"] = {**network, **learned}
        if any(key in self.changes for key in OF_PLANE):
            changed["plane"] = self._plane(declared.get("plane"))
            learns = network or model
            former = ("domain", "start", "starts", "levels") if learns else ("levels",)
            for key in former:  # of the former plane
                changed.pop(key, None)
        if "resolution" in self.changes and (network or model):
            plane = checked(PlaneConfig, changed.get("plane") or {})
            if isinstance(plane, PlaneConfig):  # else its faults are told
                grid = {"grid": self.changes["resolution"]}
                changed["plane"] = plane.model_copy(update=grid)
        if self.window is not None:
            changed["domain"] = self.window
        if self.params:
            changed["params"] = {**(changed.get("params") or {}), **self.params}
        if self.axes:
            changed["axes"] = self.axes
        if self.variables:
            changed["variables"] = self.variables
        return changed | {key: self.changes[key] for key in OF_FORMULA if key in self.changes}

    def _declared(self, keys: Keys, value: Any, of: int = 0) -> Surface | None:
        """Return a declared surface; the first `of` keys of its faults are not the user's."""
        found = checked(Surface, value, ValidationContext(OPTIMIZERS))
        if isinstance(found, list):
            self.faults += [self._fault(keys, each, of) for each in found]
            return None
        try:
            _ = found.feasible_set
        except InputError as error:
            of_both = Fault(("constraints" if found.constraints else "bounds",), str(error))
            self.faults.append(self._fault(keys, of_both, of))
            return None
        try:
            return found.with_file_hashes()
        except InputError as error:
            within = ("plane",) if _lacks_checkpoints(found) else ("network", "data")
            self.faults.append(self._fault(keys, Fault(within, str(error)), of))
            return None

    def _fault(self, keys: Keys, fault: Fault, of: int) -> Fault:
        """Return a fault of a declaration with the keys under which the user wrote the value."""
        within = fault.keys or ()
        given = {
            "axes": bool(self.axes),
            "params": bool(self.params),
            "variables": bool(self.variables),
            "domain": bool(self.changes) or self.window is not None,
            **dict.fromkeys(self.changes, True),
        }
        changed = within
        if within[:1] in (("network",), ("fit",)) or within[1:2] in (("normalize",), ("biases",)):
            changed = within[1:]
        if changed and given.get(changed[0]):
            names = {"variables": self.given_variables}
            return Fault((names.get(changed[0], changed[0]), *changed[1:]), fault.message)
        return Fault((*keys, *within[of:]), fault.message)


def _declaration(surface: Surface) -> Fields:
    """Return the declaration of a surface, with its code itself."""
    declared = surface.model_dump(mode="json", exclude_defaults=True)
    code = {key: getattr(surface, key) for key in ("function", "model")}
    return declared | {key: each for key, each in code.items() if each is not None}


def _lacks_checkpoints(surface: Surface) -> bool:
    """Return whether a checkpoint of a surface's plane cannot be read."""
    origin = surface.origin
    try:
        return bool(isinstance(origin, SpaceOrigin) and origin.plane_hashes() is None)
    except InputError:
        return True
