"""Memory of a process, as Linux counts it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["process_bytes"]


def process_bytes(process: int | str, field: str) -> int:
    """Return a field of proc(5)'s status in bytes; 0 where there is none, or the process has ended.

    Args:
        process: id of the process, or "self".
        field: "VmRSS" (resident) or "VmData" (data, which RLIMIT_DATA bounds).
    """
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(f"{field}:")), 0)
