"""Monitoring: one table of metrics, a registry of bounded memory, and the ways in which its numbers go out.

    from linnet.monitoring import Metrics, prometheus

    metrics = Metrics()
    model = linnet.load("intents.pte", watch=metrics)
    model("turn the volume down")
    print(prometheus(metrics.snapshot()))

No part of it can hold a text: values are numbers, and the values of labels come from the table or from a list that was
registered (names of models, classes of a file).
"""

from __future__ import annotations

from linnet.monitoring.exposition import prometheus
from linnet.monitoring.metrics import Metrics
from linnet.monitoring.snapshot import merge
from linnet.monitoring.table import METRICS, Metric, error_name
from linnet.monitoring.watch import Watch

__all__ = ["METRICS", "Metric", "Metrics", "Watch", "error_name", "merge", "prometheus"]
