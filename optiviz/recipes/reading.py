"""Fields -> a recipe, as written on a command line, in YAML or in a finished file.

Fields allow more ways of writing than a recipe: a surface as a formula, a window or a name in
the user's catalogue, a start as "random:5". The recipe holds the result.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from optiviz.kinds import load_kind
from optiviz.kinds.base import SHARED, BaseRecipe
from optiviz.kinds.checkpoints import checkpoint_files, named_checkpoints, searches_far
from optiviz.kinds.presets import read_presets
from optiviz.kinds.tracks import all_track_files, track_files
from optiviz.optimizers.lookup import is_third_party_optimizer
from optiviz.optimizers.spec import parse_specs
from optiviz.recipes import Fields, Keys
from optiviz.recipes.shipped_files import SUITES
from optiviz.recipes.surfaces import SURFACE_OPTIONS, as_list, param_names, read_surfaces
from optiviz.registry import KINDS, OPTIMIZERS
from optiviz.surfaces.catalogue import is_third_party_surface
from optiviz.surfaces.config import PlaneConfig
from optiviz.surfaces.datasets import files_of
from optiviz.surfaces.domain import ValidationContext
from optiviz.surfaces.presets import preset_texts
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.files import real_path
from optiviz.system.text import shorten
from optiviz.system.validation import Fault, KeyLocator, checked
from optiviz.themes import FILES as THEME_FILES

LESSON = {"lesson": "name or file of a lesson, in place of sections"}

# Groups of fields: setting one replaces the whole group.
EXCLUSIVE_FIELDS = (
    ("surface", "surfaces", "formula", "residuals", "fit"),
    ("starts", "random_starts"),
    ("optimizers", "plugins"),
    ("presets", "plugins"),
)


def merge_fields(base: Mapping[str, Any], given: Mapping[str, Any]) -> Fields:
    """Return the fields of both, with `given` taking precedence.

    A formula also replaces a surface, starts replace random ones, optimizers replace the hashes of
    the files of the former ones, and a value of a parameter replaces those that vary.
    """
    drops = [
        key for keys in EXCLUSIVE_FIELDS if any(each in given for each in keys) for key in keys
    ]
    if str(base.get("vary")).partition("=")[0] in param_names(given.get("params")):
        drops.append("vary")
    return {key: value for key, value in base.items() if key not in drops} | dict(given)


def allowed_keys(model: type[BaseRecipe]) -> list[str]:
    """Return the keys that may be written for a kind of recipe."""
    drawn = {"surface", "surfaces"} & model.model_fields.keys()
    held = "sections" in model.model_fields
    return [*model.model_fields, *(SURFACE_OPTIONS if drawn else ()), *(LESSON if held else ())]


def read_recipe(fields: Mapping[str, Any], locate: KeyLocator) -> BaseRecipe:
    """Return the recipe of fields, where `kind` is "run" unless specified.

    Raises InputError with every fault, each beginning with its place as `locate` returns it.
    """
    recipe = checked_recipe(fields)
    if isinstance(recipe, list):
        raise InputError("\n".join(dict.fromkeys(fault.format(locate) for fault in recipe)))
    return recipe


def checked_recipe(fields: Mapping[str, Any]) -> BaseRecipe | list[Fault]:
    """Return the recipe of fields, or all that is wrong with them."""
    kind = fields.get("kind", "run")
    if not isinstance(kind, str) or kind not in KINDS:
        return [Fault(("kind",), did_you_mean("kind", shorten(kind), KINDS))]
    model = load_kind(kind)
    known, wrong = allowed_keys(model), set()
    rest = {key: value for key, value in fields.items() if key in known}
    faults = [
        Fault((key,), did_you_mean("key", shorten(key), known)) for key in fields if key not in rest
    ]
    for field, normalize in NORMALIZERS.items():
        if field in model.model_fields and (found := normalize(rest, field)):
            faults += found
            wrong |= {field, "vary"}  # which depends on the surface
            rest.pop("vary", None)
            rest.pop(field, None)
    truths = boolean_faults(model, rest)
    wrong |= {fault.keys[0] for fault in truths if fault.keys}
    faults += truths
    recipe = checked(model, rest, ValidationContext(OPTIMIZERS))
    if isinstance(recipe, list):
        if "vary" not in fields:  # several values of a parameter are varied
            recipe = [
                Fault(("params",), fault.message) if fault.keys == ("vary",) else fault
                for fault in recipe
            ]
        return faults + [fault for fault in recipe if not (fault.keys and fault.keys[0] in wrong)]
    if fields.get("metric") is not None and not _measures(recipe):
        faults.append(Fault(("metric",), "no method here uses it; natural-gradient does"))
    return faults or recipe


def _measures(recipe: BaseRecipe) -> bool:
    """Return whether a method of a recipe uses a metric, or may use it."""
    return any(
        is_third_party_optimizer(spec.name) or "metric" in spec.probe().needs
        for spec in recipe.named_specs
    )


def boolean_faults(model: type[BaseModel], fields: Fields) -> list[Fault]:
    """Return faults for booleans in other fields, where true would count as 1, and vice versa."""
    faults = []
    for key, value in fields.items():
        wanted = model.model_fields[key].annotation if key in model.model_fields else None
        if bool in (wanted, *get_args(wanted)):
            if not isinstance(value, bool | None):
                said = f"must be true or false, not {shorten(value, quoted=True)}"
                faults.append(Fault((key,), said))
        elif isinstance(value, bool):
            faults.append(Fault((key,), f"cannot be {shorten(value)}"))
    return faults


def pictures_in(fields: Mapping[str, Any]) -> Iterator[tuple[Keys, Fields]]:
    """Yield the fields of each picture of a lesson, with their keys; other recipes have none."""
    sections = fields.get("sections")
    for number, section in enumerate(sections if isinstance(sections, list | tuple) else ()):
        if isinstance(section, Mapping) and isinstance(section.get("picture"), Mapping):
            yield ("sections", number, "picture"), dict(section["picture"])


def check_trusted(fields: Mapping[str, Any], locate: KeyLocator, reading: bool = False) -> None:
    """Raise InputError if fields, which others may have written, name third-party code.

    A pattern of checkpoints that searches more than folders right below this one counts, too. With
    `reading`, only code counts that would run when the fields are read, and any checkpoint that
    would be read then.
    """
    for at, inner in pictures_in(fields):
        check_trusted(inner, partial(_locate_within, locate, at), reading)
    allow = "allow it with --allow-plugins if you trust its author"
    if reading:
        for key, text in unhashed_checkpoints(fields):
            raise InputError(f"{locate([key])}: {shorten(text)} would be read: {allow}")
    for text in filter(searches_far, named_checkpoints(fields.get("checkpoints"))):
        raise InputError(
            f"{locate(['checkpoints'])}: {shorten(text)} may search the whole disk: write a "
            f"pattern without **, .. or a leading /, or {allow}"
        )
    named = (
        []
        if reading
        else [
            *((("optimizers",), name) for name in _optimizers(fields.get("optimizers"))),
            *((("presets",), name) for name in _optimizers_of_presets(fields.get("presets"))),
        ]
    )
    listed = as_list("surface", fields.get("surface"), True)
    listed += as_list("surfaces", fields.get("surfaces"), True)
    listed += _surfaces_of_suite(fields.get("suite"))
    if reading:
        listed = [(keys, each) for keys, each in listed if isinstance(each, str)]
    named += [(keys, _function(each)) for keys, each in listed]
    for keys, name in named:
        if name:
            raise InputError(f"{locate(keys)}: {shorten(name)} runs third-party code: {allow}")


def _locate_within(locate: KeyLocator, at: Keys, keys: Sequence[Any]) -> str:
    return locate((*at, *keys))


def _optimizers(value: Any) -> list[str]:
    """Return the names of the third-party optimizers in a field."""
    texts = [value] if isinstance(value, str) else value
    third_party: list[str] = []
    listed = texts if isinstance(texts, list | tuple) else ()
    for text in (each for each in listed if isinstance(each, str)):
        with suppress(InputError):  # faults are reported elsewhere
            third_party += [
                spec.name for spec in parse_specs(text) if is_third_party_optimizer(spec.name)
            ]
    return third_party


def _optimizers_of_presets(value: Any) -> list[str]:
    """Return the names of the third-party optimizers in presets."""
    with suppress(ValueError):  # faults are reported elsewhere
        specs = [spec for each in read_presets(preset_texts(value)) for spec in each.specs]
        return [spec.name for spec in specs if is_third_party_optimizer(spec.name)]
    return []


def _function(value: Any) -> str:
    """Return the third-party function or model of a surface, "" if there is none."""
    for key in ("function", "model"):
        if isinstance(value, Mapping) and value.get(key) is not None:
            code = value[key]
            return str(code.get("of") if isinstance(code, Mapping) else code)
    return value if isinstance(value, str) and is_third_party_surface(value) else ""


def _surfaces_of_suite(suite: Any) -> Iterator[tuple[Keys, Any]]:
    """Yield the surfaces of a suite, or of that in a file, as they are written, with their keys."""
    at: Keys = ("suite",)
    if (held := _suite_file(suite)) is not None:
        from optiviz.system.yaml import Document

        for _, surface in _surfaces_of_suite(Document.read(held).value):
            yield at, surface
    problems = suite.get("problems") if isinstance(suite, Mapping) else None
    for place, each in enumerate(problems if isinstance(problems, list | tuple) else ()):
        if isinstance(each, Mapping):
            keys = (*at, "problems", place)
            yield (*keys, "surface"), each.get("surface")
            matrix = each.get("matrix")
            varied = matrix.get("surface") if isinstance(matrix, Mapping) else None
            for number, surface in enumerate(varied if isinstance(varied, list) else ()):
                yield (*keys, "matrix", "surface", number), surface


def _suite_file(suite: Any) -> Path | None:
    """Return the user's file of a suite, None if it is shipped, or in the recipe, or wrong."""
    with suppress(InputError):  # which is told when it is read
        if isinstance(suite, str) and suite not in SUITES.names():
            return SUITES.file(suite)
    return None


def inlined_files(fields: Mapping[str, Any]) -> list[Path]:
    """Return the files named in fields whose content becomes part of the recipe."""
    signal, theme = fields.get("signal"), fields.get("theme")
    named = [
        fields.get("catalogue"),
        signal if str(signal).lower().endswith(".csv") else None,
        theme if str(theme).lower().endswith(THEME_FILES) else None,
    ]
    held = [Path(each) for each in named if isinstance(each, str | Path)]
    held += filter(None, [_suite_file(fields.get("suite"))])
    held += [path for _, inner in pictures_in(fields) for path in inlined_files(inner)]
    return held + track_files(fields.get("tracks"))


def input_files(fields: Mapping[str, Any]) -> list[Path]:
    """Return the files named in the fields of a recipe, data files of networks included."""
    several = fields.get("surfaces")
    surfaces = [fields.get("surface"), *(several if isinstance(several, list | tuple) else ())]
    networks = [each.get("network") for each in surfaces if isinstance(each, Mapping)]
    learned = [each.get("data") for each in networks if isinstance(each, Mapping)]
    fits = [each.get("fit") for each in surfaces if isinstance(each, Mapping)]
    fitted = [each.get("data") for each in fits if isinstance(each, Mapping)]
    (learned if fields.get("fit") is None else fitted).append(fields.get("data"))
    read = [path for each in learned if isinstance(each, str) for path in files_of(each)]
    read += [Path(each) for each in fitted if isinstance(each, str)]
    for _, plane in _planes(fields):
        read += map(Path, plane.files)
    read += [path for _, inner in pictures_in(fields) for path in input_files(inner)]
    recorded = all_track_files(fields.get("tracks")) + checkpoint_files(fields.get("checkpoints"))
    return inlined_files(fields) + recorded + read


def unhashed_checkpoints(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the files and patterns of checkpoints that have no hash, each with its key."""
    for _, inner in pictures_in(fields):
        yield from unhashed_checkpoints(inner)
    for text in named_checkpoints(fields.get("checkpoints")):
        yield "checkpoints", text
    for key, plane in _planes(fields):
        if not plane.sha256:
            yield from ((key, file) for file in plane.files)


def _planes(fields: Mapping[str, Any]) -> Iterator[tuple[str, PlaneConfig]]:
    """Yield the valid planes that fields declare, each with its key."""
    several = fields.get("surfaces")
    declared = [("plane", fields.get("plane"))]
    for key, each in (
        ("surface", fields.get("surface")),
        *(("surfaces", each) for each in (several if isinstance(several, list | tuple) else ())),
    ):
        if isinstance(each, Mapping):
            declared.append((key, each.get("plane")))
    for key, plane in declared:
        known = None if plane is None else checked(PlaneConfig, plane)
        if isinstance(known, PlaneConfig):
            yield key, known


def check_not_input(path: Path, sources: Iterable[Path]) -> None:
    """Raise InputError if an output would overwrite a file that is read."""
    if real_path(path) in {real_path(each) for each in sources}:
        raise InputError(f"{path} is an input file: write to another file")


def _normalize_starts(fields: Fields, field: str) -> list[Fault]:
    """Parse starts that are written as text, and count random ones; return the faults."""
    points: list[Any] = []
    faults, drawn = [], 0
    for keys, start in as_list(field, fields.get(field), several=True):
        kind, _, number = start.partition(":") if isinstance(start, str) else ("", "", "")
        try:
            if kind == "random":
                if not number.isdecimal() or int(number) < 1:
                    raise ValueError
                drawn += int(number)
            else:
                numbers = isinstance(start, str) and [float(part) for part in start.split(",")]
                points.append(numbers or start)
        except ValueError:
            said = f"{shorten(start, quoted=True)} is not a valid start"
            faults.append(Fault(keys, f"{said}: write X,Y or random:N with N at least 1"))
    earlier = fields.get("random_starts", 0)
    if drawn and isinstance(earlier, int):
        fields["random_starts"] = earlier + drawn
    if points or drawn:
        fields[field] = points
    return faults


def _normalize_sections(fields: Fields, field: str) -> list[Fault]:
    """Read the pictures of a lesson; return the faults."""
    sections = fields.get(field)
    if not isinstance(sections, list | tuple):
        return []
    read, faults = [], []
    for number, section in enumerate(sections):
        if isinstance(section, Mapping) and isinstance(section.get("picture"), Mapping):
            at = (field, number, "picture")
            given = [key for key in SHARED if key in section["picture"]]
            faults += [Fault((*at, key), "is that of the whole lesson: set it there")
                       for key in given]  # fmt: skip
            fields_of = {key: each for key, each in section["picture"].items() if key not in given}
            if fields_of.get("kind") == "lesson":
                faults.append(Fault((*at, "kind"), "a lesson cannot be in a lesson"))
                fields_of["kind"] = "run"
            picture = checked_recipe(fields_of)
            if isinstance(picture, list):
                faults += [each._replace(keys=(*at, *(each.keys or ()))) for each in picture]
            else:
                section = {**section, "picture": picture}
        read.append(section)
    fields[field] = read
    return faults


def _normalize_suite(fields: Fields, field: str) -> list[Fault]:
    """Read a suite that is named, or written as in a file; return the faults."""
    from optiviz.recipes.suites import checked_suite, read_suite

    given = fields.get(field)
    if not isinstance(given, str | Mapping):
        return []
    try:
        found = read_suite(given, plugins=True) if isinstance(given, str) else checked_suite(given)
    except InputError as error:
        said = str(error)
        return [Fault((field,) if _suite_file(given) is None else None, said)]
    if isinstance(found, list):
        return [each._replace(keys=(field, *(each.keys or ()))) for each in found]
    fields[field] = found
    return []


# Functions that replace other ways of writing a field by the one that a recipe holds.
NORMALIZERS = {
    "sections": _normalize_sections,
    "surface": read_surfaces,
    "surfaces": read_surfaces,
    "starts": _normalize_starts,
    "suite": _normalize_suite,
}
