"""Published figures of devices; one file each, registered by a line here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from linnet.errors import InvalidArgumentError
from linnet.suggestions import did_you_mean
from linnet_bench.estimate.devices import pi3, pi4, pi5, snapdragon8gen2, zen4, zen5
from linnet_bench.estimate.devices.base import Device
from linnet_bench.machine.processor import cpuinfo_values
from linnet_bench.machine.system import text_of

__all__ = ["DEVICES", "THIS", "Device", "find_device", "this_device"]

_MODULES = (pi3, pi4, pi5, snapdragon8gen2, zen4, zen5)
DEVICES: Mapping[str, Device] = {module.DEVICE.name: module.DEVICE for module in _MODULES}
THIS = "this"


def find_device(name: str) -> Device:
    """Return a device by name; "this" is the machine at hand, if its processor is known.

    Raises:
        InvalidArgumentError: there are no figures.
    """
    if name == THIS:
        return this_device()
    if name not in DEVICES:
        hint = did_you_mean(name, [*DEVICES, THIS])
        raise InvalidArgumentError(
            f"no figures of the device {name!r}; known are {', '.join(DEVICES)} and {THIS}{hint}"
        )
    return DEVICES[name]


def this_device(root: Path = Path("/")) -> Device:
    """Return the figures of this machine's processor, identified by /proc/cpuinfo.

    Raises:
        InvalidArgumentError: it is not in the registry.
    """
    cpuinfo = text_of(root / "proc/cpuinfo")
    for device in DEVICES.values():
        if device.cpuinfo and all(value in cpuinfo_values(cpuinfo, key) for key, value in device.cpuinfo):
            return device
    raise InvalidArgumentError(
        f"there are no published figures of this processor in linnet (known: {', '.join(DEVICES)}); "
        "linnet bench measures it"
    )
