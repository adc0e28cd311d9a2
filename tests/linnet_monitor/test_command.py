"""`linnet monitor`: state of a service or a file, pages, exit statuses, sums of devices."""

from __future__ import annotations

import argparse
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from linnet.cli.command import GROUPS
from linnet.cli.exit_status import CHECK_FAILED, OK, RUN_FAILED
from linnet.errors import InvalidArgumentError
from linnet.monitoring import Metrics, prometheus
from linnet_monitor.command import run
from linnet_monitor.commands import monitor
from linnet_monitor.sources import read_source
from tests.support.html_reader import read_page


def filled(errors: int = 0, name: str = "<b>m") -> Metrics:
    metrics = Metrics()
    metrics.register_model("intents", [name])
    metrics.count("inferences", 100, model="intents")
    metrics.count("tokens", 900, model="intents", direction="input")
    metrics.count("tokens", 50, model="intents", direction="output")
    metrics.count("labels", 100, model="intents", label=name)
    metrics.observe("latency", 0.002, times=100, model="intents", stage="run", length="16")
    metrics.observe("confidence", 0.9, times=100, model="intents")
    metrics.observe("time_to_first_token", 0.1, model="intents")
    metrics.count("requests", 100, route="pipeline", status=200)
    metrics.observe("request", 0.004, times=100, route="pipeline")
    metrics.set("memory", 80e6, memory="resident")
    metrics.set("drift_detected", 0, model="intents", feature="length")
    metrics.set("drift", 0.1, model="intents", feature="length", statistic="ks")
    if errors:
        metrics.count("errors", errors, model="intents", error="internal")
    return metrics


def look(*words: str) -> int:
    parser = argparse.ArgumentParser()
    monitor.add_arguments(parser)
    return run(parser.parse_args(words))


def write(path: Path, *snapshots: dict[str, Any]) -> str:
    path.write_text("".join(json.dumps(one) + "\n" for one in snapshots))
    return str(path)


def test_it_is_a_command_of_linnet() -> None:
    assert monitor.group in GROUPS
    parser = argparse.ArgumentParser()
    monitor.add_arguments(parser)
    declared = {option for action in parser._actions for option in action.option_strings}
    assert set(monitor.common) <= declared
    assert "linnet monitor" in (parser.epilog or "").partition("examples:\n")[2]


def test_a_file_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert look(write(tmp_path / "m.jsonl", filled().snapshot()), "--once") == OK
    shown = capsys.readouterr().out
    for text in ("Models, last 5 minutes", "intents", "Requests", "Generation", "Drift", "80 MB", "inactive"):
        assert text in shown


def test_an_alert_is_an_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = filled(50).snapshot(), filled(60).snapshot()
    after["time"] = before["time"] + 120  # the rule wants a minute
    path = write(tmp_path / "m.jsonl", before, after)
    assert look(path, "--once", "--json") == CHECK_FAILED
    state = json.loads(capsys.readouterr().out)
    alerts = {alert["alert"]: alert for alert in state["alerts"]}
    assert alerts["errors"]["state"] == "firing"
    assert alerts["errors"]["value"] == pytest.approx(60 / 100, rel=0.01)
    assert state["snapshot"]["metrics"]["errors"][0]["value"] == 60


def test_a_page_is_written_and_has_no_markup_of_others(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    source = write(tmp_path / "m.jsonl", filled().snapshot())
    assert look(source, "--once", "--output", str(page)) == OK
    text = page.read_text()
    assert read_page(text).problems == []
    assert "<b>m" not in text
    assert "http" not in text.replace('http-equiv="refresh"', "")
    assert look(source, "--once", "--output", str(page)) == OK  # its own page
    page.write_text("mine")
    with pytest.raises(InvalidArgumentError, match="exists"):
        look(source, "--once", "--output", str(page))


class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        allowed = self.headers.get("Authorization") == "Bearer sesame" and self.path == "/metrics"
        body = prometheus(filled().snapshot()).encode() if allowed else b"no"
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_service_is_asked_with_its_key(service: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "key"
    key.write_text("sesame\n")
    assert look(service, "--once", "--key-file", str(key)) == OK
    assert "intents" in capsys.readouterr().out
    assert look(service, "--once") == RUN_FAILED
    assert "answered 401, expected 200; give its key with --key-file" in capsys.readouterr().err


def test_a_service_that_is_gone_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert look("http://127.0.0.1:9", "--once") == RUN_FAILED
    seen = capsys.readouterr()
    assert "which does not answer" in seen.out
    assert "pending" in seen.out


def test_devices_are_added(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [write(tmp_path / f"{number}.json", filled(number + 1).snapshot()) for number in range(3)]
    assert look("merge", *files) == OK
    total = json.loads(capsys.readouterr().out)
    assert total["sources"] == 3
    assert total["metrics"]["errors"][0]["value"] == 1 + 2 + 3
    assert look("merge", *files, "--output", str(tmp_path / "all.json")) == OK
    (again,) = read_source(str(tmp_path / "all.json"))
    assert again["metrics"]["inferences"][0]["value"] == 300
    with pytest.raises(InvalidArgumentError, match="got none"):
        look("merge")


def test_the_rules_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert look("--show-rules") == OK
    assert "[[rule]]" in capsys.readouterr().out
    with pytest.raises(InvalidArgumentError, match="got none"):
        look("--once")


@pytest.mark.parametrize("content", ["", "{}", '{"format": "linnet-metrics"}', "[1]\n[2]\n", "\x00\x01"])
def test_what_are_no_metrics_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text(content)
    with pytest.raises(InvalidArgumentError):
        read_source(str(path))


def test_a_half_written_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps(filled().snapshot()) + '\n{"format": "linn')
    assert len(read_source(str(path))) == 1
    path.write_text(json.dumps(filled().snapshot(), indent=1))
    assert len(read_source(str(path))) == 1
