"""The entry point of `optiviz` and `python -m optiviz`."""

import os
import sys
from contextlib import suppress
from typing import NoReturn

from optiviz.system import interrupts


def main() -> NoReturn:
    """Run the command line and exit; exit cleanly after a signal, whenever it comes."""
    interrupts.install_handlers()
    try:
        from optiviz.cli import run

        code = run()
    except KeyboardInterrupt:  # before the command line could report it
        said, code = interrupts.exit_message()
        if sys.stderr is not None:
            sys.stderr.write(f"optiviz: {said}\n")
    interrupts.restore_defaults()
    if interrupts.received():
        # All is cleaned up. Python might now kill itself with the signal, if that has passed
        # through an exec, and change the exit code.
        for stream in filter(None, (sys.stdout, sys.stderr)):
            with suppress(OSError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
