"""Recall, precision and speed of masking on generated documents: ``python -m benchmarks.studies.masking``.

A value counts as masked if no letter or digit of it is left, whatever the type that was found; as exact if it was found
at its very place as its own type. Precision is the share of what was found of a type that is a planted value. Values
in forms that the documentation says are missed are a table of their own. Hostile texts show that time is linear.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.studies.masking_documents import NAMED, Document, Planted, documents
from linnet.masking import Masker, Span

_HOSTILE = ("1", "@", ":", "a@", "12 ", "00:", "1.", "+1", "x.", "AB12 ", "12.03.1980 ", "[A_1", '"@')


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--documents", type=int, default=2000, metavar="N", help="documents to generate (default 2000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the generator (default 1)")
    parser.add_argument("--model", type=Path, metavar="FILE", help="token-classification file; none: patterns alone")
    parser.add_argument("--region", metavar="CC", help="country whose phone numbers are found as dialled there")
    parser.add_argument("--hostile-mb", type=int, default=10, metavar="N", help="size of hostile texts (default 10)")
    args = parser.parse_args()
    made = documents(args.documents, args.seed)
    size = sum(len(document.text.encode()) for document in made) / 1e6
    masker = Masker(model=args.model, region=args.region)
    started = time.process_time()
    found = [masker.find(document.text) for document in made]
    seconds = time.process_time() - started
    what = (
        "patterns"
        + (f", {args.model.name}" if args.model else "")
        + (f", numbers of {args.region}" if args.region else "")
    )
    print(
        f"{len(made)} documents, {size:.2f} MB, seed {args.seed}; {what}: {size / seconds:.1f} MB/s of processor time\n"
    )
    tagged = set(NAMED) if args.model else set()
    _print_table("usual forms", made, found, tagged, hard=False)
    _print_table("forms that are missed", made, found, tagged, hard=True)
    _print_false(made, found)
    if args.hostile_mb:
        _print_speed(args.hostile_mb, [document.text for document in made])


def _print_table(
    title: str, made: Sequence[Document], found: Sequence[Sequence[Span]], tagged: set[str], *, hard: bool
) -> None:
    planted, masked, exact, right, all_found = (
        Counter[str](),
        Counter[str](),
        Counter[str](),
        Counter[str](),
        Counter[str](),
    )
    for document, spans in zip(made, found, strict=True):
        by_place = {(span.start, span.end, span.type) for span in spans}
        for value in document.planted:
            if value.hard == hard:
                planted[value.type] += 1
                masked[value.type] += _is_masked(document.text, value, spans)
                exact[value.type] += (value.start, value.end, value.type) in by_place
        for span in spans:
            all_found[span.type] += 1
            right[span.type] += any(value.type == span.type and _overlap(value, span) for value in document.planted)
    columns = "| planted | masked % | exact % |" + ("" if hard else " found | precision % |")
    print(f"| {title} {columns}\n|---|---:|---:|---:|" + ("" if hard else "---:|---:|"))
    for type_ in sorted(planted):
        if type_ in NAMED and type_ not in tagged:
            continue
        shares = [100 * count[type_] / planted[type_] for count in (masked, exact)]
        row = f"| {type_} | {planted[type_]} | {shares[0]:.1f} | {shares[1]:.1f} |"
        share = f"{100 * right[type_] / all_found[type_]:.1f}" if all_found[type_] else ""
        print(row + ("" if hard else f" {all_found[type_]} | {share} |"))
    counted = [type_ for type_ in planted if type_ not in NAMED or type_ in tagged]
    total = sum(planted[type_] for type_ in counted)
    shares = [100 * sum(count[type_] for type_ in counted) / max(total, 1) for count in (masked, exact)]
    row = f"| all | {total} | {shares[0]:.1f} | {shares[1]:.1f} |"
    print(row + ("\n" if hard else f" {all_found.total()} | {100 * right.total() / max(all_found.total(), 1):.1f} |\n"))


def _overlap(value: Planted, span: Span) -> bool:
    return value.start < span.end and span.start < value.end


def _is_masked(text: str, value: Planted, spans: Sequence[Span]) -> bool:
    covered = {place for span in spans if _overlap(value, span) for place in range(span.start, span.end)}
    return all(place in covered for place in range(value.start, value.end) if text[place].isalnum())


def _print_false(made: Sequence[Document], found: Sequence[Sequence[Span]]) -> None:
    """Print what was found where nothing is planted: the texts are generated, no person's data is shown."""
    wrong = Counter[str]()
    examples: dict[str, str] = {}
    for document, spans in zip(made, found, strict=True):
        for span in spans:
            if not any(_overlap(value, span) for value in document.planted):
                wrong[span.type] += 1
                examples.setdefault(span.type, document.text[max(span.start - 12, 0) : span.end].replace("\n", " "))
    print("| found where nothing is planted | times | for example |\n|---|---:|---|")
    for type_, count in wrong.most_common():
        print(f"| {type_} | {count} | {examples[type_]} |")
    print()


def _print_speed(megabytes: int, texts: Sequence[str]) -> None:
    masker = Masker()
    plain = "\n".join(texts)
    plain *= max(round(megabytes * 1e6 / len(plain.encode())), 1)
    print("| one text, patterns alone | MB | MB/s of processor time |\n|---|---:|---:|")
    prose = "Nothing else was noted there, and the letter was filed as before. "
    cases = {"the documents, joined": plain, "prose": prose * (megabytes * 10**6 // len(prose))} | {
        f"{unit!r} repeated": unit * (megabytes * 10**6 // len(unit)) for unit in _HOSTILE
    }
    for name, text in cases.items():
        size = len(text.encode()) / 1e6
        started = time.process_time()
        masker.find(text)
        print(f"| {name} | {size:.1f} | {size / (time.process_time() - started):.1f} |", flush=True)


if __name__ == "__main__":
    main()
