"""The environment record, read from made-up systems."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from linnet_bench.machine.environment import cpu_features, cpu_model, peak_memory, read_environment, read_state

PI5_CPUINFO = """\
processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x4
CPU part\t: 0xd0b
CPU revision\t: 1

processor\t: 1
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp
CPU implementer\t: 0x41
CPU part\t: 0xd0b
"""

XEON_CPUINFO = """\
processor\t: 0
model name\t: Intel(R) Xeon(R) Platinum 8488C
cpu MHz\t\t: 2400.000
flags\t\t: fpu sse4_2 avx avx2 fma avx512f avx512_vnni avx_vnni amx_int8 ht

processor\t: 1
model name\t: Intel(R) Xeon(R) Platinum 8488C
cpu MHz\t\t: 3100.500
flags\t\t: fpu sse4_2 avx avx2 fma avx512f avx512_vnni avx_vnni amx_int8 ht
"""


@pytest.fixture
def pi5(tmp_path: Path) -> Path:
    """A file system like that of a Raspberry Pi 5."""
    files = {
        "proc/cpuinfo": PI5_CPUINFO,
        "proc/meminfo": "MemTotal:        8245572 kB\nMemFree: 1 kB\n",
        "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
        "etc/os-release": 'NAME="Debian GNU/Linux"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand\n",
        "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "ondemand\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1500000\n",
        "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "2400000\n",
        "sys/class/thermal/thermal_zone0/temp": "61200\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_raspberry_pi(pi5: Path) -> None:
    found = read_environment({"executorch": "1.5.1", "backends": "XnnpackBackend"}, pi5)
    assert found.cpu == "Cortex-A76"
    assert found.board == "Raspberry Pi 5 Model B Rev 1.0"
    assert found.cpu_features == ("asimd", "asimddp", "asimdhp")
    assert found.governors == ("ondemand",)
    assert found.memory_bytes == 8245572 * 1024
    assert found.os.startswith("Debian GNU/Linux 12 (bookworm), ")
    assert found.versions.executorch == "1.5.1"
    assert found.runtime["backends"] == "XnnpackBackend"


def test_the_state_of_a_raspberry_pi(pi5: Path) -> None:
    state = read_state(pi5)
    assert list(state.frequency_mhz) == [1500, 2400]
    assert state.temperature_c == 61.2


def test_a_system_that_tells_nothing(tmp_path: Path) -> None:
    found, state = read_environment({}, tmp_path), read_state(tmp_path)
    assert found.board is None
    assert found.memory_bytes is None
    assert not any((found.cpu_features, found.governors, state.frequency_mhz))
    assert state.temperature_c is None


def test_frequencies_of_cpuinfo_serve_where_there_is_no_cpufreq(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text(XEON_CPUINFO)
    assert read_state(tmp_path).frequency_mhz == (2400.0, 3100.5)


def test_a_server() -> None:
    assert cpu_model(XEON_CPUINFO) == "Intel(R) Xeon(R) Platinum 8488C"
    assert cpu_features(XEON_CPUINFO) == (
        *("amx_int8", "avx", "avx2", "avx512_vnni", "avx512f", "avx_vnni", "fma", "sse4_2"),
    )


def test_big_and_little_cores_give_what_both_have() -> None:
    cpuinfo = "CPU part : 0xd05\nFeatures : asimd asimddp\n\nCPU part : 0xd0b\nFeatures : asimd asimddp i8mm\n"
    assert cpu_model(cpuinfo) == "Cortex-A55 + Cortex-A76"
    assert cpu_features(cpuinfo) == ("asimd", "asimddp")


def test_an_arm_core_has_its_parts_name_whatever_linux_calls_it() -> None:
    assert cpu_model("model name : ARMv8 Processor rev 3 (v8l)\nCPU part : 0xd08\n") == "Cortex-A72"


def test_an_unknown_arm_core_is_named_by_its_number() -> None:
    assert cpu_model("CPU part : 0xfff\n") == "Arm part 0xfff"


def test_peak_memory_is_the_high_water_mark_of_linux() -> None:
    assert peak_memory("VmPeak:  9 kB\nVmHWM:\t   61234 kB\nVmRSS: 5 kB\n") == 61234 * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_peak_memory_of_this_process_grows_with_what_it_touches() -> None:
    # in a process of its own: what other tests touched counts in this one
    script = (
        "from linnet_bench.machine.environment import peak_memory\n"
        "before = peak_memory()\n"
        "block = bytearray(64 * 1024 * 1024)\n"
        "block[::4096] = b'1' * len(block[::4096])\n"
        "print(peak_memory() - before)\n"
    )
    grown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert int(grown) > 32 * 1024 * 1024
