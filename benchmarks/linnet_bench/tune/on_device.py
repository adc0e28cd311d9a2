"""``linnet tune`` on a device: the entry point of its remote job."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from linnet_bench.record.record import from_data
from linnet_bench.remote.agent import StoredFile
from linnet_bench.tune.measure import TuneJob, store, tune

__all__ = ["ENTRY_POINT", "tune_here"]

ENTRY_POINT = "linnet_bench.tune.on_device:tune_here"


def tune_here(files: Sequence[StoredFile], payload: Mapping[str, Any], emit: Callable[..., None]) -> None:
    """Tune on this machine for a remote host, and store the profile here.

    Args:
        files: recipes of one model.
        payload: fields of :class:`TuneJob`.
        emit: sends an event, given its fields: ``progress``, and ``tuned`` with the ``finding``.

    Raises:
        LinnetError: as :func:`linnet_bench.tune.measure.tune`.
    """
    with tempfile.TemporaryDirectory(prefix="linnet-tune-") as folder:
        named = []
        for number, file in enumerate(files):
            # files are stored by hash; the finding shows names, so each gets a link with its original name
            link = Path(folder, str(number), file.name)
            link.parent.mkdir()
            link.symlink_to(file.path)
            named.append(link)
        finding = tune(named, from_data(TuneJob, payload, "job"), lambda text: emit(event="progress", text=text))
    emit(event="tuned", finding=dataclasses.asdict(store(finding)))
