"""Loops in assembly output, and what llvm-mca says of them, without either tool."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tools.emulated_aarch64 import UnavailableError

from benchmarks.arm_cost.loops import find_loops, macs_of, widest
from benchmarks.arm_cost.mca import CORES, KERNELS, read_cycles
from benchmarks.arm_cost.report import Target, cosine
from benchmarks.paths import ROOT

ASSEMBLY = """\
	.text
_ZN8multiply_rowsEv:
.LFB1:
	.cfi_startproc
	cbz	x3, .L9
.L2:
	mov	x4, x1
.L3:
	.loc 1 2 3
	ldp	q1, q2, [x2], 32
	sdot	v3.4s, v1.16b, v0.4b[0]
	sdot	v4.4s, v2.16b, v0.4b[1]
	subs	x3, x3, 1
	b.ne	.L3
	str	q3, [x4]
	cbnz	x5, .L2
.L9:
	ret
other:
.L3:
	usmmla	v1.4s, v2.16b, v3.16b
	usmmla	v4.4s, v2.16b, v3.16b
	cmp	x1, x2
	bcs	.L3
	b	.L7
.L7:
	ret
"""


def test_innermost_loops_are_cut_out_by_their_labels() -> None:
    rows, other = find_loops(ASSEMBLY)
    assert (rows.function, other.function) == ("_ZN8multiply_rowsEv", "other")
    assert rows.instructions[0] == "ldp\tq1, q2, [x2], 32"
    assert rows.instructions[-1] == "b.ne\t.L3"
    assert (rows.macs, other.macs) == (32, 64)
    assert rows.kinds == {"load": 1, "multiply": 2, "scalar": 2}
    assert rows.multiplication == "sdot\tv3.4s, v1.16b, v0.4b[0]"


def test_the_loop_of_a_function_is_that_with_most_products() -> None:
    assert widest(find_loops(ASSEMBLY), "multiply_").macs == 32
    with pytest.raises(ValueError, match="found no loop that multiplies in a function named like attention"):
        widest(find_loops(ASSEMBLY), "attention")


@pytest.mark.parametrize(
    ("instruction", "macs"),
    [
        ("smull v1.8h, v2.8b, v3.8b", 8),
        ("smlal2 v1.8h, v2.16b, v3.16b", 8),
        ("sdot v1.4s, v2.16b, v3.4b[2]", 16),
        ("udot v1.2s, v2.8b, v3.8b", 8),
        ("usmmla v1.4s, v2.16b, v3.16b", 32),
        ("sadalp v1.4s, v2.8h", 0),
        ("ldr q1, [x0]", 0),
        ("ret", 0),
    ],
)
def test_multiply_accumulates_of_instructions(instruction: str, macs: int) -> None:
    assert macs_of(instruction) == macs


def said(resources: list[str]) -> str:
    summary = {"Iterations": 200, "TotalCycles": 1300, "Instructions": 1000}
    return json.dumps({"CodeRegions": [{"SummaryView": summary}], "TargetInfo": {"Resources": resources}})


def test_cycles_of_a_pass_are_read() -> None:
    n1 = next(core for core in CORES if core.cpu == "neoverse-n1")
    assert read_cycles("warning: found a return\n" + said(["N1UnitB", "N1UnitV0"]), n1) == 6.5


def test_the_model_of_another_core_is_refused() -> None:
    n1 = next(core for core in CORES if core.cpu == "neoverse-n1")
    with pytest.raises(UnavailableError, match="no model of neoverse-n1, it would take one with A57UnitB"):
        read_cycles(said(["A57UnitB", "A57UnitI"]), n1)
    with pytest.raises(UnavailableError, match="printed something else"):
        read_cycles("error: unknown target", n1)


def test_every_core_has_kernels_that_exist() -> None:
    folder = Path(ROOT, "runtime_bindings", "runtime", "kernels", "processors")
    for core in CORES:
        assert core.kernels in KERNELS
        assert (folder / f"{core.kernels}.cpp").is_file()


def test_targets_have_a_direction() -> None:
    fewer = Target(what="instructions", found=0.8, needed=0.75, at_most=True)
    share = Target(what="share", found=0.8, needed=0.75, at_most=False)
    assert (fewer.met, share.met) == (False, True)
    assert fewer.line() == "NOT MET: instructions 0.80, target <= 0.75"


def test_cosine() -> None:
    assert cosine([3.0, 4.0], [6.0, 8.0]) == pytest.approx(1.0)
    assert cosine([1.0, 0.0], [0.0, 2.0]) == 0.0
