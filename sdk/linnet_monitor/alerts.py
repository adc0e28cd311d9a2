"""Alerts: the states of rules over time, and what is told about a change of state."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from typing import Any

from linnet_monitor.history import History
from linnet_monitor.rules import Rule

__all__ = ["STATES", "Alert", "Alerts", "Event"]

STATES = ("inactive", "pending", "firing", "resolved")
"""An alert is pending until its threshold was passed for as long as the rule says, and resolved for one evaluation."""


@dataclasses.dataclass(frozen=True)
class Alert:
    """State of one rule.

    Attributes:
        rule: the rule.
        state: one of :data:`STATES`.
        value: value of the statistic; NaN if there is none.
        since: when the state began, in seconds since 1970.
    """

    rule: Rule
    state: str = "inactive"
    value: float = math.nan
    since: float = 0.0

    def after(self, value: float, now: float) -> Alert:
        """Return the state that follows a new value; without a value nothing changes but a resolved alert's end."""
        state = self.state
        if math.isnan(value):
            state = "inactive" if state == "resolved" else state
        elif state == "firing":
            state = "firing" if self.rule.holds(value) else "resolved"
        elif not self.rule.begins(value):
            state = "inactive"
        elif state == "pending":
            state = "firing" if now - self.since >= self.rule.hold else "pending"
        else:
            state = "pending" if self.rule.hold else "firing"
        return Alert(self.rule, state, value, self.since if state == self.state else now)

    def to_json(self) -> dict[str, Any]:
        """Return the alert as JSON: what a webhook and a command get."""
        return {
            "alert": self.rule.name, "state": self.state, "severity": self.rule.severity, "summary": self.rule.summary,
            "metric": self.rule.metric, "labels": dict(self.rule.labels), "statistic": self.rule.statistic,
            "value": None if math.isnan(self.value) else self.value, "threshold": self.rule.threshold,
            "since": self.since,
        }  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Event:
    """An alert that fires or is resolved now."""

    alert: Alert


class Alerts:
    """States of all rules of one source.

    Attributes:
        states: state by the name of the rule.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.states: dict[str, Alert] = {rule.name: Alert(rule) for rule in rules}

    def evaluate(self, history: History, now: float) -> list[Event]:
        """Evaluate every rule; return the alerts that began to fire, and those that were resolved."""
        events = []
        for name, before in self.states.items():
            after = before.after(history.value(before.rule), now)
            self.states[name] = after
            if after.state != before.state and after.state in ("firing", "resolved"):
                events.append(Event(after))
        return events

    @property
    def firing(self) -> list[Alert]:
        """Alerts that fire."""
        return [alert for alert in self.states.values() if alert.state == "firing"]

    def to_json(self) -> list[Mapping[str, Any]]:
        """Return the states of all rules."""
        return [alert.to_json() for alert in self.states.values()]
