"""Help and completion of commands: options in sections, and close matches for wrong names."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import click

from optiviz.registry import OPTIMIZERS
from optiviz.system.errors import InputError, did_you_mean

Decorated = Callable[..., Any]
Decorator = Callable[[Decorated], Decorated]
OTHER = "Other"  # the section of options without one


class Command(click.Command):
    """A command whose help shows options in sections, in order of declaration."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not ctx.resilient_parsing:
            self._check_values(args)
        ctx.allow_extra_args = True
        rest = super().parse_args(ctx, args)
        if ctx.args and not ctx.resilient_parsing:
            optimizer = ctx.args[0].partition(":")[0] in OPTIMIZERS
            hint = ": join several optimizers with commas, for example --opt adam,sgd"
            raise InputError(f"unexpected argument {ctx.args[0]!r}{hint if optimizer else ''}")
        return rest

    def _check_values(self, args: list[str]) -> None:
        """Raise InputError for an option whose value is missing: click would take the next one."""
        options = [param for param in self.params if isinstance(param, click.Option)]
        known = {each for option in options for each in (*option.opts, *option.secondary_opts)}
        valued = {each for option in options for each in option.opts if _needs_value(option)}
        for first, second in pairwise(args):
            if first in valued and second in known:
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
