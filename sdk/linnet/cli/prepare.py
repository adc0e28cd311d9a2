"""Command ``linnet prepare``: a prompt that many texts begin with, computed once and kept in a file."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from linnet.cli.command import add_threads
from linnet.cli.console import Console, counted
from linnet.cli.output import check_not_input, check_output_path
from linnet.errors import InvalidArgumentError
from linnet.loading import load

__all__ = ["add_arguments", "run"]

_EPILOG = """\
The file holds the keys and values of the tokens, and the SHA-256 of the model that made them: no other model reads
it. linnet run, linnet chat and Model.new_text(path=...) begin with it.

examples:
  linnet prepare smollm2.pte --system "Answer in one sentence." -o brief.state
  linnet chat smollm2.pte --system "Answer in one sentence." --prepared brief.state
  linnet prepare smollm2.pte - -o manual.state < manual.txt
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EPILOG
    parser.add_argument("file", metavar="FILE", help="a linnet file (.pte) of the task text-generation")
    parser.add_argument("text", metavar="TEXT", nargs="?", help="beginning of the texts; - is standard input")
    parser.add_argument("--system", metavar="TEXT", help="system message that conversations begin with")
    parser.add_argument("-o", "--output", required=True, metavar="STATE", help="the file to write")
    parser.add_argument("--force", action="store_true", help="replace STATE if it exists")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_threads(parser)


def run(args: argparse.Namespace) -> int:
    """Compute the prompt, write it and return the exit status.

    Raises:
        InvalidArgumentError: there is no prompt or two, or the output exists.
        TaskMismatchError: the file generates no text.
        UnknownFieldError: a system message, and the file has no chat template.
        ContextFullError: the prompt has more tokens than the context.
    """
    if (args.text is None) == (args.system is None):
        raise InvalidArgumentError("expected a text or --system, one of both; see linnet prepare --help")
    output = Path(args.output)
    check_output_path(output, force=args.force)
    check_not_input(output, Path(args.file))
    text = sys.stdin.read() if args.text == "-" else args.text
    with load(args.file, threads=args.threads) as model:
        started = time.monotonic()
        state = model.prepare(text if args.system is None else [{"role": "system", "content": args.system}])
        seconds = time.monotonic() - started
        state.save(str(output))
        tokens, capacity = len(state.tokens), state.capacity
    size = output.stat().st_size
    if args.json:
        fields = {"output": str(output), "tokens": tokens, "context": capacity, "bytes": size, "seconds": seconds}
        print(json.dumps(fields))
    else:
        Console().line(
            f"{output}: {counted(tokens, 'token')} of {capacity}, {size / 1e6:.2f} MB, computed in {seconds:.2f} s"
        )
    return 0
