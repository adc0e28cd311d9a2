"""Receipts of answers and their replay, bit for bit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from linnet_serve.receipts import read_receipt, write_receipt
from tests.support.serving import Served, serving

CHAT: dict[str, Any] = {"model": "chat", "messages": [{"role": "user", "content": "the bank"}], "max_tokens": 8}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("receipts")


@pytest.fixture(scope="module")
def witnessed(files: Path, decoder: Path, folder: Path) -> Iterator[Served]:
    config = folder / "serve.toml"
    config.write_text(f'receipts = true\nreceipt_key = "{folder}/receipts.key"\n')
    models: list[str | Path] = [f"chat={decoder}", files / "feature-extraction.pte", "--threads", "1"]
    with serving(folder, *models, "--config", config) as served:
        yield served


def replay(folder: Path, receipt: str, body: bytes, file: Path) -> subprocess.CompletedProcess[str]:
    (folder / "receipt.txt").write_text(receipt)
    (folder / "body.json").write_bytes(body)
    command = [
        sys.executable, "-m", "linnet", "replay", str(folder / "receipt.txt"), "--request", str(folder / "body.json"),
        "--file", str(file), "--key", str(folder / "receipts.key"), "--json",
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("more", [{}, {"n": 2, "temperature": 1.0}, {"seed": 3, "temperature": 1.0}])
def test_an_answer_is_repeated_bit_for_bit(witnessed: Served, folder: Path, decoder: Path, more: Any) -> None:
    body = json.dumps({**CHAT, **more}).encode()
    answer = witnessed.client.post("/v1/chat/completions", content=body)
    done = replay(folder, answer.headers["x-linnet-receipt"], body, decoder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["same"] is True


def test_a_stream_has_its_receipt_as_the_last_comment(witnessed: Served, folder: Path, decoder: Path) -> None:
    body = json.dumps({**CHAT, "stream": True, "temperature": 1.0}).encode()
    lines = witnessed.client.post("/v1/chat/completions", content=body).text.splitlines()
    receipt = next(line for line in lines if line.startswith(": receipt "))
    done = replay(folder, receipt, body, decoder)
    assert done.returncode == 0, done.stderr
    # the whole answer of the same request has the same results
    assert json.loads(done.stdout)["same"] is True


def test_embeddings_are_repeated(witnessed: Served, folder: Path, files: Path) -> None:
    body = b'{"inputs": ["the bank", "rain"]}'
    answer = witnessed.client.post("/embed", content=body)
    receipt = answer.headers["x-linnet-receipt"]
    found = read_receipt(receipt)
    assert (found.model, found.path, found.seed) == ("feature-extraction", "/embed", None)
    assert b"bank" not in msgspec.json.encode(found)
    assert replay(folder, receipt, body, files / "feature-extraction.pte").returncode == 0


def test_what_does_not_belong_together_is_refused(witnessed: Served, folder: Path, files: Path, decoder: Path) -> None:
    body = b'{"inputs": "the bank"}'
    receipt = witnessed.client.post("/embed", content=body).headers["x-linnet-receipt"]
    file = files / "feature-extraction.pte"
    forged = write_receipt(msgspec.structs.replace(read_receipt(receipt), output_hmac="0" * 64)).decode()
    for given, text, path, message in (
        (receipt, b'{"inputs": "the rain"}', file, "keyed hash differs"),
        (receipt, body, decoder, "SHA-256"),
        (forged, body, file, "another key"),
        ("nonsense", body, file, "expected a receipt"),
    ):
        done = replay(folder, given, text, path)
        assert done.returncode == 2, done.stdout
        assert message in done.stderr


def test_metrics_count_requests_and_what_the_workers_did(witnessed: Served) -> None:
    witnessed.post("/embed", {"inputs": "the bank is closed"})
    witnessed.post("/embed", {"inputs": "x", "wrong": 1})
    witnessed.post("/v1/chat/completions", {**CHAT, "guided_regex": "[a-z]{30}", "max_tokens": 30})
    text = witnessed.get("/metrics").text
    numbers = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[:1] != "#"}
    assert numbers['linnet_requests_total{route="embed",status="200"}'] >= 1
    assert numbers['linnet_requests_total{route="embed",status="400"}'] >= 1
    assert numbers['linnet_refusals_total{refusal="invalid"}'] >= 1
    assert numbers['linnet_inferences_total{model="feature-extraction"}'] >= 1
    assert numbers['linnet_tokens_total{model="chat",direction="output"}'] >= 8
    assert numbers['linnet_memory_bytes{memory="resident"}'] > 30e6
    assert "bank" not in text
