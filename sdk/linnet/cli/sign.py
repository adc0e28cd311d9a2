"""Command ``linnet sign``: Ed25519 signature in the trailer of a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from linnet.cli.console import Console
from linnet.cli.output import check_output_path
from linnet.format.signature import sign_file

__all__ = ["add_arguments", "run"]

_EPILOG = """\
The signature stands in the file's trailer; `linnet verify --key`, linnet.load(require_signature=...) and the JVM
check it.

examples:
  openssl genpkey -algorithm ed25519 -out key.pem
  openssl pkey -in key.pem -pubout -out key.pub.pem
  linnet sign intents.pte --key key.pem
  linnet verify intents.pte --key key.pub.pem
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EPILOG
    parser.add_argument("file", metavar="FILE", help="a linnet file (.pte)")
    parser.add_argument("--key", required=True, metavar="PEM", help="Ed25519 private key without a password")
    parser.add_argument("-o", "--output", metavar="OUT", help="write a copy (default: sign the file itself)")
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")


def run(args: argparse.Namespace) -> int:
    """Sign the file and return the exit status."""
    if args.output is not None:
        check_output_path(Path(args.output), force=args.force)
    output = args.file if args.output is None else args.output
    sign_file(args.file, args.key, output)
    Console().line(f"{output}: signed")
    return 0
