"""Recording the parameters of a training run, to be drawn later as its checkpoints."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from optiviz.surfaces.checkpoint_files import LOSSES, STEPS, TENSORS
from optiviz.surfaces.pytrees import named_leaves
from optiviz.system.errors import InputError
from optiviz.system.files import atomic_write, check_writable
from optiviz.system.text import shorten

SNAPSHOTS, MAX_BYTES = 200, 100_000_000
Snapshot = dict[str, NDArray[Any]]


def record(
    model: Any,
    file: str | Path = "run.npz",
    every: int = 1,
    snapshots: int = SNAPSHOTS,
    max_bytes: int = MAX_BYTES,
) -> "Recording":
    """Record how a training loop changes a model, in a small file that `--checkpoints` draws.

        with optiviz.record(model, "run.npz") as recording:
            for inputs, targets in loader:
                loss = ...
                optimizer.step()
                recording.step(loss)

    model is a torch module, an array that changes in place, or a pytree of arrays (nested dicts
    and lists, or any that JAX knows), of which step() is given the new one: recording.step(loss,
    params). Instead of step(), the recording can also be called, for example as the callback of
    scipy.optimize.minimize.

    file ends in .npz. It is written when the block ends, also by an exception or Ctrl-C, to which a
    note is added if that fails or the parameters of the last step cannot be recorded. It has the
    parameters and buffers of at most `snapshots` steps, at first of every `every`-th; whenever they
    are too many, or together more than max_bytes, every second one is dropped, so that they stay
    evenly spaced. The first and the last step are always in it.

    Returns a Recording. Raises InputError if an argument is invalid, or the file cannot be written.
    """
    return Recording(model, file, every, snapshots, max_bytes)


class Recording:
    """A training run while it is recorded: a context manager, and a callback of each step."""

    def __init__(
        self, model: Any, file: str | Path, every: int, snapshots: int, max_bytes: int
    ) -> None:
        self.path = Path(file)
        if self.path.suffix.lower() != ".npz":
            raise InputError(f"{shorten(str(file), quoted=True)} must end in .npz")
        check_writable(self.path)
        for name, given, least in (
            ("every", every, 1),
            ("snapshots", snapshots, 2),
            ("max_bytes", max_bytes, 1),
        ):
            if isinstance(given, bool) or not isinstance(given, int) or given < least:
                raise InputError(f"{name} must be a whole number from {least} on, not {given!r}")
        self._model, self._stride = model, every
        first = _snapshot(model)
        size = sum(each.nbytes for each in first.values())
        self._most = min(snapshots, max_bytes // max(1, size))
        if self._most < 2:
            raise InputError(
                f"a snapshot has {size} bytes, but max_bytes is {max_bytes}: at least two must fit"
            )
        self._changes = hasattr(model, "state_dict") or all(
            isinstance(each, np.ndarray) or hasattr(each, "detach")
            for each in named_leaves(model).values()
        )
        self._step, self._kept = 0, [(0, first)]
        self._losses: dict[int, float] = {}  # at the steps that are kept

    def step(self, loss: Any = None, params: Any = None) -> None:
        """Record that the optimizer has taken a step.

        loss is what the step began with: the loss at the parameters before it. params are the
        parameters after it, needed unless those of the model change in place.

        Raises InputError if loss is no number, or if params are missing or of another model.
        """
        if params is not None:
            self._model = params
        elif not self._changes:
            raise InputError("parameters that do not change in place go to step(loss, params)")
        if loss is not None and self._kept[-1][0] == self._step:
            self._losses[self._step] = _number(loss)
        self._step += 1
        if self._step % self._stride == 0:
            if len(self._kept) >= self._most - 1:  # one is left for the last step
                self._thin_out()
            if self._step % self._stride == 0:
                self._keep()

    def __call__(self, *given: Any, **named: Any) -> None:
        """Record a step; a number is the loss, and anything else the parameters.

        Further arguments by name, such as those that scipy passes, are left aside.
        """
        loss = params = None
        for each in given:
            if _is_number(each):
                loss = each
            else:
                params = each
        self.step(loss, params)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.save()
        except Exception as failed:
            if error is None:
                raise
            error.add_note(f"optiviz.record: {failed}")  # the program's own error is what counts

    def save(self) -> None:
        """Write what was recorded so far.

        If the parameters of the last step cannot be recorded, the file ends at the last that was
        kept. Raises InputError that says so, and OptivizError if the file cannot be written.
        """
        kept, wrong = self._kept, ""
        if kept[-1][0] != self._step:
            try:
                kept = [*kept, (self._step, self._checked(_snapshot(self._model)))]
            except Exception as error:  # other libraries' arrays can raise anything
                wrong = f"{self.path} ends at step {kept[-1][0]} of {self._step}: {error}"
        steps = np.array([step for step, _ in kept])
        losses = np.array([self._losses.get(step, np.nan) for step, _ in kept])
        with atomic_write(self.path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
            _write(archive, STEPS, steps)
            _write(archive, LOSSES, losses)
            for name in kept[0][1]:
                _write(archive, TENSORS + name, np.stack([each[name] for _, each in kept]))
        if wrong:
            raise InputError(wrong)

    def _thin_out(self) -> None:
        self._stride *= 2
        self._kept = [each for each in self._kept if each[0] % self._stride == 0]
        held = {step for step, _ in self._kept}
        self._losses = {step: loss for step, loss in self._losses.items() if step in held}

    def _keep(self) -> None:
        self._kept.append((self._step, self._checked(_snapshot(self._model))))

    def _checked(self, found: Snapshot) -> Snapshot:
        """Return a snapshot; raise InputError if it is of another model than the first."""
        first = self._kept[0][1]
        said = ""
        for name in dict.fromkeys([*first, *found]):
            if name not in found:
                said = f"they have no {name}"
            elif name not in first:
                said = f"they have {name}"
            elif found[name].shape != first[name].shape:
                said = f"{name} has shape {found[name].shape}, not {first[name].shape}"
            if said:
                raise InputError(f"the parameters are of another model than the first: {said}")
        return found


def _snapshot(model: Any) -> Snapshot:
    """Return copies of the parameters and buffers of a model by their names."""
    state = getattr(model, "state_dict", None)
    named = state() if callable(state) else named_leaves(model)
    if not isinstance(named, Mapping) or not named:
        raise InputError(f"a {type(model).__name__} has no parameters to record")
    found = {}
    for name, each in named.items():
        if str(name).endswith("_extra_state"):  # of a torch module: anything but parameters
            continue
        tensor = _array(each)
        if tensor.dtype.kind not in "biuf":
            raise InputError(f"{name} must be an array of real numbers, not {shorten(each)}")
        found[str(name)] = tensor
    return found


def _array(tensor: Any) -> NDArray[Any]:
    """Return a copy of an array of numpy, torch or JAX; bfloat16 becomes float32."""
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu()
        if "bfloat16" in str(tensor.dtype):
            tensor = tensor.float()
        tensor = tensor.numpy()
    found = np.array(tensor)
    return found.astype(np.float32) if found.dtype.name == "bfloat16" else found


def _is_number(given: Any) -> bool:
    return isinstance(given, int | float) or getattr(given, "shape", None) == ()


def _number(loss: Any) -> float:
    """Return a loss, perhaps a tensor of one number, as a number."""
    try:
        return float(loss.detach() if hasattr(loss, "detach") else loss)
    except Exception:  # other libraries' arrays can raise anything
        raise InputError(f"a loss must be a number, not {shorten(_kind(loss))}") from None


def _kind(given: Any) -> str:
    shape = getattr(given, "shape", None)
    return f"an array of shape {tuple(shape)}" if shape else repr(given)


def _write(archive: zipfile.ZipFile, name: str, numbers: NDArray[Any]) -> None:
    """Write an array in .npy format, with the date that all have."""
    with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as entry:
        np.lib.format.write_array(entry, numbers, allow_pickle=False)
