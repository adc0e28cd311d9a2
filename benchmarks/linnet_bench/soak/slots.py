"""A session that is replaced by a fresh one while other threads go on using it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from linnet.model import Model

__all__ = ["Slot"]


class _Lease:
    """An opened model and how many are using it; closed by whoever leaves it last once it is retired."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.users = 1  # the slot itself


class Slot:
    """One session, always open."""

    def __init__(self, open_model: Callable[[], Model]) -> None:
        """Open the first model.

        Raises:
            LinnetError: the file cannot be opened.
        """
        self._open = open_model
        self._lock = threading.Lock()
        self._lease = _Lease(open_model())

    @contextlib.contextmanager
    def use(self) -> Iterator[Model]:
        """Lend the model; it stays open until the last user is done, whatever :meth:`reload` does meanwhile."""
        with self._lock:
            lease = self._lease
            lease.users += 1
        try:
            yield lease.model
        finally:
            self._leave(lease)

    def reload(self) -> None:
        """Open the file anew for all later users.

        Raises:
            LinnetError: the file cannot be opened; the slot keeps what it has.
        """
        fresh = _Lease(self._open())
        with self._lock:
            retired, self._lease = self._lease, fresh
        self._leave(retired)

    def close(self) -> None:
        """Give up the model; the slot is not used again."""
        self._leave(self._lease)

    def _leave(self, lease: _Lease) -> None:
        with self._lock:
            lease.users -= 1
            last = lease.users == 0
        if last:
            lease.model.close()
