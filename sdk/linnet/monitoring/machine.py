"""State of the machine as gauges: memory of the process, temperature and throttling of the processor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from linnet.monitoring.metrics import Metrics

__all__ = ["collect_machine"]

_SYS = Path("/sys")
_STATUS = Path("/proc/self/status")
_PI_THROTTLED = "devices/platform/soc/soc:firmware/get_throttled"
_NOW = 0b1111  # low bits: under-voltage, frequency capped, throttled, soft temperature limit


def collect_machine(metrics: Metrics, sys: Path = _SYS, status: Path = _STATUS) -> None:
    """Set the gauges of memory, temperature and throttling; what this machine does not tell stays unset.

    For :meth:`Metrics.add_collector`. Sources: proc(5), ``VmRSS`` and ``VmHWM`` in KiB; the kernel's
    ``thermal_zone*/temp`` in thousandths of a degree, and ``thermal_throttle/core_throttle_count``; on a Raspberry Pi
    ``get_throttled``, whose low four bits say what holds now.
    """
    for line in _lines(status):
        name, _, rest = line.partition(":")
        kind = {"VmRSS": "resident", "VmHWM": "peak"}.get(name)
        if kind:
            metrics.set("memory", int(rest.split()[0]) * 1024, memory=kind)
    temperatures = [value / 1000 for value in _numbers(sys, "class/thermal/thermal_zone*/temp") if value > 0]
    if temperatures:
        metrics.set("temperature", max(temperatures))
    throttles = list(_numbers(sys, "devices/system/cpu/cpu*/thermal_throttle/core_throttle_count"))
    if throttles:
        metrics.set("throttles", sum(throttles))
    for bits in _numbers(sys, _PI_THROTTLED, base=16):
        metrics.set("throttled", int(bool(bits & _NOW)))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []


def _numbers(sys: Path, pattern: str, base: int = 10) -> Iterator[int]:
    for path in sys.glob(pattern):
        for line in _lines(path)[:1]:
            try:
                yield int(line, base)
            except ValueError:
                continue
