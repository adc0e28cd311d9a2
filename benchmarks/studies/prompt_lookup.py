"""Gain of prompt lookup by kind of task: `python -m benchmarks.studies.prompt_lookup FILE.pte`.

Each task is answered with and without guesses in turn, from the same prompt, whose time is left out. Printed are the
medians of generated tokens/s, their ratio, and the share of guessed tokens that were right. The answers must be equal.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from typing import NamedTuple

import linnet
from linnet.cli.console import Console
from linnet.model import Model
from linnet.runtime import runtime_info

_TEXT = (
    "The linnet is a small finch that lives in open country across Europe. It eats small seeds, and it builds its nest "
    "in low bushes such as gorse. In winter linnets gather in flocks of several hundred birds, and they feed on "
    "stubble fields near the coast. The male has a crimson breast in summer, and a song of fast trills that made it a "
    "popular cage bird in the nineteenth century. Its name comes from linum, the Latin word for flax, whose seeds it "
    "likes best."
)
_CODE = """def read_rows(path):
    rows = []
    with open(path) as file:
        for line in file:
            name, value = line.split(",")
            rows.append((name, float(value)))
    return rows
"""
_TASKS = {
    "quote": f"Repeat the following text word for word:\n\n{_TEXT}",
    "edit": f"Correct the spelling of this text and write the whole text again:\n\n{_TEXT.replace('winter', 'wintr')}",
    "question": f"What does the linnet eat, and where does its name come from? Answer from this text:\n\n{_TEXT}",
    "code": f"Add a docstring to this function and print the whole function:\n\n{_CODE}",
    "summary": f"Summarize this text in three sentences:\n\n{_TEXT}",
    "JSON": f"Extract name, place, food and size of flocks from the text as JSON.\n\n{_TEXT}",
    "story": "Write a short story about a fisherman and the sea.",
}


class Run(NamedTuple):
    """One completion: its tokens, tokens/s, and how many tokens were guessed and were right."""

    ids: tuple[int, ...]
    speed: float
    guessed: int
    accepted: int


def main(arguments: list[str] | None = None) -> int:
    """Measure and print the table; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.prompt_lookup", description=__doc__)
    parser.add_argument(
        "file", metavar="FILE.pte", help="a linnet file of the task text-generation, with a chat template"
    )
    parser.add_argument("--lookup", type=int, default=10, metavar="N", help="most guessed tokens (default 10)")
    parser.add_argument("--tokens", type=int, default=150, metavar="N", help="most tokens of an answer (default 150)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="alternating runs (default 5)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads (default 1)")
    options = parser.parse_args(arguments)
    console, facts, rows = Console(), runtime_info(), []
    console.heading(f"{options.threads} threads, {facts['cpu']} ({facts['cpu_features']})")
    with linnet.load(options.file, threads=options.threads) as model:
        for temperature in (0.0, 0.7):
            for name, task in _TASKS.items():
                pairs = [
                    tuple(_answer(model, task, temperature, options.tokens, most) for most in (0, options.lookup))
                    for _ in range(options.rounds)
                ]
                rows.append((name, f"{temperature:g}", *_row(pairs)))
    console.table(("task", "temperature", "tokens/s", "with lookup", "ratio", "right"), rows, right=(1, 2, 3, 4, 5))
    return 0


def _row(pairs: list[tuple[Run, ...]]) -> tuple[str, ...]:
    plain, quick = zip(*pairs, strict=True)
    if len({run.ids for run in (*plain, *quick)}) != 1:
        raise SystemExit("expected the same answer with and without lookup, got different ones; report this")
    before, after = (statistics.median(run.speed for run in runs) for runs in (plain, quick))
    right = f"{quick[0].accepted} of {quick[0].guessed}"
    return f"{before:.0f}", f"{after:.0f}", f"{after / before:.2f}", right


def _answer(model: Model, task: str, temperature: float, tokens: int, lookup: int) -> Run:
    """Answer a task, and time what comes behind the first token."""
    state = model.prepare([{"role": "user", "content": task}])
    state.logits()
    start = time.perf_counter()
    completion = model.generate(
        [{"role": "user", "content": task}], state=state, max_new_tokens=tokens, temperature=temperature, top_p=0.9,
        seed=1, prompt_lookup_num_tokens=lookup,
    )  # fmt: skip
    spent = time.perf_counter() - start
    return Run(completion.ids, len(completion.ids) / spent, completion.guessed_tokens, completion.accepted_tokens)


if __name__ == "__main__":
    sys.exit(main())
