"""Error handling of scripts that are run with ``python -m ...``, as in the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable

from linnet.cli.exit_status import INTERRUPTED, error_message, exit_status
from linnet.errors import LinnetError

__all__ = ["program_name", "run_script"]


def program_name() -> str:
    """Return the name of the running program, ``python -m examples.banking``, as argparse of Python 3.14 does."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return f"python -m {spec.name.removesuffix('.__main__')}" if spec else sys.argv[0]


def run_script(main: Callable[[], None]) -> None:
    """Call ``main``; on an error, print one line and exit with the status of :mod:`linnet.cli.exit_status`."""
    try:
        main()
    except (LinnetError, OSError) as error:
        sys.stderr.write(f"linnet: error: {error_message(error)}\n")
        sys.exit(exit_status(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
