"""Output files of ``--output`` and ``--trace``: a file for one device, a folder with a file each for several."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from linnet.cli.output import check_output_path
from linnet.errors import InvalidArgumentError
from linnet_bench.remote.address import Address

__all__ = ["file_name", "plan_outputs"]


def file_name(address: Address) -> str:
    """Return a device's name as a file name: ``pi@pi4.local-2222`` for ``ssh://pi@pi4.local:2222``."""
    return re.sub(r"[^A-Za-z0-9._@-]+", "-", address.name.removeprefix("ssh://")).strip("-.")


def plan_outputs(out: Path | None, addresses: Sequence[Address], option: str, *, force: bool) -> Mapping[str, Path]:
    """Return the output file of each device, by its name; empty if none was requested.

    Args:
        out: path of the option; for several devices a folder, which is created if it does not exist.
        addresses: addresses of the devices.
        option: name of the option, for messages.
        force: existing files may be replaced.

    Raises:
        InvalidArgumentError: a file exists, or one file is given for several devices.
    """
    if out is None:
        return {}
    if len(addresses) == 1 and not out.is_dir():
        planned = {addresses[0].name: out}
    else:
        if out.suffix == ".json" or out.is_file():
            raise InvalidArgumentError(
                f"{option} {out} names one file for {len(addresses)} devices, expected a folder: {option} {out.stem}/"
            )
        out.mkdir(parents=True, exist_ok=True)
        suffix = ".trace.json" if option == "--trace" else ".json"
        planned = {address.name: out / (file_name(address) + suffix) for address in addresses}
    if len(set(planned.values())) < len(planned):
        raise InvalidArgumentError(f"{option}: two devices would share a file; name them in a devices file")
    for path in planned.values():
        check_output_path(path, force=force)
    return planned
