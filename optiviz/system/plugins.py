"""Third-party code: a Python file, an import path, or an entry point of an installed package.

Nothing runs before `load` is called, when an object is built: names are read, checked and printed
without running code. A recipe or YAML file that names third-party code is rejected by its reader,
unless the user allows it.
"""

import ast
import os
import sys
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from optiviz.system.environment import note_third_party
from optiviz.system.errors import InputError, OptivizError, did_you_mean

EXTRAS = {  # of optiviz-cli, by package
    "torch": "torch",
    "optax": "optax",
    "jax": "optax",
    "scipy": "scipy",
    "cma": "cma",
    "sklearn": "networks",
}
MAX_BYTES = 10_000_000  # of a file
MAX_MODULES = 2000  # of a package whose files are hashed
Loaded = Callable[..., Any]


def is_import_path(name: str) -> bool:
    """Return whether a name is third-party code, for example "my.py:Lion" or "torch.optim.Adam"."""
    return "." in name


def import_path(found: Any) -> str | None:
    """Return the import path of a function or class, such as "package.module.f", or None.

    There is none for what is defined in a script, in a notebook or within a function.
    """
    module, name = getattr(found, "__module__", None), getattr(found, "__qualname__", "")
    known = sys.modules.get(module) if isinstance(module, str) else None
    if module == "__main__" or known is None or file_of(f"{module}:{name}") is not None:
        return None
    for part in name.split("."):
        known = getattr(known, part, None)
    return f"{module}.{name}" if known is found and "." in f"{module}.{name}" else None


def file_of(name: str) -> str | None:
    """Return the Python file in a name, None if it has none."""
    path, colon, _ = name.rpartition(".py:")
    return f"{path}.py" if colon and path else None


def file_hash(path: str) -> str:
    """Return the SHA-256 of a file; raise InputError if it cannot be read."""
    return sha256(_content(path)).hexdigest()


def script_hash(path: str) -> str:
    """Return the hash of a Python file and of all files beside it that it imports; none is run.

    Raises InputError if it cannot be read.
    """
    place = _absolute(path)
    hashed, left, seen = sha256(), [place], {place}
    while left:
        each = left.pop()
        content = _content(str(each))
        hashed.update(b"%d:" % len(content) + content)
        imported = sorted(set(_imported_files(content, each, place.parent)) - seen)
        left += imported
        seen |= {*imported}
    return hashed.hexdigest()


def _imported_files(content: bytes, place: Path, root: Path) -> Iterator[Path]:
    """Yield the files that a file imports which are in `root`, or beside it if it is within."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):  # told when it is run
        return
    for node in ast.walk(tree):
        names, folder = [each.name for each in getattr(node, "names", [])], root
        if isinstance(node, ast.ImportFrom):
            if node.level:
                folder = place.parents[min(node.level, len(place.parents)) - 1]
            inner = [node.module] if node.module else []
            names = [*inner, *(".".join([*inner, each]) for each in names)]
        elif not isinstance(node, ast.Import):
            continue
        for name in names:
            parts = name.split(".")
            for length in range(1, len(parts) + 1):
                module = folder.joinpath(*parts[:length])
                yield from filter(Path.is_file, (module.with_suffix(".py"), module / "__init__.py"))


def code_hash(name: str) -> str:
    """Return the hash of the files that loaded third-party code is in.

    These are its own, and those of all modules that were loaded from the same folder, or of the
    whole package of an import path, apart from what is installed within the folder.
    """
    path = file_of(name)
    root = name.partition(".")[0]
    if path is None:
        module = sys.modules.get(root)
        folder = Path(getattr(module, "__file__", None) or ".").parent
    else:
        folder = _absolute(path).parent
    files = {getattr(each, "__file__", None) for each in [*sys.modules.values()]}
    inside = {
        Path(each)
        for each in files
        if isinstance(each, str)
        and Path(each).is_relative_to(folder)
        and "site-packages" not in Path(each).relative_to(folder).parts
    }
    hashed = sha256(name.encode())
    for each in sorted(inside)[:MAX_MODULES]:
        with suppress(OSError):
            hashed.update(str(each.relative_to(folder)).encode() + each.read_bytes())
    return hashed.hexdigest()


def load(name: str) -> Loaded:
    """Return the class or function of a name; its file or module is run once.

    Raises InputError if it does not exist, or if its code raises.
    """
    path = file_of(name)
    return _imported(name) if path is None else _from_file(path, name[len(path) + 1 :])


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of the packages, without those that are not installed."""
    found = {}
    for each in packages:
        with suppress(PackageNotFoundError, ValueError):
            found[each] = version(each)
    return found


def _absolute(path: str) -> Path:
    return Path(path).expanduser().absolute()


def _content(path: str) -> bytes:
    place = None
    try:
        place = _absolute(path)
        if place.exists() and not place.is_file():
            raise InputError(f"{path}: not a file")
        with place.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise InputError(f"{path}: must be at most {MAX_BYTES} bytes")
        return content
    except InputError:
        raise
    except FileNotFoundError:
        where = "" if place is None else f" in {place.parent}"  # None without a current directory
        raise InputError(f"{path}: no such file{where}") from None
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def _from_file(path: str, attribute: str) -> Loaded:
    return _attribute(_module(path, _absolute(path), file_hash(path)), path, [attribute])


@cache
def _module(path: str, place: Path, content: str) -> ModuleType:
    """Return the module of a file whose SHA-256 is `content`."""
    name = f"optiviz_plugin_{sha256(os.fsencode(f'{place}:{content}')).hexdigest()[:16]}"
    module = ModuleType(name)
    module.__file__ = str(place)
    sys.modules[name] = module  # dataclasses look up their annotations there
    sys.path.insert(0, str(place.parent))  # as for a script
    try:
        with third_party_code(path, path):
            # Without Python's bytecode cache, so that the hashed source is what runs.
            source = _content(path)
            if sha256(source).hexdigest() != content:
                raise InputError(f"{path}: changed while it was being read")
            exec(compile(source, str(place), "exec"), vars(module))
    except InputError:
        del sys.modules[name]
        raise
    finally:
        with suppress(ValueError):
            sys.path.remove(str(place.parent))
    return module


def _imported(name: str) -> Loaded:
    parts = name.split(".")
    if not all(parts):
        raise InputError(
            f"{name!r} is not a valid import path: write, for example, torch.optim.Adam"
        )
    if parts[-1] == "py":
        raise InputError(f"{name} is a file: name a class or function in it, as in {name}:f")
    for length in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:length])
        try:
            with third_party_code(name), warnings.catch_warnings(action="ignore"):
                found = import_module(module)
        except MissingModule as missing:
            if module == missing.module or module.startswith(f"{missing.module}."):
                continue  # it may be a class
            raise
        return _attribute(found, module, parts[length:])
    raise InputError(
        _needs(name, parts[0]) if parts[0] in EXTRAS else f"{name}: no module named {parts[0]!r}"
    )


def _needs(name: str, package: str) -> str:
    """Return the message for third-party code that needs a package of EXTRAS."""
    return f"{name} needs {package}: pip install 'optiviz-cli[{EXTRAS[package]}]'"


def _attribute(module: Any, place: str, names: Collection[str]) -> Loaded:
    for name in names:
        with third_party_code(place):
            if not hasattr(module, name):
                public = [each for each in dir(module) if not each.startswith("_")]
                callables = [each for each in public if callable(getattr(module, each, None))]
                raise InputError(f"{place}: {did_you_mean('name', name, callables)}")
            module = getattr(module, name)
    if not callable(module):
        raise InputError(f"{place}: {'.'.join(names)} is not a class or function")
    found: Loaded = module
    return found


class MissingModule(InputError):
    """A module that does not exist."""

    def __init__(self, said: str, module: str) -> None:
        super().__init__(said)
        self.module = module


@contextmanager
def third_party_code(name: str, file: str = "") -> Iterator[None]:
    """Turn an exception of third-party code into an InputError with its line in `file`.

    KeyboardInterrupt and our own errors pass. numpy's error settings are restored afterwards.
    """
    import numpy as np

    note_third_party(name)
    try:
        with np.errstate():
            yield
    except OptivizError:
        raise
    except ModuleNotFoundError as error:
        missing = str(error.name)
        said = _needs(name, missing) if missing in EXTRAS else f"{name}: {error}"
        raise MissingModule(said + line_of(error, file), missing) from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise InputError(f"{name}: {describe_exception(error)}{line_of(error, file)}") from error


def describe_exception(error: BaseException) -> str:
    """Return an exception on one line, for example "raised ValueError: negative"."""
    try:
        said = " ".join(str(error).split())
    except Exception:
        said = ""
    said = "".join(filter(str.isprintable, said))[:200]
    return f"raised {type(error).__name__}" + (f": {said}" if said else "")


def line_of(error: BaseException, file: str) -> str:
    """Return the last line of `file` in the traceback of an error, for example " (line 3)"."""
    if not file or isinstance(error, SyntaxError):  # its message has the line
        return ""
    file, lines = str(_absolute(file)), []
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            lines.append(trace.tb_lineno)
        trace = trace.tb_next
    return f" (line {lines[-1]})" if lines else ""


class Plugin(NamedTuple):
    """An entry point of an installed package."""

    name: str
    package: str
    point: EntryPoint

    def load(self) -> Any:
        """Return the object; raise InputError that names the package if loading fails."""
        with third_party_code(f"{self.name} (package {self.package})"):
            return self.point.load()


@cache
def installed_plugins(group: str) -> tuple[Plugin, ...]:
    """Return the entry points of a group, sorted by name, without loading them."""
    found = [
        Plugin(each.name, each.dist.name if each.dist else "?", each)
        for each in entry_points(group=group)
    ]
    return tuple(sorted(found, key=lambda each: (each.name, each.package)))


def find_plugin(group: str, kind: str, name: str, ours: Collection[str]) -> Plugin | None:
    """Return the entry point `name` of a group, None if there is none.

    Raises InputError if several packages provide the name; `ours` are the built-in names.
    """
    owners = [each for each in installed_plugins(group) if each.name == name]
    named = [each.package for each in owners] + (["optiviz"] if name in ours else [])
    if len(named) > 1:
        owner = " and ".join(sorted(named))
        raise InputError(f"{kind} {name!r} is provided by more than one package: {owner}")
    return owners[0] if owners else None
