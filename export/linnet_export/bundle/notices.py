"""Licences, attribution and size report of a bundle."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import linnet_runtime
from linnet.cli.console import plain_table
from linnet_export.bundle.content import Content
from linnet_export.bundle.subject import Subject

__all__ = ["HERE", "RUNTIME", "notices", "size_report"]

RUNTIME = Path(linnet_runtime.__file__).parent
HERE = Path(__file__).parent


def notices(subjects: Sequence[Subject]) -> Content:
    """Return LICENSES/: linnet's, ExecuTorch's, and where each model comes from."""
    text = f"""\
{"".join(map(_attribution, subjects))}\
linnet is under Apache-2.0 (linnet.txt), ExecuTorch under a BSD licence (executorch.txt).
Publish these files, and the models' own licences, with your app.
"""
    return {
        "LICENSES/ATTRIBUTION.txt": text.encode(),
        "LICENSES/linnet.txt": _linnet_licence(),
        "LICENSES/executorch.txt": RUNTIME / "lib" / "LICENSE.executorch",
    }


def _attribution(subject: Subject) -> str:
    manifest = subject.manifest
    licence = manifest.license or "not said by the checkpoint: find out before you publish it"
    commit = f", commit {manifest.source_commit}" if manifest.source_commit else ""
    return f"""\
{subject.asset}
  model:    {manifest.source}{commit}
  weights:  SHA-256 {manifest.source_sha256 or "not recorded"}
  licence:  {licence}
  made by:  {manifest.producer}, recipe {manifest.recipe}: changed from the original by quantization
"""


def _linnet_licence() -> bytes:
    files = metadata.files("linnet") or []
    (licence,) = [path for path in files if path.name == "LICENSE" and "dist-info" in str(path)][:1]
    return Path(str(licence.locate())).read_bytes()


def size_report(content: Content) -> bytes:
    """Return SIZE.txt: bytes on disk and compressed as in a package (deflate), largest first."""
    rows = []
    for name, data in content.items():
        stored = data if isinstance(data, bytes) else data.read_bytes()
        rows.append((name, len(stored), len(zlib.compress(stored))))
    rows.sort(key=lambda row: (-row[1], row[0]))
    shown = [(name, f"{size}", f"{packed}") for name, size, packed in rows]
    total = ("total", str(sum(row[1] for row in rows)), str(sum(row[2] for row in rows)))
    return plain_table(("file", "bytes", "compressed"), [*shown, total], right=(1, 2)).encode() + b"\n"
