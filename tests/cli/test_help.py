"""What every `--help` contains, and suggestions of the nearest valid word."""

import re
import shlex
from importlib import import_module

import click
import pytest
from conftest import Invoke
from PIL import ImageColor

from optiviz.cli import COMMANDS, cli
from optiviz.cli.help import Command
from optiviz.kinds import load_kind
from optiviz.kinds.size import UNITS
from optiviz.optimizers.lookup import factory_of
from optiviz.optimizers.schedules import SCHEDULES
from optiviz.recipes.reading import allowed_keys
from optiviz.registry import (
    FIT_LOSSES,
    FORMATS,
    KINDS,
    LEGEND_PLACES,
    OPTIMIZERS,
    QUALITIES,
    THEMES,
    VIEWS,
    WRAPPERS,
)
from optiviz.shapes import ROLES
from optiviz.surfaces.catalogue import load_catalogue
from optiviz.surfaces.grammar import FUNCTIONS
from optiviz.surfaces.region import CONVEX
from optiviz.system.synonyms import WORDS, squashed

EXAMPLE = re.compile(r"^  ((?:optiviz|eval) .*)$", re.MULTILINE)


def context_of(command: click.Command) -> click.Context:
    """Return a context with the settings of the group: a command keeps its first help option."""
    return click.Context(command, **cli.context_settings)


def loaded(name: str) -> click.Command:
    command: click.Command = import_module(f"optiviz.cli.{COMMANDS[name]}").command
    return command


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_it_starts_with_one_sentence_and_two_examples(name: str, invoke: Invoke) -> None:
    said = invoke(*filter(None, [name]), "--help").stdout
    usage, sentence, examples, *_ = said.split("\n\n")
    assert usage.startswith(f"Usage: cli {name}".rstrip())
    assert re.fullmatch(r"  [A-Z][^.]*\.", sentence, re.DOTALL), sentence
    lines = examples.splitlines()
    assert len(lines) == 2
    assert all(f"optiviz {name}".rstrip() in line for line in lines)


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_are_words_that_the_command_reads(name: str) -> None:
    for example in EXAMPLE.findall(loaded(name).help or ""):
        for words in example.split(" && "):
            if words.startswith("optiviz "):
                command, *args = shlex.split(re.split(r" [|>] ", words)[0])[1:]
                loaded(command).make_context(command, args, parent=context_of(cli))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_in_a_section_and_says_what_it_is(name: str) -> None:
    command = loaded(name)
    assert isinstance(command, Command)
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert all(each.help for each in options)
    if len(options) > 10:
        others = [each.name for each in options if not hasattr(each, "section")]
        assert others == ["debug"]
    with context_of(command) as ctx:
        shown = command.get_help(ctx)
    for each in options:
        assert each.opts[-1] in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("rum", "unknown command 'rum': did you mean 'run'?"),
        ("run --surfce wobbly", "unknown option '--surfce': did you mean '--surface'?"),
        ("run --surface wobly --opt adam", "did you mean 'wobbly'?"),
        ("run --surface wobbly --opt adm", "did you mean 'adam'?"),
        ("run --surface wobbly --opt adam:bta1=0.5", "did you mean 'beta1'?"),
        ("run --surface wobbly --opt adam:lr=1@cosin", "did you mean 'cosine'?"),
        ("run --surface wobbly --opt lokahead+adam", "did you mean 'lookahead'?"),
        ("run --surface wobbly --opt adam --view contuor", "did you mean 'contour'?"),
        ("run --surface wobbly --opt adam --theme drak", "did you mean 'dark'?"),
        ("run --surface wobbly --opt adam --layout gird", "did you mean 'grid'?"),
        ("run --surface wobbly --opt adam --quality hihg", "did you mean 'high'?"),
        ("run --surface wobbly --opt adam --vary bet1=1,2", "did you mean 'beta1'?"),
        ("run --surface wobbly --opt adam -o x.gf", "did you mean '.gif'?"),
        ("run --surface wobbly --opt adam -o - --format pgn", "did you mean 'png'?"),
        ("run --surface spirals --data digts --opt adam", "did you mean 'digits'?"),
        ("run --formula sni(x) --opt adam", "did you mean 'sin'?"),
        ("tune --surface wobbly --opt adam --over betta1", "did you mean 'beta1'?"),
        ("response --signal spkes --opt adam", "did you mean 'spikes'?"),
        ("plot wobbly,rosenbrok", "did you mean 'rosenbrock'?"),
        ("list surfces", "did you mean 'surfaces'?"),
        ("list surfaces --tag vally", "did you mean 'valley'?"),
        ("show adma", "did you mean 'adam'?"),
        ("completion zhs", "did you mean 'zsh'?"),
    ],
)
def test_the_nearest_right_word_is_named(words: str, said: str, invoke: Invoke) -> None:
    result = invoke(*shlex.split(words))
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def options_of(name: str) -> set[str]:
    params = [each for each in loaded(name).params if isinstance(each, click.Option)]
    return {each for param in params for each in (*param.opts, *param.secondary_opts)}


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_from_elsewhere_is_led_to_one_that_exists(name: str, invoke: Invoke) -> None:
    options, led = options_of(name), 0
    for word in {f"--{word}" for words in WORDS.values() for word in words.split()} - options:
        result = invoke(name, word, "1")
        assert result.exit_code == 2
        said = result.stderr.removesuffix("\n").removeprefix(f"optiviz: unknown option '{word}': ")
        if said == f"optiviz {name} --help shows all":
            continue
        hints = re.fullmatch(r"did you mean '(.*)'\?", said)
        assert hints is not None, result.stderr
        for hint in hints[1].split("' or '"):
            assert shlex.split(hint)[0] in options
            led += 1
    assert led or not {"--out", "--jobs", "--tag"} & options


def test_every_word_from_elsewhere_leads_somewhere() -> None:
    tables = [
        *map(options_of, COMMANDS), *(allowed_keys(load_kind(kind)) for kind in KINDS),
        *(factory_of(each).parameters for each in OPTIMIZERS), COMMANDS, OPTIMIZERS, WRAPPERS,
        [f"{each}+sgd" for each in WRAPPERS],
        VIEWS, THEMES, FORMATS, QUALITIES, LEGEND_PLACES, SCHEDULES, FUNCTIONS, ["grid"],
        ["learning_rate", CONVEX], ROLES, FIT_LOSSES, load_catalogue().surfaces, UNITS,
        ImageColor.colormap,
    ]  # fmt: skip
    known = {squashed(word) for table in tables for word in table}
    names = {name: squashed(re.split("[ =(:]", name)[0]) for name in WORDS}
    assert [name for name, first in names.items() if first not in known] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("run --xlabel weight", "unknown option '--xlabel': did you mean '--axes'?"),
        ("run --learning-rate 1", "did you mean '--lr'?"),
        ("run --Epochs 1", "did you mean '--steps'?"),
        ("tune --max_iter 1", "did you mean '--steps'?"),
        ("plot bowl --elev 1", "did you mean '--camera'?"),
        ("response --elev 1", "unknown option '--elev': optiviz response --help shows all"),
        ("run --surface bowl --opt adam --view 3d", "--view: unknown view '3d': did you mean 'rel"),
        ("run --surface bowl --opt adam --view heatmap", "did you mean 'contour'?"),
        ("run --surface bowl --opt adam --theme black", "did you mean 'dark'?"),
        ("run --surface bowl --opt adam -o x.jpg", "did you mean '.png'?"),
        ("run --surface bowl --opt sgdm", "did you mean 'momentum'?"),
        ("run --surface banana --opt sgd", "did you mean 'rosenbrock'?"),
        ("run --surface bowl --opt sgd --where 'positive definite'", "did you mean 'convex'?"),
        ("run --surface bowl --opt sgd --where x=1", "is not a condition: write x == 1"),
        ("run --surface bowl --opt sgd --where x>1 --where y>1", "write 'x>1 and y>1'"),
        (
            "run --surface bowl --opt sgd --density 1e308",
            "less than or equal to 1e+100, not 1e+308",
        ),
        ("run --formula cot(x) --opt sgd", "there is no cot: write 1 / tan(x)"),
        ("animate --surface bowl", "unknown command 'animate': did you mean 'run'?"),
    ],
)
def test_a_word_from_elsewhere_is_translated(words: str, said: str, invoke: Invoke) -> None:
    result = invoke(*shlex.split(words))
    assert (result.exit_code, said in result.stderr) == (2, True), result.stderr
    assert result.stderr.count("\n") == 1
