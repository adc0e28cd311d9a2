"""What an alert sets off: a POST to a webhook, a command."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import subprocess
import urllib.parse
from collections.abc import Mapping
from typing import Any

from linnet.errors import InvalidArgumentError
from linnet_monitor.alerts import Event
from linnet_monitor.rules import RuleSet

__all__ = ["connect", "tell"]

_TIMEOUT = 10.0
_COMMAND_TIMEOUT = 60.0


def tell(event: Event, rules: RuleSet, source: str) -> list[str]:
    """Tell a webhook and a command about an alert; return what went wrong, for people.

    Args:
        event: the alert.
        rules: with the webhook and the command.
        source: name of the source, as the user gave it.
    """
    message = {"source": source, **event.alert.to_json()}
    problems = []
    if rules.webhook:
        try:
            _post(rules.webhook, message)
        except (OSError, http.client.HTTPException, InvalidArgumentError) as error:
            problems.append(f"webhook: {error}")
    if rules.command:
        try:
            _execute(rules.command, message)
        except (OSError, subprocess.SubprocessError) as error:
            problems.append(f"command: {error}")
    return problems


def connect(url: str, timeout: float) -> tuple[http.client.HTTPConnection, str]:
    """Return a connection for an http or https address, and the path to ask for.

    Raises:
        InvalidArgumentError: it is no such address.
    """
    parts = urllib.parse.urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise InvalidArgumentError(f"expected an http or https address, got {url!r}: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidArgumentError(f"expected an http or https address, got {url!r}")
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(parts.hostname, port, timeout=timeout, context=context), path
    return http.client.HTTPConnection(parts.hostname, port, timeout=timeout), path


def _post(url: str, message: Mapping[str, Any]) -> None:
    connection, path = connect(url, _TIMEOUT)
    try:
        body = json.dumps(message, allow_nan=False).encode()
        connection.request("POST", path or "/", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read(1 << 16)
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        raise OSError(f"answered {answer.status}, expected 200 to 299")


def _execute(command: tuple[str, ...], message: Mapping[str, Any]) -> None:
    """Run the command without a shell; it gets JSON on standard input, name and state in its environment."""
    environment = {**os.environ, "LINNET_ALERT": str(message["alert"]), "LINNET_ALERT_STATE": str(message["state"])}
    text = json.dumps(message, allow_nan=False)
    done = subprocess.run(
        command, input=text, text=True, env=environment, timeout=_COMMAND_TIMEOUT, check=False,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    if done.returncode:
        raise OSError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-200:]}")
