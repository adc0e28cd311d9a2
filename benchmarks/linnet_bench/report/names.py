"""Short, distinct names of benchmark records."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from linnet.errors import InvalidArgumentError
from linnet_bench.record.record import Record, read_record

__all__ = ["NamedRecord", "device_name", "read_all"]


_NO_NAMES = ("", "local", "adb")  # addresses that identify no machine


@dataclasses.dataclass(frozen=True)
class NamedRecord:
    """One record with its name.

    Attributes:
        name: distinguishes it from the others of the page.
        record: the record.
    """

    name: str
    record: Record

    @property
    def emulated(self) -> bool:
        """Return True if the record was made under an emulator, so that its times mean nothing."""
        return bool(self.record.environment.emulated)


def read_all(paths: Sequence[Path]) -> list[NamedRecord]:
    """Read records and name them.

    Raises:
        InvalidArgumentError: a path is given twice.
        LinnetError: as :func:`read_record`.
    """
    twice = [str(path) for path, count in Counter(path.resolve() for path in paths).items() if count > 1]
    if twice:
        raise InvalidArgumentError(f"{', '.join(twice)} is named more than once; name each record once")
    records = [read_record(path) for path in paths]
    return [NamedRecord(name, record) for name, record in zip(_names(records, paths), records, strict=True)]


def device_name(record: Record) -> str:
    """Return a name of the machine for people: its name with ``--device``, or else the board or the processor."""
    machine = record.environment
    given = "" if record.device in _NO_NAMES else record.device.removeprefix("ssh://")
    name = given or machine.board or machine.soc or machine.cpu or machine.architecture
    return f"{name} (emulated)" if machine.emulated else name


def _names(records: Sequence[Record], paths: Sequence[Path]) -> list[str]:
    """Return names by the first scheme that makes all distinct: finally file names, if necessary with folders."""
    for way in _ways():
        names = [way(record) for record in records]
        if len(set(names)) == len(names):
            return names
    stems = [path.stem for path in paths]
    names = stems if len(set(stems)) == len(stems) else [str(path) for path in paths]
    return [f"{name} (emulated)" if record.environment.emulated else name
            for name, record in zip(names, records, strict=True)]  # fmt: skip


def _ways() -> Iterator[Callable[[Record], str]]:
    yield device_name
    yield lambda record: record.file.recipe + _mark(record)
    yield lambda record: record.file.name.removesuffix(".pte") + _mark(record)
    yield lambda record: f"{device_name(record)}, {record.file.recipe}"
    yield lambda record: f"{device_name(record)}, {record.file.name.removesuffix('.pte')}"


def _mark(record: Record) -> str:
    return " (emulated)" if record.environment.emulated else ""
