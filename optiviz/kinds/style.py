"""How views draw, as far as a user can choose."""

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PositiveInt,
    Tag,
)

from optiviz.surfaces.surface import Number, rising

MOST_BANDS, MOST_LEVELS = 200, 500


def _sort(value: Any) -> str:
    return "bands" if isinstance(value, int) and not isinstance(value, bool) else "losses"


Levels = Annotated[
    Annotated[Annotated[int, Field(ge=1, le=MOST_BANDS)], Tag("bands")]
    | Annotated[
        Annotated[
            tuple[Number, ...],
            Field(max_length=MOST_LEVELS),
            AfterValidator(rising),
        ],
        Tag("losses"),
    ],
    Discriminator(_sort),
]


class Style(BaseModel):
    """The choices that views heed, each view its own; None leaves one to the theme or the surface.

    levels of isolines, as their number of bands or as losses; labels on them; field, arrows down
    the gradient; fill between isolines; trail, after how many steps a path fades; smooth, over
    how many steps a loss is averaged; orbit, by how many degrees a relief turns.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    levels: Levels | None = None
    labels: bool | None = None
    field: bool = False
    fill: bool | None = None
    trail: PositiveInt | None = None
    smooth: PositiveInt = 1
    orbit: Annotated[float, Field(ge=-3600, le=3600, allow_inf_nan=False)] = 0.0

    def given(self) -> set[str]:
        """Return the fields that are not as they are by default."""
        return {
            name
            for name, field in Style.model_fields.items()
            if getattr(self, name) != field.default
        }
