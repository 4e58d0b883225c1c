"""A user's own model with the plane through its parameters."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from optiviz.objective import Array, Objective, Stream
from optiviz.surfaces.config import ModelConfig, PlaneConfig
from optiviz.surfaces.models.problem import ModelProblem
from optiviz.surfaces.plane import Plane
from optiviz.surfaces.space import Space
from optiviz.system import plugins
from optiviz.system.errors import InputError

RETURNS = (
    "takes no arguments, so it must return a TorchProblem, a JaxProblem or a PythonProblem of "
    "optiviz"
)


class ModelPlane(Plane):
    """A plane through a model's parameters."""

    objective: ModelProblem

    def value(self, x: Array) -> Array:
        return self.objective.values_on_plane(
            self.origin, self.directions, x.reshape(-1, self.dim)
        ).reshape(x.shape[:-1])

    def fingerprint(self, probes: Array) -> tuple[bytes, ...]:
        # What a model calls may change without a change of its files.
        known = super().fingerprint(probes)
        return (self.objective.code.encode(), *known, self.losses(probes).tobytes())

    @property
    def can_be_cached(self) -> bool:
        return bool(self.objective.code)

    def on(self, objective: Objective) -> Plane:
        if isinstance(objective, ModelProblem):
            return ModelPlane(objective, self.origin, self.directions)
        return super().on(objective)

    @property
    def _at_once(self) -> int:
        return self.objective.points_at_once


class ModelSpace(Space):
    """A model's loss over all of its parameters, which begin as the model has them."""

    def __init__(self, problem: ModelProblem, plane: PlaneConfig) -> None:
        self.problem, self.plane_config = problem, plane
        self.objective, self.initial, self.parts = problem, problem.initial, problem.parts

    def plane_through(self, origin: Array, directions: Array) -> Plane:
        return ModelPlane(self.problem, origin, directions)

    def batches(self, size: int | None, seed: int) -> Objective | Stream:
        return self.problem.batches(size, seed)

    def hessian_product(self, x: Array, v: Array) -> Array:
        return self.problem.hessian_product(x, v)

    def accuracy(self, x: Array) -> float | None:
        return self.problem.accuracy(x)

    def from_tensors(self, found: Mapping[str, Any], file: str) -> "tuple[Array, ModelSpace]":
        vector, problem = self.problem.from_tensors(found, file)
        return vector, ModelSpace(problem, self.plane_config)


@lru_cache(maxsize=8)
def model_space(config: ModelConfig, plane: PlaneConfig) -> ModelSpace:
    """Return the model of a declaration, whose code is run, with its plane."""
    return ModelSpace(_configured(config.of, config.call, config.sha256, config.setting), plane)


@lru_cache(maxsize=4)
def _configured(of: str, call: Any, sha256: str, setting: Any) -> ModelProblem:
    found = call if call is not None else plugins.load(of)
    if not isinstance(found, ModelProblem):
        with plugins.third_party_code(of, plugins.file_of(of) or ""):
            found = found()
        if not isinstance(found, ModelProblem):
            raise InputError(f"{of} {RETURNS}, not {_described(found)}")
        if call is None:
            found.code = plugins.code_hash(of)
    if found.dim == 1:
        raise InputError(
            f"{of} has one parameter, but a plane needs two: write it as a function of one "
            "variable, such as def f(w)"
        )
    try:
        return found.with_setting(setting)
    except InputError as error:
        raise InputError(f"{of}: {error}") from None


def _described(found: Any) -> str:
    """Return what a function returned, as text."""
    what = "None" if found is None else f"an object of class {type(found).__name__}"
    return f"{what} (a surface is a function of coordinates: f(x, y), or f(x) of a vector)"
