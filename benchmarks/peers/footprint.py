"""What an engine costs besides latency: cold start, memory of one answer, size of the installation.

Cold start is seen from outside: from starting a fresh interpreter to the line that it prints after one
answer to a text, tokenizer included. All programs take turns; files are in the page cache.
"""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from benchmarks.models import ModelSpec, checkpoint_folder
from benchmarks.peers.engines import ENGINES
from linnet.bench.cold import Fresh, run_fresh
from linnet.bench.sample import SHORT_TEXT

__all__ = ["BASELINES", "ColdResult", "cold_starts", "installed_size"]

BASELINES: Mapping[str, str] = {"interpreter": "", "interpreter + numpy": "import numpy\n"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ColdResult:
    """Fresh processes of one program.

    Attributes:
        first_line_ns: from starting the process to its answer, one for each repeat.
        peak_memory: resident bytes, one for each repeat.
    """

    first_line_ns: list[int]
    peak_memory: list[int]


def cold_starts(spec: ModelSpec, files: Mapping[str, Path], threads: int, repeats: int) -> dict[str, ColdResult]:
    """Start every engine of ``files`` (and the bare interpreters) ``repeats`` times, in turns.

    Raises:
        RuntimeError: a program failed; the message has what it said.
    """
    programs: dict[str, tuple[str, list[str]]] = {name: (code, []) for name, code in BASELINES.items()}
    tokenizer = str(checkpoint_folder(spec) / "tokenizer.json")
    for engine, file in files.items():
        code = f"import sys\nTEXT = {SHORT_TEXT!r}\n{ENGINES[engine].cold}"
        programs[engine] = (code, [str(file), str(threads), tokenizer])
    results = {name: ColdResult(first_line_ns=[], peak_memory=[]) for name in programs}
    for turn in range(repeats + 1):
        for name, (code, arguments) in programs.items():
            fresh: Fresh = run_fresh(code, arguments)
            if turn:  # the first turn fills the page cache
                results[name].first_line_ns.append(fresh.first_line_ns)
                results[name].peak_memory.append(fresh.peak_memory)
    return results


def installed_size(distributions: Sequence[str]) -> int:
    """Return the bytes of distributions with all that they require, byte code left out."""
    return sum(_size(name) for name in sorted(_closure(distributions)))


def _closure(names: Sequence[str]) -> set[str]:
    found: set[str] = set()
    waiting = [_canonical(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        if name != "linnet":  # its requirement, numpy, is listed where it is measured
            waiting.extend(_requirements(name))
    return found


def _requirements(name: str) -> Iterator[str]:
    for line in metadata.distribution(name).requires or ():
        requirement = Requirement(line)
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and _is_installed(requirement.name):
            yield _canonical(requirement.name)


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _size(name: str) -> int:
    if name == "linnet":  # perhaps a development checkout, which has no list of files
        return sum(_folder_size(package) for package in ("linnet", "linnet_runtime"))
    files = metadata.distribution(name).files or ()
    paths = (Path(str(file.locate())) for file in files if "__pycache__" not in file.parts)
    return sum(path.stat().st_size for path in paths if path.is_file())


def _folder_size(package: str) -> int:
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(f"found no package {package}; install linnet first")
    files = Path(found.submodule_search_locations[0]).rglob("*")
    return sum(
        file.stat().st_size
        for file in files
        if file.is_file() and not file.is_symlink() and "__pycache__" not in file.parts
    )


def _canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
