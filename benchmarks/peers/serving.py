"""Embeddings over HTTP: ``linnet serve`` beside a FastAPI server with ONNX Runtime, and beside the model in process.

    python -m benchmarks.peers.serving [--file minilm.pte] [--seconds 5] [--rounds 3] [--json]

Both servers answer OpenAI's /v1/embeddings with texts of 32 tokens of all-MiniLM-L6-v2 in int8, with keys, on the same
two processes. wrk (Debian's package) asks with eight connections; rounds alternate between the servers. The latency is
that of a client that asks at 70 % of the measured rate. In process means the same number of processes that only embed.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import http.client
import json
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.paths import ROOT
from benchmarks.peers.environments import interpreter
from benchmarks.peers.models import MODELS, checkpoint_folder, linnet_file, onnx_file
from benchmarks.service import running_service

__all__ = ["main"]

TEXT = (
    "the quick brown fox jumps over the lazy dog and then it runs away from a very angry farmer who wants to catch it "
    "before the sun goes down today"
)
"""32 tokens of all-MiniLM-L6-v2, special tokens included."""

_CONNECTIONS = 8
_PROCESSES = 2
_SHARE = 0.7  # of the measured rate, at which latency is measured
_FEWEST = 20  # requests of a latency
_START_SECONDS = 60.0
_MODEL = "minilm"


@dataclasses.dataclass
class Rates:
    """What one way of asking reached, one number for each round.

    Attributes:
        texts: texts a second.
        p50, p99: milliseconds of a request at 70 % of that rate.
    """

    texts: list[float] = dataclasses.field(default_factory=list)
    p50: list[float] = dataclasses.field(default_factory=list)
    p99: list[float] = dataclasses.field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, help="linnet file of all-MiniLM-L6-v2 (default: exported here)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of one measurement")
    parser.add_argument("--rounds", type=int, default=3, help="alternating measurements of each server")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(arguments)
    if shutil.which("wrk") is None:
        print("wrk is missing: apt-get install wrk", file=sys.stderr)
        return 4
    spec = MODELS["minilm-l6"]
    file = args.file or linnet_file(spec)
    results: dict[str, Rates] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        peer = [str(onnx_file(spec, "fused")), str(checkpoint_folder(spec) / "tokenizer.json")]
        with _linnet(folder, file) as ours, _fastapi(folder, peer) as theirs:
            for _ in range(args.rounds):
                _add(results, "in process", _in_process(file, args.seconds))
                for texts in (1, 16):
                    for server, key, port in (("linnet serve", *ours), ("FastAPI + ONNX Runtime", *theirs)):
                        found = results.setdefault(f"{server}, {texts} a request", Rates())
                        _measure(found, folder, key, port, texts, args.seconds)
    _print(results, as_json=args.json)
    return 0


def _add(results: dict[str, Rates], name: str, rate: float) -> None:
    results.setdefault(name, Rates()).texts.append(rate)


# -- servers -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def _linnet(folder: Path, file: Path) -> Iterator[tuple[str, int]]:
    """Run ``linnet serve`` with two workers of one thread and a key; yield the key and the port."""
    keys = folder / "keys.json"
    made = [sys.executable, "-m", "linnet", "serve", "keys", "add", "bench", "--keys", str(keys)]
    key = subprocess.run(made, capture_output=True, text=True, check=True).stdout.strip()
    options = ["--keys", str(keys), "--replicas", str(_PROCESSES)]
    with running_service(f"{_MODEL}={file}", *options) as service:
        yield key, service.port


@contextlib.contextmanager
def _fastapi(folder: Path, arguments: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Run the FastAPI server with two processes of one thread; yield its key and its port."""
    key, port = "bench-key", _free_port()
    script = ROOT / "benchmarks" / "peers" / "serving_fastapi.py"
    command = [interpreter("fastapi"), str(script), *arguments, key, str(port), str(_PROCESSES)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=(folder / "fastapi.log").open("w")) as process:
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not _answers(key, port):
                if time.monotonic() > deadline or process.poll() is not None:
                    raise RuntimeError(
                        f"the FastAPI server did not start: {(folder / 'fastapi.log').read_text()[-800:]}"
                    )
                time.sleep(0.2)
            yield key, port
        finally:
            process.terminate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _answers(key: str, port: int) -> bool:
    try:
        return _ask(http.client.HTTPConnection("127.0.0.1", port, timeout=5), key, _body(1)) == 200
    except OSError:
        return False


# -- load --------------------------------------------------------------------------------------------


def _body(texts: int) -> str:
    return json.dumps({"model": _MODEL, "input": [TEXT] * texts, "encoding_format": "base64"})


def _ask(connection: http.client.HTTPConnection, key: str, body: str) -> int:
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    connection.request("POST", "/v1/embeddings", body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _measure(found: Rates, folder: Path, key: str, port: int, texts: int, seconds: float) -> None:
    rate = _wrk(folder, key, port, texts, seconds)
    found.texts.append(rate * texts)
    times = sorted(_at_rate(key, port, texts, _SHARE * rate, seconds))
    found.p50.append(1e3 * statistics.median(times))
    found.p99.append(1e3 * times[int(0.99 * (len(times) - 1))])


def _wrk(folder: Path, key: str, port: int, texts: int, seconds: float) -> float:
    """Return the requests a second that eight connections get answered with status 200."""
    script = folder / "post.lua"
    script.write_text(
        'wrk.method = "POST"\n'
        f"wrk.body = {json.dumps(_body(texts))}\n"
        f'wrk.headers["authorization"] = "Bearer {key}"\n'
        'wrk.headers["content-type"] = "application/json"\n'
    )
    command = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(script)]
    said = subprocess.run(
        [*command, f"http://127.0.0.1:{port}/v1/embeddings"], capture_output=True, text=True, check=True
    ).stdout
    if "Non-2xx" in said:
        raise RuntimeError(f"not every request was answered: {said}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert found is not None, said
    return float(found[1])


def _at_rate(key: str, port: int, texts: int, rate: float, seconds: float) -> list[float]:
    """Return the seconds of requests that are sent at fixed times, waiting for a free connection included."""
    body, begun = _body(texts), time.perf_counter() + 0.1
    times: list[float] = []
    numbers = iter(range(max(_FEWEST, int(rate * seconds))))
    lock = threading.Lock()

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            due = begun + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            assert _ask(connection, key, body) == 200
            times.append(time.perf_counter() - due)

    workers = [threading.Thread(target=work) for _ in range(_CONNECTIONS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return times


_CHILD = """
import sys, time, linnet
model = linnet.load(sys.argv[1], threads=1)
text, seconds, count = sys.argv[2], float(sys.argv[3]), 0
model.encode(text)
print("ready", flush=True)
sys.stdin.readline()
begun = time.perf_counter()
while time.perf_counter() - begun < seconds:
    model.encode(text, normalize_embeddings=True)
    count += 1
print(count / (time.perf_counter() - begun))
"""


def _in_process(file: Path, seconds: float) -> float:
    """Return the texts a second of two processes that only embed."""
    command = [sys.executable, "-c", _CHILD, str(file), TEXT, str(seconds)]
    with contextlib.ExitStack() as stack:
        children = [
            stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(_PROCESSES)
        ]
        for child in children:
            assert child.stdout is not None
            child.stdout.readline()
        for child in children:
            assert child.stdin is not None
            child.stdin.write("\n")
            child.stdin.flush()
        return sum(float(child.stdout.readline()) for child in children if child.stdout is not None)


def _print(results: dict[str, Rates], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({name: dataclasses.asdict(rates) for name, rates in results.items()}))
        return
    whole = statistics.median(results["in process"].texts)
    print(f"{'':38} {'texts/s':>8} {'of in process':>14} {'p50 ms':>8} {'p99 ms':>8}")
    for name, rates in results.items():
        reached = statistics.median(rates.texts)
        times = [f"{statistics.median(values):.2f}" if values else "" for values in (rates.p50, rates.p99)]
        print(f"{name:38} {reached:8.0f} {reached / whole:13.0%} {times[0]:>8} {times[1]:>8}")


if __name__ == "__main__":
    sys.exit(main())
