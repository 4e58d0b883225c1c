"""What `explore` returns: a notebook shows the page that is saved."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import Invoke

import optiviz
from optiviz.registry import FORMATS, fits

FIELDS = {"steps": 5, "presets": {"diverges": "sgd:lr=1.05"}}
WORDS = ("run", "--surface", "bowl", "--opt", "sgd:lr=0.1,adam:lr=0.2", "--steps", "5")


def made() -> "optiviz.rendering.explorer.Explorer":
    return optiviz.explore("bowl", "sgd:lr=0.1,adam:lr=0.2", **FIELDS)


class Frame(HTMLParser):
    """The elements and attributes of what a notebook shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.mark.slow
def test_it_saves_what_the_command_line_writes(here: Path, invoke: Invoke) -> None:
    made().save(here / "pages" / "x.html")
    assert invoke(*WORDS, "--preset", "diverges: sgd:lr=1.05", "-o", "y.html").exit_code == 0
    assert (here / "pages" / "x.html").read_bytes() == (here / "y.html").read_bytes()


def test_a_notebook_shows_the_page_in_one_frame_that_reaches_nothing(here: Path) -> None:
    explorer = made()
    explorer.save("x.html")
    frame = Frame(explorer._repr_html_())
    ((tag, attributes),) = frame.elements
    assert (tag, frame.texts) == ("iframe", [])
    assert attributes["srcdoc"] == (here / "x.html").read_text("utf-8")
    assert attributes["sandbox"] == "allow-scripts"
    assert attributes["title"] == "Bowl: sgd lr 0.1, adam lr 0.2"


def test_the_page_is_made_once_and_only_when_it_is_asked_for(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []
    real = optiviz.render
    monkeypatch.setattr(
        "optiviz.rendering.explorer.render",
        lambda recipe, path: calls.append(path) or real(recipe, path),
    )
    explorer = made()
    assert not calls
    assert explorer._repr_html_() == explorer._repr_html_()
    explorer.save("x.html")
    assert len(calls) == 1


@pytest.mark.slow
def test_hostile_names_stay_text(here: Path) -> None:
    hostile = '"></iframe><script>alert(1)</script>'
    explorer = optiviz.explore("bowl", "sgd:lr=0.1", title=hostile, steps=3)
    ((tag, attributes),) = Frame(explorer._repr_html_()).elements
    assert tag == "iframe"
    assert str(attributes["title"]).startswith(hostile)


@pytest.mark.parametrize(
    "suffix", [each for each in FORMATS if fits(each, optiviz.Recipe.formats) and each != ".html"]
)
def test_what_is_no_page_is_refused(suffix: str, here: Path) -> None:
    with pytest.raises(
        optiviz.InputError, match=rf"x{suffix}: a page is no .*: use optiviz.render"
    ):
        made().save(f"x{suffix}")
    assert not list(here.iterdir())


def test_what_a_page_cannot_show_is_told_at_once() -> None:
    with pytest.raises(optiviz.InputError, match="^a page cannot show rate"):
        optiviz.explore("bowl", "sgd", view="rate")
    with pytest.raises(optiviz.InputError, match="unknown optimizer 'sdg'"):
        optiviz.explore("bowl", "sdg")
