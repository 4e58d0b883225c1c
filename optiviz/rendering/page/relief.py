"""The relief of a page: its constants, which are those of the pictures, its camera, its images.

The page draws the relief with WebGL. Where there is none it shows an image of the ground.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from optiviz.kinds.run_scene import RunScene
from optiviz.kinds.style import ELEVATIONS, Style
from optiviz.relief import light
from optiviz.relief.camera import PERSPECTIVE
from optiviz.themes import Theme
from optiviz.views import apart, axes, draped, heights, paths, relief_box, relief_path
from optiviz.views import relief as view
from optiviz.views import relief_surface as surface
from optiviz.views.relief import ReliefView
from optiviz.views.settings import drawing_settings
from optiviz.views.ticks import TICKS

SIZE, DPI = (7.0, 5.6), 120  # inches, and pixels per inch, of an image
QUALITY = 80  # of its compression, from 0 to 100


def relief_told(scene: RunScene, style: Style, themes: Mapping[str, Theme]) -> dict[str, Any]:
    """Return what a page has to know to draw the relief of a scene.

    That is constants, the camera that hides least, and an image for each of the page's themes. In a
    page the reader turns the box, so that a style's orbit is where that begins.
    """
    still = style.model_copy(update={"orbit": 0.0})
    camera = ReliefView(scene, next(iter(themes.values())), still).camera
    seen = still.model_copy(update={"camera": (camera.azimuth, camera.elevation)})
    return {
        "camera": {"azimuth": camera.azimuth, "elevation": camera.elevation},
        "floor": style.floor is not False,
        "height": style.height or ("linear" if scene.temperature else None),
        "images": {name: _image(scene, seen, theme) for name, theme in themes.items()},
        **constants(),
    }


def constants() -> dict[str, Any]:
    """Return the constants of the page's relief; lengths are in points or shares of the box."""
    return {
        "light": {
            "grid": light.GRID,
            "sun": light.SUN,
            "sunColor": light.SUN_COLOR,
            "skyColor": light.SKY_COLOR,
            "sunShare": light.SUN_SHARE,
            "skyShare": light.SKY_SHARE,
            "wrap": light.WRAP,
            "shadow": light.SHADOW,
            "suns": light.SUNS,
            "sunWidth": light.SUN_WIDTH,
            "penumbra": light.PENUMBRA,
            "directions": light.DIRECTIONS,
            "distances": light.DISTANCES,
            "reach": light.REACH,
            "vivid": light.VIVID,
            "knee": light.KNEE,
            "belowTint": light.BELOW_TINT,
            "belowMix": light.BELOW_MIX,
            "belowLight": light.BELOW_LIGHT,
        },
        "heights": {
            "decades": heights.DECADES,
            "softness": (heights.HARDEST, heights.SOFTEST),
            "tallPole": heights.TALL_POLE,
            "most": heights.MOST,
            "farther": heights.FARTHER,
            "beyond": heights.BEYOND,
            "first": heights.ROUND,
            "closer": surface.CLOSER,
            "growth": surface.GROWTH,
            "halvings": surface.HALVINGS,
            "least": surface.LEAST,
        },
        "box": {
            "perspective": PERSPECTIVE,
            "elevations": ELEVATIONS,
            "tall": surface.TALL,
            "depth": view.DEPTH,
            "corner": view.CORNER,
            "ticks": TICKS,
            "labelled": view.LABELLED,
            "line": axes.LINE,
            "tick": axes.LENGTH,
            "letters": axes.TICK,
            "high": relief_box.HIGH,
            "pad": relief_box.PAD,
            "apart": relief_box.APART,
            "short": relief_box.SHORT,
            "edge": relief_box.EDGE,
            "slant": relief_box.SLANT,
            "change": relief_box.CHANGE,
            "shades": relief_box.SHADES,
        },
        "lines": {
            "isoline": view.ISOLINE_WIDTH,
            "floor": view.FLOOR_WIDTH,
            "floorShares": (view.LIGHT, view.DARK),
            "tint": view.TINT,
            "rim": view.RIM_WIDTH,
            "rimOpacity": view.RIM_OPACITY,
            "apart": surface.LEVELS_APART,
            "fewest": surface.FEWEST,
        },
        "paths": {
            "width": relief_path.THICKER * paths.LINE_WIDTH,
            "casing": paths.CASING_WIDTH,
            "comet": [(far, near, relief_path.THICKER * width) for far, near, width in paths.COMET],
            "faded": paths.FADED_OPACITY,
            "drape": draped.DRAPE,
            "lift": surface.LIFT,
            "slack": relief_path.PATH_SLACK,
            "markSlack": view.MARK_SLACK,
            "hidden": paths.HIDDEN_WIDTH,
            "hiddenDash": paths.HIDDEN_DASH[1],
            "pale": relief_path.PALE,
            "shadow": relief_path.SHADOW_WIDTH,
            "shadowOpacity": relief_path.SHADOW_OPACITY,
            "leastShadow": relief_path.LEAST_SHADOW,
            "head": paths.HEAD_SIZE,
            "headEdge": paths.HEAD_EDGE,
            "outside": paths.OUTSIDE_SIZE,
            "start": paths.START_SIZE,
            "minimum": paths.MINIMUM_SIZE,
            "near": apart.NEAR,
            "room": apart.ROOM,
            "radius": apart.LEAST_RADIUS,
            "reach": paths.REACH,
        },
    }


def _image(scene: RunScene, style: Style, theme: Theme) -> str:
    """Return the image of the ground in relief in a theme, as a data URL."""
    ground = replace(scene, entries=(), siblings=())
    figure = Figure(SIZE, dpi=DPI, facecolor=theme.background)
    canvas = FigureCanvasAgg(figure)
    with drawing_settings():
        drawn = ReliefView(ground, theme, style)
        drawn.build(figure.add_axes((0, 0, 1, 1)))
        canvas.draw()
    buffer = BytesIO()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    image.save(buffer, "WEBP", quality=QUALITY, method=4)
    return f"data:image/webp;base64,{b64encode(buffer.getvalue()).decode()}"
