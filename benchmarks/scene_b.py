"""The same picture drawn by optiviz, saved with any writer that matplotlib knows.

    python benchmarks/scene_b.py WRITER OUT

`parts` provides what is needed to draw exact frames.
"""

import sys
from typing import Any

import optiviz

OPTIMIZERS = "nesterov,rmsprop,adadelta,adagrad,adam"
STEPS, SIZE, FPS = 119, (1200, 800), 12


def parts() -> tuple[Any, Any, list[int]]:
    """Return figure, update and the step of each frame."""
    from optiviz.rendering.animation import HOLD
    from optiviz.rendering.render import make_picture

    recipe = optiviz.Recipe(surface="wobbly", optimizers=OPTIMIZERS, steps=STEPS, size=SIZE)
    picture = make_picture(recipe)
    return picture.figure, picture.update, [*range(STEPS + 1), *[STEPS] * round(HOLD * FPS)]


if __name__ == "__main__":
    optiviz.animate("wobbly", OPTIMIZERS, steps=STEPS, size=SIZE, fps=FPS).save(
        sys.argv[2], writer=sys.argv[1], fps=FPS
    )
