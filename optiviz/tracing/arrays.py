"""Arrays that record what numpy computes with them.

They have numpy's protocols, so that code for arrays of numbers runs on them unchanged: universal
functions, the functions of numpy that are listed here, operators, methods and indices.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial, reduce
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

from optiviz.tracing.graph import Graph, Scalar, Untraceable, is_truth
from optiviz.tracing.operations import BITWISE, OPERATIONS, SAME

Nodes = NDArray[np.object_]


class TracedArray(NDArrayOperatorsMixin):
    """An array of nodes and numbers, `nodes`, in a graph."""

    def __init__(self, graph: Graph, nodes: Any) -> None:
        self.graph = graph
        self.nodes: Nodes = np.asarray(nodes, object)

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self.nodes.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.nodes.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.nodes.size

    @property
    def T(self) -> "TracedArray":
        """The array with its axes reversed."""
        return TracedArray(self.graph, self.nodes.T)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        return np.dtype(bool if self.size and all(map(is_truth, self._each)) else float)

    @property
    def _each(self) -> Iterable[Scalar]:
        return self.nodes.ravel()

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Any:
        return (self[place] for place in range(len(self.nodes)))

    def __getitem__(self, key: Any) -> "TracedArray":
        return TracedArray(self.graph, self.nodes[_plain_key(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        self.nodes[_plain_key(key)] = nodes_of(value)[()]

    def __bool__(self) -> bool:
        return bool(self.nodes.item())

    def __float__(self) -> float:
        return float(self.nodes.item())

    def __int__(self) -> int:
        return int(self.nodes.item())

    def __index__(self) -> int:
        return int(self.nodes.item())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise Untraceable(f"it uses .{name} of one of its values, which cannot be recorded")

    def __repr__(self) -> str:
        self.graph.refuse(self._each)

    def __format__(self, form: str) -> str:
        self.graph.refuse(self._each)

    def __round__(self, digits: int | None = None) -> Any:
        self.graph.refuse(self._each)

    def __deepcopy__(self, memo: Any) -> "TracedArray":
        return self.copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        self.graph.refuse(self._each)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.pop("out", None)
        many = [nodes_of(each) for each in inputs]
        if ufunc is np.matmul:
            nodes = _matmul(self.graph, *inputs).nodes
        elif method == "__call__" and not kwargs:
            nodes = self._apply(ufunc.__name__.partition(" ")[0], *many)
        elif method == "reduce" and kwargs.pop("dtype", None) is None:
            nodes = self._reduced(ufunc.__name__, many[0], **kwargs)
        elif method == "outer" and not kwargs:
            first = many[0].reshape(many[0].shape + (1,) * many[1].ndim)
            nodes = self._apply(ufunc.__name__, first, many[1])
        else:
            return NotImplemented
        if out is None:
            return TracedArray(self.graph, nodes)
        (target,) = out
        if not isinstance(target, TracedArray):
            raise Untraceable("it writes one of its values into an array of numbers")
        target.nodes[...] = nodes
        return target

    def __array_function__(
        self,
        function: Callable[..., Any],
        types: Iterable[type],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> Any:
        known = FUNCTIONS.get(function)
        if known is None:
            raise Untraceable(f"it calls np.{function.__name__}, which cannot be recorded")
        return known(self.graph, *args, **kwargs)

    def _apply(self, name: str, *arrays: Nodes) -> Nodes:
        return apply(self.graph, name, *arrays)

    def _reduced(
        self, name: str, nodes: Nodes, axis: Any = None, keepdims: bool = False, **others: Any
    ) -> Nodes:
        if any(value is not None and value is not np._NoValue for value in others.values()):
            raise Untraceable(f"it calls np.{name}.reduce with settings that cannot be recorded")
        if name in ("add", "multiply"):
            nodes = self._numbers(nodes)
        axes = range(nodes.ndim) if axis is None else np.atleast_1d(axis) % max(nodes.ndim, 1)
        for each in axes:
            parts = [np.take(nodes, [place], each) for place in range(nodes.shape[each])]
            if not parts:
                raise Untraceable("it reduces an empty array")
            nodes = reduce(partial(apply, self.graph, name), parts)
        return nodes if keepdims else np.squeeze(nodes, tuple(axes))

    def sum(self, axis: Any = None, keepdims: bool = False) -> "TracedArray":
        """Return the sum over axes."""
        return TracedArray(self.graph, self._reduced("add", self.nodes, axis, keepdims))

    def prod(self, axis: Any = None, keepdims: bool = False) -> "TracedArray":
        """Return the product over axes."""
        return TracedArray(self.graph, self._reduced("multiply", self.nodes, axis, keepdims))

    def mean(self, axis: Any = None, keepdims: bool = False) -> Any:
        """Return the mean over axes."""
        total = self.sum(axis, keepdims)
        return total / (self.size / total.size)

    def max(self, axis: Any = None, keepdims: bool = False) -> "TracedArray":
        """Return the maximum over axes."""
        return TracedArray(self.graph, self._reduced("maximum", self.nodes, axis, keepdims))

    def min(self, axis: Any = None, keepdims: bool = False) -> "TracedArray":
        """Return the minimum over axes."""
        return TracedArray(self.graph, self._reduced("minimum", self.nodes, axis, keepdims))

    def all(self, axis: Any = None, keepdims: bool = False) -> "TracedArray":
        """Return whether all elements along axes are true."""
        return TracedArray(self.graph, self._reduced("logical_and", self._truths(), axis, keepdims))

    def any(self, axis: Any = None, keepdims: bool = False) -> "TracedArray":
        """Return whether any element along axes is true."""
        return TracedArray(self.graph, self._reduced("logical_or", self._truths(), axis, keepdims))

    def _numbers(self, nodes: Nodes) -> Nodes:
        """Return nodes with 1 and 0 for truths."""
        return np.asarray(np.frompyfunc(self.graph.number, 1, 1)(nodes), object)

    def _truths(self) -> Nodes:
        return np.asarray(np.frompyfunc(self.graph.truth, 1, 1)(self.nodes), object)

    def dot(self, other: Any) -> "TracedArray":
        """Return the product of vectors or matrices."""
        return _matmul(self.graph, self, other)

    def clip(self, low: Any = None, high: Any = None) -> Any:
        """Return the elements, or the bound that they are beyond."""
        return np.clip(self, low, high)

    def copy(self) -> "TracedArray":
        """Return a copy."""
        return TracedArray(self.graph, self.nodes.copy())

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        """Return the elements as numbers of a type."""
        kind = np.dtype(dtype).kind
        if kind == "f":
            return TracedArray(self.graph, self._numbers(self.nodes))
        if kind == "b":
            return TracedArray(self.graph, self._truths())
        return np.trunc(self)

    def reshape(self, *shape: Any) -> "TracedArray":
        """Return the elements in another shape."""
        return TracedArray(self.graph, self.nodes.reshape(*shape))

    def ravel(self) -> "TracedArray":
        """Return the elements in one axis."""
        return TracedArray(self.graph, self.nodes.ravel())

    flatten = ravel

    def item(self) -> "TracedArray":
        """Return the only element."""
        return self.reshape(())

    def squeeze(self, axis: Any = None) -> "TracedArray":
        """Return the array without axes of length one."""
        return TracedArray(self.graph, np.squeeze(self.nodes, axis))


def nodes_of(value: Any) -> Nodes:
    """Return the nodes and numbers of an array, a number, or a list of either."""
    if isinstance(value, TracedArray):
        return value.nodes
    if isinstance(value, list | tuple):
        return np.stack([nodes_of(each) for each in value])
    found = np.asarray(value)
    if found.dtype.kind not in "biuf":
        raise Untraceable(f"it computes with {type(value).__name__}")
    return (found if found.dtype.kind == "b" else found.astype(float)).astype(object)


def apply(graph: Graph, name: str, *arrays: Nodes) -> Nodes:
    """Return an operation on arrays of nodes, element by element."""
    if name == "square":
        name, arrays = "multiply", (arrays[0], arrays[0])
    elif name == "positive":
        return arrays[0]
    elif name == "reciprocal":
        name, arrays = "divide", (np.array(1.0, object), arrays[0])
    if name in BITWISE:
        if not all(is_truth(each) for array in arrays for each in array.ravel()):
            raise Untraceable(f"it calls np.{name} of numbers, which cannot be recorded")
        name = BITWISE[name]
    name = SAME.get(name, name)
    if name not in OPERATIONS:
        raise Untraceable(f"it calls np.{name}, which cannot be recorded")
    found = np.frompyfunc(partial(graph.apply, name), len(arrays), 1)(*arrays)
    return np.asarray(found, object)


def _plain_key(key: Any) -> Any:
    """Return an index that selects elements; raise Untraceable if it is not known."""
    for each in key if isinstance(key, tuple) else (key,):
        if isinstance(each, TracedArray) and each.dtype == bool:
            raise Untraceable("it selects elements by a condition: np.where can be recorded")
    return key


def _where(graph: Graph, condition: Any, *branches: Any) -> TracedArray:
    if len(branches) != 2:
        raise Untraceable("it asks where a condition holds")
    many = [nodes_of(each) for each in (condition, *branches)]
    return TracedArray(graph, apply(graph, "where", *many))


def _filled(value: float, graph: Graph, like: Any, *args: Any, **kwargs: Any) -> TracedArray:
    return TracedArray(graph, np.full(np.shape(like), value, object))


def _clip(graph: Graph, a: Any, a_min: Any = None, a_max: Any = None, **kwargs: Any) -> TracedArray:
    nodes = nodes_of(a)
    for name, bound in (
        ("maximum", kwargs.get("min", a_min)),
        ("minimum", kwargs.get("max", a_max)),
    ):
        if bound is not None:
            nodes = apply(graph, name, nodes, nodes_of(bound))
    return TracedArray(graph, nodes)


def _matmul(graph: Graph, a: Any, b: Any) -> TracedArray:
    """Return a product as np.matmul does, or np.dot of vectors, matrices and numbers."""
    first, second = nodes_of(a), nodes_of(b)
    if not (first.ndim and second.ndim):
        return TracedArray(graph, apply(graph, "multiply", first, second))
    if first.ndim > 2 or second.ndim > 2:
        raise Untraceable("it multiplies arrays of more than two axes")
    rows = first if first.ndim == 2 else first[None]
    columns = second if second.ndim == 2 else second[:, None]
    products = apply(graph, "multiply", rows[:, :, None], columns[None])
    found = TracedArray(graph, products).sum(axis=1).nodes
    kept = found[0] if first.ndim == 1 else found
    return TracedArray(graph, kept[..., 0] if second.ndim == 1 else kept)


def _norm(
    graph: Graph, x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False
) -> TracedArray:
    found = TracedArray(graph, nodes_of(x))
    if ord in (None, 2) and (ord is None or found.ndim == 1 or isinstance(axis, int)):
        squares = (found * found).sum(axis, keepdims)
        return TracedArray(graph, apply(graph, "sqrt", squares.nodes))
    sizes = TracedArray(graph, apply(graph, "absolute", found.nodes))
    if found.ndim == 1 or isinstance(axis, int):
        if ord == 1:
            return sizes.sum(axis, keepdims)
        if ord == np.inf:
            return sizes.max(axis, keepdims)
    raise Untraceable("it calls np.linalg.norm with settings that cannot be recorded")


def _det(graph: Graph, a: Any) -> Any:
    nodes = nodes_of(a)
    found = TracedArray(graph, nodes)
    if nodes.shape[-2:] == (1, 1):
        return found[..., 0, 0]
    if nodes.shape[-2:] != (2, 2):
        raise Untraceable("it computes with matrices of more than two rows")
    a00, a01, a10, a11 = _pivoted(found)
    product = np.where(_swaps(found), -a00, a00) * (a11 - a10 / a00 * a01)
    return np.where(np.equal(a00, 0), 0.0, product)


def _solve(graph: Graph, a: Any, b: Any) -> Any:
    """Return the solution of one or two equations, by elimination with pivots, as LAPACK does."""
    found, right = TracedArray(graph, nodes_of(a)), TracedArray(graph, nodes_of(b))
    vectors = right.ndim == 1
    sides = right[..., None] if vectors else right
    if found.shape[-2:] == (1, 1):
        solved = sides / found
        return solved[..., 0] if vectors else solved
    if found.shape[-2:] != (2, 2):
        raise Untraceable("it computes with matrices of more than two rows")
    (a00, a01, a10, a11), swaps = _pivoted(found), _swaps(found)
    first, second = sides[..., 0, :], sides[..., 1, :]
    swapped = swaps[..., None]
    top, bottom = np.where(swapped, second, first), np.where(swapped, first, second)
    factor = (a10 / a00)[..., None]
    y = (bottom - factor * top) / (a11[..., None] - factor * a01[..., None])
    x = (top - a01[..., None] * y) / a00[..., None]
    solved = np.stack([x, y], axis=-2)
    return solved[..., 0] if vectors else solved


def _inv(graph: Graph, a: Any) -> Any:
    """Return the inverse of matrices of one or two rows, as LAPACK finds it: column by column."""
    return _solve(graph, a, np.eye(nodes_of(a).shape[-1]))


def _eigvalsh(graph: Graph, a: Any) -> Any:
    """Return the eigenvalues of symmetric matrices of one or two rows, increasing."""
    found = TracedArray(graph, nodes_of(a))
    if found.shape[-2:] == (1, 1):
        return found[..., 0]
    if found.shape[-2:] != (2, 2):
        raise Untraceable("it computes with matrices of more than two rows")
    first, last = found[..., 0, 0], found[..., 1, 1]
    middle, away = (first + last) / 2, np.hypot((first - last) / 2, found[..., 1, 0])
    return np.stack([middle - away, middle + away], axis=-1)


def _swaps(matrix: TracedArray) -> Any:
    return np.abs(matrix[..., 1, 0]) > np.abs(matrix[..., 0, 0])


def _pivoted(matrix: TracedArray) -> list[Any]:
    """Return the elements of a matrix of two rows, the one with the larger first element first."""
    swaps = _swaps(matrix)
    rows = ((0, 1), (1, 0))
    return [
        np.where(swaps, matrix[..., other, column], matrix[..., row, column])
        for row, other in rows
        for column in range(2)
    ]


def _on_nodes(function: Callable[..., Any], graph: Graph, *args: Any, **kwargs: Any) -> TracedArray:
    """Return what a function of numpy that only moves elements makes of an array, or of several."""
    first, *rest = args
    if isinstance(first, list | tuple):
        return TracedArray(graph, function([nodes_of(each) for each in first], *rest, **kwargs))
    return TracedArray(graph, function(nodes_of(first), *rest, **kwargs))


def _as_method(name: str) -> Callable[..., Any]:
    def call(graph: Graph, a: Any, *args: Any, **kwargs: Any) -> Any:
        given = {key: value for key, value in kwargs.items() if value is not np._NoValue}
        return getattr(TracedArray(graph, nodes_of(a)), name)(*args, **given)

    return call


def _sinc(graph: Graph, x: Any) -> Any:
    scaled = np.pi * np.where(np.equal(x, 0), 1e-20, x)  # as np.sinc does
    return np.sin(scaled) / scaled


def _outer(graph: Graph, a: Any, b: Any) -> TracedArray:
    first, second = nodes_of(a).ravel(), nodes_of(b).ravel()
    return TracedArray(graph, apply(graph, "multiply", first[:, None], second))


FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.where: _where,
    np.zeros_like: partial(_filled, 0.0),
    np.ones_like: partial(_filled, 1.0),
    np.full_like: lambda graph, like, value, **_: TracedArray(
        graph, np.broadcast_to(nodes_of(value), np.shape(like)).copy()
    ),
    np.clip: _clip,
    np.copy: _as_method("copy"),
    np.dot: _matmul,
    np.vdot: _matmul,
    np.inner: _matmul,
    np.outer: _outer,
    np.sinc: _sinc,
    np.linalg.norm: _norm,
    np.linalg.det: _det,
    np.linalg.solve: _solve,
    np.linalg.inv: _inv,
    np.linalg.eigvalsh: _eigvalsh,
    np.shape: lambda graph, a: nodes_of(a).shape,
    np.ndim: lambda graph, a: nodes_of(a).ndim,
    np.size: lambda graph, a: nodes_of(a).size,
    **{
        function: _as_method(name)
        for name in ("sum", "prod", "mean", "max", "min", "all", "any", "reshape", "ravel")
        for function in {getattr(np, name), getattr(np, f"a{name}", getattr(np, name))}
    },
    **{
        function: partial(_on_nodes, function)
        for function in (
            np.stack, np.concatenate, np.hstack, np.vstack, np.column_stack, np.broadcast_to,
            np.expand_dims, np.squeeze, np.transpose, np.moveaxis, np.flip, np.roll, np.tile,
            np.repeat, np.take, np.atleast_1d, np.diag,
        )
    },
}  # fmt: skip


def input_array(graph: Graph, name: str, shape: tuple[int, ...]) -> TracedArray:
    """Return an array of inputs, NAME/0, NAME/1 and so on; a single number is NAME."""
    if not shape:
        return TracedArray(graph, graph.input(name))
    nodes = np.empty(shape, object)
    for place, index in enumerate(np.ndindex(*shape)):
        nodes[index] = graph.input(f"{name}/{place}")
    return TracedArray(graph, nodes)


def scalars(value: Any) -> list[Scalar]:
    """Return the nodes and numbers of an array or a number, in the order of memory."""
    return nodes_of(value).ravel().tolist()
