"""All that one picture depends on, as plain values: from words, from YAML, from a finished file.

A recipe is frozen and hashable, and goes to JSON and back. It does not say where its picture is
written to.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    field_validator,
)

from optiviz.formats import Quality
from optiviz.optimizers.words import parse
from optiviz.surfaces.catalogue import find_surface, our_surface
from optiviz.surfaces.surface import Point, Steps, Surface, Text

MAX_PIXELS = 36_000_000


def _words(value: Any) -> Any:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        return value
    return tuple(str(word) for text in texts for word in parse(text))


def _by_name(value: Any) -> Any:
    """Return the name of a surface of our catalogue, so that equal pictures have one recipe."""
    if isinstance(value, str):
        return find_surface(value).name
    if isinstance(value, Surface) and our_surface(value.name) == value:
        return value.name
    return value


class Recipe(BaseModel):
    """One picture: a surface, who descends it from where and how long, and how it is shown.

    surface is a name of our catalogue or a whole declaration; optimizers are words such as
    "adam:lr=0.25", also as one comma-separated string.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["run"] = "run"
    surface: Annotated[str | Surface, BeforeValidator(_by_name)]
    optimizers: Annotated[tuple[str, ...], BeforeValidator(_words), Field(min_length=1)]
    lr: Annotated[PositiveFloat, Field(allow_inf_nan=False)] | None = None
    starts: tuple[Point, ...] = ()
    random_starts: Annotated[NonNegativeInt, Field(le=1000)] = 0
    seed: NonNegativeInt = 0
    steps: Steps | None = None
    fps: Annotated[float, Field(ge=0.01, le=100)] = 12.0
    duration: Annotated[float, Field(gt=0, le=3600)] = 10.0
    size: tuple[int, int] = (960, 640)
    quality: Quality = "standard"
    title: Text | None = None

    @field_validator("size")
    @classmethod
    def _drawable(cls, size: tuple[int, int]) -> tuple[int, int]:
        """Refuse what is too small for words, too large for a video codec or for memory."""
        if not (240 <= size[0] <= 16384 and 160 <= size[1] <= 16384):
            raise ValueError(f"{size[0]}x{size[1]} is not between 240x160 and 16384x16384")
        if size[0] * size[1] > MAX_PIXELS:
            raise ValueError(f"{size[0]}x{size[1]} has more than {MAX_PIXELS} pixels")
        return size
