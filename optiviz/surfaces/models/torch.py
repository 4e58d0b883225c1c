"""A PyTorch model's loss as a problem."""

import copy
import gc
import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import pairwise
from typing import Any, Self

import numpy as np

from optiviz.objective import Array, Objective, Stream
from optiviz.surfaces.batches import check_batch_size, samples_of_batch
from optiviz.surfaces.models.problem import ModelProblem, Setting, name_of
from optiviz.surfaces.models.steps import Evaluation, ModelBatches, ModelStep
from optiviz.surfaces.models.torch_data import (
    STEPS,
    Drawn,
    Samples,
    digest,
    mapped,
    read_data,
    tensors_in,
)
from optiviz.surfaces.models.torch_state import (
    chance_state,
    one_thread,
    same_state,
    seeded,
    usual_attention,
)
from optiviz.surfaces.parts import Part, parts_of
from optiviz.system import plugins
from optiviz.system.errors import InputError, OptivizError, require_package
from optiviz.system.text import counted

# Bytes of activations held at once in a thread, on a processor and on other devices. Milliseconds a
# point on two threads in blocks of 8, 32 and 128 MB: 10.5, 12.5 and 10.5 for three convolutions on
# 1,797 digits, 27, 15 and 12 for 41 of them on 400.
BLOCK, DEVICE_BLOCK = 128_000_000, 256_000_000
PROBED = 32  # samples on which a model is tried
# Several points at once, by torch.func.vmap, where little is computed for one: milliseconds a
# point on a core, one by one and 64 at once, for a dense net of 64-16-10 on 50 samples 0.13 and
# 0.03, on 200 0.11 and 0.09, of 64-256-10 on 200 0.21 and 0.30; for a transformer of 5,595
# parameters on 8 texts of 16 letters 0.97 and 0.41, of 19,867 on 8 of 32 0.97 and 0.96; for
# convolutions on 1,797 digits 21 and 26 or more.
AT_ONCE, SMALL = 64, 200_000  # points; bytes of activations of all samples at one of them
NO_MEMORY = "not enough memory", "out of memory", "can't allocate memory"


class _NoRoom(InputError):
    """Activations that do not fit into memory."""


class TorchProblem(ModelProblem):
    """The loss of a PyTorch model over all its parameters that require a gradient.

    model is any torch.nn.Module; it is copied, and left as it is, as are the states of all random
    generators. loss is a function of (outputs, targets) or, if its first parameter is named model,
    of (model, batch); it returns one number. data are the samples, one per row: (inputs, targets)
    as tensors, for a loss of (model, batch) a tensor or any tuple or dict of tensors; a Dataset or
    a DataLoader, which is read once, in order; or a function of (seed, step) that returns a batch.
    For inputs that are a tuple or a dict, model gets each as an argument. test = (inputs, targets)
    are samples whose accuracy is reported: the share whose largest output is the target's. name is
    what pictures call it.

    The loss of all samples is evaluated in blocks, without dropout and with batch norm's statistics
    as trained; if batch norm is "recompute", with those of all samples at each point (the
    cumulative average over the blocks, as momentum=None does), which gradients hold fixed. Where a
    function draws batches, all samples are those of its steps 0 to 15 with seed 0. Steps of
    optimizers are taken in the mode that the model is in: in training mode, dropout depends on
    (seed, step) alone, and batch norm uses statistics of the batch and does not update its own.
    What the loss function adds, such as a penalty, is in the ground; what an optimizer decays by
    itself is not. A loss that is neither the mean nor the sum of the losses of samples is evaluated
    on all samples in one block.

    The model computes where its parameters are, in their dtype: if there are several, in the
    widest, where the first is. Planes are evaluated with one thread on a processor; single
    evaluations with all of torch's, whose number can change their last bits.

    Raises InputError if the model has no parameters that require a gradient, there are no samples,
    or the loss is not one finite number that depends on the parameters.
    """

    def __init__(
        self,
        model: Any,
        loss: Callable[..., Any],
        data: Any,
        *,
        test: Any = None,
        name: str = "",
    ) -> None:
        with require_package("a TorchProblem", "torch", "optiviz-cli[torch]"):
            import torch
        if not isinstance(model, torch.nn.Module):
            raise InputError(f"model must be a torch.nn.Module, not {type(model).__name__}")
        self.name = name_of(name, type(model).__name__)
        trained = [(key, each) for key, each in model.named_parameters() if each.requires_grad]
        if not trained:
            raise InputError(f"{self.name} has no parameters that require a gradient")
        with plugins.third_party_code(self.name):
            self.parts: tuple[Part, ...] = parts_of((key, each.shape) for key, each in trained)
            if any(each.is_complex() for _, each in trained):
                raise InputError(f"{self.name} has complex parameters, which have no direction")
            self.initial = np.concatenate([_float64(each) for _, each in trained])
            self.device, self.dtype = trained[0][1].device, trained[0][1].dtype
            for _, each in trained:
                self.dtype = torch.promote_types(self.dtype, each.dtype)
        self._whole_loss = _takes_the_model(loss)
        self._data = read_data(data, self.device)
        self._test = None if test is None else _test_samples(test)
        self._modes = [each.training for each in model.modules()]
        self._batch_norm, self._converts = "trained", False
        with plugins.third_party_code(self.name), seeded(self.device, 0):
            self._arrange(copy.deepcopy(model), copy.deepcopy(loss))
            self._try()

    @property
    def caption(self) -> str:  # type: ignore[override]
        """Name, samples and parameters."""
        learned = (
            counted(self._data.many, "sample")
            if isinstance(self._data, Samples)
            else f"mean of {STEPS} batches"
        )
        many = f"{self.dim:,} parameter{'s' * (self.dim != 1)}"
        return f"{self.name}, {learned}, {many}"

    @property
    def samples(self) -> int | None:  # type: ignore[override]
        """The number of samples, None if a function draws batches."""
        return self._data.many if isinstance(self._data, Samples) else None

    @property
    def is_random(self) -> bool:  # type: ignore[override]
        """Whether steps depend on a seed even without batches, as with dropout."""
        return isinstance(self._data, Drawn) or self._draws_in_steps

    @property
    def tensor_kind(self) -> tuple[Any, Any]:
        """The dtype and device of the parameters, for optimizers that update tensors."""
        return self.dtype, self.device

    @property
    def points_at_once(self) -> int:
        """The number of points of a plane that are best evaluated in one call."""
        return AT_ONCE if self._several else super().points_at_once

    # How it is set up

    def _arrange(self, model: Any, loss: Any) -> None:
        """Own a model and a loss: keep its parameters, and their gradients, in one tensor each."""
        import torch

        self._model, self._loss = model, loss
        for each in model.parameters():
            if not each.is_leaf:  # copies of TorchScript are results of a copy
                each.detach_().requires_grad_()
        model.to(self.device, self.dtype)
        if isinstance(loss, torch.nn.Module):
            loss.to(self.device, self.dtype).requires_grad_(False)
        if self._converts:
            self._data = self._data.mapped(self._converted)
            self._test = None if self._test is None else self._test.mapped(self._converted)
        self._parameters = [each for each in model.parameters() if each.requires_grad]
        with torch.no_grad():
            self._flat = torch.cat([each.detach().reshape(-1) for each in self._parameters])
        self._slopes = torch.zeros_like(self._flat)
        for part, each in zip(self.parts, self._parameters, strict=True):
            cut = slice(part.offset, part.offset + part.size)
            each.data = self._flat[cut].view(part.shape)
            each.grad = self._slopes[cut].view(part.shape)
        self._modules = list(model.modules())
        self._training: bool | None = None
        self._norms = [
            each
            for each in self._modules
            if isinstance(each, torch.nn.modules.batchnorm._BatchNorm)
            and each.running_mean is not None
        ]
        for each in self._norms:  # so that it uses statistics of the batch, but keeps none
            each.track_running_stats = False
        self._on_device: tuple[Array, Array, Any, Any] | None = None

    def _converted(self, tensor: Any) -> Any:
        return tensor.to(self.device, self.dtype if tensor.is_floating_point() else None)

    def _try(self) -> None:
        """Learn how the model has to be evaluated, and check its loss and test samples."""
        self._put(self.initial)
        self._set_mode(training=False)
        most = PROBED
        while True:
            try:
                self._try_few(self._few(self._data, most))
                break
            except _NoRoom as error:
                if isinstance(self._data, Drawn) or most < 2:
                    which = "a batch" if isinstance(self._data, Drawn) else "one sample"
                    raise OptivizError(f"{self.name}: not enough memory for {which}") from error
                most //= 2
            gc.collect()
        self._try_all()
        self._try_test()

    def _few(self, data: Samples | Drawn, most: int = PROBED) -> Any:
        """Return a batch of at most `most` samples, evenly spaced."""
        if isinstance(data, Drawn):
            return data.all(self.device)[0]
        places = np.linspace(0, data.many - 1, min(most, data.many))
        return data.chosen(np.unique(places.astype(int)))

    def _try_few(self, batch: Any) -> None:
        """Learn on a few samples what an evaluation changes and how it is divided."""
        import torch

        self._writes, self._moved_in_value = False, list[int]()
        given, buffers = mapped(batch, torch.clone), [each.clone() for each in self._buffers()]
        with seeded(self.device, 0):
            before = chance_state(self.device)
            found, saved = self._measured(given)
            self._draws_in_value = not same_state(before, chance_state(self.device))
        loss = float(found.detach())
        if not np.isfinite(loss):
            raise InputError(f"the loss of {self.name} is {loss} at its parameters")
        if not found.requires_grad:
            raise InputError(f"the loss of {self.name} does not depend on its parameters")
        self._writes = not _same_tensors(given, batch)
        self._moved_in_value = self._restored(buffers)
        self._try_slope(batch, loss)
        self._try_step(batch)
        self._try_blocks(batch, loss)
        self._try_several(batch, saved)

    def _try_slope(self, batch: Any, loss: float) -> None:
        """Learn where gradients are found, and check that the loss is the same when repeated."""
        import torch

        def repeated() -> Any:
            with torch.enable_grad(), seeded(self.device, 0):
                return self._loss_of(batch)

        self._by_grad = False
        self._slopes.zero_()
        with self._restoring(self._moved_in_value), self._no_room():
            again = repeated()
            again.backward()
        near = float(torch.finfo(self.dtype).eps) ** 0.5
        if not np.isclose(float(again.detach()), loss, rtol=near, atol=0.0):
            raise InputError(
                f"the loss of {self.name} is another each time: let it draw random numbers from "
                "torch's generators, and keep nothing from call to call"
            )
        try:
            with self._restoring(self._moved_in_value), self._no_room():
                slopes = self._gradient(repeated())
        except RuntimeError:  # checkpoints that are re-entrant know backward passes alone
            return
        # A model that resets gradients, as by zero_grad, holds others.
        self._by_grad = bool((slopes - self._slopes).abs().max() > 0.01 * slopes.abs().max())

    def _gradient(self, loss: Any) -> Any:
        """Return the gradient of a loss as one tensor, without a parameter's own."""
        import torch

        found = torch.autograd.grad(loss, self._parameters, materialize_grads=True)
        return torch.cat([each.reshape(-1) for each in found])

    def _buffers(self) -> list[Any]:
        return list(self._model.buffers())

    def _restored(self, kept: Sequence[Any]) -> list[int]:
        """Set buffers to what they were, and return the numbers of those that differed."""
        moved = []
        for number, (each, before) in enumerate(zip(self._buffers(), kept, strict=True)):
            if not _same_tensors(each, before):
                each.copy_(before)
                moved.append(number)
        return moved

    @contextmanager
    def _restoring(self, moved: Sequence[int]) -> Iterator[None]:
        """Leave some buffers, by their numbers, as they are found."""
        buffers = self._buffers() if moved else []
        kept = [(buffers[number], buffers[number].clone()) for number in moved]
        try:
            yield
        finally:
            for buffer, before in kept:
                buffer.copy_(before)

    def _measured(self, batch: Any) -> tuple[Any, int]:
        """Return the loss of a batch, and the bytes of activations that its gradient needs."""
        import torch

        own, held = {each.data_ptr() for each in self._model.parameters()}, dict[int, int]()

        def note(tensor: Any) -> Any:
            if tensor.data_ptr() not in own:
                held[tensor.data_ptr()] = tensor.numel() * tensor.element_size()
            return tensor

        with (
            torch.enable_grad(),
            torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor),
        ):
            loss = self._loss_of(batch)
        return loss, sum(held.values())

    def _try_step(self, batch: Any) -> None:
        """Learn what a step changes beside the parameters."""
        import torch

        self._draws_in_steps, self._moved = self._draws_in_value, self._moved_in_value
        if not any(self._modes):
            return
        kept, given = [each.clone() for each in self._buffers()], mapped(batch, torch.clone)
        self._set_mode(training=True)
        before = chance_state(self.device)
        with torch.no_grad():
            self._loss_of(given)
        self._draws_in_steps = not same_state(before, chance_state(self.device))
        self._writes |= not _same_tensors(given, batch)
        self._moved = self._restored(kept)
        self._set_mode(training=False)

    def _try_blocks(self, batch: Any, loss: float) -> None:
        """Learn whether the loss of samples is the mean or the sum of that of blocks."""
        import torch

        self._sums: bool | None = False
        many = len(tensors_in(batch)[0])
        if isinstance(self._data, Drawn) or many < 2:
            return
        first = max(1, many // 3)
        sizes = np.array([first, many - first])
        try:
            with torch.no_grad():
                ends = _cut(batch, slice(first)), _cut(batch, slice(first, None))
                losses = np.array([self._alone(each) for each in ends])
        except InputError:
            losses = np.full(2, np.nan)
        near = {"rtol": float(torch.finfo(self.dtype).eps) ** 0.5, "atol": 0.0}
        if not np.isclose(losses @ sizes / many, loss, **near):
            self._sums = True if np.isclose(losses.sum(), loss, **near) else None

    def _try_several(self, batch: Any, saved: int) -> None:
        """Learn how many samples are in a block, and whether to evaluate several points at once."""
        import torch

        self._several = False
        if isinstance(self._data, Drawn):
            self._most = 1
            return
        of_each = max(1, saved // len(tensors_in(batch)[0]))
        room = BLOCK if self.device.type == "cpu" else DEVICE_BLOCK
        self._most = max(1, room // (2 * of_each))  # a layer's input and output, and the rest
        if (
            of_each * self._data.many > SMALL
            or any(len(part.shape) > 2 for part in self.parts)  # convolutions
            or self._whole_loss
            or self._draws_in_value
            or self._writes
            or self._moved_in_value
        ):
            return
        with torch.no_grad(), warnings.catch_warnings(action="error"):
            alone = self._alone(batch)
            try:
                both = self._losses_at(torch.stack([self._flat] * 2), batch)
            except Exception:  # an operation that has no rule for several points, or a slow one
                return
        self._several = bool(np.allclose(both, alone, rtol=1e-5, atol=0.0))

    def _try_test(self) -> None:
        """Check the test samples on a few of them."""
        import torch

        if self._test is None:
            return
        if not isinstance(self._test.batch, tuple) or len(self._test.batch) != 2:
            raise InputError("test: must be (inputs, targets)")
        restoring = self._restoring(self._moved_in_value)
        try:
            with plugins.third_party_code(self.name), torch.no_grad(), restoring:
                self._share_right(self._few(self._test))
        except _NoRoom:
            pass  # told, or tried on fewer samples, where accuracy is asked for
        except InputError as error:
            raise InputError(f"test: {error}") from None

    def _alone(self, batch: Any) -> float:
        """Return the loss of a batch as if it were the only one."""
        with self._restoring(self._moved_in_value):
            return float(self._loss_of(batch))

    def _try_all(self) -> None:
        """Learn whether blocks add up for all samples: few may not show that a mean is weighted."""
        import torch

        data = self._data
        if isinstance(data, Drawn) or self._sums is None or data.many < 2:
            return

        def loss_of(batch: Any) -> Array:
            loss = self._alone(batch)
            return np.array([loss, abs(loss)])

        def spread(many: int) -> Array:
            found = np.zeros(2)
            for first in range(many):
                batch = _cut(data.batch, slice(first, None, many))
                share = len(tensors_in(batch)[0]) / data.many
                found += (1 if self._sums else share) * loss_of(batch)
            return found

        with torch.no_grad(), usual_attention():
            loss, _ = self._over_blocks(loss_of, data)
            many = max(2, -(-data.many // self._most) // 2)
            while True:
                try:
                    other, size = spread(many)
                    break
                except _NoRoom:
                    if many == data.many:
                        return
                    many = min(2 * many, data.many)
        # Rounding: 1.4e-5 in float32 and 1.1e-11 in float64; a convolution of a GPU has less.
        near = float(torch.finfo(self.dtype).eps) ** (0.7 if self.device.type == "cpu" else 0.5)
        if not np.isclose(loss, other, rtol=0.0, atol=near * size, equal_nan=True):
            self._sums = None

    def with_setting(self, setting: Setting) -> "TorchProblem":
        import torch

        if setting == Setting():
            return self
        if setting.batch_norm == "recompute" and not self._norms:
            raise InputError(f"batch_norm: {self.name} has no batch norm with statistics")
        device = self.device
        if setting.device != "auto":
            there = ["cpu"]
            there += ["cuda"] if torch.cuda.is_available() else []
            there += ["mps"] if torch.backends.mps.is_available() else []
            if setting.device not in there:
                raise InputError(f"device: no {setting.device} here, only {' and '.join(there)}")
            device = torch.device(setting.device)
        dtype = self.dtype if setting.dtype is None else getattr(torch, setting.dtype)
        if device.type == "mps" and dtype == torch.float64:
            raise InputError("dtype: mps has no float64: use float32")
        other = copy.copy(self)
        other.device, other.dtype, other._batch_norm = device, dtype, setting.batch_norm
        other._converts = setting.device != "auto" or setting.dtype is not None
        with plugins.third_party_code(self.name), seeded(device, 0):
            other._arrange(copy.deepcopy(self._model), copy.deepcopy(self._loss))
            other._try()
        other._several &= setting.batch_norm == "trained"
        return other

    def thread_copy(self) -> Self:
        other = copy.copy(self)
        other._converts = False
        other._arrange(copy.deepcopy(self._model), copy.deepcopy(self._loss))
        return other

    def from_tensors(self, found: Mapping[str, Any], file: str) -> tuple[Array, Self]:
        import torch

        known = self._model.state_dict()
        names = {part.name for part in self.parts}
        first_names = {*names, *(key for key, _ in self._model.named_parameters())}
        parameters = dict(self._model.named_parameters(remove_duplicate=False))
        other, vector = self.thread_copy(), self.initial.copy()
        for key, each in known.items():
            if not isinstance(each, torch.Tensor):
                continue  # the extra state of a module
            if key not in found:
                alias = key in parameters and key not in first_names
                if alias or key.endswith("num_batches_tracked"):
                    continue
                raise InputError(f"{file}: is of another model: it has no {key}")
            shape = tuple(np.shape(found[key]))
            if shape != tuple(each.shape):
                raise InputError(
                    f"{file}: is of another model: {key} has shape {shape}, not {tuple(each.shape)}"
                )
        for key in found:
            if key not in known:
                raise InputError(f"{file}: is of another model, which has {key}")
        for part in self.parts:
            part.of(vector)[...] = _float64(found[part.name]).reshape(part.shape)
        with torch.no_grad():
            for key, each in other._model.state_dict().items():
                if (key in found and key not in parameters) or key in first_names - names:
                    each.copy_(torch.as_tensor(found[key]))
        return vector, other

    def fingerprint(self) -> tuple[bytes, ...]:
        import torch

        loss = getattr(self._loss, "__qualname__", None) or repr(self._loss)
        data = (
            self._data.digest()
            if isinstance(self._data, Samples)
            else b"".join(digest(each) for each in self._data.all(self.device))
        )
        frozen = tuple(each for each in self._model.parameters() if not each.requires_grad)
        said = self.parts, str(self.dtype), self.device.type, self._batch_norm, torch.__version__
        return (
            b"torch",
            repr((*said, self._model, loss)).encode(),
            digest((*self._model.buffers(), *frozen)),
            data,
        )

    # How it is evaluated

    def value(self, x: Array) -> Array:
        points = np.reshape(np.asarray(x, float), (-1, self.dim))
        return np.array([self._value(each) for each in points]).reshape(np.shape(x)[:-1])

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        points = np.reshape(np.asarray(x, float), (-1, self.dim))
        found = [self._slope(each, self._prepared) for each in points]
        losses = np.array([loss for loss, _ in found]).reshape(np.shape(x)[:-1])
        return losses, np.array([slope for _, slope in found]).reshape(np.shape(x))

    def values_on_plane(self, origin: Array, directions: Array, points: Array) -> Array:
        import torch

        losses: list[float] = []
        alone = one_thread() if self.device.type == "cpu" else nullcontext()
        with alone, torch.no_grad():
            begin, ways = self._plane_on_device(origin, directions)
            steps = torch.from_numpy(np.array(points, float)).to(begin)
            for few in steps.split(AT_ONCE if self._several else 1):
                moved = (begin + few @ ways).to(self.dtype)
                if self._several:
                    assert isinstance(self._data, Samples)
                    losses += self._losses_at(moved, self._data.batch)
                else:
                    self._flat.copy_(moved[0])
                    losses.append(self._evaluated())
        return _signalled(np.array(losses, float))

    def hessian_product(self, x: Array, v: Array) -> Array:
        return self._bend(x, v, self._prepared)

    def _bend(self, x: Array, v: Array, prepared: Any, data: Any = None) -> Array:
        """Return the Hessian at one point times v, of all data or of a batch."""
        import torch
        from torch.nn.attention import SDPBackend, sdpa_kernel

        self._put(x)
        ways = [torch.from_numpy(part.of(v).copy()).to(self._flat) for part in self.parts]

        def product(batch: Any) -> Array:
            # Attention that is computed in one kernel has no second derivatives.
            with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH), self._no_room():
                loss = self._loss_of(batch)
                slopes = torch.autograd.grad(
                    loss, self._parameters, create_graph=True, materialize_grads=True
                )
                along = sum((each * way).sum() for each, way in zip(slopes, ways, strict=True))
                if not along.requires_grad:  # a linear loss
                    return np.zeros(self.dim)
                bends = torch.autograd.grad(along, self._parameters, materialize_grads=True)
            return np.concatenate([_float64(each) for each in bends])

        with plugins.third_party_code(self.name), prepared():
            found: Array = self._over_blocks(product, self._data if data is None else data)
        return found

    def accuracy(self, x: Array) -> float | None:
        import torch

        if self._test is None or not np.isfinite(x).all():
            return None
        self._put(x)

        with plugins.third_party_code(self.name), torch.no_grad(), self._prepared():
            return float(self._over_blocks(self._share_right, self._test, adds=False))

    def _share_right(self, batch: Any) -> float:
        """Return the share of samples whose largest output is the target's."""
        with self._no_room():
            inputs, targets = self._own(batch)
            said = self._outputs(inputs)
            chosen = said.argmax(-1)
            wanted = targets.argmax(-1) if targets.shape == said.shape else targets
            if chosen.shape != wanted.shape:
                raise InputError(
                    f"targets of shape {tuple(targets.shape)} are no classes of outputs of shape "
                    f"{tuple(said.shape)}"
                )
            return float((chosen == wanted).double().mean())

    def batches(self, size: int | None, seed: int) -> Objective | Stream:
        if size is not None:
            if not isinstance(self._data, Samples):
                raise InputError(f"{self.name} has no samples for batches: a function draws them")
            check_batch_size(size, self._data.many, "model")
        elif not self.is_random and not (any(self._modes) and self._norms):
            return ModelStep(self, self._evaluation(self._batch_of(None, seed, 0), seed, 0))
        return ModelBatches(
            self, lambda step: self._evaluation(self._batch_of(size, seed, step), seed, step)
        )

    def _batch_of(self, size: int | None, seed: int, step: int) -> Samples:
        """Return the batch of a step: `size` samples, or all or what a function draws if None."""
        if isinstance(self._data, Drawn):
            return Samples(self._data.at(seed, step, self.device))
        if size is None:
            return self._data
        return Samples(self._data.chosen(samples_of_batch(self._data.many, size, seed, step)))

    def _evaluation(self, batch: Samples, seed: int, step: int) -> Evaluation:
        """Return what evaluates a batch in the mode that the model is in."""
        stepping = partial(self._stepping, seed, step)

        def evaluate(x: Array) -> tuple[Array, Array]:
            losses, slopes = np.empty(np.shape(x)[:-1]), np.empty(np.shape(x))
            rows = slopes.reshape(-1, self.dim)
            for number, point in enumerate(np.reshape(np.asarray(x, float), rows.shape)):
                losses.reshape(-1)[number], rows[number] = self._slope(point, stepping, batch)
            return losses, slopes

        return Evaluation(evaluate, lambda x, v: self._bend(x, v, stepping, batch))

    def _put(self, x: Array) -> None:
        """Set all parameters, from float64."""
        import torch

        with torch.no_grad():
            self._flat.copy_(torch.from_numpy(np.require(x, float, ["C", "W"])))

    def _set_mode(self, training: bool) -> None:
        """Set the model to evaluation, or to the modes that it was given in."""
        if training is not self._training:
            for module, given in zip(self._modules, self._modes, strict=True):
                module.training = training and given
            self._training = training

    @contextmanager
    def _prepared(self) -> Iterator[None]:
        """Evaluate in this context, at the parameters that were set."""
        self._set_mode(training=False)
        if self._batch_norm == "recompute":
            self._renew_statistics()
        chance = seeded(self.device, 0) if self._draws_in_value else nullcontext()
        with chance, usual_attention(), self._restoring(self._moved_in_value):
            yield

    @contextmanager
    def _stepping(self, seed: int, step: int) -> Iterator[None]:
        """Take the gradient of a step in this context."""
        self._set_mode(training=True)
        chance = seeded(self.device, seed, step) if self._draws_in_steps else nullcontext()
        with chance, self._restoring(self._moved):
            yield

    def _renew_statistics(self) -> None:
        """Set batch norm's statistics to those of all samples at the parameters that were set."""
        import torch

        for each in self._norms:
            each.momentum, each.training, each.track_running_stats = None, True, True
            each.reset_running_stats()
        try:
            with torch.no_grad():
                self._over_blocks(lambda batch: float(self._loss_of(batch)), self._data)
        finally:
            for each in self._norms:
                each.training = each.track_running_stats = False

    def _value(self, x: Array) -> float:
        import torch

        self._put(x)
        with torch.no_grad():
            return float(_signalled(np.array(self._evaluated())))

    def _evaluated(self) -> float:
        """Return the loss of all data at the parameters that were set."""
        with plugins.third_party_code(self.name), self._prepared():
            found = self._over_blocks(lambda batch: float(self._loss_of(batch)), self._data)
        return float(found)

    def _slope(self, x: Array, prepared: Any, data: Any = None) -> tuple[float, Array]:
        """Return loss and gradient at one point, of all data or of a batch."""
        import torch

        def both(batch: Any) -> Array:
            with torch.enable_grad(), self._no_room():
                loss = self._loss_of(batch)
                if self._by_grad:
                    slopes = self._gradient(loss)
                else:
                    slopes = self._slopes.zero_()
                    loss.backward()
            found = np.empty(self.dim + 1)
            found[0], found[1:] = float(loss.detach()), _float64(slopes)
            return found

        self._put(x)
        with plugins.third_party_code(self.name), prepared():
            found = self._over_blocks(both, self._data if data is None else data)
        _signalled(found[:1])
        return float(found[0]), found[1:]

    def _over_blocks(
        self, evaluate: Callable[[Any], Any], data: Any, adds: bool | None = None
    ) -> Any:
        """Return the loss of data, or another number or array that adds up like it, by blocks.

        If they do not fit into memory, blocks of half as many samples are tried. adds is whether
        blocks are added up, rather than averaged by their samples.
        """
        if isinstance(data, Drawn):
            batches = data.all(self.device)
            return sum(evaluate(each) / len(batches) for each in batches)
        adds = self._sums if adds is None else adds
        while True:
            try:
                return sum(
                    (1 if adds else share) * evaluate(batch)
                    for share, batch in self._blocks(data, self._most)
                )
            except _NoRoom as error:
                if self._sums is None or min(self._most, data.many) < 2:
                    which = "all samples at once" if self._sums is None else "one sample"
                    raise OptivizError(f"{self.name}: not enough memory for {which}") from error
                self._most = min(self._most, data.many) // 2
            gc.collect()

    def _blocks(self, data: Samples, most: int) -> Iterator[tuple[float, Any]]:
        """Yield blocks of samples, as even as possible, with their shares of all."""
        many = -(-data.many // most)
        if many == 1 or self._sums is None or (self._training and self._norms):
            yield 1.0, data.batch
            return
        ends = [number * data.many // many for number in range(many + 1)]
        for begin, end in pairwise(ends):
            yield (end - begin) / data.many, _cut(data.batch, slice(begin, end))

    def _loss_of(self, batch: Any) -> Any:
        """Return the loss of a batch, a tensor of one number."""
        import torch

        with self._no_room():
            batch = self._own(batch)
            if self._whole_loss:
                found = self._loss(self._model, batch)
            else:
                found = self._loss(self._outputs(_pair(batch)[0]), batch[1])
        if not isinstance(found, torch.Tensor):
            raise InputError(f"loss must return a tensor, not {type(found).__name__}")
        if found.numel() != 1 or found.is_complex():
            raise InputError(
                f"loss must return one number, not a tensor of shape {tuple(found.shape)}: "
                "take its mean"
            )
        return found.reshape(())

    def _own(self, batch: Any) -> Any:
        """Return a batch, or a copy of it for a model that changes what it is given."""
        import torch

        return mapped(batch, torch.clone) if self._writes else batch

    def _outputs(self, inputs: Any) -> Any:
        if isinstance(inputs, dict):
            return self._model(**inputs)
        return self._model(*inputs) if isinstance(inputs, tuple) else self._model(inputs)

    def _losses_at(self, flats: Any, batch: Any) -> list[float]:
        """Return the losses of a batch at several points, flats of shape (n, dim), at once."""
        import torch
        from torch.func import functional_call

        points = {
            part.name: flats[:, part.offset : part.offset + part.size].view(-1, *part.shape)
            for part in self.parts
        }

        def loss_at(point: Mapping[str, Any]) -> Any:
            inputs, targets = batch
            if isinstance(inputs, dict):
                outputs = functional_call(self._model, point, (), inputs)
            else:
                outputs = functional_call(self._model, point, inputs)
            return self._loss(outputs, targets).reshape(())

        self._set_mode(training=False)
        with plugins.third_party_code(self.name), usual_attention():
            found: list[float] = torch.func.vmap(loss_at)(points).double().tolist()
        return found

    def _plane_on_device(self, origin: Array, directions: Array) -> tuple[Any, Any]:
        """Return a plane's origin and directions as tensors, in float64 where the device has it."""
        import torch

        known = self._on_device
        if known is None or known[0] is not origin or known[1] is not directions:
            dtype = torch.float32 if self.device.type == "mps" else torch.float64
            begin, ways = (
                torch.from_numpy(np.require(each, float, ["C", "W"])).to(self.device, dtype)
                for each in (origin, directions)
            )
            known = self._on_device = origin, directions, begin, ways
        return known[2], known[3]

    @contextmanager
    def _no_room(self) -> Iterator[None]:
        """Raise _NoRoom where a device or the computer has no memory left."""
        try:
            yield
        except (RuntimeError, MemoryError) as error:  # torch.OutOfMemoryError is a RuntimeError
            said = str(error).lower()
            if isinstance(error, MemoryError) or any(each in said for each in NO_MEMORY):
                raise _NoRoom(f"{self.name}: not enough memory") from error
            raise


def _takes_the_model(loss: Any) -> bool:
    """Return whether a loss is of (model, batch); raise InputError if it is not of two things."""
    import torch

    if not callable(loss):
        raise InputError(f"loss must be a function, not {type(loss).__name__}")
    called = loss.forward if isinstance(loss, torch.nn.Module) else loss
    try:
        declared = inspect.signature(called)
        declared.bind(None, None)
    except TypeError:
        raise InputError("loss must take (outputs, targets) or (model, batch)") from None
    except ValueError:
        return False  # a builtin without a signature
    return next(iter(declared.parameters), "") == "model"


def _test_samples(test: Any) -> Samples:
    try:
        return Samples(test)
    except InputError as error:
        raise InputError(f"test: {str(error).removeprefix('data: ')}") from None


def _same_tensors(first: Any, second: Any) -> bool:
    """Return whether two batches of one form have the same numbers."""
    import torch

    pairs = zip(tensors_in(first), tensors_in(second), strict=True)
    return all(torch.equal(*pair) for pair in pairs)


def _pair(batch: Any) -> Sequence[Any]:
    if not isinstance(batch, tuple) or len(batch) != 2:
        raise InputError(
            "data must be (inputs, targets): name the first parameter of a loss of "
            "(model, batch) model"
        )
    return batch


def _cut(batch: Any, cut: slice) -> Any:
    """Return some samples of a batch."""
    return mapped(batch, lambda each: each[cut])


def _float64(tensor: Any) -> Array:
    """Return the numbers of a tensor as a vector of its own."""
    import torch

    if isinstance(tensor, np.ndarray):
        return tensor.astype(float).reshape(-1)
    found = torch.as_tensor(tensor).detach()
    vector: Array = found.cpu().to(torch.float64).numpy().reshape(-1).copy()
    return vector


def _signalled(losses: Array) -> Array:
    """Return losses; signal an overflow, which torch does not, if any is not finite."""
    if not np.isfinite(losses).all():
        np.multiply(np.finfo(float).max, 2.0)
    return losses
