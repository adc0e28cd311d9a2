"""Registration of the measuring commands."""

from __future__ import annotations

from linnet.cli.command import Command

__all__ = ["accuracy", "bench", "compare", "estimate", "regress", "report", "soak", "tune"]

bench = Command(
    help="measure a file's speed on this machine, or on others",
    group="measure",
    module="linnet_bench.bench.command",
    common=("--lengths", "--threads", "--seconds", "--quick", "--profile", "--device", "--output", "--json"),
)
compare = Command(
    help="show files of one task side by side",
    group="measure",
    module="linnet_bench.compare.command",
    common=("--data", "--lengths", "--threads", "--rounds", "--report", "--output", "--json"),
)
regress = Command(
    help="find regressions between benchmark records",
    group="measure",
    module="linnet_bench.regress.command",
    rare=True,
)
tune = Command(
    help="find the fastest threads, CPUs, kernels and recipe here",
    group="measure",
    module="linnet_bench.tune.command",
    rare=True,
    common=("--lengths", "--threads", "--limit-ms", "--seconds", "--device", "--output"),
)
accuracy = Command(
    help="measure a file's accuracy on your data",
    group="measure",
    module="linnet_bench.accuracy.command",
    common=("--data", "--text-column", "--pair-column", "--label-column", "--limit", "--at-least", "--json"),
)
report = Command(
    help="write a page about benchmark records: plots and tables", group="measure", module="linnet_bench.report.command"
)
estimate = Command(
    help="estimate a file's speed on a device that is not here",
    group="measure",
    module="linnet_bench.estimate.command",
    rare=True,
)
soak = Command(
    help="send very many requests; see memory, answers, latency hold",
    group="measure",
    module="linnet_bench.soak.command",
    rare=True,
    common=("--requests", "--clients", "--sessions", "--lengths", "--most-growth", "--most-drift", "--output"),
)
