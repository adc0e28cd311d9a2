"""The plugin's lines: the cost of one inference is what one takes more than none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.arm_cost import inside
from benchmarks.arm_cost.counts import Cost, Memory, costs, read_marks
from benchmarks.paths import ROOT

LINES = """\
mark 0 instructions=1000 dot=0 memory=400
mark 1 instructions=1010 dot=0 memory=404
mark 2 instructions=6020 dot=3000 memory=1408
mark 3 instructions=9000 dot=3000 memory=2000
mark 4 instructions=9010 dot=3000 memory=2004
mark 5 instructions=30020 dot=15000 memory=5008
"""


def test_the_loop_and_the_marks_are_taken_off() -> None:
    found = costs(read_marks(LINES), 2)
    assert found == [
        Cost(instructions=5000, kinds={"dot": 3000, "memory": 1000}),
        Cost(instructions=21_000, kinds={"dot": 12_000, "memory": 3000}),
    ]


def test_lines_are_those_of_the_one_inference_and_counted_in_bytes() -> None:
    tail = "lines_only_read={} lines_read_first={} lines_written_first={}"
    text = "\n".join(
        f"mark {number} instructions={count} bytes_loaded={8 * count} bytes_stored={count} {tail.format(*lines)}"
        for number, (count, lines) in enumerate(((100, (9, 9, 9)), (100, (1, 0, 0)), (150, (50, 2, 7))))
    )
    (found,) = costs(read_marks(text), 1)
    assert found.memory == Memory(loaded=400, stored=50, only_read=3200, read_first=128, written_first=448)


@pytest.mark.parametrize("text", ["marks 0 instructions=1", "mark 0 instructions=1\nmark 0 instructions=2", "mark x"])
def test_what_is_no_line_of_the_plugin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="line of the plugin|invalid literal"):
        read_marks(text)


def test_a_missing_mark_is_refused() -> None:
    with pytest.raises(ValueError, match="5 marks of 2 lengths"):
        costs(read_marks(LINES.rsplit("mark 5", 1)[0]), 2)


def test_the_plugin_and_the_engine_agree_on_the_marks() -> None:
    source = Path(ROOT, "benchmarks", "arm_cost", "plugin", "count.c").read_text(encoding="utf-8")
    found = re.search(r"#define MARK (0x[0-9a-f]+)U", source)
    assert found is not None
    assert int(found[1], 16) == inside.MARK
