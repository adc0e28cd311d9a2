"""Settings of a soak, and the worker's job."""

from __future__ import annotations

import dataclasses

from linnet.errors import InvalidArgumentError

__all__ = ["Settings", "SoakJob"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Requested settings of the soak.

    Attributes:
        requests: number of requests, the first window included.
        windows: parts of equal size; the first is the warm-up.
        clients: threads that send requests.
        sessions: how often the file is open at any time; the clients share them evenly.
        reload_every: a session is closed and loaded again after so many requests of all clients, in the warm-up at
            least a hundred times; 0: never.
        lengths: tokens, before clipping to the file's limit.
        threads: number of threads of ExecuTorch's pool.
        most_growth: bytes that memory may grow by after the warm-up.
        most_drift: largest allowed ratio of the second half's p99 to that of the first half of the windows.
    """

    requests: int
    windows: int
    clients: int
    sessions: int
    reload_every: int
    lengths: tuple[int, ...]
    threads: int
    most_growth: int
    most_drift: float

    def __post_init__(self) -> None:
        least = {"clients": 1, "sessions": 1, "threads": 1, "reload_every": 0, "windows": 3, "most_growth": 0}
        problems = [
            f"{name} is {getattr(self, name)}, expected at least {bound}"
            for name, bound in least.items()
            if getattr(self, name) < bound
        ]
        if self.requests < 10 * self.windows:
            problems.append(f"requests is {self.requests}, expected at least 10 for each of {self.windows} windows")
        if not self.most_drift >= 1:
            problems.append(f"most_drift is {self.most_drift}, expected at least 1")
        if problems:
            raise InvalidArgumentError("; ".join(problems))


@dataclasses.dataclass(frozen=True, kw_only=True)
class SoakJob:
    """Job of the worker.

    Attributes:
        path: path of the file.
        settings: requested settings.
    """

    path: str
    settings: Settings
