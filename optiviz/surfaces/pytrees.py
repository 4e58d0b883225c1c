"""Names of the arrays in nested containers of parameters, which JAX calls pytrees."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from optiviz.system.errors import InputError
from optiviz.system.text import shorten

UNSORTED = "the keys of a dict of parameters must all be text, or all be numbers"


def named_leaves(tree: Any) -> dict[str, Any]:
    """Return the arrays in a tree by their paths, such as "dense1/kernel", in the order of JAX.

    Nodes are mappings, whose keys are sorted, sequences and named tuples, and if JAX is imported
    all others that it knows. A tree that is one array has the name "x". Raises InputError if keys
    are of types that cannot be sorted, or if two arrays have the same name.

    >>> named_leaves({"dense1": {"kernel": 2, "bias": 1}, "scale": [3, 4]})
    {'dense1/bias': 1, 'dense1/kernel': 2, 'scale/0': 3, 'scale/1': 4}
    """
    jax = sys.modules.get("jax")
    if jax is not None:
        try:
            leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
        except (TypeError, ValueError):
            raise InputError(UNSORTED) from None
        named = {"/".join(map(_key, path)): leaf for path, leaf in leaves}
        if len(named) == len(leaves):
            return {path or "x": leaf for path, leaf in named.items()}
        return {jax.tree_util.keystr(path): leaf for path, leaf in leaves}
    found: dict[str, Any] = {}
    for path, leaf in _leaves(tree):
        name = "/".join(path) or "x"
        if name in found:
            raise InputError(f"two arrays have the name {shorten(name)}: rename one of them")
        found[name] = leaf
    return found


def _key(entry: Any) -> str:
    """Return a key of JAX as text: that of a mapping, an index, or the name of an attribute."""
    for name in ("key", "idx", "name"):
        if hasattr(entry, name):
            return str(getattr(entry, name))
    return str(entry)


def _leaves(tree: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the keys and the array of each leaf."""
    nodes: list[tuple[Any, Any]]
    if isinstance(tree, Mapping):
        try:
            nodes = [(key, tree[key]) for key in sorted(tree)]
        except TypeError:
            raise InputError(UNSORTED) from None
    elif isinstance(tree, tuple) and hasattr(tree, "_fields"):
        nodes = list(zip(tree._fields, tree, strict=True))
    elif isinstance(tree, list | tuple):
        nodes = list(enumerate(tree))
    elif tree is None:
        nodes = []
    else:
        yield (), tree
        return
    for key, each in nodes:
        for path, leaf in _leaves(each):
            yield (str(key), *path), leaf
