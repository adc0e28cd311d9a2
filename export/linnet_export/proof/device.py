"""Device side of a proof: inference in a fresh process that does not import PyTorch."""

from __future__ import annotations

import dataclasses
import errno
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from linnet.atomic_file import named_full_disk
from linnet.format.evidence import Evidence, GoldenCase
from linnet.replay import FOREIGN, FULL_DISK, Replayed, read_outputs
from linnet_export.errors import ProofError
from linnet_export.proof.texts import ProofText

__all__ = ["FORWARD", "FUSED", "SEVEN_BITS", "DeviceRun", "Method", "run_on_device"]

_SECONDS = 1800  # timeout of the process


@dataclasses.dataclass(frozen=True)
class Method:
    """A method of the file, and how its custom kernels round.

    Attributes:
        name: what progress and errors call it.
        arguments: options of ``python -m linnet.replay`` that choose it.
    """

    name: str
    arguments: tuple[str, ...]


FORWARD = Method("forward", ("--no-fused",))
FUSED = Method("forward_fused", ("--fused", "--activation-bits", "8"))
SEVEN_BITS = Method("forward_fused with 7-bit activations", ("--fused", "--activation-bits", "7"))


@dataclasses.dataclass(frozen=True)
class DeviceRun:
    """Results of the fresh process.

    Attributes:
        answers: token ids and outputs of each text.
        golden: golden cases for `linnet verify`.
    """

    answers: list[Replayed]
    golden: tuple[GoldenCase, ...]


def run_on_device(path: Path, texts: Sequence[ProofText], directory: Path, method: Method) -> DeviceRun:
    """Run texts through a file in a fresh process.

    Args:
        path: the file.
        texts: texts to run.
        directory: folder for the intermediate files.
        method: what runs, even if another method is faster on this machine.

    Raises:
        NoSpaceError: there is no room for the intermediate files.
        ProofError: the process failed, or it imported a package of :data:`linnet.replay.FOREIGN`.
    """
    inputs, outputs, golden = directory / "texts.jsonl", directory / "outputs.npz", directory / "golden.json"
    rows = [json.dumps(dataclasses.asdict(text), ensure_ascii=False) for text in texts]
    content = ("\n".join(rows) + "\n").encode()
    options = {"--model": path.resolve(), "--texts": inputs, "--output": outputs, "--golden": golden}
    command = [
        sys.executable,
        "-m",
        "linnet.replay",
        *(str(part) for pair in options.items() for part in pair),
        *method.arguments,
    ]
    with named_full_disk(directory, len(content)):
        inputs.write_bytes(content)
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise ProofError(f"the torch-free process did not end within {_SECONDS} s") from error
        _check(result)
    recorded = Evidence.from_json({"golden": json.loads(golden.read_text(encoding="utf-8"))})
    recorded.require("golden")
    return DeviceRun(read_outputs(outputs), recorded.golden)


def _check(result: subprocess.CompletedProcess[str]) -> None:
    if result.returncode < 0:
        raise ProofError(f"the torch-free process was killed by signal {-result.returncode}")
    if result.returncode == FULL_DISK:
        raise OSError(errno.ENOSPC, result.stderr.strip())
    if result.returncode:
        raise ProofError(f"the torch-free process failed: {result.stderr.strip()[-2000:]}")
    last = json.loads(result.stdout.strip().splitlines()[-1])
    if last.get("foreign"):
        raise ProofError(
            f"{', '.join(last['foreign'])} got into the process; expected one without {', '.join(FOREIGN)}"
        )
