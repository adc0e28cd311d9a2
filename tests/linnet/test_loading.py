"""Loaded models on real tiny files: batches, path and bytes, closing, threads."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import linnet
from linnet.errors import InvalidArgumentError, ThreadsFixedError

TEXT = "turn the volume down"

TEXTS = [TEXT, "", "the bank is open", "rain", "turn " * 30, "play music"]


def test_a_batch_method_answers_as_single_texts(files: Path) -> None:
    with linnet.load(files / "text-classification.pte") as model:
        assert model.manifest.max_batch == 4
        batched = model(TEXTS, top_k=None)
        single = model(TEXTS, top_k=None, batch_size=1)
    for left, right in zip(batched, single, strict=True):
        assert [answer["label"] for answer in left] == [answer["label"] for answer in right]
        np.testing.assert_allclose([x["score"] for x in left], [x["score"] for x in right], atol=1e-5)


def test_path_and_bytes_answer_alike(files: Path) -> None:
    path = files / "feature-extraction.pte"
    with linnet.load(path) as mapped, linnet.load(path.read_bytes()) as copied:
        np.testing.assert_array_equal(mapped.encode(TEXTS), copied.encode(TEXTS))
        assert mapped.path == str(path)
        assert copied.path is None


def test_use_after_close_is_named(files: Path) -> None:
    model = linnet.load(files / "text-classification.pte")
    model.close()
    model.close()
    assert model.manifest.task == "text-classification"
    with pytest.raises(InvalidArgumentError):
        model(TEXT)


def test_another_thread_count_is_named(files: Path) -> None:
    path = files / "text-classification.pte"
    script = (
        "import linnet, sys\n"
        "from linnet.errors import ThreadsFixedError\n"
        'linnet.load(sys.argv[1], threads=1)("x")\n'
        "linnet.load(sys.argv[1], threads=1)\n"
        "linnet.load(sys.argv[1])\n"
        "try:\n    linnet.load(sys.argv[1], threads=2)\n"
        "except ThreadsFixedError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert issubclass(ThreadsFixedError, linnet.LinnetError)


def test_one_model_serves_several_threads(files: Path) -> None:
    with linnet.load(files / "text-classification.pte") as model:
        expected = model(TEXTS, top_k=None, batch_size=1)
        found: dict[int, Any] = {}

        def work(index: int) -> None:
            found[index] = [model(TEXTS, top_k=None, batch_size=1) for _ in range(10)]

        threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert all(answers == [expected] * 10 for answers in found.values())
    assert len(found) == 4
