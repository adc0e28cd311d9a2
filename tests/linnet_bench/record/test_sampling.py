"""The default numbers of sampling stand in one place; the C runner, which cannot read it, has the same ones."""

from __future__ import annotations

import re
from pathlib import Path

from linnet_bench.record.preset import DEFAULT
from linnet_bench.record.record import Settings
from linnet_bench.record.sampling import Sampling

RUNNER = Path(__file__).resolve().parents[3] / "runtime_bindings" / "runner" / "linnet_bench.c"


def test_the_c_runner_has_the_defaults_of_linnet_bench() -> None:
    found = re.search(r"\.limit = \{([^}]*)\}", RUNNER.read_text(encoding="utf-8"))
    assert found is not None
    numbers = {name: float(value) for name, value in re.findall(r"\.(\w+) = ([\d.]+)", found[1])}
    default = Sampling()
    assert numbers == {
        "seconds": default.seconds,
        "least": default.least_samples,
        "most": default.most_samples,
        "warmup_seconds": default.warmup_seconds,
        "warmup_runs": default.warmup_runs,
    }


def test_a_record_and_the_default_method_have_them_too() -> None:
    settings = Settings(lengths=(8,), threads=(1,), seconds=DEFAULT.seconds, samples=None, cold_repeats=0)
    assert settings.sampling == Sampling()
    assert (DEFAULT.least_samples, DEFAULT.most_samples) == (Sampling.least_samples, Sampling.most_samples)
