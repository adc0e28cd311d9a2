"""The SDK on real tiny files, in this process and in one where PyTorch cannot be imported."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import linnet
from linnet.errors import InvalidArgumentError, ThreadsFixedError
from linnet.replay import choose_cases, read_outputs

TEXT = "turn the volume down"
TEXTS = [TEXT, "", "the bank is open", "rain", "turn " * 30, "play music"]

_DEVICE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers", "executorch", "torchao", "tokenizers"):
            raise ImportError(name + " is not on this device")

sys.meta_path.insert(0, Refuse())
import json
import linnet
from linnet.cli import main as cli

folder = sys.argv[1]
text = "turn the volume down"
answers = {}
for task in ("text-classification", "token-classification", "fill-mask", "feature-extraction"):
    with linnet.load(f"{folder}/{task}.pte") as model:
        answers[task] = model("the [MASK] is open")
        if task == "feature-extraction":
            answers["encode"] = model.encode([text, "rain"], normalize_embeddings=True).tolist()
with linnet.load(open(f"{folder}/question-answering.pte", "rb").read()) as model:
    answers["question-answering"] = model(question="how", context="turn it down and up again " * 20)
with linnet.load(f"{folder}/text-ranking.pte") as model:
    answers["text-ranking"] = model.rank("music", ["play music", "the bank"])
assert not {"linnet_bench", "linnet_export", "linnet_train"} & set(sys.modules)
assert cli.main(["verify", f"{folder}/fill-mask.pte"]) == 0
assert cli.main(["inspect", f"{folder}/fill-mask.pte"]) == 0
assert cli.main(["doctor"]) == 0
assert cli.main(["export", "x"]) == 2
print(json.dumps(answers))
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules} & {"torch", "transformers", "executorch"})))
"""


def test_everything_runs_where_torch_cannot_be_imported(files: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _DEVICE, str(files)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    *_, answers, heavy = done.stdout.splitlines()
    assert json.loads(heavy) == []
    found = json.loads(answers)
    assert len(found) == 7
    with linnet.load(files / "text-classification.pte") as model:
        assert found["text-classification"] == model("the [MASK] is open")
    assert 'pip install "linnet[export]"' in done.stderr


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


# -- replay ----------------------------------------------------------------------------------------


def replay(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "linnet.replay", *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("task", ["fill-mask", "question-answering", "feature-extraction"])
def test_replay_writes_what_the_program_said(files: Path, tmp_path: Path, task: str) -> None:
    pair = {"pair": "the bank is open"} if task == "question-answering" else {}
    rows = [{"text": f"the [MASK] {word}", **pair} for word in ("is", "music", "play the music", "rain")]
    texts, out, golden = (tmp_path / name for name in ("texts.jsonl", "out.npz", "golden.json"))
    texts.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    path = files / f"{task}.pte"
    done = replay("--model", path, "--texts", texts, "--output", out, "--golden", golden, "--cases", 3)
    assert done.returncode == 0, done.stderr
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    assert messages[0] == {"done": 1, "total": 4}
    assert messages[-1] == {"finished": True, "threads": 0, "foreign": []}
    answers = read_outputs(out)
    with linnet.load(path) as model:
        for row, answer in zip(rows, answers, strict=True):
            encoding = model.tokenize(row["text"], row.get("pair"))
            np.testing.assert_array_equal(answer.ids, encoding.ids)
            expected = model.run(encoding)
            if task == "fill-mask":
                expected = {"logits": expected["logits"][encoding.ids == model.manifest.mask_id]}
            assert set(answer.outputs) == set(expected)
            for name, values in expected.items():
                np.testing.assert_allclose(answer.outputs[name], values, atol=1e-6)
    cases = json.loads(golden.read_text(encoding="utf-8"))
    assert len(cases) == 3
    assert {case["text"] for case in cases} <= {row["text"] for row in rows}


def test_replay_refuses_in_one_line(files: Path, tmp_path: Path) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text('{"txt": 1}\n')
    common = ("--texts", texts, "--output", tmp_path / "o.npz", "--golden", tmp_path / "g.json")
    for model in (files / "text-classification.pte", tmp_path / "none.pte"):
        done = replay("--model", model, *common)
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "o.npz").exists()


def test_cases_are_spread_over_the_lengths() -> None:
    assert choose_cases([9, 3, 100, 5, 7, 200, 4], 3) == [0, 1, 3]
    assert choose_cases([9, 3], 8) == [0, 1]
    assert choose_cases([100, 90], 1) == [1]
    assert choose_cases([], 4) == []
    assert choose_cases([5], 0) == []


# -- start-up --------------------------------------------------------------------------------------


def modules_after(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


def test_importing_linnet_is_light() -> None:
    loaded = modules_after("import linnet")
    assert not loaded & {"numpy", "linnet_runtime", "rich", "argparse", "importlib.metadata"}


def test_version_and_help_load_no_numpy() -> None:
    for argument in ("--version", "--help"):
        code = f"from linnet.cli.main import main\ntry:\n    main(['{argument}'])\nexcept SystemExit:\n    pass"
        assert not modules_after(code) & {"numpy", "rich"}


def test_a_run_loads_only_what_it_needs(files: Path) -> None:
    path = files / "text-classification.pte"
    loaded = modules_after(f"from linnet.cli.main import main\nmain(['run', {str(path)!r}, 'x'])")
    assert not loaded & {
        "rich",
        "csv",
        "linnet.format.evidence",
        "linnet.format.golden",
        "linnet.golden_replay",
        "linnet_bench.accuracy.evaluation",
        "importlib.metadata",
        "torch",
    }


@pytest.mark.parametrize("task", ["text-classification", "fill-mask", "question-answering"])
def test_every_operator_of_a_profile_has_its_layer(files: Path, task: str) -> None:
    code = """
import dataclasses, json, sys
from linnet_bench.measure.probe import profile_forward, time_forward
from linnet_bench.record.sampling import Sampling
from linnet.model import Model
from linnet.runtime import open_runtime
runtime = open_runtime(sys.argv[1], 1)
model = Model(runtime)
sampling = Sampling(seconds=None, samples=3)
plain = time_forward(model, runtime, 9, sampling)
runtime.set_profiling(True)
profile, _ = profile_forward(model, runtime, plain, sampling, 0)
print(json.dumps([model.raw_evidence, dataclasses.asdict(profile)]))
"""
    command = [sys.executable, "-c", code, str(files / f"{task}.pte")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    evidence, profile = json.loads(done.stdout)
    places = evidence["places"]["forward"]
    assert ["partition" in place for place in places].count(True) == evidence["report"]["partitions"]["forward"]
    assert len(places) == len(profile["steps"]) - 1  # the executor is no instruction
    linears = {name for place in profile["places"] if place["name"].startswith("Fully") for name in [place["layer"]]}
    layer = {f"body.layers.0.{name}" for name in ("attention.query", "attention.key", "expand", "contract")}
    assert layer <= linears
    assert "" not in linears
    assert sum(row["share"] for row in profile["layers"]) == pytest.approx(1)
