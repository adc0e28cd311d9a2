"""Rules and dashboard for Prometheus and Grafana, read by the real promtool and the real Prometheus of Debian."""

from __future__ import annotations

import http.server
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from tools.monitoring import files

from linnet.monitoring import METRICS, Metrics, prometheus
from linnet_monitor.grafana import dashboard, queries
from linnet_monitor.prometheus_rules import alert_name, expression, prometheus_rules
from linnet_monitor.rules import Rule, read_rules

MISSING = "promtool is not installed: apt-get install prometheus"


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip(MISSING)
    return found


def test_the_committed_files_are_what_the_table_makes() -> None:
    for path, text in files().items():
        assert path.read_text(encoding="utf-8") == text, f"{path} is outdated; run: python -m tools.monitoring"


def test_promtool_accepts_the_rules(promtool: str, tmp_path: Path) -> None:
    path = tmp_path / "rules.yml"
    path.write_text(prometheus_rules(read_rules(None).rules))
    done = subprocess.run([promtool, "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(read_rules(None).rules)} rules found" in done.stdout


_M = 'job="linnet",instance="a",model="m"'
SERIES = {
    "unreachable": {'up{job="linnet",instance="a"}': "0x20"},
    "errors": {f"linnet_errors_total{{{_M}}}": "0+10x20", f"linnet_inferences_total{{{_M}}}": "0+100x20"},
    "server-errors": {'linnet_requests_total{job="linnet",instance="a",status="500"}': "0+1x20"},
    "refused": {'linnet_refusals_total{job="linnet",instance="a",refusal="queue_full"}': "0+30x20"},
    "waiting": {
        f'linnet_queue_wait_seconds_bucket{{{_M},le="1.0"}}': "0+98x20",
        f'linnet_queue_wait_seconds_bucket{{{_M},le="2.0"}}': "0+100x20",
        f'linnet_queue_wait_seconds_bucket{{{_M},le="+Inf"}}': "0+100x20",
        f"linnet_queue_wait_seconds_count{{{_M}}}": "0+100x20",
    },
    "truncated": {f"linnet_truncated_total{{{_M}}}": "0+30x20", f"linnet_inferences_total{{{_M}}}": "0+100x20"},
    "unknown-tokens": {
        f"linnet_unknown_tokens_total{{{_M}}}": "0+300x20",
        f'linnet_tokens_total{{{_M},direction="input"}}': "0+1000x20",
    },
    "drift": {f'linnet_drift_detected{{{_M},feature="length"}}': "1x20"},
    "self-test": {f"linnet_self_test{{{_M}}}": "0x20"},
    "hot": {'linnet_throttled{job="linnet",instance="a"}': "1x20"},
}
"""Series, with a value a minute, that raise each alert."""


@pytest.mark.parametrize("name", SERIES)
def test_each_rule_raises_its_alert(promtool: str, tmp_path: Path, name: str) -> None:
    (tmp_path / "rules.yml").write_text(prometheus_rules(read_rules(None).rules))
    quiet = {series: "1x20" if "up{" in series or "self_test" in series else "0x20" for series in SERIES[name]}
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": series, "values": values} for series, values in given.items()],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{alert_name(name)}",alertstate="firing"}}) or vector(0)',
                    "eval_time": "15m",
                    "exp_samples": [{"labels": "{}", "value": expected}],
                }
            ],
        }
        for given, expected in ((SERIES[name], 1), (quiet, 0))
    ]
    document = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests}
    (tmp_path / "test.yml").write_text(json.dumps(document))  # JSON is YAML
    command = [promtool, "test", "rules", "test.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_default_rule_is_tested() -> None:
    assert set(SERIES) == {rule.name for rule in read_rules(None).rules}


@pytest.mark.parametrize("statistic", ["mean", "p50", "rate", "increase"])
def test_other_statistics_are_accepted(promtool: str, tmp_path: Path, statistic: str) -> None:
    rule = Rule(name="x", metric="latency", labels={"stage": "run"}, statistic=statistic, above=1, summary='a "b"')
    path = tmp_path / "rules.yml"
    path.write_text(prometheus_rules([rule]))
    done = subprocess.run([promtool, "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'stage="run"' in expression(rule)


def test_the_dashboard_shows_every_metric_with_queries_that_promtool_accepts(promtool: str, tmp_path: Path) -> None:
    made = dashboard()
    shown = [target["expr"] for panel in made["panels"] for target in panel.get("targets", ())]
    assert sorted(shown) == sorted(expr for metric in METRICS for expr, _ in queries(metric))
    rules = [
        {"record": f"a{number}", "expr": expr.replace("$__rate_interval", "5m").replace("$job", "linnet")}
        for number, expr in enumerate(shown)
    ]
    path = tmp_path / "rules.yml"
    path.write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))
    done = subprocess.run([promtool, "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    ids = [panel["id"] for panel in made["panels"]]
    assert len(set(ids)) == len(ids)


class Metered(http.server.BaseHTTPRequestHandler):
    metrics: Metrics

    def do_GET(self) -> None:
        self.metrics.count("inferences", 10, model="m")
        self.metrics.count("errors", 5, model="m", error="internal")
        body = prometheus(self.metrics.snapshot()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.slow
def test_a_real_prometheus_scrapes_and_raises_an_alert(tmp_path: Path) -> None:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip(MISSING)
    metrics = Metrics()
    metrics.register_model("m")
    metrics.set("self_test", 0, model="m")
    server = http.server.HTTPServer(("127.0.0.1", 0), type("Handler", (Metered,), {"metrics": metrics}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "rules.yml").write_text(prometheus_rules(read_rules(None).rules))
    job = {"job_name": "linnet", "static_configs": [{"targets": [f"127.0.0.1:{server.server_port}"]}]}
    times = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config = {"global": times, "rule_files": ["rules.yml"], "scrape_configs": [job]}
    (tmp_path / "prometheus.yml").write_text(json.dumps(config))
    port = _free_port()
    options = [f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data"]
    with subprocess.Popen(
        [program, *options, f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL
    ) as process:
        try:
            alerts = _wait_for_alert(port)
        finally:
            process.terminate()
            server.shutdown()
            server.server_close()
    assert {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"} == {"LinnetSelfTest"}


def _wait_for_alert(port: int) -> list[dict[str, Any]]:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        time.sleep(0.5)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/alerts", timeout=5) as answer:
                alerts: list[dict[str, Any]] = json.load(answer)["data"]["alerts"]
        except OSError:
            continue
        if any(alert["state"] == "firing" for alert in alerts):
            return alerts
    return []
