"""The tables of names: kinds, formats, views, themes, optimizers, wrappers, signals.

They hold only strings, so that help and completion import nothing, and so that a package can name
what is in the packages that depend on it.
"""

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from optiviz.system.errors import InputError, did_you_mean

Quality = Literal["draft", "standard", "high"]  # of videos, and of the edges of a relief
QUALITIES: tuple[Quality, ...] = get_args(Quality)
Pace = Literal["calm", "fast"]  # whether rates are sought only among those with calm paths
PACES: tuple[Pace, ...] = get_args(Pace)

Aspect = Literal["equal", "auto"]  # whether both axes have the same scale
ASPECTS: tuple[Aspect, ...] = get_args(Aspect)
Height = Literal["linear", "log"]  # of a relief, by its values
HEIGHTS: tuple[Height, ...] = get_args(Height)
GradientField = Literal["arrows", "stream"]  # how the direction of steepest descent is drawn
GRADIENT_FIELDS: tuple[GradientField, ...] = get_args(GradientField)
Explanation = Literal["ball", "bound"]  # of what each step is the lowest point
EXPLANATIONS: tuple[Explanation, ...] = get_args(Explanation)
LegendPlace = Literal["right", "below", "inside", "none"]
LEGEND_PLACES: tuple[LegendPlace, ...] = get_args(LegendPlace)

Device = Literal["auto", "cpu", "cuda", "mps"]  # where a user's own model is evaluated
DEVICES: tuple[Device, ...] = get_args(Device)
DType = Literal["float32", "float64"]
DTYPES: tuple[DType, ...] = get_args(DType)
BatchNorm = Literal["trained", "recompute"]  # its statistics
BATCH_NORMS: tuple[BatchNorm, ...] = get_args(BatchNorm)
Normalize = Literal["filter", "layer", "none"]  # what random directions are as long as
NORMALIZATIONS: tuple[Normalize, ...] = get_args(Normalize)
Biases = Literal["zero", "keep"]  # what they are in random directions
BIASES: tuple[Biases, ...] = get_args(Biases)
FitLoss = Literal["squared-error", "logistic"]  # of the samples that a curve is fitted to
FIT_LOSSES: tuple[FitLoss, ...] = get_args(FitLoss)
NoiseKind = Literal["gaussian", "cauchy", "multiplicative", "sparse", "drift"]


# The options of the command line that set the fields of a recipe, where the names differ.
OPTION_OF_FIELD = {
    "optimizers": "--opt",
    "starts": "--start",
    "tracks": "--track",
    "presets": "--preset",
    "params": "--param",
    "catalogue": "--surfaces",
    "constraints": "--constraint",
}


def option_of(field: str) -> str:
    """Return the option that sets a field, for example --batch-size."""
    return OPTION_OF_FIELD.get(field, f"--{field.replace('_', '-')}")


class Format(NamedTuple):
    """An output format. `writer` and `reader` are "module:name" in `optiviz`.

    The writer is an imageio plugin for animations and a function otherwise. The reader returns the
    metadata text of a file, which describes how it was created, or None if it has none.
    """

    kind: Literal["animation", "still", "data", "page", "notebook"]
    writer: str
    reader: str
    about: str
    max_side: int = 65_535  # pixels, the largest width and height
    max_fps: float = 1000.0  # frames per second; those beyond it are dropped

    def load(self) -> Any:
        """Return the writer."""
        return _load(self.writer)

    def load_reader(self) -> Callable[[Path], str | None]:
        """Return the reader."""
        reader: Callable[[Path], str | None] = _load(self.reader)
        return reader


def _load(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(import_module(f"optiviz.{module}"), name)


FORMATS = {
    ".gif": Format(
        "animation", "writers.gif:GifPlugin", "recipes.metadata:read_image",
        "animation that plays everywhere", max_fps=50.0,
    ),
    ".mp4": Format(
        "animation", "writers.video:Mp4Plugin", "writers.video:read_video",
        "animation as H.264 video", 16_384,
    ),
    ".m4v": Format(
        "animation", "writers.video:Mp4Plugin", "writers.video:read_video",
        "the same as .mp4", 16_384,
    ),
    ".mov": Format(
        "animation", "writers.video:Mp4Plugin", "writers.video:read_video",
        "animation as H.264 video, for QuickTime", 16_384,
    ),
    ".mkv": Format(
        "animation", "writers.video:MkvPlugin", "writers.video:read_video",
        "animation as H.264 video, in Matroska", 16_384,
    ),
    ".avi": Format(
        "animation", "writers.video:FilmPlugin", "writers.video:read_video",
        "animation as H.264 video, for old programs", 16_384,
    ),
    ".webm": Format(
        "animation", "writers.video:WebmPlugin", "writers.video:read_video",
        "animation as VP9 video",
    ),
    ".webp": Format(
        "animation", "writers.webp:WebpPlugin", "recipes.metadata:read_image",
        "lossless animation in a small file", 16_383,
    ),
    ".apng": Format(
        "animation", "writers.apng:ApngPlugin", "recipes.metadata:read_image",
        "lossless animation as PNG", max_fps=100.0,
    ),
    ".png": Format(
        "still", "writers.still:save_png", "recipes.metadata:read_image", "the final picture"
    ),
    ".svg": Format(
        "still", "writers.still:save_svg", "recipes.metadata:read_svg",
        "the final picture as vectors, for the web",
    ),
    ".pdf": Format(
        "still", "writers.still:save_pdf", "recipes.metadata:read_pdf",
        "the final picture as vectors, for papers",
    ),
    ".html": Format(
        "page", "rendering.page:save_page", "recipes.metadata:read_html",
        "interactive page for a browser, all in one file",
    ),
    ".ipynb": Format(
        "notebook", "rendering.lesson.notebook:save_notebook", "recipes.metadata:read_notebook",
        "Jupyter notebook whose cells make the pictures of a lesson",
    ),
    ".json": Format(
        "data", "rendering.data:save_json", "recipes.metadata:read_json",
        "recipe, paths and losses in full precision",
    ),
    ".csv": Format(
        "data", "rendering.data:save_csv", "recipes.metadata:read_csv",
        "one row per optimizer, start and step",
    ),
}  # fmt: skip


def format_of(path: Path) -> Format:
    """Return the format of a path's suffix; raise InputError if that is missing or unknown."""
    suffix = path.suffix.lower()
    if not path.name:
        raise InputError("an output needs a file name: write, for example, out.gif")
    if not suffix:
        raise InputError(f"{path} has no suffix: write, for example, {path}.gif")
    if suffix not in FORMATS:
        raise InputError(f"{path}: {did_you_mean('format', suffix, FORMATS)}")
    return FORMATS[suffix]


def fits(suffix: str, formats: Collection[str]) -> bool:
    """Return whether a suffix, or the kind of its format, is one of these."""
    return suffix in formats or FORMATS[suffix].kind in formats


class Kind(NamedTuple):
    """A kind of picture: "module:class" of its recipe in `kinds`, and the data for its views.

    writers are by suffix the functions, "module:name" in `optiviz`, that write what other kinds do
    not have: from a scene and its recipe, as those of pages do.
    """

    target: str
    provides: tuple[str, ...]
    writers: Mapping[str, str] = {}

    def load_writer(self, suffix: str) -> Any:
        """Return the writer of a suffix."""
        own = self.writers.get(suffix)
        return FORMATS[suffix].load() if own is None else _load(own)


KINDS = {
    "run": Kind("run:Recipe", ("surface", "descent", "matrices", "samples")),
    "tune": Kind("tune:TuneRecipe", ("search",)),
    "basins": Kind("basins:BasinsRecipe", ("basins",)),
    "plot": Kind("plot:PlotRecipe", ("surface",)),
    "response": Kind("response:ResponseRecipe", ("response",)),
    "score": Kind("score:ScoreRecipe", ("score",), {".html": "rendering.score:save_score"}),
    "lesson": Kind(
        "lesson:LessonRecipe",
        (),
        {
            ".html": "rendering.lesson:save_lesson",
            ".pdf": "rendering.lesson.handout:save_handout",
        },
    ),
}


class ViewEntry(NamedTuple):
    """A view: "module:class" in `views`, and what it can draw.

    dims are the numbers of dimensions that it draws, requires is the data that a scene must provide
    for it, and options are the fields of Style that it uses.
    """

    target: str
    dims: tuple[int, ...]
    requires: str
    options: tuple[str, ...]
    about: str
    page: bool = False  # whether pages can show it
    beside: tuple[str, ...] = ()  # views of which the first that fits is shown beside it by default
    named: bool = False  # whether it names the optimizers itself, so that it needs no legend


MANY_DIMENSIONS = 3  # stands for all weights of a network, or many variables

# The first view that fits is the default, with the one that is shown beside it.
VIEWS = {
    "contour": ViewEntry(
        "contour:ContourView", (2,), "surface",
        ("levels", "labels", "field", "fill", "where", "aspect", "density", "trail", "sketch",
         "explain", "eigenvectors", "gradients"),
        "the surface from above, with contour lines", page=True, beside=("data", "loss"),
    ),
    "curve": ViewEntry(
        "curve:CurveView", (1,), "surface", ("where", "density", "trail", "sketch", "explain"),
        "a loss in one dimension, with tangents", page=True, beside=("data",),
    ),
    "relief": ViewEntry(
        "relief:ReliefView", (2,), "surface",
        ("levels", "where", "aspect", "height", "floor", "camera", "orbit", "density", "trail",
         "sketch", "explain", "eigenvectors"),
        "the surface in 3-D", page=True,
    ),
    "loss": ViewEntry(
        "loss:LossView", (1, 2, MANY_DIMENSIONS), "descent", ("smooth", "trail"),
        "loss against step", page=True,
    ),
    "error": ViewEntry(
        "error:ErrorView", (MANY_DIMENSIONS,), "descent", ("trail",),
        "the loss of the plane beside the true one, and the distance from it, against step",
    ),
    "rate": ViewEntry(
        "rate:RateView", (1, 2, MANY_DIMENSIONS), "descent", ("trail",),
        "learning rate against step",
    ),
    "state": ViewEntry(
        "state:StateView", (1, 2), "descent", ("trail",),
        "the state of an optimizer against step", page=True,
    ),
    "singular-values": ViewEntry(
        "singular_values:SingularValuesView", (MANY_DIMENSIONS,), "matrices", ("trail",),
        "the singular values of matrices of weights against step",
    ),
    "data": ViewEntry(
        "data:DataView", (1, 2), "samples", (),
        "the curve that is fitted, among the samples (--fit)", page=True,
    ),
    "sharpness": ViewEntry(
        "sharpness:SharpnessView", (1, 2, MANY_DIMENSIONS), "descent", ("trail",),
        "the largest curvature along each path, and that beyond which steps are unstable",
        page=True,
    ),
    "response": ViewEntry(
        "response:ResponseView", (1,), "response", (),
        "a signal and the optimizers' responses, in optiviz response",
    ),
    "trials": ViewEntry(
        "trials:TrialsView", (1, 2, MANY_DIMENSIONS), "search", (),
        "final loss against the values tried, in optiviz tune",
    ),
    "basins": ViewEntry(
        "basins:BasinsView", (2,), "basins", (),
        "which minimum each start reaches, in optiviz basins",
    ),
    "solved": ViewEntry(
        "score_curves:SolvedView", (1,), "score", (),
        "share of instances solved against the budget, in optiviz score",
    ),
    "profile": ViewEntry(
        "score_curves:ProfileView", (1,), "score", (),
        "performance profile, in optiviz score",
    ),
    "data-profile": ViewEntry(
        "score_curves:DataProfileView", (1,), "score", (),
        "data profile, in optiviz score",
    ),
    "rank": ViewEntry(
        "score_curves:RankView", (1,), "score", (),
        "mean rank against the budget, in optiviz score",
    ),
    "matrix": ViewEntry(
        "score_matrix:MatrixView", (1,), "score", (),
        "share solved and rank by problem and optimizer, in optiviz score",
    ),
    "sensitivity": ViewEntry(
        "score_sensitivity:SensitivityView", (1,), "score", (),
        "share solved beside the best rate and other values, in optiviz score",
    ),
    "invariance": ViewEntry(
        "score_rows:InvarianceView", (1,), "score", (),
        "what rotating, moving and scaling a problem changes, in optiviz score", named=True,
    ),
    "endings": ViewEntry(
        "score_rows:EndingsView", (1,), "score", (),
        "how runs ended, in optiviz score", named=True,
    ),
    "medians": ViewEntry(
        "score_rows:MediansView", (1,), "score", (),
        "median evaluations and share solved, with intervals, in optiviz score", named=True,
    ),
}  # fmt: skip
OPTIMIZERS = {
    "sgd": "momentum:SGD",
    "asgd": "momentum:ASGD",
    "momentum": "momentum:Momentum",
    "nesterov": "momentum:Nesterov",
    "smoothed-nesterov": "momentum:SmoothedNesterov",
    "adagrad": "adaptive:Adagrad",
    "rmsprop": "adaptive:RMSprop",
    "adadelta": "adaptive:Adadelta",
    "adafactor": "adaptive:Adafactor",
    "adam": "adam:Adam",
    "amsgrad": "adam:AMSGrad",
    "adamw": "adam:AdamW",
    "adamax": "adam:Adamax",
    "nadam": "adam:NAdam",
    "radam": "adam:RAdam",
    "adabelief": "successors:AdaBelief",
    "yogi": "successors:Yogi",
    "adan": "successors:Adan",
    "lamb": "successors:LAMB",
    "ademamix": "successors:AdEMAMix",
    "adopt": "successors:ADOPT",
    "sophia": "successors:Sophia",
    "rprop": "sign:Rprop",
    "lion": "sign:Lion",
    "polyak": "step_sizes:Polyak",
    "barzilai-borwein": "step_sizes:BarzilaiBorwein",
    "coordinate-descent": "step_sizes:CoordinateDescent",
    "adgd": "parameter_free:AdGD",
    "dog": "parameter_free:DoG",
    "prodigy": "parameter_free:Prodigy",
    "newton": "newton:Newton",
    "trust-region": "newton:TrustRegion",
    "gauss-newton": "least_squares:GaussNewton",
    "levenberg-marquardt": "least_squares:LevenbergMarquardt",
    "natural-gradient": "least_squares:NaturalGradient",
    "projected-gradient": "constrained:ProjectedGradient",
    "frank-wolfe": "constrained:FrankWolfe",
    "mirror-descent": "constrained:MirrorDescent",
    "proximal-gradient": "constrained:ProximalGradient",
    "fista": "constrained:FISTA",
    "log-barrier": "barrier:LogBarrier",
    "muon": "matrices:Muon",
    "shampoo": "matrices:Shampoo",
    "soap": "matrices:SOAP",
    "svrg": "variance:SVRG",
    "saga": "variance:SAGA",
    "langevin": "samplers:Langevin",
    "hmc": "samplers:HMC",
    "bfgs": "classical:BFGS",
    "l-bfgs": "classical:LBFGS",
    "l-bfgs-b": "classical:LBFGSB",
    "slsqp": "classical:SLSQP",
    "conjugate-gradient": "classical:ConjugateGradient",
    "powell": "classical:Powell",
    "nelder-mead": "gradient_free:NelderMead",
    "random-search": "gradient_free:RandomSearch",
    "simulated-annealing": "gradient_free:SimulatedAnnealing",
    "particle-swarm": "gradient_free:ParticleSwarm",
    "differential-evolution": "gradient_free:DifferentialEvolution",
    "cma-es": "covariance:CMAES",
}
FAMILIES = {  # what each module of optimizers holds, in the order of optiviz list
    "momentum": "gradient descent and momentum",
    "adaptive": "a step size for each coordinate",
    "adam": "a step size for each coordinate",
    "successors": "a step size for each coordinate",
    "sign": "a step size for each coordinate",
    "step_sizes": "step sizes found on the way",
    "parameter_free": "step sizes found on the way",
    "newton": "quadratic models",
    "least_squares": "sums of squares (--residuals), and metrics (--metric)",
    "constrained": "constraints (--constraint, --bounds) and penalties (--l1)",
    "barrier": "constraints (--constraint, --bounds) and penalties (--l1)",
    "matrices": "steps of whole matrices, of a network or a surface over a matrix",
    "variance": "batches with less noise (--batch-size)",
    "samplers": "samples of a density",
    "classical": "classical methods of scipy",
    "gradient_free": "without gradients",
    "covariance": "without gradients",
}
PACKAGES = {"classical": ("scipy",), "covariance": ("cma",)}  # that a module of optimizers needs
WRAPPERS = {
    "lookahead": "wrappers:Lookahead",
    "sam": "wrappers:SAM",
    "exact": "line_searches:Exact",
    "backtracking": "line_searches:Backtracking",
    "wolfe": "line_searches:Wolfe",
    "polyak-averaging": "wrappers:PolyakAveraging",
    "schedule-free": "schedule_free:ScheduleFree",
    "flow": "flows:Flow",
    "cautious": "cautious:Cautious",
    "clip": "clipping:Clip",
}
NOISE_KINDS: dict[NoiseKind, str] = {  # what SIGMA, the size of noise, is
    "gaussian": "added to gradients, of standard deviation SIGMA",
    "cauchy": "added to gradients, heavy-tailed, of scale SIGMA",
    "multiplicative": "gradients times 1 + SIGMA z, z normal",
    "sparse": "coordinates of gradients are missing with probability SIGMA",
    "drift": "the minimum moves, by steps of standard deviation SIGMA",
}
SIGNALS = {
    "spikes": "1 at every 60th step, else 0",
    "rectangles": "20 steps of 1, 20 of -1",
    "noisy-sine": "a sine wave with noise of the same size",
    "very-noisy-sine": "a sine wave with noise five times its size",
    "uneven-sawtooth": "large teeth for 80 steps, then small ones",
    "saturation": "40 steps of 1, 40 of 0",
}
THEMES = {
    "light": "a pale surface on which paths stand out",
    "dark": "a dark surface on which paths stand out, for dark slides",
    "article": "coloured, labelled contour lines on white, as in many tutorials",
}
