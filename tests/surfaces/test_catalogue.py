"""Every entry of surfaces.yaml, and what a user's own file may contain."""

import pickle
from itertools import product
from pathlib import Path

import mpmath
import numpy as np
import pytest
from conftest import CATALOGUE, FORMULAS

import optiviz
from optiviz.registry import OPTIMIZERS
from optiviz.surfaces.catalogue import Catalogue, bundled_surface, find_surface, load_catalogue
from optiviz.surfaces.domain import Domain
from optiviz.surfaces.index import read_index, tagged, write_index
from optiviz.surfaces.surface import Surface
from optiviz.system.errors import InputError
from optiviz.system.yaml import Document

every_surface = pytest.mark.parametrize("surface", CATALOGUE.values(), ids=CATALOGUE)
every_formula = pytest.mark.parametrize("surface", FORMULAS.values(), ids=FORMULAS)
TAGS = {"convex", "valley", "saddle", "many-minima", "plateau", "kinked", "unbounded"}
TAGS |= {"one-dimension", "activation", "network", "matrix", "fit"}
WORDS = {name: getattr(mpmath, name) for name in ("sin", "cos", "exp", "sqrt")} | {
    "abs": mpmath.fabs,
    "pi": mpmath.pi,
    "log": mpmath.log,
    "tanh": mpmath.tanh,
    "max": max,
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "where": lambda holds, one, other: one if holds else other,
}


@pytest.mark.sample(6)
@every_formula
def test_gradient_and_hessian_are_the_slopes_at_30_digits(surface: Surface) -> None:
    def exact(*point: mpmath.mpf) -> mpmath.mpf:
        return eval(surface.formula, words, dict(zip(names, point, strict=True)))

    words, names = WORDS | dict(surface.params), surface.variables or ("x", "y")[: surface.dim]
    orders = [tuple(row) for row in np.eye(surface.dim, dtype=int)]
    rng = np.random.default_rng(0)
    low, high = np.transpose(surface.window.intervals)
    with mpmath.workdps(30):
        for point in rng.uniform(low, high, (5, surface.dim)):
            slopes = [float(mpmath.diff(exact, tuple(point), order)) for order in orders]
            np.testing.assert_allclose(surface.gradient(point), slopes, rtol=1e-9, atol=1e-12)
            curves = [
                [float(mpmath.diff(exact, tuple(point), np.add(a, b).tolist())) for a in orders]
                for b in orders
            ]
            np.testing.assert_allclose(surface.hessian(point), curves, rtol=1e-9, atol=1e-9)


@pytest.mark.sample(20)
@every_formula
def test_listed_minima_are_minima(surface: Surface) -> None:
    """No point nearby is lower; the slope is 0, undefined, or upwards on both sides of a kink.

    At the window's edge, the surface may descend out of the window.
    """
    low, high = np.transpose(surface.window.intervals)
    assert bool(surface.minima) == ("unbounded" not in surface.tags)
    for minimum in np.array(surface.minima):
        assert ((low <= minimum) & (minimum <= high)).all()
        value = float(surface.value(minimum))
        slack = 1e-12 * max(1.0, abs(value))
        around = minimum + 1e-3 * np.random.default_rng(0).normal(size=(200, surface.dim))
        assert (surface.value(np.clip(around, low, high)) >= value - slack).all()
        with np.errstate(all="ignore"):
            slopes = surface.gradient(minimum)
        for axis, slope in enumerate(slopes):
            step = 1e-7 * (high - low)[axis] * np.eye(surface.dim)[axis]
            outwards = (slope < 0 and minimum[axis] == high[axis]) or (
                slope > 0 and minimum[axis] == low[axis]
            )
            kink = "kinked" in surface.tags and all(
                surface.value(minimum + side) > value for side in (step, -step)
            )
            flat = abs(slope) < 1e-6 * max(1.0, abs(value)) or np.isnan(slope)
            assert flat or kink or outwards, (minimum, axis, slope)


@every_formula
def test_tags_are_of_the_list_and_true(surface: Surface) -> None:
    assert surface.tags
    assert set(surface.tags) <= TAGS
    assert ("one-dimension" in surface.tags) == (surface.dim == 1)
    low, high = np.transpose(surface.window.intervals)
    one, other = np.random.default_rng(0).uniform(low, high, (2, 1000, surface.dim))
    chord = (surface.value(one) + surface.value(other)) / 2
    above = surface.value((one + other) / 2) - chord
    if "convex" in surface.tags:
        assert (above <= 1e-12 * np.abs(chord)).all()
        assert len(surface.minima) == ("unbounded" not in surface.tags)
    else:
        assert above.max() > 0


@pytest.mark.sample(2)
@pytest.mark.parametrize("surface", FORMULAS.values(), ids=FORMULAS)
def test_what_is_tagged_kinked_has_a_slope_that_jumps(surface: Surface) -> None:
    """On a smooth surface, the slopes of neighbours on a line differ less the closer they are.

    The lines go through random points and minima, each in a random direction.
    """
    low, high = np.transpose(surface.window.intervals)
    rng = np.random.default_rng(1)
    centres = [*rng.uniform(low, high, (6, surface.dim)), *np.array(surface.minima)[:4]]
    ratios = []
    for centre in centres:
        direction = rng.normal(size=surface.dim) * (high - low)
        jumps = []
        for number in (40_000, 160_000):  # even: skips the centre, where a cone has no slope
            line = centre + np.linspace(-0.5, 0.5, number)[:, None] * direction
            line = line[((low <= line) & (line <= high)).all(axis=-1)]
            with np.errstate(all="ignore"):
                slopes = surface.gradient(line)
            jumps.append(np.nanmax(np.abs(np.diff(slopes, axis=0)), initial=0.0))
        ratios.append(jumps[1] / jumps[0] if jumps[0] else 0.0)
    assert (max(ratios) > 0.8) == ("kinked" in surface.tags), max(ratios)


@pytest.mark.sample(20)
@every_formula
def test_what_is_tagged_many_minima_has_them(surface: Surface) -> None:
    """The candidates are dips on a grid; without the tag, Newton's method follows each of them."""
    low, high = np.transpose(surface.window.intervals)
    axes = [np.linspace(*ends, 401) for ends in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    with np.errstate(all="ignore"):
        values = np.pad(surface.value(grid), 1, constant_values=-np.inf)
    inner = values[(slice(1, -1),) * surface.dim]
    dip = np.ones_like(inner, bool)
    for shift in product((-1, 0, 1), repeat=surface.dim):
        if any(shift):
            dip &= inner < values[tuple(slice(1 + s, (s - 1) or None) for s in shift)]
    if "many-minima" in surface.tags:
        assert dip.sum() > 1 or len(surface.minima) > 1
        return
    found = set()
    for x in grid[dip]:
        for _ in range(30):
            with np.errstate(all="ignore"):
                slope, curvature = surface.gradient(x), surface.hessian(x)
            if not np.isfinite([*slope, *curvature.flat]).all():
                break
            bends, axes = np.linalg.eigh(curvature)
            if bends.min() <= 0:
                break
            x = x - axes @ (axes.T @ slope / bends)
        else:
            if ((low < x) & (x < high)).all():
                found.add(tuple(np.round(x, 4) + 0.0))
    assert len(found) <= 1, found


@every_surface
def test_an_entry_says_where_it_comes_from(surface: Surface) -> None:
    assert surface.source
    assert surface.title
    assert surface.steps


@every_formula
def test_the_start_is_in_the_window(surface: Surface) -> None:
    for (low, high), coordinate in zip(surface.window.intervals, surface.start, strict=True):
        assert low <= coordinate <= high


@every_surface
def test_rates_are_of_optimizers_that_exist(surface: Surface) -> None:
    assert {name for name, _ in surface.learning_rates} <= set(OPTIMIZERS)


@every_formula
def test_pickles_as_its_declaration(surface: Surface) -> None:
    surface.value(np.array(surface.start))
    assert pickle.loads(pickle.dumps(surface)) == surface
    assert len(pickle.dumps(surface)) < 5000


@every_surface
def test_goes_to_json_and_back(surface: Surface) -> None:
    assert Surface.model_validate_json(surface.model_dump_json()) == surface
    assert hash(surface) == hash(surface.model_copy())


def test_the_surfaces_that_were_promised_are_there() -> None:
    promised = (
        "wobbly basins-and-walls plateau giant-plateau hills-and-canyon two-minimums bad-init"
    )
    promised += " bowl ripple ellipse beale-like-ellipse beale parabola parabola-cosine cosine"
    for name in promised.split():
        assert optiviz.load_surface(name).formula


def test_aliases_are_the_same_surface() -> None:
    assert optiviz.load_surface("bad-init") == optiviz.load_surface("two-minimums")


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(InputError, match="unknown surface 'wobly': did you mean 'wobbly'"):
        optiviz.load_surface("wobly")


def write(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_own_file_lies_on_top_of_ours(tmp_path: Path) -> None:
    mine = write(
        tmp_path,
        "bowl:\n  formula: x**2\n  domain: {x: [-1, 1]}\n"
        "my-valley:\n  title: Mine\n  formula: x**2 + 1e-3*y**2\n"
        "  domain: {x: [-1, 1], y: [-20, 20]}\n  start: [1, 15]\n  aliases: [mine]\n",
    )
    assert optiviz.load_surface("bowl", mine).dim == 1
    assert optiviz.load_surface("mine", mine).title == "Mine"
    assert optiviz.load_surface("wobbly", mine) == optiviz.load_surface("wobbly")
    assert optiviz.load_surface("bowl").dim == 2


def test_what_is_absent_has_a_default(tmp_path: Path) -> None:
    mine = write(tmp_path, "my-valley:\n  formula: x*y\n  domain: {x: [0, 10], y: [0, 10]}\n")
    valley = optiviz.load_surface("my-valley", mine)
    assert (valley.title, valley.start, valley.steps) == ("My valley", (1.0, 2.0), None)


BOMB = "k0: &k0 [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"k{n}: &k{n} [{', '.join([f'*k{n - 1}'] * 9)}]\n" for n in range(1, 9)
) + "k: &k [*k8]\n"  # fmt: skip
MERGES = "m0: &m0 {x: 1}\n" + "".join(
    f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 20)}]}}\n" for n in range(1, 9)
)


@pytest.mark.sample(12)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: {formula: x, domian: {x: [0, 1]}}", "1:17: a.domian: unknown key 'domian': did you"),
        ("a: {formula: x}", "1:1: a.domain: required, but missing"),
        (
            "a:\n  formula: x\n  domain: {x: [3, 1]}",
            "3:12: a.domain.x: the interval of x must increase",
        ),
        (
            "a:\n  formula: x\n  domain: {x: [0, 1]}\n  start: [0, 1]",
            "4:3: a.start: 0, 1 has 2 coordinates, but the domain has 1",
        ),
        (
            "a:\n  formula: x*y\n  domain: {x: [0, 1], y: [0, 1]}\n  minima:\n"
            "    - [0, 1]\n    - [0]",
            "6:7: a.minima.1: 0 has 1 coordinate, but the domain has 2",
        ),
        (
            "a:\n  formula: x*y\n  domain: {x: [0, 1]}",
            "2:3: a.formula: formula 'x*y': uses y, but the domain has no interval for it: "
            "add one, as in -3:3,-3:3",
        ),
        (
            "a:\n  domain: {x: [0, 1]}\n  formula: sinn(x)",
            "3:3: a.formula: formula 'sinn(x)': unknown function 'sinn': did you mean 'sign'",
        ),
        (
            "a:\n  formula: x\n  domain: {x: [0, 1]}\n  learning-rates: {sgd: 1}",
            "4:3: a.learning-rates: unknown key 'learning-rates': did you mean 'learning_rates'?",
        ),
        (
            "a: {formula: x, domain: {x: [0, 1], z: [0, 1]}}",
            "1:37: a.domain.z: unknown key 'z': choose from x, y",
        ),
        ("a: {formula: x, domain: 3}", "a.domain: 3 is not a valid domain: write {x: [-3"),
        (
            "a: {formula: x, domain: {x: [0, 1, 2]}}",
            "a.domain.x: at most 2 values are allowed, not 3",
        ),
        ("a: {formula: x, domain: {x: 1}}", "a.domain.x: must be a list, not 1"),
        ("a: {formula: x, domain: {x: [true, '1']}}", "a.domain.x.0: must be a number, not true"),
        ("a: {formula: x, domain: {x: [0, 1]}, steps: '10'}", "a.steps: must be a number, not '"),
        ("a: {formula: x, domain: {x: [0, 1]}, steps: 1.5}", "a.steps: must be a whole number"),
        ("a: {formula: 3, domain: {x: [0, 1]}}", "a.formula: must be text, not 3"),
        ("a: {formula: x, domain: {x: [0, 1]}, title: null}", "must be text, not nothing"),
        (
            "a: {formula: x, domain: {x: [0, 1]}, learning_rates: {adm: 1, sgd: .inf}}",
            "a.learning_rates: unknown optimizer 'adm': did you mean 'adam'?; "
            "sgd must be a number above 0, not inf",
        ),
        ("a: {formula: x, domain: {x: [0, 1]}, learning_rates: [1]}", "must be a mapping from o"),
        (
            "a: {formula: x, domain: {x: [0, 1]}, aliases: [b]}\nb: 3",
            "1:48: a.aliases.0: 'b' is taken by b",
        ),
        (
            "a: {formula: x, domain: {x: [0, 1]}, aliases: [c, c]}",
            "a.aliases.1: 'c' is used twice in this entry",
        ),
        (
            "a: {formula: x, domain: {x: [0, 1]}, aliases: [a]}",
            "a.aliases.0: 'a' is used twice in this entry",
        ),
        ("a: {name: b, formula: x, domain: {x: [0, 1]}}", "1:5: a.name: is not allowed: the"),
        ("'': {formula: x, domain: {x: [0, 1]}}", "the surface has no name"),
        ("a: 3\ntrue: {formula: x, domain: {x: [0, 1]}}", "2:1: true.name: must be text"),
        ('"a\\e[31m\\nb": {formula: x, domain: {x: [0, 1]}}', "1:1: 'a\\x1b[31m\\nb'.name: "),
        ("a: {formula: x, domain: {x: [0, 1]}, tags: [Big One]}", "a.tags.0: must consist of"),
        ("a: {formula: x, domain: {x: [0, 1]}, start: [.nan]}", "a.start.0: must be a finite"),
        (
            "a: {formula: x, domain: {x: [0, 1]}, steps: 0}",
            "a.steps: must be greater than or equal to 1",
        ),
        ("a: {formula: x, domain: {x: [0, 1]}, levels: [2, 1]}", "a.levels: must increase"),
        (
            "a: {formula: x, domain: {x: [0, 1]}, learning_rates: {sgd: -1}}",
            "1:38: a.learning_rates: sgd must be a number above 0, not -1",
        ),
        ("A b: {formula: x, domain: {x: [0, 1]}}", "single hyphens, not 'A b'"),
        ("a: 3", "1:1: a: must be a mapping, not "),
        ("a:", "1:1: a: must be a mapping, not "),
        ("- a", "a catalogue must map names"),
        ("", "a catalogue must map names"),
        ("a: {formula: x, formula: y}", "found duplicate key"),
        ("a: [", "mine.yaml:1:5: "),
        ("a: !!python/object:os.system x", "1:4: the tag python/object:os.system is not allowed"),
        ("a: 1\n---\nb: 2", "expected a single document"),
        ("a:\n\tb: 1", "mine.yaml:2:1: "),
        ("[" * 100000, "nested too deeply"),
        ("a: !!bool abc", "not valid YAML"),
        ('a: !!int ""', "not valid YAML"),
        ("a: &a [*a]", "aliases expand"),
        (BOMB, "aliases expand"),
        (BOMB + "s:\n  formula: x\n  minima: *k", "aliases expand"),
        (MERGES, "aliases expand"),
        ("a: {formula: x, domain: {x: [0, 1]}, steps: 1000001}", "less than or equal to 1000000"),
        ("a: {formula: x, domain: {x: [0, 1.0e+200]}}", "too wide"),
        ("a: {formula: x, domain: {x: [1, 1.0000000000001]}}", "too narrow"),
        ('a: {formula: x, domain: {x: [0, 1]}, title: "\\ud800"}', "unprintable character"),
        ('a: {formula: x, domain: {x: [0, 1]}, title: "\\e[31m"}', "unprintable character"),
        ("a: {formula: x, domain: {x: [0, 1]}, aliases: [wobbly]}", "'wobbly' is taken by wobbly"),
        (
            "a: {formula: x, domain: {x: [0, 1]}, aliases: [c]}\n"
            "b: {formula: x, domain: {x: [0, 1]}, aliases: [c]}",
            "2:48: b.aliases.0: 'c' is taken by a",
        ),
    ],
)
def test_a_wrong_file_is_told_where(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        load_catalogue(write(tmp_path, text), OPTIMIZERS)
    assert said in str(refused.value)
    assert str(tmp_path) in str(refused.value)


def faults(mine: Path) -> list[str]:
    """Return the errors of a file, each beginning with its line number."""
    with pytest.raises(InputError) as refused:
        load_catalogue(mine)
    return [line.removeprefix(f"{mine}:") for line in str(refused.value).splitlines()]


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    mine = write(
        tmp_path,
        "a: 3\nb: {formula: x}\n"
        "c:\n  formula: x + q\n  domain: {x: [1, 0]}\n  start: [a]\n  levles: [1]\n"
        "  steps: 0\n  aliases: [wobbly]\n",
    )
    assert faults(mine) == [
        "1:1: a: must be a mapping, not 3",
        "2:1: b.domain: required, but missing",
        "5:12: c.domain.x: the interval of x must increase, not go from 1 to 0",
        "4:3: c.formula: formula 'x + q': 'q' is not a variable beside x and y: "
        "name all with --variables q,x, or set it with --param q=1",
        "6:11: c.start.0: must be a number, not 'a'",
        "8:3: c.steps: must be greater than or equal to 1, not 0",
        "7:3: c.levles: unknown key 'levles': did you mean 'levels'?",
        "9:13: c.aliases.0: 'wobbly' is taken by wobbly",
    ]


def test_a_wrong_domain_hides_no_other_fault(tmp_path: Path) -> None:
    mine = write(
        tmp_path,
        "a:\n  formula: x*y\n  domain: {x: [1, 0]}\n  start: [0, 1]\n  minima: [[0], [1, 1]]\n"
        "b: &b\n  formula: x*y\n  domain: [[1, 0], [0, 1]]\n  start: [0]\n"
        "c: {<<: *b, start: [0, 0, 0]}\n"
        "d: {formula: x + z, domain: '3:-3,0:1', start: [1]}\n",
    )
    assert faults(mine) == [
        "3:12: a.domain.x: the interval of x must increase, not go from 1 to 0",
        "2:3: a.formula: formula 'x*y': uses y, but the domain has no interval for it: "
        "add one, as in -3:3,-3:3",
        "4:3: a.start: 0, 1 has 2 coordinates, but the domain has 1",
        "5:17: a.minima.1: 1, 1 has 2 coordinates, but the domain has 1",
        "8:3: b.domain.x: the interval of x must increase, not go from 1 to 0",
        "9:3: b.start: 0 has 1 coordinate, but the domain has 2",
        "8:3: c.domain.x: the interval of x must increase, not go from 1 to 0",
        "10:13: c.start: 0, 0, 0 has 3 coordinates, but the domain has 2",
        "11:21: d.domain.x: the interval of x must increase, not go from 3 to -3",
        "11:5: d.formula: formula 'x + z': 'z' is not a variable beside x and y: "
        "name all with --variables x,z, or set it with --param z=1",
        "11:41: d.start: 1 has 1 coordinate, but the domain has 2",
    ]


def test_a_replaced_surface_takes_its_aliases_along(tmp_path: Path) -> None:
    mine = write(tmp_path, "two-minimums: {formula: x, domain: {x: [0, 1]}, aliases: [ellipsoid]}")
    catalogue = load_catalogue(mine)
    assert catalogue["ellipsoid"].dim == 1
    with pytest.raises(InputError, match="unknown surface 'bad-init'"):
        catalogue["bad-init"]
    mine = write(tmp_path, "bad-init: {formula: x, domain: {x: [0, 1]}}")
    assert load_catalogue(mine)["bad-init"].dim == 1
    assert load_catalogue(mine)["two-minimums"].dim == 2


def test_a_formula_may_stand_on_several_lines(tmp_path: Path) -> None:
    mine = write(tmp_path, "a:\n  formula: |\n    x**2\n    + 1\n  domain: {x: [0, 1]}\n")
    assert load_catalogue(mine)["a"].formula == "x**2 + 1"


@pytest.mark.slow
def test_many_faults_are_told_in_time(tmp_path: Path) -> None:
    mine = write(tmp_path, "".join(f"e{number}: 3\n" for number in range(20_000)))
    assert faults(mine)[-1] == "20000:1: e19999: must be a mapping, not 3"


def test_surfaces_are_found_by_their_tags() -> None:
    entries = load_catalogue().entries
    assert "rosenbrock" in {each.name for each in tagged(entries, ["valley"])}
    both = tagged(entries, ["valley", "kinked"])
    assert both
    assert all({"valley", "kinked"} <= set(each.tags) for each in both)
    assert tagged(entries, []) == entries
    with pytest.raises(InputError, match="unknown tag 'valey': did you mean 'valley'"):
        tagged(entries, ["valey"])


def test_an_alias_and_an_unknown_name_need_no_whole_catalogue(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = load_catalogue()
    write_index(whole.entries)
    assert read_index() == whole.entries
    monkeypatch.setattr(
        "optiviz.surfaces.catalogue.load_catalogue", lambda *_: pytest.fail("read whole")
    )
    monkeypatch.setattr(
        "optiviz.surfaces.catalogue._bundled_catalogue", lambda: pytest.fail("read whole")
    )
    for alias, name in whole.aliases.items():
        assert find_surface(alias) == whole.surfaces[name]
    with pytest.raises(InputError, match="unknown surface 'wobly': did you mean 'wobbly'"):
        find_surface("wobly")


def test_our_own_catalogue_is_read_without_its_formulas() -> None:
    """Parsing all 59 formulas would take a second; other tests parse them."""
    from optiviz.surfaces.formula import formula

    formula.cache_clear()
    load_catalogue.__globals__["_bundled_catalogue"].cache_clear()
    load_catalogue()
    assert formula.cache_info().currsize == 0


def test_yaml_is_1_2() -> None:
    catalogue = Catalogue()
    text = "'on':\n  formula: x\n  domain: {x: [-1e-3, 1e3]}\n  title: on\n"
    catalogue.add(Document(text, "text"))
    assert catalogue["on"].domain.x == (-0.001, 1000.0)
    assert catalogue["on"].title == "on"


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_bytes(b"a: \xff\xfe")
    with pytest.raises(InputError, match="not UTF-8"):
        load_catalogue(tmp_path / "bad.yaml")
    with pytest.raises(InputError, match="No such file"):
        load_catalogue(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="not a file"):
        load_catalogue(Path("/dev/zero"))
    (tmp_path / "large.yaml").write_text("#" * 5_000_000)
    with pytest.raises(InputError, match="must be at most"):
        load_catalogue(tmp_path / "large.yaml")


def test_an_anchor_may_be_used_again(tmp_path: Path) -> None:
    text = "a: {formula: x, domain: &d {x: [0, 1]}}\nb: {formula: x, domain: &d {x: [0, 2]}}\n"
    mine = write(tmp_path, text + "c: {formula: x, domain: *d}\n")
    assert optiviz.load_surface("c", mine).domain.x == (0, 2)


@pytest.mark.parametrize(
    "domain", ["-3:3,-2:2", [[-3, 3], [-2, 2]], {"x": (-3, 3), "y": (-2, 2)}, ((-3, 3), (-2, 2))]
)
def test_a_domain_may_be_written_in_several_ways(domain: object) -> None:
    assert Domain.model_validate(domain).intervals == ((-3, 3), (-2, 2))


def test_levels_and_rates_of_a_surface_are_kept() -> None:
    surface = Surface(formula="x", domain="0:1", levels=(1, 2), learning_rates={"sgd": 0.5})
    assert dict(surface.learning_rates) == {"sgd": 0.5}
    assert surface.levels == (1.0, 2.0)
    assert surface.distance_to_minimum((0.5,)) is None


@pytest.mark.parametrize("name", CATALOGUE)
def test_an_entry_read_by_itself_is_that_of_the_whole_catalogue(name: str) -> None:
    assert bundled_surface(name) == CATALOGUE[name]


@pytest.mark.parametrize("name", ["", "#", "title", "  title", "wobbly:", "wobbly:\n  title", ".*"])
def test_what_is_no_name_is_no_entry(name: str) -> None:
    assert bundled_surface(name) is None
