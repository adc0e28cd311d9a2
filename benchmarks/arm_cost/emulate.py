"""Runs an engine on an emulated processor with the counting plugin; tools/emulated_aarch64.py is the machine."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools import emulated_aarch64 as machine
from tools.emulated_aarch64 import BOOKWORM, WITH_PLUGINS, WORK, UnavailableError

from benchmarks.arm_cost.counts import Cost, costs, read_marks
from benchmarks.paths import ROOT
from benchmarks.peers import engines
from benchmarks.peers.models import MINILM, linnet_file, onnx_file

__all__ = ["ENGINES", "PROCESSORS", "Engine", "Outcome", "Processor", "prepare", "run"]

_SITE = WORK / "site-onnxruntime"
_PLUGIN = WORK / "programs" / "count.so"
_SOURCE = Path(__file__).parent / "plugin" / "count.c"
_INSIDE = Path(__file__).with_name("inside.py")
_SECONDS = 3600


@dataclasses.dataclass(frozen=True, kw_only=True)
class Processor:
    """What QEMU is to be.

    Attributes:
        cpu: QEMU's name of it.
        stands_for: boards and instructions.
        part: number in /proc/cpuinfo, which ONNX Runtime and XNNPACK know processors by; Arm's Main ID Register.
        features: names there of what QEMU emulates.
        most: the fast method may execute this share of the instructions of another.
    """

    cpu: str
    stands_for: str
    part: int
    features: str
    most: float


_BASE = "fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"
_NEWER = f"{_BASE} atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp"

PROCESSORS = (
    Processor(cpu="cortex-a53", stands_for="Pi 3: NEON", part=0xD03, features=_BASE, most=0.6),
    Processor(cpu="cortex-a72", stands_for="Pi 4: NEON", part=0xD08, features=_BASE, most=0.6),
    Processor(cpu="cortex-a76", stands_for="Pi 5: dot products", part=0xD0B, features=_NEWER, most=0.75),
    # QEMU's own processor, which says that it is a Neoverse N2 and has vectors of 128 bits in SVE as that has; ONNX
    # Runtime 1.32.0 crashes on a processor that is nobody's
    Processor(
        cpu="max,sme=off,sve-max-vq=1", stands_for="i8mm, SVE", part=0xD49, features=f"{_NEWER} sve i8mm bf16", most=0.6
    ),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Engine:
    """A way of running the checkpoint.

    Attributes:
        title: for people.
        runner: of :func:`benchmarks.peers.engines.open_engine`.
        variant: of ONNX Runtime's file.
        warm: inferences of a length before that which is counted.
    """

    title: str
    runner: str
    variant: str = ""
    warm: int = 1

    @property
    def site(self) -> Path:
        """Packages that the emulated Python finds."""
        return _SITE if self.variant else BOOKWORM.site

    def file(self) -> Path:
        """Return the engine's file of the checkpoint; it is made first if it is missing.

        Raises:
            UnavailableError: a package that makes it is not installed.
        """
        try:
            return onnx_file(MINILM, self.variant) if self.variant else linnet_file(MINILM)
        except ModuleNotFoundError as error:
            raise UnavailableError(str(error)) from error


# ONNX Runtime plans its memory in the first inference of a shape, and allocates by that plan in the second
ENGINES: Mapping[str, Engine] = {
    "fast": Engine(title="linnet, forward_fused", runner="linnet"),
    "forward": Engine(title="linnet, forward", runner="linnet-forward"),
    "ort-plain": Engine(title="ONNX Runtime, as exported", runner="onnxruntime", variant="plain", warm=2),
    "ort-fused": Engine(title="ONNX Runtime, fused", runner="onnxruntime", variant="fused", warm=2),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one engine did on one processor.

    Attributes:
        costs: of one inference of each length.
        answers: embedding of each length.
        info: of linnet's runtime there: processor, features, kernels.
    """

    costs: Sequence[Cost]
    answers: Sequence[Sequence[float]]
    info: Mapping[str, str]


def prepare() -> None:
    """Make the emulated machine, the packages and the plugin; what is there already is kept.

    Raises:
        UnavailableError: this machine cannot.
        BuildFailedError: linnet does not build.
    """
    machine.check_host()
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    if compiler is None:
        raise UnavailableError("a C compiler is needed for the plugin, found none of cc, gcc, clang")
    machine.unpack_emulator(machine.SOUND)  # runs pip, being faster
    machine.unpack_emulator(WITH_PLUGINS)
    machine.unpack_toolchain()
    machine.build_wheels()
    machine.unpack_userland(BOOKWORM)
    machine.install(BOOKWORM)
    _install_onnxruntime()
    _PLUGIN.parent.mkdir(parents=True, exist_ok=True)
    options = ["-std=gnu11", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror"]
    machine.command([compiler, *options, "-o", _PLUGIN, _SOURCE])


def _install_onnxruntime() -> None:
    folders = [machine.download(BOOKWORM, name) for name in ("numpy", "onnxruntime")]
    wheels = [wheel for folder in folders for wheel in folder.glob("*.whl")]
    stamp, wanted = _SITE / ".installed", "\n".join(wheel.name for wheel in wheels)
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    shutil.rmtree(_SITE, ignore_errors=True)
    for wheel in wheels:
        shutil.unpack_archive(wheel, _SITE, "zip")
    stamp.write_text(wanted)


def _root(processor: Processor) -> Path:
    """Make the root folder of a processor: the userland, and the description of a processor that Linux would give.

    QEMU 7.2 shows /proc/cpuinfo of the machine that it runs on, which ONNX Runtime refuses on ARM.
    """
    folder = WORK / "roots" / processor.cpu
    (folder / "proc").mkdir(parents=True, exist_ok=True)
    for entry in BOOKWORM.folder.iterdir():
        link = folder / entry.name
        if not link.is_symlink():
            link.symlink_to(entry)
    lines = {
        "processor": "0",
        "BogoMIPS": "108.00",
        "Features": processor.features,
        "CPU implementer": "0x41",  # Arm
        "CPU architecture": "8",
        "CPU variant": "0x0",
        "CPU part": f"{processor.part:#05x}",
        "CPU revision": "0",
    }
    (folder / "proc" / "cpuinfo").write_text("".join(f"{name}\t: {text}\n" for name, text in lines.items()) + "\n")
    return folder


def token_ids(tokens: int) -> list[int]:
    """Return the ids of a text of so many tokens: words of BERT's vocabulary between [CLS] and [SEP]."""
    return [101, *(2000 + 37 * i % 20_000 for i in range(tokens - 2)), 102]


def run(processor: Processor, engine: Engine, lengths: Sequence[int], *, memory: bool) -> Outcome:
    """Run an engine on a processor, and count; what was counted before of the same files is kept.

    Raises:
        UnavailableError: it ended with an error.
    """
    file = engine.file()
    kept = WORK / "costs" / f"{_key(processor, engine, file, lengths, memory)}.json"
    if not kept.is_file():
        text = _run(processor, engine, file, lengths, memory)
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh = kept.with_suffix(".new")
        fresh.write_text(text)
        fresh.rename(kept)
    found = json.loads(kept.read_text())
    marks = read_marks(found["counts"])
    return Outcome(costs=costs(marks, len(lengths)), answers=found["answers"], info=found["info"])


def _key(processor: Processor, engine: Engine, file: Path, lengths: Sequence[int], memory: bool) -> str:
    # what runs: not the wheel, whose bytes differ from build to build
    libraries = sorted(one for one in engine.site.rglob("*.so*") if "numpy" not in str(one.relative_to(engine.site)))
    parts = [file, _SOURCE, _INSIDE, Path(engines.__file__), *libraries]
    digests = [hashlib.sha256(part.read_bytes()).hexdigest() for part in parts]
    what = (processor.cpu, processor.part, processor.features, engine.runner, engine.warm)
    words = [*what, list(lengths), memory, digests]
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:24]


def _run(processor: Processor, engine: Engine, file: Path, lengths: Sequence[int], memory: bool) -> str:
    with tempfile.TemporaryDirectory(prefix="cost-", dir=WORK) as name:
        job, counts = Path(name, "job.json"), Path(name, "counts.txt")
        ids = [token_ids(length) for length in lengths]
        job.write_text(json.dumps({"runner": engine.runner, "file": str(file), "warm": engine.warm, "ids": ids}))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("LINNET_", "PYTHON"))},
            "PYTHONPATH": f"{ROOT}:{engine.site}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
            "OPENBLAS_NUM_THREADS": "1",
        }
        plugin = f"{_PLUGIN},to={counts}" + (",memory=on" if memory else "")
        done = subprocess.run(
            [*WITH_PLUGINS.words, "-cpu", processor.cpu, "-L", str(_root(processor)), "-plugin", plugin,
             str(BOOKWORM.program), str(_INSIDE), str(job)],
            cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=_SECONDS,
        )  # fmt: skip
        if done.returncode != 0:
            said = (done.stderr + done.stdout).strip()[-800:]
            raise UnavailableError(f"{engine.title} on {processor.cpu} ended with {done.returncode}: {said}")
        return json.dumps({**json.loads(done.stdout), "counts": counts.read_text()})
