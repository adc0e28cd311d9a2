"""Options of text generation on the command line, and the output of ``linnet run`` for a decoder."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linnet.errors import InvalidArgumentError
from linnet.model import Model

if TYPE_CHECKING:
    from linnet.runtime import TextState

__all__ = ["OPTIONS", "add_options", "given_options", "kept_text", "report_lookup", "run_prompts", "write_piece"]

_PLAIN = ("max_new_tokens", "temperature", "top_p", "min_p", "repetition_penalty", "seed", "regex", "overflow", "keep")
OPTIONS = (*_PLAIN, "prompt_lookup", "stop", "system", "chat", "prepared", "json_schema", "choices")
"""Options that only decoders have."""

_SETTINGS = {name: name for name in _PLAIN} | {"stop": "stop_strings", "prompt_lookup": "prompt_lookup_num_tokens"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a completion."""
    group = parser.add_argument_group("text generation")
    add = group.add_argument
    add("--max-new-tokens", type=int, metavar="N", help="most tokens to generate (default 256)")
    add("--temperature", type=float, metavar="T", help="0 takes the likeliest token (default: as the file recommends)")
    add("--top-p", type=float, metavar="P", help="share of the probability to choose tokens from")
    add("--min-p", type=float, metavar="P", help="least probability of a token, as a share of the likeliest one's")
    add("--repetition-penalty", type=float, metavar="X", help="penalty of tokens that came before; 1: none")
    add("--seed", type=int, metavar="N", help="the same seed gives the same text")
    add("--stop", action="append", metavar="TEXT", help="text that ends the answer; may be repeated")
    add("--json-schema", metavar="FILE|TEXT", help="the answer is JSON of this schema, a file or text with {")
    add("--regex", metavar="EXPRESSION", help="the whole answer matches this regular expression")
    add("--choices", metavar="A,B,...", help="the answer is one of these texts")
    add("--prompt-lookup", type=int, metavar="N",
        help="guess up to N tokens from earlier text, to be faster where it is repeated; at most 15")  # fmt: skip
    add("--overflow", choices=("stop", "slide"),
        help="when the context is full: stop (default), or slide: forget the oldest turns or tokens")  # fmt: skip
    add("--keep", type=int, metavar="N",
        help="first tokens that slide never forgets (default, and at least: the system message)")  # fmt: skip
    add("--system", metavar="TEXT", help="system message of a conversation, in which the prompt is the first message")
    add("--prepared", metavar="STATE", help="file of linnet prepare, whose tokens are not computed again")


def given_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the given options by the names of :class:`linnet.generation.GenerationOptions`."""
    options = {setting: getattr(args, name) for name, setting in _SETTINGS.items()}
    options["top_k"] = getattr(args, "top_k", None)
    options["json_schema"] = None if args.json_schema is None else _read_schema(args.json_schema)
    options["choices"] = None if args.choices is None else args.choices.split(",")
    return {name: value for name, value in options.items() if value is not None}


def _read_schema(given: str) -> str:
    """Return the text of a schema, from the command line or from a file.

    Raises:
        InvalidArgumentError: the file cannot be read.
    """
    if given.lstrip().startswith("{"):
        return given
    try:
        return Path(given).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8"
        raise InvalidArgumentError(f"--json-schema {given}: {reason}; pass a file, or a text with {{") from error


def run_prompts(model: Model, rows: Iterable[Mapping[str, Any]], args: argparse.Namespace) -> None:
    """Continue the text of each row, or answer it as a message if there is a system message or ``--chat``.

    The text streams to stdout as it is generated; with ``--json`` each completion is one JSON object. A row that
    has its result, as an empty line of stdin does, is not run.

    Raises:
        InvalidArgumentError: a row is a pair.
    """
    options = given_options(args)
    state = kept_text(model, args)
    if state is not None:
        options["state"] = state
    for row in rows:
        if "pair" in row:
            raise InvalidArgumentError("got a second text, text-generation continues one; leave --pair and --tabs out")
        if "result" in row:
            write_piece(json.dumps(row, ensure_ascii=False) + "\n" if args.json else "\n")
            continue
        prompt = _prompt(row["text"], args)
        if args.json:
            completion = model.generate(prompt, **options)
            result: dict[str, Any] = {"generated_text": completion.text, "finish_reason": completion.finish_reason}
            if args.prompt_lookup:
                result |= {"guessed_tokens": completion.guessed_tokens, "accepted_tokens": completion.accepted_tokens}
            print(json.dumps({**row, "result": [result]}, ensure_ascii=False), flush=True)
            continue
        if isinstance(prompt, str):
            write_piece(prompt)
        for piece in model.stream(prompt, **options):
            write_piece(piece)
        write_piece("\n")
    if state is not None and not args.json:
        report_lookup(state, args)


def kept_text(model: Model, args: argparse.Namespace) -> TextState | None:
    """Return the text that all completions of a command share; None: each has its own."""
    if args.prepared is not None:
        return model.new_text(path=args.prepared)
    return model.new_text() if args.prompt_lookup else None


def report_lookup(state: TextState, args: argparse.Namespace) -> None:
    """Write to stderr how many guessed tokens were right, where ``--prompt-lookup`` is given."""
    if args.prompt_lookup:
        guessed, accepted = state.lookup
        print(f"linnet: {accepted} of {guessed} guessed tokens were right", file=sys.stderr)


def write_piece(text: str) -> None:
    """Write a piece of generated text to stdout at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def _prompt(text: str, args: argparse.Namespace) -> str | list[dict[str, str]]:
    if args.system is None and not args.chat:
        return text
    system = [] if args.system is None else [{"role": "system", "content": args.system}]
    return [*system, {"role": "user", "content": text}]
