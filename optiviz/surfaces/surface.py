"""A surface: what it is made of, the window to draw, and what is known about it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import cycle, islice
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    InstanceOf,
    ValidationInfo,
    field_validator,
    model_validator,
)

from optiviz.objective import Array, FeasibleSet
from optiviz.registry import Aspect
from optiviz.surfaces.config import (
    MAX_GRID,
    MIN_GRID,
    CodeConfig,
    FitConfig,
    FunctionConfig,
    MatrixShape,
    ModelConfig,
    NetworkConfig,
    PlaneConfig,
    QuadraticConfig,
    WrittenPlane,
)
from optiviz.surfaces.constraints import comparisons, in_signs, penalized, spaced
from optiviz.surfaces.declared import completed
from optiviz.surfaces.domain import (
    AxisNames,
    Bounds,
    Domain,
    Kebab,
    Number,
    Params,
    PlacedPoint,
    Point,
    Rates,
    Steps,
    Text,
    ValidationContext,
    VariableNames,
    Window,
    axes_in,
    check_unmistakable,
    increasing,
    kebab,
)
from optiviz.surfaces.formulas import Formulas, Metric, half_sum_of_squares
from optiviz.surfaces.notation import symbol
from optiviz.surfaces.origins import (
    DEFAULT_START,
    FitOrigin,
    FormulaOrigin,
    FunctionOrigin,
    ModelOrigin,
    NetworkOrigin,
    Origin,
    QuadraticOrigin,
    SpaceOrigin,
    VariablesOrigin,
    compiled,
)
from optiviz.surfaces.parts import Part, matrix_parts
from optiviz.surfaces.presets import preset_schema, preset_texts
from optiviz.surfaces.syntax import (
    AXES,
    NO_INTERVAL,
    check_params,
    free_names,
    named_formula,
    parse_text,
    say_variables,
    uses_y,
    variables_of,
    vector_names,
    with_params,
)
from optiviz.system.errors import REQUIRED, InputError, did_you_mean
from optiviz.system.json_schema import MappedSchema
from optiviz.system.text import counted
from optiviz.system.validation import Model, validated

if TYPE_CHECKING:
    from optiviz.surfaces.fit import Fit
    from optiviz.surfaces.formula import Formula
    from optiviz.surfaces.function import Function
    from optiviz.surfaces.plane import Plane
    from optiviz.surfaces.quadratic import Quadratic
    from optiviz.system.progress import Progress


Declared = CodeConfig | FitConfig | QuadraticConfig | None
MADE_OF = "network", "model", "function", "fit", "quadratic"  # unless of a formula
TRIED_VARIABLES = 3  # with which a general formula is checked
MAX_CONSTRAINTS = 70  # letters of constraints in a caption; more are counted
MARGIN = 1 / 3  # beside a feasible set, in lengths of it
MAX_VARIABLE = 8  # letters of the name of an axis that is also written in the formula
MINIMUM_RADIUS = 0.01  # in window diagonals: a point this close to a minimum has reached it


class Surface(Model):
    """An objective in one or two dimensions, or more: a formula, a fit, a network or a function.

    variables are the names in the formula, x and y unless specified; general is the formula in any
    number of variables. params are the values of other names in it. function is a user's Python
    function, and model one that returns a problem over all parameters of a model. fit is a curve
    fitted to samples, whose parameters are the variables, and quadratic one of a given condition,
    whose minimum is at (1, ..., 1). The loss of a network or a model, and a
    formula or function of more than two variables, are drawn on a plane; domain is then the window
    of the plane or, with one interval, that of each variable. The fields are those of an entry in
    surfaces.yaml. Pickled as its declaration, which is compiled when first used.

    residuals, such as "y - x**2, 1 - x", are those of a sum of squares, whose formula is made of
    them; metric is a matrix of formulas, row by row, such as "1, 0, 0, x**2".

    constraints, such as "x + y <= 1", and bounds, an interval for each variable, say where steps
    must stay, and l1 is the weight of a penalty that is added to a formula: f + l1*(|x| + |y|).

    matrix, such as [2, 2], says that the variables of a formula or function are the entries of a
    matrix of so many rows and columns, row by row, which methods such as muon take as a whole.
    """

    elsewhere: ClassVar = {"dim": "variables=5, or their names"}

    name: Annotated[str, AfterValidator(lambda word: word and kebab(word))] = ""
    title: Text = ""
    network: NetworkConfig | None = None
    model: ModelConfig | None = None
    function: FunctionConfig | None = None
    fit: FitConfig | None = None
    quadratic: QuadraticConfig | None = None
    params: Params = ()
    variables: VariableNames = ()
    matrix: MatrixShape | None = None
    plane: WrittenPlane | None = None
    domain: Annotated[Window | None, Field(validate_default=True)] = None
    axes: AxisNames = ()
    aspect: Aspect | None = None
    residuals: Formulas | None = None
    metric: Metric | None = None
    constraints: tuple[Text, ...] = ()
    formula: Annotated[str, Field(validate_default=True)] = ""
    general: str = ""
    bounds: Bounds = ()
    l1: Annotated[Number, Field(ge=0)] = 0.0
    start: PlacedPoint = ()
    starts: tuple[PlacedPoint, ...] = ()
    steps: Steps | None = None
    minima: tuple[PlacedPoint, ...] = ()
    levels: Annotated[tuple[Number, ...], AfterValidator(increasing)] = ()
    learning_rates: Rates = ()
    presets: Annotated[
        tuple[Text, ...], BeforeValidator(preset_texts), MappedSchema(preset_schema)
    ] = ()
    tags: tuple[Kebab, ...] = ()
    aliases: tuple[Kebab, ...] = ()
    source: Text = ""

    @model_validator(mode="before")
    @classmethod
    def _completed(cls, declared: Any) -> Any:
        return completed(declared) if isinstance(declared, Mapping) else declared

    @field_validator("model", "function", "fit", "quadratic")
    @classmethod
    def _alone(cls, given: Declared, info: ValidationInfo) -> Declared:
        for other in MADE_OF[: MADE_OF.index(str(info.field_name))]:
            if given is not None and info.data.get(other) is not None:
                raise ValueError(f"cannot be combined with a {other}: give only one")
        return given

    @field_validator("variables")
    @classmethod
    def _of_a_formula(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if names and _learner(info) is not None:
            raise ValueError(f"are those of a formula or function: a {_learner(info)} has weights")
        if (fit := info.data.get("fit")) is not None and not fit.sha256:
            known = fit.names.parameters
            if sorted(names) != sorted(known):
                raise ValueError(f"must be the parameters of {fit.formula}: {','.join(known)}")
        return names

    @field_validator("matrix")
    @classmethod
    def _of_variables(
        cls, shape: tuple[int, int] | None, info: ValidationInfo
    ) -> tuple[int, int] | None:
        if shape is None or "variables" not in info.data:
            return shape
        rows, columns = shape
        many = len(info.data["variables"])
        if learner := _learner(info):
            raise ValueError(f"is that of the variables of a formula: a {learner} has its own")
        if many <= len(AXES):
            raise ValueError("needs more than two variables, of which it consists")
        if rows * columns != many:
            raise ValueError(f"has {rows} * {columns} entries, but there are {many} variables")
        return shape

    @field_validator("plane")
    @classmethod
    def _through(cls, plane: PlaneConfig | None, info: ValidationInfo) -> PlaneConfig | None:
        if plane is None or not {"network", "model", "variables"} <= info.data.keys():
            return plane
        names = info.data["variables"]
        if learner := _learner(info):
            if plane.coordinates and learner == "network":
                raise ValueError(
                    f"{plane.as_text} are variables, but a network has weights: "
                    "write layer0.weight[0,1],layer0.weight[0,2]"
                )
            return plane.of_weights() if plane.coordinates else plane
        if len(names) <= len(AXES):
            raise ValueError("needs a network or more than two variables, but there are none")
        if plane.normalize != "filter" or plane.biases != "zero":
            raise ValueError(
                "directions through variables are orthonormal: normalize and biases "
                "are for the weights of networks and models"
            )
        if plane.weights:
            weights, plane = plane.as_text, plane.of_variables()
            if any("[" in name for name in plane.coordinates):
                raise ValueError(f"{weights} are weights, but there is no network: write x1,x2")
        for name in plane.coordinates:
            if name not in names:
                raise ValueError(did_you_mean("variable", name, names))
        return plane

    @field_validator("domain")
    @classmethod
    def _in_two_dimensions(cls, domain: Domain | None, info: ValidationInfo) -> Domain | None:
        network, names = _learner(info), info.data.get("variables")
        if names is None or len(names) > len(AXES) or "fit" not in info.data:
            return domain
        if domain is None and network is None:
            raise ValueError(REQUIRED)
        if names and domain is not None and len(domain.intervals) != len(names):
            some = counted(len(domain.intervals), "interval")
            raise ValueError(f"has {some}, but {say_variables(names)}")
        if network is not None and domain is not None:
            _check_sides(domain, info.data.get("plane"))
        return domain

    @field_validator("aspect")
    @classmethod
    def _of_a_plane(cls, aspect: Aspect | None, info: ValidationInfo) -> Aspect | None:
        if aspect is not None and axes_in(info) == 1:
            raise ValueError("needs two dimensions, but there is one")
        return aspect

    @field_validator("residuals", "metric")
    @classmethod
    def _of_formulas(cls, given: Formulas | None, info: ValidationInfo) -> Formulas | None:
        axes = axes_in(info)
        if given is None or axes is None:
            return given
        for kind in MADE_OF:
            if info.data.get(kind) is not None:
                raise ValueError(f"are those of a formula, but there is a {kind}")
        if axes > len(AXES):
            raise ValueError("are those of one or two variables, but there are more")
        names = _names(info.data.get("variables", ()), axes, "")
        given = given.of(names, info.data.get("params", ()))
        given.check()
        return given

    @field_validator("formula")
    @classmethod
    def _readable(cls, text: str, info: ValidationInfo) -> str:
        text = " ".join(text.split())
        if not {"params", "residuals"} <= info.data.keys():
            return text  # its faults are told
        if (known := info.data["residuals"]) and text != half_sum_of_squares(known.texts):
            raise ValueError("cannot be combined with residuals: give only one")
        others = {kind: info.data.get(kind, ...) for kind in MADE_OF}
        given = [kind for kind, each in others.items() if each is not None]
        if not given and not text:
            raise ValueError(f"{REQUIRED} or empty")
        if given and text:
            raise ValueError(f"cannot be combined with a {given[0]}: give only one")
        if text and axes_in(info) == 1 and uses_y(text):
            raise ValueError(f"{named_formula(text)}: {NO_INTERVAL.format('y')}")
        params = dict(info.data.get("params", ()))
        if given and params:
            raise ValueError(f"params are those of a formula, not of a {given[0]}")
        if text and isinstance(info.context, ValidationContext):
            valued = with_params(text, params)
            names = _names(info.data.get("variables", ()), axes_in(info), valued)
            check_params(params, text, names, info.data.get("constraints", ()))
            compiled(valued, names)
        return text

    @field_validator("general")
    @classmethod
    def _in_any_number(cls, text: str, info: ValidationInfo) -> str:
        text = " ".join(text.split())
        if text and isinstance(info.context, ValidationContext):
            params = dict(info.data.get("params", ()))
            compiled(with_params(text, params), vector_names(TRIED_VARIABLES))
        return text

    @field_validator("constraints", mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        return (given,) if isinstance(given, str) else given

    @field_validator("constraints", "bounds", "l1")
    @classmethod
    def _of_few_variables(cls, given: Any, info: ValidationInfo) -> Any:
        if not given:
            return given
        what = "penalties" if info.field_name == "l1" else "constraints"
        if learner := _learner(info):
            raise ValueError(f"{what} are on the variables of a formula: a {learner} has weights")
        if len(info.data.get("variables", ())) > len(AXES):
            some = say_variables(info.data["variables"])
            raise ValueError(f"{what} are on one or two variables, but {some}")
        return given

    @field_validator("constraints")
    @classmethod
    def _comparing(cls, texts: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        axes = axes_in(info)
        params = dict(info.data.get("params", ()))
        for text in texts:
            if axes is not None:
                names = _names(info.data.get("variables", ()), axes, "")
                comparisons(text, names, params)
                used = free_names(parse_text(with_params(text, params)))
                check_unmistakable(used, names, info.data.get("axes", ()))
        return tuple(map(spaced, texts))

    @field_validator("bounds")
    @classmethod
    def _for_each_variable(cls, bounds: Bounds, info: ValidationInfo) -> Bounds:
        axes = axes_in(info)
        if bounds and axes is not None and len(bounds) != axes:
            some = counted(len(bounds), "interval")
            raise ValueError(f"has {some}, but there are {counted(axes, 'variable')}")
        return bounds

    @field_validator("l1")
    @classmethod
    def _on_a_formula(cls, weight: float, info: ValidationInfo) -> float:
        if weight and info.data.get("function") is not None:
            raise ValueError("is added to a formula, but there is a function: add it there")
        for kind in ("fit", "quadratic"):
            if weight and info.data.get(kind) is not None:
                raise ValueError(f"is added to a formula, but there is a {kind}")
        if weight and (info.data.get("constraints") or info.data.get("bounds")):
            raise ValueError("cannot be combined with constraints: give only one")
        return weight

    @model_validator(mode="after")
    def _complete(self) -> Self:
        named = self.name.replace("-", " ").capitalize()
        filled = {
            "title": self.title or named or self.origin.title,
            "start": self.start or next(iter(self.starts), ()) or self.origin.start,
        }
        for field, value in filled.items():
            object.__setattr__(self, field, value)  # the model is frozen
        return self

    @property
    def origin(self) -> Origin:
        """What the surface is made of."""
        plane = self.plane or PlaneConfig()
        if self.network is not None:
            return NetworkOrigin(self.name, self.domain, plane, self.network)
        if self.model is not None:
            return ModelOrigin(self.name, self.domain, plane, self.model)
        if self.fit is not None:
            return FitOrigin(self.name, self.domain, self.fit, self.variables)
        source: FunctionOrigin | FormulaOrigin | QuadraticOrigin
        if self.quadratic is not None:
            source = QuadraticOrigin(self.name, self.domain, self.quadratic, self.variables)
        elif self.function is not None:
            source = FunctionOrigin(self.name, self.domain, self.function, self.variables)
        else:
            sides = None if self.domain is None else len(self.domain.intervals)
            valued = with_params(self.formula, dict(self.params))
            names = _names(self.variables, sides, valued)
            rooted = self.residuals if self.residuals and self.residuals.has_roots else None
            source = FormulaOrigin(
                self.name, self.domain, self.penalized, names, self.params, rooted
            )
        if not self.has_many_variables:
            return source
        return VariablesOrigin(
            self.name, self.domain, plane, source, self.variables, self.start, self.matrix
        )

    @property
    def penalized(self) -> str:
        """The formula that is drawn and descended: with the penalty, if there is one."""
        if not self.l1:
            return self.formula
        names = _names(self.variables, self.dim, self.formula)
        return penalized(self.formula, self.l1, names)

    @property
    def shown_formula(self) -> str:
        """The formula under the title: what is minimised, or the model that is fitted."""
        return self.penalized if self.fit is None else self.fit.equation

    @property
    def shown_aspect(self) -> Aspect | None:
        """The aspect of the axes that is declared, or that of what the surface is made of."""
        return self.aspect or self.origin.aspect

    @property
    def smooth(self) -> "Surface | None":
        """The surface without its penalty, None if it has none."""
        return self.model_copy(update={"l1": 0.0}) if self.l1 else None

    @property
    def constraint_texts(self) -> tuple[str, ...]:
        """The constraints, and then the bounds as constraints."""
        names = _names(self.variables, self.dim, "") if self.bounds else ()
        sides = []
        for name, (low, high) in zip(names, self.bounds, strict=True):
            if low is not None or high is not None:
                above = "" if low is None else f"{low!r} <= ".replace(".0 ", " ")
                below = "" if high is None else f" <= {high!r}".removesuffix(".0")
                sides.append(f"{above}{name}{below}")
        return (*self.constraints, *sides)

    @property
    def parts(self) -> Sequence[Part] | None:
        """The matrix that its variables are, None if they are none, or descended on a plane."""
        if self.matrix is None or (self.plane or PlaneConfig()).descends_in_plane:
            return None
        return matrix_parts(self.matrix)

    @property
    def feasible_set(self) -> FeasibleSet | None:
        """The points that satisfy the constraints and bounds, None if there are none.

        Raises InputError if a constraint is invalid, or if there is no such point.
        """
        params = dict(self.params)
        texts = tuple(with_params(each, params) for each in self.constraint_texts)
        if not texts:
            return None
        # Imports numpy and sympy, which a list of surfaces does not need.
        from optiviz.surfaces.feasible import feasible_set

        names = _names(self.variables, self.dim, "")
        return feasible_set(texts, names, self.window.intervals)

    def around_feasible_set(self) -> "Surface | None":
        """Return it in a window around its feasible set, and with a start there.

        None if the set is not bounded. The margin on each side is a third of the set's length.
        """
        allowed = self.feasible_set
        extent = None if allowed is None else allowed.extent
        if extent is None or allowed is None:
            return None
        lengths: Array = np.ptp(extent, axis=1)
        lengths = np.where(lengths > 0, lengths, lengths.max() or 1.0)
        sides = tuple(
            (round(low - size * MARGIN, digits) + 0.0, round(high + size * MARGIN, digits) + 0.0)
            for (low, high), size in zip(extent.tolist(), lengths.tolist(), strict=True)
            for digits in [1 - math.floor(math.log10(size))]
        )
        share = np.array(DEFAULT_START[: self.dim])
        inside = allowed.project(extent[:, 0] + share * np.ptp(extent, axis=1))
        try:
            window = Domain.model_validate(sides)
        except ValueError:  # too narrow, or too far from 0
            return None
        return self.model_copy(update={"domain": window, "start": tuple(inside.tolist())})

    @property
    def window_told(self) -> str:
        """How its window was found, as a sentence; "" if it is declared, or needs no words."""
        if isinstance(self.origin, SpaceOrigin):
            return self.origin.window_told
        if self.fit is not None:
            return self._fit_told
        found = None if self.name else self.around_feasible_set()
        if found is None or found.domain != self.domain:
            return ""
        sides = ",".join(f"{low:g}:{high:g}" for low, high in self.window.intervals)
        return f"window {sides}, around the points that satisfy the constraints"

    @property
    def _fit_told(self) -> str:
        assert self.fit is not None
        from optiviz.surfaces.fit import best_fit

        found = () if self.name else best_fit(self.fit, self.variables).window
        if not found or found != self.window.intervals:
            return ""
        sides = ",".join(f"{low:g}:{high:g}" for low, high in found)
        return f"window {sides}, around the best fit"

    def check_feasible(self) -> None:
        """Raise InputError if a constraint is invalid, or if no point satisfies all."""
        try:
            _ = self.feasible_set
        except InputError as error:
            field = "constraints" if self.constraints else "bounds"
            raise InputError(f"{field}: {error}") from None

    @property
    def learns(self) -> bool:
        """Whether it is the loss of a network or a model over its weights."""
        return self.network is not None or self.model is not None

    @property
    def has_many_variables(self) -> bool:
        """Whether it is a formula or function of more variables than can be drawn."""
        return len(self.variables) > len(AXES)

    @property
    def dim(self) -> int:
        """Number of coordinates that are drawn: one or two."""
        if self.learns or self.has_many_variables:
            return (self.plane or PlaneConfig()).dim
        assert self.domain is not None
        return len(self.domain.intervals)

    @property
    def start_sizes(self) -> tuple[int, ...]:
        """How many coordinates a start may have: those of all variables, or of a known plane."""
        if not self.has_many_variables:
            return (self.dim,)
        known = self.plane is not None and self.plane.kind != "path"
        return (len(self.variables), *([self.dim] if known else []))

    @property
    def window(self) -> Domain:
        """The window that is drawn; raises InputError if it is known only after a descent."""
        return self.origin.window

    @property
    def sides(self) -> Array | None:
        """The lengths of the window's sides, shape (dim,); None if it is not declared."""
        if self.domain is None or self.learns or self.has_many_variables:
            return None
        lengths: Array = np.ptp(self.domain.intervals, axis=1)
        return lengths

    @property
    def default_starts(self) -> tuple[Point, ...]:
        """The default starting points, of all variables; () stands for initial weights."""
        return self.starts or (self.start,)

    @property
    def axis_names(self) -> tuple[str, ...]:
        """The names of the coordinates, as pictures show them.

        A name that would mislead in a formula is followed by that of the variable.
        """
        own = self.origin.axes
        if not self.axes or not self.formula or self._formula_has_names:
            return self.axes or own
        return tuple(f"{name} ({axis})" for name, axis in zip(self.axes, own, strict=True))

    @property
    def axis_symbols(self) -> tuple[str, ...]:
        """The names of the coordinates, with Greek letters for their names."""
        return tuple(symbol(name) for name in self.axis_names)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the drawn coordinates in tables: the variables, or x and y of a plane."""
        own = self.variables and not self.has_many_variables
        return self.variables if own else AXES[: self.dim]

    @property
    def shown_variables(self) -> dict[str, str]:
        """The names that pictures show in the formula, by those of its variables."""
        names = self.variables or AXES[: self.dim]
        return dict(zip(names, self.axes if self._formula_has_names else names, strict=False))

    @property
    def _formula_has_names(self) -> bool:
        """Whether the axes are named by short single words, for the variables of the formula."""
        if self.has_many_variables:
            return False
        short = (len(name) <= MAX_VARIABLE and " " not in name for name in self.axes)
        return bool(self.axes) and all(short)

    @property
    def caption(self) -> str:
        """The line under the title: the constraints, and what it is if there is no formula."""
        texts = ", ".join(map(in_signs, self.constraint_texts))
        if len(texts) > MAX_CONSTRAINTS:
            texts = counted(len(self.constraint_texts), "constraint")
        said = self.origin.caption, texts and f"subject to {texts}"
        return ", ".join(filter(None, said))

    def grid_size(self, most: int) -> int:
        """Return the number of points per side to sample, at most `most`."""
        return self.origin.grid_size(most)

    def sample_line(self, many: int) -> tuple[Array, Array, Array]:
        """Return at most `many` points of the window in one dimension, losses there, and slopes.

        Each has shape (n,), and is nan where it is undefined. The slopes on a line through many
        dimensions, where gradients take long, are central differences of the losses.
        """
        ((left, right),) = self.window.intervals
        x = np.linspace(left, right, self.grid_size(many))
        with np.errstate(all="ignore"):
            if self.learns or self.has_many_variables:
                value = self.sample_grid(x, np.zeros(1))[0]
                slope = np.gradient(value, x, edge_order=2)
            else:
                value, slopes = self.value_and_gradient(x[:, None])
                slope = slopes[:, 0]
        value, slope = np.where(np.isfinite([value, slope]), [value, slope], np.nan)
        return x, value, slope

    def sample_grid(self, x: Array, y: Array, progress: "Progress | None" = None) -> Array:
        """Return the loss on a grid, shape (len(y), len(x)); nan or inf where it is undefined."""
        return self.origin.sample_grid(x, y, progress)

    def value(self, x: Array) -> Array:
        """Return f(x), shape (...), for x of shape (..., dim)."""
        return self.compiled.value(x)

    def gradient(self, x: Array) -> Array:
        """Return df/dx, shape (..., dim), for x of shape (..., dim)."""
        return self.compiled.gradient(x)

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        """Return value and gradient."""
        return self.compiled.value_and_gradient(x)

    def hessian(self, x: Array) -> Array:
        """Return d2f/dx2, shape (..., dim, dim), for x of shape (..., dim)."""
        return self.compiled.hessian(x)

    @property
    def third_derivatives(self) -> "Callable[[Array], Array] | None":
        """The function that returns d3f/dx3, shape (..., dim, dim, dim); None if it is unknown."""
        found: Callable[[Array], Array] | None = getattr(self.compiled, "third_derivatives", None)
        return found

    @property
    def jacobian(self) -> "Callable[[Array], Array] | None":
        """The derivatives of the residuals, (..., m, dim); None if there are no residuals."""
        return None if self.residuals is None else self.residuals.jacobian

    @property
    def compiled(self) -> "Fit | Formula | Function | Plane | Quadratic":
        """The formula, function or plane through the network; raises InputError if invalid."""
        return self.origin.compiled

    def to_dict(self) -> dict[str, Any]:
        """Return all that is known about it as plain values, and the derivatives of its formula."""
        declared = self.model_dump(mode="json", exclude=None if self.l1 else {"l1"})
        first = {key: declared.pop(key) for key in ("name", "title")}
        return first | self.origin.to_dict(declared)

    def with_file_hashes(self) -> "Surface":
        """Return the surface with the SHA-256 of the files of its code, data and checkpoints."""
        origin = self.origin
        hashed = origin.with_file_hashes()
        if isinstance(origin, SpaceOrigin):
            hashed = hashed | origin.plane_hashes()
        return self.model_copy(update=hashed)

    def within(self, domain: Domain) -> "Surface":
        """Return the surface in another window; a default starting point moves along."""
        moved = self.model_copy(update={"domain": domain})
        if {"start", "starts"} & self.model_fields_set:
            return moved
        return moved.model_copy(update={"start": moved.origin.start})

    def with_variables(self, names: tuple[str, ...]) -> "Surface":
        """Return the surface in other variables; raises InputError if they are too many or few.

        A function takes any number that suits it, a formula without a general form its own.
        """
        if self.function is not None:
            from optiviz.surfaces.function import declaration

            declared = declaration(self.function, names)
        elif self.general:
            declared = {
                "name": f"{self.name}-{len(names)}d",
                "title": f"{self.title} in {len(names)} dimensions",
                "formula": self.general,
                "params": dict(self.params),
                "start": tuple(islice(cycle(self.start), len(names))),
                "domain": [self.window.intervals[0]],
            }
        else:
            whose = self.name or "the formula" if not self.network else f"{self.name}, a network,"
            raise InputError(f"{whose} has no form in {len(names)} variables, as rosenbrock has")
        if self.function is None and len(names) <= len(AXES):
            declared["domain"] = declared["domain"] * len(names)
        return validated(Surface, declared | {"variables": names}, lambda keys: self.name)

    def with_params(self, params: Mapping[str, float]) -> "Surface":
        """Return the surface with other values of parameters, without what is known of its own."""
        changed = tuple((dict(self.params) | dict(params)).items())
        if changed == self.params:
            return self
        unknown: dict[str, Any] = dict.fromkeys(
            ("minima", "levels", "learning_rates", "presets"), ()
        )
        given = {"residuals": self.residuals, "metric": self.metric}
        valued = {key: replace(each, params=changed) for key, each in given.items() if each}
        return self.model_copy(update={"params": changed} | unknown | valued)

    @property
    def params_told(self) -> tuple[str, ...]:
        """The values of its parameters, such as "k = 10"."""
        return tuple(f"{name} = {value:g}" for name, value in self.params)

    def coarser(self) -> "Surface":
        """Return the loss of a network or a model with half the points of its plane per side."""
        many = max(MIN_GRID, self.grid_size(MAX_GRID) // 2 + 1)
        plane = (self.plane or PlaneConfig()).model_copy(update={"grid": many})
        return self.model_copy(update={"plane": plane})

    def on_plane(self, plane: "Plane", axes: tuple[str, ...], domain: Domain) -> "PathPlaneSurface":
        """Return the surface on a plane through many dimensions that is known by now."""
        origin = self.origin
        assert isinstance(origin, SpaceOrigin)
        found = replace(origin, domain=domain, found=(plane, axes))
        # Minima are points of the whole space.
        changes = {"domain": domain, "minima": (), "found": found}
        return PathPlaneSurface.model_construct(**dict(self) | changes)

    @property
    def minimum_radius(self) -> float:
        """The distance from a minimum at which a point has reached it."""
        return MINIMUM_RADIUS * self.window.diagonal

    def distance_to_minimum(self, x: Sequence[float]) -> float | None:
        """Return the distance from x to the nearest known minimum, or None without any."""
        return min((math.dist(x, each) for each in self.minima), default=None)


class PathPlaneSurface(Surface):
    """A surface on a plane through many dimensions that was computed after a descent."""

    found: InstanceOf[SpaceOrigin] = Field(exclude=True, repr=False)

    @property
    def origin(self) -> SpaceOrigin:
        return self.found


def _learner(info: ValidationInfo) -> str | None:
    """Return what a surface with these fields is the loss of, None if that is no model."""
    for field in ("network", "model"):
        if info.data.get(field, ...) is not None:
            return field
    return None


def _check_sides(domain: Domain, plane: PlaneConfig | None) -> None:
    """Raise ValueError unless a window has as many intervals as a plane or a line."""
    wanted = (plane or PlaneConfig()).dim
    if len(domain.intervals) != wanted:
        raise ValueError(
            "must have two intervals for a plane, as in -1:1,-1:1"
            if wanted > 1
            else "must have one interval for a line, as in -0.25:1.25"
        )


def _names(variables: tuple[str, ...], axes: int | None, formula: str) -> tuple[str, ...]:
    """Return the variables of a formula: those named, else x, or x and y."""
    return variables or (variables_of(formula) if axes is None else AXES[:axes])
