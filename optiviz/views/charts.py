"""What charts over steps share: their look and their axes."""

from matplotlib.axes import Axes

from optiviz.views import View
from optiviz.views.axes import set_heading, set_step_limits, style_chart
from optiviz.views.scales import Scale


def style_steps(axes: Axes, view: View, scale: Scale, *names: str) -> None:
    """Style the Axes of a view as a chart over all steps, with the first of `names` that fits."""
    style_chart(axes, view.theme)
    scale.apply(axes, view.labelled)
    set_step_limits(axes, view.scene.steps, view.labelled, view.packed, view.scene.unit)
    set_heading(axes, view.theme, *names)
