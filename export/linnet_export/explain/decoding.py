"""Section of `linnet explain` about the speed of a decoder: prefill, first token, and one token at a time."""

from __future__ import annotations

from linnet.cli.console import counted
from linnet_bench.html import Axis, Content, Series, element, line_chart, table
from linnet_bench.html.figures import significant
from linnet_bench.record.decoder_table import speeds
from linnet_bench.record.preset import Point, decode_points, first_token_points, points
from linnet_bench.record.record import Record

__all__ = ["decoding_speed"]


def decoding_speed(record: Record) -> list[Content]:
    """Return the charts and the table of a decoder's record."""
    filled, firsts, going = (read(record.runs) for read in (points, first_token_points, decode_points))
    machine = record.environment
    where = f"Measured on {machine.cpu or machine.architecture}, {counted(machine.cpus, 'CPU')}, {machine.os}."
    charts = [_chart(title, found, where) for title, found in (("Decoding", going), ("Prefill", filled))]
    rows: list[list[Content]] = [
        [str(point.tokens), str(point.threads), significant(speeds(prompt)[0]), _ms(first, 50),
         significant(speeds(point)[0]), _ms(point, 50), _ms(point, 90), str(point.samples)]
        for point, prompt, first in zip(going, filled, firsts, strict=True)
    ]  # fmt: skip
    headers: list[Content] = ["context", "threads", "prefill tokens/s", "first token ms", "decode tokens/s", "p50 ms",
                              "p90 ms", "tokens"]  # fmt: skip
    note = (
        "Every prompt is another one, and is continued greedily. Golden cases were repeated before and after the clock "
        "ran. This is a short measurement; linnet bench takes longer and shows cold start and memory too."
    )
    listed = table(headers, rows, caption="Prompts, and one token at a time behind each", right=range(8))
    return [*charts, listed, element("p", note, class_="note")]


def _chart(title: str, found: list[Point], where: str) -> Content:
    series = [
        Series(
            counted(threads, "thread"),
            [(float(point.tokens), speeds(point)[0]) for point in found if point.threads == threads],
        )
        for threads in sorted({point.threads for point in found})
    ]
    ticks = sorted({point.tokens for point in found})
    x, y = Axis("tokens of the prompt", log=True, ticks=ticks), Axis("tokens/s", better="high")
    return line_chart(f"{title} by context", series, x=x, y=y, listed=False, description=where)


def _ms(point: Point, q: float) -> str:
    return significant(point.middle(q) / 1e6)
