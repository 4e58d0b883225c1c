"""A JAX model's loss as a problem."""

import copy
import hashlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optiviz.objective import Array, Objective, Stream
from optiviz.surfaces.batches import check_batch_size, samples_of_batch
from optiviz.surfaces.models.problem import ModelProblem, Setting, name_of
from optiviz.surfaces.models.steps import Evaluation, ModelBatches, ModelStep, check_draws
from optiviz.surfaces.parts import parts_of
from optiviz.surfaces.pytrees import named_leaves
from optiviz.system import plugins
from optiviz.system.errors import InputError, OptivizError, require_package
from optiviz.system.text import counted, shorten

BLOCK = 256_000_000  # bytes of activations, or of points, held at once
PROBED = 32  # samples on which a loss is tried
STEPS = 16  # whose batches are all data, where a function draws them
# Points of a plane in one call, by jax.lax.map: milliseconds a point on a core, one by one and in
# one call, for a dense net of 64-16-10 on 50 samples 0.37 and 0.02, on 1,797 0.30 and 0.20; for
# convolutions on 1,797 samples 9.7 and 13. Several at once by jax.vmap are 0.7 to 1.5 times as
# fast for dense nets, and 0.2 times for convolutions.
AT_ONCE = 64


class JaxProblem(ModelProblem):
    """The loss of a JAX model over all its parameters.

    params is any pytree of arrays of floating-point numbers. Their names are their key paths, such
    as "dense1/kernel". loss is a function of (params, batch) that jax.jit can compile; it returns
    one number. data are the samples: an array, or a tuple or another pytree of arrays, which have
    one row per sample; batches are the same of some rows. Or a function of (seed, step) that
    returns a batch, in which it can put a key for dropout. test, a function of params, returns the
    share of test samples that are classified correctly. name is what pictures call it.

    The loss of all samples is evaluated in blocks if it is the mean or the sum of the losses of
    samples. Where a function draws batches, it is their mean over steps 0 to 15 with seed 0. The
    model computes where JAX puts arrays unless told otherwise, in the types that its parameters
    have in JAX: float32 for numpy's float64 unless jax_enable_x64 is set. That setting is left as
    it is. Gradients and Hessian-vector products are exact (Pearlmutter, 1994, by jax.jvp).

    Raises InputError if params or data are something else, or the loss is not one finite number.
    """

    def __init__(
        self,
        params: Any,
        loss: Callable[[Any, Any], Any],
        data: Any,
        *,
        test: Callable[[Any], Any] | None = None,
        name: str = "",
    ) -> None:
        with require_package("a JaxProblem", "jax", "optiviz-cli[optax]"):
            import jax
        for what, function, takes in (("loss", loss, 2), ("test", test, 1)):
            if not (what == "test" and test is None):
                _check_function(what, function, takes)
        self.name = name_of(name, getattr(loss, "__name__", "loss").strip("<>"))
        self._loss, self._test = loss, test
        self._device: Any = None
        self._dtype: Any = None  # that was set
        with plugins.third_party_code(self.name):
            leaves = named_leaves(params)
            for key, leaf in leaves.items():
                if not jax.numpy.issubdtype(_kind(leaf), jax.numpy.floating):
                    raise InputError(f"params: {key} must be floating-point, not {_kind(leaf)}")
            if not leaves:
                raise InputError("params have no arrays")
            self._tree = jax.tree_util.tree_structure(params)
            self._kinds = [jax.dtypes.canonicalize_dtype(_kind(leaf)) for leaf in leaves.values()]
            self.parts = parts_of((key, np.shape(leaf)) for key, leaf in leaves.items())
            self.initial = np.concatenate(
                [np.asarray(leaf, float).reshape(-1) for leaf in leaves.values()]
            )
            if not self.dim:
                raise InputError("params have no numbers")
            self._drawn = _drawn(data)
            self._samples = None if self._drawn else _rows(data)
            self._arrange()
            self._try()
        if test is not None:
            try:
                self.accuracy(self.initial)
            except InputError as error:
                said = str(error).removeprefix("test ")
                raise InputError(f"test: {said}") from None

    @property
    def samples(self) -> int | None:  # type: ignore[override]
        """The number of samples, None if a function draws batches."""
        return None if self._samples is None else len(_leaves(self._samples)[0])

    @property
    def is_random(self) -> bool:  # type: ignore[override]
        """Whether steps depend on a seed even without batches."""
        return self._drawn is not None

    @property
    def caption(self) -> str:  # type: ignore[override]
        """Name, samples and parameters."""
        samples = self.samples
        learned = f"mean of {STEPS} batches" if samples is None else counted(samples, "sample")
        return f"{self.name}, {learned}, {self.dim:,} parameter{'s' * (self.dim != 1)}"

    @property
    def points_at_once(self) -> int:
        """The number of points of a plane that are best evaluated in one call."""
        convolves = any(len(part.shape) > 2 for part in self.parts)
        return 1 if convolves else max(1, min(AT_ONCE, BLOCK // (8 * self.dim)))

    def value(self, x: Array) -> Array:
        points = np.reshape(np.asarray(x, float), (-1, self.dim))
        most, losses = self.points_at_once, np.empty(len(points))
        for begin in range(0, len(points), most):
            block = points[begin : begin + most]
            losses[begin : begin + most] = self._all(self._values, _padded(block))[: len(block)]
        return _signalled(losses).reshape(np.shape(x)[:-1])

    def value_and_gradient(self, x: Array) -> tuple[Array, Array]:
        points = np.reshape(np.asarray(x, float), (-1, self.dim))
        found = np.reshape([self._all(self._both, point) for point in points], (-1, self.dim + 1))
        losses = _signalled(found[:, 0]).reshape(np.shape(x)[:-1])
        return losses, found[:, 1:].reshape(np.shape(x))

    def values_on_plane(self, origin: Array, directions: Array, points: Array) -> Array:
        many = max(1, BLOCK // (8 * self.dim))
        blocks = [
            self.value(origin + points[begin : begin + many] @ directions)
            for begin in range(0, len(points), many)
        ]
        return np.concatenate([*blocks, np.zeros(0)])

    def hessian_product(self, x: Array, v: Array) -> Array:
        return self._all(self._product, x, v)

    def batches(self, size: int | None, seed: int) -> Objective | Stream:
        samples = self.samples
        if size is not None and samples is None:
            raise InputError("has no samples for batches: its function draws them")
        if size is not None and samples is not None:
            check_batch_size(size, samples, "model")
        if size is None and samples is not None:
            return ModelStep(self, Evaluation(self.value_and_gradient, self.hessian_product))
        return ModelBatches(self, lambda step: self._evaluation(size, seed, step))

    def _evaluation(self, size: int | None, seed: int, step: int) -> Evaluation:
        """Return what evaluates the batch of a step, where a function draws it if size is None."""
        if size is None or self.samples is None:
            batch = self._batch(seed, step)
        else:
            places = samples_of_batch(self.samples, size, seed, step)
            with self._running():
                batch = self._chosen(self._placed, places)

        def evaluate(x: Array) -> tuple[Array, Array]:
            points = np.reshape(np.asarray(x, float), (-1, self.dim))
            with self._running():
                found = [np.asarray(self._both(self._flat(each), batch)) for each in points]
            rows = np.reshape(np.asarray(found, float), (*np.shape(x)[:-1], self.dim + 1))
            return _signalled(rows[..., 0]), rows[..., 1:]

        def bend(x: Array, v: Array) -> Array:
            with self._running():
                product = self._product(self._flat(x), batch, self._flat(v))
            return np.asarray(product, float)

        return Evaluation(evaluate, bend)

    def accuracy(self, x: Array) -> float | None:
        if self._test is None or not np.isfinite(x).all():
            return None
        with self._running():
            found = np.asarray(self._test(self._params(self._flat(x))))
        if found.size != 1 or not 0 <= float(found.item()) <= 1:
            raise InputError(f"test must return a share from 0 to 1, not {shorten(found)}")
        return float(found.item())

    def with_setting(self, setting: Setting) -> "JaxProblem":
        import jax

        if setting.batch_norm != Setting.batch_norm:
            raise InputError("batch_norm: is for models of PyTorch")
        if setting == Setting():
            return self
        other = copy.copy(self)
        if setting.device != "auto":
            try:
                other._device = jax.devices(setting.device)[0]
            except RuntimeError:
                there = " and ".join(dict.fromkeys(("cpu", jax.default_backend())))
                there = there.replace("gpu", "cuda")
                raise InputError(f"device: no {setting.device} here, only {there}") from None
        if setting.dtype is not None:
            other._dtype = np.dtype(setting.dtype)
            other._kinds = [other._dtype] * len(self._kinds)
        with plugins.third_party_code(self.name):
            other._arrange()
            other._try()
        return other

    def fingerprint(self) -> tuple[bytes, ...]:
        loss, slope = self.value_and_gradient(self.initial)
        hashed = hashlib.sha256()
        for each in _leaves(self._samples):
            hashed.update(repr((each.dtype, each.shape)).encode())
            hashed.update(np.ascontiguousarray(each).tobytes())
        kinds = repr((self._kinds, str(self._device))).encode()
        return (b"jax", self.name.encode(), kinds, hashed.digest(), loss.tobytes(), slope.tobytes())

    def _arrange(self) -> None:
        """Put the samples where they are computed with, and compile what is evaluated."""
        import jax

        kind = jax.numpy.float32
        for each in self._kinds:
            kind = jax.numpy.promote_types(kind, each)
        self._kind, self._most = kind, 0
        self.__dict__.pop("_sums", None)
        self._all_drawn: list[Any] = []

        def loss_at(flat: Any, batch: Any) -> Any:
            return _one_number(self._loss(self._params(flat), batch))

        def both(flat: Any, batch: Any) -> Any:
            loss, slope = jax.value_and_grad(loss_at)(flat, batch)
            return jax.numpy.concatenate([loss[None].astype(slope.dtype), slope])

        def product(flat: Any, batch: Any, way: Any) -> Any:
            slope = jax.grad(lambda point: loss_at(point, batch))
            return jax.jvp(slope, (flat,), (way,))[1]

        def values(flats: Any, batch: Any) -> Any:
            if len(flats) == 1:
                return loss_at(flats[0], batch)[None]
            return jax.lax.map(lambda flat: loss_at(flat, batch), flats)

        def chosen(samples: Any, places: Any) -> Any:
            return jax.tree_util.tree_map(lambda each: each[places], samples)

        self._values, self._both, self._product, self._chosen = map(
            jax.jit, (values, both, product, chosen)
        )
        with self._running():
            self._placed = jax.tree_util.tree_map(self._as_data, self._samples)

    def _try(self) -> None:
        """Check the loss on a few samples, and learn how many may be in a block."""
        most = PROBED
        while True:
            try:
                few = self._few(most)
                with self._running():
                    flat = self._flat(self.initial)
                    compiled = self._both.lower(flat, few).compile()
                    loss = float(compiled(flat, few)[0])
                    again = float(self._values(flat[None], few)[0])
                break
            except InputError as error:
                if not _is_out_of_memory(error):
                    raise
                if self._drawn or most < 2:
                    which = "a batch" if self._drawn else "one sample"
                    raise OptivizError(f"{self.name}: not enough memory for {which}") from error
                most //= 2
        self._tried = most
        if not np.isfinite(loss):
            raise InputError(f"the loss of {self.name} is {loss} at its parameters")
        if not np.isclose(again, loss, rtol=float(np.finfo(self._kind).eps) ** 0.5, atol=0.0):
            raise InputError(
                f"the loss of {self.name} is another each time: let it draw random numbers from "
                "a key or a generator with a seed of its own"
            )
        if self._drawn is None:
            used = getattr(compiled.memory_analysis(), "temp_size_in_bytes", 0)
            of_each = max(1.0, used / len(_leaves(few)[0]))
            self._most = max(1, int(BLOCK / of_each))

    @cached_property
    def _sums(self) -> bool | None:
        """Whether the loss is the sum of those of samples; None if it is no mean, either."""
        import jax

        few = self._few(self._tried)
        many = len(_leaves(few)[0])
        first = max(1, many // 3)
        cuts = slice(None, first), slice(first, None)
        with self._running():
            flat = self._flat(self.initial)[None]
            parts = [jax.tree_util.tree_map(lambda each, cut=cut: each[cut], few) for cut in cuts]
            try:
                loss, *losses = (float(self._values(flat, each)[0]) for each in (few, *parts))
            except Exception:  # a loss that needs all samples
                return None
        near = {"rtol": float(np.finfo(self._kind).eps) ** 0.5, "atol": 0.0}
        if np.isclose(np.dot(losses, [first, many - first]) / many, loss, **near):
            return False if self._adds_up(sums=False) else None
        return True if np.isclose(sum(losses), loss, **near) and self._adds_up(sums=True) else None

    def _adds_up(self, sums: bool) -> bool:
        """Return whether blocks add up for all samples: few may not show a weighted mean."""
        if self.samples is None or self.samples < 2:
            return True
        many = max(2, -(-self.samples // self._most))
        while True:
            try:
                return self._agree(sums, many)
            except InputError as error:
                if not _is_out_of_memory(error):
                    return False
                if many >= self.samples:
                    return True  # no blocks but of one sample, which are told where they fail
                many = min(2 * many, self.samples)

    def _agree(self, sums: bool, many: int) -> bool:
        """Return whether some number of blocks has the loss of other blocks."""
        import jax

        samples, flat = self.samples or 1, self._flat(self.initial)[None]

        def combined(cuts: list[slice]) -> Array:
            found = np.zeros(2)
            for cut in cuts:
                block = jax.tree_util.tree_map(lambda each, cut=cut: each[cut], self._placed)
                share = 1.0 if sums else len(_leaves(block)[0]) / samples
                loss = float(self._values(flat, block)[0])
                found += share * np.array([loss, abs(loss)])
            return found

        with self._running():
            ends = [number * samples // many for number in range(many + 1)]
            loss, size = combined([slice(*each) for each in pairwise(ends)])
            # Blocks of samples that are spread, and of another size if there are many.
            spread = max(2, many // 2)
            other, _ = combined([slice(first, None, spread) for first in range(spread)])
        near = float(np.finfo(self._kind).eps) ** (0.7 if jax.default_backend() == "cpu" else 0.5)
        return bool(np.isclose(loss, other, rtol=0.0, atol=near * size, equal_nan=True))

    def _few(self, most: int = PROBED) -> Any:
        """Return a batch of at most `most` samples, evenly spaced."""
        import jax

        if self._drawn:
            return self._drawn_batches()[0]
        many = len(_leaves(self._samples)[0])
        places = np.unique(np.linspace(0, many - 1, min(most, many)).astype(int))
        with self._running():
            return jax.tree_util.tree_map(lambda each: each[places], self._placed)

    def _params(self, flat: Any) -> Any:
        """Return the pytree of a flat vector."""
        import jax

        leaves = [
            part.of(flat).astype(kind) for part, kind in zip(self.parts, self._kinds, strict=True)
        ]
        return jax.tree_util.tree_unflatten(self._tree, leaves)

    def _flat(self, x: Array) -> Any:
        """Return a point, or several, in the type that is computed with."""
        with np.errstate(over="ignore"):
            return np.asarray(x, self._kind)

    def _as_data(self, numbers: Any) -> Any:
        """Return an array of data where it is computed with, floats in the type that was set."""
        import jax

        floats = jax.numpy.issubdtype(_kind(numbers), jax.numpy.floating)
        return jax.numpy.asarray(numbers, self._dtype if floats else None)

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Compute in this context, with 64 bits if parameters have them; name what goes wrong."""
        import jax

        with (
            plugins.third_party_code(self.name),
            jax.enable_x64(self._kind == np.float64),
            jax.default_device(self._device or jax.config.jax_default_device),
        ):
            yield

    def _batch(self, seed: int, step: int) -> Any:
        """Return the batch that the user's function draws."""
        import jax

        assert self._drawn is not None
        with self._running():
            batch = jax.tree_util.tree_map(self._as_data, self._drawn(seed, step))
        if not _leaves(batch):
            raise InputError(f"data: returned no arrays for seed {seed}, step {step}")
        return batch

    def _drawn_batches(self) -> list[Any]:
        if not self._all_drawn:
            self._all_drawn = [self._batch(0, step) for step in range(STEPS)]
        return self._all_drawn

    def _all(self, evaluate: Callable[..., Any], x: Array, *more: Array) -> Array:
        """Return what a compiled function of a batch returns for all data, by blocks.

        If they do not fit into memory, blocks of half as many samples are tried.
        """
        flat, rest = self._flat(x), [self._flat(each) for each in more]

        def of(batch: Any) -> Array:
            with self._running():
                found: Array = np.asarray(evaluate(flat, batch, *rest), float)
            return found

        if self._drawn:
            batches = self._drawn_batches()
            return np.asarray(sum(of(batch) / len(batches) for batch in batches))
        while True:
            try:
                return np.asarray(sum(share * of(batch) for share, batch in self._blocks()))
            except (InputError, MemoryError) as error:
                if not _is_out_of_memory(error):
                    raise
                most = min(self._most, self.samples or 1)
                if self._sums is None or most < 2:
                    which = "all samples at once" if self._sums is None else "one sample"
                    raise OptivizError(f"{self.name}: not enough memory for {which}") from error
                self._most = most // 2

    def _blocks(self) -> Iterator[tuple[float, Any]]:
        """Yield blocks of samples, as even as possible, with their weights in a sum."""
        import jax

        samples = self.samples or 1
        many = -(-samples // self._most)
        if many == 1 or self._sums is None:
            yield 1.0, self._placed
            return
        ends = [number * samples // many for number in range(many + 1)]
        for begin, end in pairwise(ends):
            cut = slice(begin, end)
            with self._running():
                block = jax.tree_util.tree_map(lambda each, cut=cut: each[cut], self._placed)
            yield 1.0 if self._sums else (end - begin) / samples, block


def _check_function(what: str, function: Any, takes: int) -> None:
    if not callable(function):
        raise InputError(f"{what} must be a function, not {type(function).__name__}")
    try:
        inspect.signature(function).bind(*[None] * takes)
    except TypeError:
        wanted = "(params, batch)" if takes == 2 else "(params)"
        raise InputError(f"{what} must take {wanted}") from None
    except ValueError:
        pass  # a builtin without a signature


def _drawn(data: Any) -> Callable[[int, int], Any] | None:
    """Return a function that draws batches, None if data are none."""
    if not callable(data) or hasattr(data, "__array__"):
        return None
    check_draws(data)
    drawn: Callable[[int, int], Any] = data
    return drawn


def _rows(data: Any) -> Any:
    """Return samples as a pytree of arrays of numpy; raise InputError if they are none."""
    import jax

    found = jax.tree_util.tree_map(np.array, data)  # of its own, whatever becomes of the user's
    arrays = _leaves(found)
    for each in arrays:
        if each.dtype.kind in "OSUMm":
            raise InputError(f"data must be arrays of numbers, not of {each.dtype}")
    counts = [len(each) if each.ndim else 0 for each in arrays]
    if not counts or not all(counts):
        raise InputError("data: has no samples")
    if len(set(counts)) > 1:
        said = " and ".join(map(str, counts))
        raise InputError(f"data: its arrays must have as many samples each, not {said}")
    return found


def _leaves(tree: Any) -> list[Any]:
    import jax

    found: list[Any] = jax.tree_util.tree_leaves(tree)
    return found


def _kind(array: Any) -> Any:
    """Return the dtype of an array or a number."""
    return getattr(array, "dtype", None) or np.asarray(array).dtype


def _one_number(found: Any) -> Any:
    """Return what a loss returned; raise InputError if that is not one number."""
    import jax

    if not hasattr(found, "dtype") and not isinstance(found, int | float):
        raise InputError(f"loss must return a number, not {type(found).__name__}")
    number = jax.numpy.asarray(found)
    if number.size != 1:
        raise InputError(
            f"loss must return one number, not an array of shape {number.shape}: take its mean"
        )
    if not jax.numpy.issubdtype(number.dtype, jax.numpy.floating):
        raise InputError(f"loss must return a floating-point number, not {number.dtype}")
    return number.reshape(())


def _padded(points: Array) -> Array:
    """Return points with the last one repeated, so that few numbers of them are compiled for."""
    many = 1 << (len(points) - 1).bit_length()
    return np.concatenate([points, np.repeat(points[-1:], many - len(points), axis=0)])


def _is_out_of_memory(error: BaseException) -> bool:
    return any(each in str(error) for each in ("RESOURCE_EXHAUSTED", "MemoryError"))


def _signalled(losses: NDArray[Any]) -> Array:
    """Return losses; signal an overflow, which JAX does not, if any is not finite."""
    if not np.isfinite(losses).all():
        np.multiply(np.finfo(float).max, 2.0)
    return losses
