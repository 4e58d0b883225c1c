"""What a page computes by itself: the surface and the optimizers as programs in JavaScript."""

import math
from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, field
from typing import Any

import numpy as np

from optiviz.kinds.presets import Preset
from optiviz.kinds.run import Recipe
from optiviz.kinds.run_entries import DescentEntry
from optiviz.kinds.run_scene import RunScene
from optiviz.kinds.types import resolve_surface
from optiviz.objective import Array
from optiviz.optimizers.base import Method, Optimizer, Scheduled, ends
from optiviz.optimizers.explanations import explained
from optiviz.optimizers.factory import OptimizerFactory
from optiviz.optimizers.lookup import factory_of, is_third_party_optimizer
from optiviz.optimizers.schedules import Schedule
from optiviz.optimizers.spec import OptimizerSpec, format_value, numbered
from optiviz.registry import OPTIMIZERS, Explanation
from optiviz.rendering.page.sets import set_programs
from optiviz.surfaces.fit import Fit
from optiviz.surfaces.formula import Formula
from optiviz.surfaces.noise import standard_noise
from optiviz.surfaces.origins import (
    FitOrigin,
    FormulaOrigin,
    FunctionOrigin,
    QuadraticOrigin,
    SpaceOrigin,
)
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError
from optiviz.tracing.comparison import check_path
from optiviz.tracing.graph import Untraceable
from optiviz.tracing.javascript import method_text, objective_text, script
from optiviz.tracing.methods import record
from optiviz.tracing.objectives import curve_program, formula_programs
from optiviz.tracing.programs import MethodProgram

MOST_SAMPLES = 100  # of a fit that a page computes
ANY_RATE = 1.0  # stands for a learning rate, which is an input
MAX_COMPARED = 1000  # steps of a path with which the program of third-party code is compared
GAUSSIAN_ALONE = "a page has Gaussian noise alone"
CONSTRAINED, BATCHED = "a page does not know constraints", "a page has no batches"
UNMEASURED = "a page does not measure sharpness"
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
    presets: list[dict[str, Any]] = field(default_factory=list)


def computes(recipe: Recipe) -> bool:
    """Return whether the page of a recipe computes surface and paths by itself."""
    return _formula(resolve_surface(recipe.surface))[0] is not None and not _unlike_a_page(recipe)


def page_programs(scene: RunScene, recipe: Recipe, *, spare: bool = False) -> Programs:
    """Return the programs of the page of a run, and of the built-in optimizers that it offers.

    A page that is `spare` offers no other optimizers, and no situations.
    """
    formula, why = _formula(scene.surface)
    unlike = _unlike_a_page(recipe)
    if recipe.presets and (formula is None or unlike):
        raise InputError(f"presets: are buttons of a page that computes: {why or unlike}")
    if formula is None:
        return Programs("const programs=null;", why, entries=[_replayed("") for _ in scene.entries])
    library = MethodLibrary(scene.surface.dim, recipe.explain)
    specs = iter(recipe.specs)  # which do not know the number of steps
    entries = [
        library.entry(next(specs), entry, recipe)
        if isinstance(entry, DescentEntry)
        else _replayed("another program recorded this path")
        for entry in scene.entries
    ]
    for name in () if unlike or spare else OPTIMIZERS:
        library.offer(name)
    sets = [objective_text({"value": each}) for each in set_programs(scene.surface, recipe)]
    curve = "null"
    if isinstance(formula, Fit):
        curve = objective_text({"value": curve_program(formula)})
    given = () if unlike or spare else recipe.page_presets
    presets = [library.preset(recipe, preset) for preset in given]
    return Programs(
        script(objective_text(formula_programs(formula)), library.texts, sets, curve),
        methods=library.methods,
        entries=entries,
        rates=dict(scene.surface.learning_rates),
        noise=_noise(recipe, scene),
        presets=presets,
    )


def _formula(surface: Surface) -> tuple[Formula | Fit | None, str]:
    """Return the formula or fit that is descended; if a page cannot compute it, why not."""
    origin = surface.origin
    if surface.l1:
        what = "a penalty apart from the loss"
        return None, f"The paths were computed in Python, because a page does not know {what}."
    if isinstance(origin, FormulaOrigin) and origin.residuals is not None:
        what = "where residuals with roots are undefined"
        return None, f"The paths were computed in Python, because a page does not know {what}."
    if isinstance(origin, FormulaOrigin):
        return origin.compiled, ""
    if isinstance(origin, FitOrigin):
        if origin.compiled.count <= MOST_SAMPLES:
            return origin.compiled, ""
        said = f"more than {MOST_SAMPLES} samples would be too much for a page"
        return None, f"The paths were computed in Python, because {said}."
    if isinstance(origin, FunctionOrigin):
        name = origin.function.of
        said = f"The paths were computed in Python, because no formula was found in {name}."
        return origin.compiled.formula, said
    if isinstance(origin, QuadraticOrigin):
        said = "a page does not know a declared quadratic"
        return None, f"The paths were computed in Python, because {said}."
    learns = isinstance(origin, SpaceOrigin) and origin.learns
    what = "a network" if learns else "many variables"
    return None, f"The paths were computed in Python, because {what} would be too much for a page."


def _unlike_a_page(recipe: Recipe) -> str:
    """Return what a recipe asks for and a page that computes has not, "" if nothing."""
    if resolve_surface(recipe.surface).constraint_texts:
        return CONSTRAINED
    if "sharpness" in recipe.view_names:
        return UNMEASURED
    if recipe.noise_kind != "gaussian":
        return GAUSSIAN_ALONE
    return "" if recipe.batch_size is None else BATCHED


class MethodLibrary:
    """The programs of optimizers, by name: `methods` describes them, `texts` are their texts.

    explain is what their sketches explain, if anything.
    """

    def __init__(self, dim: int, explain: Explanation | None = None) -> None:
        self._dim, self._explain = dim, explain
        self.methods: dict[str, dict[str, Any]] = {}
        self.texts: dict[str, str] = {}

    def offer(self, name: str) -> None:
        """Add a built-in optimizer, if it can be recorded, for readers to choose."""
        factory = factory_of(name)
        method = factory.make(**({factory.rate: ANY_RATE} if factory.rate else {}))
        with suppress(Untraceable):  # also of one that needs what a page does not know
            self._add(OptimizerSpec(name), method)

    def entry(self, spec: OptimizerSpec, entry: DescentEntry, recipe: Recipe) -> dict[str, Any]:
        """Add the optimizer of an entry of a recipe; return what it computes, or why nothing."""
        varied = recipe.varied_condition
        if varied:
            return _replayed(f"its {varied.replace('_', ' ')} is not that of the others")
        if unlike := _unlike_a_page(recipe):
            return _replayed(unlike)
        method = entry.configured.optimizer
        try:
            key, program = self._add(spec, method)
            if self.methods[key]["third_party"]:
                assert isinstance(method, Optimizer)
                for path in entry.trajectories:
                    steps = min(path.steps, MAX_COMPARED)
                    check_path(method, program, recipe.objective(), path.start, steps)
        except Untraceable as error:
            return _replayed(str(error))
        values = method.hyperparameters()
        given = [_plain(values[name]) for name in program.variable]
        return {"method": key, "values": given, "why": ""}

    def preset(self, recipe: Recipe, preset: Preset) -> dict[str, Any]:
        """Add the optimizers of a preset; return what it shows.

        Raises InputError if one of them cannot be recorded.
        """
        run = recipe.of_preset(preset)
        entries = []
        for spec, entry in zip(preset.specs, run.make_scene().entries, strict=True):
            assert isinstance(entry, DescentEntry)
            look = {"name": entry.heading, "detail": entry.detail, "color": entry.color}
            computed = self.entry(spec, entry, run)
            if computed["method"] is None:
                raise InputError(
                    f"presets: {preset.name!r}: a page cannot run {spec.heading}: {computed['why']}"
                )
            entries.append({**look, **computed})
        return {
            "name": preset.name,
            "entries": entries,
            "starts": [list(start) for start in preset.starts] or None,
            "steps": preset.steps,
            "noise": preset.noise,
        }

    def _add(self, spec: OptimizerSpec, method: Method) -> tuple[str, MethodProgram]:
        """Add an optimizer; return the name of its program, and this.

        Raises Untraceable if it cannot be recorded.
        """
        factory = factory_of(spec.name)
        if isinstance(method, Scheduled):
            method = method.with_fields(schedule=Schedule.read(spec.schedule))
        program = record(explained(method, self._explain), self._dim)
        values = method.hyperparameters()
        # Hyperparameters that are no inputs are part of the program, and so of its name.
        fixed = [
            f"{key}={format_value(value)}"
            for key, value in values.items()
            if key in factory.parameters
            and key not in {*program.variable, *program.idle}
            and value != factory.parameters[key].default
        ]
        written = ":".join([spec.name, *fixed])
        titles = [f"{written}@{spec.schedule}" if spec.schedule else written]
        described = _parameters(factory, program, values)
        text = method_text(program)
        while (key := numbered(titles)[-1]) in self.texts:
            if (self.texts[key], self.methods[key]["parameters"]) == (text, described):
                return key, program
            titles.append(titles[0])  # another program, as one hyperparameter is no number
        self.texts[key] = text
        self.methods[key] = {
            "spec": written,
            "schedule": spec.schedule,
            "third_party": is_third_party_optimizer(spec.name),
            "rate": factory.rate if factory.rate in program.variable else "",
            "parameters": described,
            "state": [[part.name, part.size] for part in program.state],
            "sketch": None if program.sketch is None else program.sketch.forms,
            "unsketched": program.unsketched,
        }
        return key, program


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
    """Return a number or truth for JSON, None for anything else."""
    if isinstance(value, bool | int):
        return value
    return float(value) if isinstance(value, float) and math.isfinite(value) else None


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
