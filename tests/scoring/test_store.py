"""Results are kept by what they depend on, and a folder of others is left as it is."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_scores import made_scene

from optiviz.recipes.provenance import versions
from optiviz.scoring.results import Results
from optiviz.scoring.store import RECORD, Store, current_store, read_record, results_in
from optiviz.system.errors import InputError
from optiviz.system.plugins import script_hash

RESULTS = made_scene(optimizers=1).entries[0].results[0]
CONTENT = RESULTS.to_bytes()
RECIPE = json.dumps({"recipe": {"kind": "score"}, "versions": versions()})


def same(found: Results | None) -> bool:
    """Return whether results are those that were kept."""
    return found is not None and found.to_bytes() == CONTENT


def test_results_are_read_as_they_were_written(own_cache: Path, here: Path) -> None:
    current_store().write("ab.npz", CONTENT)
    assert same(current_store().read("ab.npz", Results.from_bytes))
    with results_in(here / "kept", RECIPE) as store:
        assert current_store() is store
        assert store.read("ab.npz", Results.from_bytes) is None
        store.begin()
        store.write("ab.npz", CONTENT)
    assert same(Store(here / "kept").read("ab.npz", Results.from_bytes))
    assert json.loads((here / "kept" / RECORD).read_text())["recipe"] == {"kind": "score"}
    assert np.array_equal(np.load(here / "kept/ab.npz")["gaps"], np.float32(RESULTS.gaps))
    assert current_store().folder is None


@pytest.mark.parametrize(
    "damaged",
    [
        *(b"", b"x", CONTENT[:100], CONTENT[:-60], CONTENT[:900] + b"1234" + CONTENT[904:]),
        replace(RESULTS, gaps=RESULTS.gaps[:1]).to_bytes(),
        replace(RESULTS, rates=RESULTS.rates.astype(str)).to_bytes(),
        replace(RESULTS, endings=RESULTS.endings + np.int8(9)).to_bytes(),
        replace(RESULTS, solved_with={}).to_bytes(),
        replace(RESULTS, cause=5).to_bytes(),  # type: ignore[arg-type]
    ],
    ids=[
        *("empty", "text", "beginning", "without its end", "changed", "a shape", "a type"),
        *("an ending", "something missing", "a number"),
    ],
)
def test_a_damaged_file_is_told_and_is_no_result(
    damaged: bytes, own_cache: Path, here: Path
) -> None:
    with results_in(here / "kept", RECIPE) as store:
        store.write("ab.npz", damaged)
        assert store.read("ab.npz", Results.from_bytes) is None
        assert store.damaged == [here / "kept/ab.npz"]
    Store().write("ab.npz", damaged)
    assert Store().read("ab.npz", Results.from_bytes) is None


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("notes.txt", "mine", "holds files, but no results"),
        (RECORD, "{", "is no record of a score"),
        (RECORD, "[1]", "is no record of a score"),
        (RECORD, RECIPE, "is no record of a score"),
        (RECORD, '{"format": 1, "versions": {"optiviz": "0.1"}}', "has results of optiviz 0.1,"),
        (
            RECORD,
            json.dumps({"format": 0, **json.loads(RECIPE)}),
            ", format 0, which are not mixed",
        ),
    ],
)
def test_a_folder_of_anything_else_is_left_alone(
    name: str, text: str, said: str, here: Path
) -> None:
    folder = here / "kept"
    folder.mkdir()
    (folder / name).write_text(text)
    with pytest.raises(InputError, match=said), results_in(folder, RECIPE):
        raise AssertionError
    assert [each.name for each in folder.iterdir()] == [name]
    assert (folder / name).read_text() == text


def test_a_new_folder_has_no_record_and_a_file_is_none(here: Path) -> None:
    assert read_record(here) is None
    assert read_record(here / "new") is None
    (here / "file").write_text("")
    with pytest.raises(InputError, match="is a file: name a folder"):
        read_record(here / "file")


def test_a_script_is_hashed_with_what_it_imports_beside_it(here: Path) -> None:
    texts = {
        "mine.py": "import numpy, helper\nfrom package.inner import f\nraise SystemExit\n",
        "helper.py": "import mine\n",
        "package/__init__.py": "",
        "package/inner.py": "from . import deeper\nfrom .other import g\n",
        "package/deeper.py": "",
        "package/other.py": "",
        "unrelated.py": "",
    }
    for name, text in texts.items():
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_text(text)
    first = script_hash("mine.py")
    changed = {}
    for name, text in texts.items():
        (here / name).write_text(f"{text}# changed\n")
        changed[name] = script_hash("mine.py") != first
        (here / name).write_text(text)
    assert changed == {name: name != "unrelated.py" for name in texts}
    assert script_hash(str(here / "mine.py")) == first
