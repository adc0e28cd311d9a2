"""Prometheus text, read again."""

from __future__ import annotations

import pytest

from linnet.errors import InvalidArgumentError
from linnet.monitoring import Metrics, prometheus
from linnet_monitor.read_prometheus import read_prometheus


def test_prometheus_text_is_read_again() -> None:
    metrics = Metrics()
    metrics.count("requests", route="embed", status=200)
    metrics.observe("latency", 0.003, model="intents", stage="run", length="16")
    metrics.set("memory", 1 << 20, memory="resident")
    metrics.register_model("a/b", ['he said "no\\yes"'])
    metrics.count("labels", model="a/b", label='he said "no\\yes"')
    snapshot = metrics.snapshot()
    text = prometheus(snapshot)
    read = read_prometheus("# HELP x y\nprocess_cpu 3\n" + text, time=snapshot["time"])
    assert read["metrics"].keys() == snapshot["metrics"].keys()
    assert all(read["metrics"][name] == series for name, series in snapshot["metrics"].items())
    with pytest.raises(InvalidArgumentError):
        read_prometheus("linnet_x{ oops")
    with pytest.raises(InvalidArgumentError):
        read_prometheus("linnet_temperature_celsius warm")
