"""Tokens of constrained output that have few alternatives: `python -m benchmarks.studies.constrained_head FILE.pte`.

A head that computes the rows of allowed tokens only saves time where these are few, and gives no log probability, which
needs all rows. For each schema the model writes answers, greedy and sampled. Printed is how many of their tokens had at
most 1, 16, 256 and 4096 allowed ones, and the shortest time of the head beside that of the whole pass of a token.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any, cast

import linnet
from linnet.cli.console import Console
from linnet.generation import read_prompt
from linnet.model import Model
from linnet.runtime import GeneratingRuntime, open_runtime, runtime_info

_BOUNDS = (1, 16, 256, 4096)
_ANSWERS = 3
_MOST = 120
_PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 40},
        "age": {"type": "integer"},
        "job": {"enum": ["teacher", "engineer", "farmer", "other"]},
        "likes": {"type": "array", "items": {"type": "string", "maxLength": 20}, "maxItems": 3},
    },
    "required": ["name", "age", "job", "likes"],
}
_EVENT = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "maxLength": 60},
        "date": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
        "open": {"type": "boolean"},
        "place": {"type": "string", "maxLength": 40},
    },
    "required": ["title", "date", "open", "place"],
}
_TASKS: Mapping[str, tuple[dict[str, Any], str]] = {
    "a person": (_PERSON, "Write a person as JSON: Ada, a teacher of 36, likes chess and long walks by the sea."),
    "an event": (_EVENT, "Write this as JSON: The garden party is on 3 June 2025 in the park of Kew, for everybody."),
}


def main(arguments: list[str] | None = None) -> int:
    """Measure and print the table; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.constrained_head", description=__doc__)
    parser.add_argument("file", metavar="FILE.pte", help="a linnet file of the task text-generation")
    options = parser.parse_args(arguments)
    console, facts, rows = Console(), runtime_info(), []
    console.heading(f"1 thread, {facts['cpu']} ({facts['cpu_features']})")
    with linnet.load(options.file, threads=1) as model:
        for name, (schema, task) in _TASKS.items():
            sizes = [size for seed in range(_ANSWERS) for size in _allowed_sizes(model, schema, task, seed)]
            shares = [f"{sum(size <= bound for size in sizes) / len(sizes):.0%}" for bound in _BOUNDS]
            rows.append((name, str(len(sizes)), *shares))
    whole, head = _times(options.file)
    console.table(("schema", "tokens", *(f"<= {bound}" for bound in _BOUNDS)), rows, right=(1, 2, 3, 4, 5))
    console.fields([("a token", f"{whole:.2f} ms, of which the head takes {head:.2f}")])
    return 0


def _allowed_sizes(model: Model, schema: dict[str, Any], task: str, seed: int) -> list[int]:
    """Write an answer, and return how many tokens were allowed at each place."""
    session = model._session
    constraint = session.constraint("json_schema", (json.dumps(schema),))
    text, size = model.new_text(), model.manifest.vocab_size
    text.append(read_prompt(session, [{"role": "user", "content": task}]))
    sizes = []
    for left in range(_MOST, 0, -1):
        if constraint.finished:
            break
        sizes.append(sum(constraint.allowed(size, left)))
        token, _ = text.sample(temperature=0.7 * bool(seed), seed=seed, constraint=constraint, tokens_left=left)
        if session.task.is_end(token):
            break
        constraint.advance(token)
        text.append([token])
    return sizes


def _times(path: str) -> tuple[float, float]:
    """Return the shortest times of a pass over one token, and of its last operator, the head, in ms."""
    runtime = open_runtime(path, 1)
    runtime.set_profiling(True)
    text = cast(GeneratingRuntime, runtime).generation()
    text.append(list(range(100, 228)))
    runtime.profile()
    passes, heads = [], []
    for token in range(300, 500):
        text.append([token])
        events = list(runtime.profile())
        passes += [event.end_ns - event.start_ns for event in events if event.name == "Method::execute"]
        last = max((event for event in events if event.name == "OPERATOR_CALL"), key=lambda event: event.start_ns)
        heads.append(last.end_ns - last.start_ns)
    return min(passes) / 1e6, min(heads) / 1e6


if __name__ == "__main__":
    sys.exit(main())
