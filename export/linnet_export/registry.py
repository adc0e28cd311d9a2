"""Registry of named entries with a clear error for unknown names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

from linnet_export.errors import ExportError

__all__ = ["Registry"]

Entry = TypeVar("Entry")


class Registry(Generic[Entry]):
    """Named entries.

    Args:
        setting: name of the setting that has these values, for messages.
        entries: by name.
        error: class that is raised for an unknown name.
        advice: what to do about an unknown name, for messages.
    """

    def __init__(self, setting: str, entries: Mapping[str, Entry], error: type[ExportError], advice: str = "") -> None:
        self._setting = setting
        self._entries = dict(entries)
        self._error = error
        self._advice = advice

    def names(self) -> tuple[str, ...]:
        """Return all names, sorted."""
        return tuple(sorted(self._entries))

    def get(self, name: str) -> Entry:
        """Return the entry of that name.

        Raises:
            ExportError: there is none, in the class given; the message lists the names.
        """
        if name not in self._entries:
            advice = f"; {self._advice}" if self._advice else ""
            raise self._error(f"{self._setting} is {name!r}, supported are {', '.join(self.names())}{advice}")
        return self._entries[name]
