"""The legend: correct numbers, and texts that never overlap."""

import re

import pytest
from conftest import FORMULAS, TUNED
from matplotlib.text import Text
from pictures import assert_tidy, shown

from optiviz import InputError, Surface, Trajectory
from optiviz.kinds.run import Recipe
from optiviz.kinds.size import Size
from optiviz.rendering.render import make_picture
from optiviz.surfaces.notation import terms
from optiviz.views.figure import Picture
from optiviz.views.legend import number
from optiviz.views.paths import DASHES
from optiviz.views.title import TITLE

# The formula of de-jong-5, which takes half a minute to differentiate, has a test of its own.
SURFACES = [name for name, each in FORMULAS.items() if each.dim == 2 and name != "de-jong-5"]
FOURTEEN = [*TUNED[:13], "newton"]
SIZES = [
    (480, 320),
    *(pytest.param(size, marks=pytest.mark.slow)
      for size in [(960, 640), (1200, 800), (540, 800), (1920, 1080), (640, 640)]),
]  # fmt: skip


def picture(surface: object, optimizers: object, **rest: object) -> Picture:
    return make_picture(Recipe(surface=surface, optimizers=optimizers, **rest))


def words(drawn: Picture) -> list[str]:
    return [text.get_text() for text in shown(drawn)]


def typeset(drawn: Picture) -> tuple[set[float], str]:
    """Return the heights of the lines of the formula, and it without spaces and dollar signs."""
    parts = [text for text in shown(drawn) if text.get_parse_math() and "$" in text.get_text()]
    written = "".join(text.get_text() for text in parts)
    return {text.get_position()[1] for text in parts}, re.sub(r"[ $]|{}", "", written)


def test_the_legend_shows_the_rate_and_the_current_loss_of_each() -> None:
    drawn = picture("wobbly", "adam,sgd:lr=0.0125:label=plain")
    for step in (0, 40, 125):
        drawn.update(step)
        said = words(drawn)
        assert {"Wobbly", "step", str(step), "of 125", "adam", "plain"} <= set(said)
        assert {"lr 0.25", "sgd  lr 0.0125"} <= set(said)
        for path in drawn.scene.trajectories:
            assert f"{path.losses[step]:#.4g}" in said


def test_a_tuned_rate_is_shown_as_such() -> None:
    drawn = picture("rosenbrock", "adam,sgd:lr=0.001,adam:beta1=0.8")
    tuned, given, other = drawn.scene.entries
    said = words(drawn)
    assert f"lr {tuned.trajectories[0].optimizer.lr:g} (tuned)" in said
    assert f"lr {other.trajectories[0].optimizer.lr:g} (tuned)  beta1 0.8" in said
    assert given.detail == "lr 0.001"
    assert tuned.trajectories[0].optimizer.lr == tuned.configured.tuning.best


@pytest.mark.parametrize("size", SIZES)
def test_names_numbers_and_verdicts_are_shown_however_many_there_are(size: tuple[int, int]) -> None:
    drawn = picture("himmelblau", ",".join(FOURTEEN), starts=[(-0.5, -1)], size=size)
    said = words(drawn)
    for entry in drawn.scene.entries:
        assert entry.heading in said
        assert f"{number(entry.values(80)[0], 4)}" in said
    assert any(each.startswith("ended") for each in said)


@pytest.mark.parametrize(
    ("value", "digits", "written"),
    [
        (3.5, 4, "3.500"), (1990.4, 4, "1990"), (24776.6, 4, "24777"), (-24776.6, 3, "-24777"),
        (3.123e-5, 4, "3.12e-5"), (-1.5e12, 4, "-1.50e12"), (0.0, 4, "0.000"), (1, 3, "1.00"),
        (0.0007219, 4, "7.22e-4"),
    ],
)  # fmt: skip
def test_a_number_is_written_short(value: float, digits: int, written: str) -> None:
    assert number(value, digits) == written


def test_given_settings_are_shown() -> None:
    said = words(picture("wobbly", "adam:lr=0.1,adam:beta1=0.8"))
    assert said.count("adam") == 2
    assert {"lr 0.1", "lr 0.25  beta1 0.8"} <= set(said)


@pytest.mark.slow
def test_what_does_not_fit_is_left_out_in_order() -> None:
    five, shown = "sgd,momentum,nesterov,rmsprop,adam", []
    for size in [(1200, 800), (960, 640), (480, 320), (300, 200)]:
        drawn = picture("wobbly", five, size=size)
        said = words(drawn)
        assert set(five.split(",")) <= set(said)
        key = "start" in said
        formula = any("mathrm{sin}" in each for each in said)
        shown.append((key, formula, any(each.startswith("lr ") for each in said)))
    assert shown == [
        (True, True, True),
        (True, True, True),
        (False, True, False),
        (False, False, False),
    ]


def test_settings_stand_beneath_the_names_where_they_are_long() -> None:
    drawn = picture("wobbly", "adam:beta1=0.8:beta2=0.99:eps=0.001,sgd")
    places = {text.get_text(): text.get_position() for text in shown(drawn)}
    detail = next(said for said in places if "beta1 0.8" in said)
    assert places[detail][0] == places["adam"][0] and places[detail][1] < places["adam"][1]
    assert detail == "lr 0.25  beta1 0.8  beta2 0.99  eps 0.001"


@pytest.mark.slow
def test_the_marks_that_stand_still_are_explained() -> None:
    assert {"start", "minimum"} <= set(words(picture("wobbly", "adam")))
    unknown = Surface(formula="x + y", domain="-1:1,-1:1")
    assert "minimum" not in words(picture(unknown, "adam"))
    assert "out of view" in words(picture("wobbly", "rmsprop:lr=0.5"))
    assert "out of view" not in words(picture("wobbly", "adam"))


@pytest.mark.slow
def test_the_line_styles_of_several_starts_are_explained() -> None:
    said = words(picture("bowl", "adam,sgd", starts=[(1, -2.5), (-2, 1)]))
    assert {"from 1, −2.5", "from −2, 1"} <= set(said)
    for starts in ([(1, 1)], [(1, 0.1 * each) for each in range(len(DASHES) + 1)]):
        said = words(picture("bowl", "adam,sgd", starts=starts))
        assert not any(each.startswith("from ") for each in said)


def test_a_long_title_wraps() -> None:
    title = "A title that nobody would cut because all of it matters"
    for size in [(960, 640), (480, 320), (600, 800)]:
        drawn = picture("wobbly", "adam", title=title, size=size)
        lines = [text for text in shown(drawn) if text.get_fontsize() == TITLE]
        assert " ".join(text.get_text() for text in lines) == title
        assert len({text.get_position()[1] for text in lines}) == len(lines) > 1


@pytest.mark.sample(1)
@pytest.mark.parametrize("title", ["$", "a*b ** c", "5 $ and 6 $", r"$\nonsense{$", "x_1^2"])
def test_a_title_and_a_label_are_shown_as_they_were_written(title: str) -> None:
    drawn = picture("wobbly", f"adam:label={title}", title=title)
    drawn.figure.canvas.draw()
    assert words(drawn).count(title) == 2


@pytest.mark.parametrize("where", ["title", "label"])
def test_letters_that_no_font_has_are_refused(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optiviz.views.fonts.families", lambda: ["DejaVu Sans"])
    fields = {"title": "a字b"} if where == "title" else {}
    with pytest.raises(InputError, match="'a字b': no font on this machine has 字"):
        picture("wobbly", "adam:label=a字b" if where == "label" else "adam", **fields)


def test_a_formula_too_long_for_a_title_stands_beneath_it() -> None:
    long = Surface(formula=" + ".join(["sin(3*x)*cos(y)"] * 9), domain="-1:1,-1:1")
    said = words(picture(long, "adam"))
    assert "f(x, y)" in said
    assert "".join(said).count(r"\mathrm{sin}(3\,x)\,\mathrm{cos}(y)") == 9


def test_a_formula_that_no_line_holds_is_cut() -> None:
    rests = "+".join(f"1/(1+(x+{32 - 3 * place})**6+(y+32)**6)" for place in range(9))
    foxholes = Surface(formula=f"1/(0.002+{rests})", domain="-50:50,-50:50")
    heights, written = typeset(picture(foxholes, "adam", title="nine foxholes"))
    assert len(heights) == 1
    assert written.startswith("1/(0.002+1/(1+(x+32)^{6}") and written.endswith(r"+\ldots")


def test_a_term_that_no_line_holds_is_broken_at_its_signs() -> None:
    heights, written = typeset(picture("tightening-ring", "sgd:lr=0.1", size=(480, 320), steps=1))
    assert len(heights) == 2
    assert written == "".join(terms(FORMULAS["tightening-ring"].formula)).replace(" ", "")


def test_a_formula_without_a_title_is_the_title() -> None:
    drawn = picture(Surface(formula="x**2 + 3*y**2", domain="-1:1,-1:1"), "adam")
    assert "".join(words(drawn)).count(r"$x^{2}$${} + 3\,y^{2}$") == 1


def test_several_starts_show_the_range_of_their_losses() -> None:
    drawn = picture("wobbly", "adam", starts=[(1, 1), (-2, 0)])
    losses = sorted(path.losses[-1] for path in drawn.scene.trajectories)
    assert f"{losses[0]:#.3g} to {losses[1]:#.3g}" in words(drawn)


def test_a_divergence_is_said_from_its_step_on() -> None:
    drawn = picture("beale", "sgd:lr=10,adam:lr=0.1")
    (end, _) = (path.diverged_at for path in drawn.scene.trajectories)
    assert end is not None
    for step in (0, end - 1):
        drawn.update(step)
        assert not any("diverged" in said for said in words(drawn))
    for step in (end, drawn.scene.steps):
        drawn.update(step)
        assert f"diverged at step {end}  lr 10" in words(drawn)


def test_a_missing_gradient_is_said() -> None:
    cone = Surface(formula="sqrt(x**2 + y**2)", domain="-1:1,-1:1", start=(0, 0))
    drawn = picture(cone, "sgd:lr=0.01")
    drawn.update(0)
    assert "no gradient at step 0  lr 0.01" in words(drawn)


def test_a_climb_is_said_in_the_last_step() -> None:
    drawn = picture("himmelblau", "newton,sgd", starts=[(-0.5, -1)])
    assert "ended at a maximum  lr 1" in words(drawn)
    drawn.update(drawn.scene.steps - 1)
    assert "lr 1" in words(drawn)


def test_an_end_outside_the_picture_is_said() -> None:
    slope = Surface(formula="x + y", domain="-1:1,-1:1", start=(0, 0))
    drawn = picture(slope, "sgd:lr=0.1", steps=11)
    for step, said in [(10, "lr 0.1"), (11, "left the window  lr 0.1")]:
        drawn.update(step)
        assert said in words(drawn)
    assert "lr 0.1" in words(picture(slope, "sgd:lr=0.1", steps=10))


def test_of_several_starts_the_number_that_went_wrong_is_said() -> None:
    drawn = picture("himmelblau", "newton", starts=[(-0.5, -1), (3.1, 2.1), (-0.2, -0.9)])
    assert "2 of 3 ended at a maximum  lr 1" in words(drawn)
    slope = Surface(formula="x + y", domain="-1:1,-1:1")
    drawn = picture(slope, "sgd:lr=0.1", starts=[(0, 0), (0.9, 0.9)], steps=12)
    assert "1 of 2 left the window  lr 0.1" in words(drawn)


FIVE = "adam,rmsprop,nesterov,adagrad,adadelta"


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", SURFACES)
def test_words_do_not_overlap_and_are_legible_at_480_pixels(name: str) -> None:
    recipe = Recipe(surface=name, optimizers=FIVE)
    scene = recipe.make_scene()
    for size in [(540, 800), (480, 320)]:  # the widest pictures have the most room
        drawn = make_picture(recipe.model_copy(update={"size": Size(*size)}), scene)
        assert_tidy(drawn)
    pixels = {t.get_text(): t.get_fontsize() * drawn.figure.dpi / 72 for t in shown(drawn)}
    formula = {said for said in pixels if said.startswith("$")}
    assert all(size >= 7 for size in pixels.values())
    assert all(size >= 8.8 for said, size in pixels.items() if said not in formula)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("surface", "optimizers", "rest"),
    [
        ("wobbly", ",".join(FOURTEEN), {}),
        ("hills-and-canyon", "smoothed-nesterov:lr=0.001:momentum=0.95:points=8", {}),
        ("wobbly", "adam:label=A very long label that nobody would write:beta1=0.85", {}),
        ("wobbly", "adam,sgd", {"title": "A title that goes on and on " * 5}),
        ("wobbly", "adam,momentum:lr=0.9", {"random_starts": 9}),
        ("beale", "sgd:lr=10,momentum", {}),
    ],
)
def test_words_do_not_overlap_in_hard_cases(
    surface: str, optimizers: str, rest: dict[str, object], size: tuple[int, int]
) -> None:
    assert_tidy(picture(surface, optimizers, size=size, **rest))


def test_a_large_number_of_steps_has_room() -> None:
    long = Trajectory.of([[1, 1], [0.5, 0.5]], "recorded", steps=[0, 100_000])
    drawn = picture("bowl", (), tracks=long, size=(240, 160))
    assert_tidy(drawn)
    assert "100000" in words(drawn)


def test_a_caption_breaks_between_conditions_and_greek_names_are_letters() -> None:
    surface = Surface(
        formula="(mu - 1)**2 + sigma**2", domain="0:3,0:3", start=(2, 1),
        constraints=["mu + sigma <= 4", "0 <= mu", "0.5 <= sigma"],
    )  # fmt: skip
    drawn = picture(surface, "projected-gradient", size=(480, 320), density=20)
    said = " ".join(words(drawn))
    for part in ("mu + sigma ≤ 4,", "0 ≤ mu,", "0.5 ≤ sigma,", "density exp(−f/T),", "T = 20"):
        assert sum(part in line for line in words(drawn)) == 1, said
    assert {"μ", "σ"} <= {text.get_text() for text in drawn.figure.findobj(Text)}
