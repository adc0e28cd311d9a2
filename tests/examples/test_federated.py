"""Federated training: how rows are dealt out, what travels, and the whole of it with Flower."""

import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from examples.federated.__main__ import deal
from examples.federated.local import AdapterModel
from tests.support.checkpoints import write_checkpoint

ROOT = Path(__file__).parents[2]
ROWS = [{"text": f"{word} the {other}", "label": word} for word in ("play", "open") for other in "abcdefghij"]


def test_rows_are_dealt_out_once_and_unequally() -> None:
    rows = [{"text": f"{label}{number}", "label": label} for label in "abcdef" for number in range(50)]
    hands = deal(rows, 4, seed=1)
    assert sorted(row["text"] for hand in hands for row in hand) == sorted(row["text"] for row in rows)
    shares = [sum(row["label"] == "a" for row in hand) / 50 for hand in hands]
    assert max(shares) > 2 * min(shares)
    assert deal(rows, 4, seed=1) == hands
    assert all(deal(rows[:5], 4, seed=3))


def test_adapters_travel_and_nothing_else(tmp_path: Path) -> None:
    encoder = write_checkpoint(tmp_path / "encoder", "bert", "feature-extraction")
    one, other = (AdapterModel(str(encoder), ["open", "play"]) for _ in range(2))
    start = one.weights()
    assert all("lora_" in name or "classifier" in name or "pooler" in name for name in start)
    assert all(torch.equal(value, other.weights()[name]) for name, value in start.items())
    one.fit(ROWS, epochs=10, seed=0, learning_rate=1e-2)
    assert one.accuracy(ROWS) == 1.0
    other.load(one.weights())
    assert other.accuracy(ROWS) == 1.0
    other.load(start)
    assert other.accuracy(ROWS) < 1.0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_clients_train_together_with_flower(tmp_path: Path) -> None:
    encoder = write_checkpoint(tmp_path / "encoder", "bert", "feature-extraction")
    make = shutil.which("make")
    if make is None:
        pytest.skip("no make here")
    arguments = f"-o {tmp_path / 'out'} --clients 2 --rounds 1"
    done = subprocess.run(
        [make, "federated", f"MODEL={encoder}", "DATA=", f"ARGS={arguments}"],
        cwd=ROOT, capture_output=True, text=True, timeout=850,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "round 1: accuracy" in done.stdout
    assert "all rows in one place" in done.stdout
    assert (tmp_path / "out" / "model.pte").is_file()
