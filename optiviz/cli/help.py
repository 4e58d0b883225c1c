"""How the commands help: options in sections, names that complete, and the nearest right word."""

from collections.abc import Callable, Iterable
from typing import Any

import click

from optiviz.system.errors import InputError, did_you_mean

Decorated = Callable[..., Any]
Decorator = Callable[[Decorated], Decorated]
OTHER = "Other"  # the section of options that belong to none


class Command(click.Command):
    """A command whose options are shown in sections, in the order in which these come up."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.allow_extra_args = True
        rest = super().parse_args(ctx, args)
        if ctx.args and not ctx.resilient_parsing:
            several = any(param.name == "optimizers" for param in self.params)
            joined = ": several are joined by commas, as in --opt adam,sgd" if several else ""
            raise InputError(f"{ctx.args[0]!r} belongs to no option{joined}")
        return rest

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


def option_group(*options: Decorator) -> Decorator:
    """Return a decorator that adds several options, in the order in which help shows them."""

    def decorate(command: Decorated) -> Decorated:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def section(title: str, *options: Decorator) -> Decorator:
    """Return a decorator that adds several options, which help shows under a title."""

    def decorate(command: Decorated) -> Decorated:
        before = len(_params(command))
        command = option_group(*options)(command)
        for param in _params(command)[before:]:
            param.section = title
        return command

    return decorate


def _params(command: Decorated) -> list[Any]:
    """Return what click has noted of the options of a command that is being made."""
    found: list[Any] = getattr(command, "__click_params__", [])
    return found


class Choice(click.Choice[str]):
    """One word of several; for another one, the nearest is named."""

    def __init__(self, kind: str, words: Iterable[str]) -> None:
        super().__init__(list(words))
        self.kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in self.choices:
            where = f"{param.opts[-1]}: " if isinstance(param, click.Option) else ""
            raise InputError(where + did_you_mean(self.kind, str(value), self.choices))
        return str(value)


def completes(what: str) -> Callable[..., Any]:
    """Return what completes a word on the command line: a function of `completers`.

    That is loaded only then.
    """

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> Any:
        from optiviz.cli import completers

        return getattr(completers, what)(ctx, incomplete)

    return complete
