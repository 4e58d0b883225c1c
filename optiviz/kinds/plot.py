"""`plot`: surfaces without a descent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from optiviz.kinds.base import BaseRecipe, Report, Scene
from optiviz.kinds.facts import Facts
from optiviz.kinds.fields import fitting_view
from optiviz.kinds.run_entries import RunEntry
from optiviz.kinds.run_scene import RunScene
from optiviz.kinds.style import Style, check_views
from optiviz.kinds.types import IN_A_SURFACE, NamedSurfaces, join_names, resolve_surface
from optiviz.surfaces.origins import SpaceOrigin
from optiviz.surfaces.surface import Surface
from optiviz.system.progress import TaskProgress


class PlotRecipe(BaseRecipe, Style):
    """Surfaces without a descent, side by side: a still picture."""

    elsewhere: ClassVar = {key: f"surfaces=[{text}]" for key, text in IN_A_SURFACE.items()}
    formats: ClassVar = ("still",)
    default_suffix: ClassVar = ".png"
    kind: Literal["plot"] = "plot"
    surfaces: NamedSurfaces
    view: Annotated[str | None, Field(validate_default=True)] = None

    @field_validator("view")
    @classmethod
    def _fits(cls, view: str | None, info: ValidationInfo) -> str | None:
        surfaces = info.data.get("surfaces", ())
        return fitting_view(
            view, [{"surface": resolve_surface(each).dim} for each in surfaces], info
        )

    @property
    def drawn_surfaces(self) -> tuple[str | Surface, ...]:
        return self.surfaces

    @property
    def style(self) -> Style:
        return self

    @property
    def file_stem(self) -> str:
        return join_names(
            [resolve_surface(each).origin.file_name for each in self.surfaces], "surfaces"
        )

    def views(self, part: Scene[RunEntry]) -> list[str]:
        return check_views(self.view, part.provides, self.changed_fields())

    def make_scene(self, progress: TaskProgress | None = None) -> "PlotScene":
        self.check()
        surfaces = tuple(resolve_surface(surface) for surface in self.surfaces)
        title = self.title_for(surfaces[0]) if len(surfaces) == 1 else (self.title or "").strip()
        return PlotScene(title=title, surfaces=surfaces, density=self.density)


@dataclass(frozen=True, eq=False, kw_only=True)
class PlotScene(Scene[RunEntry]):
    """Surfaces without a descent, side by side."""

    surfaces: tuple[Surface, ...]
    density: float | None = None

    @property
    def formula(self) -> str:
        return self.surfaces[0].penalized if len(self.surfaces) == 1 else ""

    @property
    def variables(self) -> Mapping[str, str]:
        return self.surfaces[0].shown_variables if len(self.surfaces) == 1 else {}

    @property
    def caption(self) -> str:
        origin = self.surfaces[0].origin
        if len(self.surfaces) > 1:
            return ""
        told = origin.plane_caption if isinstance(origin, SpaceOrigin) else ""
        return ", ".join(filter(None, (told, *self.surfaces[0].params_told)))

    @property
    def facts(self) -> Facts:
        return self.parts()[0].facts if len(self.surfaces) == 1 else {}

    def report(self, recipe: PlotRecipe) -> Report | None:
        """Return how the windows of planes were found, None if there is nothing to say."""
        told = [each.window_told for each in self.surfaces]
        return Report([], [], list(filter(None, told))) if any(told) else None

    def parts(self) -> tuple[Scene[RunEntry], ...]:
        return tuple(
            RunScene(title=each.title, surface=each, conditions=each.params_told).with_density(
                self.density or None
            )
            for each in self.surfaces
        )
