"""Embeddings of models that leave the prompt out of the pooling, compared with what sentence-transformers gave."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import linnet
import linnet_export
from linnet.cli.main import main
from linnet.format.golden import compare_outputs
from linnet.golden_replay import replay_evidence, rerun_evidence
from linnet.model import Model
from linnet.runtime import FloatArray, IntArray
from linnet_bench.compare.answers import ask_all, texts_for
from linnet_bench.measure.candidate import open_all
from linnet_bench.measure.probe import forward_inputs
from linnet_bench.remote.runner_job import prepare_job
from linnet_export.checkpoint import load_checkpoint
from linnet_export.errors import CheckpointError
from linnet_export.graph.program import DeviceProgram, device_module
from linnet_export.output.report import ExportReport
from linnet_export.tokenizer import tokenizer_bytes
from tests.linnet_export.make_prompt_cases import CASES
from tests.support.prompted import FREE, KINDS, MAX_LENGTH, POOLINGS, PROMPTS, TEXTS, WIDTH, write_prompted
from tests.support.sdk_fakes import FakeRuntime, make_manifest

pytestmark = pytest.mark.filterwarnings("ignore::linnet.TruncationWarning")
ALL = "+".join(POOLINGS)
EXPORTED = "+".join(POOLINGS[:-1])  # XNNPACK joins at most five


def cases(kind: str) -> list[tuple[dict[str, Any], FloatArray]]:
    """Return the arguments of encode() and what sentence-transformers gave for all texts and poolings."""
    read = json.loads(CASES.read_text(encoding="utf-8"))["cases"]
    return [(case["call"], np.array(case["vectors"], np.float32)) for case in read if case["kind"] == kind]


@dataclasses.dataclass
class EagerRuntime(FakeRuntime):
    """A runtime over device graphs as PyTorch runs them."""

    methods_by_name: dict[str, DeviceProgram] = dataclasses.field(default_factory=dict)

    def run(self, method: str, inputs: Sequence[IntArray]) -> list[FloatArray]:
        self.calls.append((method, *inputs[0].shape))
        with torch.inference_mode():
            return [output.numpy() for output in self.methods_by_name[method](*map(torch.from_numpy, inputs))]


def eager_model(folder: Path, kind: str, pooling: str) -> Model:
    """Return a model over the float32 graphs of both methods, with the true tokenizer."""
    config = linnet_export.ExportConfig(model=str(write_prompted(folder, kind, pooling)), output=folder / "m.pte")
    checkpoint = load_checkpoint(config)
    assert checkpoint.sentence is not None
    assert not checkpoint.sentence.include_prompt
    program = device_module(
        checkpoint.model, checkpoint.task, pooling=pooling, max_length=MAX_LENGTH, token_types=False, pools_part=True
    )
    tokenizer = tokenizer_bytes(checkpoint.tokenizer)
    special = {f"{role}_id": checkpoint.special_id(role) for role in ("pad", "unk", "cls", "sep", "mask")}
    manifest = make_manifest(
        "feature-extraction",
        tokenizer_kind=tokenizer.kind,
        tokenizer=tokenizer.data,
        vocab_size=checkpoint.vocab_size,
        max_length=MAX_LENGTH,
        max_batch=4,
        inputs=program.inputs,
        batch_inputs=program.with_mask().inputs,
        embedding_size=checkpoint.embedding_size,
        prompt_names=tuple(PROMPTS),
        prompts=tuple(PROMPTS.values()),
        default_prompt="query",
        **special,
    )
    methods = {"forward": program, "forward_batch": program.with_mask()}
    return Model(EagerRuntime(manifest, lambda ids, types: [], methods_by_name=methods))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pooling", [*POOLINGS, "mean+cls", ALL])
def test_each_pooling_leaves_the_prompt_out(tmp_path: Path, kind: str, pooling: str) -> None:
    model = eager_model(tmp_path, kind, pooling)
    assert model.manifest.inputs == ("input_ids", "pooling_mask")
    assert model.manifest.batch_inputs == ("input_ids", "pooling_mask", "attention_mask")
    at = [POOLINGS.index(name) * WIDTH for name in pooling.split("+")]
    for call, vectors in cases(kind):
        expected = np.concatenate([vectors[:, start : start + WIDTH] for start in at], axis=1)
        for batch_size in (1, 3, 4):
            found = model.encode(TEXTS, batch_size=batch_size, **call)
            np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=str(call))


def test_a_call_without_a_prompt_pools_every_token(tmp_path: Path) -> None:
    model = eager_model(tmp_path, "wordpiece", "mean")
    text = PROMPTS["query"] + "open"
    plain = model.encode(text, prompt="")
    np.testing.assert_allclose(model(text)[0], plain, atol=1e-6)
    np.testing.assert_allclose(model.run(model.tokenize(text))["embedding"], plain, atol=1e-6)
    found = model.run(model.tokenize(text), prompt_tokens=model.prompt_tokens(PROMPTS["query"]))
    np.testing.assert_allclose(found["embedding"], model.encode("open"), atol=1e-6)
    assert np.abs(model.encode("open") - plain).max() > 1e-2


def test_the_proof_counts_the_prompt_as_sentence_transformers(tmp_path: Path) -> None:
    # len(model.preprocess([prompt])["input_ids"][0]) less 1 where the last token is special, by hand
    expected = {"wordpiece": (5, 7, 4, 19), "unigram": (6, 4, 5, 19), "unigram without an end": (6, 4, 4, 20)}
    for kind, lengths in expected.items():
        config = linnet_export.ExportConfig(model=str(write_prompted(tmp_path / kind, kind)), output=tmp_path / "m.pte")
        original = load_checkpoint(config).original
        prompts = [PROMPTS[name] for name in ("query", "seam", "unknown", "long")]
        assert tuple(original.prompt_length(prompt, MAX_LENGTH) for prompt in prompts) == lengths
        assert original.prompt_length("", MAX_LENGTH) == 0


def test_a_prompt_whose_end_is_not_clear_is_refused(tmp_path: Path) -> None:
    folder = write_prompted(tmp_path / "checkpoint", "unigram without an end")
    # special for transformers, and none of the roles that a file has
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, "extra_special_tokens": [":"]}))
    prompts = {"prompts": {"odd": "turn the music:"}, "default_prompt_name": None}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(prompts))
    with pytest.raises(CheckpointError, match=r"prompt 'odd' ends in a token.*takes 4 of.*linnet would take 5"):
        load_checkpoint(linnet_export.ExportConfig(model=str(folder), output=tmp_path / "m.pte"))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> ExportReport:
    folder = tmp_path_factory.mktemp("prompted")
    config = linnet_export.ExportConfig(
        model=str(write_prompted(folder / "checkpoint", "wordpiece", EXPORTED)),
        output=folder / "m.pte",
        recipe="fp32",
        max_batch=4,
    )
    return linnet_export.export(config)


def test_a_file_is_proven_and_answers_as_sentence_transformers(report: ExportReport) -> None:
    assert report.status == "proven"
    assert report.figures["max_error"] <= 1e-4
    with linnet.load(report.path) as model:
        for call, expected in cases("wordpiece"):
            for batch_size in (1, 3):
                found = model.encode(TEXTS, batch_size=batch_size, **call)
                np.testing.assert_allclose(found, expected[:, :-WIDTH], atol=1e-5, err_msg=str(call))


def test_the_golden_cases_leave_the_default_prompt_out(
    report: ExportReport, capsys: pytest.CaptureFixture[str]
) -> None:
    with linnet.load(report.path, self_test=False) as model:
        golden = model.evidence.golden
        assert {case.prompt_tokens for case in golden} == {5}
        assert all(case.text.startswith(PROMPTS["query"]) for case in golden)
        results = [*replay_evidence(model), *rerun_evidence(model)]
        assert [result.problems for result in results if result.problems] == []
        wrong = dataclasses.replace(golden[0], prompt_tokens=0)
        model.evidence = dataclasses.replace(model.evidence, golden=(wrong,))
        assert rerun_evidence(model)[0].problems
    assert main(["verify", str(report.path)]) == 0
    assert "golden" in capsys.readouterr().out


def test_compared_answers_leave_the_prompt_out_too(report: ExportReport, tmp_path: Path) -> None:
    opened = open_all([report.path, Path(shutil.copy(report.path, tmp_path / "other.pte"))], 0)[:1]
    texts = [text for text in texts_for(opened, None, None) if text.prompt]
    golden = opened[0].evidence.golden
    assert [text.text for text in texts] == [case.text for case in golden]
    (answers,) = ask_all(opened, texts, None, None, threads=0)
    for case, outputs in zip(golden, answers.outputs, strict=True):
        assert not compare_outputs(case, outputs, 1e-4).problems


def test_the_measuring_commands_give_the_mask(report: ExportReport) -> None:
    with linnet.load(report.path, self_test=False) as model:
        ids, mask = forward_inputs(model, model._runtime, 8)
        assert mask.tolist() == [[1] * 8]
        assert ids.shape == mask.shape
        golden = model.evidence.golden[0]
    job, _ = prepare_job(report.path, [8])
    head, _, first, *_ = job.text.splitlines()
    assert head == "linnet-bench-job 1 2"
    _, length, *numbers = first.split()
    assert numbers[int(length) : 2 * int(length)] == ["0"] * 5 + ["1"] * (int(length) - 5)
    assert numbers[: int(length)] == list(map(str, golden.ids))


def test_a_free_prompt_is_counted_too(report: ExportReport) -> None:
    with linnet.load(report.path, self_test=False) as model:
        assert model.prompt_tokens(FREE) == 3
        assert model.prompt_tokens("") == 0
