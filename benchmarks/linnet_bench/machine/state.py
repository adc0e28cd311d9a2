"""Current state of the machine: frequency, load, temperature, throttling, energy.

Everything is read from files of the system below a ``root``, so that a test can provide an artificial machine.
"""

from __future__ import annotations

import dataclasses
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from linnet.cli.console import counted
from linnet_bench.machine.processor import cpuinfo_values
from linnet_bench.machine.system import as_number, distinct, numbers_in, text_of

__all__ = [
    "EnergyCounter",
    "State",
    "busy_note",
    "energy_between",
    "governors",
    "is_busy",
    "load_text",
    "read_energy",
    "read_state",
    "read_state_before",
    "throttle_notes",
]

_BUSY = 0.3
"""Share of the CPUs above which other work disturbs a measurement; an idle system stays well below."""

_SAMPLE_SECONDS = 0.25

_SLOWED = 0.9
"""A frequency below this share of the earlier one causes a note."""

_PI_FLAGS: Mapping[int, str] = {
    0: "under-voltage now",
    1: "frequency capped now",
    2: "throttled now",
    3: "soft temperature limit now",
    16: "under-voltage has occurred",
    17: "frequency capping has occurred",
    18: "throttling has occurred",
    19: "soft temperature limit has occurred",
}
"""Bits of ``vcgencmd get_throttled``; source: Raspberry Pi documentation, os/using-linux/vcgencmd, get_throttled."""

_PI_SYSFS = "sys/devices/platform/soc/soc:firmware/get_throttled"
_PI_TOOLS = ("usr/bin/vcgencmd", "opt/vc/bin/vcgencmd")
_TOOL_SECONDS = 2.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnergyCounter:
    """Energy used since an unspecified moment in the past.

    Attributes:
        name: "package-0", "psys" of RAPL, or chip and label of a hwmon sensor.
        joules: current value of the counter.
        range_joules: value at which the counter wraps to zero; None if unknown.
    """

    name: str
    joules: float
    range_joules: float | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class State:
    """Values that change while a machine works; taken before and after the measurement.

    Attributes:
        frequency_mhz: frequency of each CPU that reports it, in MHz.
        load_average: averages of one, five and fifteen minutes.
        temperature_c: the hottest thermal zone, in degrees Celsius.
        governors: frequency governors in use.
        throttled_flags: bits of ``vcgencmd get_throttled`` of a Raspberry Pi; None elsewhere.
        throttle_count: how often cores and packages were throttled since the start (x86); None if unknown.
        cooling_state: the highest state of the CPUs' cooling devices, 0 being none; None if there is none.
        energy: energy counters that are readable.
        power_w: sum of hwmon's power sensors in watts; None if there is none.
        busy_share: share of the time of the usable CPUs that was in use while linnet did nothing, 0 to 1; None if
            unknown, as in a record before 1.4.
    """

    frequency_mhz: tuple[float, ...]
    load_average: tuple[float, ...]
    temperature_c: float | None
    governors: tuple[str, ...] = ()
    throttled_flags: int | None = None
    throttle_count: int | None = None
    cooling_state: int | None = None
    energy: tuple[EnergyCounter, ...] = ()
    power_w: float | None = None
    busy_share: float | None = None


def read_state_before(root: Path = Path("/"), cpus: Sequence[int] | None = None) -> State:
    """Return the current state with its ``busy_share``, for which this waits a quarter of a second.

    The load average cannot tell other work from a measurement that ended a moment ago.

    Args:
        root: root of the file system to read.
        cpus: usable CPUs; None: those of this process.
    """
    usable = sorted(os.sched_getaffinity(0)) if cpus is None and hasattr(os, "sched_getaffinity") else cpus or ()
    earlier = _cpu_times(text_of(root / "proc/stat"), usable)
    time.sleep(_SAMPLE_SECONDS)
    later = _cpu_times(text_of(root / "proc/stat"), usable)
    return dataclasses.replace(read_state(root), busy_share=_busy_share(earlier, later))


def _cpu_times(stat: str, cpus: Sequence[int]) -> tuple[int, int]:
    """Return the ticks in which CPUs were in use, and all ticks, of ``/proc/stat`` (man 5 proc_stat)."""
    busy = total = 0
    names = {f"cpu{number}" for number in cpus}
    for line in stat.splitlines():
        name, *fields = line.split()[:9] or [""]
        if name in names:  # user nice system idle iowait irq softirq steal
            ticks = [int(field) for field in fields]
            total += sum(ticks)
            busy += sum(ticks) - sum(ticks[3:5])
    return busy, total


def _busy_share(earlier: tuple[int, int], later: tuple[int, int]) -> float | None:
    busy, total = (after - before for before, after in zip(earlier, later, strict=True))
    return min(1.0, max(0.0, busy / total)) if total > 0 else None


def read_state(root: Path = Path("/")) -> State:
    """Return the current state of the system.

    Args:
        root: root of the file system to read.
    """
    kilohertz = numbers_in(_cpufreq(root, "scaling_cur_freq"))
    frequencies = [value / 1000 for value in kilohertz]
    millidegrees = numbers_in(sorted((root / "sys/class/thermal").glob("thermal_zone*/temp")))
    microwatts = numbers_in(sorted((root / "sys/class/hwmon").glob("hwmon*/power*_input")))
    return State(
        frequency_mhz=tuple(frequencies or _frequencies(text_of(root / "proc/cpuinfo"))),
        load_average=os.getloadavg() if hasattr(os, "getloadavg") else (),
        temperature_c=max(millidegrees) / 1000 if millidegrees else None,
        governors=governors(root),
        throttled_flags=_pi_throttled(root),
        throttle_count=_throttle_count(root),
        cooling_state=_cooling_state(root),
        energy=read_energy(root),
        power_w=sum(microwatts) / 1e6 if microwatts else None,
    )


def governors(root: Path = Path("/")) -> tuple[str, ...]:
    """Return the frequency governors in use, each once."""
    return distinct(text_of(path).strip() for path in _cpufreq(root, "scaling_governor"))


def read_energy(root: Path = Path("/")) -> tuple[EnergyCounter, ...]:
    """Return the readable energy counters, without overlapping ones.

    With RAPL (``Documentation/power/powercap/powercap.rst`` of Linux) these are the packages, which include their
    sub-zones; a platform counter (psys), which includes the packages, is used only without them. Without RAPL they are
    the counters of hwmon.

    Args:
        root: root of the file system to read.
    """
    counters = [
        _rapl(zone) for zone in sorted((root / "sys/class/powercap").glob("*rapl:*")) if zone.name.count(":") == 1
    ]
    zones = [counter for counter in counters if counter is not None]
    packages = [counter for counter in zones if counter.name.startswith("package")]
    sensors = sorted((root / "sys/class/hwmon").glob("hwmon*/energy*_input"))
    return tuple(packages or zones or [counter for counter in map(_hwmon, sensors) if counter is not None])


def energy_between(before: tuple[EnergyCounter, ...], after: tuple[EnergyCounter, ...]) -> float | None:
    """Return the joules used between two readings, None without counters.

    A counter that wrapped to zero is assumed to have wrapped once.
    """
    earlier = {counter.name: counter for counter in before}
    used = []
    for counter in after:
        if counter.name in earlier:
            difference = counter.joules - earlier[counter.name].joules
            used.append(difference if difference >= 0 else difference + (counter.range_joules or 0.0))
    return sum(used) if used and min(used) >= 0 else None


def is_busy(state: State, cpus: int) -> bool:
    """Return whether other work was using the machine when ``state`` was taken.

    It goes by ``busy_share``; if that is unknown, by the load average of the last minute.

    Args:
        state: state before the measurement.
        cpus: number of usable CPUs.
    """
    if state.busy_share is not None:
        return state.busy_share > _BUSY
    return bool(state.load_average) and state.load_average[0] > _BUSY * cpus


def load_text(state: State, cpus: int) -> str:
    """Return the load of a busy machine: "60% of 4 CPUs were in use", or the load average."""
    if state.busy_share is not None:
        return f"{state.busy_share:.0%} of {counted(cpus, 'CPU')} were in use"
    return f"the load average was {state.load_average[0]:.2f} on {counted(cpus, 'CPU')}"


def busy_note(state: State, cpus: int) -> str:
    """Return a warning if other work was using the machine when ``state`` was taken, else an empty string.

    Args:
        state: state before the measurement.
        cpus: number of usable CPUs.
    """
    if not is_busy(state, cpus):
        return ""
    doubt = "" if state.busy_share is not None else "if other work was still going on, "
    return f"{load_text(state, cpus)} before the measurement: {doubt}latencies are too high"


def throttle_notes(before: State, after: State | None) -> Iterator[str]:
    """Yield what slowed the machine down between two states, as far as the system reports it."""
    flags = (before.throttled_flags or 0) | (0 if after is None else after.throttled_flags or 0)
    reasons = [text for bit, text in _PI_FLAGS.items() if flags >> bit & 1]
    if reasons:
        yield f"the Raspberry Pi's firmware says: {', '.join(reasons)}"
    if after is None:
        return
    if before.throttle_count is not None and (after.throttle_count or 0) > before.throttle_count:
        yield f"cores were throttled {(after.throttle_count or 0) - before.throttle_count} times meanwhile"
    if after.cooling_state:
        yield f"a cooling device of the CPUs was in state {after.cooling_state}: they may not use their full frequency"
    fast, slow = (max(state.frequency_mhz, default=0.0) for state in (before, after))
    if fast and slow < _SLOWED * fast:
        yield f"the highest frequency fell from {fast:.0f} to {slow:.0f} MHz"


def _pi_throttled(root: Path) -> int | None:
    told = text_of(root / _PI_SYSFS).strip()
    if not told:
        told = next((_ask(root / tool) for tool in _PI_TOOLS if os.access(root / tool, os.X_OK)), "")
    with suppress(ValueError):
        return int(told.rpartition("=")[2], 16)  # "throttled=0x50005" of the tool, "50005" of the file
    return None


def _ask(tool: Path) -> str:
    try:
        done = subprocess.run(
            [tool, "get_throttled"], capture_output=True, text=True, timeout=_TOOL_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _throttle_count(root: Path) -> int | None:
    folder = root / "sys/devices/system/cpu"
    counts = numbers_in(folder.glob("cpu[0-9]*/thermal_throttle/core_throttle_count"))
    packages = numbers_in(folder.glob("cpu[0-9]*/thermal_throttle/package_throttle_count"))
    return int(sum(counts) + max(packages, default=0.0)) if counts or packages else None


def _cooling_state(root: Path) -> int | None:
    devices = (root / "sys/class/thermal").glob("cooling_device*")
    cpus = [device for device in devices if "cpufreq" in text_of(device / "type")]
    states = numbers_in(cpu / "cur_state" for cpu in cpus)
    return int(max(states)) if states else None


def _rapl(zone: Path) -> EnergyCounter | None:
    joules = as_number(text_of(zone / "energy_uj"))
    limit = as_number(text_of(zone / "max_energy_range_uj"))
    if joules is None:  # since 2020 only root may read it (CVE-2020-8694)
        return None
    return EnergyCounter(
        name=text_of(zone / "name").strip() or zone.name,
        joules=joules / 1e6,
        range_joules=None if limit is None else limit / 1e6,
    )


def _hwmon(sensor: Path) -> EnergyCounter | None:
    joules = as_number(text_of(sensor))
    if joules is None:
        return None
    chip = text_of(sensor.with_name("name")).strip() or sensor.parent.name
    label = text_of(sensor.with_name(sensor.name.replace("_input", "_label"))).strip() or sensor.name
    return EnergyCounter(name=f"{chip} {label}", joules=joules / 1e6, range_joules=None)


def _frequencies(cpuinfo: str) -> list[float]:
    return [float(value) for value in cpuinfo_values(cpuinfo, "cpu MHz")]


def _cpufreq(root: Path, name: str) -> list[Path]:
    return sorted((root / "sys/devices/system/cpu").glob(f"cpu[0-9]*/cpufreq/{name}"))
