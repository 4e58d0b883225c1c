"""Help and completion of commands: options in sections, and close matches for wrong names."""

import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise, takewhile, zip_longest
from typing import Any

import click

from optiviz.registry import OPTIMIZERS
from optiviz.system.errors import InputError, did_you_mean

Decorated = Callable[..., Any]
Decorator = Callable[[Decorated], Decorated]
OTHER = "Other"  # the section of options without one
SEPARATOR = re.compile(r"(?<=[A-Z\d])[,:x+](?=[A-Z\d])")  # in a metavar, such as X,Y
NUMBER = re.compile(r"[-+.\d][-+.\d:,ex]*|[,:x]")  # or several of them, or what separates them


class Command(click.Command):
    """A command whose help shows options in sections, in order of declaration."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not ctx.resilient_parsing:
            self._check_values(args)
            self._check_numbers(args)
        ctx.allow_extra_args = True
        written = list(args)  # click empties it
        rest = super().parse_args(ctx, args)
        if ctx.args and not ctx.resilient_parsing:
            raise self._unexpected(ctx.args[0], written)
        return rest

    @property
    def _options(self) -> dict[str, click.Option]:
        options = [param for param in self.params if isinstance(param, click.Option)]
        return {name: each for each in options for name in (*each.opts, *each.secondary_opts)}

    def _valued(self, args: list[str]) -> Iterator[tuple[str, click.Option, list[str]]]:
        """Yield each option that takes one value, with all words up to the next option."""
        options, found = self._options, list[tuple[str, list[str]]]()
        for arg in args:
            name, equals, value = arg.partition("=")
            if name in options:
                found.append((name, [value] if equals else []))
            elif found:
                found[-1][1].append(arg)
        for name, words in found:
            if _takes_value(options[name]) and options[name].nargs == 1:
                yield name, options[name], words

    def _check_numbers(self, args: list[str]) -> None:
        """Raise InputError for numbers of one value that are separated by spaces.

        Click would take negative ones for options, and others for arguments.
        """
        for name, option, words in self._valued(args):
            numbers = list(takewhile(NUMBER.fullmatch, words))
            if len(numbers) > 1 and (joined := _joined(name, option, numbers)):
                raise InputError(f"unexpected argument {numbers[1]!r}: write {joined}")

    def _unexpected(self, word: str, args: list[str]) -> InputError:
        """Return the error for an argument that the command does not take."""
        said = f"unexpected argument {word!r}"
        for name, option, words in self._valued(args):
            if word in words[1:]:
                joined = _joined(name, option, words)
                return InputError(f"{said}: write {joined}" if joined else said)
        asked = "--opt" if word.partition(":")[0] in OPTIMIZERS else "--surface"
        return InputError(f"{said}: write {asked} {word}" if asked in self._options else said)

    def _check_values(self, args: list[str]) -> None:
        """Raise InputError for an option whose value is missing: click would take the next one."""
        options = self._options
        for first, second in pairwise(args):
            if first in options and _needs_value(options[first]) and second in options:
                raise InputError(f"{first}: the value is missing before {second}")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            if (row := param.get_help_record(ctx)) is not None:
                sections.setdefault(getattr(param, "section", OTHER), []).append(row)
        others = sections.pop(OTHER)
        sections[OTHER if sections else "Options"] = others
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl(rows)


def _needs_value(option: click.Option) -> bool:
    """Return whether an option is followed by a value, which is not optional as that of --tune."""
    return not (option.is_flag or option.count or isinstance(option.flag_value, str))


def _takes_value(option: click.Option) -> bool:
    """Return whether a value may follow an option."""
    return _needs_value(option) or isinstance(option.flag_value, str)


def _joined(name: str, option: click.Option, words: list[str]) -> str:
    """Return how to write words that follow an option and are separated by spaces.

    The separators are those of its metavar, such as WxH. "" if the words do not fit it.
    """
    metavar = re.sub(r"\[=.*?\]", "", option.metavar or "")  # without optional parts
    names, signs = SEPARATOR.split(metavar), SEPARATOR.findall(metavar)
    if " " in metavar:
        return f"{name} {shlex.quote(' '.join(words))}"
    sign = "," if "," in metavar else "".join(signs[:1])
    words = [each for each in (word.strip(sign) for word in words) if each]
    whole = any(sign in word for sign in signs for word in words)
    if len(words) == len(names) > 1 and not whole:
        value = "".join(map("".join, zip_longest(words, signs, fillvalue="")))
        return f"{name} {shlex.quote(value)}"
    repeated = len(names) > 1 and names[-2].endswith(names[-1])
    listed = "..." in metavar or repeated or len(words) == metavar.count(sign) + 1
    if sign and listed and not any(sign in word for word in words):
        return f"{name} {shlex.quote(sign.join(words))}"
    if option.multiple and (whole or len(names) == 1):
        return " ".join(f"{name} {shlex.quote(word)}" for word in words)
    if option.type is click.STRING and metavar in ("", "TEXT"):
        return f"{name} {shlex.quote(' '.join(words))}"
    return ""


def option_group(*options: Decorator) -> Decorator:
    """Return a decorator that adds several options, in the order of help."""

    def decorate(command: Decorated) -> Decorated:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def section(title: str, *options: Decorator) -> Decorator:
    """Return a decorator that adds several options to a titled section of help."""

    def decorate(command: Decorated) -> Decorated:
        before = len(_params(command))
        command = option_group(*options)(command)
        for param in _params(command)[before:]:
            param.section = title
        return command

    return decorate


def _params(command: Decorated) -> list[Any]:
    """Return the options that click has collected for a command so far."""
    found: list[Any] = getattr(command, "__click_params__", [])
    return found


class Choice(click.Choice[str]):
    """One of several values; for an unknown one the message names the closest."""

    def __init__(self, kind: str, words: Iterable[str]) -> None:
        super().__init__(list(words))
        self.kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.choices:
            where = f"{param.opts[-1]}: " if isinstance(param, click.Option) else ""
            raise InputError(where + did_you_mean(self.kind, str(value), self.choices))
        return str(value)


def completes(what: str) -> Callable[..., Any]:
    """Return a completion callback: the function of this name in `completers`, loaded on use."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
        from optiviz.cli import completers

        return getattr(completers, what)(ctx, incomplete)

    return complete
