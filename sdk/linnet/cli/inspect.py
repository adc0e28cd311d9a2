"""Command ``linnet inspect``: manifest, trailer and evidence of a file as text or JSON, without running it."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from linnet.cli.console import Console, counted, shorten
from linnet.cli.entities import entity_fields
from linnet.cli.exit_status import exit_status
from linnet.errors import FileError, FileMissingError, LinnetError
from linnet.format.evidence import Evidence
from linnet.format.manifest import Manifest
from linnet.format.trailer import Trailer, read_trailer
from linnet.loading import load

__all__ = ["add_arguments", "run"]

_EPILOG = """\
A file that linnet refuses is shown as far as it can be read, with the reason;
the exit status is then 3 (the file) or 4 (this build).

examples:
  linnet inspect intents.pte
  linnet inspect intents.pte --json | python -m json.tool
"""

_SHOWN_ITEMS = 8  # items of a list that the text output shows
_SHOWN_RANGES = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = _EPILOG
    parser.add_argument("file", metavar="FILE", help="a linnet file (.pte)")
    parser.add_argument("--json", action="store_true", help="print everything as one JSON object")


@dataclasses.dataclass(frozen=True)
class _Findings:
    """Readable parts of a file, and the error if it cannot be used."""

    path: str
    size: int | None
    manifest: Manifest | None
    methods: tuple[str, ...]
    evidence: Mapping[str, Any] | None
    trailer: Trailer | None
    error: LinnetError | None


def run(args: argparse.Namespace) -> int:
    """Show the file; return 0 if it can be used on this machine, else the exit status of its error."""
    findings = _read(args.file)
    if args.json:
        print(json.dumps(_as_json(findings), ensure_ascii=False, indent=2))
    else:
        _show(Console(), findings)
    if findings.error is None:
        return 0
    if not args.json:
        print(f"linnet: error: {' '.join(str(findings.error).split())}", file=sys.stderr)
    return exit_status(findings.error)


def _read(path: str) -> _Findings:
    error: LinnetError | None = None
    manifest: Manifest | None = None
    methods: tuple[str, ...] = ()
    evidence: Mapping[str, Any] | None = None
    try:
        with load(path, self_test=False) as model:
            manifest, evidence = model.manifest, model.raw_evidence
            methods = model.methods
    except LinnetError as refused:
        error = refused
    trailer = None
    try:
        trailer = read_trailer(path)
    except FileNotFoundError as missing:
        error = error or FileMissingError(f"{path}: {missing.strerror}")
    except (FileError, OSError) as refused:
        # the error of the runtime has priority; this reader only adds what is readable
        error = error or (refused if isinstance(refused, FileError) else FileError(str(refused)))
    if evidence is None and trailer is not None and isinstance(trailer.evidence, Mapping):
        evidence = trailer.evidence
    size = Path(path).stat().st_size if Path(path).is_file() else None
    return _Findings(path, size, manifest, methods, evidence, trailer, error)


# -- JSON output -----------------------------------------------------------------------------------


def _as_json(findings: _Findings) -> dict[str, Any]:
    error = findings.error
    return {
        "file": findings.path,
        "size": findings.size,
        "verdict": "usable" if error is None else "refused",
        "error": None if error is None else {
            "name": error.status_name or type(error).__name__,
            "status": error.status,
            "message": str(error),
        },
        "manifest": None if findings.manifest is None else _manifest_json(findings.manifest),
        "methods": list(findings.methods),
        "trailer": None if findings.trailer is None else _trailer_json(findings.trailer),
        "evidence": findings.evidence,
    }  # fmt: skip


def _manifest_json(manifest: Manifest) -> dict[str, Any]:
    """Return the fields of a manifest by name, with the size of the tokenizer instead of its bytes."""
    fields = {field.name: getattr(manifest, field.name) for field in manifest.stored_fields()}
    return {
        name: {"bytes": len(value)} if isinstance(value, bytes) else list(value) if isinstance(value, tuple) else value
        for name, value in fields.items()
    }


def _trailer_json(trailer: Trailer) -> dict[str, Any]:
    return {
        "version": ".".join(map(str, trailer.version)),
        "program_size": trailer.program_size,
        "ranges": [[offset, size] for offset, size in trailer.ranges],
        "ranges_sha256": trailer.ranges_sha256.hex(),
        "file_sha256": trailer.file_sha256.hex(),
    }


# -- text output -----------------------------------------------------------------------------------


def _show(console: Console, findings: _Findings) -> None:
    size = "" if findings.size is None else f", {findings.size / 1e6:.2f} MB"
    console.line(f"{findings.path}{size}")
    console.line(f"verdict: {_verdict(findings)}")
    if findings.manifest is not None:
        console.heading("manifest")
        manifest = findings.manifest
        rows = [(field.name, _cell(getattr(manifest, field.name))) for field in manifest.stored_fields()]
        console.fields([*rows, ("methods", ", ".join(findings.methods))])
    if findings.trailer is not None:
        console.heading("trailer")
        console.fields([*_trailer_rows(findings.trailer)])
    if findings.evidence is not None:
        console.heading("evidence")
        console.fields(_evidence_rows(findings.evidence))


def _trailer_rows(trailer: Trailer) -> Iterator[tuple[str, str]]:
    for name, value in _trailer_json(trailer).items():
        if name == "ranges" and len(value) > _SHOWN_RANGES:
            yield name, f"{value[0]} … {value[-1]}, {len(value)} ranges"
        else:
            yield name, str(value)


def _verdict(findings: _Findings) -> str:
    if findings.error is not None:
        return f"refused ({findings.error.status_name or type(findings.error).__name__})"
    evidence = Evidence.from_json(findings.evidence or {})
    return f"usable, {evidence.status}" + (f" ({evidence.reason})" if evidence.reason else "")


def _cell(value: object) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, tuple):
        more = f", ... ({len(value)} in all)" if len(value) > _SHOWN_ITEMS else ""
        return ", ".join(map(str, value[:_SHOWN_ITEMS])) + more or "-"
    return str(value) if value != "" else "-"


def _evidence_rows(evidence: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in evidence.items():
        if name == "golden":
            rows.append((name, counted(len(value), "case") if isinstance(value, list) else repr(value)))
        elif name == "entities" and isinstance(value, Mapping):
            entities = Evidence.from_json({"entities": value}).entities
            rows += [(name, _plain(value))] if entities is None else entity_fields(entities)
        elif isinstance(value, Mapping):
            rows += [(f"{name}.{key}", shorten(_plain(item), 100)) for key, item in value.items()]
        else:
            rows.append((name, shorten(_plain(value), 100) or "-"))
    return rows


def _plain(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
