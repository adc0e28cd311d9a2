"""Waiting of PyTorch's threads for each other on a busy machine."""

from __future__ import annotations

import os

__all__ = ["wait_asleep"]


def wait_asleep() -> None:
    """Let the threads of OpenMP sleep while they wait, unless the user chose `OMP_WAIT_POLICY`.

    They spin otherwise, and beside another process on the same processors every small operator waits for the
    scheduler: two exports at once on two cores took 69 s of processor time each instead of 24. OpenMP reads the setting
    when PyTorch is imported, so this comes before; processes that are started later inherit it.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
