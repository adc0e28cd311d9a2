"""Where snapshots go: JSON lines in files of bounded size, and a collector of OpenTelemetry."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from linnet.errors import InvalidArgumentError
from linnet.monitoring import METRICS, Metrics
from linnet.monitoring.snapshot import check_snapshot
from linnet_monitor.opentelemetry import OpenTelemetrySink, otlp_request
from linnet_monitor.periodic import JsonLines, Periodic


def full() -> Metrics:
    """Return a registry with a series of every metric."""
    metrics = Metrics()
    metrics.register_model("m", ["a"])
    for metric in METRICS:
        labels: dict[str, Any] = {label: {"model": "m", "route": "chat"}.get(label, "x") for label in metric.labels}
        call = metrics.observe if metric.kind == "histogram" else metrics.count
        call(metric.name, 1, **labels)
    return metrics


def test_lines_go_to_files_of_bounded_size(tmp_path: Path) -> None:
    snapshot, path = full().snapshot(), tmp_path / "metrics.jsonl"
    size = len(json.dumps(snapshot, separators=(",", ":"))) + 1
    sink = JsonLines(path, most_bytes=int(2.5 * size), keep=2)
    for number in range(1, 10):
        sink.write({**snapshot, "sources": number})
    kept = {file.name: [json.loads(line)["sources"] for line in file.read_text().splitlines()] for file in
            tmp_path.iterdir()}  # fmt: skip
    assert kept == {"metrics.jsonl": [9], "metrics.jsonl.1": [7, 8], "metrics.jsonl.2": [5, 6]}
    check_snapshot(json.loads(path.read_text()))


def test_without_older_files_the_full_one_is_deleted(tmp_path: Path) -> None:
    sink = JsonLines(tmp_path / "m.jsonl", most_bytes=1, keep=0)
    for number in range(3):
        sink.write({"n": number})
    assert [file.read_text() for file in tmp_path.iterdir()] == ['{"n":2}\n']


def test_lines_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    JsonLines().write({"n": 1})
    assert capsys.readouterr().out == '{"n":1}\n'


def test_a_sink_that_fails_is_counted_and_the_others_go_on(tmp_path: Path) -> None:
    metrics = full()
    good = tmp_path / "good.jsonl"
    periodic = Periodic(metrics, [JsonLines(tmp_path / "nowhere" / "m.jsonl"), JsonLines(good)], 60)
    periodic.write()
    periodic.write()
    assert len(good.read_text().splitlines()) == 2
    assert "nowhere" in periodic.error
    failures = metrics.snapshot()["metrics"]["export_failures"]
    assert {one["labels"]["sink"]: one["value"] for one in failures}["json_lines"] == 2


def test_a_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    full_device = Path("/dev/full")
    if not full_device.exists():
        pytest.skip("this system has no /dev/full")
    link = tmp_path / "m.jsonl"
    link.symlink_to(full_device)
    metrics = full()
    periodic = Periodic(metrics, [JsonLines(link)], 60)
    periodic.write()
    assert "No space left" in periodic.error or "Invalid argument" in periodic.error


def test_a_thread_writes_at_an_interval_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    with Periodic(full(), [JsonLines(path)], 0.1):
        until = time.monotonic() + 20
        while time.monotonic() < until and not path.exists():
            time.sleep(0.02)
        assert path.exists()
        before = path.read_text().count("\n")
    assert path.read_text().count("\n") > before


@pytest.mark.parametrize("wrong", [lambda: Periodic(Metrics(), [], 0), lambda: JsonLines("x", most_bytes=0),
                                   lambda: OpenTelemetrySink("collector:4318")])  # fmt: skip
def test_wrong_settings_are_refused(wrong: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="expected"):
        wrong()


# -- OpenTelemetry -----------------------------------------------------------------------------


class Collector(http.server.BaseHTTPRequestHandler):
    """A collector that keeps what it is sent."""

    taken: list[tuple[str, str, bytes]]
    status = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append((self.path, self.headers["Content-Type"], body))
        self.send_response(self.status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[tuple[str, type[Collector]]]:
    handler = type("Handler", (Collector,), {"taken": []})
    server = http.server.HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_collector_gets_every_metric(collector: tuple[str, type[Collector]]) -> None:
    url, handler = collector
    OpenTelemetrySink(url).write(full().snapshot())
    OpenTelemetrySink(f"{url}/other/path").write(full().snapshot())
    assert [(path, kind) for path, kind, _ in handler.taken] == [
        ("/v1/metrics", "application/json"), ("/other/path", "application/json"),
    ]  # fmt: skip
    sent = json.loads(handler.taken[0][2])
    metrics = {one["name"]: one for one in sent["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]}
    assert metrics.keys() >= {f"linnet.{metric.name}" for metric in METRICS}
    first = metrics["gen_ai.server.time_to_first_token"]
    assert first["unit"] == "s"
    attributes = {one["key"]: one["value"]["stringValue"] for one in first["histogram"]["dataPoints"][0]["attributes"]}
    assert attributes == {
        "gen_ai.operation.name": "text_completion", "gen_ai.request.model": "m", "gen_ai.provider.name": "linnet",
    }  # fmt: skip
    # read again by the rules of opentelemetry-proto: one more count than bounds, all of them strings
    point = first["histogram"]["dataPoints"][0]
    assert len(point["bucketCounts"]) == len(point["explicitBounds"]) + 1
    assert sum(map(int, point["bucketCounts"])) == int(point["count"]) == 1


def test_a_refusal_is_an_error(collector: tuple[str, type[Collector]]) -> None:
    url, handler = collector
    handler.status = 503
    with pytest.raises(OSError, match="answered 503"):
        OpenTelemetrySink(url).write(full().snapshot())


def test_the_request_is_read_by_opentelemetry() -> None:
    service = pytest.importorskip(
        "opentelemetry.proto.collector.metrics.v1.metrics_service_pb2",
        reason="opentelemetry-proto is not installed: pip install opentelemetry-proto",
    )
    json_format = pytest.importorskip("google.protobuf.json_format")
    read = json_format.Parse(json.dumps(otlp_request(full().snapshot())), service.ExportMetricsServiceRequest())
    metrics = read.resource_metrics[0].scope_metrics[0].metrics
    assert len(metrics) == len(METRICS) + 4
    for metric in metrics:
        kind = metric.WhichOneof("data")
        assert len(getattr(metric, kind).data_points) == 1
