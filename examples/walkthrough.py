"""Helpers of the examples: command line, rows, and the steps from rows through `linnet` to answers."""

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import linnet
from examples.datasets.clinc150 import read_rows as read_parts
from examples.datasets.snips import read_commands
from linnet.cli.script import program_name
from linnet.errors import InvalidArgumentError

Row = dict[str, str]

CLINC150_FILES = ("data_full.json", "train_val.json")


@dataclass(frozen=True)
class Settings:
    """How a walk-through runs.

    Attributes:
        model: checkpoint to start from.
        data: folder of the data set, or None for the illustrative rows beside the script.
        output: folder for all files that are written.
        quick: fewer rows of each class and fewer epochs.
        epochs: passes over the rows.
    """

    model: str
    data: Path | None
    output: Path
    quick: bool
    epochs: int


def settings(description: str, arguments: Sequence[str] | None = None, *, data_set: str | None = None) -> Settings:
    """Read the command line; `data_set` says what `--data` takes; None: the example has no such option."""
    parser = argparse.ArgumentParser(prog=program_name(), description=description)
    parser.add_argument("--model", default="sentence-transformers/all-MiniLM-L6-v2", help="checkpoint to start from")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of what is written")
    if data_set:
        parser.add_argument("--data", type=Path, metavar="DIR", help=f"{data_set} (default: the illustrative rows)")
        parser.add_argument("--quick", action="store_true", help="20 rows of each class, fewer passes")
        parser.add_argument("--epochs", type=int, metavar="N", help="passes over the rows")
    parsed = parser.parse_args(arguments)
    quick, data = getattr(parsed, "quick", False), getattr(parsed, "data", None)
    # a few dozen rows need many passes, thousands need few
    default = 40 if data is None else 6 if quick else 4
    return Settings(parsed.model, data, parsed.output, quick, getattr(parsed, "epochs", None) or default)


def run_linnet(*arguments: str | Path, quiet: bool = False) -> str:
    """Run the `linnet` program as a user would; return its output if `quiet`.

    Raises:
        SystemExit: it failed; the status is its own, and it has printed the reason.
    """
    words = [str(argument) for argument in arguments]
    print("\n$ linnet " + " ".join(words), flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "linnet", *words], stdout=subprocess.PIPE if quiet else None, text=True
    )
    if done.returncode:
        raise SystemExit(done.returncode)
    return done.stdout or ""


def read_rows(path: Path) -> list[Any]:
    """Return the objects of a JSON lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def write_rows(path: Path, rows: Sequence[Row]) -> Path:
    """Write rows as JSON lines; make the folder if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def hold_out(rows: Sequence[Row], share: float, seed: int = 0) -> tuple[list[Row], list[Row]]:
    """Split rows by class, shuffled by `seed`: training rows, and `share` of each class (at least one row) held out."""
    rest: list[Row] = []
    held: list[Row] = []
    for members in _by_label(rows, seed):
        count = max(1, round(len(members) * share))
        held += members[:count]
        rest += members[count:]
    return rest, held


def at_most(rows: Sequence[Row], count: int, seed: int = 0) -> list[Row]:
    """Return `count` rows of each class, chosen by `seed`."""
    return [row for members in _by_label(rows, seed) for row in members[:count]]


def _by_label(rows: Sequence[Row], seed: int) -> list[list[Row]]:
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    return [[row for row in shuffled if row["label"] == label] for label in sorted({row["label"] for row in rows})]


def train(chosen: Settings, rows: Sequence[Row], held: Sequence[Row], *options: str) -> Path:
    """Train on `rows`, export to a proven file, measure it on `held` rows; return the file.

    The rows of `held` are used neither for training nor for choosing the best epoch.
    """
    if chosen.quick:
        rows = at_most(rows, 20)
    file = chosen.output / "model.pte"
    data = write_rows(chosen.output / "train.jsonl", rows)
    test = write_rows(chosen.output / "held_out.jsonl", held)
    print(f"{len(rows)} training rows, {len(held)} held out, {len({row['label'] for row in rows})} classes")
    checkpoint = chosen.output / "checkpoint"
    tuning = ["--epochs", str(chosen.epochs), "--learning-rate", "2e-4", "--max-length", "64", "--force"]
    # the encoder's own layers are enough for these examples: with one more the last layer would read the mean of all
    # tokens, which costs a seventh of the time
    tuning += ["--pooling", "first"]
    # the loss also rewards confident scores, which are compared with a threshold later
    tuning += ["--metric", "loss"]
    # with few rows, batches of 32 would give too few steps
    tuning += ["--batch-size", "8"] if chosen.quick or not chosen.data else []
    if chosen.data:
        run_linnet("train", chosen.model, "--data", data, "-o", checkpoint, "--export", file, *tuning, *options)
    else:
        run_linnet("train", chosen.model, "--data", data, "-o", checkpoint, *tuning, *options)
        # the proof has about five rows: one different answer is already a fifth of them
        proof: list[str | Path] = ["--proof", checkpoint / "training" / "held_out.jsonl", "--budget", "agreement=0.5"]
        run_linnet("export", checkpoint, "-o", file, "--max-length", "64", "--force", *proof)
    result = json.loads(run_linnet("eval", file, "--data", test, "--json", quiet=True))
    print(json.dumps(result, indent=2))
    return file


def tell_size_and_latency(model: Any, file: Path, texts: Sequence[str]) -> None:
    """Print the file's size and the p50 of a request on one thread, tokenizing included."""
    model(texts[0])
    times = []
    for index in range(200):
        start = time.perf_counter()
        model(texts[index % len(texts)])
        times.append(time.perf_counter() - start)
    print(f"\n{file.stat().st_size / 1e6:.1f} MB, {statistics.median(times) * 1e3:.2f} ms a request (p50, one thread)")


def answer(file: Path, texts: Sequence[str], unsure_below: float = 0.0) -> None:
    """Print size, latency and the answer to each text; scores below `unsure_below` are marked as unsure."""
    with linnet.load(str(file), threads=1) as model:
        tell_size_and_latency(model, file, texts)
        for text in texts:
            best = model(text)[0]
            unsure = "" if best["score"] >= unsure_below else "   (unsure: ask a person)"
            print(f"{text!r} -> {best['label']} {best['score']:.2f}{unsure}")


def clinc150(folder: Path, domains: Sequence[str]) -> tuple[list[Row], list[Row]]:
    """Return train and validation rows of some domains of CLINC150, with its out-of-scope rows as `oos`."""
    files = [path for path in (folder / name for name in CLINC150_FILES) if path.is_file()]
    if not files:
        raise InvalidArgumentError(f"{folder}: expected CLINC150's {' or '.join(CLINC150_FILES)}, and domains.json")
    parts = read_parts(files[0], domains)
    return parts["train"], parts["val"]


def snips(folder: Path) -> list[Row]:
    """Return the requests of SNIPS with their intent, without slots."""
    rows = []
    for label, commands in read_commands(folder):
        texts = ("".join(piece["text"] for piece in pieces).strip() for pieces in commands)
        rows += [{"text": text, "label": label} for text in dict.fromkeys(texts) if text]
    return rows
