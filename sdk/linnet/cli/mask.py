"""Command ``linnet mask``: personal data found, masked and restored; and the options ``--mask`` of other commands."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linnet.atomic_file import replace_file
from linnet.cli.console import Console, plain_table
from linnet.errors import InvalidArgumentError

if TYPE_CHECKING:
    from linnet.masking import Masked, Masker, Session

__all__ = ["add_arguments", "add_options", "masked_rows", "run"]

MODES = ("type", "pseudonym", "redact", "redact_length")
"""Those of :data:`linnet.masking.MODES`, which is imported when it masks."""

_EPILOG = """\
Each line of the files, or of stdin, is a text; with --whole each file is one. What is found has the form of its type,
and right check digits where it has them: docs/how-to/masking.md says what that cannot promise. --json prints places
beside the masked text, never what was found there.
With --session, pseudonyms are those of STATE, which is written again; the key in --key-file, at least 16 random bytes,
seals it. --unmask puts the values back.

examples:
  linnet mask letter.txt
  tail -f app.log | linnet mask --types EMAIL,IP
  head -c 32 /dev/urandom > key
  linnet mask question.txt --session talk.state --key-file key > masked.txt
  linnet mask answer.txt --session talk.state --key-file key --unmask
"""


def add_options(parser: argparse.ArgumentParser, prefix: str = "--") -> None:
    """Add the options that say what is found and what stands there instead."""
    add = parser.add_argument
    add(f"{prefix}types", metavar="A,B", help="types or groups to look for (default: all)")
    add(f"{prefix}model", metavar="FILE.pte", help="token-classification file that finds names and places")
    add(f"{prefix}region", metavar="CC", help="find phone numbers as they are dialled in this country (DE, US)")
    add(f"{prefix}mode", choices=MODES, metavar="MODE", help=f"{', '.join(MODES)} (default type)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EPILOG
    add = parser.add_argument
    add("files", metavar="FILE", nargs="*", help="text files; none or -: standard input")
    add_options(parser)
    add("--whole", action="store_true", help="each file is one text, not each line")
    add("--find", action="store_true", help="print the places of what is found, not the texts")
    add("--session", metavar="STATE", help="file of pseudonyms to go on with; made if it is missing")
    add("--key-file", metavar="KEY", help="file with the secret bytes that seal STATE")
    add("--unmask", action="store_true", help="put the values of STATE in place of its pseudonyms")
    add("--list", action="store_true", help="print every type and what it is checked by")
    add("--json", action="store_true", help="print one JSON object for each text, one a line")


def run(args: argparse.Namespace) -> int:
    """Mask, find or restore, and return the exit status."""
    console = Console()
    if args.list:
        _list_types(console)
        return 0
    if (args.session is None) != (args.key_file is None) or (args.unmask and args.session is None):
        raise InvalidArgumentError("expected --session STATE and --key-file KEY together, and both with --unmask")
    masker = _masker(args, "")
    session = _session(masker, args)
    for number, text in enumerate(_texts(args.files or ["-"], whole=args.whole), 1):
        if session is not None and args.unmask:
            _write({"text": session.unmask(text)}, args)
        else:
            _write_masked((masker if session is None else session).mask(text), number, args)
    if session is not None and args.session is not None and not args.unmask:
        replace_file(Path(args.session), session.save(_key(args)), mode=0o600)
    return 0


def masked_rows(args: argparse.Namespace, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of ``linnet run`` with all of their texts masked, if ``--mask`` or one of its options is given."""
    given = ("mask_types", "mask_model", "mask_region", "mask_mode")
    if not args.mask and all(getattr(args, name) is None for name in given):
        yield from rows
        return
    masker = _masker(args, "mask_")
    masking = masker.session() if args.mask_mode == "pseudonym" else masker

    def masked(value: Any) -> Any:
        if isinstance(value, str):
            return masking.mask(value).text
        return [masked(each) for each in value] if isinstance(value, list) else value

    for row in rows:
        yield {name: masked(value) for name, value in row.items()}


def _masker(args: argparse.Namespace, prefix: str) -> Masker:
    from linnet.masking import Masker

    types, model, region, mode = (getattr(args, prefix + name) for name in ("types", "model", "region", "mode"))
    names = None if types is None else [name for name in types.split(",") if name]
    return Masker(names, model=model, region=region, mode=mode or "type")


def _session(masker: Masker, args: argparse.Namespace) -> Session | None:
    if args.session is None:
        return masker.session() if args.mode == "pseudonym" else None
    path = Path(args.session)
    if not path.exists() and not args.unmask:
        return masker.session()
    return masker.restore(_read(path), _key(args))


def _key(args: argparse.Namespace) -> bytes:
    return _read(Path(args.key_file))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidArgumentError(f"{path}: {error.strerror}; pass a file that can be read") from error


def _texts(names: Iterable[str], *, whole: bool) -> Iterator[str]:
    """Yield texts with their line ends.

    Raises:
        InvalidArgumentError: a file cannot be read, or a text is not UTF-8; those before it were yielded.
    """
    for name in names:
        if whole or name != "-":
            content = sys.stdin.buffer.read() if name == "-" else _read(Path(name))
            parts: Iterable[bytes] = [content] if whole else content.splitlines(keepends=True)
        else:
            parts = sys.stdin.buffer
        for number, part in enumerate(parts, 1):
            try:
                yield part.decode()
            except UnicodeDecodeError as error:
                where = "" if whole else f" in line {number}"
                raise InvalidArgumentError(f"{name} is not UTF-8{where}; convert it, as with iconv") from error


def _write_masked(masked: Masked, number: int, args: argparse.Namespace) -> None:
    spans = [vars(span) for span in masked.spans]
    if not args.find:
        _write({"text": masked.text, "spans": spans}, args)
    elif args.json:
        print(json.dumps({"spans": spans}), flush=True)
    else:
        for span in masked.spans:
            print(f"{number}:{span.start}-{span.end}  {span.type}  {span.score:.2f}  {span.source}", flush=True)


def _write(row: Mapping[str, Any], args: argparse.Namespace) -> None:
    if args.json:
        print(json.dumps({**row, "text": row["text"].rstrip("\r\n")}, ensure_ascii=False), flush=True)
    else:
        sys.stdout.write(row["text"])
        sys.stdout.flush()


def _list_types(console: Console) -> None:
    from linnet.masking import pattern_types

    rows = [(row.type, row.group, row.checked_by) for row in pattern_types()]
    console.line(plain_table(("type", "group", "checked by"), rows))
