"""What happens to a service: killed workers, replaced files, full queues, slow and silent clients, signals."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

import linnet
from tests.support.serving import serving, wait_until

BODY = {"inputs": "turn the volume up"}


def write_config(folder: Path, text: str) -> Path:
    path = folder / "serve.toml"
    path.write_text(text)
    return path


def test_a_killed_worker_is_replaced_and_its_requests_are_answered(files: Path, tmp_path: Path) -> None:
    with serving(tmp_path, files / "feature-extraction.pte", "--threads", "1") as served:
        expected = served.post("/embed", BODY).json()
        stop = threading.Event()
        statuses: list[int] = []

        def ask() -> None:
            with httpx.Client(base_url=served.url, timeout=30) as client:
                while not stop.is_set():
                    answer = client.post("/embed", json=BODY)
                    statuses.append(answer.status_code)
                    assert answer.status_code == 503 or answer.json() == expected

        with ThreadPoolExecutor(4) as threads:
            asking = [threads.submit(ask) for _ in range(4)]
            for _ in range(3):
                before = served.workers()
                os.kill(before[0], signal.SIGKILL)
                wait_until(lambda before=before: served.workers() and served.workers() != before)
                wait_until(lambda: served.get("/health/ready").status_code == 200)
            stop.set()
            for each in asking:
                each.result()
        assert served.post("/embed", BODY).json() == expected
        assert statuses.count(200) > 20
        assert set(statuses) <= {200, 503}


def test_a_file_is_replaced_after_its_golden_cases_and_a_damaged_one_is_not(files: Path, tmp_path: Path) -> None:
    live = tmp_path / "live.pte"
    shutil.copy(files / "text-classification.pte", live)
    with serving(tmp_path, live, "--threads", "1") as served:
        first = served.get("/models/live").json()["sha256"]
        damaged = tmp_path / "damaged.pte"
        content = bytearray((files / "text-classification.pte").read_bytes())
        content[len(content) // 2] ^= 1
        damaged.write_bytes(content)
        damaged.rename(live)
        outcome = served.post("/admin/reload", None).json()["models"]["live"]
        assert outcome.startswith("refused")
        assert served.post("/predict", BODY).status_code == 200
        assert served.get("/models/live").json()["sha256"] == first
        copy = tmp_path / "copy.pte"
        shutil.copy(files / "fill-mask.pte", copy)
        copy.rename(live)
        assert "text-classification" in served.post("/admin/reload", None).json()["models"]["live"]
        shutil.copy(files / "text-classification.pte", copy)
        copy.rename(live)
        workers = served.workers()
        served.process.send_signal(signal.SIGHUP)
        wait_until(lambda: served.workers() != workers)
        assert served.post("/predict", BODY).status_code == 200
        assert served.post("/admin/reload", None).json()["models"]["live"] == "unchanged"


def test_a_worker_that_dies_takes_no_file_that_was_not_checked(files: Path, tmp_path: Path) -> None:
    live, aside = tmp_path / "live.pte", tmp_path / "aside.pte"
    shutil.copy(files / "text-classification.pte", live)
    with serving(tmp_path, live, "--threads", "1") as served:
        first = served.get("/models/live").json()["sha256"]
        shutil.copy(files / "fill-mask.pte", aside)
        aside.rename(live)  # another task, without a reload
        os.kill(served.workers()[0], signal.SIGKILL)
        wait_until(lambda: "no worker could be started" in served.log.read_text())
        assert served.get("/health/ready").status_code == 503
        shutil.copy(files / "text-classification.pte", aside)
        aside.rename(live)
        wait_until(lambda: served.get("/health/ready").status_code == 200)
        assert served.post("/predict", BODY).status_code == 200
        assert served.get("/models/live").json()["sha256"] == first


def test_a_full_queue_is_429_and_every_request_is_answered(files: Path, tmp_path: Path) -> None:
    model = f'[[models]]\nfile = "{files}/feature-extraction.pte"\nthreads = 1\nqueue = 4\n'
    with serving(tmp_path, "--config", write_config(tmp_path, model)) as served:
        texts = {"inputs": ["turn the volume up " * 10] * 60, "truncate": True}
        with ThreadPoolExecutor(24) as threads:
            answers = list(threads.map(lambda _: served.post("/embed", texts), range(48)))
        statuses = {answer.status_code for answer in answers}
        assert statuses == {200, 429}
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert refused.json()["error_type"] == "Overloaded"
        assert int(refused.headers["retry-after"]) >= 1
        assert served.post("/embed", BODY).status_code == 200


def test_bodies_that_are_held_are_bounded(files: Path, tmp_path: Path) -> None:
    text = f'[limits]\nbody = "100kB"\nbodies = "150kB"\n[[models]]\nfile = "{files}/feature-extraction.pte"\n'
    with serving(tmp_path, "--config", write_config(tmp_path, text)) as served:
        address = ("127.0.0.1", int(served.url.rpartition(":")[2]))
        with socket.create_connection(address) as waiting:
            waiting.sendall(b"POST /embed HTTP/1.1\r\nhost: x\r\ncontent-length: 90000\r\n\r\n" + b" " * 80_000)
            body = b'{"inputs": "' + b"a" * 80_000 + b'", "truncate": true}'
            wait_until(lambda: served.client.post("/embed", content=body).status_code == 503)
        wait_until(lambda: served.client.post("/embed", content=body).status_code == 200)


def test_a_model_over_its_memory_is_refused_by_name(files: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path, f'[[models]]\nfile = "{files}/fill-mask.pte"\nmemory = "1kB"\n')
    command = [sys.executable, "-m", "linnet", "serve", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 4, done.stderr
    assert "raise memory" in done.stderr


def test_a_request_over_its_time_is_504(decoder: Path, tmp_path: Path) -> None:
    model = f'[[models]]\nfile = "{decoder}"\nname = "chat"\nthreads = 1\ntimeout = 0.002\n'
    with serving(tmp_path, "--config", write_config(tmp_path, model)) as served:
        body = {"model": "chat", "prompt": "the bank", "max_tokens": 50, "temperature": 0}
        answer = served.post("/v1/completions", body)
        assert answer.status_code == 504
        assert answer.json()["error"]["code"] == "timeout"
        assert served.get("/health/ready").status_code == 200


def test_sigterm_finishes_what_runs(decoder: Path, tmp_path: Path) -> None:
    with serving(tmp_path, f"chat={decoder}", "--threads", "1") as served:
        body = {"model": "chat", "prompt": "the bank", "max_tokens": 50, "temperature": 1, "stream": True}
        with served.client.stream("POST", "/v1/completions", json=body) as answer:
            lines = answer.iter_lines()
            next(lines)
            served.process.send_signal(signal.SIGTERM)
            assert [line for line in lines if line][-1] == "data: [DONE]"
        assert served.process.wait(20) == 0
    assert "Traceback" not in served.log.read_text()


def test_idle_and_slow_clients_do_not_stop_others(files: Path, tmp_path: Path) -> None:
    model = f'[limits]\nidle = 2\nslow = 2\n[[models]]\nfile = "{files}/feature-extraction.pte"\nthreads = 1\n'
    with serving(tmp_path, "--config", write_config(tmp_path, model)) as served:
        address = ("127.0.0.1", int(served.url.rpartition(":")[2]))
        idle = [socket.create_connection(address) for _ in range(1000)]
        slow = socket.create_connection(address)
        slow.sendall(b"POST /embed HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
        assert served.post("/embed", BODY).status_code == 200
        slow.settimeout(30)
        assert b" 408 " in slow.recv(1000)
        idle[0].settimeout(30)
        assert idle[0].recv(10) == b""  # closed by the service
        for each in (*idle, slow):
            each.close()


def test_a_reader_that_stops_is_left(files: Path, tmp_path: Path) -> None:
    model = f'[limits]\nslow = 1\n[[models]]\nfile = "{files}/feature-extraction.pte"\nthreads = 1\n'
    with serving(tmp_path, "--config", write_config(tmp_path, model)) as served:
        address = ("127.0.0.1", int(served.url.rpartition(":")[2]))
        with socket.socket() as reader:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.connect(address)
            body = b'{"inputs": [' + b",".join([b'"the bank"'] * 1000) + b"]}"
            head = b"POST /embed HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
            reader.sendall(head + body)
            time.sleep(3)
            assert served.post("/embed", BODY).status_code == 200


def test_a_full_disk_for_the_audit_log_is_counted_and_survived(files: Path, tmp_path: Path) -> None:
    with serving(tmp_path, files / "feature-extraction.pte", "--audit", "/dev/full", "--threads", "1") as served:
        for _ in range(5):
            assert served.post("/embed", BODY).status_code == 200


def test_a_unix_socket_is_private_and_removed_at_the_end(files: Path, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with serving(tmp_path, files / "feature-extraction.pte", "--socket", str(path)) as served:
        assert path.stat().st_mode & 0o777 == 0o660
        assert served.post("/embed", BODY).status_code == 200
        second = [sys.executable, "-m", "linnet", "serve", str(files / "fill-mask.pte"), "--socket", str(path)]
        done = subprocess.run(second, capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert "another process listens" in done.stderr
    assert not path.exists()


def test_tls_needs_both_files_and_serves(files: Path, tmp_path: Path) -> None:
    made = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
        "-subj", "/CN=localhost", "-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem"),
    ]  # fmt: skip
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    subprocess.run(made, check=True, capture_output=True)
    pem = ["--certificate", str(tmp_path / "cert.pem"), "--private-key", str(tmp_path / "key.pem")]
    with serving(tmp_path, files / "feature-extraction.pte", *pem) as served:
        assert served.url.startswith("https://")
        assert served.post("/embed", BODY).status_code == 200


WRONG: list[tuple[str, str, int]] = [
    ("nothing = 1", "there is no setting 'nothing'", 2),
    ("prot = 1", "did you mean", 2),
    ("[limits]\nbdy = '1MB'", "body", 2),
    ("[limits]\nbody = 'huge'", "500MB", 2),
    ("port = 70000", "port is 70000", 2),
    ("port = 'x'", "int", 2),
    ("certificate = 'x'", "private_key", 2),
    ("[[models]]\nfile = 'nowhere.pte'", "nowhere.pte", 3),
    ("x = [", "expected TOML", 2),
    ("", "at least one FILE", 2),
]


@pytest.mark.parametrize(("text", "message", "status"), WRONG)
def test_wrong_settings_are_refused_before_anything_starts(
    tmp_path: Path, files: Path, text: str, message: str, status: int
) -> None:
    config = write_config(tmp_path, text)
    model = [] if not text or "models" in text else [str(files / "fill-mask.pte")]
    command = [sys.executable, "-m", "linnet", "serve", *model, "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert message in done.stderr
    assert done.returncode == status, done.stderr


def test_answers_are_those_of_the_default_model(tmp_path: Path) -> None:
    path = linnet.default_model()
    with serving(tmp_path, f"intents={path}", "--replicas", "2") as served:
        found: list[Any] = served.post("/models/intents", {"inputs": ["turn the volume down"] * 40}).json()
        assert found == linnet.load()(["turn the volume down"] * 40)
        assert len(served.workers()) == 2


def test_the_log_holds_no_text(files: Path, tmp_path: Path) -> None:
    with serving(tmp_path, files / "feature-extraction.pte") as served:
        served.post("/embed", BODY)
        served.post("/embed", {"inputs": "volume " * 200})
        served.post("/embed", {"input": "volume"})
    assert "volume" not in served.log.read_text()
