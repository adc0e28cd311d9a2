"""What people see."""

from __future__ import annotations

import dataclasses
import io

from linnet.cli.console import Console
from linnet_bench.record.record import Record
from linnet_bench.record.table import show_record
from tests.support.records import make_record, wrong_record


def shown(record: Record) -> str:
    stream = io.StringIO()
    show_record(record, Console(stream))
    return stream.getvalue()


def row(text: str, *start: str) -> list[str]:
    """Return the cells of the only line that begins with these cells."""
    (found,) = (line.split() for line in text.splitlines() if line.split()[: len(start)] == list(start))
    return found


def test_figures_by_hand() -> None:
    text = shown(make_record())
    # 1 ms for 8 tokens is 8000 tokens/s; 25 ms for 128 is 5120
    assert row(text, "2", "8") == ["2", "8", "1.00", "1.10", "1.10*", "1.00", "0.900", "8000", "3"]
    assert row(text, "2", "128") == ["2", "128", "25.00", "26.00", "26.00*", "25.00", "24.00", "5120", "3"]
    assert row(text, "2", "text")[2:4] == ["(11)", "2.00"]
    assert "*: the largest sample" in text


def test_cold_start_and_memory_by_hand() -> None:
    text = shown(make_record())
    # medians 160 and 101 ms
    assert "160.0 ms from process start to first answer (median of 3; 2 threads, files in the page cache)" in text
    assert "Python that does nothing 21.00 ms, that imports numpy 101.0 ms" in text
    assert "49.0 MB, 40.0 MB over the bare interpreter" in text
    assert "60.0 MB, 51.0 MB over the bare interpreter, after all lengths" in text


def test_where_and_what_is_named() -> None:
    text = shown(make_record())
    for fact in ("Raspberry Pi 5", "Cortex-A76", "asimddp", "ondemand", "XnnpackBackend", "recipe int8", "abababab"):
        assert fact in text
    assert "3 golden cases right before and after the clock ran" in text
    assert "1500-2400 MHz, load 1.50, 79 °C" in text


def test_the_method_that_ran_is_named() -> None:
    record = make_record()
    kernels = record.runs[0].kernels
    assert kernels is not None
    fused = dataclasses.replace(record.runs[0], kernels=dataclasses.replace(kernels, method="forward_fused"))
    unknown = dataclasses.replace(record.runs[0], kernels=None)
    assert "latency of forward, token ids in, numpy out" in shown(record)
    text = shown(dataclasses.replace(record, runs=(fused,)))
    assert "latency of forward_fused, token ids in" in text
    assert "profile of forward_fused, 8 tokens" in text
    assert "p50 of forward_fused: " in text
    assert "latency of forward and forward_fused, token" in shown(
        dataclasses.replace(record, runs=(*record.runs, fused))
    )
    assert "latency of one inference, token ids in" in shown(dataclasses.replace(record, runs=(unknown,)))


def test_a_wrong_answer_shows_no_latency() -> None:
    text = shown(wrong_record())
    assert "WRONG: 1 of 3 golden cases differ" in text
    assert "no latency, because the answers are wrong" in text
    assert " ms" not in text


def test_a_busy_machine_is_named() -> None:
    record = make_record()
    busy = dataclasses.replace(record.runs[0].before, load_average=(2.5, 0.0, 0.0), busy_share=None)
    runs = (dataclasses.replace(record.runs[0], before=busy),)
    assert "load average" not in shown(record)
    assert "the load average was 2.50 on 4 CPUs before the measurement" in shown(dataclasses.replace(record, runs=runs))


def test_a_partial_record_says_so() -> None:
    assert "interrupted" not in shown(make_record())
    assert "interrupted: only what" in shown(dataclasses.replace(make_record(), partial=True))
    lost = dataclasses.replace(make_record(), partial=True, partial_reason="the connection broke off")
    assert "the connection broke off: only what had been finished is shown" in shown(lost)
