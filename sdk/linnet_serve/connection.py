"""Connection of a client, with limits of its headers and of the time that they may take."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from linnet_serve.settings import LimitSettings

__all__ = ["limited_protocol"]

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class _Limited(HttpToolsProtocol):
    """Connection that must send its headers in time, and not too many of them. uvicorn bounds neither.

    Attributes:
        limits: set by the subclass for one service, since uvicorn creates connections by their class.
    """

    limits: LimitSettings
    _timer: asyncio.TimerHandle | None = None
    _header_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for headers."""
        super().connection_made(transport)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin with the headers of the next request."""
        self._header_bytes = 0
        if self._timer is None:
            self._await_headers()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count the bytes of the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count the bytes of a header."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop to wait for headers."""
        self._stop_timer()
        super().on_headers_complete()

    def _count(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > self.limits.header and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()
            raise ValueError("headers over the limit")  # ends the parser of this connection

    def _await_headers(self) -> None:
        self._timer = self.loop.call_later(self.limits.idle, self._too_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()


def limited_protocol(limits: LimitSettings) -> type[HttpToolsProtocol]:
    """Return the class of connections of a service."""
    return type("Connection", (_Limited,), {"limits": limits})
