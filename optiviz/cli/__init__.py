"""The command line: one file per command, loaded when the command is called.

The only package that imports click. A command imports what it needs when it runs, so that help
takes no longer than importing click.
"""

import atexit
import errno
import gc
import os
import re
import shlex
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from optiviz.system import interrupts
from optiviz.system.environment import configure_process, ran_third_party_code, use_all_cores
from optiviz.system.errors import REQUIRED, InputError, OptivizError, describe_error, did_you_mean

COMMANDS = {
    "run": "run",
    "plot": "plot",
    "response": "response",
    "tune": "tune",
    "basins": "basins",
    "score": "score",
    "lesson": "lesson",
    "batch": "batch",
    "inspect": "inspect",
    "schema": "schema",
    "list": "listing",
    "show": "show",
    "doctor": "doctor",
    "completion": "completion",
}
COMPLETING = "_OPTIVIZ_COMPLETE"  # the variable through which a shell requests completions
FAILED, MISTAKEN = 1, 2
UNWRITABLE = errno.ENOSPC, errno.EIO, errno.EBADF, errno.EPIPE  # errors of output streams


@dataclass
class Session:
    """State of one call of the command line."""

    debug: bool = False


class OptivizGroup(click.Group):
    """A group that loads commands when called and prints errors as one sentence on stderr."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return _load(name) if name in COMMANDS else None

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        written = list(args)  # click empties it
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise _without_command(error, written) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(did_you_mean("command", args[0], COMMANDS))
        return super().resolve_command(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        session = Session()
        try:
            if asked := os.environ.get(COMPLETING):
                import_module(f"{__name__}.completion").check(asked)
            complete_var = complete_var or COMPLETING  # whatever the program is called
            code = super().main(
                args, prog_name, complete_var, standalone_mode=False, obj=session, **extra
            )
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.ctx.get_help() if error.ctx else error.format_message())
            code = MISTAKEN
        except SystemExit:
            raise
        except BaseException as error:
            said, code = _ending(error)
            if session.debug:
                traceback.print_exc()
            if said:
                click.echo(f"optiviz: {said}", err=True)
            if isinstance(error, OSError) and error.errno in UNWRITABLE:
                _give_up_stdout()
        sys.exit(code if isinstance(code, int) else 0)


def _without_command(error: click.NoSuchOption, args: list[str]) -> click.NoSuchOption | InputError:
    """Return the error for an option of the group that does not exist, but may be of a command."""
    given = {arg.partition("=")[0] for arg in args if re.match("--?[a-z]", arg)}
    known = {
        name: {
            each for param in _load(name).params for each in (*param.opts, *param.secondary_opts)
        }
        for name in COMMANDS
    }
    for name, options in known.items():
        if given <= options:
            said = shlex.join(["optiviz", name, *args])
            return InputError(f"the command is missing: write {said}")
    for name, options in known.items():
        if error.option_name in options:
            said = f"{error.option_name} is an option of optiviz {name}"
            return InputError(f"the command is missing: {said}")
    return error


def _load(name: str) -> click.Command:
    command: click.Command = import_module(f"{__name__}.{COMMANDS[name]}").command
    return command


def _give_up_stdout() -> None:
    """Redirect standard output to the null device, or Python would retry at exit and fail."""
    with suppress(OSError, AttributeError):  # it may be closed, or none
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _ending(error: BaseException) -> tuple[str, int]:
    """Return the message and the exit code for the exception that ended a call."""
    if interrupts.received() or isinstance(error, click.Abort | KeyboardInterrupt):
        return interrupts.exit_message()
    match error:
        case click.NoSuchOption(option_name=name, ctx=click.Context() as ctx):
            params = ctx.command.get_params(ctx)
            known = [each for param in params for each in (*param.opts, *param.secondary_opts)]
            options = [each for each in known if each.startswith("-")]
            about = f"optiviz {ctx.info_name} --help" if ctx.parent else "optiviz --help"
            return did_you_mean("option", name, options, about), MISTAKEN
        case click.ClickException():
            return _click_message(error), MISTAKEN
        case InputError():
            return str(error), MISTAKEN
        case OptivizError():
            return str(error), FAILED
        case BrokenPipeError():  # output of completion; click handles the other cases
            return "", FAILED
        case OSError(filename=None, errno=number, strerror=why) if number in UNWRITABLE:
            return f"standard output cannot be written: {why}", FAILED
    return f"{describe_error(error)} (--debug shows where)", FAILED


def _click_message(error: click.ClickException) -> str:
    """Return a click message in optiviz's form: the option or argument, and what is wrong."""
    match error:
        case click.MissingParameter(param=click.Parameter() as param):
            return f"{_parameter_name(param)}: {REQUIRED}"
        case click.BadOptionUsage(option_name=name) if "requires an argument" in error.message:
            return f"{name}: the value is missing"
        case click.BadOptionUsage(option_name=name) if "does not take a value" in error.message:
            return f"{name} does not take a value"
        case click.BadParameter(param=click.Parameter() as param):
            return f"{_parameter_name(param)}: {_bad_value(error.message.rstrip('.'), param.type)}"
    return " ".join(error.format_message().split()).rstrip(".")


def _parameter_name(param: click.Parameter) -> str:
    """Return what a user calls an option or an argument, for example --steps or FILE."""
    name = max(param.opts, key=len)
    return name if isinstance(param, click.Option) else param.human_readable_name


def _bad_value(message: str, kind: "click.ParamType[Any]") -> str:
    """Return click's message about a value that it cannot convert, in optiviz's wording."""
    if wrong := re.fullmatch("(.*) is not a valid (integer|float)( range)?", message):
        number = "number" if wrong[2] == "float" else "whole number"
        comma = number == "number" and re.fullmatch(r"'(-?\d+),(\d+)'", wrong[1])
        hint = ": write {}.{}".format(*comma.groups()) if comma else ""
        return f"must be a {number}, not {wrong[1]}{hint}"
    if isinstance(kind, click.IntRange) and (
        wrong := re.match("(.*) is not in the range", message)
    ):
        return f"must be between {kind.min} and {kind.max}, not {wrong[1]}"
    return message


@contextmanager
def _logged() -> Iterator[None]:
    """Print log records to stderr, such as the errors that ended a path."""
    import logging

    log, handler = logging.getLogger("optiviz"), logging.StreamHandler()
    log.setLevel(logging.DEBUG)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(logging.NOTSET)


def _show_traceback(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    session = ctx.find_object(Session)
    if session is not None and value:
        session.debug = True
        ctx.with_resource(_logged())


debug_option = click.option(
    "--debug", is_flag=True, expose_value=False, is_eager=True, callback=_show_traceback,
    help="Print the traceback of an error.",
)  # fmt: skip


@click.group(cls=OptivizGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="optiviz-cli", prog_name="optiviz")
@debug_option
def cli() -> None:
    """Draw optimizers on a loss surface as an exact, reproducible animation.

    \b
    optiviz run --surface wobbly --opt adam,rmsprop
    optiviz plot wobbly,himmelblau --view relief -o surfaces.pdf
    """


def _freeze() -> None:
    """Skip garbage collection at exit, unless third-party code has run that may rely on it."""
    if not ran_third_party_code():
        gc.freeze()


def run() -> int:
    """Run the command line as its own process; return the exit code."""
    # Imported modules are not garbage: scanning them takes a tenth of a short run, and at exit,
    # unless they are frozen, another quarter.
    gc.set_threshold(100_000)
    configure_process()
    use_all_cores()
    atexit.register(_freeze)
    try:
        cli()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else FAILED
    raise AssertionError("cli() always exits")
