"""Programs beside the command line, as ``python -m ...``: what goes wrong is one line, as there."""

from __future__ import annotations

import sys
from collections.abc import Callable

from linnet.cli.exit_status import INTERRUPTED, error_message, exit_status
from linnet.errors import LinnetError

__all__ = ["program_name", "run_script"]


def program_name() -> str:
    """Return how the running program was called: ``python -m examples.banking``, as Python 3.14 says by itself."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return f"python -m {spec.name.removesuffix('.__main__')}" if spec else sys.argv[0]


def run_script(main: Callable[[], None]) -> None:
    """Call ``main``, and end the process with the exit status of its error: see :mod:`linnet.cli.exit_status`."""
    try:
        main()
    except (LinnetError, OSError) as error:
        sys.stderr.write(f"linnet: error: {error_message(error)}\n")
        sys.exit(exit_status(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
