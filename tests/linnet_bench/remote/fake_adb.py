"""Stands in for ``adb`` and a phone: /data/local/tmp is a folder here, and every call is written down.

Started by a script named ``adb`` first on PATH; FAKE_PHONE names a folder with ``settings.json``: serials of the
phones, their properties, what goes wrong. The phone's shell is this machine's sh, with ``getprop`` of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

PLACE = "/data/local/tmp"


class Phone:
    """A made-up phone in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.storage = folder / "storage"

    @classmethod
    def make(cls, folder: Path, **settings: Any) -> Phone:
        """Write the settings and the programs that the phone has, and ``bin/adb`` for the computer."""
        phone = cls(folder)
        phone.storage.mkdir(parents=True)
        phone.set(serials=["R58M"], properties=PROPERTIES, **settings)
        phone._script("bin/adb", f'FAKE_PHONE={folder} exec {sys.executable} {__file__} "$@"')
        phone._script("system/getprop", f'FAKE_PHONE={folder} exec {sys.executable} {__file__} getprop "$@"')
        return phone

    def _script(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def set(self, **settings: Any) -> None:
        """Change settings: serials, properties, ``refuse`` (adb's message), ``push_fails`` (the same for a push)."""
        path = self.folder / "settings.json"
        old = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**old, **settings}))

    @property
    def settings(self) -> dict[str, Any]:
        """What was set."""
        found: dict[str, Any] = json.loads((self.folder / "settings.json").read_text())
        return found

    @property
    def environment(self) -> dict[str, str]:
        """Environment of a computer with this adb."""
        return {**os.environ, "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}

    def calls(self) -> list[list[str]]:
        """Every call so far."""
        log = self.folder / "calls.jsonl"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def here(self, text: str) -> str:
        """Return a command or a path of the phone as one of this machine."""
        return text.replace(PLACE, str(self.storage))


PROPERTIES = {
    "ro.product.manufacturer": "Acme",
    "ro.product.model": "Phone 1",
    "ro.soc.manufacturer": "",
    "ro.soc.model": "AC123",
    "ro.build.version.release": "14",
    "ro.product.cpu.abi": "x86_64",
}


def shell(phone: Phone, command: str) -> int:
    """Run a command of the phone and pass on what it prints; it goes on if this adb is killed."""
    environment = {**os.environ, "PATH": f"{phone.folder / 'system'}{os.pathsep}{os.environ['PATH']}"}
    (phone.folder / "shell.pid").write_text(str(os.getpid()))
    words = ["sh", "-c", phone.here(command)]
    with subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
        while piece := os.read(process.stdout.fileno(), 1 << 16):
            os.write(1, piece)
        return process.wait()


def push(phone: Phone, source: Path, target: Path) -> int:
    """Copy a file or a folder."""
    problem = phone.settings.get("push_fails")
    if problem:
        print(f"adb: error: failed to copy '{source}' to '{target}': {problem}", file=sys.stderr)
        return 1
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    print(f"{source}: 1 file pushed, 0 skipped.")
    return 0


def main(words: list[str]) -> int:
    """Answer as adb does."""
    phone = Phone(Path(os.environ["FAKE_PHONE"]))
    settings = phone.settings
    if words[0] == "getprop":
        print(settings["properties"].get(words[1], ""))
        return 0
    with (phone.folder / "calls.jsonl").open("a") as log:
        log.write(json.dumps(words) + "\n")
    serials = settings["serials"]
    if words[0] == "-s":
        serial, words = words[1], words[2:]
        if serial not in serials:
            print(f"adb: device '{serial}' not found", file=sys.stderr)
            return 1
    elif len(serials) != 1:
        problem = "no devices/emulators found" if not serials else "more than one device/emulator"
        print(f"adb: {problem}", file=sys.stderr)
        return 1
    if settings.get("refuse"):
        print(f"adb: {settings['refuse']}", file=sys.stderr)
        return 1
    if words[0] == "push":
        return push(phone, Path(words[1]), Path(phone.here(words[2])))
    assert words[0] == "shell"
    return shell(phone, words[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
