"""Exit statuses and error messages of the command line.

::

    0    done
    1    a check failed: `verify` found a difference, `eval` is below its limit,
         `export` is over budget
    2    wrong usage: an argument or an input
    3    the file was refused: missing, damaged, too new, or not a linnet file
    4    this build or machine lacks what the program or the command needs, such as torch
    5    the run failed, or there is no space left for its output
    130  interrupted with Ctrl-C
"""

from __future__ import annotations

from linnet.atomic_file import is_full_disk
from linnet.errors import BuildError, CallerError, FileError, GoldenMismatchError, LinnetError

__all__ = [
    "CHECK_FAILED",
    "INTERRUPTED",
    "LACKING",
    "OK",
    "REFUSED",
    "RUN_FAILED",
    "USAGE",
    "error_message",
    "exit_status",
]

OK, CHECK_FAILED, USAGE, REFUSED, LACKING, RUN_FAILED, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130


def exit_status(error: Exception) -> int:
    """Return the exit status for an error."""
    if isinstance(error, GoldenMismatchError):
        return CHECK_FAILED
    if isinstance(error, CallerError):
        return USAGE
    if isinstance(error, FileError):
        return REFUSED
    if isinstance(error, BuildError):
        return LACKING
    if isinstance(error, OSError) and not isinstance(error, LinnetError) and not is_full_disk(error):
        return USAGE  # a data file or an output that the arguments name
    return RUN_FAILED


def error_message(error: Exception) -> str:
    """Return the message of an error as one line, or as several lines if the error is a list."""
    if isinstance(error, LinnetError) and error.multiline:
        return str(error)
    text = " ".join(str(error).split()) or type(error).__name__
    return text if isinstance(error, LinnetError | OSError) else f"{type(error).__name__}: {text}"
