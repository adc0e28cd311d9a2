"""The study of whole files' answers over all kernels: it knows every kernel's name."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.studies.same_bits import KERNELS

PROCESSORS = Path(__file__).parents[2] / "runtime_bindings" / "runtime" / "kernels" / "processors"


def test_every_kernel_is_compared() -> None:
    """A name that the runtime does not know is taken for kernels that this processor lacks."""
    sources = "".join(path.read_text(encoding="utf-8") for path in PROCESSORS.glob("*.cpp"))
    assert set(re.findall(r'\btable<[^"()]*>\("(\w+)"\)', sources)) == set(KERNELS)
