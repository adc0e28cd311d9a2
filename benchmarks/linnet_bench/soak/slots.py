"""Sessions that are replaced by new ones while other threads continue to use them."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from linnet.model import Model

__all__ = ["Slot"]


class _Lease:
    """An opened model and its number of users; after it is retired, the last user closes it."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.users = 1  # the slot itself counts as a user


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
        """Yield the model; it stays open until the last user is done, even if :meth:`reload` is called meanwhile."""
        with self._lock:
            lease = self._lease
            lease.users += 1
        try:
            yield lease.model
        finally:
            self._leave(lease)

    def reload(self) -> None:
        """Open the file again for all later users.

        Raises:
            LinnetError: the file cannot be opened; the slot keeps its model.
        """
        # opened before the lock is taken: users continue meanwhile, and an error leaves the slot unchanged
        fresh = _Lease(self._open())
        with self._lock:
            retired, self._lease = self._lease, fresh
        self._leave(retired)

    def close(self) -> None:
        """Release the model; the slot must not be used again."""
        self._leave(self._lease)

    def _leave(self, lease: _Lease) -> None:
        with self._lock:
            lease.users -= 1
            last = lease.users == 0
        if last:  # outside the lock, so that closing does not block other users
            lease.model.close()
