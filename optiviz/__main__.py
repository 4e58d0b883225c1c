"""`optiviz` and `python -m optiviz`: the command line as a process of its own."""

import os
import sys
from contextlib import suppress
from typing import NoReturn

from optiviz.system import interrupts


def main() -> NoReturn:
    """Run the command line; when told to leave, leave tidily, however early or late it comes."""
    interrupts.install_handlers()
    try:
        from optiviz.cli import run

        code = run()
    except KeyboardInterrupt:  # before there was a command line that could say so
        said, code = interrupts.exit_message()
        if sys.stderr is not None:
            sys.stderr.write(f"optiviz: {said}\n")
    interrupts.restore_defaults()
    if interrupts.received():
        # All is tidy. Python might kill itself now, and with that change the exit code, if the
        # signal has passed through an exec.
        for stream in filter(None, (sys.stdout, sys.stderr)):
            with suppress(OSError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
