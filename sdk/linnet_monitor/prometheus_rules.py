"""Rules of alerts as rules of Prometheus, in YAML."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from linnet.monitoring.table import BY_NAME, Metric
from linnet_monitor.rules import REACHABLE, Rule

__all__ = ["expression", "prometheus_rules"]

_HEAD = """\
# Alerts of linnet for Prometheus, made of linnet_monitor/default_rules.toml by `python -m tools.monitoring`.
# The job of the services is expected to be called "linnet". Prometheus has no threshold of its own at which an alert
# ends, so `clear` of a rule is not in here.
groups:
  - name: linnet
    rules:
"""


def prometheus_rules(rules: Iterable[Rule]) -> str:
    """Return a file of rules, which ``promtool check rules`` accepts."""
    return _HEAD + "".join(_rule(rule) for rule in rules)


def _rule(rule: Rule) -> str:
    lines = [
        f"      - alert: {alert_name(rule.name)}",
        f"        expr: {json.dumps(expression(rule))}",
        *([f"        for: {rule.hold:g}s"] if rule.hold else []),
        "        labels:",
        f"          severity: {rule.severity}",
        "        annotations:",
        f"          summary: {json.dumps(rule.summary)}",
    ]
    return "\n".join(lines) + "\n"


def alert_name(name: str) -> str:
    """Return the name of an alert as Prometheus writes them: ``server-errors`` as LinnetServerErrors."""
    return "Linnet" + "".join(word.capitalize() for word in name.replace("_", "-").split("-"))


def expression(rule: Rule) -> str:
    """Return the PromQL of a rule: with a result exactly where the alert begins."""
    compared = f"> {rule.above:g}" if rule.above is not None else f"< {rule.below:g}"
    if rule.metric == REACHABLE:
        return f'up{{job="linnet"}} {compared}'
    metric = BY_NAME[rule.metric]
    if rule.statistic == "value":
        return f"{_selected(metric.exposed, rule.labels)} {compared}"
    window = f"[{rule.window:g}s]"
    by = "by (instance, model)" if "model" in metric.labels else "by (instance)"
    suffix = "_count" if metric.kind == "histogram" else ""
    counted = _selected(metric.exposed + suffix, rule.labels) + window
    if rule.statistic in ("rate", "increase"):
        return f"sum {by} ({rule.statistic}({counted})) {compared}"
    if rule.statistic == "share":
        whole = BY_NAME[rule.per]
        parts = _selected(whole.exposed + ("_count" if whole.kind == "histogram" else ""), rule.per_labels) + window
        grown = f"sum {by} (increase({parts}))"
        return f"sum {by} (increase({counted})) / {grown} {compared} and {grown} >= {rule.least:g}"
    enough = f"sum {by} (increase({counted})) >= {rule.least:g}"
    return f"{_of_histogram(rule, metric, by, window)} {compared} and {enough}"


def _of_histogram(rule: Rule, metric: Metric, by: str, window: str) -> str:
    if rule.statistic == "mean":
        sums, counts = (_selected(metric.exposed + part, rule.labels) + window for part in ("_sum", "_count"))
        return f"sum {by} (rate({sums})) / sum {by} (rate({counts}))"
    buckets = _selected(f"{metric.exposed}_bucket", rule.labels) + window
    with_bounds = by.replace("(", "(le, ", 1)
    return f"histogram_quantile(0.{rule.statistic[1:]}, sum {with_bounds} (rate({buckets})))"


def _selected(name: str, labels: Mapping[str, str]) -> str:
    inside = ",".join(f"{label}={json.dumps(value)}" for label, value in labels.items())
    return f"{name}{{{inside}}}" if inside else name
