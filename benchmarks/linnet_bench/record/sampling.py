"""Number, duration and warm-up of latency samples, with the default numbers in one place."""

from __future__ import annotations

import dataclasses

from linnet.errors import InvalidArgumentError

__all__ = ["SECONDS", "Sampling"]

SECONDS = 1.0
"""Default time for the samples of one length."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sampling:
    """How long and how often one call is timed.

    Attributes:
        seconds: time for the samples; None if ``samples`` is set.
        samples: exact number of samples; None if ``seconds`` is set.
        least_samples, most_samples: limits of the number of samples if ``seconds`` is set.
        warmup_seconds, warmup_runs: both are reached before the first sample.
    """

    # the C runner has the same numbers for those who call it by hand: runtime_bindings/runner/linnet_bench.c
    seconds: float | None = SECONDS
    samples: int | None = None
    least_samples: int = 20
    most_samples: int = 20_000
    warmup_seconds: float = 0.1
    warmup_runs: int = 3

    def __post_init__(self) -> None:
        if (self.seconds is None) == (self.samples is None):
            raise InvalidArgumentError("give either seconds or samples, not both and not neither")
        if self.seconds is not None and not 0 < self.seconds <= 3600:
            raise InvalidArgumentError(f"seconds is {self.seconds}, expected above 0 and at most 3600")
        if self.samples is not None and self.samples < 1:
            raise InvalidArgumentError(f"samples is {self.samples}, expected at least 1")

    def done(self, samples: int, elapsed_ns: int) -> bool:
        """Return whether this number of samples in this time is enough."""
        if self.samples is not None:
            return samples >= self.samples
        assert self.seconds is not None
        enough = samples >= self.least_samples and elapsed_ns >= self.seconds * 1e9
        return samples >= self.most_samples or enough
