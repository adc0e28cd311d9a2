"""A record for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from linnet.bench.environment import State, busy_note
from linnet.bench.profile_table import show_profile
from linnet.bench.record import ColdStart, LengthResult, OutputCheck, Record, ThreadRun
from linnet.bench.statistics import enough_for, median
from linnet.console import Console

__all__ = ["show_record"]

_HEADERS = ("threads", "tokens", "p50 ms", "p90 ms", "p99 ms", "mean ms", "min ms", "tokens/s", "samples")
_NUMBERS = tuple(range(len(_HEADERS)))


def show_record(record: Record, console: Console) -> None:
    """Write the record: what was measured, where, latencies, cold start and memory."""
    console.fields(list(_identity(record)))
    console.heading("latency of forward, token ids in, numpy out")
    rows = [row for run in record.runs for row in _rows(run)]
    if rows:
        console.table(_HEADERS, rows, right=_NUMBERS)
    for note in _notes(record):
        console.line(note)
    for run in record.runs:
        for profile in run.profiles:
            show_profile(profile, run.threads, console)
    console.heading("start and memory")
    console.fields(list(_costs(record)))
    if record.partial:
        console.line()
        console.line("interrupted: only what had been finished is shown")


def _identity(record: Record) -> Iterator[tuple[str, str]]:
    file, machine = record.file, record.environment
    yield "file", f"{file.name}, {file.size / 1e6:.1f} MB, SHA-256 {file.sha256[:16]}…"
    yield "model", f"{file.source or 'unknown'}, {file.model_type}, {file.task}, recipe {file.recipe}"
    yield "machine", ", ".join(filter(None, (machine.board, machine.cpu, machine.architecture, machine.os)))
    features = " ".join(machine.cpu_features) or "no features known"
    yield "cpus", f"{len(machine.affinity)} of {machine.cpus} usable, {features}"
    backends = machine.runtime.get("backends", "no backends")
    yield "kernels", f"ExecuTorch {machine.versions.executorch}, {backends}"
    yield "governor", ", ".join(machine.governors) or "not told by this system"
    versions = machine.versions
    yield "versions", f"linnet {versions.linnet}, {versions.python}, numpy {versions.numpy}"
    for run in record.runs:
        after = f", after: {_state(run.after)}" if run.after else ""
        yield f"state, {run.threads} thr.", f"before: {_state(run.before)}{after}"
    yield "answers", "; ".join(dict.fromkeys(_verdict(run.check) for run in record.runs)) or "not checked"


def _state(state: State) -> str:
    parts = []
    if state.frequency_mhz:
        parts.append(f"{min(state.frequency_mhz):.0f}-{max(state.frequency_mhz):.0f} MHz")
    if state.load_average:
        parts.append(f"load {state.load_average[0]:.2f}")
    if state.temperature_c is not None:
        parts.append(f"{state.temperature_c:.0f} °C")
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


def _row(threads: str, tokens: str, result: LengthResult) -> Sequence[str]:
    figures = result.summary
    p99 = _ms(figures.p99_ns) + ("" if enough_for(99, figures.samples) else "*")
    times = (_ms(figures.p50_ns), _ms(figures.p90_ns), p99, _ms(figures.mean_ns), _ms(figures.min_ns))
    return (threads, tokens, *times, f"{result.tokens_per_second:.0f}", str(figures.samples))


def _notes(record: Record) -> Iterator[str]:
    busy = busy_note(record.runs[0].before, len(record.environment.affinity)) if record.runs else ""
    if busy:
        yield busy
    results = [result for run in record.runs for result in (*run.lengths, run.answer) if result is not None]
    if any(run.answer is not None for run in record.runs):
        yield "text (n): from a text of n tokens to its answer, tokenizer and decoding included"
    if any(not enough_for(99, result.summary.samples) for result in results):
        yield "*: the largest sample; a p99 below it needs more than 100 samples"
    for run in record.runs:
        if run.check.wrong:
            yield f"{run.threads} thread(s): no latency, because the answers are wrong: {run.check.message}"
        elif run.error:
            yield f"{run.threads} thread(s): no latency, because the run failed: {run.error}"


def _costs(record: Record) -> Iterator[tuple[str, str]]:
    cold = record.cold_start
    bare = 0 if cold is None else cold.bare_memory
    for run in record.runs:
        name = f"{run.threads} thread(s)"
        if run.load_ns is not None and run.first_answer_ns is not None:
            then = f"then the first answer {_ms(run.first_answer_ns)} ms"
            yield f"{name}: load", f"{_ms(run.load_ns)} ms, {then}"
        if run.peak_memory is not None:
            yield f"{name}: peak memory", f"{_memory(run.peak_memory, bare)}, after all lengths"
    if cold is not None:
        yield from _cold(cold)


def _cold(cold: ColdStart) -> Iterator[tuple[str, str]]:
    answer, numpy, bare = (median(times) for times in (cold.answer_ns, cold.numpy_ns, cold.bare_ns))
    ratio = f"{answer / numpy:.2f} x interpreter and numpy"
    how = f"median of {len(cold.answer_ns)}; {cold.threads} thread(s), files in the page cache"
    yield "cold start", f"{_ms(answer)} ms from process start to first answer, {ratio} ({how})"
    parts = (median(times) for times in (cold.import_ns, cold.load_ns, cold.first_answer_ns))
    yield "  of which", "import {} ms, load {} ms, answer {} ms".format(*map(_ms, parts))
    yield "  to compare", f"bare interpreter {_ms(bare)} ms, with numpy {_ms(numpy)} ms"
    yield "cold peak memory", _memory(cold.answer_memory, cold.bare_memory)


def _memory(peak: int, bare: int) -> str:
    over = f", {(peak - bare) / 1e6:.1f} MB over the bare interpreter" if bare else ""
    return f"{peak / 1e6:.1f} MB{over}"


def _ms(nanoseconds: float) -> str:
    value = nanoseconds / 1e6
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.1f}"
