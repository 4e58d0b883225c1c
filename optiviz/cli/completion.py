"""`optiviz completion`, and what completes a word on the command line.

The script of each shell hands over the line up to the cursor, and reads a line a completion: its
type, its value and what it means, with tabs between. No code of a stranger is run for that.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import (
    CompletionItem,
    ShellComplete,
    add_completion_class,
    split_arg_string,
)

from optiviz.cli import COMPLETING, debug_option
from optiviz.cli.help import Choice, Command
from optiviz.system.errors import InputError, OptivizError, unknown

if TYPE_CHECKING:
    Items = list[CompletionItem[str]]

MOST_LETTERS = 1_000_000  # of a file of surfaces
SPACED = " \t\n\"'"  # what a shell has taken away before

BASH = """\
%(complete_func)s() {
    local type value help
    COMPREPLY=()
    while IFS=$'\\t' read -r type value help; do
        case $type in
            file) compopt -o default 2>/dev/null ;;
            dir) compopt -o dirnames 2>/dev/null ;;
            part) compopt -o nospace 2>/dev/null; COMPREPLY+=("$value") ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done < <(env %(complete_var)s=bash_complete OPTIVIZ_LINE="${COMP_LINE:0:COMP_POINT}" \\
        OPTIVIZ_BREAKS="$COMP_WORDBREAKS" "$1" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s 2>/dev/null ||
    complete -F %(complete_func)s %(prog_name)s
"""

ZSH = """\
#compdef %(prog_name)s
%(complete_func)s() {
    local -a plain parts
    local type value help line="${(j: :)words[1,CURRENT-1]} $PREFIX"
    while IFS=$'\\t' read -r type value help; do
        value="${value//:/\\\\:}${help:+:$help}"
        case $type in
            file) _files ;;
            dir) _files -/ ;;
            part) parts+=("$value") ;;
            plain) plain+=("$value") ;;
        esac
    done < <(env %(complete_var)s=zsh_complete OPTIVIZ_LINE="$line" $words[1] 2>/dev/null)
    (( $#plain )) && _describe -V words plain
    (( $#parts )) && _describe -V parts parts -S ''
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

FISH = """\
function %(complete_func)s
    set -l program (commandline -po)[1]
    for line in (env %(complete_var)s=fish_complete OPTIVIZ_LINE=(commandline -cp) $program 2>/dev/null)
        set -l found (string split -m 2 \\t -- $line)
        switch $found[1]
            case file
                __fish_complete_path (commandline -ct)
            case dir
                __fish_complete_directories (commandline -ct)
            case '*'
                printf '%%s\\t%%s\\n' $found[2] $found[3]
        end
    end
end
complete --no-files --keep-order --command %(prog_name)s --arguments "(%(complete_func)s)"
"""  # noqa: E501


class Shell(ShellComplete):
    """A shell that hands over a line, and gets a line a completion."""

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ.get("OPTIVIZ_LINE", "")
        words = split_arg_string(line)[1:]
        begun = bool(words) and not line[-1].isspace()
        return (words[:-1], words[-1]) if begun else (words, "")

    def get_completions(self, args: list[str], incomplete: str) -> Items:
        option, equals, _ = incomplete.partition("=")
        before = option + equals if equals and option.startswith("--") else ""
        try:
            found = super().get_completions(args, incomplete)
        except (click.ClickException, OptivizError):  # of what stands before
            return []
        return [
            CompletionItem(before + each.value, each.type, each.help)
            for each in found
            if each.value.isprintable()
        ]

    def format_completion(self, item: CompletionItem[str]) -> str:
        return "\t".join([item.type, item.value, " ".join((item.help or "").split())])


class Bash(Shell):
    """Bash, which replaces only what stands behind the last of some letters."""

    name = "bash"
    source_template = BASH

    def format_completion(self, item: CompletionItem[str]) -> str:
        _, begun = self.get_completion_args()
        breaks = os.environ.get("OPTIVIZ_BREAKS", "")
        kept = max((begun.rfind(each) + 1 for each in breaks if each not in SPACED), default=0)
        kept -= begun[:kept].endswith("@")  # which readline takes for a part of the word
        return super().format_completion(CompletionItem(item.value[kept:], item.type))


class Zsh(Shell):
    """Zsh, which shows what words mean."""

    name = "zsh"
    source_template = ZSH


class Fish(Shell):
    """Fish, which shows what words mean."""

    name = "fish"
    source_template = FISH


SHELLS: dict[str, type[Shell]] = {each.name: each for each in (Bash, Zsh, Fish)}
ASKED = [f"{shell}_{what}" for shell in SHELLS for what in ("source", "complete")]
for each in SHELLS.values():
    add_completion_class(each)


def check(asked: str) -> None:
    """Raise InputError for what no shell of ours asks."""
    if asked not in ASKED:
        raise InputError(f"{COMPLETING}: {unknown('request', asked, ASKED)}")


@click.command(cls=Command, name="completion", short_help="Print what lets a shell complete words.")
@click.argument("shell", type=Choice("shell", SHELLS))
@debug_option
def command(shell: str) -> None:
    """Print the script that lets bash, zsh or fish complete commands, options and names.

    \b
    eval "$(optiviz completion bash)"
    optiviz completion fish > ~/.config/fish/completions/optiviz.fish

    The first holds for one session; in ~/.bashrc for all. In ~/.zshrc the same line, with zsh for
    bash, stands below compinit.
    """
    from optiviz.cli import cli

    made = SHELLS[shell](cli, {}, "optiviz", COMPLETING)
    click.echo(made.source(), nl=False)


def surfaces(ctx: click.Context, incomplete: str) -> Items:
    """Complete the name of one surface."""
    return _among(_surfaces(ctx), incomplete) or _files(incomplete)


def listed_surfaces(ctx: click.Context, incomplete: str) -> Items:
    """Complete the last of several names of surfaces."""
    before, begun = _last(incomplete, ",")
    return _among(_surfaces(ctx), begun, before)


def names(ctx: click.Context, incomplete: str) -> Items:
    """Complete the name of a surface or an optimizer."""
    return _among(_surfaces(ctx) | _optimizers(), incomplete)


def optimizers(ctx: click.Context, incomplete: str) -> Items:
    """Complete the last of several words such as adam:lr=0.1, up to its settings."""
    before, word = _last(incomplete, ",")
    name, colon, _ = word.partition(":")
    if colon:
        inside, setting = _last(word, ":")
        return _settings(name, setting, before + inside, set(_keys(inside)))
    around, begun = _last(word, "+")
    found = _among(_optimizers(), begun, before + around)
    return found or ([] if before else _files(incomplete))


def varied(ctx: click.Context, incomplete: str) -> Items:
    """Complete the hyperparameter of --vary."""
    return _among(dict.fromkeys(_hyperparameters(ctx), ""), incomplete, after="=")


def sought(ctx: click.Context, incomplete: str) -> Items:
    """Complete the last of several hyperparameters that are sought."""
    before, begun = _last(incomplete, ",")
    return _among(dict.fromkeys(_hyperparameters(ctx), ""), begun, before)


def views(ctx: click.Context, incomplete: str) -> Items:
    """Complete the last of several views that the command has."""
    from optiviz.registry import KINDS, VIEWS

    provided = KINDS[str(ctx.info_name)].provides
    before, begun = _last(incomplete, "+")
    used = before.split("+")
    known = {
        name: sort.about for name, sort in VIEWS.items() if sort.of in provided and name not in used
    }
    return _among(known, begun, before)


def themes(ctx: click.Context, incomplete: str) -> Items:
    """Complete a theme."""
    from optiviz.registry import THEMES

    return _among(THEMES, incomplete)


def signals(ctx: click.Context, incomplete: str) -> Items:
    """Complete a signal, or the file of one."""
    from optiviz.registry import SIGNALS

    return _among(SIGNALS, incomplete) or _files(incomplete)


def data(ctx: click.Context, incomplete: str) -> Items:
    """Complete a data set."""
    from optiviz.surfaces.datasets import DATASETS

    known = {
        name.partition(":")[0] + ":" * (":" in name): about for name, about in DATASETS.items()
    }
    return _among(known, incomplete)


def planes(ctx: click.Context, incomplete: str) -> Items:
    """Complete a plane."""
    return _among({"path": "through the paths", "random:": "a seed follows"}, incomplete)


def starts(ctx: click.Context, incomplete: str) -> Items:
    """Complete random starts."""
    return _among({"random:": "how many follows"}, incomplete)


def tags(ctx: click.Context, incomplete: str) -> Items:
    """Complete the last of several tags of surfaces."""
    before, begun = _last(incomplete, ",")
    found = {tag for entry in _declared().values() for tag in _listed(entry, "tags")}
    return _among(dict.fromkeys(sorted(found), ""), begun, before)


def _last(text: str, between: str) -> tuple[str, str]:
    """Return what stands up to the last of some letters, and what stands behind it."""
    at = text.rfind(between) + 1
    return text[:at], text[at:]


def _among(known: Mapping[str, str], begun: str, before: str = "", after: str = "") -> Items:
    """Return the words that begin so, with what stands before them; more may follow on some."""
    items = []
    for name, about in known.items():
        if name.startswith(begun):
            word = before + name + after
            kind = "part" if word[-1] in ":=+" else "plain"
            items.append(CompletionItem(word, kind, about))
    return items


def _files(incomplete: str) -> Items:
    return [CompletionItem(incomplete or ".", "file")]


def _surfaces(ctx: click.Context) -> dict[str, str]:
    """Return all surfaces, those of a file of the line's own included."""
    from optiviz.surfaces import GROUP
    from optiviz.system.plugins import offers

    known: dict[str, str] = {}
    for name, entry in _declared(ctx.params.get("catalogue")).items():
        title = re.search(r"^ +title: (.*)", entry, re.M)
        known |= dict.fromkeys([name, *_listed(entry, "aliases")], title[1] if title else "")
    return known | {each.name: f"of {each.package}" for each in offers(GROUP)}


def _declared(own: Path | None = None) -> dict[str, str]:
    """Return the entries of our catalogue and of a file on top, as they are written.

    To read them as YAML would take as long as a picture, and of a stranger's file for ever.
    """
    from optiviz.surfaces.shipped import our_file

    found: dict[str, str] = {}
    for path in filter(None, (our_file(), own)):
        with suppress(OSError, ValueError), path.open(encoding="utf-8") as file:
            text = file.read(MOST_LETTERS) if path.is_file() else ""
            found |= dict(re.findall(r"^([\w-]+):(.*?)(?=^\S|\Z)", text, re.M | re.S))
    return found


def _listed(entry: str, key: str) -> list[str]:
    found = re.search(rf"^ +{key}: \[(.*)\]", entry, re.M)
    return [each.strip() for each in found[1].split(",")] if found else []


def _optimizers() -> dict[str, str]:
    from optiviz.optimizers.kinds import GROUP
    from optiviz.registry import OPTIMIZERS, WRAPPERS
    from optiviz.system.plugins import offers

    known = dict.fromkeys(OPTIMIZERS, "") | {f"{name}+": "goes around another" for name in WRAPPERS}
    return known | {each.name: f"of {each.package}" for each in offers(GROUP)}


def _settings(name: str, setting: str, before: str, given: Iterable[str]) -> Items:
    """Complete a setting of an optimizer: its key, a schedule behind it, true and false."""
    from optiviz.optimizers.schedules import SCHEDULES

    key, equals, value = setting.partition("=")
    if not equals:
        known = dict.fromkeys([*_parameters(name), "label"], "")
        left = {each: about for each, about in known.items() if each not in given}
        return _among(left, setting, before, "=")
    if "@" in value:
        inside, begun = _last(setting, "@")
        known = {each.form.partition("/")[0]: each.about for each in SCHEDULES.values()}
        return _among(known, begun, before + inside)
    if isinstance(_parameters(name).get(key), bool):
        return _among({"true": "", "false": ""}, value, f"{before}{key}=")
    return []


def _keys(settings: str) -> Iterable[str]:
    return (each.partition("=")[0] for each in settings.split(":")[1:])


def _parameters(name: str) -> dict[str, Any]:
    """Return the hyperparameters of an optimizer of ours, with their defaults."""
    from optiviz.optimizers.kinds import is_strange, kind_of

    with suppress(OptivizError):
        if not is_strange(name):
            return {key: each.default for key, each in kind_of(name).parameters.items()}
    return {}


def _hyperparameters(ctx: click.Context) -> list[str]:
    """Return those of all optimizers that stand before on the line, or what all have."""
    words = [word for text in ctx.params.get("optimizers") or () for word in text.split(",")]
    found = [key for word in words for key in _parameters(word.partition(":")[0])]
    return list(dict.fromkeys(found or ["lr"]))
