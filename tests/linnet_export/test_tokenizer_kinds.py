"""Checkpoints with other tokenizers than WordPiece, exported, proven, and read where there is no torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tokenizers

import linnet
import linnet_export
from linnet.errors import UnknownFieldError
from linnet_export.output.report import ExportReport
from linnet_runtime import Model as CoreModel
from tests.support.checkpoints import write_checkpoint
from tests.support.tokenizers import VOCABULARY, mpnet_tokenizer, roberta_tokenizer

TEXT = "turn the volume<mask> please"


def _export(folder: Path, tokenizer: Any) -> ExportReport:
    checkpoint = write_checkpoint(
        folder / "checkpoint", "bert", "fill-mask", vocab_size=VOCABULARY, num_hidden_layers=1, pad_token_id=1
    )
    (checkpoint / "vocab.txt").unlink()
    tokenizer.save_pretrained(checkpoint)
    config = linnet_export.ExportConfig(
        model=str(checkpoint), output=folder / "model.pte", recipe="fp32", max_length=48
    )
    return linnet_export.export(config)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> ExportReport:
    return _export(tmp_path_factory.mktemp("bpe"), roberta_tokenizer())


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> ExportReport:
    return _export(tmp_path_factory.mktemp("mpnet"), mpnet_tokenizer())


def test_byte_level_bpe_needs_no_package(tables: ExportReport) -> None:
    assert tables.status == "proven"
    assert not [note for note in tables.notes if "tokenizer" in note]
    answered = _device("run", str(tables.path), TEXT, "--json", refused=(*_HEAVY, "tokenizers"))
    assert (answered.returncode, answered.stderr) == (0, "")
    with linnet.load(tables.path) as model:
        assert (model.manifest.tokenizer_kind, model.manifest.tokenizer_version) == ("tables", "")
        assert (model.manifest.cls_id, model.manifest.pad_id, model.manifest.mask_id) == (0, 1, VOCABULARY - 1)
        best = model(TEXT)[0]["token_str"]
    assert best in json.dumps(json.loads(answered.stdout), ensure_ascii=False)
    assert CoreModel(str(tables.path)).tokenizer.find("<mask>") == VOCABULARY - 1


def test_damaged_tables_are_a_named_error(tables: ExportReport, tmp_path: Path) -> None:
    data = bytearray(tables.path.read_bytes())
    data[data.index(b"LNTOKTAB") + 8] ^= 6  # the version
    path = tmp_path / "damaged.pte"
    path.write_bytes(data)
    damaged = _device("run", str(path), TEXT)
    assert damaged.returncode == 3, damaged.stderr
    assert damaged.stderr.count("\n") == 1


def test_the_file_is_proven_and_says_what_it_needs(report: ExportReport) -> None:
    assert report.status == "proven"
    (note,) = (note for note in report.notes if "tokenizer" in note)
    assert "linnet's extra tokenizers" in note
    assert "not of an Android, iOS or C one" in note
    with linnet.load(report.path) as model:
        assert model.manifest.tokenizer_kind == "tokenizers"
        assert model.manifest.tokenizer_version == tokenizers.__version__
        assert (model.manifest.cls_id, model.manifest.pad_id, model.manifest.mask_id) == (0, 1, VOCABULARY - 1)
        assert note in model.evidence.report.notes


def test_the_core_alone_names_the_kind(report: ExportReport) -> None:
    core = CoreModel(str(report.path))
    with pytest.raises(UnknownFieldError, match=r'kind "tokenizers".*pass token ids.*extra tokenizers'):
        _ = core.tokenizer


_DEVICE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {refused!r}:
            raise ImportError(name + " is not on this device")

sys.meta_path.insert(0, Refuse())
from linnet.cli import main as cli
sys.exit(cli.main({arguments!r}))
"""
_HEAVY = ("torch", "transformers", "executorch", "torchao", "linnet_export", "sentencepiece")


def _device(*arguments: str, refused: tuple[str, ...] = _HEAVY) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "TOKENIZERS_PARALLELISM"}
    return subprocess.run(
        [sys.executable, "-c", _DEVICE.format(refused=refused, arguments=list(arguments))],
        capture_output=True,
        text=True,
        timeout=120,
        env=environment,
        check=False,
    )


def test_it_runs_where_torch_cannot_be_imported(report: ExportReport) -> None:
    verified = _device("verify", str(report.path))
    assert (verified.returncode, verified.stderr) == (0, "")
    answered = _device("run", str(report.path), TEXT, "--json")
    assert (answered.returncode, answered.stderr) == (0, "")
    with linnet.load(report.path) as model:
        best = model(TEXT)[0]["token_str"]
    assert best in json.dumps(json.loads(answered.stdout), ensure_ascii=False)


def test_without_the_package_a_text_is_refused_and_inspect_works(report: ExportReport) -> None:
    refused = (*_HEAVY, "tokenizers")
    answered = _device("run", str(report.path), TEXT, refused=refused)
    assert answered.returncode == 4, answered.stderr
    assert 'pip install "WHEEL[tokenizers]"' in answered.stderr
    assert answered.stderr.count("\n") == 1
    shown = _device("inspect", str(report.path), refused=refused)
    assert shown.returncode == 0
    assert "tokenizer_version" in shown.stdout


def test_a_damaged_tokenizer_is_a_named_error(report: ExportReport, tmp_path: Path) -> None:
    data = bytearray(report.path.read_bytes())
    data[data.index(b"LNTOKJSN") + 200] ^= 1
    path = tmp_path / "damaged.pte"
    path.write_bytes(data)
    damaged = _device("run", str(path), TEXT)
    assert damaged.returncode == 3, damaged.stderr
    assert damaged.stderr.count("\n") == 1
