"""Command ``linnet verify``: hash and signature of a file, and replay of its golden cases."""

from __future__ import annotations

import argparse
import json
from typing import Any

from linnet.cli.command import add_threads
from linnet.cli.console import Console, shorten
from linnet.cli.entities import entity_fields
from linnet.errors import GoldenMismatchError
from linnet.format.golden import CaseResult
from linnet.format.json_objects import write_object
from linnet.format.signature import check_signature
from linnet.golden_replay import replay_evidence
from linnet.loading import load
from linnet.runtime import verify_file

__all__ = ["add_arguments", "run"]

_EPILOG = """\
First the SHA-256 of the whole file, then every golden case: same token ids,
outputs within the file's tolerance. Exit status 1 if a case differs, 3 if the
bytes are damaged.

examples:
  linnet verify intents.pte
  linnet verify intents.pte --json
  linnet verify intents.pte --key key.pub.pem
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EPILOG
    parser.add_argument("file", metavar="FILE", help="a linnet file (.pte)")
    parser.add_argument("--key", metavar="PEM", help="Ed25519 public key that must have signed the file")
    add_threads(parser)
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Verify the file and return the exit status.

    Raises:
        GoldenMismatchError: a golden case differs (exit status 1).
        FileError: the file is missing, damaged, or not signed by the key.
    """
    if args.key is not None:
        check_signature(args.file, args.key)
    verify_file(args.file)
    with load(args.file, threads=args.threads, self_test=False) as model:
        status, entities = model.evidence.status, model.evidence.entities
        results = replay_evidence(model)
    wrong = [result for result in results if result.problems]
    if args.json:
        shown = _as_json(args.file, args.key, status, results) | {"entities": write_object(entities)}
        print(json.dumps(shown, ensure_ascii=False, indent=2))
    else:
        _show(Console(), args.key, status, results)
        if entities is not None:
            Console().fields(entity_fields(entities))
    if wrong:
        raise GoldenMismatchError(
            f"{args.file}: {len(wrong)} of {len(results)} golden cases differ on this machine, first "
            f"{shorten(wrong[0].text, 60)!r}: {wrong[0].problems[0]}; `linnet doctor` shows its features"
        )
    return 0


def _show(console: Console, key: str | None, status: str, results: list[CaseResult]) -> None:
    if key is not None:
        console.line(f"signature: by the key {key}")
    console.line("bytes: intact (SHA-256 of the whole file)")
    if not results:
        console.line(f"golden cases: none to repeat, the file is {status}")
        return
    for result in results:
        verdict = "; ".join(result.problems) or f"same, largest difference {result.error:.2g}"
        pair = "" if result.pair is None else f" | {shorten(result.pair, 30)}"
        console.line(f"  {shorten(result.text, 40) or '(empty)'}{pair}: {verdict}")
    same = sum(not result.problems for result in results)
    console.line(f"golden cases: {same} of {len(results)} repeated, the file is {status}")


def _as_json(path: str, key: str | None, status: str, results: list[CaseResult]) -> dict[str, Any]:
    return {
        "file": path,
        "intact": True,
        "signed_by": key,  # null: no key was given
        "status": status,
        "cases": [
            {
                "text": result.text,
                "pair": result.pair,
                "same": not result.problems,
                "problems": list(result.problems),
                "error": result.error if result.error == result.error else None,  # JSON has no NaN
            }
            for result in results
        ],
    }
