"""An Android phone through ``adb``: copies the C runner, its libraries and the file once, by hash."""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
import shlex
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from linnet.errors import (
    DeviceError,
    DeviceUnsuitableError,
    InvalidArgumentError,
    LinnetError,
    error_class,
)
from linnet_bench.machine.environment import Environment
from linnet_bench.machine.state import State
from linnet_bench.measure.benchmark import Benchmark, BenchmarkRequest
from linnet_bench.measure.engine import Cancelled
from linnet_bench.measure.protocol import Emit, Job
from linnet_bench.measure.runner import Collector
from linnet_bench.record.record import OutputCheck, Settings
from linnet_bench.remote.address import Address
from linnet_bench.remote.android import ASK, Phone, read_phone
from linnet_bench.remote.job import RemoteJob
from linnet_bench.remote.outcome import Outcome, Report
from linnet_bench.remote.process_group import Finished, ProcessGroup
from linnet_bench.remote.runner_job import RunnerJob, prepare_job
from linnet_bench.remote.stream import parse_event

__all__ = ["BASE", "AdbDevice", "runner_hash"]

BASE = "/data/local/tmp/linnet"
"""The folder on the phone: the only place where the shell may both write and run programs."""

_TICK_SECONDS = 0.2  # longest delay until Ctrl-C ends a pause

_MACHINES = {"arm64-v8a": "aarch64", "x86_64": "x86_64"}  # ABIs with ExecuTorch libraries

# parts of adb's messages, and their meaning
_MEANINGS = (
    ("no devices/emulators found", "no phone is connected: switch on USB debugging and plug it in, then `adb devices`"),
    ("more than one device", "several phones are connected: name one as adb:SERIAL (`adb devices` lists them)"),
    ("unauthorized", "the phone does not trust this computer yet: unlock it and allow USB debugging"),
    ("offline", "the phone is offline: plug it in again"),
    ("not found", "no phone with this serial is connected: `adb devices` lists them"),
    ("No space left", "the phone's disk is full: make room, or use --clean-device"),
)


class AdbDevice:
    """Measures on one phone."""

    def run(self, address: Address, job: RemoteJob, report: Report, processes: ProcessGroup) -> Outcome:
        """Run a job on the phone; see :class:`linnet_bench.remote.outcome.Device`."""
        visit = _Visit(address, job, report, processes)
        try:
            benchmark = visit.prepare()
            failure = benchmark.measure()
            return Outcome(
                address=address, record=benchmark.record(), failure=failure, interrupted=benchmark.interrupted
            )
        except LinnetError as error:
            return Outcome(address=address, failure=error)
        except Cancelled:
            return Outcome(address=address, interrupted=True)
        finally:
            visit.end()

    def clean(self, address: Address, report: Report, processes: ProcessGroup) -> int:
        """Remove linnet's files from the phone; see :class:`linnet_bench.remote.outcome.Device`."""
        adb = _Adb(address, processes)
        report("removing linnet's files")
        size = adb.shell(f"du -sk {BASE} 2>/dev/null | cut -f1; rm -rf {BASE}").strip()
        return int(size or 0) * 1024


class _Adb:
    """The program ``adb``, for one phone."""

    def __init__(self, address: Address, processes: ProcessGroup) -> None:
        self._start = ["adb", *(["-s", address.serial] if address.serial else [])]
        self.processes = processes

    def words(self, *more: str) -> list[str]:
        """Return a command line."""
        return [*self._start, *more]

    def run(self, *more: str) -> str:
        """Run an adb command and return its output.

        Raises:
            DeviceError: it failed.
            Cancelled: the user pressed Ctrl-C.
        """
        with self.processes.start(self.words(*more)) as process:
            process.write([])
            output = b"".join(process.lines()).decode(errors="replace")
            finished = process.finish()
        self.processes.check()
        if finished.returncode != 0:
            raise explain_adb(finished, output)
        return output.replace("\r\n", "\n")

    def shell(self, command: str) -> str:
        """Run a command in the phone's shell and return its output."""
        return self.run("shell", command)


def explain_adb(finished: Finished, output: str = "") -> DeviceError:
    """Return the meaning of adb's failure as one sentence."""
    said = f"{output}\n{finished.said}"
    last = " ".join((finished.said or output).strip().splitlines()[-1:]) or "it said nothing"
    for piece, meaning in _MEANINGS:
        if piece in said:
            return DeviceError(f"{meaning} (adb: {last})")
    return DeviceError(f"the connection broke off, or a command failed there (adb: {last})")


class _Visit:
    """One measurement on one phone: copies missing files and leaves no process running."""

    def __init__(self, address: Address, job: RemoteJob, report: Report, processes: ProcessGroup) -> None:
        self._address = address
        (self._file,) = job.files[:1]
        self._request = job.payload
        self._deployment = job.deployment
        self._report = report
        self._adb = _Adb(address, processes)
        token = secrets.token_hex(4)  # unique to this visit, so that two visits never remove each other's files
        self._job, self._pid = f"{BASE}/job-{token}", f"{BASE}/pid-{token}"
        self._began = False

    def prepare(self) -> Benchmark:
        """Copy what is missing and return the benchmark, not started yet.

        Raises:
            LinnetError: the phone is unsuitable, or cannot be reached.
            Cancelled: the user pressed Ctrl-C.
        """
        if not isinstance(self._request, BenchmarkRequest):
            raise InvalidArgumentError("a phone has the C runner, which measures only: use linnet bench")
        asked = self._request.settings
        if asked.profile or asked.affinity:
            raise InvalidArgumentError("--profile, --trace and --affinity need Python there, a phone has the C runner")
        self._report("connecting")
        phone = read_phone(self._adb.shell(ASK))
        program = self._send_runner(phone)
        file = self._send_file()
        settings = _settings_there(self._request, phone)
        golden, _ = prepare_job(self._file[0], settings.lengths)
        self._refuse_busy()
        self._began = True
        self._push_text(golden.text, self._job)
        # exec keeps the shell's process number, which end() kills
        command = f"echo $$ >{self._pid}; exec {program}/run {file} --job {self._job} --events"
        return Benchmark(
            self._file[0],
            settings,
            self._report,
            runner=_PhoneRunner(self._adb, phone, command, golden),
            command=self._request.command,
            device=self._address.name,
            sleep=self._sleep,
        )

    def end(self) -> None:
        """Kill what still runs on the phone, which Ctrl-C does not reach, and remove temporary files."""
        processes = ProcessGroup()  # a new one, because the visit's may be cancelled
        adb = _Adb(self._address, processes)
        if not self._began:
            return
        kill = f"[ -f {self._pid} ] && kill $(cat {self._pid}) 2>/dev/null; rm -f {self._pid} {self._job}"
        remove = f"; rm -rf {BASE}" if self._deployment.clean else ""
        with processes.start(adb.words("shell", kill + remove)) as process:
            process.write([])
            process.finish()  # failures are ignored: the phone may be disconnected

    def _refuse_busy(self) -> None:
        answer = self._adb.shell(
            f'for f in {BASE}/pid-*; do [ -f "$f" ] && kill -0 $(cat "$f") 2>/dev/null && cat "$f"; done; true'
        )
        if answer.strip():
            raise DeviceError(
                f"another linnet bench is at work there (process {answer.strip()}): "
                "two at once would disturb each other, wait for its end"
            )

    def _send_runner(self, phone: Phone) -> str:
        abi = phone.properties["ro.product.cpu.abi"]
        machine = _MACHINES.get(abi)
        if machine is None:
            raise DeviceUnsuitableError(
                f"found a phone with {abi or 'an unknown ABI'}, expected {' or '.join(_MACHINES)}"
            )
        folder = self._deployment.runner or Path("dist") / f"linnet-bench-runner-{machine}"
        if not (folder / "run").is_file():
            make = "make runner" if machine == "x86_64" else f"make wheel-{machine} runner-{machine}"
            raise DeviceUnsuitableError(
                f"there is no C runner in {folder}: build it with `{make}`, or name it with --runner"
            )
        there = f"{BASE}/runner-{runner_hash(folder)[:32]}"
        if not self._exists(f"{there}/run"):
            self._report(f"copying {folder.name}")
            self._adb.shell(f"rm -rf {there}.new && mkdir -p {BASE}")
            # pushed under another name first: an interrupted copy must not look complete
            self._adb.run("push", str(folder), f"{there}.new")
            self._adb.shell(f"chmod -R 755 {there}.new && mv {there}.new {there}")
        return there

    def _send_file(self) -> str:
        path, sha256 = self._file
        there = f"{BASE}/files/{sha256}.pte"
        if not self._exists(there):
            self._report(f"copying {path.name}, {path.stat().st_size / 1e6:.1f} MB")
            self._adb.shell(f"mkdir -p {BASE}/files")
            self._adb.run("push", str(path), f"{there}.new")
            arrived = self._adb.shell(f"sha256sum {there}.new").split()[:1]
            if arrived != [sha256]:
                self._adb.shell(f"rm -f {there}.new")
                raise DeviceError(f"{path.name} did not arrive whole; try again")
            self._adb.shell(f"mv {there}.new {there}")
        return there

    def _push_text(self, text: str, there: str) -> None:
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".job") as file:
            file.write(text)
            file.flush()
            self._adb.run("push", file.name, there)

    def _exists(self, there: str) -> bool:
        return self._adb.shell(f"[ -e {there} ] && echo yes; true").strip() == "yes"

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._adb.processes.check()
            time.sleep(min(left, _TICK_SECONDS))


def _settings_there(request: BenchmarkRequest, phone: Phone) -> Settings:
    settings = dataclasses.replace(request.settings, cold_repeats=0)
    if not request.own_threads:
        return settings
    return dataclasses.replace(settings, threads=(1,) if phone.cpus == 1 else (1, 2))


class _PhoneRunner:
    """The C runner on a phone; a :class:`~linnet_bench.measure.engine.Runner`."""

    def __init__(self, adb: _Adb, phone: Phone, command: str, golden: RunnerJob) -> None:
        self._adb = adb
        self._phone = phone
        self._command = command
        self._golden = golden

    def state(self) -> State:
        """Read the phone's current state."""
        self._phone = read_phone(self._adb.shell(ASK))
        return self._phone.state()

    def environment(self, runtime: Mapping[str, str]) -> Environment:
        """Return the phone's description from its last reply."""
        return self._phone.environment(runtime)

    def run(self, job: Job, collector: Collector, on_event: Emit) -> None:
        """Start the C runner on the phone and check its answers here."""
        reader = _Reader(self._golden, collector, on_event)
        command = f"{self._command} {shlex.join(_options(job))}"
        with self._adb.processes.start(self._adb.words("shell", command)) as process:
            process.write([])
            for line in process.lines():
                reader.take(line)
            finished = process.finish()
        self._adb.processes.check()
        if not reader.ended:
            raise DeviceError(f"{explain_adb(finished)} during: {reader.doing}")
        reader.finish(dataclasses.asdict(self.state()))


def _options(job: Job) -> list[str]:
    """Return the C runner's options: all numbers are explicit, so that its own defaults are never used."""
    sampling = job.settings.sampling
    numbers = {
        "--threads": job.variant.threads,
        "--samples": sampling.samples,
        "--seconds": sampling.seconds,
        "--least": sampling.least_samples,
        "--most": sampling.most_samples,
        "--warmup-seconds": sampling.warmup_seconds,
        "--warmup-runs": sampling.warmup_runs,
        "--activation-bits": job.variant.activation_bits,
    }
    given = [word for name, value in numbers.items() if value is not None for word in (name, str(value))]
    return [*given, "--fused", {None: "auto", True: "yes", False: "no"}[job.variant.fused]]


class _Reader:
    """Feeds the events of the C runner to a collector, and checks its answers to the golden cases.

    Attributes:
        collector: collects the results.
        ended: the runner finished, or reported why it did not.
        doing: its last known step.
    """

    def __init__(self, job: RunnerJob, collector: Collector, on_event: Emit) -> None:
        self._job = job
        self._on_event = on_event
        self._answers: dict[int, Sequence[Mapping[str, Any]]] = {}
        self._check: OutputCheck | None = None
        self._finished: Mapping[str, Any] | None = None
        self.collector = collector
        self.ended = False
        self.doing = "loading"

    def take(self, line: bytes) -> None:
        """Process one line.

        Raises:
            InternalError: it is no event.
        """
        event = parse_event(line, "the C runner")
        name = event["event"]
        if name == "outputs":
            self._answers[event["case"]] = event["outputs"]
        elif name == "failed":
            kind = error_class(event["status"])
            self.collector.feed({"event": "failed", "name": kind.__name__, "message": event["message"]})
            self.ended = True
        elif name == "finished":
            self._finished = event
            self.ended = True
        else:
            self._feed(name, event)

    def _feed(self, name: str, event: Mapping[str, Any]) -> None:
        if name == "measuring":
            if self._check is None:
                self._judge()
            self.doing = f"{event['tokens']} tokens"
        if name == "checked" and self._check is not None:  # the answer changed during the timing
            event = {**event, "check": {**event["check"], "cases": self._check.cases}}
            self.ended = True
        self.collector.feed(event)
        self._on_event(event)

    def _judge(self) -> None:
        self._check = self._job.judge(self._answers, self._check)
        self._answers = {}
        self.collector.feed({"event": "checked", "check": dataclasses.asdict(self._check)})

    def finish(self, after: Mapping[str, Any]) -> None:
        """Check the answers given after the timing; ``after`` is the phone's state."""
        if self._finished is None:
            return
        self._judge()
        assert self._check is not None
        check = dataclasses.asdict(self._check)
        self.collector.feed({**self._finished, "check": check, "after": after})


def runner_hash(folder: Path) -> str:
    """Return the hexadecimal SHA-256 of all files of a folder and their names."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()
