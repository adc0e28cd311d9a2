"""ProcessRun processes timed from outside."""

from __future__ import annotations

import pytest

from linnet.errors import RunError
from linnet_bench.measure.cold import BARE, NUMPY, run_fresh


def test_what_happens_before_the_line_counts_and_what_happens_after_does_not() -> None:
    fresh = run_fresh("import time\ntime.sleep(0.3)\nPARTS = 'line'\n")
    assert fresh.first_line == "line"
    assert fresh.first_line_ns > 0.3e9
    exiting_slowly = "import atexit, time\natexit.register(time.sleep, 3)\n"
    assert run_fresh(exiting_slowly).first_line_ns < 3e9


def test_memory_is_the_programs_own() -> None:
    bare, numpy = run_fresh(BARE), run_fresh(NUMPY)
    large = run_fresh("block = b'1' * 100_000_000\n")
    assert 1_000_000 < bare.peak_memory < numpy.peak_memory < large.peak_memory
    assert large.peak_memory - bare.peak_memory > 90_000_000


def test_arguments_reach_the_program() -> None:
    assert run_fresh("import sys\nPARTS = ' '.join(sys.argv[1:])\n", ("a", "b c")).first_line == "a b c"


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(RunError, match="ended with 1: ValueError: too bad"):
        run_fresh("raise ValueError('too bad')\n")


def test_a_program_that_ends_silently_is_an_error() -> None:
    with pytest.raises(RunError, match="ended with 3: it said nothing"):
        run_fresh("import os\nos._exit(3)\n")
