"""Command ``linnet run``: inference on texts from the command line or stdin."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from linnet.cli.command import add_threads
from linnet.cli.console import Console, counted, shorten
from linnet.cli.generation import OPTIONS, add_options, run_prompts
from linnet.cli.mask import add_options as add_mask_options
from linnet.cli.mask import masked_rows
from linnet.errors import InvalidArgumentError
from linnet.loading import load
from linnet.model import Model
from linnet.suggestions import MODEL_SUFFIXES, did_you_mean, similar_model
from linnet.tasks import get_task
from linnet.tasks.token_classification import STRATEGIES
from linnet.tokenization.truncation import TruncationWarning

__all__ = ["add_arguments", "run"]

_EPILOG = """\
Without FILE the model that comes with linnet answers, and says so on stderr. The first argument is a FILE if it exists,
has a path's form, or is named like a model (model.onnx) or almost like a .pte file that exists, else a TEXT.
With --json a text that was cut at the file's bound has "truncated": true. An empty line of stdin has an empty result;
an empty TEXT has the answer that the library gives. What follows -- is no option.
Without TEXT, and for the TEXT -, each line of stdin is a text. For question-answering and text-ranking a tab in the
line separates the two texts; for text-classification it does so with --tabs.

examples:
  linnet run "turn the volume down"
  linnet run intents.pte "turn the volume down" "what time is it"
  linnet run qa.pte --question "Who wrote it?" --context "It was written by Ada."
  linnet run ranker.pte "how to bake bread" --pair "Mix flour and water." --pair "Paris is a city."
  linnet run smollm2.pte --chat "Why do linnets sing?"
  cat lines.txt | linnet run intents.pte --json > answers.jsonl
"""

_TASK_OPTIONS = {
    ("question", "context"): "--question and --context are for question-answering",
    ("prompt_name",): "--prompt-name is for embeddings",
    ("aggregation_strategy",): "--aggregation-strategy is for token-classification",
    ("stride",): "--stride is for token-classification",
    ("top_k",): "--top-k is for tasks with several answers",
    OPTIONS: "options of text generation are for text-generation",
}
"""Options that only some tasks accept, with the error message for the other tasks."""

_SHOWN = 4  # numbers of an embedding that the text output shows
_WIDTH = 60  # columns of a text in a table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EPILOG
    add = parser.add_argument
    add("file", metavar="FILE", nargs="?", help="a linnet file (.pte); none: the model that comes with linnet")
    add("texts", metavar="TEXT", nargs="*", help="texts to answer; none or -: the lines of stdin")
    add("--pair", metavar="TEXT", action="append", default=[], help="second text of a pair; may be repeated")
    add("--tabs", action="store_true", help="a tab in a line of stdin separates text and pair")
    add("--question", metavar="TEXT", help="question to answer (question-answering)")
    add("--context", metavar="TEXT", help="text that holds the answer (question-answering)")
    add("--top-k", type=int, metavar="N", help="number of answers for each text")
    add("--aggregation-strategy", choices=STRATEGIES,
        help="how to join tokens to entities (default simple)")  # fmt: skip
    add("--stride", type=int, metavar="N",
        help="tag a long text in windows that share N tokens (token-classification)")  # fmt: skip
    add("--prompt-name", metavar="NAME", help="name of a prompt to put before each text (embeddings)")
    add("--no-truncation", action="store_true", help="refuse a text that is longer than the file allows")
    add_options(parser)
    add("--chat", action="store_true", default=None,
        help="answer the text as a message, by the chat template (text-generation)")  # fmt: skip
    add("--mask", action="store_true", help="mask personal data in each text first")
    add_mask_options(parser, "--mask-")
    add_threads(parser)
    add("--json", action="store_true", help="print one JSON object for each text, one a line")


def run(args: argparse.Namespace) -> int:
    """Run inference on every text in order, print the answers, and return the exit status."""
    if args.file is not None and not _is_file(args.file):
        args.file, args.texts = None, [args.file, *args.texts]
        if misplaced := [text for text in args.texts if text.endswith(".pte") and _is_file(text)]:
            raise InvalidArgumentError(f"expected FILE before the texts, got {misplaced[0]!r} after one")
    _read_arguments(args)
    with load(args.file, threads=args.threads) as model:
        _refuse_ignored(args, model)
        if args.file is None and not args.json:
            print("linnet: answered by the model that comes with linnet", file=sys.stderr)
        if model.manifest.cache_layers:
            run_prompts(model, masked_rows(args, _inputs(args, model)), args)
            return 0
        console = Console()
        for given in masked_rows(args, _inputs(args, model)):
            answer, cut = _answer_noting_cuts(model, given, args)
            if cut:
                given["truncated"] = True
                shown = shorten(given.get("text", ""), _WIDTH)
                print(
                    f"linnet: warning: {shown!r} was cut at {model.manifest.max_length} tokens; "
                    "--no-truncation makes it an error",
                    file=sys.stderr,
                )
            if args.json:
                print(json.dumps({**given, "result": answer}, ensure_ascii=False), flush=True)
            else:
                _show(console, given, answer)
    return 0


def _is_file(argument: str) -> bool:
    """Return whether the first argument is a file; a missing file is recognized by the form of its path."""
    # os.path.exists, because Path.exists raises for a text that is longer than a file name can be
    if argument.endswith(".pte") or (argument != "-" and os.path.exists(argument)):  # noqa: PTH110
        return True
    if any(map(str.isspace, argument)):
        return False
    suffix = Path(argument).suffix.lower()
    named_like_one = suffix in MODEL_SUFFIXES or bool(did_you_mean(suffix, [".pte"], cutoff=0.75))
    return named_like_one or os.sep in argument or bool(similar_model(argument, cutoff=0.8))


def _refuse_ignored(args: argparse.Namespace, model: Model) -> None:
    """Check that the task of the file uses all given options.

    Raises:
        InvalidArgumentError: the task ignores an option; the message lists all of them.
    """
    task = get_task(model.manifest.task)
    ignored = _given(args) - task.run_options(model.manifest)
    sentences = [sentence for names, sentence in _TASK_OPTIONS.items() if ignored.intersection(names)]
    if sentences:
        raise InvalidArgumentError(f"{'; '.join(sentences)}, not {task.name}")


def _given(args: argparse.Namespace) -> set[str]:
    """Return the given options that only some tasks accept."""
    return {name for names in _TASK_OPTIONS for name in names if getattr(args, name) is not None}


def _inputs(args: argparse.Namespace, model: Model) -> Iterator[dict[str, Any]]:
    """Yield rows: ``{"text"}`` with an optional ``"pair"`` or ``"passages"``, or ``{"question", "context"}``."""
    task = get_task(model.manifest.task)
    if task.reads_questions:
        yield from _questions(args)
        return
    if args.pair and args.texts in ([], ["-"]):
        raise InvalidArgumentError("--pair needs a TEXT that it belongs to")
    if args.pair and len(args.texts) > 1:
        raise InvalidArgumentError(f"--pair needs one TEXT, {len(args.texts)} are given")
    if len(args.pair) > 1 and task.ranks_passages:
        yield {"text": args.texts[0], "passages": args.pair}
        return
    if len(args.pair) > 1:
        raise InvalidArgumentError(f"{task.name} takes one --pair, {len(args.pair)} are given")
    pair = {"pair": args.pair[0]} if args.pair else {}
    for text in args.texts or ["-"]:
        if text == "-":
            yield from (_from_line(_line(line, args.tabs or task.ranks_passages)) for line in _stdin())
        else:
            yield {"text": text, **pair}


def _questions(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    if args.texts not in ([], ["-"]) or args.pair:
        raise InvalidArgumentError("question-answering takes --question and --context, not TEXT or --pair")
    if (args.question is None) != (args.context is None):
        missing = "--question" if args.question is None else "--context"
        raise InvalidArgumentError(f"{missing} is missing")
    if args.question is not None:
        yield {"question": args.question, "context": args.context}
        return
    for line in _stdin():
        question, tab, context = line.partition("\t")
        if not tab and line.strip():
            raise InvalidArgumentError(f"no tab between question and context: {shorten(line, _WIDTH)!r}")
        yield _from_line({"question": question, "context": context})


def _stdin() -> Iterator[str]:
    """Yield the lines of stdin without their line ends.

    Raises:
        InvalidArgumentError: a line is not UTF-8; the lines before it were yielded.
    """
    if sys.stdin.isatty():
        print("linnet: reading texts from the terminal, one a line; end with Ctrl-D", file=sys.stderr)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8-sig", errors="surrogateescape")  # invalid bytes are reported below
    for number, line in enumerate(sys.stdin, 1):
        yield _utf8(line.encode("utf-8", "surrogateescape"), f"line {number} of stdin").rstrip("\r\n")


def _line(line: str, tabs: bool) -> dict[str, Any]:
    text, tab, pair = line.partition("\t")
    return {"text": text, "pair": pair} if tabs and tab else {"text": line}


def _read_arguments(args: argparse.Namespace) -> None:
    """Read the texts of the command line as UTF-8, whatever the locale is; an error names the position."""
    for name, shown in (("texts", "TEXT"), ("pair", "--pair")):
        given = enumerate(getattr(args, name), 1)
        setattr(args, name, [_utf8(os.fsencode(text), f"{shown} {position}") for position, text in given])
    for name in ("question", "context"):
        if (text := getattr(args, name)) is not None:
            setattr(args, name, _utf8(os.fsencode(text), f"--{name}"))


def _utf8(text: bytes, where: str) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidArgumentError(
            f"{where} is not UTF-8: byte 0x{text[error.start]:02X} at character "
            f"{len(text[: error.start].decode('utf-8')) + 1}; convert the text, as with iconv"
        ) from None


def _from_line(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row of a line of stdin, with its empty result if it has no text."""
    return row if any(map(str.strip, row.values())) else {**row, "result": []}


def _answer_noting_cuts(model: Model, given: dict[str, Any], args: argparse.Namespace) -> tuple[Any, bool]:
    """Return the answer and whether its text was truncated; other warnings are emitted again."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answer = _answer(model, given, args)
    cuts = [warning for warning in caught if isinstance(warning.message, TruncationWarning)]
    for warning in caught:
        if warning not in cuts:
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    return answer, bool(cuts)


def _answer(model: Model, given: dict[str, Any], args: argparse.Namespace) -> Any:
    if "result" in given:
        return given["result"]
    task = get_task(model.manifest.task)
    own = {name: getattr(args, name) for name in _given(args) - {"question", "context"}}
    return task.answer_row(model, given, {"truncation": not args.no_truncation, **own})


def _show(console: Console, given: dict[str, Any], answer: Any) -> None:
    console.line(shorten(given.get("text", given.get("question", "")), 100) or '""')
    for row in _rows(answer):
        console.line("  " + row)


def _rows(answer: Any) -> list[str]:
    if _has_numbers(answer):
        return [_vector(answer)]
    answers = answer if isinstance(answer, list) else [answer]
    if not answers:
        return ["nothing found"]
    if isinstance(answers[0], list):  # several masks
        return [row for number, mask in enumerate(answers, 1) for row in (f"mask {number}", *_rows(mask))]
    return [_row(entry) for entry in answers]


def _has_numbers(answer: Any) -> bool:
    """Return whether an answer is a vector or nested lists of numbers, as opposed to a list of dicts."""
    while isinstance(answer, list) and answer:
        answer = answer[0]
    return isinstance(answer, float)


def _row(entry: dict[str, Any]) -> str:
    score = f"{entry['score']:.4f}"
    if "entity_group" in entry or "entity" in entry:
        label = entry.get("entity_group", entry.get("entity"))
        return f"{score}  {label}  {entry['word']!r} at {entry['start']}-{entry['end']}"
    if "answer" in entry:
        return f"{score}  {entry['answer']!r} at {entry['start']}-{entry['end']}"
    if "token_str" in entry:
        return f"{score}  {entry['token_str']}  {shorten(entry['sequence'], _WIDTH)!r}"
    if "corpus_id" in entry:
        return f"{score}  {entry['corpus_id']}  {shorten(entry['text'], _WIDTH)!r}"
    return f"{score}  {entry['label']}" if "label" in entry else score


def _vector(answer: Any) -> str:
    if answer and isinstance(answer[0], list):  # one vector per token, with a batch axis
        tokens = answer[0] if isinstance(answer[0][0], list) else answer
        return f"{counted(len(tokens), 'vector')} of {len(tokens[0])} numbers (--json shows them)"
    numbers = ", ".join(f"{value:.4f}" for value in answer[:_SHOWN])
    return f"{len(answer)} numbers: {numbers}, ... (--json shows all)"
