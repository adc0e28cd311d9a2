"""Remote jobs: files, the function that processes them on a device, and its payload."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from linnet.runtime import open_runtime
from linnet_bench.measure.files import file_sha256
from linnet_bench.remote.wheels import find_wheels

__all__ = ["Deployment", "RemoteJob", "deployment_for", "hashed"]

_WHEELS = Path("dist")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Deployment:
    """What may be installed on a device, and whether it is removed afterwards.

    Attributes:
        wheels: wheels that may be installed on a device.
        wheel_places: where they were looked for, for messages.
        runner: folder or file of the C runner for phones; None: look in ``dist/``.
        tokenizers: a file's tokenizer needs the package ``tokenizers``.
        clean: remove everything from the device afterwards.
    """

    wheels: tuple[Path, ...] = ()
    wheel_places: tuple[str, ...] = ()
    runner: Path | None = None
    tokenizers: bool = False
    clean: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class RemoteJob:
    """A job for every device.

    Attributes:
        files: each with the SHA-256 of its bytes, hexadecimal.
        entry_point: ``module:function`` of linnet_bench, called on the device with the files
            (:class:`linnet_bench.remote.agent.StoredFile`), the payload as plain data, and a callback for events.
        payload: a dataclass with the arguments of the entry point.
        deployment: what may be installed there.
    """

    files: tuple[tuple[Path, str], ...]
    entry_point: str
    payload: Any
    deployment: Deployment = Deployment()

    def to_data(self) -> dict[str, Any]:
        """Return the data for :func:`linnet_bench.remote.agent.run_job` on the device."""
        return {
            "entry_point": self.entry_point,
            "payload": dataclasses.asdict(self.payload),
            "names": [path.name for path, _ in self.files],
        }


def hashed(paths: Sequence[Path]) -> tuple[tuple[Path, str], ...]:
    """Return each path with the SHA-256 of its file.

    Raises:
        LinnetError: a file cannot be read.
    """
    return tuple((path, file_sha256(path)) for path in paths)


def deployment_for(args: argparse.Namespace, files: Sequence[Path]) -> Deployment:
    """Return the deployment that the arguments of :mod:`linnet_bench.remote.arguments` and the files require.

    Raises:
        LinnetError: a file cannot be used; checked before anything is copied.
    """
    kinds = {_tokenizer_kind(path) for path in files}
    places = _wheel_places(args.wheel)
    return Deployment(
        wheels=find_wheels(places),
        wheel_places=tuple(map(str, places)) or (f"{_WHEELS}/ (there is no such folder)",),
        runner=getattr(args, "runner", None),
        tokenizers="tokenizers" in kinds,
        clean=getattr(args, "clean_device", False),
    )


def _tokenizer_kind(path: Path) -> str:
    runtime = open_runtime(str(path), 0)
    kind = str(runtime.manifest.get("tokenizer_kind"))
    runtime.close()
    return kind


def _wheel_places(given: Sequence[Path] | None) -> Sequence[Path]:
    """Return where to look for wheels: the places of ``--wheel``, else ``dist/``."""
    if given is not None:
        return given
    return [_WHEELS] if _WHEELS.is_dir() else []
