"""What views of a surface from above share: their axes."""

from typing import Any, Literal

from matplotlib.axes import Axes

from optiviz.kinds.base import OnSurface
from optiviz.registry import Aspect
from optiviz.views import BoxConstraints, View
from optiviz.views.axes import constraints_beside, set_limits, style_axes
from optiviz.views.ticks import ticks

PLANE: tuple[Literal["x", "y"], ...] = "x", "y"


class PlaneView(View):
    """A view of a surface from above.

    Unless specified, x and y have the same scale as long as that leaves enough room.
    """

    scene: OnSurface[Any]

    @property
    def aspect(self) -> Aspect:
        """Whether x and y have the same scale."""
        asked = self.style.aspect or self.scene.surface.shown_aspect
        return asked or ("auto" if self.may_stretch else "equal")

    @property
    def constraints(self) -> BoxConstraints:
        across, up = self.scene.surface.window.intervals
        ratio = (across[1] - across[0]) / (up[1] - up[0])
        equal = self.aspect == "equal"
        ratios = (ratio, ratio) if equal else (min(ratio, 1.0), max(ratio, 1.0))
        names_across, names_up = self.scene.surface.axis_symbols
        return constraints_beside(ticks(*up)[1], ratios, names=(names_across, names_up))

    def style_plane(self, axes: Axes) -> None:
        """Style the Axes and set their limits to the window.

        The background shows through where the surface is undefined.
        """
        style_axes(axes, self.theme)
        surface = self.scene.surface
        for axis, ends, name in zip(
            PLANE, surface.window.intervals, surface.axis_symbols, strict=True
        ):
            set_limits(axes, axis, ends, None, name, self.labelled, self.packed)
