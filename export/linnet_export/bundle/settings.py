"""Settings of a bundle beside its files and its target."""

from __future__ import annotations

import dataclasses
from pathlib import Path

__all__ = ["BundleSettings"]


@dataclasses.dataclass(frozen=True)
class BundleSettings:
    """Settings of a bundle.

    Attributes:
        wheel: a wheel of linnet for the machine that runs the model; None takes the installed linnet.
        architecture: of that machine, ``x86_64`` or ``aarch64``; None takes that of the wheel, or of this machine.
    """

    wheel: Path | None = None
    architecture: str | None = None
