"""Command of the monitoring: monitor."""

from __future__ import annotations

from linnet.cli.command import Command

__all__ = ["monitor"]

monitor = Command(
    help="show what a service or a device counts, and its alerts",
    group="run for others",
    module="linnet_monitor.command",
    common=("--rules", "--show-rules", "--once", "--interval", "--json", "--output"),
)
