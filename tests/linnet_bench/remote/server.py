"""A private sshd on 127.0.0.1: own port, keys, configuration and home folder; nothing of the system's is touched."""

from __future__ import annotations

import dataclasses
import getpass
import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["MISSING", "Server", "sshd_program", "start_server"]

MISSING = "SKIPPED: no sshd here; sh tests/linnet_bench/remote/install_sshd.sh installs Debian's openssh-server"
_PRIVILEGE_SEPARATION = Path("/run/sshd")  # compiled into Debian's sshd

_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
PidFile {folder}/sshd.pid
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
LogLevel VERBOSE
AcceptEnv none
SetEnv HOME={home} XDG_CACHE_HOME={home}/.cache PATH={path} LINNET_SELF_TEST=1
"""


def sshd_program() -> str | None:
    """Return the path of sshd; sshd insists on an absolute one."""
    return shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")


@dataclasses.dataclass
class Server:
    """One running sshd and the client's side of it.

    Attributes:
        folder: of keys, configuration and log.
        port: on 127.0.0.1.
        home: ``HOME`` of its sessions.
        process: the listening sshd.
    """

    folder: Path
    port: int
    home: Path
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        """What ``--device`` takes."""
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}"

    @property
    def cache(self) -> Path:
        """Folder of what linnet leaves there."""
        return self.home / ".cache" / "linnet" / "devices"

    @property
    def environment(self) -> dict[str, str]:
        """Environment of a client whose ``ssh`` knows this server: a wrapper takes the place of ~/.ssh."""
        return {**os.environ, "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}

    def sessions(self) -> list[int]:
        """Return the processes of sshd that serve a connection."""
        done = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
        pairs = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
        return [pid for pid, parent in pairs if parent == self.process.pid]

    def cut(self) -> None:
        """What a device does that loses its power: every connection and everything that runs in it is gone."""
        for pid in self.sessions():
            for process_id in [*_below(pid), pid]:
                try:
                    os.kill(process_id, signal.SIGKILL)
                except ProcessLookupError:
                    continue

    def write_known_hosts(self, key: str) -> None:
        """Let the client believe that the server has this public key."""
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {key}")


def _below(pid: int) -> list[int]:
    done = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    children = [child for child, parent in pairs if parent == pid]
    return [process_id for child in children for process_id in (*_below(child), child)]


def make_key(path: Path) -> str:
    """Write a key pair and return the public half."""
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return path.with_suffix(".pub").read_text()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _write_client(folder: Path) -> None:
    """An `ssh` first on PATH that reads this folder's configuration as the user's own ssh reads ~/.ssh/config."""
    (folder / "ssh_config").write_text(
        f"Host *\n  IdentityFile {folder}/user_key\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {folder}/known_hosts\n  GlobalKnownHostsFile /dev/null\n"
        "  StrictHostKeyChecking yes\n"
    )
    wrapper = folder / "bin" / "ssh"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)


@contextmanager
def start_server(folder: Path, home: Path, path: str) -> Iterator[Server]:
    """Run a server.

    Args:
        folder: empty, for its files.
        home: of its sessions.
        path: ``PATH`` of its sessions.
    """
    program = sshd_program()
    assert program is not None
    if os.geteuid() == 0:
        _PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
    home.mkdir(exist_ok=True)
    host_key = make_key(folder / "host_key")
    (folder / "authorized_keys").write_text(make_key(folder / "user_key"))
    _write_client(folder)
    port = _free_port()
    config = _CONFIG.format(port=port, folder=folder, home=home, path=path)
    (folder / "sshd_config").write_text(config)
    command = [program, "-D", "-e", "-f", str(folder / "sshd_config")]
    with (
        (folder / "sshd.log").open("wb") as log,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process,
    ):
        server = Server(folder=folder, port=port, home=home, process=process)
        server.write_known_hosts(host_key)
        try:
            _wait_until_it_listens(server)
            yield server
        finally:
            server.cut()
            process.terminate()


def _wait_until_it_listens(server: Server) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert server.process.poll() is None, (server.folder / "sshd.log").read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", server.port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError((server.folder / "sshd.log").read_text())
