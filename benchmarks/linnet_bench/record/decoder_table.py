"""Tables of a decoder's record for the terminal: prefill, first token, and decoding behind each context."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from linnet.cli.console import Console, counted
from linnet_bench.record.preset import Point, decode_points, first_token_points, points
from linnet_bench.record.record import Record
from linnet_bench.record.statistics import enough_for

__all__ = ["decoder_notes", "show_decoder", "speeds"]

_PREFILL = ("threads", "prompt", "tokens/s", "slowest", "fastest", "p50 ms", "first token ms", "prompts")
_DECODE = ("threads", "behind", "tokens/s", "p50 ms", "p90 ms", "p99 ms", "max ms", "tokens")


def show_decoder(record: Record, method: str, notes: Sequence[str], console: Console) -> None:
    """Write prefill and decoding; repeats are together. The notes stand before all figures."""
    firsts = {(point.threads, point.tokens): point for point in first_token_points(record.runs)}
    filled, going = points(record.runs), decode_points(record.runs)
    console.heading(f"prefill of {method}, a prompt's ids in, logits of the next token out")
    for note in notes:
        console.line(note)
    if filled:
        rows = [_prefill(point, firsts.get((point.threads, point.tokens))) for point in filled]
        console.table(_PREFILL, rows, right=range(len(_PREFILL)))
    console.heading(f"decoding by {method}, one token at a time behind a prompt")
    if going:
        console.table(_DECODE, [_decode(point) for point in going], right=range(len(_DECODE)))


def speeds(point: Point) -> tuple[float, float, float]:
    """Return tokens per second: of the median, of the slowest and of the fastest sample of all repeats.

    A sample of :func:`~linnet_bench.record.preset.points` has as many tokens as the prompt; for one of
    :func:`~linnet_bench.record.preset.decode_points` each result says 1.
    """
    tokens = point.results[0].tokens * 1e9
    slowest = max(result.summary.max_ns for result in point.results)
    fastest = min(result.summary.min_ns for result in point.results)
    return tokens / point.middle(50), tokens / slowest, tokens / fastest


def _prefill(point: Point, first: Point | None) -> Sequence[str]:
    rates = [f"{rate:.0f}" for rate in speeds(point)]
    times = (_ms(point.middle(50)), "" if first is None else _ms(first.middle(50)))
    return (str(point.threads), str(point.tokens), *rates, *times, str(point.samples))


def _decode(point: Point) -> Sequence[str]:
    p99 = _ms(point.middle(99)) + ("" if enough_for(99, point.samples) else "*")
    most = max(result.summary.max_ns for result in point.results)
    times = (_ms(point.middle(50)), _ms(point.middle(90)), p99, _ms(most))
    return (str(point.threads), str(point.tokens), f"{speeds(point)[0]:.1f}", *times, str(point.samples))


def decoder_notes(record: Record) -> Iterator[str]:
    """Yield what the columns are, and the energy of a token where it was counted."""
    yield (
        "tokens/s: of the median; slowest, fastest: of single prompts; first token: from the ids of the prompt, its "
        "choice included; behind: tokens of the prompt. Every prompt is another one."
    )
    for run in record.runs:
        if run.answer is not None:
            answer = run.answer
            yield (
                f"from a text of {counted(answer.tokens, 'token')} to its first token, tokenizer included, on "
                f"{counted(run.threads, 'thread')}: p50 {_ms(answer.summary.p50_ns)} ms"
            )
    for point in decode_points(record.runs):
        if not enough_for(99, point.samples):
            yield "*: the largest sample; a p99 below it needs more than 100 samples"
            break
    for point in decode_points(record.runs):
        if point.energy_j is not None:
            yield (
                f"energy behind {point.tokens} tokens on {counted(point.threads, 'thread')}: "
                f"{point.energy_j * 1e3:.2f} mJ a token, whatever else ran included"
            )


def _ms(nanoseconds: float) -> str:
    value = nanoseconds / 1e6
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:.1f}"
