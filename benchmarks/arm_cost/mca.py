"""Cycles of a loop by llvm-mca: what a model of a core says, not what a core does.

The models assume that every load hits the first cache and every branch is predicted.
"""

from __future__ import annotations

import dataclasses
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from tools import emulated_aarch64 as machine
from tools.emulated_aarch64 import COMPILERS, WORK, UnavailableError

from benchmarks.arm_cost.loops import Loop, find_loops, macs_of, widest
from benchmarks.paths import ROOT

__all__ = [
    "COMPILERS_OF",
    "CORES",
    "KERNELS",
    "Core",
    "Modelled",
    "cycles",
    "loop_of",
    "model",
    "peak",
    "prepare",
    "read_cycles",
]

_FOLDER = WORK / "llvm"
_BIN = "usr/lib/llvm-22/bin"
_RESOURCES = _FOLDER / "usr/lib/llvm-22/lib/clang/22"
_PACKAGES = ("llvm-22", "clang-22", "libclang-common-22-dev")
_ITERATIONS = 1000
_INDEPENDENT = 24  # instructions that do not wait for each other
_CORE = ROOT / "runtime_bindings" / "runtime"
_OPTIONS = ("-std=c++17", "-O3", "-ffp-contract=off", f"-I{_CORE}", "-S", "-o", "-")
"""Those of the release build (CMake's Release, runtime_bindings/cmake/Warnings.cmake)."""

COMPILERS_OF: Mapping[str, str] = {"g++": "g++ 12, as Linux wheels", "clang": "clang 22, as for phones"}
KERNELS: Mapping[str, str] = {"neon": "neon", "neon_dotprod": "dotprod", "neon_i8mm": "i8mm"}
"""Source below kernels/processors, and the name that linnet_runtime_info() has for it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Core:
    """A core that llvm-mca has a model of.

    Attributes:
        cpu: LLVM's name.
        resources: how the names of the model's resources begin; another core has fallen back to another model.
        kernels: source of the kernels that linnet chooses there.
        note: other cores that it stands for.
    """

    cpu: str
    resources: str
    kernels: str
    note: str = ""


CORES = (
    Core(cpu="cortex-a53", resources="A53", kernels="neon", note="Pi 3"),
    Core(cpu="cortex-a57", resources="A57", kernels="neon", note="A72 of Pi 4, for which LLVM has no model of its own"),
    Core(cpu="cortex-a55", resources="CortexA55", kernels="neon_dotprod"),
    Core(cpu="neoverse-n1", resources="N1", kernels="neon_dotprod", note="A76 of Pi 5, likewise"),
    Core(cpu="cortex-a510", resources="CortexA510", kernels="neon_i8mm"),
    Core(cpu="neoverse-n2", resources="N2", kernels="neon_i8mm", note="A710"),
    Core(cpu="neoverse-v1", resources="V1", kernels="neon_i8mm", note="X1 with i8mm"),
    Core(cpu="neoverse-v2", resources="V2", kernels="neon_i8mm", note="X3"),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Modelled:
    """One loop on one core.

    Attributes:
        core, compiler: which.
        loop: the loop.
        macs_per_cycle: multiply-accumulates a cycle of the loop.
        peak: of a sequence of independent instructions like the loop's multiplication.
        products: of the loop's multiplications and pairwise additions alone.
    """

    core: Core
    compiler: str
    loop: Loop
    macs_per_cycle: float
    peak: float
    products: float

    @property
    def share(self) -> float:
        """Share of the peak."""
        return self.macs_per_cycle / self.peak


def prepare() -> None:
    """Unpack LLVM and the cross compiler.

    Raises:
        UnavailableError: they cannot be had.
    """
    machine.check_host()
    machine.unpack_toolchain()
    keep = (f"{_BIN}/llvm-mca", f"{_BIN}/clang", str(_RESOURCES.relative_to(_FOLDER) / "include" / "*"))
    machine.unpack_programs("bookworm-security", _FOLDER, _PACKAGES, keep)
    machine.command([*_llvm("llvm-mca"), "--version"])


def _llvm(program: str) -> list[str]:
    return machine.with_libraries(_FOLDER, f"{_BIN}/{program}")


def _compiler(name: str) -> list[str]:
    if name == "g++":
        return [str(COMPILERS / "aarch64-linux-gnu-g++-12")]
    root = COMPILERS.parent
    # behind the C++ library's headers, which include the C library's of the same names
    headers = root / "usr" / "aarch64-linux-gnu" / "include"
    return [*_llvm("clang"), "--driver-mode=g++", "--target=aarch64-linux-gnu", "-resource-dir", str(_RESOURCES),
            f"--gcc-toolchain={root / 'usr'}", f"--sysroot={root}", "-idirafter", str(headers)]  # fmt: skip


def loop_of(kernels: str, compiler: str) -> Loop:
    """Return the inner loop of the linear layer that a compiler makes of a source.

    Raises:
        UnavailableError: it does not compile.
    """
    source = _CORE / "kernels" / "processors" / f"{kernels}.cpp"
    assembly = machine.command([*_compiler(compiler), *_OPTIONS, source])
    return widest(find_loops(assembly), "multiply_")


def model(core: Core, compiler: str, loop: Loop) -> Modelled:
    """Ask llvm-mca for a loop on a core.

    Raises:
        UnavailableError: LLVM has no model of the core.
    """
    alone = [line for line in loop.instructions if macs_of(line) or line.split()[0] in {"sadalp", "uadalp"}]
    peak_of_core = peak(core, loop.multiplication)
    return Modelled(
        core=core,
        compiler=compiler,
        loop=loop,
        macs_per_cycle=loop.macs / cycles(core, loop.lines),
        peak=peak_of_core,
        products=loop.macs / cycles(core, alone),
    )


def peak(core: Core, instruction: str) -> float:
    """Return the multiply-accumulates a cycle of a sequence of independent instructions like this one."""
    independent = [re.sub(r"v\d+\.", f"v{number}.", instruction, count=1) for number in range(_INDEPENDENT)]
    # inputs that no instruction of the sequence writes
    inputs = [re.sub(r"(,\s*)v\d+\.", r"\1v31.", line) for line in independent]
    return float(round(sum(map(macs_of, inputs)) / cycles(core, inputs)))  # without the pipeline's filling


def cycles(core: Core, lines: Sequence[str]) -> float:
    """Return the cycles of one pass of a block that is repeated, by llvm-mca.

    Raises:
        UnavailableError: it failed, or took the model of another core.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".s", dir=WORK) as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        said = machine.command(
            [*_llvm("llvm-mca"), "-mtriple=aarch64", f"-mcpu={core.cpu}", "-mattr=+dotprod,+i8mm", "-json",
             f"-iterations={_ITERATIONS}", file.name]
        )  # fmt: skip
    return read_cycles(said, core)


def read_cycles(said: str, core: Core) -> float:
    """Read the cycles of one pass from what ``llvm-mca -json`` printed.

    Raises:
        UnavailableError: it took the model of another core, or printed something else.
    """
    try:
        found: dict[str, Any] = json.loads(said[said.index("{") :])
        (region,) = found["CodeRegions"]
        summary, names = region["SummaryView"], found["TargetInfo"]["Resources"]
        passes, total = int(summary["Iterations"]), int(summary["TotalCycles"])
    except (ValueError, KeyError) as error:
        raise UnavailableError(f"llvm-mca printed something else: {said[:200]}") from error
    if not all(name.startswith(core.resources) for name in names):
        raise UnavailableError(f"this LLVM has no model of {core.cpu}, it would take one with {names[0]}")
    return total / passes
