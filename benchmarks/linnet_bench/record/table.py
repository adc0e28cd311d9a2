"""Table of a benchmark record for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from linnet.cli.console import Console, counted
from linnet_bench.arguments import spans
from linnet_bench.machine.state import State, busy_note, throttle_notes
from linnet_bench.record.decoder_table import decoder_notes, show_decoder
from linnet_bench.record.preset import DEFAULT, HEADLINE, OFFICIAL, Point, is_decoder, points, shortcomings
from linnet_bench.record.profile_table import show_profile
from linnet_bench.record.record import ColdStart, Kernels, LengthResult, OutputCheck, Record, ThreadRun
from linnet_bench.record.statistics import enough_for, median

__all__ = ["METHODS", "method_of", "methods", "methods_note", "show_record"]

_HEADERS = ("threads", "tokens", "p50 ms", "p90 ms", "p99 ms", "mean ms", "min ms", "tokens/s", "samples")
_NUMBERS = tuple(range(len(_HEADERS)))
_PLAIN = "forward"  # the method that runs if the evidence lists no other
_FUSED = "forward_fused"  # the method that runs of every decoder
_REPEATED = ("threads", "tokens", "p90 ms", "lowest", "highest", "spread", "p50 ms", "p99 ms", "samples")


METHODS = (
    "forward: the method that every ExecuTorch runtime can run; forward_fused: the fast method, the same model with "
    "linnet's own kernels for int8 attention and linear layers, which linnet runs on x86-64 "
    "with AVX2 and on 64-bit ARM"
)


def show_record(record: Record, console: Console) -> None:
    """Write the record: file, machine, latencies, cold start and memory."""
    console.fields(list(_identity(record)))
    if is_decoder(record):
        show_decoder(record, _FUSED, [*_before_times(record)], console)
    else:
        _show_latencies(record, methods(map(method_of, record.runs)), console)
    for note in _notes(record):
        console.line(note)
    for run in record.runs:
        for profile in run.profiles:
            show_profile(profile, run.threads, methods([method_of(run)]), console)
    console.heading("start and memory")
    console.fields(list(_costs(record)))
    if record.partial:
        console.line()
        console.line(f"{record.ended_early}: only what had been finished is shown")


def _show_latencies(record: Record, ran: str, console: Console) -> None:
    console.heading(f"latency of {ran}, token ids in, numpy out")
    for note in _before_times(record):
        console.line(note)
    headers, rows = _latencies(record)
    if rows:
        console.table(headers, rows, right=_NUMBERS)


def _before_times(record: Record) -> Iterator[str]:
    if record.environment.emulated:
        yield f"EMULATED: these times mean nothing ({record.environment.emulated})"
    if record.settings.repeats > 1 and not is_decoder(record):
        yield f"headline: p{HEADLINE}, the median of {record.settings.repeats} repeats, and how far they are apart"


def _latencies(record: Record) -> tuple[Sequence[str], list[Sequence[str]]]:
    if record.settings.repeats > 1:
        return _REPEATED, [_repeated(point) for point in points(record.runs)]
    return _HEADERS, [row for run in record.runs for row in _rows(run)]


def _identity(record: Record) -> Iterator[tuple[str, str]]:
    file, machine = record.file, record.environment
    yield "file", f"{file.name}, {file.size / 1e6:.1f} MB, SHA-256 {file.sha256[:16]}…"
    yield "model", f"{file.source or 'unknown'}, {file.model_type}, {file.task}, recipe {file.recipe}"
    yield "machine", ", ".join(filter(None, (machine.board, machine.cpu, machine.architecture, machine.os)))
    features = " ".join(machine.cpu_features) or "no features known"
    yield "cpus", f"{len(machine.affinity)} of {machine.cpus} usable, {features}"
    if machine.soc or len(machine.cores) > 1:
        kinds = (f"{len(group.cpus)} x {group.name or 'unknown core'} ({spans(group.cpus)})" for group in machine.cores)
        yield "chip", ": ".join(filter(None, (machine.soc, ", ".join(kinds))))
    backends = machine.runtime.get("backends", "no backends")
    yield "kernels", "; ".join([f"ExecuTorch {machine.versions.executorch}, {backends}", *_kernels(record)])
    yield "governor", ", ".join(machine.governors) or "not told by this system"
    versions = machine.versions
    yield "versions", f"linnet {versions.linnet}, {versions.python}, numpy {versions.numpy}"
    if record.settings.method != DEFAULT.name or record.settings.repeats > 1:
        yield "method", _method(record)
    for run in record.runs:
        after = f", after: {_state(run.after)}" if run.after else ""
        turn = f" #{run.repeat + 1}" if record.settings.repeats > 1 else ""
        yield f"state, {run.threads} thr.{turn}", f"before: {_state(run.before)}{after}"
    yield "answers", "; ".join(dict.fromkeys(_verdict(run.check) for run in record.runs)) or "not checked"


def _kernels(record: Record) -> list[str]:
    """Return the methods and attention kernels that ran, each once; all thread counts usually share them."""
    known = [run.kernels for run in record.runs if run.kernels is not None]
    texts = (
        f"{kernels.method or _PLAIN}, attention by {kernels.attention or 'an unknown kernel'}{_rounding(kernels)}"
        for kernels in known
    )
    return [*dict.fromkeys(texts)]


def _rounding(kernels: Kernels) -> str:
    return "" if kernels.activation_bits is None else f", activations of {kernels.activation_bits} bits"


def method_of(run: ThreadRun) -> str | None:
    """Return the method of a run; None if the run ended before it was known."""
    return None if run.kernels is None else run.kernels.method or _PLAIN


def methods(ran: Iterable[str | None]) -> str:
    """Return the methods that ran, each once, for a heading."""
    return " and ".join(sorted({method for method in ran if method is not None})) or "one inference"


def methods_note(ran: Iterable[str | None]) -> Iterator[str]:
    """Yield what the methods are if another one than the plain one ran."""
    if any(method not in (None, _PLAIN) for method in ran):
        yield METHODS


def _method(record: Record) -> str:
    settings = record.settings
    amount = counted(settings.samples, "sample") if settings.samples else f"{settings.seconds:g} s"
    least = f" and {settings.least_samples} samples" if settings.least_samples > DEFAULT.least_samples else ""
    parts = [f"{settings.method}: at least {amount}{least} for each length, {counted(settings.repeats, 'repeat')}"]
    if settings.cooldown_seconds:
        parts.append(f"pauses of {settings.cooldown_seconds:g} s")
    missing = [*shortcomings(record)] if settings.method == OFFICIAL.name else []
    return ", ".join(parts) + (f"; NOT fulfilled: {'; '.join(missing)}" if missing else "")


def _state(state: State) -> str:
    parts = []
    if state.frequency_mhz:
        parts.append(f"{min(state.frequency_mhz):.0f}-{max(state.frequency_mhz):.0f} MHz")
    if state.load_average:
        parts.append(f"load {state.load_average[0]:.2f}")
    if state.temperature_c is not None:
        parts.append(f"{state.temperature_c:.0f} °C")
    if state.power_w is not None:
        parts.append(f"{state.power_w:.1f} W")
    return ", ".join(parts) or "unknown"


def _verdict(check: OutputCheck) -> str:
    if check.wrong:
        return f"WRONG: {check.message}"
    if not check.cases or check.after is None:
        return check.message or f"{check.cases} golden cases right before the clock ran"
    return f"{check.cases} golden cases right before and after the clock ran"


def _rows(run: ThreadRun) -> Iterator[Sequence[str]]:
    for result in run.lengths:
        yield _row(str(run.threads), str(result.tokens), result)
    if run.answer is not None:
        yield _row(str(run.threads), f"text ({run.answer.tokens})", run.answer)


def _repeated(point: Point) -> Sequence[str]:
    percentiles = point.each(HEADLINE)
    times = (_ms(point.middle(HEADLINE)), _ms(min(percentiles)), _ms(max(percentiles)))
    more = (_ms(point.middle(50)), _ms(point.middle(99)), str(point.samples))
    return (str(point.threads), str(point.tokens), *times, f"{point.spread(HEADLINE):.1%}", *more)


def _row(threads: str, tokens: str, result: LengthResult) -> Sequence[str]:
    figures = result.summary
    p99 = _ms(figures.p99_ns) + ("" if enough_for(99, figures.samples) else "*")
    times = (_ms(figures.p50_ns), _ms(figures.p90_ns), p99, _ms(figures.mean_ns), _ms(figures.min_ns))
    return (threads, tokens, *times, f"{result.tokens_per_second:.0f}", str(figures.samples))


def _notes(record: Record) -> Iterator[str]:
    busy = busy_note(record.runs[0].before, len(record.environment.affinity)) if record.runs else ""
    if busy:
        yield busy
    yield from dict.fromkeys(note for run in record.runs for note in throttle_notes(run.before, run.after))
    yield from decoder_notes(record) if is_decoder(record) else _encoder_notes(record)
    yield from methods_note(map(method_of, record.runs))
    for run in record.runs:
        if run.check.wrong:
            yield f"{counted(run.threads, 'thread')}: no latency, because the answers are wrong: {run.check.message}"
        elif run.error:
            yield f"{counted(run.threads, 'thread')}: no latency, because the run failed: {run.error}"


def _encoder_notes(record: Record) -> Iterator[str]:
    yield from _energy(record)
    results = [result for run in record.runs for result in (*run.lengths, run.answer) if result is not None]
    if record.settings.repeats == 1 and any(run.answer is not None for run in record.runs):
        yield "text (n): from a text of n tokens to its answer, tokenizer and decoding included"
    if any(not enough_for(99, result.summary.samples) for result in results):
        yield "*: the largest sample; a p99 below it needs more than 100 samples"


def _energy(record: Record) -> Iterator[str]:
    for point in points(record.runs):
        if point.energy_j is not None:
            yield (
                f"energy at {point.tokens} tokens on {counted(point.threads, 'thread')}: {point.energy_j * 1e3:.2f} mJ "
                "an inference, whatever else ran included"
            )


def _costs(record: Record) -> Iterator[tuple[str, str]]:
    cold = record.cold_start
    bare = 0 if cold is None else cold.bare_memory
    answer = "token" if is_decoder(record) else "answer"
    for run in [run for run in record.runs if run.repeat == 0]:
        name = counted(run.threads, "thread")
        if run.load_ns is not None and run.first_answer_ns is not None:
            then = f"then the first {answer} {_ms(run.first_answer_ns)} ms"
            yield f"{name}: load", f"{_ms(run.load_ns)} ms, {then}"
        if run.peak_memory is not None:
            yield f"{name}: peak memory", f"{_memory(run.peak_memory, bare)}, after all lengths"
    if cold is not None:
        yield from _cold(cold, answer)


def _cold(cold: ColdStart, what: str) -> Iterator[tuple[str, str]]:
    answer, numpy, bare = (median(times) for times in (cold.answer_ns, cold.numpy_ns, cold.bare_ns))
    how = f"median of {len(cold.answer_ns)}; {counted(cold.threads, 'thread')}, files in the page cache"
    yield "cold start", f"{_ms(answer)} ms from process start to first {what} ({how})"
    parts = (median(times) for times in (cold.import_ns, cold.load_ns, cold.first_answer_ns))
    yield "  of which", "import {} ms, load {} ms, answer {} ms".format(*map(_ms, parts))
    yield "  to compare", f"Python that does nothing {_ms(bare)} ms, that imports numpy {_ms(numpy)} ms"
    yield "cold peak memory", _memory(cold.answer_memory, cold.bare_memory)


def _memory(peak: int, bare: int) -> str:
    over = f", {(peak - bare) / 1e6:.1f} MB over the bare interpreter" if bare else ""
    return f"{peak / 1e6:.1f} MB{over}"


def _ms(nanoseconds: float) -> str:
    value = nanoseconds / 1e6
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.1f}"
