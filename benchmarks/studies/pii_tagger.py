"""The tagger of persons, places and organizations on text that it never saw.

``python -m benchmarks.studies.pii_tagger build/pii.pte --shared-data ../shared/data``: documents of
:mod:`examples.pii_tagger` from held-out names and templates, WNUT 17's development set (Derczynski et al. 2017), and
requests of CLINC150 and SNIPS without any name. Two definitions of recall:

- entity: found with the same first and last word and the same type, as seqeval counts;
- character: share of the characters of the labelled names that any found span covers, of whatever type. For masking
  this is what counts: a covered character is not sent on.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from examples.pii_tagger.documents import LABELS, Document, Span, generate
from examples.pii_tagger.real_texts import Row, clinc_rows, part_of, snips_rows, wnut_rows
from examples.pii_tagger.words import Part
from linnet.cli.console import Console, shorten
from linnet.loading import load
from linnet.model import Model
from linnet_bench.machine.processor import cpu_model
from linnet_bench.machine.system import text_of

__all__ = ["Answer", "documents_of_rows", "main", "score"]

_DOCUMENTS, _SEED = 2000, 1
_TIMED_WORDS, _TIMED_TEXTS = (8, 32, 80), 200
_STRATEGY = "average"
_CUT_TOKENS = 16
"""Tokens that neighbouring windows of a long text share."""


@dataclasses.dataclass(frozen=True)
class Scores:
    """Counts of one label, or of all together.

    Attributes:
        entities, found, right: labelled spans, found spans, and those that are both.
        characters, covered: characters of the labelled spans, and those that any found span covers.
    """

    entities: int
    found: int
    right: int
    characters: int
    covered: int

    def cells(self) -> tuple[str, ...]:
        """Return recall, precision and the characters' recall, for a table."""
        shares = ((self.right, self.entities), (self.right, self.found), (self.covered, self.characters))
        return (str(self.entities), *(f"{part / whole:.3f}" if whole else "-" for part, whole in shares))


@dataclasses.dataclass(frozen=True)
class Answer:
    """A text, its labelled names, and those that were found."""

    text: str
    labelled: Sequence[Span]
    found: Sequence[Span]


def answer(model: Model, documents: Iterable[tuple[str, Sequence[Span]]]) -> Iterator[Answer]:
    """Run texts as :mod:`linnet.masking` does, in windows where they are longer than the file takes."""
    for text, labelled in documents:
        entities = model(text, aggregation_strategy=_STRATEGY, stride=_CUT_TOKENS)
        yield Answer(text, labelled, [Span(each["start"], each["end"], each["entity_group"]) for each in entities])


def score(answers: Sequence[Answer]) -> dict[str, Scores]:
    """Return the scores by label, and of `all`."""
    counts = {name: Counter[str]() for name in ("all", *LABELS)}
    for each in answers:
        covered = {at for span in each.found for at in range(span.start, span.end)}
        found = set(each.found)
        for span in each.labelled:
            places = {at for at in range(span.start, span.end) if not each.text[at].isspace()}
            for name in ("all", span.label):
                counts[name].update(
                    entities=1, right=span in found, characters=len(places), covered=len(places & covered)
                )
        for span in each.found:
            for name in ("all", span.label):
                counts[name]["found"] += 1
    names = [field.name for field in dataclasses.fields(Scores)]
    return {kind: Scores(**{name: count[name] for name in names}) for kind, count in counts.items()}


def documents_of_rows(rows: Iterable[Row]) -> Iterator[tuple[str, Sequence[Span]]]:
    """Yield the text of rows of tokens, and their names by offset."""
    for row in rows:
        text = ""
        spans: list[Span] = []
        for word, tag in zip(row["tokens"], row["tags"], strict=True):
            start = len(text)
            text += f"{word} "
            prefix, _, label = tag.partition("-")
            if prefix == "B" or (prefix == "I" and not spans):
                spans.append(Span(start, start + len(word), label))
            elif prefix == "I":
                spans[-1] = dataclasses.replace(spans[-1], end=start + len(word))
        yield text.rstrip(), spans


def _negatives(shared: Path) -> Iterator[tuple[str, list[tuple[str, Sequence[Span]]]]]:
    clinc = clinc_rows(shared / "clinc150" / "train_val.json", "val")
    yield "CLINC150, validation", list(documents_of_rows(clinc))
    snips = (row for row in snips_rows(shared / "snips") if part_of(row) is Part.HELD_OUT and set(row["tags"]) == {"O"})
    yield "SNIPS, held out", list(documents_of_rows(snips))


def _show_scores(console: Console, name: str, answers: Sequence[Answer]) -> None:
    console.heading(f"{name}: {len(answers)} texts")
    columns = ("label", "entities", "entity recall", "entity precision", "character recall")
    rows = [(label, *scores.cells()) for label, scores in score(answers).items() if scores.entities]
    console.table(columns, rows, right=(1, 2, 3, 4))


def _show_registers(console: Console, documents: Sequence[Document], answers: Sequence[Answer]) -> None:
    groups: dict[str, list[Answer]] = {}
    for document, each in zip(documents, answers, strict=True):
        groups.setdefault(document.register, []).append(each)
    rows = [(name, *score(group)["all"].cells()) for name, group in sorted(groups.items())]
    columns = ("register", "entities", "entity recall", "entity precision", "character recall")
    console.table(columns, rows, right=(1, 2, 3, 4))


def _show_negatives(console: Console, model: Model, shared: Path) -> None:
    console.heading("texts without names")
    rows, inventions = [], Counter[str]()
    for name, documents in _negatives(shared):
        answers = list(answer(model, documents))
        words = sum(len(each.text.split()) for each in answers)
        found = [each.text[span.start : span.end] for each in answers for span in each.found]
        inventions.update(found)
        touched = sum(bool(each.found) for each in answers)
        rows.append((name, str(len(answers)), str(words), f"{1000 * len(found) / words:.2f}", str(touched)))
    console.table(
        ("source", "texts", "tokens", "false positives per 1000 tokens", "texts with one"), rows, (1, 2, 3, 4)
    )
    shown = ", ".join(f"{text!r} {count}x" for text, count in inventions.most_common(25))
    console.line(f"most often: {shown or 'none'}")


def _show_misses(console: Console, sources: Mapping[str, Sequence[Answer]], most: int) -> None:
    """Print the names of which least was covered, longest first."""
    console.heading("worst misses")
    rows = []
    for name, answers in sources.items():
        missed = [
            (span.end - span.start, span.label, each.text, span)
            for each in answers
            for span in each.labelled
            if not any(found.start < span.end and found.end > span.start for found in each.found)
        ]
        missed.sort(key=lambda miss: (-miss[0], miss[2]))
        for _, label, text, span in missed[:most]:
            rows.append((name, label, shorten(_around(text, span), 90)))
    console.table(("source", "label", "name in its text"), rows)


def _around(text: str, span: Span) -> str:
    before, after = text[max(0, span.start - 30) : span.start], text[span.end : span.end + 30]
    return f"{before}[{text[span.start : span.end]}]{after}"


def _show_speed(console: Console, model: Model, documents: Sequence[Document]) -> None:
    console.heading(f"latency, one thread, {cpu_model(text_of(Path('/proc/cpuinfo'))) or 'unknown processor'}")
    words = " ".join(document.text for document in documents[:100]).split()
    rows = []
    for count in _TIMED_WORDS:
        texts = [" ".join(words[at : at + count]) for at in range(0, len(words) - count, 7)][:_TIMED_TEXTS]
        for text in texts[:20]:
            model(text, aggregation_strategy=_STRATEGY, stride=_CUT_TOKENS)
        times = [_milliseconds(model, text) for text in texts]
        rows.append((str(count), f"{statistics.median(times):.2f}", f"{statistics.quantiles(times, n=100)[98]:.2f}"))
    console.table(("words", "median ms", "p99 ms"), rows, right=(0, 1, 2))


def _milliseconds(model: Any, text: str) -> float:
    start = time.perf_counter()
    model(text, aggregation_strategy=_STRATEGY, stride=_CUT_TOKENS)
    return 1000 * (time.perf_counter() - start)


def main() -> None:
    """Read the command line and print every table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("file", type=Path, metavar="FILE", help="the tagger (.pte)")
    parser.add_argument("--shared-data", type=Path, metavar="DIR", help="with wnut17, snips and clinc150 in it")
    parser.add_argument("--documents", type=int, default=_DOCUMENTS, metavar="N", help="held-out documents (2000)")
    parser.add_argument("--misses", type=int, default=12, metavar="N", help="of each source (12)")
    args = parser.parse_args()
    console = Console()
    console.line(f"{args.file}: {args.file.stat().st_size / 1e6:.2f} MB")
    documents = list(generate(args.documents, _SEED, Part.HELD_OUT))
    with load(args.file, threads=1) as model:
        sources = {"generated": list(answer(model, ((each.text, each.spans) for each in documents)))}
        _show_scores(console, "generated documents, held-out names and templates", sources["generated"])
        _show_registers(console, documents, sources["generated"])
        if args.shared_data is not None:
            rows = wnut_rows(args.shared_data / "wnut17" / "emerging.dev.conll")
            sources["WNUT 17"] = list(answer(model, documents_of_rows(rows)))
            _show_scores(console, "WNUT 17, development set", sources["WNUT 17"])
            _show_negatives(console, model, args.shared_data)
        _show_misses(console, sources, args.misses)
        _show_speed(console, model, documents)


if __name__ == "__main__":
    main()
