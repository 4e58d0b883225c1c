"""How views draw, as far as a user can choose."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator

from optiviz.surfaces.surface import Number, rising

MOST_BANDS = 200


class Style(BaseModel):
    """The choices that views heed, each view its own; None leaves one to the theme or the surface.

    levels of isolines, as their number of bands or as losses; labels on them; field, arrows down
    the gradient; fill between isolines; trail, after how many steps a path fades; smooth, over
    how many steps a loss is averaged; orbit, by how many degrees a relief turns.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    levels: int | tuple[Number, ...] | None = None
    labels: bool | None = None
    field: bool = False
    fill: bool | None = None
    trail: PositiveInt | None = None
    smooth: PositiveInt = 1
    orbit: Annotated[float, Field(ge=-3600, le=3600)] = 0.0

    @field_validator("levels")
    @classmethod
    def _rising(cls, levels: int | tuple[float, ...] | None) -> int | tuple[float, ...] | None:
        if isinstance(levels, int) and not 1 <= levels <= MOST_BANDS:
            raise ValueError(f"{levels} is not between 1 and {MOST_BANDS} bands")
        return rising(levels) if isinstance(levels, tuple) else levels

    def given(self) -> set[str]:
        """Return the fields that are not as they are by default."""
        return {
            name
            for name, field in Style.model_fields.items()
            if getattr(self, name) != field.default
        }
