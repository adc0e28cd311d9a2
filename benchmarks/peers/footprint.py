"""Footprint of an engine: cold start, memory of one answer, size of the installation.

Cold start is timed from outside: from starting a fresh interpreter to the line that it prints after one
answer to a text, tokenizer included (OpenVINO is given token ids and a cache of compiled models). All
programs take turns; files are in the page cache.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.paths import ROOT
from benchmarks.peers.catalogue import ENGINES
from benchmarks.peers.environments import OWN, interpreter
from benchmarks.peers.models import ModelSpec, checkpoint_folder
from linnet_bench.measure.cold import ProcessRun, run_fresh
from linnet_bench.measure.sample import SHORT_TEXT

__all__ = ["BASELINES", "ColdResult", "cold_starts", "installed_sizes"]

BASELINES: Mapping[str, str] = {"interpreter": "", "interpreter + numpy": "import numpy\n"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ColdResult:
    """Measurements of fresh processes of one program.

    Attributes:
        first_line_ns: time from process start to its answer, one for each repeat.
        peak_memory: peak resident bytes, one for each repeat.
    """

    first_line_ns: list[int]
    peak_memory: list[int]


def cold_starts(spec: ModelSpec, files: Mapping[str, Path], threads: int, repeats: int) -> dict[str, ColdResult]:
    """Start every engine of ``files`` (and the bare interpreters) ``repeats`` times, in turns.

    Raises:
        RuntimeError: a program failed; the message has its output.
    """
    programs: dict[str, tuple[str, list[str], str]] = {
        name: (code, [], interpreter(OWN)) for name, code in BASELINES.items()
    }
    for engine, file in files.items():
        info = ENGINES[engine]
        if info.cold:
            code = f"import sys\nTEXT = {SHORT_TEXT!r}\n{info.cold}"
            tokens = _tokens(spec) if info.environment != OWN else str(checkpoint_folder(spec) / "tokenizer.json")
            programs[engine] = (code, [str(file), str(threads), tokens], interpreter(info.environment))
    results = {name: ColdResult(first_line_ns=[], peak_memory=[]) for name in programs}
    for turn in range(repeats + 1):
        for name, (code, arguments, python) in programs.items():
            fresh: ProcessRun = run_fresh(code, arguments, python=python)
            if turn:  # the first turn fills the page cache and is not counted
                results[name].first_line_ns.append(fresh.first_line_ns)
                results[name].peak_memory.append(fresh.peak_memory)
    return results


def _tokens(spec: ModelSpec) -> str:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(checkpoint_folder(spec) / "tokenizer.json"))
    tokenizer.no_padding()
    return json.dumps(tokenizer.encode(SHORT_TEXT).ids)


def installed_sizes(engines: Iterable[str]) -> dict[str, int]:
    """Return the bytes that each engine takes on disk, measured where it is installed.

    Raises:
        RuntimeError: it could not be measured; the message has the end of the output.
    """
    sizes: dict[str, int] = {}
    for engine in engines:
        info = ENGINES[engine]
        command = [interpreter(info.environment), "-m", "benchmarks.peers.installed", *info.distributions]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"the size of {engine} could not be measured:\n{done.stderr[-1500:]}")
        sizes[engine] = int(done.stdout)
    return sizes
