"""Command ``linnet doctor``: capabilities of this build and this machine, with warnings."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping
from typing import Any

from linnet.cli.console import Console
from linnet.errors import BuildError
from linnet.format.manifest import SCHEMA_MAJOR, SCHEMA_MINOR
from linnet.runtime import runtime_info
from linnet.version import DISTRIBUTION, UNKNOWN, install_line, version

__all__ = ["add_arguments", "run", "tokenizers_for", "warnings_for"]

_EPILOG = """\
Exit status 4 if the compiled runtime is missing.

examples:
  linnet doctor
  linnet doctor --json
"""

# With any of these, XNNPACK multiplies int8 faster than float; without them (Cortex-A53, A72) measure both.
# The names are those of runtime_bindings/runtime/program/cpu.cpp.
_INT8_FEATURES = frozenset({"avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx", "dotprod", "i8mm"})
_PACKAGES = ("numpy", "rich", "tokenizers", "executorch", "torch", "transformers")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EPILOG
    parser.add_argument("--json", action="store_true", help="print everything as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Run the command and return the exit status.

    Raises:
        BuildError: the compiled runtime is missing.
    """
    missing: BuildError | None = None
    try:
        runtime = runtime_info()
    except BuildError as error:
        runtime, missing = {}, error
    facts = _facts(runtime)
    if args.json:
        print(json.dumps(facts, ensure_ascii=False, indent=2))
    else:
        _show(Console(), facts)
    if missing is not None:
        raise missing
    return 0


def _facts(runtime: Mapping[str, str]) -> dict[str, Any]:
    packages = {name: _installed(name) for name in _PACKAGES}
    return {
        "linnet": version(),
        "schema": f"{SCHEMA_MAJOR}.{SCHEMA_MINOR}",
        "runtime": dict(runtime),
        "machine": {
            "system": f"{platform.system()} {platform.release()}",
            "architecture": platform.machine(),
            "cpus": os.cpu_count(),
            "python": f"{platform.python_implementation()} {platform.python_version()}",
            "executable": sys.executable,
        },
        "packages": packages,
        "tokenizers": tokenizers_for(packages),
        "warnings": warnings_for(runtime, packages),
    }


def tokenizers_for(packages: Mapping[str, str | None]) -> dict[str, str]:
    """Return what reads each kind of tokenizer on this machine; `linnet inspect` shows the kind of a file."""
    installed = packages.get("tokenizers")
    missing = f"missing (tokenizers that are not built in need it): {install_line('tokenizers')}"
    return {
        "wordpiece": "built in",
        "tables": "built in",
        "tokenizers": f"tokenizers {installed}" if installed else missing,
    }


def warnings_for(runtime: Mapping[str, str], packages: Mapping[str, str | None]) -> list[str]:
    """Return warnings about this build and this machine, as sentences."""
    if not runtime:
        return ["the compiled runtime is missing: no file can run here"]
    sentences: list[str] = []
    features = set(filter(None, runtime.get("cpu_features", "").split(",")))
    if "XnnpackBackend" not in runtime.get("backends", "").split(","):
        sentences.append("this build has no XNNPACK backend: exported files cannot run")
    if features and not features & _INT8_FEATURES:
        sentences.append(
            "this CPU has no dot-product instructions: int8 can be slower than fp32, measure both with `linnet bench`"
        )
    if any(feature.startswith("sme") for feature in features):
        sentences.append(
            "this CPU has SME: some ExecuTorch kernels answered wrongly under emulation of it, "
            "run `linnet verify` on each file"
        )
    built, installed = runtime.get("executorch"), packages.get("executorch")
    if built and installed and installed.split("+")[0] != built:
        sentences.append(f"executorch {installed} is installed beside, this build carries {built}")
    own = version()
    if own not in (UNKNOWN, runtime.get("version")):
        sentences.append(f"linnet {own} is installed with a runtime of version {runtime.get('version')}: reinstall it")
    return sentences


def _installed(name: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _show(console: Console, facts: Mapping[str, Any]) -> None:
    console.fields([(DISTRIBUTION, str(facts["linnet"])), ("reads schema", str(facts["schema"]))])
    for name in ("runtime", "machine", "packages", "tokenizers"):
        console.heading(name)
        console.fields([(key, _cell(name, key, value)) for key, value in facts[name].items()])
    console.heading("warnings")
    for warning in facts["warnings"] or ["none"]:
        console.line(warning)


def _cell(heading: str, key: str, value: object) -> str:
    if (heading, key, value) == ("runtime", "threads", "0"):
        return "not fixed yet: the first model of a process does it"
    return "-" if value is None else str(value)
