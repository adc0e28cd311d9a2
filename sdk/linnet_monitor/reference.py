"""Reference of a file for drift: histograms of features of texts, measured by a process without torch.

    python -m linnet_monitor.reference --model FILE.pte --texts FILE.jsonl --output FILE.json

The exporter starts it as a process without torch. Input: JSON lines with ``text`` and an optional ``pair``. Output: a
JSON object ``{FEATURE: {"edges": [...], "counts": [...]}}``, which has no text. Exit status: 0, or 1 after an error.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from linnet.errors import InvalidArgumentError, LinnetError
from linnet.format.evidence import FeatureSketch
from linnet.format.json_objects import write_object
from linnet.loading import load
from linnet.model import Model
from linnet.monitoring.metrics import Metrics
from linnet_monitor.drift import Sketches

__all__ = ["answer_rows", "main", "measure_reference"]


def measure_reference(model: Model, rows: Iterable[Mapping[str, Any]]) -> dict[str, FeatureSketch]:
    """Return the histograms of the features of texts; a decoder has none.

    Args:
        model: the model, which is watched from now on.
        rows: ``text`` and an optional ``pair`` each.

    Raises:
        InvalidArgumentError: a text does not fit the task.
    """
    sketches = Sketches()
    if model.task != "text-generation":
        model.watch(Metrics(), "reference").features = sketches
        answer_rows(model, rows)
    return sketches.reference()


def answer_rows(model: Model, rows: Iterable[Mapping[str, Any]]) -> None:
    """Answer each text as an app would, and forget the answer."""
    for row in rows:
        text, pair = row["text"], row.get("pair")
        if model.task == "question-answering":
            model(question=text, context=pair)
        elif model.task == "feature-extraction":
            _ = model.encode(text) if "embedding" in model.manifest.outputs else model(text)
        else:
            model(text if pair is None else (text, pair))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the process; on an error, write one line to stderr and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m linnet_monitor.reference", description="measure a reference")
    parser.add_argument("--model", required=True, metavar="FILE.pte")
    parser.add_argument("--texts", required=True, metavar="FILE.jsonl")
    parser.add_argument("--output", required=True, metavar="FILE.json")
    args = parser.parse_args(arguments)
    try:
        lines = Path(args.texts).read_text(encoding="utf-8").split("\n")
        rows = [_row(line, number) for number, line in enumerate(lines, 1) if line.strip()]
        with load(args.model, self_test=False) as model, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a truncated text is one of the features
            sketches = measure_reference(model, rows)
        Path(args.output).write_text(json.dumps(write_object(sketches)), encoding="utf-8")
    except (LinnetError, OSError) as error:
        print(f"linnet_monitor.reference: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _row(line: str, number: int) -> Mapping[str, Any]:
    row = json.loads(line)
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise InvalidArgumentError(f'line {number}: expected an object with "text", got something else')
    return row


if __name__ == "__main__":
    sys.exit(main())
