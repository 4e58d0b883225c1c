"""Words that people bring from elsewhere, and what they are called here."""

import re

# What is written here, and the words for it. It may have an example after its name, and a word may
# have several meanings.
WORDS = {
    # options, fields and hyperparameters
    "lr": "learning-rate step-size eta",
    "learning-rate": "lr step-size eta",
    "opt sgd:lr=0.1": "lr",
    "opt sgd:lr=0.1@cosine": "lr-schedule schedule decay",
    "steps": "epoch epochs iteration iterations iter iters max-iter max-iters max-iterations "
    "max-steps n-iter n-iters n-iterations n-steps num-iter num-iterations num-steps",
    "opt": "optimizer optimizers optimiser optimisers algorithm algorithms algo method methods "
    "solver solvers",
    "optimizers": "opt opts optimiser optimisers algorithm algorithms algo method methods solver "
    "solvers",
    "opt momentum:momentum=0.9": "momentum",
    "opt nesterov": "nesterov",
    "opt adam:beta1=0.9:beta2=0.999": "beta1 beta2 betas",
    "opt adamw:weight_decay=0.01": "weight-decay wd",
    "formula": "function func fun f fn fx expression expr equation objective",
    "surface": "function func fun f fn objective landscape loss-function loss-surface",
    "surfaces": "catalogue catalog surface-file",
    "out": "output output-file out-file outfile save save-as save-to filename file dest",
    "start": "init initial initial-point initial-position init-point start-point start-position "
    "starting-point x0 origin",
    "starts": "init initial initial-point initial-position init-point start-point start-position "
    "starting-point x0 origin",
    "theme": "cmap colormap colourmap palette colors colours style color-scheme colour-scheme",
    "scale": "dpi resolution zoom",
    "size": "figsize figure-size width resolution image-size geometry",
    "domain": "bounds limits lim xlim ylim range xrange yrange extent region window",
    "over lr": "lr learning-rate step-size eta",
    "over": "range ranges params hyperparameters search-space param-space",
    "axes": "xlabel ylabel xlabels ylabels axis axis-labels axis-names",
    "view relief": "3d plot-3d surface-3d",
    "camera": "elev azim elevation azimuth angle view-angle viewpoint view-init",
    "variables": "vars var variable variable-names parameters",
    "dim": "dims ndim n-dim dimension dimensions n-dimensions",
    "track": "tracks trajectory trajectories path paths recorded",
    "checkpoints": "checkpoint ckpt ckpts snapshots weights-files training state-dict",
    "orbit": "rotate rotation spin turn",
    "labels": "clabel contour-labels",
    "levels": "contours isolines n-levels num-levels bins",
    "field": "arrows quiver gradients vectors vector-field gradient-field",
    "smooth": "smoothing moving-average ema",
    "noise-kind": "noise-type noise-model noise-distribution",
    "noise-kind cauchy": "heavy-tailed heavy-tails",
    "noise-kind drift": "non-stationary nonstationary",
    "noise": "sigma std gradient-noise noise-std noise-level",
    "batch-size": "batch minibatch mini-batch bs",
    "seed": "random-seed random-state rng",
    "frames": "stride every frame-step",
    "fps": "framerate frame-rate frames-per-second speed",
    "duration": "length seconds",
    "title": "caption heading suptitle",
    'title ""': "no-title",
    "legend": "legend-loc legend-position legend-place loc",
    "legend none": "no-legend hide-legend",
    "height log": "log-scale logz log-z",
    "height": "z-scale zscale",
    "trials": "n-trials num-trials evaluations budget",
    "preview": "draft quick",
    "last-frame": "final final-frame static still",
    "recipe": "config from-file",
    "jobs": "workers n-jobs n-workers processes threads",
    "quiet": "silent",
    "format": "extension filetype file-type",
    "data": "dataset data-set scatter",
    "samples": "n-samples num-samples",
    "open": "show display",
    "overwrite": "force",
    "beta1=0.9:beta2=0.999": "betas",
    "beta1": "b1",
    "beta2": "b2",
    "eps": "epsilon",
    "weight-decay": "wd decay l2",
    # commands
    "run": "animate descend optimize optimise minimize minimise train race compare",
    "plot": "surface draw-surface",
    "tune": "search sweep grid-search hyperopt",
    "list": "ls catalogue catalog",
    "show": "info describe",
    "basins": "attractors attraction",
    # surfaces and optimizers
    "bowl": "quadratic paraboloid",
    "rosenbrock": "banana",
    "sgd": "gd gradient-descent vanilla steepest-descent stochastic-gradient-descent",
    "momentum": "sgdm sgd-momentum heavy-ball polyak",
    "lion:beta1=0:weight_decay=0": "sign signsgd sign-descent sign-gradient-descent",
    "nesterov": "nag nesterov-momentum nesterov-accelerated-gradient",
    "conjugate-gradient": "cg",
    "nelder-mead": "simplex amoeba",
    "particle-swarm": "pso swarm",
    "differential-evolution": "de",
    "simulated-annealing": "annealing metropolis sa",
    "cma-es": "cma cmaes pycma evolution-strategy",
    "trust-region": "dogleg",
    "gauss-newton": "gn",
    "levenberg-marquardt": "lm damped-least-squares",
    "natural-gradient": "ngd",
    "projected-gradient": "pgd",
    "frank-wolfe": "conditional-gradient fw",
    "mirror-descent": "exponentiated-gradient eg",
    "proximal-gradient": "ista soft-thresholding",
    "fista": "accelerated-proximal-gradient apg",
    "barzilai-borwein": "bb",
    "langevin": "mala ula sgld",
    "hmc": "hamiltonian-monte-carlo mcmc",
    "exact": "exact-line-search line-search",
    "exact+sgd": "exact-line-search line-search steepest-descent",
    "backtracking": "armijo backtracking-line-search line-search",
    "backtracking+sgd": "armijo backtracking-line-search line-search",
    "wolfe": "strong-wolfe line-search",
    "wolfe+sgd": "strong-wolfe line-search",
    "polyak-averaging": "polyak-ruppert ruppert iterate-averaging",
    "polyak-averaging+sgd": "polyak-ruppert ruppert iterate-averaging",
    "flow": "central-flow gradient-flow edge-flow",
    "flow+sgd": "central-flow gradient-flow edge-flow",
    "log": "ln",
    "log(x)/log(2)": "log2",
    "log(x)/log(10)": "log10",
    "cosine": "cosine-decay",
    # roles of shapes
    "tried": "trial evaluated evaluation evaluations looked-at",
    "accepted": "best incumbent",
    "next": "proposed proposal candidate suggestion suggested",
    # losses and reasons
    "logistic": "cross-entropy binary-cross-entropy bce log-loss",
    "squared-error": "mse mean-squared-error least-squares",
    "ball": "norm unit-ball norm-ball",
    "bound": "upper-bound model quadratic-bound majorizer",
    # views, themes and other choices
    "relief": "3d surface surface-3d plot-surface mesh wireframe terrain landscape",
    "contour": "2d heatmap heat-map map imshow pcolormesh isolines level-sets",
    "singular-values": "svd singular-value spectrum",
    "curve": "1d line",
    "loss": "losses convergence objective",
    "rate": "lr learning-rate schedule",
    "state": "moments momentum",
    "sharpness": "edge-of-stability eigenvalue eigenvalues lambda-max curvature hessian",
    "light": "white bright day",
    "dark": "black night",
    "article": "paper print publication latex",
    "below": "bottom under",
    "none": "off no hide",
    "draft": "low",
    "standard": "medium normal",
    "high": "best hq",
    "grid": "subplots separate",
    # formats
    "png": "jpg jpeg bmp tif tiff",
    "mp4": "mpg mpeg wmv flv video h264",
    "pdf": "eps ps",
    "csv": "tsv txt xls xlsx dat",
    # conditions
    "convex": "positive-definite pos-def pd psd spd positive-semidefinite convexity",
    # units and colours
    "px": "pixel pixels",
    "in": "inch inches",
    "cm": "centimeter centimeters centimetre centimetres",
    "mm": "millimeter millimeters millimetre millimetres",
    "pt": "point points",
}
COLORS = "blue", "orange", "green", "red", "purple", "brown", "pink", "gray", "olive", "cyan"
WORDS |= {color: f"tab:{color}" for color in COLORS}


def squashed(word: str) -> str:
    """Return a word without case and separators: --learning_rate is learningrate."""
    return re.sub(r"[\W_]", "", word.lower())


def meanings(word: str) -> list[str]:
    """Return what a word may be called here."""
    said = squashed(word)
    return [name for name, words in WORDS.items() if said in map(squashed, words.split())]
