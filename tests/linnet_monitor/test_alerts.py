"""Alerts: rules read from TOML, statistics over windows, states over time, and what they set off."""

from __future__ import annotations

import http.server
import json
import math
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from linnet.errors import InvalidArgumentError
from linnet.monitoring import Metrics
from linnet_monitor.actions import tell
from linnet_monitor.alerts import Alert, Alerts, Event
from linnet_monitor.history import History
from linnet_monitor.rules import Rule, RuleSet, read_rules

ERRORS = Rule(name="errors", metric="errors", statistic="share", per="inferences", window=100, least=10, above=0.05)


def snapshot(moment: float, started: float = 0.0, **numbers: float) -> dict[str, Any]:
    """Return a snapshot with counters of the model m, and its latency of a run as seconds of ten inputs."""
    metrics = Metrics()
    metrics.register_model("m")
    for name, value in numbers.items():
        if name == "errors":
            metrics.count(name, value, model="m", error="internal")
        elif name == "queue_wait":
            metrics.observe(name, value, times=10, model="m")
        elif name == "temperature":
            metrics.set(name, value)
        else:
            metrics.count(name, value, model="m")
    return {**metrics.snapshot(), "time": moment, "started": started}


def history(*snapshots: dict[str, Any]) -> History:
    made = History()
    for one in snapshots:
        made.add(one)
    return made


def test_a_share_is_taken_over_the_window() -> None:
    seen = history(snapshot(0, errors=50, inferences=100), snapshot(100, errors=51, inferences=200))
    seen.add(snapshot(160, errors=53, inferences=240))
    # the window goes back to 60, and counts from the snapshot before it: 3 errors of 140
    assert seen.value(ERRORS) == pytest.approx(3 / 140)


def test_the_first_snapshot_counts_from_the_start() -> None:
    assert history(snapshot(1000, started=500, errors=1, inferences=100)).value(ERRORS) == 0.01
    rate = Rule(name="r", metric="errors", statistic="rate", above=1)
    assert history(snapshot(1000, started=500, errors=10)).value(rate) == pytest.approx(10 / 500)


def test_too_few_values_say_nothing() -> None:
    assert math.isnan(history(snapshot(1, errors=1, inferences=9)).value(ERRORS))
    assert math.isnan(history().value(ERRORS))
    assert math.isnan(history(snapshot(1)).value(Rule(name="t", metric="temperature", above=80)))


def test_a_source_that_was_started_again_began_at_nothing() -> None:
    """As https://prometheus.io/docs/prometheus/latest/querying/functions/#increase says of counter resets."""
    seen = history(snapshot(0, inferences=100), snapshot(50, inferences=110), snapshot(90, started=60, inferences=7))
    increase = Rule(name="i", metric="inferences", statistic="increase", window=100, above=1)
    assert seen.value(increase) == 117  # since the start: 100, then 10, then 7


def test_histograms_have_means_and_quantiles() -> None:
    seen = history(snapshot(1, queue_wait=0.3))
    mean = Rule(name="w", metric="queue_wait", statistic="mean", above=1)
    assert seen.value(mean) == pytest.approx(0.3)
    p50 = Rule(name="w", metric="queue_wait", statistic="p50", above=1)
    assert seen.value(p50) == pytest.approx(0.35)  # halfway through the bucket from 0.2 to 0.5


def test_gauges_give_the_worst_of_their_series() -> None:
    metrics = Metrics()
    for kind, value in (("resident", 5), ("peak", 9)):
        metrics.set("memory", value, memory=kind)
    seen = history(metrics.snapshot())
    assert seen.value(Rule(name="a", metric="memory", above=1)) == 9
    assert seen.value(Rule(name="b", metric="memory", below=1)) == 5
    assert seen.value(Rule(name="c", metric="memory", labels={"memory": "resident"}, above=1)) == 5


def test_states_have_duration_and_hysteresis() -> None:
    rule = Rule(name="hot", metric="temperature", above=80, clear=70, hold=60)
    alert, states = Alert(rule), []
    for moment, value in enumerate([50, 85, 60, 85, 90, 84, 75, 71, math.nan, 69, 69, 85]):
        alert = alert.after(value, moment * 40.0)
        states.append(alert.state)
    assert states == [
        "inactive", "pending", "inactive", "pending", "pending", "firing", "firing", "firing", "firing", "resolved",
        "inactive", "pending",
    ]  # fmt: skip


def test_an_alert_is_told_when_it_begins_and_when_it_ends() -> None:
    alerts, seen, told = Alerts([Rule(name="hot", metric="temperature", above=80)]), History(), []
    for moment, value in enumerate([50, 85, 90, 60, 60]):
        seen.add(snapshot(float(moment + 1), temperature=value))
        told += [(event.alert.state, moment) for event in alerts.evaluate(seen, float(moment))]
    assert told == [("firing", 1), ("resolved", 3)]


def test_the_default_rules_are_rules() -> None:
    rules = read_rules(None).rules
    assert {"errors", "drift", "self-test", "unreachable"} <= {rule.name for rule in rules}
    assert all(rule.summary for rule in rules)
    unreachable = History()
    unreachable.reachable = False
    assert unreachable.value(next(rule for rule in rules if rule.name == "unreachable")) == 0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[rule", "expected TOML"),
        ("rule = 3", r"tables \[\[rule\]\]"),
        ("[[rule]]\nmetric = 'errors'", "expected name"),
        ("[[rule]]\nname = 'a'\nmetric = 'eror'\nabove = 1", "there is no metric 'eror'"),
        ("[[rule]]\nname = 'a'\nmetric = 'temperature'", "above or below"),
        ("[[rule]]\nname = 'a'\nmetric = 'temperature'\nabove = 1\nclear = 2", "other side"),
        ("[[rule]]\nname = 'a'\nmetric = 'temperature'\nabove = 1\nstatistic = 'p99'", "has no p99"),
        ("[[rule]]\nname = 'a'\nmetric = 'temperature'\nabove = 1\nstatistic = 'p98'", "expected one of"),
        ("[[rule]]\nname = 'a'\nmetric = 'errors'\nstatistic = 'share'\nabove = 1", "per is the whole"),
        ("[[rule]]\nname = 'a'\nmetric = 'errors'\nlabels = {stage = 'run'}\nabove = 1", "has no label stage"),
        ("[[rule]]\nname = 'a'\nmetric = 'temperature'\nabove = 'hot'", "another type"),
        ("[[rule]]\nname = 'a'\nmetric = 'temperature'\nabove = 1\nfor = -1", "for is -1"),
        ("[[rule]]\nname = 'a'\nmetric = 'temperature'\nabove = 1\nabov = 2", "abov is not known"),
        ("[[rule]]\nname = 'a'\nmetric = 'temperature'\nabove = 1\nseverity = 'loud'", "severity is 'loud'"),
        ("[webhook]\nadress = 'x'", "expected a table with url alone"),
        ("[command]\nargv = [1]", "argv is a list of texts"),
        ("[alerts]\n", "alerts is not known"),
    ],
)
def test_wrong_rules_are_refused(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(InvalidArgumentError, match=problem):
        read_rules(path)


class Hook(http.server.BaseHTTPRequestHandler):
    taken: list[Any]
    status = 204

    def do_POST(self) -> None:
        self.taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def hook() -> Iterator[tuple[str, type[Hook]]]:
    handler = type("Handler", (Hook,), {"taken": []})
    server = http.server.HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/alerts?team=1", handler
    server.shutdown()
    server.server_close()


def test_a_webhook_and_a_command_are_told(tmp_path: Path, hook: tuple[str, type[Hook]]) -> None:
    url, handler = hook
    script = "import os, sys; open(sys.argv[1], 'w').write(os.environ['LINNET_ALERT_STATE'] + sys.stdin.read())"
    rules = RuleSet((), url, (sys.executable, "-c", script, str(tmp_path / "told")))
    assert tell(Event(Alert(ERRORS, "firing", 0.5, 12.0)), rules, "http://x") == []
    (message,) = handler.taken
    assert (message["alert"], message["state"], message["value"]) == ("errors", "firing", 0.5)
    assert (tmp_path / "told").read_text() == "firing" + json.dumps(message)


def test_what_cannot_be_told_is_said(hook: tuple[str, type[Hook]]) -> None:
    url, handler = hook
    handler.status = 500
    event = Event(Alert(ERRORS, "firing"))
    (webhook, command) = tell(event, RuleSet((), url, (sys.executable, "-c", "raise SystemExit(3)")), "x")
    assert "answered 500" in webhook
    assert "ended with 3" in command
    assert "expected an http" in tell(event, RuleSet((), "ftp://x"), "x")[0]
    assert "no-such-program" in tell(event, RuleSet((), "", ("no-such-program",)), "x")[0]
