"""Words -> calls: the command line. One file a command, loaded when it is called.

The only room that knows click. What a command needs beyond the tables of names it imports when it
runs, so that help costs no more than click itself.
"""

import atexit
import errno
import gc
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from optiviz.system import interrupts
from optiviz.system.environment import configure_process, ran_third_party_code
from optiviz.system.errors import InputError, OptivizError, describe_error, did_you_mean

COMMANDS = {
    "run": "run",
    "plot": "plot",
    "response": "response",
    "tune": "tune",
    "basins": "basins",
    "batch": "batch",
    "inspect": "inspect",
    "schema": "schema",
    "list": "listing",
    "show": "show",
    "doctor": "doctor",
    "completion": "completion",
}
COMPLETING = "_OPTIVIZ_COMPLETE"  # the variable in which a shell asks for completions
FAILED, MISTAKEN = 1, 2
UNWRITABLE = errno.ENOSPC, errno.EIO, errno.EBADF, errno.EPIPE  # what a stream is, if no file


@dataclass
class Session:
    """What holds for the whole call."""

    debug: bool = False


class OptivizGroup(click.Group):
    """Commands that are loaded when called, and errors that are one sentence on stderr."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"{__name__}.{COMMANDS[name]}").command
        return command

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
            complete_var = complete_var or COMPLETING  # however we are called
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


def _give_up_stdout() -> None:
    """Lead what is left of the standard output nowhere: Python would try again, and complain."""
    with suppress(OSError, AttributeError):  # it may be closed, or none
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _ending(error: BaseException) -> tuple[str, int]:
    """Return the sentence for what ended a call, and its exit code."""
    if interrupts.received() or isinstance(error, click.Abort | KeyboardInterrupt):
        return interrupts.exit_message()
    match error:
        case click.NoSuchOption(option_name=name, ctx=click.Context() as ctx):
            params = ctx.command.get_params(ctx)
            known = [each for param in params for each in (*param.opts, *param.secondary_opts)]
            return did_you_mean(
                "option", name, [each for each in known if each.startswith("-")]
            ), MISTAKEN
        case click.ClickException():
            return " ".join(error.format_message().split()), MISTAKEN
        case InputError():
            return str(error), MISTAKEN
        case OptivizError():
            return str(error), FAILED
        case BrokenPipeError():  # nobody reads what a shell is told; click sees to all else
            return "", FAILED
        case OSError(filename=None, errno=number, strerror=why) if number in UNWRITABLE:
            return f"standard output cannot be written: {why}", FAILED
    return f"{describe_error(error)} (--debug shows where)", FAILED


@contextmanager
def _logged() -> Iterator[None]:
    """Tell on stderr what is logged: what ended a path alone."""
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
    help="Show where an error came from.",
)  # fmt: skip


@click.group(cls=OptivizGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="optiviz-cli", prog_name="optiviz")
@debug_option
def cli() -> None:
    """Turn a loss surface and a few optimizers into an exact, reproducible animation.

    \b
    optiviz run --surface wobbly --opt adam,rmsprop
    optiviz plot wobbly,himmelblau --view relief -o surfaces.pdf
    """


def _freeze() -> None:
    """Let the garbage be, unless a stranger's library is there that would complain of it."""
    if not ran_third_party_code():
        gc.freeze()


def run() -> int:
    """Run the command line as a process of its own; return its exit code."""
    # What was imported is no garbage: to look through it takes a tenth of a short run, and at the
    # end, unless it is frozen, another quarter.
    gc.set_threshold(100_000)
    configure_process()
    atexit.register(_freeze)
    try:
        cli()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else FAILED
    raise AssertionError("cli() always exits")
