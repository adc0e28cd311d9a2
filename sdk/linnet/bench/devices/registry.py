"""The kinds of devices. A new one is a file beside this one, a form in address.py and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from linnet.bench.devices.adb import AdbDevice
from linnet.bench.devices.local import LocalDevice
from linnet.bench.devices.outcome import Device
from linnet.bench.devices.ssh import SshDevice

__all__ = ["KINDS"]

KINDS: Mapping[str, Device] = {"ssh": SshDevice(), "adb": AdbDevice(), "local": LocalDevice()}
