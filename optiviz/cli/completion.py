"""`optiviz completion`: scripts that let shells complete commands, options and names.

Each script passes the line up to the cursor and reads one line per completion: its type, value and
description, separated by tabs.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
from click.shell_completion import (
    CompletionItem,
    ShellComplete,
    add_completion_class,
    split_arg_string,
)

from optiviz.cli import COMPLETING, debug_option
from optiviz.cli.help import Choice, Command
from optiviz.system.errors import InputError, OptivizError, did_you_mean

if TYPE_CHECKING:
    Items = list[CompletionItem[str]]

SPACED = " \t\n\"'"  # separators that the shell has already removed

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
    """A shell that passes a line and reads one line per completion."""

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
        except (click.ClickException, OptivizError):  # in the arguments before the cursor
            return []
        return [
            CompletionItem(before + each.value, each.type, each.help)
            for each in found
            if each.value.isprintable()
        ]

    def format_completion(self, item: CompletionItem[str]) -> str:
        return "\t".join([item.type, item.value, " ".join((item.help or "").split())])


class Bash(Shell):
    """Bash, which replaces only the text after the last word break."""

    name = "bash"
    source_template = BASH

    def format_completion(self, item: CompletionItem[str]) -> str:
        _, begun = self.get_completion_args()
        breaks = os.environ.get("OPTIVIZ_BREAKS", "")
        kept = max((begun.rfind(each) + 1 for each in breaks if each not in SPACED), default=0)
        kept -= begun[:kept].endswith("@")  # which readline treats as part of the word
        return super().format_completion(CompletionItem(item.value[kept:], item.type))


class Zsh(Shell):
    """Zsh, which shows descriptions."""

    name = "zsh"
    source_template = ZSH


class Fish(Shell):
    """Fish, which shows descriptions."""

    name = "fish"
    source_template = FISH


SHELLS: dict[str, type[Shell]] = {each.name: each for each in (Bash, Zsh, Fish)}
ASKED = [f"{shell}_{what}" for shell in SHELLS for what in ("source", "complete")]
for each in SHELLS.values():
    add_completion_class(each)


def check(asked: str) -> None:
    """Raise InputError for an unknown completion request."""
    if asked not in ASKED:
        raise InputError(f"{COMPLETING}: {did_you_mean('request', asked, ASKED)}")


@click.command(cls=Command, name="completion", short_help="Print a shell completion script.")
@click.argument("shell", type=Choice("shell", SHELLS))
@debug_option
def command(shell: str) -> None:
    """Print a script that makes bash, zsh or fish complete commands, options and names.

    \b
    eval "$(optiviz completion bash)"
    optiviz completion fish > ~/.config/fish/completions/optiviz.fish

    The first command works for the current session; put it in ~/.bashrc for all sessions. For
    zsh, put it in ~/.zshrc after compinit, with zsh instead of bash.
    """
    from optiviz.cli import cli

    made = SHELLS[shell](cli, {}, "optiviz", COMPLETING)
    click.echo(made.source(), nl=False)
