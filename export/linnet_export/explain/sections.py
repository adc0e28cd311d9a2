"""Sections of `linnet explain` about the file, its proof, its worst texts and its latency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from linnet.cli.console import counted, shorten
from linnet.format.evidence import Evidence, WorstText
from linnet_bench.html import Axis, Content, Markup, Series, element, foreign, line_chart, table
from linnet_bench.html.figures import bytes_text, grouped, percent, significant
from linnet_bench.record.preset import is_decoder
from linnet_bench.record.statistics import PERCENTILE_DEFINITION
from linnet_bench.record.table import METHODS
from linnet_export.explain.decoding import decoding_speed
from linnet_export.explain.facts import Facts
from linnet_export.explain.latency import Latency
from linnet_export.tasks import get_task

__all__ = ["about", "missing", "overview", "proof", "speed", "worst_texts"]

_LABELS_SHOWN, _LONG = 40, 400
_MILLISECOND = 1e6  # in nanoseconds

_FIGURES: Mapping[str, tuple[str, str]] = {
    "max_error": (
        "largest error",
        "of any output of any text, divided by the largest value of the original if above 1",
    ),
    "mean_error": ("mean error", "the largest error of each text, averaged over the texts"),
    "cosine_mean": ("mean cosine", "between the embeddings of file and original"),
    "cosine_worst": ("worst cosine", "of a single text"),
    "agreement": ("same answer", "share of answers that are equal"),
    "perplexity": ("perplexity", "of the file on the texts of the proof, token by token"),
    "original_perplexity": ("perplexity of the original", "on the same texts"),
    "perplexity_ratio": ("ratio of perplexities", "file over original"),
    "kl_mean": ("mean KL divergence", "of the next token, from the original, in nats"),
}


_UPPER = ("max_error", "perplexity_ratio", "kl_mean")  # figures whose limit is the most


def missing(what: str, why: str = "") -> Markup:
    """Return a note in place of facts that the file does not have."""
    reason = why or "not recorded by the version that made this file; export it again to have it here."
    return element("p", f"{what}: {reason}", class_="missing")


def overview(facts: Facts) -> Markup:
    """Return the overview at the top of the page: the most important figures."""
    manifest = facts.manifest
    evidence = facts.evidence
    state = "good" if evidence.status == "proven" else "bad"
    tiles: list[tuple[str, Content, str]] = [
        ("task", manifest.task, manifest.model_type),
        ("recipe", manifest.recipe, ""),
        ("size", bytes_text(facts.size), f"{grouped(facts.size)} bytes"),
        ("proof", element("span", evidence.status, class_=state), _against(evidence)),
    ]
    for name in ("cosine_mean", "agreement", "max_error"):
        if name in evidence.figures:
            tiles.append((_FIGURES[name][0], _figure(name, evidence.figures[name]), "against the original"))
            break
    tiles.append(("longest input", f"{manifest.max_length} tokens", ""))
    if evidence.details.steps is not None:
        forward = evidence.details.steps.get("forward", ())
        tiles.append(("partitions", str(sum(step.partition > 0 for step in forward)), "of forward, run by XNNPACK"))
    return element(
        "dl",
        [
            element("div", element("dt", name), element("dd", value, element("small", note) if note else None))
            for name, value, note in tiles
        ],
        class_="tiles",
    )


def _against(evidence: Evidence) -> str:
    return f"on {counted(evidence.texts, 'text')}" if evidence.status == "proven" else evidence.reason


def about(facts: Facts) -> list[Content]:
    """Return the section about the manifest, labels, versions and notes."""
    manifest, report = facts.manifest, facts.evidence.report
    rows: list[tuple[str, Content]] = [
        ("made from", foreign(manifest.source)),
        ("commit", element("code", manifest.source_commit) if manifest.source_commit else "-"),
        ("SHA-256 of the weights", element("code", manifest.source_sha256) if manifest.source_sha256 else "-"),
        ("license", foreign(manifest.license or "not stated")),
        ("quantization", manifest.quantization),
        ("tokenizer", f"{manifest.tokenizer_kind}, {grouped(manifest.vocab_size)} entries"),
        ("inputs", ", ".join(manifest.inputs)),
        ("outputs", ", ".join(manifest.outputs)),
        ("labels", _labels(manifest.labels)),
        ("batch method", f"up to {counted(manifest.max_batch, 'text')}" if manifest.max_batch else "none"),
        ("pooling", f"{manifest.pooling}, {'unit length' if manifest.normalized else 'length as it comes'}"),
        ("prompts", _prompts(manifest.prompt_names, manifest.prompts)),
        ("needs", f"{', '.join(manifest.backends)}; kernels {', '.join(manifest.kernel_libraries)}"),
        ("memory planned for activations", _planned(report.planned_bytes)),
    ]
    without = {"pooling"} if not get_task(manifest.task).embeds else set()
    versions = [[name, value] for name, value in facts.versions.items()]
    return [
        table(["", "manifest"], [[name, value] for name, value in rows if name not in without and value]),
        table(["", "version"], versions, caption="Versions", unbroken=(1,)),
        *(
            element("p", "Warning: " if note in report.warnings else "Note: ", foreign(note), class_="note")
            for note in report.notes
        ),
    ]


def _labels(labels: Sequence[str]) -> Content:
    if not labels:
        return None
    shown: list[Content] = []
    for label in labels[:_LABELS_SHOWN]:
        shown += [foreign(shorten(label, 60)), ", "]
    more = f", and {len(labels) - _LABELS_SHOWN} more" if len(labels) > _LABELS_SHOWN else ""
    return element("span", f"{len(labels)}: ", shown[:-1], more)


def _prompts(names: Sequence[str], prompts: Sequence[str]) -> Content:
    shown: list[Content] = []
    for name, prompt in zip(names, prompts, strict=True):
        shown += [foreign(name), ": ", element("code", foreign(prompt)), "; "]
    return element("span", shown[:-1]) if shown else None


def _planned(planned: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {bytes_text(size)}" for name, size in planned.items())


def proof(facts: Facts) -> list[Content]:
    """Return the section about the figures of the proof and their limits."""
    evidence = facts.evidence
    figures = evidence.figures
    fused = {"forward_fused": evidence.proof_fused, "with 7-bit activations": evidence.proof_seven_bits}
    fused = {method: measured for method, measured in fused.items() if measured}
    if not figures:
        return [missing("Proof", evidence.reason and f"{evidence.reason}; nobody knows how well this file answers.")]
    rows: list[list[Content]] = []
    for name, value in figures.items():
        title, meaning = _FIGURES.get(name, (name, ""))
        limit = evidence.budget.get(name)
        kept = "" if limit is None else f"{'at most' if name in _UPPER else 'at least'} {_figure(name, limit)}"
        others = [_figure(name, measured[name]) if name in measured else "" for measured in fused.values()]
        rows.append([title, _figure(name, value), *others, kept or "\N{EN DASH}", meaning])
    if "mean_error" not in figures:
        blank = [""] * (2 + len(fused))
        rows.append(["mean error", *blank, "not recorded by the version that made this file"])
    tolerance = evidence.tolerance.absolute
    verify = f"{len(evidence.golden)} golden cases are in the file; linnet verify repeats them on any machine" + (
        f", within {significant(tolerance, 1)} of an output's largest value." if tolerance else "."
    )
    sentence = (
        f"The finished file answered {counted(evidence.texts, 'text')} in a process without PyTorch; the original, in "
        "float32 under PyTorch with its own tokenizer, answered the same."
    )
    methods = ["forward", *fused] if fused else ["measured"]
    columns: list[Content] = ["against the original", *methods, "budget", "meaning"]
    shown = table(columns, rows, caption="Proof", right=tuple(range(1, len(methods) + 1)))
    about_methods = element("p", f"{METHODS}.", class_="note") if fused else None
    return [element("p", sentence), shown, about_methods, element("p", verify)]


def _figure(name: str, value: float) -> str:
    if name == "agreement":
        return percent(value)
    return significant(value) if name.endswith("_error") else f"{value:.4f}"


def worst_texts(facts: Facts) -> list[Content]:
    """Return the section about the texts for which the file differs most from the original."""
    worst = facts.evidence.worst
    if worst is None:
        return [missing("Worst texts")]
    if not worst:
        return [missing("Worst texts", facts.evidence.reason or "there are none.")]
    pairs = any(text.pair for text in worst)
    meaning = "1 - cosine" if get_task(facts.manifest.task).embeds else "share of other answers"
    headers: list[Content] = ["text", *(["second text"] if pairs else []), meaning, "largest error"]
    rows = [_worst(text, pairs) for text in worst]
    return [
        element("p", "What the file answers most differently from the original, worst first."),
        table(headers, rows, caption="Worst texts", right=(len(headers) - 2, len(headers) - 1)),
    ]


def _worst(worst: WorstText, pairs: bool) -> list[Content]:
    error = "not recorded" if worst.error is None else significant(worst.error)
    # compare() adds a millionth of the error to sort texts with equal answers; this is not part of the share
    difference = worst.difference if worst.difference > 1e-5 else 0.0
    return [_text(worst.text), *([_text(worst.pair or "")] if pairs else []), significant(difference), error]


def _text(text: str) -> Markup:
    if not text.strip():
        return element("span", "(empty)" if not text else "(white space)", class_="note")
    return element("span", foreign(text if len(text) <= _LONG else text[:_LONG] + "…"), class_="clip")


def speed(facts: Facts, latency: Latency) -> list[Content]:
    """Return the section about latency by length, with percentiles."""
    runs = latency.lengths()
    if latency.record is None or not runs:
        return [missing("Latency", latency.missing or "nothing could be measured.")]
    if is_decoder(latency.record):
        return decoding_speed(latency.record)
    several = len(runs) > 1
    series = [
        Series(
            counted(threads, "thread"),
            [(result.tokens, result.summary.p50_ns / _MILLISECOND) for result in results],
            [(result.summary.min_ns / _MILLISECOND, result.summary.p90_ns / _MILLISECOND) for result in results],
        )
        for threads, results in runs.items()
    ]
    lengths = sorted({result.tokens for results in runs.values() for result in results})
    machine = latency.record.environment
    chart = line_chart(
        "Latency by length" + ("" if several else f", {series[0].name}"),
        series,
        x=Axis("length", "tokens", log=True, ticks=lengths),
        y=Axis("median latency", "ms", log=True, better="low"),
        listed=False,
        band_name="fastest to 90th percentile",
        description=f"Measured on {machine.cpu or machine.architecture}, {counted(machine.cpus, 'CPU')}, {machine.os}.",
    )
    rows: list[list[Content]] = [
        [str(result.tokens), str(threads), *(_milliseconds(value) for value in (
            result.summary.p50_ns, result.summary.p90_ns, result.summary.p99_ns, result.summary.mean_ns,
        )), str(result.summary.samples)]
        for threads, results in runs.items()
        for result in results
    ]  # fmt: skip
    headers = ["tokens", "threads", "p50 ms", "p90 ms", "p99 ms", "mean ms", "samples"]
    note = (
        f"Percentiles are {PERCENTILE_DEFINITION}. Golden cases were repeated before and after the clock ran. This is "
        "a short measurement; linnet bench takes longer and shows cold start and memory too."
    )
    return [chart, table(headers, rows, caption="Percentiles", right=range(7)), element("p", note, class_="note")]


def _milliseconds(nanoseconds: float) -> str:
    return significant(nanoseconds / _MILLISECOND)
