"""Command-line options of labelled data: columns, header and delimiter."""

from __future__ import annotations

import argparse

from linnet_bench.accuracy.delimited import DelimitedFormat

__all__ = ["add_column_arguments", "delimited_format"]


def add_column_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add = parser.add_argument
    add("--text-column", metavar="NAME", help="name or number of the column with the text")
    add("--pair-column", metavar="NAME", help="name or number of the column with the second text")
    add("--label-column", metavar="NAME", help="name or number of the column with the right answer")
    add("--no-header", action="store_true", help="read the first row of a CSV as data, not as names of columns")
    add("--delimiter", metavar="CHARACTER", help="character between the fields of a CSV, or tab (default: detected)")


def delimited_format(args: argparse.Namespace) -> DelimitedFormat:
    """Return what the given options say about a CSV file."""
    return DelimitedFormat(
        header=False if args.no_header else None,
        delimiter=args.delimiter,
        names=tuple(name for name in (args.text_column, args.pair_column, args.label_column) if name is not None),
    )
