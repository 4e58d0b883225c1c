"""The style options of views."""

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PositiveInt,
    Tag,
)

from optiviz.registry import MANY_DIMENSIONS, VIEWS, Aspect, Explanation, GradientField, Height
from optiviz.surfaces.domain import MAX_COORDINATE, Number, increasing
from optiviz.surfaces.region import condition_text
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.json_schema import NUMBERS, TEXT, MappedSchema, any_of
from optiviz.system.text import shorten

MAX_BANDS, MAX_LEVELS = 200, 500
MAX_AZIMUTH, ELEVATIONS = 360, (5, 85)  # degrees of a camera
ANIMATED = (
    "trail",
    "smooth",
    "orbit",
    "sketch",
    "explain",
    "eigenvectors",
    "gradients",
)  # options that depend on steps
DIMENSIONS = {
    1: "one dimension",
    2: "two dimensions",
    MANY_DIMENSIONS: "many dimensions",
}


def _angles(value: Any) -> Any:
    """Return azimuth and elevation, also from text such as "-60,35"."""
    parts = value.split(",") if isinstance(value, str) else value
    said = f"{shorten(value, quoted=True)} is not a camera"
    if not isinstance(parts, list | tuple) or len(parts) != 2:
        raise ValueError(f"{said}: write AZIMUTH,ELEVATION in degrees, for example -60,35")
    try:
        azimuth, elevation = (float(part) for part in parts)
    except (TypeError, ValueError):
        raise ValueError(
            f"{said}: write AZIMUTH,ELEVATION in degrees, for example -60,35"
        ) from None
    if not -MAX_AZIMUTH <= azimuth <= MAX_AZIMUTH:
        raise ValueError(f"the azimuth must be from -{MAX_AZIMUTH} to {MAX_AZIMUTH} degrees")
    if not ELEVATIONS[0] <= elevation <= ELEVATIONS[1]:
        raise ValueError(f"the elevation must be from {ELEVATIONS[0]} to {ELEVATIONS[1]} degrees")
    return azimuth, elevation


Angles = Annotated[
    tuple[float, float],
    BeforeValidator(_angles),
    MappedSchema(lambda kept: any_of(TEXT, NUMBERS | {"minItems": 2, "maxItems": 2})),
]


BANDS, LOSSES = "[bands]", "[losses]"  # not keys that a user has written


def _levels_tag(value: Any) -> str:
    return BANDS if isinstance(value, int) and not isinstance(value, bool) else LOSSES


Levels = Annotated[
    Annotated[Annotated[int, Field(ge=1, le=MAX_BANDS)], Tag(BANDS)]
    | Annotated[
        Annotated[
            tuple[Number, ...],
            Field(max_length=MAX_LEVELS),
            AfterValidator(increasing),
        ],
        Tag(LOSSES),
    ],
    Discriminator(_levels_tag),
]


class Style(BaseModel):
    """Style options of views; None leaves the choice to the theme or the surface.

    levels are the contour lines, as a number of bands or as losses, or as densities. density is
    the temperature T of the density exp(-(f - min f) / T) that is drawn instead of the loss f, 0
    for the loss; unless specified it is that of the samplers, if all optimizers are. labels is
    whether they are labelled. field is how the negative gradient is drawn: as arrows, or as the
    streamlines of its flow. fill is whether the bands between contour lines are filled. where is a
    condition, such as "x**2 + y**2 < 1" or "convex", of the points that are shaded. trail is the
    number of steps after which a path fades, smooth the number of steps over which loss curves are
    averaged. sketch is whether what a method looked at in each step, such as a simplex, is
    recorded and drawn, which it is unless False. explain is what is drawn in its place to say why a
    step is what it is: "ball", the ball of the norm in which it is steepest, or "bound", the
    quadratic model to whose minimum it leads. eigenvectors is whether those of the Hessian are
    drawn at the head of each path, and gradients whether those of the loss and of the active
    constraints are. aspect is "equal" if both axes of a plane have
    the same scale, and "auto" if they may differ. In a relief, height says how values become
    heights, floor whether contour lines and the shadows of paths are drawn beneath the surface,
    camera is where it is seen from, as azimuth and elevation in degrees, and orbit by how many
    degrees the camera goes around it. Each view uses only some of them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    levels: Levels | None = None
    labels: bool | None = None
    field: GradientField | None = None
    fill: bool | None = None
    where: Annotated[str, AfterValidator(condition_text)] | None = None
    aspect: Aspect | None = None
    density: Annotated[float, Field(ge=0, le=MAX_COORDINATE, allow_inf_nan=False)] | None = None
    trail: PositiveInt | None = None
    smooth: PositiveInt = 1
    sketch: bool | None = None
    explain: Explanation | None = None
    eigenvectors: bool = False
    gradients: bool = False
    height: Height | None = None
    floor: bool | None = None
    camera: Angles | None = None
    orbit: Annotated[float, Field(ge=-3600, le=3600, allow_inf_nan=False)] = 0.0

    def changed_fields(self) -> set[str]:
        """Return the names of the fields that differ from their defaults."""
        return {
            name
            for name, field in Style.model_fields.items()
            if getattr(self, name) != field.default
        }


def check_views(
    view: str | None, provided: Mapping[str, int], options: Collection[str]
) -> list[str]:
    """Return the names of the views in `view`, for example "contour+loss"; the default if None.

    provided maps what a scene offers to views to its number of dimensions, for example
    {"surface": 2, "descent": 2}. Raises InputError for an unknown or repeated name, for a view
    that cannot draw what is provided, and for one of `options`, fields of a Style, that no view
    in `view` uses.
    """
    fitting = [name for name, entry in VIEWS.items() if provided.get(entry.requires) in entry.dims]
    if view is None:
        names = fitting[:1]
        names += [each for name in names for each in VIEWS[name].beside if each in fitting][:1]
    else:
        names = [name.strip() for name in view.split("+")]
    if view is not None and "," in view:
        raise InputError(f"{view!r} is not a valid list of views: write {view.replace(',', '+')}")
    for name in names:
        if name not in VIEWS:
            raise InputError(
                did_you_mean(
                    "view", name, [each for each in VIEWS if VIEWS[each].requires in provided]
                )
            )
        if name not in fitting:
            entry = VIEWS[name]
            drawn = " or ".join(DIMENSIONS[each] for each in entry.dims)
            why = (
                f"draws {drawn}, not {DIMENSIONS[provided[entry.requires]]}"
                if entry.requires in provided
                else f"has no {entry.requires} to draw"
            )
            raise InputError(f"{name} {why}: choose from {', '.join(fitting)}")
    if len(set(names)) < len(names):
        raise InputError(f"{view!r} names a view twice")
    for option in sorted(options):
        using = [
            name
            for name in fitting
            if option in VIEWS[name].options and ("descent" in provided or option not in ANIMATED)
        ]
        if not set(using) & set(names):
            unused = f"{_with_do(names)} not use --{option}"
            if using:
                raise InputError(f"{unused}; {_with_do(using)}")
            dimensions = DIMENSIONS[provided["surface"]]
            raise InputError(f"{unused}, nor does any other view of {dimensions} here")
    return names


def _with_do(names: Sequence[str]) -> str:
    """Return names with the verb that fits them, for example "contour and loss do"."""
    return f"{' and '.join(names)} {'does' if len(names) == 1 else 'do'}"
