"""Watch of a running service: snapshots at an interval, written as JSON lines and compared with the rules of alerts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from linnet.monitoring.table import LABELS
from linnet_monitor.actions import tell
from linnet_monitor.alerts import Alerts
from linnet_monitor.history import History
from linnet_monitor.periodic import JsonLines
from linnet_monitor.rules import RuleSet, read_rules
from linnet_serve.service import Service

__all__ = ["watching"]

_LOG = logging.getLogger("linnet.serve")
_RULES_SECONDS = 10.0


@contextlib.asynccontextmanager
async def watching(service: Service, address: str) -> AsyncIterator[None]:
    """Watch a service until the block ends, if its settings ask for it.

    Raises:
        LinnetError: the rules are wrong.
    """
    settings = service.settings.monitoring
    tasks = []
    if settings.log:
        tasks.append(asyncio.create_task(_write(service, JsonLines(settings.log), settings.interval)))
    if settings.rules:
        rules = read_rules(Path(settings.rules))
        tasks.append(asyncio.create_task(_Watcher(service, rules, address).work()))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _write(service: Service, lines: JsonLines, interval: float) -> None:
    """Write a snapshot at each interval; one that cannot be written is counted."""
    while True:
        await asyncio.sleep(interval)
        snapshot = await service.snapshot()
        try:
            await asyncio.to_thread(lines.write, snapshot)
        except OSError as error:
            service.metrics.count("export_failures", sink=lines.name)
            _LOG.error("the snapshot cannot be written: %s", error.strerror)


class _Watcher:
    """Rules of alerts and their states."""

    def __init__(self, service: Service, rules: RuleSet, address: str) -> None:
        self._service, self._rules, self._address = service, rules, address
        self._history, self._alerts = History(), Alerts(rules.rules)

    async def work(self) -> None:
        """Evaluate the rules until the task is cancelled."""
        while True:
            snapshot = await self._service.snapshot()
            self._history.add(snapshot)
            for event in self._alerts.evaluate(self._history, snapshot["time"]):
                _LOG.warning("alert %s: %s", event.alert.rule.name, event.alert.state)
                for problem in await asyncio.to_thread(tell, event, self._rules, self._address):
                    _LOG.error("alert %s: %s", event.alert.rule.name, problem)
            firing = [alert.rule.severity for alert in self._alerts.firing]
            for severity in LABELS["severity"]:
                self._service.metrics.set("alerts_firing", firing.count(severity), severity=severity)
            await asyncio.sleep(_RULES_SECONDS)
