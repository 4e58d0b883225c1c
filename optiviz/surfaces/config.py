"""Declarations of networks, planes and functions, validated without loading the data."""

import ast
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, get_args

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    PlainSerializer,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from optiviz.objective import Array
from optiviz.registry import BatchNorm, Biases, Device, DType, FitLoss, Normalize
from optiviz.surfaces.datasets import check_dataset, files_of
from optiviz.surfaces.models.problem import ModelProblem, Setting
from optiviz.surfaces.network import ActivationName, Init, Loss
from optiviz.surfaces.parts import entry_name
from optiviz.surfaces.samples import (
    Columns,
    column_names,
    file_of_samples,
    given_columns,
    read_columns,
)
from optiviz.surfaces.syntax import AXES, free_names, in_order, parse_text
from optiviz.surfaces.vocabulary import SPELLINGS
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.json_schema import NUMBERS, TEXT, MappedSchema, any_of, one_or_more
from optiviz.system.plugins import import_path, is_import_path
from optiviz.system.text import enumerated, plain_number, plain_text, shorten

MAX_UNITS, MAX_LAYERS, MAX_SAMPLES = 20_000, 20, 10_000_000
FINE_GRID, COARSE_GRID = 161, 41  # points per side, for cheap and costly planes
MODEL_GRID = 51  # as Li et al. (2018) have it
MIN_GRID, MAX_GRID = 11, 641
ACTIVATION_NAMES = get_args(ActivationName)

Units = Annotated[int, Field(ge=1, le=MAX_UNITS), BeforeValidator(plain_number)]
Samples = Annotated[int, Field(ge=1, le=MAX_SAMPLES), BeforeValidator(plain_number)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1), BeforeValidator(plain_number)]
Side = Annotated[int, Field(ge=1, le=MAX_UNITS), BeforeValidator(plain_number)]
MatrixShape = tuple[Side, Side]  # rows, columns
Grid = Annotated[int, Field(ge=MIN_GRID, le=MAX_GRID), BeforeValidator(plain_number)]


def _activations(value: Any) -> Any:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"must be a name or a list of names, not {shorten(value, quoted=True)}")
    for name in names:
        if name not in ACTIVATION_NAMES:
            raise ValueError(did_you_mean("activation", name, ACTIVATION_NAMES))
    return tuple(names)


class NetworkConfig(BaseModel):
    """A multi-layer perceptron and its data, as declared in an entry of surfaces.yaml.

    hidden lists the units of each hidden layer; the data determine inputs and outputs. samples is
    how many of the first samples are used, all by default. seed is that of the initial weights and
    of generated data. sha256 is the hash of the data's file, if there is one; recipes store it, so
    that a changed file is noticed. The loss determines the outputs: sigmoids for the squared
    error, a softmax for the cross-entropy.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden: Annotated[tuple[Units, ...], Field(max_length=MAX_LAYERS)]
    activation: Annotated[
        tuple[str, ...],
        BeforeValidator(_activations),
        MappedSchema(lambda kept: one_or_more({"enum": [*ACTIVATION_NAMES]})),
    ] = ("sigmoid",)
    loss: Loss = "squared-error"
    init: Init = "normal"
    bias: bool = False
    dropout: Annotated[float, Field(ge=0, lt=1), BeforeValidator(plain_number)] = 0.0
    data: Annotated[str, AfterValidator(check_dataset)]
    sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""
    samples: Samples | None = None
    seed: Seed = 0

    @field_validator("sha256")
    @classmethod
    def _of_a_file(cls, sha256: str, info: ValidationInfo) -> str:
        if sha256 and "data" in info.data and not files_of(info.data["data"]):
            raise ValueError(f"is not allowed: {info.data['data']} is not read from a file")
        return sha256

    @model_validator(mode="after")
    def _one_a_layer(self) -> Self:
        if len(self.activation) not in (1, len(self.hidden)):
            raise ValueError(
                f"needs one activation or one per hidden layer ({len(self.hidden)}), "
                f"not {len(self.activation)}"
            )
        return self

    @property
    def activations(self) -> tuple[str, ...]:
        """The activation of each hidden layer."""
        many = len(self.hidden) // max(1, len(self.activation))
        return self.activation * many


def _samples(value: Any) -> Any:
    return file_of_samples(plain_text(value)) if isinstance(value, str) else given_columns(value)


def _as_declared(data: "str | Columns") -> "str | dict[str, tuple[float, ...]]":
    return data if isinstance(data, str) else dict(data)


class QuadraticConfig(BaseModel):
    """A quadratic with the minimum 0 at (1, ..., 1), as declared in an entry of surfaces.yaml.

    The eigenvalues of its Hessian rise geometrically from 1 to condition. They belong to the
    variables, in order, or with rotated to directions that are drawn from the seed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    condition: Annotated[float, Field(ge=1, le=1e12), BeforeValidator(plain_number)]
    rotated: bool = False
    seed: Seed = 0


class FitNames(NamedTuple):
    """What the names in a model stand for: the columns of samples, and the parameters."""

    feature: str
    target: str
    parameters: tuple[str, ...]


class FitConfig(BaseModel):
    """A curve that is fitted to samples, as declared in an entry of surfaces.yaml.

    model is a formula of one column of the samples and of one or two parameters, such as w*x + b.
    The column that it is fitted to is y, or the only other one, unless it is named in front, as in
    price = w*area + b. data is a .csv, .npz or .npy file, a mapping from the names of columns to
    numbers, or a list of points (x, y). The loss is the mean over all samples of half the squared
    error, or the cross-entropy of labels 0 and 1 with the logistic function of the model. sha256 is
    the hash of the file, if there is one; recipes store it, so that a changed file is noticed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""
    data: Annotated[
        str | Columns,
        BeforeValidator(_samples),
        PlainSerializer(_as_declared),
        MappedSchema(
            lambda kept: any_of(
                TEXT,
                {"type": "object", "additionalProperties": NUMBERS},
                {"type": "array", "items": NUMBERS},
            )
        ),
    ]
    loss: FitLoss = "squared-error"
    model: str

    @field_validator("data")
    @classmethod
    def _there(cls, data: "str | Columns", info: ValidationInfo) -> "str | Columns":
        if not info.data.get("sha256"):
            _column_names(data)
        elif not isinstance(data, str):
            raise ValueError("are not read from a file: leave out sha256")
        return data

    @field_validator("model")
    @classmethod
    def _of_samples(cls, text: str, info: ValidationInfo) -> str:
        target, formula = _sides(" ".join(text.replace("~", "=", 1).split()))
        free_names(parse_text(formula))
        written = f"{target} = {formula}" if target else formula
        if info.data.get("sha256", ...) or not {"data", "loss"} <= info.data.keys():
            return written
        config = cls.model_construct(model=written, **info.data)
        config.load()
        return f"{config.names.target} = {formula}"

    @property
    def formula(self) -> str:
        """The formula of the curve."""
        return _sides(self.model)[1]

    @property
    def names(self) -> FitNames:
        """What the names in the model stand for; raises InputError if they fit no samples."""
        target, formula = _sides(self.model)
        columns, used = _column_names(self.data), free_names(parse_text(formula))
        features = [name for name in columns if name in used]
        shown = enumerated([shorten(name) for name in columns])
        if len(features) != 1:
            what = "several of" if features else "none of"
            raise InputError(f"{formula!r} must have one of the columns, but has {what} {shown}")
        others = [name for name in columns if name not in features]
        if target and target not in columns:
            raise InputError(did_you_mean("column", target, columns))
        if not target and AXES[1] in others:
            target = AXES[1]
        if not target and len(others) > 1:
            raise InputError(f"name the column that is fitted, as in {others[0]} = {formula}")
        target = target or next(iter(others), "")
        if not target or target in features:
            raise InputError(f"needs another column than {features[0]}, to which it is fitted")
        parameters = in_order(used - {*features})
        if not 1 <= len(parameters) <= len(AXES):
            listed = enumerated(parameters) if parameters else "none"
            raise InputError(f"{formula!r} must have one or two parameters, but has {listed}")
        inside = _inside_sigmoid(formula)
        if self.loss == "logistic" and inside:
            raise InputError(
                f"{formula!r} has the logistic function, which the logistic loss adds by itself: "
                f"write {target} = {inside}"
            )
        return FitNames(features[0], target, parameters)

    @property
    def equation(self) -> str:
        """The curve as an equation: y = w*x + b, or the probability of a label 1."""
        return f"p = sigmoid({self.formula})" if self.loss == "logistic" else self.model

    def load(self) -> "tuple[Array, Array]":
        """Return the feature and the target of all samples, each of shape (samples,).

        Raises InputError if the file cannot be read or has changed, or for labels of the logistic
        loss that are not 0 and 1.
        """
        feature, target, _ = self.names
        if isinstance(self.data, str):
            found = read_columns(self.data, (feature, target), self.sha256)
        else:
            found = {name: np.array(numbers) for name, numbers in self.data}
        x, y = found[feature], found[target]
        if self.loss == "logistic" and (strange := y[(y != 0) & (y != 1)]).size:
            raise InputError(
                f"{target} must be 0 or 1 for the logistic loss, but contains {strange[0]:g}"
            )
        return x, y


def _sides(model: str) -> tuple[str, str]:
    """Return the column in front of a model, "" if there is none, and its formula."""
    target, equals, formula = model.partition("=")
    if not equals:
        return "", model.strip()
    if not target.strip():
        raise ValueError(f"{model.strip()!r} must name a column before =")
    return target.strip(), formula.strip()


def _inside_sigmoid(formula: str) -> str:
    """Return what a formula that is a logistic function is one of, "" if it is none."""
    match parse_text(formula):
        case ast.Call(func=ast.Name(id=name), args=[inside]):
            return ast.unparse(inside) if SPELLINGS.get(name, name) == "sigmoid" else ""
    return ""


def _column_names(data: "str | Columns") -> tuple[str, ...]:
    return column_names(data) if isinstance(data, str) else tuple(name for name, _ in data)


def _coordinate_name(name: str) -> str:
    """Return the name of a variable, where x[0] is x1."""
    index = re.fullmatch(r"x\[(\d{1,4})\]", name.strip())
    return f"x{int(index[1]) + 1}" if index else name.strip()


EntryName = Annotated[str, AfterValidator(entry_name)]
Sha256 = Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]
FileName = Annotated[str, Field(min_length=1), AfterValidator(plain_text)]
PlaneKind = Literal["path", "random", "hessian", "weights", "coordinates", "between", "through"]
PLANES = get_args(PlaneKind)
CHECKPOINTS = {"between": ("two", 2), "through": ("three", 3)}  # how many, by kind of plane
START = "start"  # stands for a checkpoint: where runs begin


class PlaneConfig(BaseModel):
    """A plane through weights or many variables, or a line, and whether the descent stays in it.

    "path" has the first two principal components of all paths together. "random" has two random
    directions, drawn from the seed, through the starting point; `normalize` and `biases` say how
    long those through weights are, part by part. "hessian" has the two eigenvectors of the Hessian
    at the starting point whose eigenvalues are largest in magnitude. "weights" varies two weights,
    each the name of a tensor with an index from 0, such as layer2.weight[5,250]; "coordinates" two
    of the variables of a formula or function, by name. "between" is the line through two
    checkpoints, 0 at the first and 1 at the second; "through" the plane through three. A checkpoint
    is a file, or "start" for where runs begin; sha256 are the hashes of the files, which recipes
    store, so that a changed file is noticed.

    descent is "plane" to optimize only the plane's coordinates, the default for "weights", or
    "whole" to optimize all. grid is the number of points per side on which the plane is evaluated.
    Also accepts "path", "random:7", "hessian", "layer2.weight[5,250],layer2.weight[5,251]",
    "x1,x2", "between:a.npz,b.npz" or "through:start,a.npz,b.npz".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: PlaneKind = "path"
    weights: tuple[EntryName, ...] = ()
    coordinates: tuple[str, ...] = ()
    checkpoints: tuple[FileName, ...] = ()
    sha256: tuple[Sha256, ...] = ()
    seed: Seed = 0
    normalize: Normalize = "filter"
    biases: Biases = "zero"
    descent: Literal["plane", "whole"] | None = None
    grid: Grid | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_words(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            named = next((key for key in ("weights", "coordinates") if key in value), None)
            return value if named is None else {"kind": named, **value}
        if not isinstance(value, str):
            return value
        kind, colon, rest = value.partition(":")
        if kind == "random" and (re.fullmatch(r"[0-9]{1,10}", rest) or not colon):
            return {"kind": kind, "seed": int(rest or 0)}
        if kind in CHECKPOINTS and colon:
            return {"kind": kind, "checkpoints": [each.strip() for each in rest.split(",")]}
        if "[" in value:  # commas separate weights, but also the numbers of an index
            return {"kind": "weights", "weights": re.split(r",(?![^\[]*\])", value)}
        if "," in value:
            names = tuple(each.strip() for each in value.split(","))
            return {"kind": "coordinates", "coordinates": names}
        words = [kind for kind in PLANES if kind not in ("weights", "coordinates")]
        if value not in words:
            raise ValueError(did_you_mean("plane", value, words))
        return {"kind": value}

    @field_validator("weights")
    @classmethod
    def _two(cls, weights: tuple[str, ...]) -> tuple[str, ...]:
        if weights and (len(weights) != 2 or weights[0] == weights[1]):
            raise ValueError("must be two different weights")
        return weights

    @field_validator("coordinates")
    @classmethod
    def _two_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if names and (len(names) != 2 or names[0] == names[1]):
            raise ValueError(f"must be two different variables, not {','.join(names)}")
        return names

    @field_validator("seed", "normalize", "biases")
    @classmethod
    def _of_random(cls, given: Any, info: ValidationInfo) -> Any:
        assert info.field_name is not None
        if given != cls.model_fields[info.field_name].default and info.data.get("kind") != "random":
            raise ValueError("is for random planes: write random:0")
        return given

    @model_validator(mode="after")
    def _whole_plane(self) -> Self:
        for kind, given, example in (
            ("coordinates", self.coordinates, "two variables, as in [x1, x2]"),
            ("weights", self.weights, "two weights, as in layer0.weight[0,1],layer0.weight[0,2]"),
        ):
            if (self.kind == kind) != bool(given):
                raise ValueError(
                    f"a plane of {kind} needs {example}"
                    if self.kind == kind
                    else f"a {self.kind} plane has no {kind}"
                )
        self._check_checkpoints()
        if self.kind == "path" and self.descent == "plane":
            raise ValueError("a path plane is known only after the descent: write descent: whole")
        return self

    def _check_checkpoints(self) -> None:
        said, many = CHECKPOINTS.get(self.kind, ("no", 0))
        if len(self.checkpoints) != many or len(set(self.checkpoints)) != many:
            example = ",".join((START, "a.npz", "b.npz")[:many])
            if not many:
                raise ValueError(f"a {self.kind} plane has no checkpoints")
            more = f", not {len(self.checkpoints)}: names with commas are written in a YAML file"
            raise ValueError(
                f"{self.kind} needs {said} different checkpoints, as in {self.kind}:{example}"
                + more * (len(self.checkpoints) > many)
            )
        if len(self.sha256) not in (0, many):
            raise ValueError(
                f"must have one sha256 per checkpoint ({many}), not {len(self.sha256)}"
            )

    @model_serializer
    def _as_mapping(self) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return {"kind": self.kind} | {
            name: value
            for name, value in given.items()
            if value != type(self).model_fields[name].default
        }

    @property
    def as_text(self) -> str:
        """The plane as written on a command line, without what options of their own say."""
        if self.checkpoints:
            return f"{self.kind}:{','.join(self.checkpoints)}"
        if self.kind == "random" and self.seed:
            return f"random:{self.seed}"
        return ",".join(self.weights or self.coordinates) or self.kind

    @property
    def dim(self) -> int:
        """The number of coordinates: two, or one of a line."""
        return 1 if self.kind == "between" else 2

    @property
    def files(self) -> tuple[str, ...]:
        """The files of checkpoints."""
        return tuple(each for each in self.checkpoints if each != START)

    @property
    def descends_in_plane(self) -> bool:
        """Whether only the plane's coordinates are optimized."""
        return (self.descent or ("plane" if self.kind == "weights" else "whole")) == "plane"

    @property
    def samples(self) -> int:
        """The number of points per side on which the plane is evaluated."""
        return self.grid or (FINE_GRID if self.kind in ("weights", "between") else COARSE_GRID)

    def of_variables(self) -> "PlaneConfig":
        """Return the plane with its weights as variables, where x[0] is x1."""
        names = tuple(map(_coordinate_name, self.weights))
        return self.model_copy(update={"kind": "coordinates", "weights": (), "coordinates": names})

    def of_weights(self) -> "PlaneConfig":
        """Return the plane with its variables as weights, which are tensors of one number."""
        return self.model_copy(
            update={"kind": "weights", "weights": self.coordinates, "coordinates": ()}
        )


WrittenPlane = Annotated[PlaneConfig, MappedSchema(lambda kept: any_of(TEXT, kept))]


class CodeConfig(BaseModel):
    """A Python function: "my.py:f" or "package.module.f".

    sha256 is the hash of its file, if it has one. Also accepts the name alone, or the function
    itself: one that cannot be imported is kept as `call`, which is not part of a recipe.
    """

    kind: ClassVar = "function"

    model_config = ConfigDict(frozen=True, extra="forbid")

    call: SkipJsonSchema[InstanceOf[object] | None] = Field(default=None, exclude=True, repr=False)
    of: str
    sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        if cls.is_code(value):
            name = import_path(value)
            shown = getattr(value, "__name__", "").strip("<>") or cls.kind
            return {"of": shown, "call": value} if name is None else {"of": name}
        return {"of": value} if isinstance(value, str) else value

    @classmethod
    def is_code(cls, value: Any) -> bool:
        """Return whether a value is the function itself."""
        return callable(value)

    def __getstate__(self) -> Any:
        if self.call is not None:
            raise InputError(
                f"{self.of} is a {self.kind} of this program, which other processes cannot see: "
                "write it into a file, and name my.py:f"
            )
        return super().__getstate__()

    @field_validator("call")
    @classmethod
    def _callable(cls, call: Any) -> Any:
        if call is not None and not cls.is_code(call):
            raise ValueError(f"must be a {cls.kind}")
        return call

    @field_validator("of")
    @classmethod
    def _somewhere(cls, name: str, info: ValidationInfo) -> str:
        if info.data.get("call") is None and not (is_import_path(name) and name.isprintable()):
            raise ValueError(
                f"{shorten(name, quoted=True)} says not where the {cls.kind} is: write my.py:f "
                f"(a {cls.kind} of a program that has ended is lost)"
            )
        return name


class FunctionConfig(CodeConfig):
    """A Python function of coordinates or of a vector: "my.py:f" or "package.module.f"."""


class ModelConfig(CodeConfig):
    """A function that returns your own model's problem: "my_model.py:problem".

    It takes no arguments and returns a TorchProblem, JaxProblem or PythonProblem; also accepts such
    a problem. device, dtype and batch_norm say how models of PyTorch and JAX are evaluated: where
    their parameters are unless specified, in their dtype, with batch norm's statistics as trained.
    """

    kind: ClassVar = "model"

    device: Device = "auto"
    dtype: DType | None = None
    batch_norm: BatchNorm = "trained"

    @classmethod
    def is_code(cls, value: Any) -> bool:
        """Return whether a value is the function itself, or the problem."""
        return callable(value) or isinstance(value, ModelProblem)

    @property
    def setting(self) -> Setting:
        """How the model is evaluated."""
        return Setting(self.device, self.dtype, self.batch_norm)
