"""A machine reached through the system's ``ssh``: with the user's keys, known hosts and configuration."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from types import TracebackType

from linnet.errors import DeviceError, LinnetError
from linnet_bench.remote.address import Address
from linnet_bench.remote.job import RemoteJob
from linnet_bench.remote.outcome import Outcome, Report
from linnet_bench.remote.process_group import Finished, ProcessGroup
from linnet_bench.remote.python_host import PythonHost

__all__ = ["SshDevice", "explain_ssh"]

_OPTIONS = {
    "BatchMode": "yes",  # never prompt, because several devices share the terminal
    "ConnectTimeout": "10",
    "ServerAliveInterval": "10",  # a device that lost power is abandoned after half a minute
    "ServerAliveCountMax": "3",
    "ClearAllForwardings": "yes",
    "LogLevel": "ERROR",  # hide the login banner, which is not an error
}
_SOCKET_WAIT = 0.05

# parts of OpenSSH's messages, and their meaning
_MEANINGS = (
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", "its host key is not the one that your known_hosts has: {cure_changed}"),
    ("Host key verification failed", "its host key is not known: connect once by hand ({by_hand}) and check it"),
    ("Permission denied", "it refused your key: {copy_id}, or load the key with ssh-add"),
    ("Could not resolve hostname", "there is no host of that name"),
    ("Connection refused", "nothing listens there: is sshd running, is the port right?"),
    ("Connection timed out", "it does not answer: is it switched on, on this network?"),
    ("Operation timed out", "it does not answer: is it switched on, on this network?"),
    ("No route to host", "it cannot be reached: is it switched on, on this network?"),
)
_SSH_FAILED = 255  # OpenSSH's own exit status; all others are the command's


class SshDevice:
    """Measures on one machine through ssh."""

    def run(self, address: Address, job: RemoteJob, report: Report, processes: ProcessGroup) -> Outcome:
        """Run a job on the machine; see :class:`linnet_bench.remote.outcome.Device`."""
        try:
            with _Connection(address, report, processes) as connection:
                host = PythonHost(connection, address, report, processes)
                outcome = host.run(job)
                if job.deployment.clean and not processes.cancelled:
                    host.clean()
                return outcome
        except LinnetError as error:
            return Outcome(address=address, failure=error)

    def clean(self, address: Address, report: Report, processes: ProcessGroup) -> int:
        """Remove linnet's files from the machine; see :class:`linnet_bench.remote.outcome.Device`."""
        with _Connection(address, report, processes) as connection:
            return PythonHost(connection, address, report, processes).clean()


class _Connection:
    """One login that all commands share (ControlMaster); a :class:`Shell` of python_host."""

    def __init__(self, address: Address, report: Report, processes: ProcessGroup) -> None:
        self._address = address
        self._report = report
        self._processes = processes
        # a short path, because that of a socket is limited to about 100 characters
        self._folder = tempfile.mkdtemp(prefix="linnet-")
        self._socket = Path(self._folder) / "ssh"
        # cat ends with its stdin, and so with this process in any case; with -N the connection would stay open.
        # Ctrl-C ends the commands; the connection stays until they have sent their results.
        self._master = processes.start([*self._words("-M", "-T"), "cat"], ask=lambda _stdin: None)

    def words(self, command: str) -> list[str]:
        """Return the ssh command line; see :class:`Shell`."""
        return [*self._words("-T"), command]

    def explain(self, finished: Finished) -> LinnetError:
        """Return the meaning of ssh's failure; see :class:`Shell`."""
        return explain_ssh(self._address, finished)

    def _words(self, *more: str) -> list[str]:
        address = self._address
        options = [word for name, value in _OPTIONS.items() for word in ("-o", f"{name}={value}")]
        port = ["-p", str(address.port)] if address.port is not None else []
        user = ["-l", address.user] if address.user else []
        return ["ssh", *options, "-S", str(self._socket), *more, *port, *user, "--", address.host]

    def __enter__(self) -> _Connection:
        """Log in.

        Raises:
            DeviceError: the login failed; the message says what to do.
        """
        self._report("connecting")
        try:
            self._process = self._master.__enter__()
        except BaseException:
            shutil.rmtree(self._folder)
            raise
        try:
            self._wait()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _wait(self) -> None:
        while not self._socket.exists():
            self._processes.check()
            if self._process.poll() is not None:
                raise self.explain(self._process.finish())
            time.sleep(_SOCKET_WAIT)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Log out: commands that still run there lose their stdin and end."""
        self._master.__exit__(None, None, None)
        shutil.rmtree(self._folder, ignore_errors=True)


def explain_ssh(address: Address, finished: Finished) -> LinnetError:
    """Return the meaning of ssh's failure as one sentence."""
    said = finished.said
    destination = f"{address.user}@{address.host}" if address.user else address.host
    port = f"-p {address.port} " if address.port is not None else ""
    known = f"[{address.host}]:{address.port}" if address.port is not None else address.host
    cures = {
        "by_hand": f"ssh {port}{destination}",
        "copy_id": f"ssh-copy-id {port}{destination}",
        "cure_changed": f"if the device was set up anew, ssh-keygen -R '{known}', else somebody may stand between",
    }
    for piece, meaning in _MEANINGS:
        if piece in said:
            return DeviceError(f"{meaning.format(**cures)} (ssh: {_last_line(said)})")
    if finished.returncode == _SSH_FAILED or finished.returncode < 0 or not said:
        return DeviceError("the connection broke off" + (f" (ssh: {_last_line(said)})" if said else ""))
    return DeviceError(f"a command failed there with {finished.returncode}: {_last_line(said)}")


def _last_line(said: str) -> str:
    return " ".join(said.splitlines()[-1:]).strip()
