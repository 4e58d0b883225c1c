"""A few whole pictures look as they did when they were last checked by eye.

`pytest tests/test_golden.py --regenerate` writes them again: look at each before committing it.
"""

from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image

from optiviz.kinds.plot import PlotRecipe
from optiviz.kinds.response import ResponseRecipe
from optiviz.kinds.run import Recipe
from optiviz.rendering.render import render

GOLDEN = Path(__file__).parent / "golden"
# Root mean square over all pixels and channels, from 0 to 255.
TOLERANCE = 6.0
# Older versions draw text differently, which alone causes differences of up to 20.
MATPLOTLIB = (3, 11)
PICTURES = {
    "wobbly": Recipe(
        surface="wobbly", optimizers="adam,rmsprop,nesterov,adagrad,adadelta", size=(480, 320)
    ),
    "ellipse": Recipe(surface="ellipse", optimizers="sgd,momentum,adagrad,adam", size=(480, 320)),
    "hills-and-canyon": Recipe(
        surface="hills-and-canyon", optimizers="adam,momentum", size=(360, 540),
        starts=((-2.8, -2.5), (2.5, 2.0)),
    ),
    "beale": Recipe(surface="beale", optimizers="sgd:lr=0.1,adam", size=(480, 320)),
    "cosine": Recipe(
        surface="cosine", optimizers="newton:damping=0.078125:label=damped,newton", steps=10,
        size=(480, 320), theme="dark",
    ),
    "himmelblau-relief": Recipe(
        surface="himmelblau", optimizers="adam,momentum", size=(480, 320), view="relief"
    ),
    "panels": Recipe(
        surface="hills-and-canyon", optimizers="nesterov:lr=0.01", vary="momentum=0.25,0.9,0.975",
        size=(480, 320), view="contour+loss", theme="article", trail=30,
    ),
    "grid": Recipe(
        surface="ellipse", optimizers="sgd,momentum,adagrad,adam", size=(480, 320), layout="grid",
        field="arrows",
    ),
    "state": Recipe(surface="wobbly", optimizers="adam,adagrad", size=(480, 320), view="state"),
    "response": ResponseRecipe(
        signal="uneven-sawtooth", optimizers="rmsprop", vary="rho=0.25,0.9,0.975", size=(480, 320)
    ),
    "activations": PlotRecipe(surfaces="logistic,tanh,relu,softplus", size=(480, 320)),
}  # fmt: skip


@pytest.mark.sample(4)
@pytest.mark.skipif(
    matplotlib.__version_info__[:2] < MATPLOTLIB, reason="the frames were drawn by a newer one"
)
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_looks_as_it_did(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    golden = GOLDEN / f"{name}.png"
    if request.config.getoption("--regenerate"):
        render(PICTURES[name], [golden])
        return
    render(PICTURES[name], [tmp_path / "now.png"])
    with Image.open(golden) as before, Image.open(tmp_path / "now.png") as now:
        assert now.size == before.size
        difference = np.asarray(now.convert("RGB"), float) - np.asarray(before.convert("RGB"))
    assert np.sqrt((difference**2).mean()) < TOLERANCE
