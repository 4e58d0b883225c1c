"""Themes, the colours of pictures: one file per theme, and a user's own on top of one of these.

They are plain values, which a recipe holds and which nothing is drawn with here.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_serializer,
    model_validator,
)

from optiviz.registry import THEMES
from optiviz.system.errors import InputError, did_you_mean
from optiviz.system.json_schema import TEXT, MappedSchema
from optiviz.system.text import shorten
from optiviz.system.validation import checked, validated
from optiviz.system.yaml import Document
from optiviz.themes.colors import color, lightness, rgb

FILES = ".yaml", ".yml"  # of a user's own theme
BASE = "light"  # of a theme that names no other
MAX_COLORS = 100


def _rising(ramp: tuple[str, ...]) -> tuple[str, ...]:
    """Return a ramp; raise ValueError if its lightness neither rises nor falls throughout."""
    steps = np.diff(lightness(rgb(ramp)))
    if not ((steps > 0).all() or (steps < 0).all()):
        raise ValueError(
            f"must become lighter, or darker, from each colour to the next, not {', '.join(ramp)}"
        )
    return ramp


def _known(name: Any) -> Any:
    if not isinstance(name, str) or name not in THEMES:
        raise ValueError(did_you_mean("theme", shorten(name), THEMES))
    return name


Color = Annotated[str, AfterValidator(color)]
Colors = Annotated[tuple[Color, ...], Field(min_length=1, max_length=MAX_COLORS)]
Ramp = Annotated[
    tuple[Color, ...], Field(min_length=2, max_length=MAX_COLORS), AfterValidator(_rising)
]
Opacity = Annotated[float, Field(ge=0, le=1)]
BaseName = Annotated[
    str, AfterValidator(_known), MappedSchema(lambda kept: TEXT | {"enum": [*THEMES]})
]


class Theme(BaseModel):
    """The colours of a picture: CSS names, #rgb or #rrggbb.

    What a user's own theme does not set is that of its base.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra=lambda schema: schema.pop("required")
    )

    base: BaseName | None = None
    background: Annotated[Color, Field(description="behind everything")]
    ink: Annotated[Color, Field(description="primary text")]
    edge: Annotated[Color, Field(description="edges of minima")]
    muted: Annotated[Color, Field(description="secondary text, axes")]
    warning: Annotated[Color, Field(description="text about a failed run")]
    casing: Annotated[
        Color, Field(description="thin border that sets paths and marks off from the surface")
    ]
    rule: Annotated[
        Color, Field(description="grid lines of charts, the part of the progress line to come")
    ]
    ramp: Annotated[
        Ramp, Field(description="fill, from the lowest loss to the highest, ever lighter or darker")
    ]
    lit: Annotated[
        tuple[Color, Opacity],
        Field(description="colour and opacity of contour lines on slopes that face the light"),
    ]
    shaded: Annotated[
        tuple[Color, Opacity], Field(description="the same on slopes that face away from it")
    ]
    minimum: Annotated[Color, Field(description="stars of known minima")]
    paths: Annotated[Colors, Field(description="paths, in the order of the optimizers")]
    areas: Annotated[Colors, Field(description="basins")]
    isoline: Annotated[
        Color | None,
        Field(description="contour lines without a fill; those of the ramp if there is none"),
    ] = None
    fill: Annotated[bool, Field(description="whether bands between contour lines are filled")] = (
        True
    )
    labels: Annotated[
        bool, Field(description="whether contour lines are labelled with their loss")
    ] = False

    @model_validator(mode="before")
    @classmethod
    def _on_its_base(cls, given: Any) -> Any:
        """Return the values of a theme with those of its base beneath them."""
        if not isinstance(given, Mapping) or given.keys() >= _required():
            return given
        name = given.get("base", BASE)
        if not isinstance(name, str) or name not in THEMES:
            name = BASE  # the validator of the base says what is wrong
        return load_theme(name).values() | {"base": BASE} | dict(given)

    @model_serializer
    def _own_values(self) -> dict[str, Any]:
        """Return the base and what differs from it."""
        values = self.values()
        if self.base is None:
            return values
        theirs = load_theme(self.base).values()
        own = {key: value for key, value in values.items() if value != theirs[key]}
        return {"base": self.base, **own}

    @property
    def is_dark(self) -> bool:
        """Whether the background is darker than medium grey."""
        return bool(lightness(rgb([self.background]))[0] < 50)

    def values(self) -> dict[str, Any]:
        """Return all values by their names, without that of the base."""
        return {name: getattr(self, name) for name in type(self).model_fields if name != "base"}


def _required() -> set[str]:
    return {name for name, field in Theme.model_fields.items() if field.is_required()}


def load_theme(theme: str | Theme) -> Theme:
    """Return a theme, which may be named in `registry.THEMES`."""
    if isinstance(theme, Theme):
        return theme
    found: Theme = import_module(f"{__name__}.{theme}").THEME
    return found


def find_theme(value: Any) -> str | Theme:
    """Return a theme's name, or the theme of a mapping or of the YAML file with this path.

    Raises InputError for an unknown name and for a file that is invalid, with every fault.
    """
    if isinstance(value, Theme):
        return value
    if isinstance(value, Mapping):
        found = checked(Theme, value)
        if isinstance(found, list):
            said = (".".join(map(str, each.keys or ())) + f": {each.message}" for each in found)
            raise InputError("; ".join(said))
        return found
    if isinstance(value, str | Path) and str(value).lower().endswith(FILES):
        document = Document.read(Path(value))
        if not isinstance(document.value, Mapping):
            raise InputError(f"{document.name}: a theme must map keys to colours")
        try:
            return validated(Theme, document.value, document.locate)
        except InputError as error:
            raise InputError("; ".join(str(error).splitlines())) from None
    if not isinstance(value, str):
        raise InputError(f"must be a theme's name, a YAML file or a mapping, not {shorten(value)}")
    if value not in THEMES:
        raise InputError(did_you_mean("theme", value, THEMES))
    return value
