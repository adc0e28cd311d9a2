"""Command-line arguments for measuring on other devices."""

from __future__ import annotations

import argparse
from pathlib import Path

__all__ = ["add_device_arguments", "wants_devices"]


def add_device_arguments(parser: argparse.ArgumentParser, *, phones: bool = True) -> None:
    """Add the arguments; ``phones``: also those for phones and for cleaning."""
    group = parser.add_argument_group(
        "other machines", "docs/how-to/bench-devices.md: what a board or a phone needs, and what is left there"
    )
    forms = "ssh://user@host[:port], adb[:serial], local" if phones else "ssh://user@host[:port], local"
    group.add_argument(
        "--device",
        action="append",
        default=[],
        metavar="DEVICE",
        help=f"device to measure on: {forms}, or a name of the devices file; repeatable",
    )
    group.add_argument(
        "--devices-file",
        type=Path,
        metavar="TOML",
        help="file that names devices; without --device all of them are used",
    )
    group.add_argument(
        "--wheel",
        type=Path,
        action="append",
        metavar="PATH",
        help="wheel of linnet for the device (or of what it needs there), or a folder of wheels; default: dist/",
    )
    if not phones:
        return
    group.add_argument("--runner", type=Path, metavar="PATH", help="C runner for phones (default: the one in dist/)")
    group.add_argument(
        "--clean-device",
        action="store_true",
        help="remove linnet's files from the devices; without FILE do nothing else",
    )


def wants_devices(args: argparse.Namespace) -> bool:
    """Return whether the arguments name any device."""
    return bool(args.device or args.devices_file or args.clean_device)
