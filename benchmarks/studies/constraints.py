"""Cost of constraints with the vocabulary of a decoder: `python -m benchmarks.studies.constraints FILE.pte`.

For each constraint: milliseconds to make it, and for a random walk of at most 200 tokens the mean and the largest time
to find the tokens that are allowed next. The fastest of five runs, each with constraints of its own.
"""

from __future__ import annotations

import argparse
import functools
import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any

from linnet.cli.console import Console
from linnet.runtime import open_runtime, runtime_info

_ROUNDS = 5
_TOKENS = 200
_ADDRESS = {"type": "object", "properties": {"street": {"type": "string"}, "zip": {"pattern": r"^\d{5}$"}}}
_PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 20}, "maxItems": 5},
        "address": {**_ADDRESS, "required": ["street", "zip"]},
    },
    "required": ["name", "age", "address"],
}
CONSTRAINTS = {
    "schema of a person": ("json_schema", (json.dumps(_PERSON),)),
    "any JSON": ("json_schema", ("true",)),
    "string of at most 1 000": ("json_schema", ('{"type":"string","maxLength":1000}',)),
    r"[A-Z]{2}-\d{4}": ("regex", (r"[A-Z]{2}-\d{4}",)),
    ".*": ("regex", (".*",)),
    "three choices": ("choices", ("yes", "no", "perhaps")),
}


def main(arguments: list[str] | None = None) -> int:
    """Measure and print the table; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.constraints", description=__doc__)
    parser.add_argument("file", metavar="FILE.pte", help="a linnet file of the task text-generation")
    runtime = open_runtime(parser.parse_args(arguments).file, 1)
    task, size = runtime.task, int(runtime.manifest["vocab_size"])
    facts = runtime_info()
    console = Console()
    console.heading(f"{size} tokens, {facts['cpu']} ({facts['cpu_features']})")
    opening = _milliseconds(lambda: task.constraint("regex", ["a"]))[1]
    rows = []
    for name, (kind, texts) in CONSTRAINTS.items():
        runs = [_run(task, kind, texts, size) for _ in range(_ROUNDS)]
        rows.append((name, *(f"{min(column):.2f}" for column in zip(*runs, strict=True))))
    console.table(("constraint", "made in, ms", "a token, ms", "the slowest, ms"), rows, right=(1, 2, 3))
    console.fields([("texts of all tokens", f"{opening:.0f} ms, once for each file")])
    return 0


def _run(task: Any, kind: str, texts: tuple[str, ...], size: int) -> tuple[float, float, float]:
    constraint, made = _milliseconds(lambda: task.constraint(kind, texts))
    source, times = random.Random(1), []
    for left in range(_TOKENS, 0, -1):
        if constraint.finished:
            break
        allowed, spent = _milliseconds(functools.partial(constraint.allowed, size, left))
        times.append(spent)
        choices = [token for token, may in enumerate(allowed) if may and not task.is_end(token)]
        if not choices:
            break
        constraint.advance(source.choice(choices))
    return made, sum(times) / len(times), max(times)


def _milliseconds(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = work()
    return result, 1e3 * (time.perf_counter() - start)


if __name__ == "__main__":
    sys.exit(main())
