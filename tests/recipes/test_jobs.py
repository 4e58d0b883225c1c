"""Jobs in YAML."""

from pathlib import Path
from typing import Any

import pytest

import optiviz
from optiviz.kinds.plot import PlotRecipe
from optiviz.kinds.run import Recipe
from optiviz.recipes.jobs import MAX_JOBS, Job, read_jobs
from optiviz.system.yaml import Document


def read(text: str) -> list[Job]:
    return read_jobs(Document(text, "jobs.yaml"))


def test_a_job_is_a_recipe_and_its_paths() -> None:
    job, other = read("""
        jobs:
          - {surface: wobbly, optimizers: adam, out: out/a.gif}
          - name: two
            kind: plot
            surfaces: [wobbly, {formula: x**2, domain: {x: [-1, 1]}}]
            out: [b.png, c.svg]
    """)
    recipe = Recipe(surface="wobbly", optimizers="adam")
    assert job[:3] == (recipe, (Path("out/a.gif"),), "a")
    assert (other.paths, other.name) == ((Path("b.png"), Path("c.svg")), "two")
    assert isinstance(other.recipe, PlotRecipe)


def test_defaults_lie_beneath_where_they_fit() -> None:
    run, plot, formula = read("""
        defaults: {surface: wobbly, optimizers: adam, fps: 5, theme: dark, out: "{name}.png"}
        jobs:
          - {name: a, fps: 6}
          - {name: b, kind: plot, surfaces: bowl}
          - {name: c, formula: x**2}
    """)
    assert run.recipe == Recipe(surface="wobbly", optimizers="adam", fps=6, theme="dark")
    assert plot.recipe == PlotRecipe(surfaces="bowl", theme="dark")
    assert isinstance(formula.recipe, Recipe)
    assert isinstance(formula.recipe.surface, optiviz.Surface)
    assert [str(job.paths[0]) for job in (run, plot, formula)] == ["a.png", "b.png", "c.png"]


def test_a_matrix_is_every_combination() -> None:
    jobs = read("""
        jobs:
          - matrix:
              {surface: [wobbly, bowl], optimizers: ["adam:lr=0.1", [sgd, adam]], seed: [1, 2]}
            out: o/{surface}-{optimizers}-{seed}-{theme}.gif
    """)
    assert [job.name for job in jobs] == [
        f"{surface}-{words}-{seed}-light"
        for surface in ("wobbly", "bowl")
        for words in ("adam-lr-0.1", "sgd-adam")
        for seed in (1, 2)
    ]
    assert jobs[3].recipe == Recipe(surface="wobbly", optimizers="sgd,adam", seed=2)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("surface: wobbly, out: '{surface}.gif'", "wobbly.gif"),
        ("formula: x**2 + y, out: '{formula}.gif'", "x-2-+-y.gif"),
        ("formula: x/y, out: '{surface}.gif'", "x-y.gif"),
        ("surface: bowl, title: ../../etc/passwd, out: '{title}.gif'", "etc-passwd.gif"),
        ("surface: bowl, lr: 1e-3, labels: false, out: '{lr}-{labels}.gif'", "0.001-false.gif"),
        ("surface: bowl, name: '{surface} 1', out: '{name}.gif'", "bowl-1.gif"),
        ("surface: bowl, starts: [[-1, 2]], out: '{starts}.gif'", "-1-2.gif"),
        ("surface: bowl, out: ~/a.gif", str(Path.home() / "a.gif")),
    ],
)
def test_a_placeholder_is_part_of_a_name_and_never_a_folder(written: str, name: str) -> None:
    (job,) = read(f"jobs: [{{{written}, optimizers: adam}}]")
    assert job.paths == (Path(name),)


RUN = "surface: bowl, optimizers: adam"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "jobs.yaml:1:1: a batch must be a mapping with jobs: and, optionally, defaults:"),
        ("", "jobs.yaml: a batch must be a mapping with jobs: and, optionally, defaults:"),
        ("job: []", "jobs.yaml:1:1: job: unknown key 'job': did you mean 'jobs'?"),
        ("defaults: {}", "jobs.yaml:1:1: jobs: must be a list of jobs"),
        ("jobs: []", "jobs.yaml:1:1: jobs: must be a list of jobs"),
        ("jobs: {a: b}", "jobs.yaml:1:1: jobs: must be a list of jobs"),
        ("jobs: [3]", "jobs.yaml:1:8: jobs.0: must map fields to values"),
        ("defaults: 3\njobs: [3]", "jobs.yaml:1:1: defaults: must map fields to values"),
        ("defaults: {fpx: 3}\njobs: [3]", "jobs.yaml:1:12: defaults.fpx: unknown key 'fpx'"),
        ("defaults: {matrix: {}}\njobs: [3]", "jobs.yaml:1:12: defaults.matrix: unknown key"),
        (f"jobs:\n- {RUN.replace(', ', '|')}", "jobs.yaml:2:27: mapping values are not"),
        (f"jobs:\n- {{{RUN}}}", "jobs.yaml:2:3: jobs.0.out: required, but missing: name"),
        (f"jobs:\n- {{{RUN}, out: []}}", "jobs.yaml:2:37: jobs.0.out: required, but"),
        (f"jobs:\n- {{{RUN}, out: 3}}", "jobs.yaml:2:37: jobs.0.out: must be plain text, not 3"),
        (f"jobs:\n- {{{RUN}, out: [a.gif, b]}}", "jobs.yaml:2:50: jobs.0.out.1: b has no suffix"),
        (f"jobs:\n- {{{RUN}, out: a.gig}}", "jobs.0.out: a.gig: unknown format '.gig': did"),
        (f'jobs:\n- {{{RUN}, out: "a\\0.gif"}}', "jobs.0.out: must be plain text, not 'a"),
        (f"jobs:\n- {{{RUN}, out: '{{surfaces}}.gif'}}", "unknown placeholder 'surfaces': did you"),
        (f"jobs:\n- {{{RUN}, out: '{{title}}.gif'}}", "out: {title} has no value in this job"),
        (f"jobs:\n- {{{RUN}, out: '{{name}}.gif'}}", "jobs.0.out: {name} has no value in this job"),
        (f"jobs:\n- {{{RUN}, out: '{{seed.real}}.gif'}}", "unknown placeholder 'seed.real': cho"),
        (f"jobs:\n- {{{RUN}, them: dark, out: a.gif}}",
         "jobs.yaml:2:37: jobs.0.them: unknown key 'them': did you mean 'theme'?"),
        ("jobs:\n- {surface: wobly, optimizers: adam, out: a.gif}",
         "jobs.yaml:2:4: jobs.0.surface: unknown surface 'wobly': did you mean 'wobbly'?"),
        ("jobs:\n- {surface: bowl, optimizers: 'adam:beta=1', out: a.gif}",
         "jobs.yaml:2:19: jobs.0.optimizers: adam: unknown hyperparameter 'beta': did you mean"),
        ("jobs:\n- {optimizers: adam, out: a.gif}", "jobs.yaml:2:3: jobs.0.surface: required"),
        ("jobs:\n- {kind: plt, out: a.gif}", "jobs.yaml:2:4: jobs.0.kind: unknown kind 'plt': did"),
        ("jobs:\n- {kind: plot, surfaces: bowl, out: a.gif}",
         "jobs.yaml:2:32: jobs.0.out: a.gif: optiviz plot cannot write .gif files"),
        ("defaults: {theme: drak}\njobs:\n- {surface: bowl, optimizers: adam, out: a.gif}",
         "jobs.yaml:1:12: defaults.theme: unknown theme 'drak': did you mean 'dark'?"),
        (f"jobs:\n- {{{RUN}, out: a.gif, matrix: {{seed: [0, -1]}}}}",
         "jobs.yaml:2:68: jobs.0.matrix.seed.1: must be greater than or equal to 0, not -1"),
        (f"jobs:\n- {{{RUN}, out: a.gif, matrix: {{seed: 3}}}}",
         "jobs.0.matrix.seed: must be a list of values"),
        (f"jobs:\n- {{{RUN}, out: a.gif, matrix: {{seed: []}}}}",
         "jobs.0.matrix.seed: must be a list of values"),
        (f"jobs:\n- {{{RUN}, out: a.gif, matrix: 3}}", "jobs.0.matrix: must map fields to"),
        (f"jobs:\n- {{{RUN}, out: a.gif, matrix: {{sed: [1]}}}}",
         "jobs.0.matrix.sed: unknown key 'sed': did you mean 'seed'?"),
        (f"jobs:\n- {{{RUN}, out: a.gif, matrix: {{surface: [bowl]}}}}",
         "jobs.0.matrix.surface: is set in the job and in its matrix"),
        (f"jobs:\n- {{{RUN}, out: a.gif, matrix: {{seed: [1, 2]}}}}",
         "jobs.0.out: a.gif would be written 2 times: add {surface} or another field"),
        (f"jobs:\n- {{{RUN}, out: a.gif}}\n- {{{RUN}, out: [b.gif, ./a.gif]}}",
         "jobs.yaml:3:50: jobs.1.out.1: ./a.gif is also written by jobs.0.out"),
        (f"jobs:\n- {{{RUN}, out: a.gif, out: b.gif}}", "jobs.yaml:2:49: "),
        (f"jobs:\n- {{{RUN}, out: jobs.json, catalogue: jobs.json}}", "jobs.json: No such file"),
        (f"jobs:\n- {{{RUN}, title: '...', out: '{{title}}/a.gif'}}", "{title} has no characters"),
        (f'jobs:\n- {{{RUN}, catalogue: "a\\0b", out: a.gif}}', "jobs.0.catalogue: "),
        ("jobs:\n- {kind: response, optimizers: adam, signal: mine.csv, out: mine.csv}",
         "jobs.0.signal: mine.csv: No such file"),
    ],
)  # fmt: skip
def test_a_fault_names_line_column_and_field(text: str, said: str) -> None:
    with pytest.raises(optiviz.InputError) as raised:
        read(text)
    assert said in str(raised.value)


def test_a_placeholder_that_is_not_there_is_one_fault() -> None:
    with pytest.raises(optiviz.InputError) as raised:
        read(f"jobs:\n- {{{RUN}, out: '{{nope}}.gif'}}")
    assert "unknown placeholder 'nope'" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_no_job_writes_what_another_reads(tmp_path: Path) -> None:
    signal = tmp_path / "s.csv"
    signal.write_text("1\n2\n")
    response = f"{{kind: response, signal: {signal}, optimizers: adam, out: x.gif}}"
    with pytest.raises(optiviz.InputError, match=r"jobs\.0\.out: .*s\.csv is an input file: write"):
        read(f"jobs:\n- {{{RUN}, out: {signal}}}\n- {response}")


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(optiviz.InputError) as raised:
        read("""
            defaults: {theme: drak}
            jobs:
              - {surface: wobly, optimizers: adam, fps: -1, out: a.gif}
              - {surface: bowl, optimizers: adm, seed: x, out: b.gig}
              - 3
        """)
    told = [line.split(": ")[:2] for line in str(raised.value).splitlines()]
    assert sorted((place.split(":")[1], keys) for place, keys in told) == [
        ("2", "defaults.theme"),
        ("4", "jobs.0.fps"),
        ("4", "jobs.0.surface"),
        ("5", "jobs.1.optimizers"),
        ("5", "jobs.1.out"),
        ("5", "jobs.1.seed"),
        ("6", "jobs.2"),
    ]


def test_a_file_is_read_letter_by_letter(tmp_path: Path) -> None:
    path = tmp_path / "jobs.yaml"
    path.write_bytes(b"a: |\r\n  x\r\n  y\r\nb: 1\r\nc: |\n  z\n")
    document = Document.read(path)
    assert document.value == {"a": "x\ny\n", "b": 1, "c": "z\n"}
    assert document.position(["b"]).endswith(":4:1")
    path.write_bytes(b"a: b\x1cc: d\n")
    with pytest.raises(optiviz.InputError):
        Document.read(path)


def test_yaml_is_that_of_1_2() -> None:
    (job,) = read("jobs: [{surface: bowl, optimizers: adam, lr: 1e-3, title: on, out: a.gif}]")
    assert isinstance(job.recipe, Recipe)
    assert (job.recipe.lr, job.recipe.title) == (0.001, "on")


BOMBS = {
    "aliases": "a0: &a0 [x]\n"
    + "".join(f"a{n + 1}: &a{n + 1} [{f'*a{n},' * 9}]\n" for n in range(12)),
    "nesting": "jobs: " + "[" * 50_000,
    "cycle": "jobs: &a [*a]",
    "tag": "jobs: [!!python/object/apply:os.system [touch pwned]]",
    "long list": "jobs: [" + "0," * 1_000_000 + "]",
    "many lines": "jobs:\n" + "- 0\n" * 500_000,
    "set": "jobs: [{surface: bowl, optimizers: !!set {adam, sgd}, out: a.gif}]",
    "bytes": "jobs: [{surface: bowl, optimizers: [!!binary Ym9ndXM=], out: a.gif}]",
    "old": "%YAML 1.0\n---\njobs: []",
    "surfaces": f"jobs: [{{kind: plot, out: a.png, surfaces: '{'bogus,' * 100_000}'}}]",
    "matrix": f"jobs: [{{{RUN}, out: a.gif, matrix: {{"
    + ", ".join(f"{key}: [{','.join('1' * 30)}]" for key in ("seed", "steps", "fps", "lr"))
    + "}}]",
}  # fmt: skip


@pytest.mark.sample(4)
@pytest.mark.row(20, 21, 22)
@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_what_would_grow_or_run_is_refused(text: str, here: Path) -> None:
    with pytest.raises(optiviz.InputError):
        read(text)
    assert not list(here.iterdir())


def test_there_may_be_many_jobs_but_not_too_many() -> None:
    many: dict[str, Any] = {"seed": list(range(100)), "steps": list(range(1, 102))}
    text = f"jobs: [{{{RUN}, out: '{{seed}}-{{steps}}.gif', matrix: {many}}}]"
    with pytest.raises(optiviz.InputError, match=f"more than {MAX_JOBS} jobs are not"):
        read(text)
