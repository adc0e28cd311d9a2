"""Progress listener and timing of the stages of an export."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Protocol

__all__ = ["Listener", "Quiet", "Stages"]


class Listener(Protocol):
    """Shows progress. All methods are called from the exporting thread."""

    def stage_started(self, name: str) -> None:
        """A stage begins."""

    def stage_detail(self, text: str) -> None:
        """The current stage reports what it is doing."""

    def stage_finished(self, name: str, seconds: float) -> None:
        """The stage ended well."""


class Quiet:
    """A listener that shows nothing."""

    def stage_started(self, name: str) -> None:
        """See :class:`Listener`."""

    def stage_detail(self, text: str) -> None:
        """See :class:`Listener`."""

    def stage_finished(self, name: str, seconds: float) -> None:
        """See :class:`Listener`."""


class Stages:
    """Times the stages of one export.

    Attributes:
        seconds: wall-clock seconds by stage, in the order of the stages.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block as stage ``name``."""
        self._listener.stage_started(name)
        started = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - started
        self._listener.stage_finished(name, self.seconds[name])

    def detail(self, text: str) -> None:
        """Say what the current stage is doing."""
        self._listener.stage_detail(text)
