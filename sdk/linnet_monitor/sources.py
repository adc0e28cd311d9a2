"""Sources of snapshots: ``/metrics`` of a service, JSON of a device, JSON lines."""

from __future__ import annotations

import http.client
import json
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linnet.errors import InvalidArgumentError
from linnet.monitoring.snapshot import check_snapshot
from linnet_monitor.actions import connect
from linnet_monitor.read_prometheus import read_prometheus

__all__ = ["is_address", "read_source"]

_TIMEOUT = 10.0
_MOST_BYTES = 64 << 20
_MOST_LINES = 2_000


def is_address(source: str) -> bool:
    """Return whether a source is the address of a service."""
    return source.startswith(("http://", "https://"))


def read_source(source: str, key: str = "") -> list[dict[str, Any]]:
    """Return the snapshots of a source, oldest first; of a file of JSON lines the last 2 000.

    Args:
        source: address of a service, with ``/metrics`` if it has no path; or a file: a snapshot as JSON, JSON lines,
            or Prometheus text.
        key: key of the service; empty: none.

    Raises:
        InvalidArgumentError: what it gives are no metrics of linnet.
        OSError: it cannot be read, or the service does not answer 200.
    """
    if is_address(source):
        return [_read_text(_fetched(source, key), source, time.time())]
    path = Path(source)
    with path.open("rb") as file:
        beginning = file.read(64).lstrip()
        file.seek(0)
        if not beginning.startswith(b"{"):
            text = file.read(_MOST_BYTES).decode("utf-8", errors="replace")
            return [_read_text(text, source, path.stat().st_mtime)]
        lines = deque(enumerate(file, 1), maxlen=_MOST_LINES)
    if len(lines) > 1 and _parsed(lines[0][1]) is None:  # one object over several lines
        return [check_snapshot(_parsed(b"".join(line for _, line in lines)), source)]
    parsed = [(number, _parsed(line)) for number, line in lines if line.strip()]
    # the last line may be half-written
    whole = parsed if len(parsed) == 1 or parsed[-1][1] is not None else parsed[:-1]
    return [check_snapshot(one, f"{source}, line {number}") for number, one in whole]


def _read_text(text: str, source: str, moment: float) -> dict[str, Any]:
    snapshot = read_prometheus(text, time=moment)
    if not snapshot["metrics"]:
        raise InvalidArgumentError(f"{source}: expected a snapshot or Prometheus text of linnet, got neither")
    return snapshot


def _parsed(line: bytes) -> Mapping[str, Any] | None:
    try:
        return dict(json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return None


def _fetched(url: str, key: str) -> str:
    connection, path = connect(url, _TIMEOUT)
    try:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        connection.request("GET", path if path.strip("/") else "/metrics", headers=headers)
        answer = connection.getresponse()
        body = answer.read(_MOST_BYTES)
    except http.client.HTTPException as error:
        raise OSError(f"{url} answered what is no HTTP: {type(error).__name__}") from error
    finally:
        connection.close()
    if answer.status != 200:
        hint = "; give its key with --key-file" if answer.status in (401, 403) else ""
        raise OSError(f"{url} answered {answer.status}, expected 200{hint}")
    return body.decode("utf-8", errors="replace")
