"""Rules of alerts: a metric, a statistic and a threshold with duration and hysteresis, read from TOML."""

from __future__ import annotations

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from linnet.errors import InvalidArgumentError
from linnet.monitoring.table import BY_NAME, LABELS
from linnet.suggestions import did_you_mean

__all__ = ["REACHABLE", "STATISTICS", "Rule", "RuleSet", "read_rules"]

REACHABLE = "reachable"
"""Name of what is not in the table: 1 if the source answered, else 0."""

STATISTICS: Mapping[str, tuple[str, ...]] = {
    "value": ("gauge", "counter"),
    "rate": ("counter", "histogram"),
    "increase": ("counter", "histogram"),
    "share": ("counter", "histogram"),
    "mean": ("histogram",),
    **dict.fromkeys(("p50", "p90", "p95", "p99"), ("histogram",)),
}
"""Statistics, and the kinds of metrics that have them."""

_MOST_SECONDS = 30 * 86400
_MOST_RULES = 200


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule; ``default_rules.toml`` says what each field means.

    Attributes:
        name: name of the alert.
        metric, labels: what is looked at.
        statistic: one of :data:`STATISTICS`.
        per, per_labels: the whole that a share is a part of.
        window: seconds over which a statistic other than value is taken.
        least: fewest values in the window.
        above, below: threshold; one of them.
        clear: an alert that fires ends when the value is not beyond this any more; None: at the threshold.
        hold: seconds that the threshold is passed before the alert fires (``for`` in TOML).
        severity: info, warning or critical.
        summary: what to tell people.
    """

    name: str
    metric: str
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    statistic: str = "value"
    per: str = ""
    per_labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    window: float = 300.0
    least: float = 1.0
    above: float | None = None
    below: float | None = None
    clear: float | None = None
    hold: float = 0.0
    severity: str = "warning"
    summary: str = ""

    @property
    def threshold(self) -> float:
        """The value at which the alert begins."""
        return self.above if self.above is not None else self.below or 0.0

    def begins(self, value: float) -> bool:
        """Return whether a value is beyond the threshold."""
        return value > self.above if self.above is not None else value < self.threshold

    def holds(self, value: float) -> bool:
        """Return whether a value keeps an alert firing."""
        clear = self.threshold if self.clear is None else self.clear
        return value > clear if self.above is not None else value < clear

    def problems(self) -> list[str]:
        """Return everything that is wrong with the rule, as sentences; empty if nothing is."""
        problems = [*self._problems_of_metric(self.metric, self.labels, self.statistic), *self._problems_of_numbers()]
        if (self.statistic == "share") != bool(self.per):
            problems.append("per is the whole of a share: expected it with statistic share, and with no other")
        if self.per:
            problems += self._problems_of_metric(self.per, self.per_labels, "share")
        if self.severity not in LABELS["severity"]:
            problems.append(f"severity is {self.severity!r}, expected {', '.join(LABELS['severity'])}")
        return problems

    def _problems_of_metric(self, name: str, labels: Mapping[str, str], statistic: str) -> list[str]:
        if statistic not in STATISTICS:
            return [f"statistic is {statistic!r}, expected one of {', '.join(STATISTICS)}"]
        if name == REACHABLE and statistic == "value":
            return []
        if name not in BY_NAME:
            return [f"there is no metric {name!r}{did_you_mean(name, list(BY_NAME))}"]
        metric, problems = BY_NAME[name], []
        if metric.kind not in STATISTICS[statistic]:
            problems.append(f"{name} is a {metric.kind}, which has no {statistic}")
        unknown = sorted(set(labels) - set(metric.labels))
        if unknown:
            problems.append(f"{name} has no label {', '.join(unknown)}, it has {', '.join(metric.labels) or 'none'}")
        return problems

    def _problems_of_numbers(self) -> list[str]:
        problems = []
        if (self.above is None) == (self.below is None):
            problems.append("expected above or below, one of them")
        wrong_side = self.clear is not None and (
            self.clear > self.threshold if self.above is not None else self.clear < self.threshold
        )
        if wrong_side:
            problems.append(f"clear is {self.clear}, on the other side of the threshold {self.threshold}")
        for name, value, least in (("window", self.window, 1.0), ("for", self.hold, 0.0)):
            if not least <= value <= _MOST_SECONDS:
                problems.append(f"{name} is {value}, expected {least:g} to {_MOST_SECONDS} seconds")
        return problems


@dataclasses.dataclass(frozen=True)
class RuleSet:
    """All rules of a file, and whom alerts are told.

    Attributes:
        rules: the rules.
        webhook: address that gets a POST; empty: none.
        command: program with its arguments; empty: none.
    """

    rules: tuple[Rule, ...]
    webhook: str = ""
    command: tuple[str, ...] = ()


def read_rules(path: Path | None) -> RuleSet:
    """Read a file of rules, or the default rules if ``path`` is None.

    Raises:
        InvalidArgumentError: it is not TOML, or a rule is wrong; the message lists everything.
        OSError: it cannot be read.
    """
    if path is None:
        text = resources.files("linnet_monitor").joinpath("default_rules.toml").read_text(encoding="utf-8")
    else:
        text = path.read_text(encoding="utf-8")
    where = path or "the default rules"
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidArgumentError(f"{where}: expected TOML: {error}") from error
    given = document.get("rule", [])
    problems = [f"{name} is not known" for name in document.keys() - {"rule", "webhook", "command"}]
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given) or len(given) > _MOST_RULES:
        raise InvalidArgumentError(f"{where}: expected at most {_MOST_RULES} tables [[rule]]")
    rules = []
    for number, fields in enumerate(given, 1):
        rule, found = _rule(fields)
        problems += [f"rule {number} ({fields.get('name', 'without a name')}): {problem}" for problem in found]
        rules += [] if rule is None else [rule]
    names = [rule.name for rule in rules]
    problems += [f"several rules are called {name!r}" for name in sorted({n for n in names if names.count(n) > 1})]
    webhook, command = document.get("webhook", {}), document.get("command", {})
    url, argv = _field(webhook, "url", "", problems), _field(command, "argv", [], problems)
    if problems or not all(isinstance(word, str) for word in argv):
        raise InvalidArgumentError(f"{where}: {'; '.join(problems) or 'argv is a list of texts'}")
    return RuleSet(tuple(rules), url, tuple(argv))


def _field(table: Any, name: str, default: Any, problems: list[str]) -> Any:
    value = table.get(name, default) if isinstance(table, dict) and table.keys() <= {name} else None
    if not isinstance(value, type(default)):
        problems.append(f"expected a table with {name} alone")
        return default
    return value


def _rule(fields: Mapping[str, Any]) -> tuple[Rule | None, list[str]]:
    """Return a rule with its problems, or None with those of its form."""
    given = {("hold" if name == "for" else name): value for name, value in fields.items() if name != "hold"}
    kinds = {field.name: field.type for field in dataclasses.fields(Rule)}
    problems = [f"{name} is not known{did_you_mean(name, list(kinds))}" for name in given.keys() - kinds.keys()]
    problems += [f"expected {name}" for name in ("name", "metric") if name not in given]
    for name in given.keys() & kinds.keys():
        if not _fits(given[name], str(kinds[name])):
            problems.append(f"{'for' if name == 'hold' else name} is {given[name]!r:.40}, which has another type")
    if problems:
        return None, problems
    rule = Rule(**given)
    return rule, rule.problems()


def _fits(value: Any, kind: str) -> bool:
    if kind.startswith("Mapping"):
        return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
    if kind == "str":
        return isinstance(value, str) and value.isprintable() and len(value) <= 200
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
