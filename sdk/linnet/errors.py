"""Exception classes of linnet. Each has the status number of the C ABI (``linnet.h``).

::

    LinnetError
    +-- CallerError              1xx  an argument or an input
    |   +-- InvalidArgumentError     (also a ValueError)
    |   +-- InvalidTextError
    |   +-- InputOutOfRangeError
    |   +-- InputShapeError
    |   +-- TextTooLongError
    |   +-- UnknownMethodError
    |   +-- ThreadsFixedError
    |   +-- UnknownFieldError
    |   +-- ContextFullError         the tokens do not fit in the context of a decoder
    |   +-- CancelledError           another thread stopped the generation
    |   +-- TaskMismatchError        the task of the file does not support the call
    +-- FileError                2xx  the file
    |   +-- FileMissingError         (also a FileNotFoundError)
    |   +-- FileUnreadableError
    |   +-- NotAProgramError
    |   +-- NotALinnetFileError
    |   +-- FileTruncatedError
    |   +-- ProgramDamagedError
    |   +-- TrailerDamagedError
    |   +-- FileDamagedError
    |   +-- SchemaTooNewError
    |   +-- ManifestInvalidError
    |   +-- TokenizerInvalidError
    |   +-- StateInvalidError        a saved text is damaged, or belongs to another model
    |   +-- SignatureError           no signature, or a signature by another key
    |   +-- GoldenMismatchError      `load`, `verify`: the file is intact, but its outputs differ here
    +-- BuildError               3xx  this build or this machine
    |   +-- BackendMissingError
    |   +-- OperatorMissingError
    |   +-- ExecuTorchTooOldError
    |   +-- OutOfMemoryError
    |   +-- ExtraMissingError        an optional part of linnet is not installed
    |   +-- DeviceUnsuitableError    a remote machine lacks what the measurement needs
    +-- RunError                 4xx  ExecuTorch failed; see `executorch_code`
    |   +-- LoadFailedError
    |   +-- RunFailedError
    |   +-- NoSpaceError             no room for an output; nothing half-written stays (also an OSError)
    |   +-- DeviceError              a remote machine could not be reached, or the connection broke
    +-- InternalError            5xx  a bug in linnet
"""

from __future__ import annotations

from typing import ClassVar

from linnet.printable import printable

__all__ = [
    "BackendMissingError",
    "BuildError",
    "CallerError",
    "CancelledError",
    "ContextFullError",
    "DeviceError",
    "DeviceUnsuitableError",
    "ExecuTorchTooOldError",
    "ExtraMissingError",
    "FileDamagedError",
    "FileError",
    "FileMissingError",
    "FileTruncatedError",
    "FileUnreadableError",
    "GoldenMismatchError",
    "InputOutOfRangeError",
    "InputShapeError",
    "InternalError",
    "InvalidArgumentError",
    "InvalidTextError",
    "LinnetError",
    "LoadFailedError",
    "ManifestInvalidError",
    "NoSpaceError",
    "NotALinnetFileError",
    "NotAProgramError",
    "OperatorMissingError",
    "OutOfMemoryError",
    "ProgramDamagedError",
    "RunError",
    "RunFailedError",
    "SchemaTooNewError",
    "SignatureError",
    "StateInvalidError",
    "TaskMismatchError",
    "TextTooLongError",
    "ThreadsFixedError",
    "TokenizerInvalidError",
    "TrailerDamagedError",
    "UnknownFieldError",
    "UnknownMethodError",
    "error_class",
]


class LinnetError(Exception):
    """Base class of all errors that linnet raises deliberately.

    Attributes:
        status: number of the C ABI (``linnet_status``), 0 if only Python knows this error.
        status_name: its name in ``linnet.h``, or empty.
        executorch_code: ExecuTorch's own error code, 0 if it was not involved.
        multiline: the message is a list with one entry per line.
    """

    status: ClassVar[int] = 0
    status_name: ClassVar[str] = ""
    multiline: ClassVar[bool] = False

    def __init__(self, message: str, *, executorch_code: int = 0) -> None:
        super().__init__(printable(message))  # it may quote a file or a device
        self.executorch_code = executorch_code


class CallerError(LinnetError):
    """An argument or an input is invalid."""


class InvalidArgumentError(CallerError, ValueError):
    """An argument has an impossible value."""

    status = 100
    status_name = "LINNET_INVALID_ARGUMENT"


class InvalidTextError(CallerError, ValueError):
    """The text cannot be written as UTF-8."""

    status = 101
    status_name = "LINNET_INVALID_UTF8"


class InputOutOfRangeError(CallerError, ValueError):
    """A token id is negative, or not below the size of the vocabulary."""

    status = 102
    status_name = "LINNET_INPUT_OUT_OF_RANGE"


class InputShapeError(CallerError, ValueError):
    """The number, dtype or shape of the inputs does not match the method."""

    status = 103
    status_name = "LINNET_INPUT_SHAPE"


class TextTooLongError(CallerError, ValueError):
    """The text has too many tokens, and truncation is off or not possible."""

    status = 104
    status_name = "LINNET_TEXT_TOO_LONG"


class UnknownMethodError(CallerError):
    """The program has no method of that name."""

    status = 105
    status_name = "LINNET_UNKNOWN_METHOD"


class ThreadsFixedError(CallerError):
    """The process already runs with another number of threads."""

    status = 106
    status_name = "LINNET_THREADS_FIXED"


class UnknownFieldError(CallerError):
    """The manifest has no field of that name."""

    status = 107
    status_name = "LINNET_UNKNOWN_FIELD"


class ContextFullError(CallerError):
    """The tokens do not fit behind those of the text."""

    status = 108
    status_name = "LINNET_CONTEXT_FULL"


class CancelledError(CallerError):
    """The generation was cancelled from another thread."""

    status = 109
    status_name = "LINNET_CANCELLED"


class TaskMismatchError(CallerError):
    """The task of the file does not support the call."""


class FileError(LinnetError):
    """The file cannot be used."""


class FileMissingError(FileError, FileNotFoundError):
    """The path does not exist."""

    status = 200
    status_name = "LINNET_FILE_NOT_FOUND"


class FileUnreadableError(FileError):
    """The file exists but cannot be read."""

    status = 201
    status_name = "LINNET_FILE_UNREADABLE"


class NotAProgramError(FileError):
    """The file is not an ExecuTorch program."""

    status = 202
    status_name = "LINNET_NOT_A_PROGRAM"


class NotALinnetFileError(FileError):
    """The file is an ExecuTorch program without a linnet manifest."""

    status = 203
    status_name = "LINNET_NOT_A_LINNET_FILE"


class FileTruncatedError(FileError):
    """The end of the file is missing."""

    status = 204
    status_name = "LINNET_FILE_TRUNCATED"


class ProgramDamagedError(FileError):
    """The hash of the header, program section and delegate sections does not match."""

    status = 205
    status_name = "LINNET_PROGRAM_DAMAGED"


class TrailerDamagedError(FileError):
    """The fields of the trailer contradict each other or the file."""

    status = 206
    status_name = "LINNET_TRAILER_DAMAGED"


class FileDamagedError(FileError):
    """The hash of the whole file does not match, or the file was written to while it was open."""

    status = 207
    status_name = "LINNET_FILE_DAMAGED"


class SchemaTooNewError(FileError):
    """The major schema version of the file is newer than the one that this linnet reads."""

    status = 208
    status_name = "LINNET_SCHEMA_TOO_NEW"


class ManifestInvalidError(FileError):
    """A field of the manifest is missing, has the wrong type or contradicts another."""

    status = 209
    status_name = "LINNET_MANIFEST_INVALID"


class TokenizerInvalidError(FileError):
    """The tokenizer bytes cannot be parsed."""

    status = 210
    status_name = "LINNET_TOKENIZER_INVALID"


class GoldenMismatchError(FileError):
    """The file is intact, but this machine does not reproduce its golden cases."""


class SignatureError(FileError):
    """The file has no signature, or a signature by another key than the required one."""

    status = 211
    status_name = "LINNET_SIGNATURE_INVALID"


class StateInvalidError(FileError):
    """A saved text is damaged, or belongs to another model."""

    status = 212
    status_name = "LINNET_STATE_INVALID"


class BuildError(LinnetError):
    """This build or this machine lacks something that the program or the command needs."""


class BackendMissingError(BuildError):
    """The program needs an ExecuTorch backend that this build lacks."""

    status = 300
    status_name = "LINNET_BACKEND_MISSING"


class OperatorMissingError(BuildError):
    """The program needs an operator that this build lacks."""

    status = 301
    status_name = "LINNET_OPERATOR_MISSING"


class ExecuTorchTooOldError(BuildError):
    """A newer ExecuTorch than that of this build wrote the program."""

    status = 302
    status_name = "LINNET_EXECUTORCH_TOO_OLD"


class OutOfMemoryError(BuildError, MemoryError):
    """Memory ran out."""

    status = 303
    status_name = "LINNET_OUT_OF_MEMORY"


class ExtraMissingError(BuildError, ImportError):
    """An optional part of linnet is not installed; the message has the ``pip install`` command."""


class DeviceUnsuitableError(BuildError):
    """A device of ``linnet bench --device`` lacks what the measurement needs; the message says what to do."""


class RunError(LinnetError):
    """ExecuTorch failed; ``executorch_code`` has its code."""


class LoadFailedError(RunError):
    """ExecuTorch could not load the program or a method of it."""

    status = 400
    status_name = "LINNET_LOAD_FAILED"


class RunFailedError(RunError):
    """ExecuTorch could not run the method."""

    status = 401
    status_name = "LINNET_RUN_FAILED"


class NoSpaceError(RunError, OSError):
    """The disk is full, or a limit of file sizes is reached; the message has the path and the bytes that are needed."""


class DeviceError(RunError):
    """A device of ``linnet bench --device`` could not be reached, or the connection broke during the measurement."""


class InternalError(LinnetError):
    """A bug in linnet; please report it with the message."""

    status = 500
    status_name = "LINNET_INTERNAL"


def _subclasses(cls: type[LinnetError]) -> list[type[LinnetError]]:
    return [cls, *(leaf for child in cls.__subclasses__() for leaf in _subclasses(child))]


_BY_STATUS = {cls.status: cls for cls in _subclasses(LinnetError) if cls.status}


def error_class(status: int) -> type[LinnetError]:
    """Return the exception class for a status number of ``linnet.h`` (:class:`InternalError` if unknown)."""
    return _BY_STATUS.get(status, InternalError)
