"""The whole path: tiny checkpoints of every task, exported, proven, loaded and compared with transformers."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers

import linnet
import linnet_export
from linnet.cli.main import main
from linnet.errors import InvalidArgumentError, ManifestInvalidError
from linnet.format.trailer import read_trailer
from linnet.golden_replay import replay_evidence
from linnet_export.checkpoint import source as checkpoint_source
from linnet_export.cli import name_log
from linnet_export.config import RECIPES
from linnet_export.errors import CheckpointError, OutputExistsError, OverBudgetError, ProofError
from linnet_export.quantize import recipes
from linnet_export.quantize.apply import NothingQuantizedError
from tests.support.checkpoints import write_checkpoint, write_sentence_modules

TEXTS = ["turn the volume down", "", "Is the bakery open on Sunday?", "reset my password " * 40]
TASKS = [
    "feature-extraction",
    "fill-mask",
    "question-answering",
    "text-classification",
    "text-ranking",
    "token-classification",
]


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_proven(exported: Callable[..., Any], task: str) -> None:
    _, report = exported(task)
    assert report.status == "proven"
    assert report.figures["max_error"] <= 1e-4
    assert set(report.parts) == {"embedding", "linears", "other"}
    assert report.planned_bytes["forward"] > 0
    assert list(report.seconds) == ["checkpoint", "graph", "quantize", "lower", "write", "prove"]


@pytest.mark.parametrize("task", TASKS)
def test_the_trailer_keeps_report_and_evidence(exported: Callable[..., Any], task: str) -> None:
    _, report = exported(task)
    evidence = read_trailer(report.path).evidence
    assert evidence["status"] == "proven"
    assert evidence["report"]["parts"] == report.parts
    assert evidence["proof"]["max_error"] == report.figures["max_error"]
    assert len(evidence["golden"]) >= 4
    assert not list(report.path.parent.glob(".*partial*"))


def test_classes_are_those_of_the_pipeline(exported: Callable[..., Any]) -> None:
    checkpoint, report = exported("text-classification")
    oracle = transformers.pipeline("text-classification", model=str(checkpoint), tokenizer=str(checkpoint), top_k=None)
    with linnet.load(report.path) as model, pytest.warns(linnet.TruncationWarning):
        found = model(TEXTS, top_k=None)
    expected: Any = oracle(TEXTS, truncation=True, max_length=64)
    for mine, theirs in zip(found, expected, strict=True):
        assert [answer["label"] for answer in mine] == [answer["label"] for answer in theirs]
        assert [answer["score"] for answer in mine] == pytest.approx([answer["score"] for answer in theirs], abs=1e-5)


def test_tags_are_those_of_the_pipeline(exported: Callable[..., Any]) -> None:
    checkpoint, report = exported("token-classification")
    oracle = transformers.pipeline(
        "token-classification", model=str(checkpoint), tokenizer=str(checkpoint), aggregation_strategy="simple"
    )
    text = "Turn the volume down at the bakery,\n please 😍 now"
    with linnet.load(report.path) as model:
        found = model(text, aggregation_strategy="simple")
    theirs = oracle(text)
    assert len(found) == len(theirs) > 0
    for mine, expected in zip(found, theirs, strict=True):
        assert {k: v for k, v in mine.items() if k != "score"} == {k: v for k, v in expected.items() if k != "score"}
        assert mine["score"] == pytest.approx(float(expected["score"]), abs=1e-5)


def test_masks_are_filled_as_by_the_pipeline(exported: Callable[..., Any]) -> None:
    checkpoint, report = exported("fill-mask")
    oracle = transformers.pipeline("fill-mask", model=str(checkpoint), tokenizer=str(checkpoint))
    with linnet.load(report.path) as model:
        found = model("turn the [MASK] down", top_k=3)
    for mine, theirs in zip(found, oracle("turn the [MASK] down", top_k=3), strict=True):
        assert {k: v for k, v in mine.items() if k != "score"} == {k: v for k, v in theirs.items() if k != "score"}
        assert mine["score"] == pytest.approx(theirs["score"], abs=1e-5)


def test_embeddings_are_pooled_and_normalized_in_the_program(exported: Callable[..., Any]) -> None:
    checkpoint, report = exported("feature-extraction")
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    body = transformers.AutoModel.from_pretrained(checkpoint).eval()
    with linnet.load(report.path) as model, pytest.warns(linnet.TruncationWarning):
        found = model.encode(TEXTS)
    for row, text in zip(found, TEXTS, strict=True):
        inputs = tokenizer(text, return_tensors="pt", truncation=True, max_length=48)
        with torch.inference_mode():
            expected = body(**inputs).last_hidden_state[0].mean(0)
        np.testing.assert_allclose(row, (expected / expected.norm()).numpy(), atol=1e-5)


def test_pairs_are_ranked_as_by_the_model(exported: Callable[..., Any]) -> None:
    checkpoint, report = exported("text-ranking")
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    original = transformers.AutoModelForSequenceClassification.from_pretrained(checkpoint).eval()
    passages = ["the bakery is closed", "reset my password", "open the settings"]
    inputs = [tokenizer("how do i reset it", passage, return_tensors="pt") for passage in passages]
    with torch.inference_mode():
        expected = [float(torch.sigmoid(original(**encoded).logits[0, 0])) for encoded in inputs]
    with linnet.load(report.path) as model:
        found = model.rank("how do i reset it", passages)
    assert [passage["corpus_id"] for passage in found] == np.argsort(-np.array(expected)).tolist()
    for passage in found:
        assert passage["score"] == pytest.approx(expected[passage["corpus_id"]], abs=1e-5)


def test_an_answer_is_a_piece_of_the_context(exported: Callable[..., Any]) -> None:
    _, report = exported("question-answering")
    context = "The bakery at the corner opens at six. " * 8
    with linnet.load(report.path) as model:
        found = model(question="When does it open?", context=context)
    assert set(found) == {"score", "start", "end", "answer"}
    assert context[found["start"] : found["end"]] == found["answer"]


def test_int8_is_proven_against_the_original(exported: Callable[..., Any]) -> None:
    _, report = exported("feature-extraction", recipe="int8")
    assert report.figures["cosine_worst"] >= 0.97
    with linnet.load(report.path) as model:
        assert model.manifest.recipe == "int8"
        assert "quantized" in model.manifest.kernel_libraries


def test_batches_answer_as_single_texts_do(exported: Callable[..., Any]) -> None:
    _, single = exported("feature-extraction")
    _, batched = exported("feature-extraction", max_batch=4)
    assert set(batched.partitions) == {"forward", "forward_batch"}
    # both methods read the same weights
    assert batched.file_bytes < 1.25 * single.file_bytes + 100_000
    texts = ["turn the volume down", "open", "", "the bakery is closed at six", "light"]
    with linnet.load(single.path) as one, linnet.load(batched.path) as many:
        np.testing.assert_allclose(many.encode(texts, batch_size=4), one.encode(texts), atol=1e-5)


def test_prompts_travel_with_the_file(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    write_sentence_modules(checkpoint, prompts={"query": "turn: ", "passage": "the: "}, default_prompt="query")
    config = linnet_export.ExportConfig(model=str(checkpoint), output=tmp_path / "m.pte", recipe="fp32")
    report = linnet_export.export(config)
    with linnet.load(report.path) as model:
        plain = model.encode("turn: open", prompt="")
        np.testing.assert_array_equal(model.encode("open"), plain)
        np.testing.assert_array_equal(model.encode("open", prompt_name="query"), plain)
        assert not np.array_equal(model.encode("open", prompt_name="passage"), plain)


def test_modules_of_sentence_transformers_are_in_the_program(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    write_sentence_modules(checkpoint, prompts={"passage": ""}, max_seq_length=None)
    for path, changes in (
        ("1_Pooling/config.json", {"pooling_mode": ["mean", "weightedmean"]}),
        ("config_sentence_transformers.json", {"truncate_dim": 8}),
        ("tokenizer_config.json", {"model_max_length": 20}),
    ):
        settings = json.loads((checkpoint / path).read_text())
        (checkpoint / path).write_text(json.dumps({**settings, **changes}))
    config = linnet_export.ExportConfig(model=str(checkpoint), output=tmp_path / "m.pte", recipe="fp32")
    report = linnet_export.export(config)
    tokenizer = transformers.AutoTokenizer.from_pretrained(checkpoint)
    body = transformers.AutoModel.from_pretrained(checkpoint).eval()
    with linnet.load(report.path) as model:
        with pytest.warns(linnet.TruncationWarning):
            found = model.encode(TEXTS, prompt_name="passage")
        np.testing.assert_array_equal(model.encode(TEXTS[0], prompt_name="document"), found[0])
    assert found.shape == (len(TEXTS), 8)
    for row, text in zip(found, TEXTS, strict=True):
        inputs = tokenizer(text, return_tensors="pt", truncation=True)
        with torch.inference_mode():
            rows = body(**inputs).last_hidden_state[0]
        weights = torch.arange(1, len(rows) + 1)[:, None]
        expected = torch.cat([rows.mean(0), (rows * weights).sum(0) / weights.sum()])
        np.testing.assert_allclose(row, (expected / expected.norm())[:8].numpy(), atol=1e-5)


def test_over_budget_nothing_is_delivered(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    output = tmp_path / "m.pte"
    output.write_bytes(b"the old file")
    config = linnet_export.ExportConfig(
        model=str(checkpoint), output=output, recipe="fp32", budget={"max_error": 0.0}, force=True
    )
    with pytest.raises(OverBudgetError, match="expected max_error of at most 0, got ") as caught:
        linnet_export.export(config)
    assert len(caught.value.worst) == 10
    assert output.read_bytes() == b"the old file"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint", "m.pte"]


def test_without_a_proof_the_file_says_so(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    config = linnet_export.ExportConfig(model=str(checkpoint), output=tmp_path / "m.pte", recipe="fp32", prove=False)
    report = linnet_export.export(config)
    assert report.status == "unproven"
    evidence = read_trailer(report.path).evidence
    assert (evidence["status"], evidence["reason"]) == ("unproven", "exported with --no-proof")
    with linnet.load(report.path) as model:
        assert model.evidence.golden == ()


def test_the_output_is_not_overwritten(tmp_path: Path) -> None:
    output = tmp_path / "m.pte"
    output.touch()
    config = linnet_export.ExportConfig(model=str(tmp_path), output=output)
    with pytest.raises(OutputExistsError, match="--force"):
        linnet_export.export(config)


@pytest.mark.parametrize("output", ["missing/m.pte", "."])
def test_an_impossible_output(tmp_path: Path, output: str) -> None:
    config = linnet_export.ExportConfig(model=str(tmp_path), output=tmp_path / output)
    with pytest.raises(OutputExistsError):
        linnet_export.export(config)


def test_unknown_names_list_the_known_ones(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    with pytest.raises(InvalidArgumentError, match="'int5'.*8da4w, fp16, fp32, int8, int8-static"):
        linnet_export.ExportConfig(model=str(checkpoint), recipe="int5")
    assert recipes.supported() == RECIPES
    path = checkpoint / "config.json"
    path.write_text(path.read_text().replace('"model_type": "bert"', '"model_type": "xlnet"'))
    with pytest.raises(CheckpointError, match="'xlnet'.*albert, bert, .*distilbert, electra, mobilebert"):
        linnet_export.export(linnet_export.ExportConfig(model=str(checkpoint), output=tmp_path / "m"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--recipe", "foo"), "recipe is 'foo', supported are"),
        (("--task", "chess"), "task 'chess' is unknown, known are"),
        (("--proof", "none.txt"), "proof is none.txt, which is no file"),
        (("--recipe", "int8-static", "--calibration", "none.txt"), "calibration is none.txt, which is no file"),
    ],
)
def test_wrong_arguments_are_status_2_without_a_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    assert main(["export", str(checkpoint), "-o", str(tmp_path / "m.pte"), *words]) == 2
    error = capfd.readouterr().err
    assert message in error
    assert "what the libraries printed" not in error


def test_the_log_is_named_where_it_may_explain_the_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "export.log"
    log.write_text("a warning")
    quiet = CheckpointError("x"), InvalidArgumentError("x"), OverBudgetError("x"), FileNotFoundError("x")
    for error in (*quiet, KeyboardInterrupt()):
        name_log(log, error, sys.stderr)
    assert not capsys.readouterr().err
    for defect in (RuntimeError("x"), ProofError("x")):
        name_log(log, defect, sys.stderr)
        assert str(log) in capsys.readouterr().err


def test_a_recipe_that_quantizes_nothing_is_an_error() -> None:
    from linnet_export.quantize.apply import apply_recipe
    from linnet_export.quantize.recipes import get_recipe

    with pytest.raises(NothingQuantizedError):
        apply_recipe(torch.nn.ReLU(), get_recipe("int8"))


def test_export_and_load_in_one_process_in_either_order(exported: Callable[..., Any], tmp_path: Path) -> None:
    """As in a notebook: load, export, load the new one, and use both."""
    checkpoint, report = exported("text-classification")
    script = """
import sys, linnet, linnet_export
from pathlib import Path
first, checkpoint, output = sys.argv[1:]
before = linnet.load(first)
answer = before("turn the volume down")
config = linnet_export.ExportConfig(model=checkpoint, output=Path(output), recipe="int8", prove=False)
report = linnet_export.export(config)
assert "torch._inductor.lowering" not in sys.modules  # lower/executorch_compat.py comes before ExecuTorch
after = linnet.load(report.path)
assert before("turn the volume down") == answer
assert after("turn the volume down")[0]["label"]
import executorch.kernels.quantized, executorch.runtime
program = executorch.runtime.Runtime.get().load_program(str(report.path))
import torch
ids = torch.tensor([[2, 3]])
program.load_method("forward").execute([ids, torch.zeros_like(ids)])
assert before("turn the volume down") == answer
print("fine")
"""
    command = [sys.executable, "-c", script, str(report.path), str(checkpoint), str(tmp_path / "second.pte")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-3000:]
    assert result.stdout.strip().endswith("fine")


# tiny random weights have no redundancy that would forgive sixteen steps
_UNLIMITED: dict[str, Any] = {"8da4w": {"budget": {"cosine_mean": 0.9, "cosine_worst": 0.8}}}


@pytest.mark.parametrize("recipe", ["int8", "8da4w"])
def test_a_stock_executorch_runtime_runs_the_file(exported: Callable[..., Any], recipe: str) -> None:
    import executorch.kernels.quantized  # noqa: F401  registers the operators that the manifest names
    from executorch.runtime import Runtime

    _, report = exported("feature-extraction", recipe=recipe, **_UNLIMITED.get(recipe, {}))
    program = Runtime.get().load_program(str(report.path))
    ids = torch.tensor([[2, 71, 72, 3]])
    stock = program.load_method("forward").execute([ids])[0].numpy()
    with linnet.load(report.path, fused=False) as model:
        mine = model._runtime.run("forward", [ids.numpy()])[0]
    np.testing.assert_allclose(stock, mine, atol=1e-5)


@pytest.mark.parametrize("fused", [False, True])
def test_each_method_repeats_the_golden_cases_as_it_was_recorded(exported: Callable[..., Any], fused: bool) -> None:
    _, report = exported("feature-extraction", recipe="int8")
    with linnet.load(report.path, fused=fused) as model:
        results = replay_evidence(model)
    assert not any(result.problems for result in results)
    assert max(result.error for result in results) < 1e-5  # not the difference between the methods


def linnet_command(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "linnet", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_the_command_prints_a_report(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint", task="text-classification")
    output = tmp_path / "m.pte"
    arguments = ("export", str(checkpoint), "-o", str(output), "--recipe", "fp32", "--labels", "off,on")
    result = linnet_command(*arguments, env={**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert result.returncode == 0, result.stderr
    for expected in ("proven", "size", "partitions", "largest error", "embedding"):
        assert expected in result.stdout
    for stage in ("checkpoint", "graph", "quantize", "lower", "write", "prove"):
        assert stage in result.stderr
    assert "Warning" not in result.stderr  # third-party noise goes to the log
    assert (tmp_path / "cache" / "linnet" / "export.log").stat().st_size > 0
    with linnet.load(output) as model:
        assert model.manifest.labels == ("off", "on")
    again = linnet_command("export", str(checkpoint), "-o", str(output))
    assert again.returncode == 2
    assert "--force" in again.stderr


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_what_was_assumed_is_a_warning_at_the_end(tmp_path: Path, more: tuple[str, ...]) -> None:
    """Of an encoder without a word about its pooling, and of a classifier that may be a reranker."""
    encoder = write_checkpoint(tmp_path / "encoder")
    ranker = write_checkpoint(tmp_path / "ranker", task="text-classification", num_labels=1)
    for checkpoint, said in ((encoder, "--pooling chooses another"), (ranker, "--task text-ranking")):
        file = tmp_path / f"{checkpoint.name}.pte"
        command = ["export", str(checkpoint), "-o", str(file), "--recipe", "fp32", "--no-proof", *more]
        done = subprocess.run([sys.executable, "-m", "linnet", *command], capture_output=True, text=True)
        last = done.stderr.splitlines()[-1]
        assert last.startswith("linnet: warning: the checkpoint has ")
        assert said in last
        assert bool(more) is (said in done.stdout)  # once for people
        with linnet.load(file) as model:
            report = model.evidence.report
        assert [f"linnet: warning: {warning}" for warning in report.warnings] == [last]
        assert set(report.warnings) <= set(report.notes)


def test_the_command_prints_json(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    arguments = ("export", str(checkpoint), "-o", str(tmp_path / "m.pte"), "--recipe", "fp32", "--json")
    report = json.loads(linnet_command(*arguments).stdout)
    assert report["status"] == "proven"
    assert report["figures"]["max_error"] <= 1e-4


def test_the_command_shows_the_worst_texts(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    arguments = ("export", str(checkpoint), "-o", str(tmp_path / "m.pte"), "--budget", "cosine_mean=1.1")
    result = linnet_command(*arguments)
    assert result.returncode == 1
    assert "nothing was delivered" in result.stderr
    assert "difference" in result.stderr
    assert not (tmp_path / "m.pte").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_export_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint", num_hidden_layers=6)
    (tmp_path / "logs").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "logs"), "XDG_CACHE_HOME": str(tmp_path / "logs")}
    command = [sys.executable, "-m", "linnet", "export", str(checkpoint), "-o", str(tmp_path / "m.pte")]
    process = subprocess.Popen(
        command,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        # a shell's background job, which a CI run may be, starts with SIGINT ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    for line in process.stderr:  # the stage before lowering has ended: interrupt in the middle of it
        if "quantize" in line:
            break
    time.sleep(0.5)
    process.send_signal(number)
    rest = process.communicate(timeout=60)[1]
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint", "logs"]


def test_vocab_txt_alone_serves_as_tokenizer(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint", task="text-classification")
    (checkpoint / "tokenizer.json").unlink()
    (checkpoint / "tokenizer_config.json").unlink()
    config = linnet_export.ExportConfig(model=str(checkpoint), output=tmp_path / "m.pte", recipe="fp32")
    with linnet.load(linnet_export.export(config).path) as model:
        assert model.tokenize("Turn the volume down").ids.tolist() == [
            2,
            *model.tokenize("turn the volume down").ids[1:-1],
            3,
        ]


def test_a_tokenizer_that_the_core_lacks_goes_into_the_file_as_it_is(tmp_path: Path) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    (checkpoint / "vocab.txt").unlink()
    # a class that takes tokenizer.json as it is
    (checkpoint / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    path = checkpoint / "tokenizer.json"
    state = json.loads(path.read_text())
    state["pre_tokenizer"] = {"type": "Whitespace"}
    path.write_text(json.dumps(state))
    report = linnet_export.export(linnet_export.ExportConfig(model=str(checkpoint), output=tmp_path / "m.pte"))
    assert any(re.search("model WordPiece", note) for note in report.notes), report.notes
    assert len(set(report.notes)) == len(report.notes)
    with linnet.load(report.path) as model:
        assert model.manifest.tokenizer_kind == "tokenizers"


def test_the_revision_of_a_hub_id_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    commit = "0123456789abcdef0123456789abcdef01234567"
    found = checkpoint_source.Source(checkpoint, "acme/embedder", commit)
    monkeypatch.setattr("linnet_export.checkpoint.opening.resolve_source", lambda model, revision: found)
    config = linnet_export.ExportConfig(model="acme/embedder", output=tmp_path / "m.pte", recipe="fp32", prove=False)
    with linnet.load(linnet_export.export(config).path) as model:
        assert (model.manifest.source, model.manifest.source_commit) == ("acme/embedder", commit)
        assert len(model.manifest.source_sha256) == 64


def test_a_contradicting_manifest_is_refused() -> None:
    from linnet.format.manifest import Manifest

    with pytest.raises(ManifestInvalidError, match=r"labels is empty.*mask|labels is empty"):
        Manifest(
            task="text-classification",
            model_type="bert",
            tokenizer_kind="wordpiece",
            tokenizer=b"x",
            vocab_size=1,
            max_length=8,
            inputs=("input_ids",),
            outputs=("logits",),
            recipe="fp32",
            source="x",
            producer="x",
            executorch_version="1.5.1",
        )
