"""Where a score differs from that of a file."""

import json
from pathlib import Path
from typing import Any

import pytest

from optiviz.scoring.comparison import ScoreFile, comparison, read_score
from optiviz.system.errors import InputError


def score(**changed: Any) -> dict[str, Any]:
    runs = [
        {"problem": name, "starts": [{"gaps": [1.0, 0.5, low]}, {"gaps": [1.0, None, None]}]}
        for name, low in (("beale", 0.25), ("bowl", 0.125))
    ]
    return {
        "machine": "Linux x86_64",
        "versions": {"numpy": "2.1.0", "python": "3.12.1"},
        "shares": [0.01, 0.1, 1.0],
        "problems": [{"name": name, "budget": 200} for name in ("beale", "bowl")],
        "scores": [{"label": label, "runs": runs} for label in ("adam", "sgd")],
        "recipe": {"kind": "score"},
    } | changed


def compared(there: dict[str, Any], here: dict[str, Any]) -> tuple[str, ...]:
    return comparison("x.json", *map(ScoreFile.model_validate, (there, here)))


def test_the_first_number_that_differs_is_told_with_machine_and_versions() -> None:
    assert compared(score(), score()) == ("x.json has 8 runs of these, which are the same",)
    there = json.loads(json.dumps(score(machine="Darwin arm64", versions={"numpy": "2.0.0"})))
    (adam, _) = there["scores"]
    adam["runs"][0]["starts"][0]["gaps"][2] = 0.26
    adam["runs"][1]["starts"][1]["gaps"][1:] = [0.5, 0.2]
    assert compared(there, score()) == (
        "2 of 8 runs differ from x.json, made on Darwin arm64 (here Linux x86_64) with numpy 2.0.0 "
        "(here 2.1.0), python unknown (here 3.12.1)",
        "adam: first after 20 evaluations on bowl from start 1: "
        "a gap of 0.5, here no finite number",
    )


def test_only_the_same_runs_are_compared() -> None:
    other = score(problems=[{"name": "beale", "budget": 100}, {"name": "bowl", "budget": 200}])
    assert compared(other, score()) == ("x.json has 4 runs of these, which are the same",)
    assert compared(score(scores=[]), score()) == (
        "x.json has no run of these optimizers on these problems and budgets",
    )


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"shares": ["a"]}', ""])
def test_another_file_is_refused_in_one_sentence(text: str, here: Path) -> None:
    Path("x.json").write_text(text)
    with pytest.raises(InputError, match=r"^x\.json(:| is no score: name a file of)"):
        read_score("x.json")
    Path("x.json").write_text(json.dumps(score()))
    assert read_score("x.json").scores[0].label == "adam"
