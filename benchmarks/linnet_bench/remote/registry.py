"""Registry of the kinds of devices. A new one is a file beside this one, a form in address.py and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from linnet_bench.remote.adb import AdbDevice
from linnet_bench.remote.local import LocalDevice
from linnet_bench.remote.outcome import Device
from linnet_bench.remote.ssh import SshDevice

__all__ = ["KINDS"]

KINDS: Mapping[str, Device] = {"ssh": SshDevice(), "adb": AdbDevice(), "local": LocalDevice()}
