"""Frequency, throttling and energy, read from made-up systems; figures by hand."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from linnet_bench.machine.emulation import EMULATED_VARIABLE, emulation
from linnet_bench.machine.processor import core_groups, soc_name
from linnet_bench.machine.state import (
    EnergyCounter,
    State,
    busy_note,
    energy_between,
    is_busy,
    read_energy,
    read_state,
    read_state_before,
    throttle_notes,
)


def lay_out(root: Path, files: dict[str, str]) -> Path:
    """Write these files below ``root``."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def tool(root: Path, text: str) -> None:
    """Put a program in the place of ``vcgencmd``."""
    path = root / "usr/bin/vcgencmd"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


# -- throttling ----------------------------------------------------------------------------------------


def test_vcgencmd_of_a_raspberry_pi(tmp_path: Path) -> None:
    # 0x50005 is the example of the Raspberry Pi documentation: under-voltage and throttling, now and before
    tool(tmp_path, 'test "$1" = get_throttled && echo throttled=0x50005')
    state = read_state(tmp_path)
    assert state.throttled_flags == 0x50005
    (note,) = throttle_notes(state, None)
    assert note == (
        "the Raspberry Pi's firmware says: under-voltage now, throttled now, under-voltage has occurred, "
        "throttling has occurred"
    )


def test_the_firmwares_own_file_is_asked_first(tmp_path: Path) -> None:
    tool(tmp_path, "echo throttled=0x1")
    lay_out(tmp_path, {"sys/devices/platform/soc/soc:firmware/get_throttled": "80000\n"})
    assert read_state(tmp_path).throttled_flags == 0x80000


@pytest.mark.parametrize("text", ["exit 1", "echo error=1 no such command", "echo", "sleep 9 & echo VCHI failed"])
def test_a_tool_that_fails_tells_nothing(tmp_path: Path, text: str) -> None:
    tool(tmp_path, text.replace("sleep 9 & ", ""))
    assert read_state(tmp_path).throttled_flags is None


def test_counts_of_x86_are_of_cores_and_the_worst_package(tmp_path: Path) -> None:
    folder = "sys/devices/system/cpu"
    lay_out(
        tmp_path,
        {
            f"{folder}/cpu0/thermal_throttle/core_throttle_count": "3\n",
            f"{folder}/cpu1/thermal_throttle/core_throttle_count": "4\n",
            f"{folder}/cpu0/thermal_throttle/package_throttle_count": "10\n",
            f"{folder}/cpu1/thermal_throttle/package_throttle_count": "10\n",
        },
    )
    assert read_state(tmp_path).throttle_count == 17


def test_a_cooling_device_of_the_cpus_counts_and_a_fan_does_not(tmp_path: Path) -> None:
    lay_out(
        tmp_path,
        {
            "sys/class/thermal/cooling_device0/type": "pwm-fan\n",
            "sys/class/thermal/cooling_device0/cur_state": "4\n",
            "sys/class/thermal/cooling_device1/type": "cpufreq-cpu0\n",
            "sys/class/thermal/cooling_device1/cur_state": "2\n",
        },
    )
    assert read_state(tmp_path).cooling_state == 2


def state(**changes: object) -> State:
    return State(**{"frequency_mhz": (), "load_average": (), "temperature_c": None, **changes})  # type: ignore[arg-type]


def test_notes_about_what_happened_meanwhile() -> None:
    before, after = state(frequency_mhz=(2000.0,), throttle_count=5), state(frequency_mhz=(1500.0,), throttle_count=8)
    assert [*throttle_notes(before, after)] == [
        "cores were throttled 3 times meanwhile",
        "the highest frequency fell from 2000 to 1500 MHz",
    ]
    assert [*throttle_notes(before, before)] == []
    assert [*throttle_notes(state(), state())] == []


# -- energy --------------------------------------------------------------------------------------------

RAPL = {
    "sys/class/powercap/intel-rapl:0/name": "package-0\n",
    "sys/class/powercap/intel-rapl:0/energy_uj": "262000000000\n",
    "sys/class/powercap/intel-rapl:0/max_energy_range_uj": "262143328850\n",
    "sys/class/powercap/intel-rapl:0:0/name": "core\n",
    "sys/class/powercap/intel-rapl:0:0/energy_uj": "1000000\n",
    "sys/class/powercap/intel-rapl:1/name": "psys\n",
    "sys/class/powercap/intel-rapl:1/energy_uj": "5000000\n",
}


def test_packages_of_rapl_and_neither_their_parts_nor_the_platform(tmp_path: Path) -> None:
    (counter,) = read_energy(lay_out(tmp_path, RAPL))
    assert (counter.name, counter.joules, counter.range_joules) == ("package-0", 262000.0, 262143.32885)


def test_a_counter_that_may_not_be_read_is_left_out(tmp_path: Path) -> None:
    files = {name: text for name, text in RAPL.items() if "rapl:0" not in name or "energy_uj" not in name}
    assert [counter.name for counter in read_energy(lay_out(tmp_path, files))] == ["psys"]


def test_hwmon_serves_where_there_is_no_rapl(tmp_path: Path) -> None:
    folder = "sys/class/hwmon/hwmon2"
    files = {"name": "amd_energy\n", "energy1_input": "7500000\n", "energy1_label": "Esocket0\n"}
    files |= {"power1_input": "2500000\n", "power2_input": "500000\n"}
    lay_out(tmp_path, {f"{folder}/{name}": text for name, text in files.items()})
    assert read_energy(tmp_path) == (EnergyCounter(name="amd_energy Esocket0", joules=7.5, range_joules=None),)
    assert read_state(tmp_path).power_w == 3.0


def test_joules_by_hand_also_of_a_counter_that_began_anew() -> None:
    def counter(name: str, joules: float, limit: float | None = None) -> EnergyCounter:
        return EnergyCounter(name=name, joules=joules, range_joules=limit)

    assert energy_between((counter("a", 1.0), counter("b", 10.0)), (counter("a", 3.5), counter("b", 11.0))) == 3.5
    assert energy_between((counter("a", 95.0, 100.0),), (counter("a", 2.0, 100.0),)) == 7.0
    assert energy_between((counter("a", 95.0),), (counter("a", 2.0),)) is None
    assert energy_between((), ()) is None


# -- cores and chip ------------------------------------------------------------------------------------

BIG_LITTLE = "".join(
    f"processor\t: {number}\nCPU implementer\t: 0x41\nCPU part\t: {part}\n\n"
    for number, part in enumerate(["0xd05"] * 4 + ["0xd0b"] * 2)
)


def test_kinds_of_cores_the_fastest_first(tmp_path: Path) -> None:
    cpu = "sys/devices/system/cpu/cpu{}"
    files = {"proc/cpuinfo": BIG_LITTLE}
    for number in range(6):
        files[f"{cpu.format(number)}/cpu_capacity"] = "1024" if number > 3 else "405"
        files[f"{cpu.format(number)}/cpufreq/cpuinfo_max_freq"] = "2208000" if number > 3 else "1800000"
    big, little = core_groups(lay_out(tmp_path, files))
    assert (big.name, big.cpus, big.max_mhz, big.capacity) == ("Cortex-A76", (4, 5), 2208.0, 1024)
    assert (little.name, little.cpus, little.max_mhz, little.capacity) == ("Cortex-A55", (0, 1, 2, 3), 1800.0, 405)


def test_the_chip_of_a_device_tree_and_of_the_soc_bus(tmp_path: Path) -> None:
    pi, phone, server = (tmp_path / name for name in ("pi", "phone", "server"))
    lay_out(pi, {"proc/device-tree/compatible": "raspberrypi,5-model-b\0brcm,bcm2712\0"})
    lay_out(phone, {"sys/devices/soc0/machine": "SM8550\n", "sys/devices/soc0/soc_id": "519\n"})
    assert (soc_name(pi), soc_name(phone), soc_name(server)) == ("bcm2712", "SM8550", None)


# -- emulation -----------------------------------------------------------------------------------------

HOST = "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC\nflags\t: avx2\n"
BOARD = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\n"


@pytest.mark.parametrize(
    ("machine", "files", "reason"),
    [
        # QEMU's user mode before 8.1: cpuinfo is the host's
        ("aarch64", {"proc/cpuinfo": HOST}, "describes a processor of x86, this process is one of aarch64"),
        # later it is made up, and the kernel's own architecture is not
        ("aarch64", {"proc/cpuinfo": BOARD, "proc/sys/kernel/arch": "x86_64\n"}, "the kernel is one of x86_64"),
        ("x86_64", {"proc/cpuinfo": BOARD}, "describes a processor of arm"),
        ("riscv64", {"proc/cpuinfo": HOST}, "describes a processor of x86"),
        ("x86_64", {"proc/cpuinfo": "model name\t: QEMU TCG CPU version 2.5+\n"}, "calls itself QEMU TCG"),
        ("x86_64", {"proc/cpuinfo": HOST, "proc/sys/kernel/arch": "x86_64\n"}, ""),
        ("aarch64", {"proc/cpuinfo": BOARD, "proc/sys/kernel/arch": "aarch64\n"}, ""),
        ("armv7l", {"proc/cpuinfo": BOARD, "proc/sys/kernel/arch": "aarch64\n"}, ""),
        ("i686", {"proc/cpuinfo": HOST, "proc/sys/kernel/arch": "x86_64\n"}, ""),
        ("arm64", {}, ""),
    ],
)
def test_emulation_shows_in_what_does_not_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str, files: dict[str, str], reason: str
) -> None:
    monkeypatch.delenv(EMULATED_VARIABLE, raising=False)
    found = emulation(lay_out(tmp_path, files), machine)
    assert reason in found
    assert bool(reason) == bool(found)


def test_emulation_that_cannot_be_found_out_can_be_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(EMULATED_VARIABLE, "a cycle-accurate model")
    assert emulation(tmp_path, "aarch64") == f"{EMULATED_VARIABLE} says so: a cycle-accurate model"
    monkeypatch.setenv(EMULATED_VARIABLE, "0")
    assert emulation(lay_out(tmp_path, {"proc/cpuinfo": HOST}), "aarch64") == ""


# -- other work ----------------------------------------------------------------------------------------

STAT = """\
cpu  {all} 0 0 0 0 0 0 0 0 0
cpu0 {user} 10 20 {idle} 5 1 2 3 0 0
cpu1 {user} 10 20 {idle} 5 1 2 3 0 0
intr 1 2 3
"""


@pytest.mark.parametrize(("idle", "share"), [(100, 0.5), (0, 1.0)])
def test_the_share_of_busy_cpus_by_hand(
    idle: int, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stat = tmp_path / "proc/stat"
    stat.parent.mkdir()
    stat.write_text(STAT.format(all=7, user=1000, idle=5000))

    def work(_: float) -> None:
        stat.write_text(STAT.format(all=9, user=1100, idle=5000 + idle))

    monkeypatch.setattr("linnet_bench.machine.state.time.sleep", work)
    assert read_state_before(tmp_path, cpus=(1,)).busy_share == share  # 100 of 200 ticks, or of 100


def test_without_proc_stat_the_share_is_unknown_and_the_load_average_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linnet_bench.machine.state.time.sleep", lambda _: None)
    assert read_state_before(tmp_path, cpus=(0,)).busy_share is None
    idle = State(frequency_mhz=(), load_average=(9.0, 9.0, 9.0), temperature_c=None, busy_share=0.1)
    assert not is_busy(idle, 4)
    assert is_busy(dataclasses.replace(idle, busy_share=None), 4)
    busy = dataclasses.replace(idle, load_average=(), busy_share=0.6)
    assert busy_note(busy, 4).startswith("60% of 4 CPUs were in use before the measurement")
