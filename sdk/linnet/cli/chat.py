"""Command ``linnet chat``: a conversation with a decoder in the terminal."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator

from linnet.cli.command import add_threads
from linnet.cli.generation import add_options, given_options, kept_text, report_lookup, write_piece
from linnet.errors import ContextFullError, LinnetError
from linnet.generation import Chat
from linnet.loading import load

__all__ = ["add_arguments", "run"]

_EPILOG = """\
Each line is a message. /reset forgets the conversation, /save FILE writes it as JSON lines, /quit or Ctrl-D ends,
Ctrl-C stops the answer that is being written. What comes from a pipe is answered line by line.

examples:
  linnet chat smollm2.pte
  linnet chat smollm2.pte --system "Answer in one sentence." --temperature 0
  echo "What is a linnet?" | linnet chat smollm2.pte --json
"""

_PROMPT = "> "


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EPILOG
    parser.add_argument("file", metavar="FILE", help="a linnet file (.pte) of the task text-generation")
    add_options(parser)
    parser.add_argument("--top-k", type=int, metavar="N", help="number of likeliest tokens to choose from")
    add_threads(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object for each message, one a line")


def run(args: argparse.Namespace) -> int:
    """Answer messages until the input ends; return the exit status.

    Raises:
        TaskMismatchError: the file generates no text.
        UnknownFieldError: the file has no chat template.
    """
    with load(args.file, threads=args.threads) as model:
        state = kept_text(model, args)
        chat = model.chat(system=args.system, state=state, **given_options(args))
        interactive = sys.stdin.isatty()
        if interactive:
            print(f"linnet: {args.file}; /reset, /save FILE, /quit", file=sys.stderr)
        for line in _lines(interactive):
            if line.startswith("/"):
                if _command(chat, line):
                    break
            elif line.strip():
                _answer(chat, line, as_json=args.json)
        if state is not None:
            report_lookup(state, args)
    return 0


def _lines(interactive: bool) -> Iterator[str]:
    if not interactive:
        for line in sys.stdin:
            yield line.rstrip("\r\n")
        return
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  gives input() a history and line editing
    while True:
        try:
            yield input(_PROMPT)
        except EOFError:
            print()
            return
        except KeyboardInterrupt:  # of a line that is being typed
            print()


def _command(chat: Chat, line: str) -> bool:
    """Do what a line that begins with / says; return whether the conversation ends."""
    name, _, argument = line.partition(" ")
    if name in ("/quit", "/exit"):
        return True
    if name == "/reset":
        chat.reset()
        print("linnet: the conversation begins again", file=sys.stderr)
    elif name == "/save" and argument.strip():
        try:
            chat.save(argument.strip())
            print(f"linnet: {len(chat.messages)} messages are in {argument.strip()}", file=sys.stderr)
        except (LinnetError, OSError) as error:
            print(f"linnet: error: {error}", file=sys.stderr)
    else:
        print("linnet: expected /reset, /save FILE or /quit", file=sys.stderr)
    return False


def _answer(chat: Chat, text: str, *, as_json: bool) -> None:
    try:
        if as_json:
            print(json.dumps({"text": text, "answer": chat.ask(text)}, ensure_ascii=False), flush=True)
            return
        for piece in chat.stream(text):
            write_piece(piece)
        write_piece("\n")
    except KeyboardInterrupt:
        write_piece("\n")
    except ContextFullError as error:
        print(f"linnet: error: {error}; /reset begins a new conversation", file=sys.stderr)
