"""Checkpoints: files in which training programs save the tensors of a model."""

import hashlib
import io
import warnings
import zipfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optiviz.surfaces.parts import bare_names
from optiviz.system.arrays import read_npz
from optiviz.system.errors import InputError, require_package
from optiviz.system.files import opened_input
from optiviz.system.text import shorten

SUFFIXES = ".pt", ".pth", ".safetensors", ".npz"
MAX_BYTES, MAX_NUMBERS = 4_000_000_000, 500_000_000  # of a file
HOLDERS = "model", "model_state_dict", "state_dict", "module", "net", "network", "params", "weights"
DTYPES = {  # of numpy, by those of the safetensors format; BF16 is read apart
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2"},
    **{"I8": "<i1", "U8": "<u1", "U16": "<u2", "U32": "<u4", "U64": "<u8", "BOOL": "|b1"},
}
STEPS, LOSSES, TENSORS = "steps", "losses", "tensors/"  # arrays of a recording
SAVE = "save model.state_dict() instead"


class Checkpoint(NamedTuple):
    """The SHA-256 of a file, and the tensors in it by their names.

    The names are those of the model's own state: what wrappers such as DataParallel, AveragedModel
    and torch.compile put in front is left out.
    """

    sha256: str
    tensors: dict[str, NDArray[Any]]


class Recording(NamedTuple):
    """What `optiviz.record` saves: checkpoints of one training run.

    steps has shape (n,) and increases, losses has shape (n,), nan where none is known, and each of
    the tensors has shape (n, ...).
    """

    steps: NDArray[np.int64]
    losses: NDArray[np.float64]
    tensors: dict[str, NDArray[Any]]


def read_checkpoint(file: str) -> Checkpoint:
    """Return the tensors in a .pt, .pth, .safetensors or .npz file.

    A .pt or .pth file is one of torch.save, with a state_dict or a dict that holds one under model,
    state_dict or the like; no code in it ever runs. Floating-point numbers of less than 32 bits
    become float64. Raises InputError, which begins with the name of the file, if it cannot be read.
    """
    digest = checkpoint_hash(file)
    if is_recording(file):
        raise InputError(f"{file}: holds several checkpoints, where one is needed")
    return Checkpoint(digest, known_tensors(file, digest))


def is_recording(file: str) -> bool:
    """Return whether a file is one of `optiviz.record`, of several checkpoints."""
    try:
        with zipfile.ZipFile(Path(file).expanduser()) as archive:
            names = archive.namelist()
    except Exception:  # of another format, or broken: reported where it is read
        return False
    return STEPS + ".npy" in names and any(name.startswith(TENSORS) for name in names)


def read_recording(file: str, digest: str) -> Recording:
    """Return the checkpoints in a file of `optiviz.record`.

    Raises InputError, which begins with the name of the file, for another SHA-256 or if it is none.
    """
    held = dict(known_tensors(file, digest))
    steps, losses = held.pop(STEPS, np.zeros(0)), held.pop(LOSSES, None)
    rows = len(steps) if steps.ndim == 1 else 0
    whole = steps.dtype.kind in "iu" and rows > 1
    if whole:  # differences of unsigned numbers are never negative
        steps = steps.astype(np.int64)
    if not whole or steps[0] < 0 or (np.diff(steps) <= 0).any():
        raise InputError(f"{file}: steps must be two or more whole numbers that increase")
    if losses is None:
        losses = np.full(rows, np.nan)
    if losses.shape != (rows,):
        raise InputError(f"{file}: losses must have shape ({rows},), not {losses.shape}")
    for name, tensor in held.items():
        if not name.startswith(TENSORS):
            raise InputError(f"{file}: unknown array {shorten(name, quoted=True)}")
        if tensor.shape[:1] != (rows,):
            raise InputError(
                f"{file}: {shorten(name)} must have shape ({rows}, ...), not {tensor.shape}"
            )
    bare = bare_names(name.removeprefix(TENSORS) for name in held)
    tensors = {name: held[TENSORS + key] for key, name in bare.items()}
    return Recording(steps, losses.astype(float), tensors)


def checkpoint_hash(file: str) -> str:
    """Return the SHA-256 of a file; raise InputError if it cannot be read."""
    with _opened(file) as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def known_tensors(file: str, digest: str) -> dict[str, NDArray[Any]]:
    """Return the tensors in a file by their names; raise InputError for another SHA-256."""
    return {name: tensor.copy() for name, tensor in _parsed(file, digest).items()}


@lru_cache(maxsize=4)
def _parsed(file: str, digest: str) -> dict[str, NDArray[Any]]:
    with _opened(file) as opened:
        content = opened.read(MAX_BYTES)
    if hashlib.sha256(content).hexdigest() != digest:
        raise InputError(f"{file} has changed since the recipe was created")
    suffix = Path(file).suffix.lower()
    read = {".npz": _of_npz, ".safetensors": _of_safetensors}.get(suffix, _of_torch)
    found = read(file, content)
    if not found:
        raise InputError(f"{file}: holds no tensors")
    if sum(each.size for each in found.values()) > MAX_NUMBERS:
        raise InputError(f"{file}: has more than {MAX_NUMBERS} numbers")
    names = bare_names(found)
    return {name: _plain(file, name, found[key]) for key, name in names.items()}


def _opened(file: str) -> AbstractContextManager[io.BufferedReader]:
    """Return a file, opened; raise InputError if it is none that can be read."""
    if not file.lower().endswith(SUFFIXES):
        raise InputError(f"{shorten(file, quoted=True)} must end in {', '.join(SUFFIXES)}")
    return opened_input(file, MAX_BYTES)


def _plain(file: str, name: str, tensor: NDArray[Any]) -> NDArray[Any]:
    """Return a tensor, in float64 if it has less than 32 bits; raise InputError if not real."""
    if tensor.dtype.kind not in "biuf":
        raise InputError(f"{file}: {shorten(name)} must be real numbers, not {tensor.dtype}")
    if tensor.dtype.kind == "f" and tensor.dtype.itemsize not in (4, 8):
        tensor = tensor.astype(float)
    return tensor


def _of_npz(file: str, content: bytes) -> dict[str, NDArray[Any]]:
    return read_npz(io.BytesIO(content), file, None, MAX_NUMBERS)[0]


def _of_safetensors(file: str, content: bytes) -> dict[str, NDArray[Any]]:
    with require_package(file, "safetensors", "optiviz-cli[torch]"):
        import safetensors
    try:
        held = dict(safetensors.deserialize(content))
    except Exception as error:  # of Rust, whose classes are not exported
        raise _invalid(file, "safetensors", error) from None
    found = {}
    for name, tensor in held.items():
        kind, data = tensor["dtype"], bytes(tensor["data"])
        if kind == "BF16":  # the upper half of a float32
            numbers = (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").astype(float)
        elif kind in DTYPES:
            numbers = np.frombuffer(data, DTYPES[kind])
        else:
            raise InputError(f"{file}: {shorten(name)} must be real numbers, not {shorten(kind)}")
        found[name] = numbers.reshape(tensor["shape"])
    return found


def _of_torch(file: str, content: bytes) -> dict[str, NDArray[Any]]:
    with require_package(file, "torch", "optiviz-cli[torch]"):
        import torch
    _check_unpacked(file, content)
    try:
        with warnings.catch_warnings(action="ignore"):
            loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # a broken or hostile file can make torch raise anything
        said = str(error)
        if "TorchScript" in said:
            raise InputError(f"{file}: is a TorchScript program: {SAVE}") from None
        if any(word in said for word in ("GLOBAL", "Unsupported", "blocked")):
            raise InputError(
                f"{file}: holds Python objects that would run code when they are read: {SAVE}"
            ) from None
        raise _invalid(file, "torch", error) from None
    state = _state(loaded, torch.Tensor)
    if state is None:
        raise InputError(f"{file}: holds no state_dict: save model.state_dict()")
    numbers = sum(each.numel() for each in state.values())  # a view can have more than the file
    if numbers > MAX_NUMBERS:
        raise InputError(f"{file}: has more than {MAX_NUMBERS} numbers")
    found = {}
    for name, tensor in state.items():
        try:
            short = tensor.is_floating_point() and tensor.element_size() not in (4, 8)
            plain = tensor.detach().to(torch.float64) if short else tensor.detach()
            found[name] = plain.contiguous().numpy()
        except Exception as error:  # sparse, quantized and other tensors that are no arrays
            said = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(f"{file}: {shorten(name)} cannot be read: {shorten(said)}") from None
    return found


def _check_unpacked(file: str, content: bytes) -> None:
    """Raise InputError if an archive would be larger than a file may be once it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    except Exception:  # of the former format, or broken: torch says so
        return
    if size > MAX_BYTES:
        raise InputError(f"{file}: must be at most {MAX_BYTES} bytes")


def _state(loaded: Any, tensor: type) -> dict[str, Any] | None:
    """Return the tensors of a state_dict, or of the one that a dict holds; None without any."""
    if not isinstance(loaded, Mapping):
        return None
    nested = {
        name: tensors
        for name, each in loaded.items()
        if isinstance(each, Mapping) and (tensors := _tensors(each, tensor))
    }
    for name in HOLDERS:
        if name in nested:
            return nested[name]
    return _tensors(loaded, tensor) or (next(iter(nested.values())) if len(nested) == 1 else None)


def _tensors(loaded: Mapping[Any, Any], tensor: type) -> dict[str, Any]:
    return {
        name: each
        for name, each in loaded.items()
        if isinstance(name, str) and isinstance(each, tensor)
    }


def _invalid(file: str, kind: str, error: Exception) -> InputError:
    said = (str(error).splitlines() or [type(error).__name__])[0]
    return InputError(f"{file}: is not a valid {kind} file: {shorten(said)}")
