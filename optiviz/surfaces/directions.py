"""Where planes and lines through a space are: their directions, and what these are called."""

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from optiviz.objective import Array
from optiviz.registry import Biases, Normalize
from optiviz.surfaces.checkpoint_files import read_checkpoint
from optiviz.surfaces.config import START
from optiviz.surfaces.curvature import leading_eigenvectors
from optiviz.surfaces.parts import Part, place_of
from optiviz.system.errors import InputError

if TYPE_CHECKING:
    from optiviz.surfaces.space import Space

TRIES, PARALLEL = 100, 0.999  # to draw directions, and the cosine from which they are parallel
FLAT = 1e-6  # the height of a triangle, relative to its longest side, from which it is a line


class Anchor(NamedTuple):
    """A named point that a plane leads through, in its coordinates, shape (dim,)."""

    name: str
    point: Array
    told: str = ""  # where its loss is another with buffers of its own


class Frame(NamedTuple):
    """A plane or a line through a space."""

    origin: Array  # shape (dim,)
    directions: Array  # (2, dim), or (1, dim) of a line
    axes: tuple[str, ...]  # the names of the coordinates
    caption: str = ""  # what pictures say of the directions
    anchors: tuple[Anchor, ...] = ()  # the points through which it leads


def frame_of(space: "Space") -> Frame:
    """Return the plane that a space declares.

    Raises InputError if it is known only after a descent, or if there is none.
    """
    config = space.plane_config
    match config.kind:
        case "path":
            raise InputError("a path plane is known only after the descent")
        case "random":
            return _random(space)
        case "hessian":
            return _bent(space)
        case "between":
            return _line(space)
        case "through":
            return _triangle(space)
    names = config.weights or config.coordinates
    places = [place_of(name, space.parts) for name in names]
    if places[0] == places[1]:
        raise InputError(f"{' and '.join(names)} are the same: a plane needs two")
    origin, directions = space.initial.copy(), np.zeros((2, len(space.initial)))
    origin[places] = 0
    directions[[0, 1], places] = 1
    return Frame(origin, directions, names)


def _random(space: "Space") -> Frame:
    """Return a plane of random directions through the start."""
    directions = space.random_directions()
    lengths = np.linalg.norm(directions, axis=1)
    axes = tuple(
        f"direction {number} (norm {length:.3g})" for number, length in enumerate(lengths, start=1)
    )
    return Frame(space.initial, directions, axes, space.random_caption)


def random_directions(
    parts: Sequence[Part],
    origin: Array,
    seed: int,
    normalize: Normalize = "filter",
    biases: Biases = "zero",
) -> Array:
    """Draw two directions of independent normal numbers, shape (2, dim), and scale their parts.

    With "filter", what belongs to the weights into one unit, or to one filter of a convolution, is
    scaled to the length of these weights (Li et al., Visualizing the Loss Landscape of Neural Nets,
    2018, section 4); with "layer", each tensor is scaled to the length of its weights; with "none",
    nothing is. Tensors of one dimension or none, which are biases, and scales of norms, are 0 in
    both directions with "zero", and the parameters themselves with "keep": the authors' published
    code has these two treatments. If there are no other tensors, each of them is drawn as a layer,
    and if all parameters are 0, to length 1.

    Parallel directions, likely with few weights, are drawn again; raises InputError after TRIES
    times.
    """
    random = np.random.default_rng(seed)
    flat = is_flat(parts)
    yardstick = origin if origin.any() or not flat else np.full(len(origin), len(origin) ** -0.5)
    for _ in range(TRIES):
        directions = np.zeros((2, len(origin)))
        for direction in directions:
            for part in parts:
                if flat or len(part.shape) > 1:
                    drawn = random.normal(size=part.shape)
                    part.of(direction)[...] = _scaled(drawn, part.of(yardstick), normalize)
                elif biases == "keep":
                    part.of(direction)[...] = part.of(origin)
        first, second = directions
        lengths = np.linalg.norm(first) * np.linalg.norm(second)
        if not lengths and normalize != "none":
            raise InputError(
                "random directions are as long as the weights, which are all 0: write "
                "--normalize none"
            )
        if lengths and abs(first @ second) / lengths < PARALLEL:
            return directions
    raise InputError("random directions need a network with more weights")


def is_flat(parts: Sequence[Part]) -> bool:
    """Return whether no tensor has two dimensions or more, so that none are known to be biases."""
    return all(len(part.shape) < 2 for part in parts)


def _scaled(drawn: Array, own: Array, normalize: Normalize) -> Array:
    """Return a part of a direction, as long as the weights there, both of the tensor's shape."""
    if normalize == "none":
        return drawn
    filters = drawn.shape[0] if normalize == "filter" and drawn.ndim > 1 else 1
    rows, weights = np.reshape(drawn, (filters, -1)), np.reshape(own, (filters, -1))
    lengths = np.linalg.norm(weights, axis=1, keepdims=True)
    scaled: Array = rows * (lengths / np.linalg.norm(rows, axis=1, keepdims=True))
    return scaled.reshape(np.shape(drawn))


def _bent(space: "Space") -> Frame:
    """Return the plane along which the Hessian at the start bends most."""
    values, vectors = leading_eigenvectors(
        lambda v: space.hessian_product(space.initial, v), len(space.initial)
    )
    axes = tuple(
        f"eigenvector {number} (\N{GREEK SMALL LETTER LAMDA} = {value:.4g})"
        for number, value in enumerate(values, start=1)
    )
    caption = "eigenvectors of the Hessian at the start, of length 1"
    return Frame(space.initial, vectors, axes, caption)


def _line(space: "Space") -> Frame:
    """Return the line through two checkpoints: 0 at the first, 1 at the second.

    Goodfellow, Vinyals, Saxe, Qualitatively Characterizing Neural Network Optimization Problems,
    2015, section 3.
    """
    (first, second), names, told = _checkpoints(space)
    direction = second - first
    norm = float(np.linalg.norm(direction))
    if not norm:
        raise InputError(f"{' and '.join(space.plane_config.checkpoints)} are the same parameters")
    anchors = tuple(map(Anchor, names, (np.zeros(1), np.ones(1)), told))
    axis = f"from {names[0]} to {names[1]} (norm {norm:.3g})"
    return Frame(first, direction[None], (axis,), anchors=anchors)


def _triangle(space: "Space") -> Frame:
    """Return the plane through three checkpoints, with orthonormal directions by Gram-Schmidt.

    The first leads from the first checkpoint to the second (Garipov, Izmailov, Podoprikhin, Vetrov,
    Wilson, Loss Surfaces, Mode Connectivity, and Fast Ensembling of DNNs, 2018, appendix).
    """
    (first, second, third), names, told = _checkpoints(space)
    across, away = second - first, third - first
    base = float(np.linalg.norm(across))
    unit = across / (base or 1.0)
    along = float(away @ unit)
    up = away - along * unit
    height = float(np.linalg.norm(up))
    longest = max(base, float(np.linalg.norm(away)))
    if height <= FLAT * longest or base <= FLAT * longest:
        said = ", ".join(space.plane_config.checkpoints)
        raise InputError(f"{said} are on one line: a plane needs three points that are not")
    points = map(np.array, ((0.0, 0.0), (base, 0.0), (along, height)))
    anchors = tuple(map(Anchor, names, points, told))
    axes = f"from {names[0]} to {names[1]} (norm 1)", f"towards {names[2]} (norm 1)"
    return Frame(first, np.stack([unit, up / height]), axes, anchors=anchors)


def _checkpoints(space: "Space") -> tuple[list[Array], list[str], list[str]]:
    """Return the parameters in each checkpoint of the plane, shape (dim,), and its short name.

    The third value tells of each whether its loss is another with buffers of its own.
    """
    config, vectors, told = space.plane_config, list[Array](), list[str]()
    for file, sha256 in zip_longest(config.checkpoints, config.sha256, fillvalue=""):
        if file == START:
            vectors.append(space.initial)
            told.append("")
            continue
        found = read_checkpoint(file)
        if sha256 and found.sha256 != sha256:
            raise InputError(f"{file} has changed: its SHA-256 is {found.sha256}, not {sha256}")
        vector, own = space.from_tensors(found.tensors, file)
        if not np.isfinite(vector).all():
            raise InputError(f"{file}: has parameters that are not finite")
        vectors.append(vector)
        told.append("" if own is space else _buffers_told(file, vector, own, space))
    stems = [PurePath(each).stem for each in config.checkpoints]
    names = stems if len(set(stems)) == len(stems) else [*config.checkpoints]
    return vectors, names, told


def _buffers_told(file: str, vector: Array, own: "Space", space: "Space") -> str:
    """Return by how much a checkpoint's loss differs with its own buffers, "" if it does not."""
    with np.errstate(all="ignore"):
        with_own, drawn = (float(each.objective.value(vector)) for each in (own, space))
    if np.isclose(with_own, drawn, rtol=1e-5, equal_nan=True):
        return ""
    return (
        f"{file}: its loss is {with_own:.4g} with its own buffers, and {drawn:.4g} with those of "
        "the model, which are drawn (--batch-norm recompute has them follow the parameters)"
    )
