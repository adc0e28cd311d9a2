"""The command ``linnet report``."""

from __future__ import annotations

import argparse
from pathlib import Path

from linnet.cli.console import Console, counted
from linnet.cli.exit_status import OK
from linnet.errors import InvalidArgumentError
from linnet_bench.html.output import check_page_path, write_page
from linnet_bench.report.names import read_all
from linnet_bench.report.page import report_page

__all__ = ["add_arguments", "run"]

_EPILOG = """\
The page needs no network. Its tables can be copied as Markdown. A record that was made under an emulator is
marked, and its times are in no chart.

examples:
  linnet bench intents.pte --profile --lengths 16,32,64,128 -o pi5.json
  linnet report pi5.json -o pi5.html
  linnet report pi4.json pi5.json laptop.json -o devices.html --title "Intents on three machines"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = _EPILOG
    add = parser.add_argument
    add("records", metavar="RECORD", type=Path, nargs="+", help="records of linnet bench (.json)")
    add("-o", "--output", metavar="OUT", type=Path, required=True, help="page to write (.html)")
    add("--title", default="", metavar="TEXT", help="heading of the page (default: the files' names)")
    add("--force", action="store_true", help="replace OUT even if it is no earlier page of this command")


def run(args: argparse.Namespace) -> int:
    """Read the records, write the page.

    Raises:
        LinnetError: a record cannot be read, or the page cannot be written there.
    """
    if args.output.resolve() in [path.resolve() for path in args.records]:
        raise InvalidArgumentError(f"{args.output} is one of the records; give the page another name")
    check_page_path(args.output, "linnet report", force=args.force)
    records = read_all(args.records)
    write_page(report_page(records, args.title), args.output, "linnet report", force=args.force)
    Console().line(f"{args.output}: {counted(len(records), 'record')}")
    return OK
