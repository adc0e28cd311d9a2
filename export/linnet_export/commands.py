"""The commands that make a file, explain it, and put it into an app."""

from __future__ import annotations

from linnet.cli.command import Command

__all__ = ["bundle", "explain", "export"]

export = Command(
    help="turn a checkpoint into a proven .pte file",
    group="make a file",
    module="linnet_export.cli",
    common=("--output", "--task", "--recipe", "--max-length", "--proof", "--force"),
    extra="export",
)
explain = Command(
    help="write a page about a file: sizes, proof, errors, latency",
    group="use a file",
    module="linnet_export.explain.command",
)
bundle = Command(
    help="write a file as a part of an Android, iOS, C or Python project",
    group="put into an app",
    module="linnet_export.bundle.command",
)
