"""What a page computes by itself: the surface and the optimizers as programs in JavaScript."""

import math
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field
from typing import Any

import numpy as np

from optiviz.kinds.run import Recipe
from optiviz.kinds.run_scene import DescentEntry, RunScene
from optiviz.objective import Array
from optiviz.optimizers.base import Method, Scheduled, Solver, ends
from optiviz.optimizers.factory import OptimizerFactory
from optiviz.optimizers.lookup import factory_of
from optiviz.optimizers.schedules import Schedule
from optiviz.optimizers.spec import OptimizerSpec, format_value
from optiviz.registry import OPTIMIZERS
from optiviz.surfaces.formula import Formula
from optiviz.surfaces.noise import standard_noise
from optiviz.surfaces.origins import FormulaOrigin, FunctionOrigin, NetworkOrigin
from optiviz.surfaces.surface import Surface
from optiviz.tracing.graph import Untraceable
from optiviz.tracing.javascript import method_text, objective_text, script
from optiviz.tracing.methods import MethodProgram, record
from optiviz.tracing.objectives import formula_programs

ANY_RATE = 1.0  # stands for a learning rate, which is an input
NOISY_STEPS = 500, 2000  # bounds of the steps for which a page has noise, unless it has more steps


@dataclass
class Programs:
    """The programs of a page.

    script is JavaScript that declares `programs`; methods describes each of them, and entries what
    each entry of the scene computes, both as plain values. live says why the page computes nothing,
    "" if it does. rates are the surface's own learning rates, by method.
    """

    script: str
    live: str = ""
    methods: dict[str, dict[str, Any]] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)
    rates: dict[str, float] = field(default_factory=dict)
    noise: dict[str, Any] | None = None


def page_programs(scene: RunScene, recipe: Recipe) -> Programs:
    """Return the programs of the page of a run, and of the built-in optimizers that it offers."""
    formula, why = _formula(scene.surface)
    if formula is None:
        return Programs("const programs=null;", why, entries=[_replayed("") for _ in scene.entries])
    library = MethodLibrary(scene.surface.dim)
    specs = iter(recipe.specs)  # which do not know the number of steps
    entries = [
        library.entry(next(specs), entry, recipe.varied_condition)
        if isinstance(entry, DescentEntry)
        else _replayed("another program recorded this path")
        for entry in scene.entries
    ]
    for name in OPTIMIZERS:
        library.offer(name)
    return Programs(
        script(objective_text(formula_programs(formula)), library.texts),
        methods=library.methods,
        entries=entries,
        rates=dict(scene.surface.learning_rates),
        noise=_noise(recipe, scene),
    )


def _formula(surface: Surface) -> tuple[Formula | None, str]:
    """Return the formula of what is descended; if a page cannot compute it, why not."""
    origin = surface.origin
    if isinstance(origin, FormulaOrigin):
        return origin.compiled, ""
    if isinstance(origin, FunctionOrigin):
        name = origin.function.of
        said = f"{name} has no formula that could be found, which this page would need to compute."
        return origin.compiled.formula, said
    what = "A network" if isinstance(origin, NetworkOrigin) else "An objective of many variables"
    return None, f"{what} is more than a page can compute: this one replays what was descended."


class MethodLibrary:
    """The programs of optimizers, by name: `methods` describes them, `texts` are their texts."""

    def __init__(self, dim: int) -> None:
        self._dim = dim
        self.methods: dict[str, dict[str, Any]] = {}
        self.texts: dict[str, str] = {}

    def offer(self, name: str) -> None:
        """Add a built-in optimizer, if it can be recorded, for readers to choose."""
        factory = factory_of(name)
        method = factory.make(**({factory.rate: ANY_RATE} if factory.rate else {}))
        if not isinstance(method, Solver):
            self._add(OptimizerSpec(name), method)

    def entry(self, spec: OptimizerSpec, entry: DescentEntry, varied: str) -> dict[str, Any]:
        """Add the optimizer of an entry; return its method and its values, or why there is none.

        varied is the condition that differs from entry to entry, if there is one.
        """
        if varied:
            return _replayed(f"its {varied.replace('_', ' ')} is not that of the others")
        try:
            return self.configured(spec, entry.configured.optimizer)
        except Untraceable as error:
            return _replayed(str(error))

    def configured(self, spec: OptimizerSpec, method: Method) -> dict[str, Any]:
        """Add an optimizer; return the name of its program, and its hyperparameters there.

        Raises Untraceable if it cannot be recorded.
        """
        key = self._add(spec, method)
        values = method.hyperparameters()
        names = [each["name"] for each in self.methods[key]["parameters"]]
        return {"method": key, "values": [_plain(values[name]) for name in names], "why": ""}

    def _add(self, spec: OptimizerSpec, method: Method) -> str:
        factory = factory_of(spec.name)
        if isinstance(method, Scheduled):
            method = method.with_fields(schedule=Schedule.read(spec.schedule))
        program = record(method, self._dim)
        # Hyperparameters that are no inputs are part of the program, and so of its name.
        fixed = [
            f"{key}={format_value(value)}"
            for key, value in spec.settings
            if key not in program.variable
        ]
        written = ":".join([spec.name, *fixed])
        key = f"{written}@{spec.schedule}" if spec.schedule else written
        if key not in self.methods:
            self.methods[key] = {
                "spec": written,
                "schedule": spec.schedule,
                "built_in": spec.name in OPTIMIZERS,
                "rate": factory.rate if factory.rate in program.variable else "",
                "parameters": _parameters(factory, program, method.hyperparameters()),
                "state": [[part.name, part.size] for part in program.state],
            }
            self.texts[key] = method_text(program)
        return key


def _replayed(why: str) -> dict[str, Any]:
    return {"method": None, "values": [], "why": why}


def _parameters(
    factory: OptimizerFactory, program: MethodProgram, values: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return a description of each hyperparameter that is an input."""
    described = []
    for name in program.variable:
        declared, value = factory.parameters[name], values[name]
        low, high = ends(declared.within) if declared.within else (-math.inf, math.inf)
        described.append(
            {
                "name": name,
                "help": declared.help,
                "kind": _kind(value, declared.within, name == factory.rate),
                "default": None if declared.default is MISSING else _plain(declared.default),
                "low": _plain(low),
                "high": _plain(high),
                "low_open": declared.within[:1] == "(",
                "high_open": declared.within[-1:] == ")",
            }
        )
    return described


def _kind(value: Any, within: str, is_rate: bool) -> str:
    """Return the kind of a hyperparameter, which says how its knob moves."""
    if isinstance(value, bool):
        return "flag"
    if is_rate:
        return "rate"
    if isinstance(value, int):
        return "integer"
    return "decay" if within == "[0, 1)" else "number"


def _plain(value: Any) -> Any:
    """Return a number or truth for JSON, None if it is not finite."""
    if isinstance(value, bool | int):
        return value
    return float(value) if np.isfinite(value) else None


def _noise(recipe: Recipe, scene: RunScene) -> dict[str, Any]:
    """Return the noise of each step: standard deviation, and numbers of Python's own generator."""
    least, most = NOISY_STEPS
    steps = max(min(max(2 * scene.steps, least), most), scene.steps)
    numbers: Array = np.array(
        [standard_noise(recipe.seed, step, scene.surface.dim) for step in range(steps)]
    )
    return {
        "sigma": recipe.noise,
        "seed": recipe.seed,
        "normals": b64encode(numbers.astype("<f8").tobytes()).decode(),
    }
