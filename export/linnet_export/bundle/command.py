"""Command ``linnet bundle``: arguments, and the printed summary."""

from __future__ import annotations

import argparse
from pathlib import Path

from linnet.cli.console import Console, counted
from linnet_export.bundle import TARGETS, get_target
from linnet_export.bundle.content import Kind, Written, write
from linnet_export.bundle.notices import size_report
from linnet_export.bundle.subject import read_subject

__all__ = ["add_arguments", "run"]

_EPILOG = """\
The folder gets the file where the project expects it, linnet's sources or library, the labels as typed constants, a
sample for this very task, licences (LICENSES/) and sizes (SIZE.txt). Running it again changes nothing; a folder with
other content, with files that you changed, or with the bundle of another target or model is left alone.

examples:
  linnet bundle intents.pte --target android -o app/linnet
  linnet bundle qa.pte --target c -o third_party/qa
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.epilog = _EPILOG
    parser.add_argument("file", metavar="FILE", type=Path, help="a linnet file (.pte)")
    parser.add_argument("--target", required=True, choices=TARGETS, help="what kind of project")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="folder to write")
    parser.add_argument("--force", action="store_true", help="replace the bundle of another target or model in DIR")


def run(args: argparse.Namespace) -> int:
    """Write it and return the exit status."""
    subject = read_subject(args.file)
    content = get_target(args.target).content(subject)
    sizes = size_report(content)
    content["SIZE.txt"] = sizes
    changed = write(content, args.output, Kind(args.target, subject.name), force=args.force)
    console = Console()
    console.line(f"{args.output}: {counted(len(content), 'file')} for {args.target}, {_changed(changed)}")
    *_, total = sizes.decode().splitlines()
    _, size, packed = total.split()
    console.line(f"{int(size) / 1e6:.1f} MB on disk, {int(packed) / 1e6:.1f} MB compressed (SIZE.txt)")
    return 0


def _changed(changed: Written) -> str:
    removed = f", {len(changed.removed)} removed" if changed.removed else ""
    return f"{len(changed.written)} written now{removed}"
