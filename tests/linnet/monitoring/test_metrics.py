"""The registry of metrics: bounded, of numbers only, the same from several threads."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet import errors
from linnet.errors import InvalidArgumentError
from linnet.monitoring import METRICS, Metrics, error_name, merge, prometheus
from linnet.monitoring.machine import collect_machine
from linnet.monitoring.metrics import MOST_MODELS
from linnet.monitoring.snapshot import check_snapshot, quantile
from linnet.monitoring.table import LABELS, length_bucket


def values(snapshot: dict[str, Any], name: str) -> dict[tuple[str, ...], float]:
    return {tuple(one["labels"].values()): one.get("value", one.get("count")) for one in snapshot["metrics"][name]}


def some(texts: str = "x") -> Metrics:
    metrics = Metrics()
    metrics.register_model("intents", ["alarm", "weather"])
    metrics.count("requests", route="embed", status=200)
    metrics.count("labels", 2, model="intents", label="alarm")
    metrics.count("labels", model="intents", label=texts)
    metrics.observe("latency", 0.003, model="intents", stage="run", length="16")
    metrics.observe("confidence", 0.93, times=3, model="intents")
    metrics.set("memory", 1 << 20, memory="resident")
    return metrics


def test_counts_are_added_and_unknown_values_are_called_other() -> None:
    snapshot = some().snapshot()
    assert values(snapshot, "labels") == {("intents", "alarm"): 2, ("intents", "other"): 1}
    assert values(snapshot, "requests") == {("embed", "200"): 1}
    confidence = snapshot["metrics"]["confidence"][0]
    assert (confidence["count"], confidence["buckets"].index(3)) == (3, 18)  # above 0.90, at most 0.95
    assert confidence["sum"] == pytest.approx(2.79)


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda m: m.count("nope"), "expected a metric"),
        (lambda m: m.count("confidence", model="x"), "is a histogram"),
        (lambda m: m.observe("requests", 1, route="embed", status=200), "is a counter"),
        (lambda m: m.count("requests", route="embed"), "has the labels"),
        (lambda m: m.register_model("a model"), "expected a model's name"),
    ],
)
def test_wrong_uses_are_refused(call: Any, problem: str) -> None:
    with pytest.raises(InvalidArgumentError, match=problem):
        call(Metrics())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_dropped_and_counted(value: float) -> None:
    metrics = Metrics()
    metrics.observe("confidence", value, model="m")
    metrics.set("temperature", value)
    metrics.count("inferences", value, model="m")
    metrics.count("inferences", -1, model="m")
    snapshot = metrics.snapshot()
    assert snapshot["metrics"]["dropped"][0]["value"] == 4
    json.dumps(snapshot, allow_nan=False)


@given(st.text(min_size=4), st.sampled_from(METRICS))
@settings(max_examples=200, deadline=None)
def test_no_text_gets_into_a_snapshot(text: str, metric: Any) -> None:
    metrics = some(text)
    labels: dict[str, Any] = {label: text for label in metric.labels}
    call = metrics.observe if metric.kind == "histogram" else metrics.count
    call(metric.name, 1, **labels)
    with pytest.raises((TypeError, ValueError)):
        metrics.set("temperature", text)  # type: ignore[arg-type]
    known = {value for allowed in LABELS.values() for value in allowed} | {"other", "intents", "alarm", "weather"}
    for series in metrics.snapshot()["metrics"].values():
        for one in series:
            assert set(one["labels"].values()) <= known
            assert all(isinstance(one[field], int | float) for field in one.keys() & {"value", "sum", "count"})


def test_memory_is_bounded() -> None:
    metrics = Metrics()
    for number in range(MOST_MODELS):
        metrics.register_model(f"m{number}", [f"c{index}" for index in range(1000)])
    with pytest.raises(InvalidArgumentError, match="at most 64 models"):
        metrics.register_model("one-more")
    for number in range(2000):
        metrics.count("labels", model="m1", label=f"c{number}")
        metrics.count("errors", model=f"m{number}", error=f"e{number}")
    assert len(values(metrics.snapshot(), "labels")) == 257
    assert len(values(metrics.snapshot(), "errors")) == MOST_MODELS + 1


def test_a_file_that_is_replaced_brings_its_own_classes() -> None:
    metrics = some()
    metrics.register_model("intents", ["music"])
    metrics.register_model("intents")
    for label in ("music", "weather"):
        metrics.count("labels", model="intents", label=label)
    assert values(metrics.snapshot(), "labels") == {
        ("intents", "alarm"): 2,
        ("intents", "other"): 2,
        ("intents", "music"): 1,
    }


def test_threads_lose_no_count() -> None:
    metrics = Metrics()

    def work() -> None:
        for _ in range(5000):
            metrics.count("inferences", model="m")
            metrics.observe("margin", 0.5, model="m")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    snapshot = metrics.snapshot()
    assert values(snapshot, "inferences") == {("other",): 20000}
    assert values(snapshot, "margin") == {("other",): 20000}


def test_snapshots_are_added() -> None:
    both = merge([some().snapshot(), some().snapshot()])
    assert both["sources"] == 2
    assert values(both, "labels") == {("intents", "alarm"): 4, ("intents", "other"): 2}
    assert values(both, "confidence") == {("intents",): 6}
    assert values(both, "memory") == {("resident",): 1 << 20}  # the largest
    assert merge([both, some().snapshot()])["sources"] == 3


@pytest.mark.parametrize(
    "change",
    [
        {"format": "x"}, {"version": 2}, {"metrics": []}, {"metrics": {"labels": [3]}},
        {"metrics": {"temperature": [{"labels": {}, "value": "a text"}]}},
        {"metrics": {"temperature": [{"labels": {}, "value": True}]}},
        {"metrics": {"margin": [{"labels": {"model": "m"}, "sum": 1, "buckets": [1]}]}},
    ],
)  # fmt: skip
def test_what_is_no_snapshot_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError):
        check_snapshot({**some().snapshot(), **change})


def test_labels_of_a_foreign_snapshot_are_checked() -> None:
    snapshot = some().snapshot()
    snapshot["metrics"]["requests"] = [{"labels": {"route": "my name is", "status": 7}, "value": 1}]
    snapshot["metrics"]["a text"] = [{"labels": {}, "value": 1}]
    checked = check_snapshot(snapshot)
    assert values(checked, "requests") == {("other", "other"): 1}
    assert "a text" not in checked["metrics"]


def test_prometheus_text_is_read_by_prometheus(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    metrics = some()
    metrics.register_model("a/b", ['he said "no\\yes"'])
    for metric in METRICS:
        labels: dict[str, Any] = {
            label: ("a/b" if label == "model" else 'he said "no\\yes"') for label in metric.labels
        }
        call = metrics.observe if metric.kind == "histogram" else metrics.count
        call(metric.name, 1, **labels)
    text = prometheus(metrics.snapshot())
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_names_follow_the_conventions_of_prometheus() -> None:
    """https://prometheus.io/docs/practices/naming/: base units, `_total` for counters."""
    assert len({metric.exposed for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert metric.exposed.endswith("_total") == (metric.kind == "counter")
        assert metric.kind in ("counter", "gauge", "histogram")
        assert bool(metric.buckets) == (metric.kind == "histogram")
        assert list(metric.buckets) == sorted(set(metric.buckets))


def test_errors_have_the_names_of_the_c_abi() -> None:
    assert error_name(errors.TextTooLongError("x")) == "text_too_long"
    assert error_name(errors.InvalidTextError) == "invalid_utf8"  # LINNET_INVALID_UTF8
    assert error_name(errors.TaskMismatchError) == "task_mismatch"
    assert error_name(RuntimeError("a secret")) == "other"


@pytest.mark.parametrize(("tokens", "name"), [(1, "16"), (16, "16"), (17, "32"), (1024, "1024"), (1025, "more")])
def test_lengths_have_buckets(tokens: int, name: str) -> None:
    assert length_bucket(tokens) == name


def test_a_quantile_is_that_of_prometheus() -> None:
    # by hand, as in https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
    assert quantile([1, 2, 4], [2, 2, 4, 0], 0.5) == 2
    assert quantile([1, 2, 4], [2, 2, 4, 0], 0.75) == 3
    assert quantile([1, 2, 4], [0, 0, 0, 3], 0.5) == 4
    assert math.isnan(quantile([1], [0, 0], 0.5))


def test_the_machine_is_read_where_it_tells(tmp_path: Path) -> None:
    zone, throttle = tmp_path / "class/thermal/thermal_zone0", tmp_path / "devices/system/cpu/cpu0/thermal_throttle"
    firmware = tmp_path / "devices/platform/soc/soc:firmware"
    for folder in (zone, throttle, firmware):
        folder.mkdir(parents=True)
    (zone / "temp").write_text("71500\n")
    (throttle / "core_throttle_count").write_text("3\n")
    (firmware / "get_throttled").write_text("50005\n")  # throttled now and before, under-voltage now
    (tmp_path / "status").write_text("Name:\tpython\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n")
    metrics = Metrics()
    metrics.add_collector(lambda m: collect_machine(m, tmp_path, tmp_path / "status"))
    snapshot = metrics.snapshot()
    assert values(snapshot, "memory") == {("peak",): 2 << 20, ("resident",): 1 << 20}
    assert [values(snapshot, name)[()] for name in ("temperature", "throttles", "throttled")] == [71.5, 3, 1]
    nothing = Metrics()
    collect_machine(nothing, tmp_path / "nowhere", tmp_path / "nowhere")
    assert nothing.snapshot()["metrics"].keys() == {"start_time", "dropped"}
