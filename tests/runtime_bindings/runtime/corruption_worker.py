"""Opens, runs and verifies damaged copies of a file; a process of its own, because it might die.

    python -m tests.runtime_bindings.runtime.corruption_worker FILE SEED COUNT

prints one JSON line for each case *before* it is tried and one after, so that the parent knows which case
killed the process. Text cases start with "try", results with "got".
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from pathlib import Path

import numpy as np

from linnet.errors import LinnetError
from linnet.format.trailer import Trailer, read_trailer
from linnet_runtime import Model, verify_file


def inputs(model: Model) -> list[np.ndarray]:
    """Return small valid inputs of ``forward``."""
    names = str(model.manifest["inputs"]).split("\n")
    return [np.full((1, 6), 3 if name == "input_ids" else 0, np.int64) for name in names]


def attempt(path: Path) -> dict[str, str]:
    """Return the outcome of opening, running and verifying, as status names."""
    outcome = {"load": "LINNET_OK", "run": "", "verify": "LINNET_OK"}
    try:
        model = Model(str(path))
        outcome["run"] = "LINNET_OK"
        try:
            model.run("forward", inputs(model))
            model.tokenizer.encode("turn up the light")
        except LinnetError as error:
            outcome["run"] = error.status_name
    except LinnetError as error:
        outcome["load"] = error.status_name
    try:
        verify_file(str(path))
    except LinnetError as error:
        outcome["verify"] = error.status_name
    return outcome


class Damage:
    """Damages a copy of a file in place, and repairs it again: large files are not rewritten each time."""

    def __init__(self, source: Path, copy: Path) -> None:
        self.original = source.read_bytes()
        self.copy = copy
        copy.write_bytes(self.original)

    def apply(self, spec: dict[str, object]) -> None:
        with open(self.copy, "r+b") as file:
            if spec["kind"] == "truncate":
                file.truncate(int(str(spec["size"])))
            elif spec["kind"] == "shift":
                self._shift(file, spec)
            for at, value in spec.get("bytes", []):  # type: ignore[attr-defined]
                file.seek(at)
                file.write(bytes([value]))

    def _shift(self, file: object, spec: dict[str, object]) -> None:
        at, by = int(str(spec["at"])), int(str(spec["by"]))
        tail = self.original[at - by :] if by < 0 else bytes(by) + self.original[at:]
        file.seek(at)  # type: ignore[attr-defined]
        file.write(tail)  # type: ignore[attr-defined]
        file.truncate(len(self.original) + by)  # type: ignore[attr-defined]

    def repair(self, spec: dict[str, object]) -> None:
        start = int(str(spec.get("at", spec.get("size", len(self.original)))))
        with open(self.copy, "r+b") as file:
            file.seek(start)
            file.write(self.original[start:])
            file.truncate(len(self.original))
            for at, _ in spec.get("bytes", []):  # type: ignore[attr-defined]
                file.seek(at)
                file.write(self.original[at : at + 1])


def choose(rng: random.Random, data: bytes, trailer: Trailer) -> dict[str, object]:
    """Return one random damage; half of the flips hit what is parsed, however small it is."""
    kind = rng.choices(("flip", "flips", "truncate", "shift"), (5, 3, 2, 1))[0]
    if kind == "truncate":
        return {"kind": kind, "size": rng.randrange(len(data))}
    if kind == "shift":
        at = rng.randrange(16, len(data) - 16)
        return {"kind": kind, "at": at, "by": rng.choice((-8, -3, -1, 1, 2, 8))}
    count = 1 if kind == "flip" else rng.randrange(2, 30)
    ranges = [*trailer.ranges, (trailer.program_size, len(data) - trailer.program_size)]
    places = []
    for _ in range(count):
        offset, size = rng.choice(ranges) if rng.random() < 0.5 else (0, len(data))
        at = offset + rng.randrange(size)
        places.append((at, data[at] ^ rng.randrange(1, 256)))
    return {"kind": kind, "bytes": list(dict(places).items())}


def main(source: Path, seed: int, count: int) -> None:
    """Try ``count`` random damages."""
    rng, trailer = random.Random(seed), read_trailer(source)
    Model(str(source))  # fixes the thread count, so that no later error is about that
    shared = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=shared) as folder:
        damage = Damage(source, Path(folder, "damaged.pte"))
        for _ in range(count):
            spec = choose(rng, damage.original, trailer)
            print("try", json.dumps(spec), flush=True)
            damage.apply(spec)
            print("got", json.dumps(attempt(damage.copy)), flush=True)
            damage.repair(spec)
    assert damage.original == source.read_bytes()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
