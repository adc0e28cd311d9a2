"""Drift on real texts: after how many a shift is told, and how often none is: ``python -m benchmarks.studies.drift``.

The reference is a random part of CLINC150 (../shared/data/clinc150), the stream the rest of it in random order; then
come the texts of SNIPS, of wnut17, or those of CLINC150 that are out of its scope. Each text is answered once; the
streams are drawn from the features of the answers.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import linnet
from linnet.cli.console import Console
from linnet.monitoring import Metrics
from linnet_monitor.drift import HORIZON, DriftWatch, Sketches

__all__ = ["Told", "features_of", "main", "texts_of", "told_after"]

Features = Mapping[str, Any]
"""Features of one text by name, and its embedding."""

_EMBEDDING = "embedding"

_BEFORE = 1_000
"""Texts like the reference before a shift."""

_MOST_AFTER = 2_000
_ROW = ("shift", "reference", "streams", "told", "median", "at most", "first feature")


class _Recorder:
    """What a watch calls; it keeps the features of one text."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}

    def add(self, feature: str, value: float) -> None:
        """Keep a value."""
        self.found[feature] = value

    def embedded(self, vector: Any) -> None:
        """Keep an embedding."""
        self.found[_EMBEDDING] = vector.copy()


def _give(row: Features, taker: Sketches | DriftWatch) -> None:
    for feature, value in row.items():
        if feature == _EMBEDDING:
            taker.embedded(value)
        else:
            taker.add(feature, value)


def texts_of(folder: Path) -> dict[str, list[str]]:
    """Return the texts of the data sets by name."""
    clinc = json.loads((folder / "clinc150" / "train_val.json").read_text(encoding="utf-8"))
    inside = [row[0] for part in ("train", "val") for row in clinc[part]]
    outside = [row[0] for part in ("oos_train", "oos_val") for row in clinc[part]]
    return {"clinc150": inside, "out of scope": outside, "snips": list(_snips(folder)), "wnut17": list(_wnut(folder))}


def _snips(folder: Path) -> Iterator[str]:
    for path in sorted((folder / "snips").glob("train_*.json")):
        for rows in json.loads(path.read_text(encoding="utf-8", errors="replace")).values():
            for row in rows:
                yield "".join(part["text"] for part in row["data"]).strip()


def _wnut(folder: Path) -> Iterator[str]:
    text = (folder / "wnut17" / "wnut17train.conll").read_text(encoding="utf-8")
    for sentence in text.split("\n\n"):
        words = [line.split("\t")[0] for line in sentence.splitlines() if line.strip()]
        if words:
            yield " ".join(words)


def features_of(model: linnet.Model, texts: Sequence[str]) -> list[Features]:
    """Answer each text, and return its features."""
    watch = model.watch(Metrics(), "studied")
    rows: list[Features] = []
    for text in texts:
        recorder = _Recorder()
        watch.features = recorder
        _ = model.encode(text) if model.task == "feature-extraction" else model(text)
        rows.append(recorder.found)
    return rows


class Told:
    """What the rule said about one stream."""

    def __init__(self, drift: DriftWatch, count: int) -> None:
        first = min(drift.changed, key=lambda feature: drift.changed[feature], default="")
        self.feature, self.after = first, drift.changed.get(first, count)


def told_after(reference: Sequence[Features], stream: Iterator[Features], most: int) -> Told | None:
    """Feed a stream to the rule until it tells of a drift; None: it does not within ``most`` texts."""
    sketches = Sketches()
    for row in reference:
        _give(row, sketches)
    drift = DriftWatch(sketches.reference())
    for count, row in enumerate(stream, 1):
        _give(row, drift)
        if drift.changed:
            return Told(drift, count)
        if count == most:
            return None
    return None


def _shuffled(rows: Sequence[Features], source: random.Random) -> Iterator[Features]:
    """Yield all rows in random order, and again in another one."""
    while True:
        yield from source.sample(rows, len(rows))


def _then(before: Iterator[Features], after: Iterator[Features]) -> Iterator[Features]:
    for _, row in zip(range(_BEFORE), before, strict=False):
        yield row
    yield from after


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.drift", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--model", type=Path, help="a linnet file (default: the model of intents that comes with linnet)"
    )
    parser.add_argument(
        "--references", type=int, nargs="+", default=[100, 300, 1000], metavar="N", help="texts of references"
    )
    parser.add_argument("--streams", type=int, default=20, metavar="N", help="streams of each kind (default 20)")
    parser.add_argument(
        "--unshifted", type=int, default=HORIZON, metavar="N", help="texts without a shift (default 50000)"
    )
    args = parser.parse_args(arguments)
    folder = Path(os.environ.get("LINNET_SHARED_DATA", "../shared/data"))
    with linnet.load(args.model, self_test=False) as model, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = {name: features_of(model, texts) for name, texts in texts_of(folder).items()}
    console = Console()
    console.fields([(name, f"{len(found)} texts, {', '.join(found[0])}") for name, found in rows.items()])
    table = []
    for size in args.references:
        table.append(_row("none", size, rows, args.streams, args.unshifted))
        table += [_row(shift, size, rows, args.streams, _BEFORE + _MOST_AFTER) for shift in list(rows)[1:]]
    console.table(_ROW, table, right=(1, 2, 3, 4, 5))
    return 0


def _row(shift: str, size: int, rows: Mapping[str, Sequence[Features]], streams: int, most: int) -> list[str]:
    """Return the row of one kind of stream: how many were told, and after how many texts of the shift."""
    found = []
    for seed in range(streams):
        source = random.Random(seed)
        mixed = source.sample(rows["clinc150"], len(rows["clinc150"]))
        before = _shuffled(mixed[size:], source)
        stream = before if shift == "none" else _then(before, _shuffled(rows[shift], source))
        found.append(told_after(mixed[:size], stream, most))
    told = [one for one in found if one is not None]
    early = sum(one.after <= _BEFORE for one in told) if shift != "none" else 0
    after = [one.after - (0 if shift == "none" else _BEFORE) for one in told]
    features = sorted({one.feature for one in told})
    noted = ", ".join(features) + (f"; {early} before the shift" if early else "")
    spread = [f"{statistics.median(after):.0f}", str(max(after))] if after else ["-", "-"]
    return [shift, str(size), str(streams), str(len(told)), *spread, noted or "-"]


if __name__ == "__main__":
    raise SystemExit(main())
