"""Measurement on a machine with Python and a shell: finds a Python, copies what is missing, measures."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.resources
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import linnet
import linnet_bench
from linnet.errors import DeviceError, DeviceUnsuitableError, LinnetError
from linnet_bench.remote.address import Address
from linnet_bench.remote.job import Deployment, RemoteJob
from linnet_bench.remote.outcome import Outcome, Report
from linnet_bench.remote.process_group import Finished, ProcessGroup
from linnet_bench.remote.stream import EventLog, read_events
from linnet_bench.remote.wheels import (
    Requirement,
    Target,
    Wheel,
    changed_files,
    find_fitting,
    read_requirements,
)

__all__ = ["PythonHost", "RemotePython", "Shell", "choose_python", "plan_environment"]

_LEAST_PYTHON = (3, 11)
_STUB = "import sys;exec(sys.stdin.buffer.read(int(sys.argv[1])))"
_PIECE = 1 << 18

# for sh, because no Python is known yet; its Python code runs in every version, to report one that is too old
_FIND = """\
ask=$(cat <<'PYTHON'
import json, os, struct, sys, sysconfig
report = {"executable": sys.executable, "version": list(sys.version_info[:3]), "bits": struct.calcsize("P") * 8,
          "system": os.uname()[0], "machine": os.uname()[4], "packages": {},
          "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED"))}
try:
    report["libc"] = os.confstr("CS_GNU_LIBC_VERSION")
except Exception:
    report["libc"] = None
for name in ("numpy", "tokenizers"):
    try:
        report["packages"][name] = __import__(name).__version__
    except Exception:
        pass
print(json.dumps(report))
PYTHON
)
for python in %s; do
  path=$(command -v "$python") || continue
  "$path" -c "$ask" 2>/dev/null </dev/null
done
printf '{"uname": "%%s"}\\n' "$(uname -sm)"
"""
_USUAL = "python3 python3.14 python3.13 python3.12 python3.11 ~/.local/bin/python3 /usr/local/bin/python3"


class Shell(Protocol):
    """Runs commands on a device."""

    def words(self, command: str) -> list[str]:
        """Return the command line, for this machine, that runs ``command`` in a shell on the device."""

    def explain(self, finished: Finished) -> LinnetError:
        """Return the error for a command that ended without reporting one itself."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RemotePython:
    """A Python on the device.

    Attributes:
        executable: its path.
        target: properties that wheels must match.
        system: as ``uname -s``.
        libc: C library and version as the system reports it, or empty.
        packages: versions of packages that it can import.
    """

    executable: str
    target: Target
    system: str
    libc: str
    packages: Mapping[str, str]

    def __str__(self) -> str:
        version = ".".join(map(str, self.target.python))
        libc = self.libc or "no glibc"
        return f"{self.system} {self.target.machine}, {self.target.bits}-bit, {libc}, CPython {version}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """Contents of an environment on the device.

    Attributes:
        key: its name; another wheel or Python gives another key.
        wheels: wheels to unpack there.
        needs: requirements that pip installs there.
    """

    key: str
    wheels: tuple[Wheel, ...]
    needs: tuple[str, ...]


def choose_python(reports: Sequence[Mapping[str, Any]], uname: str) -> RemotePython:
    """Return the Python to use: among those that are new enough, the first with numpy, else the first.

    Args:
        reports: the report of each Python.
        uname: system and machine.

    Raises:
        DeviceUnsuitableError: there is none.
    """
    pythons = [_read_python(report) for report in reports]
    fitting = [python for python in pythons if python.target.python >= _LEAST_PYTHON]
    if not fitting:
        least = ".".join(map(str, _LEAST_PYTHON))
        versions = sorted({".".join(map(str, report["version"])) for report in reports})
        there = f"Python {', '.join(versions)}, too old" if versions else "no Python"
        raise DeviceUnsuitableError(
            f"found {there} ({uname or 'unknown system'}), expected Python {least} or newer; "
            "if one is installed outside of the usual places, name it as python = ... in a devices file"
        )
    return max(fitting, key=lambda python: "numpy" in python.packages)  # max returns the first of equals


def _read_python(said: Mapping[str, Any]) -> RemotePython:
    libc = said["libc"] or ""
    name, _, version = libc.partition(" ")
    numbers = [int(part) for part in version.split(".")[:2] if part.isdigit()]
    target = Target(
        python=(said["version"][0], said["version"][1]),
        machine=said["machine"],
        bits=said["bits"],
        glibc=(numbers[0], numbers[1]) if name == "glibc" and len(numbers) == 2 else None,
        free_threaded=said["free_threaded"],
    )
    return RemotePython(
        executable=said["executable"], target=target, system=said["system"], libc=libc, packages=said["packages"]
    )


def plan_environment(python: RemotePython, deployment: Deployment) -> Plan:
    """Choose linnet's wheel and the source of each dependency: the device's Python, wheels here, or pip there.

    Raises:
        DeviceUnsuitableError: no wheel fits the device.
    """
    own = find_fitting(deployment.wheels, "linnet", python.target)
    if own is None:
        raise DeviceUnsuitableError(_no_wheel(python, deployment))
    wheels, needs = [own], []
    for requirement in read_requirements(own, ["tokenizers"] if deployment.tokenizers else []):
        if requirement.met_by(python.packages.get(requirement.name)):
            continue
        wheel = _local(requirement, deployment, python.target)
        if wheel is None:
            needs.append(str(requirement))
        else:
            wheels.append(wheel)
    parts = [python.executable, str(python), *(wheel.sha256 for wheel in wheels), *needs]
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
    return Plan(key=key, wheels=tuple(wheels), needs=tuple(needs))


def _local(requirement: Requirement, deployment: Deployment, target: Target) -> Wheel | None:
    wheel = find_fitting(deployment.wheels, requirement.name, target)
    return wheel if wheel is not None and requirement.met_by(wheel.version) else None


def _no_wheel(python: RemotePython, deployment: Deployment) -> str:
    if python.system != "Linux" or python.target.bits != 64 or python.target.glibc is None:
        return f"found {python}; linnet measures on 64-bit Linux with glibc (and on Android by adb)"
    names = [path.name for path in deployment.wheels if path.name.startswith("linnet-")]
    places = " and ".join(deployment.wheel_places)
    make = {"x86_64": "make wheel", "aarch64": "make wheel-aarch64"}.get(python.target.machine, "")
    cure = f"build one with `{make}`" if make else "there is no ExecuTorch for this machine, so linnet has no wheel"
    return (
        f"no wheel of linnet fits this device ({python}): found {', '.join(names) or 'none'} in {places}; "
        f"{cure}, or name one with --wheel"
    )


class PythonHost:
    """The device behind a shell."""

    def __init__(self, shell: Shell, address: Address, report: Report, processes: ProcessGroup) -> None:
        self._shell = shell
        self._address = address
        self._report = report
        self._processes = processes

    def run(self, job: RemoteJob) -> Outcome:
        """Copy what is missing and run a job.

        Raises:
            LinnetError: an error before the measurement began.
            Cancelled: the user pressed Ctrl-C before the measurement began.
        """
        self._report("looking for Python")
        python = self._find_python()
        plan = plan_environment(python, job.deployment)
        stored = [f"{sha256}.pte" for _, sha256 in job.files]
        there = self._ask(python, {"op": "look", "environment": plan.key, "files": stored}).last("found")
        missing = [file for file, has in zip(job.files, there["files"], strict=True) if not has]
        self._refuse_full(plan, missing, there)
        if not there["environment"]:
            self._install(python, plan)
        for path, sha256 in missing:
            self._send(python, path, f"files/{sha256}.pte", sha256)
        outcome = self._run(python, plan, stored, job)
        return dataclasses.replace(outcome, notes=_notes(plan))

    def clean(self) -> int:
        """Remove linnet's folder on the device and return its size in bytes."""
        self._report("removing linnet's files")
        return int(self._ask(self._find_python(), {"op": "clean"}).last("cleaned")["bytes"])

    def _find_python(self) -> RemotePython:
        script = _FIND % (shlex.quote(self._address.python) if self._address.python else _USUAL)
        with self._processes.start(self._shell.words("sh -s")) as process:
            process.write([script.encode()])
            answers = [json.loads(line) for line in process.lines() if line.startswith(b"{")]
            finished = process.finish()
        self._processes.check()
        if not answers or "uname" not in answers[-1]:
            raise self._shell.explain(finished)
        return choose_python(answers[:-1], answers[-1]["uname"])

    def _refuse_full(self, plan: Plan, missing: Sequence[tuple[Path, str]], there: Mapping[str, Any]) -> None:
        """Check the free disk space. A wheel needs its own size and, unpacked, about three times as much."""
        needed = sum(path.stat().st_size for path, _ in missing)
        if not there["environment"]:
            needed += 4 * sum(wheel.path.stat().st_size for wheel in plan.wheels)
        if needed > there["free"]:
            raise DeviceError(
                f"the disk is full there: {there['free'] / 1e6:.1f} MB free for {there['base']}, "
                f"needed about {needed / 1e6:.1f} MB; make room, or use --clean-device"
            )

    def _install(self, python: RemotePython, plan: Plan) -> None:
        for wheel in plan.wheels:
            self._send(python, wheel.path, f"wheels/{wheel.path.name}", wheel.sha256)
        self._report("building the environment")
        names = [wheel.path.name for wheel in plan.wheels]
        request = {"op": "install", "environment": plan.key, "wheels": names, "needs": plan.needs}
        self._ask(python, request).last("installed")

    def _send(self, python: RemotePython, path: Path, name: str, sha256: str) -> None:
        size = path.stat().st_size
        self._ask(python, {"op": "put", "name": name, "size": size, "sha256": sha256}, path).last("stored")

    def _pieces(self, path: Path) -> Iterator[bytes]:
        size, sent = path.stat().st_size, 0
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                self._report(f"copying {path.name}, {100 * sent // size} % of {size / 1e6:.1f} MB")
                yield piece
                sent += len(piece)

    def _run(self, python: RemotePython, plan: Plan, stored: Sequence[str], job: RemoteJob) -> Outcome:
        self._report("starting")
        ask = {"op": "run", "environment": plan.key, "files": stored, "job": job.to_data()}
        told = self._ask(python, ask, keep=True)
        return told.outcome(self._address, interrupted=self._processes.cancelled)

    def _ask(
        self, python: RemotePython, request: Mapping[str, Any], payload: Path | None = None, *, keep: bool = False
    ) -> EventLog:
        """Run one request of the bootstrap.

        Args:
            python: interpreter that runs it.
            request: its line of JSON.
            payload: a file to send after it.
            keep: return what was received even if the connection broke.

        Raises:
            LinnetError: the device reported an error, or the connection broke.
            Cancelled: the user pressed Ctrl-C.
        """
        script = importlib.resources.files("linnet_bench.remote").joinpath("bootstrap.py").read_bytes()
        command = shlex.join([python.executable, "-P", "-c", _STUB, str(len(script))])
        opening = script + json.dumps(request).encode() + b"\n"
        watching = request["op"] in ("install", "run")  # these requests end when their stdin is closed
        with self._processes.start(self._shell.words(command), ask=_close if watching else None) as process:
            process.write([opening], close=False)
            if payload is not None:
                process.write(self._pieces(payload), close=False)
            told = read_events(process.lines(), self._report)
            if told.done:
                process.write([])
                return told if keep else self._settled(told)
            finished = process.finish()
        told.lost = None if self._processes.cancelled else self._shell.explain(finished)
        return told if keep else self._settled(told)

    def _settled(self, told: EventLog) -> EventLog:
        self._processes.check()
        if told.failure is not None:
            raise told.failure
        return told


def _notes(plan: Plan) -> tuple[str, ...]:
    own = plan.wheels[0]
    folders = (Path(linnet.__file__).parent, Path(linnet_bench.__file__).parent)
    changed = sum(changed_files(own, folder) for folder in folders)
    if not changed:
        return ()
    return (
        f"{own.path.name} differs from this linnet in {changed} Python files: if it is the older one, build it again",
    )


def _close(stdin: IO[bytes]) -> None:
    stdin.close()
