"""sentence-transformers directories: what is read, and what is refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from linnet_export.checkpoint.sentence_modules import read_sentence_modules
from linnet_export.errors import CheckpointError
from tests.support.checkpoints import write_sentence_modules


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_plain_directory_is_not_one(tmp_path: Path) -> None:
    assert read_sentence_modules(tmp_path) is None


@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
@pytest.mark.parametrize("normalize", [True, False])
def test_pooling_and_normalize(tmp_path: Path, pooling: str, normalize: bool) -> None:
    write_sentence_modules(tmp_path, pooling=pooling, normalize=normalize)
    modules = read_sentence_modules(tmp_path)
    assert modules is not None
    assert (modules.pooling, modules.normalize, modules.max_seq_length) == (pooling, normalize, 48)


def test_newer_pooling_key(tmp_path: Path) -> None:
    write_sentence_modules(tmp_path)
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode": "max", "include_prompt": true}')
    modules = read_sentence_modules(tmp_path)
    assert modules is not None
    assert modules.pooling == "max"


def test_prompts(tmp_path: Path) -> None:
    write_sentence_modules(tmp_path, prompts={"query": "query: ", "document": ""}, default_prompt="query")
    modules = read_sentence_modules(tmp_path)
    assert modules is not None
    assert modules.prompts == {"query": "query: "}
    assert modules.default_prompt == "query"


def test_a_default_prompt_that_is_not_there(tmp_path: Path) -> None:
    write_sentence_modules(tmp_path, prompts={"query": "query: "}, default_prompt="passage")
    with pytest.raises(CheckpointError, match="'passage'.*query"):
        read_sentence_modules(tmp_path)


def test_dense_is_refused_by_name(tmp_path: Path) -> None:
    write_sentence_modules(tmp_path)
    modules = json.loads((tmp_path / "modules.json").read_text())
    modules.insert(2, {"idx": 2, "path": "2_Dense", "type": "sentence_transformers.models.Dense"})
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(CheckpointError, match=r"sentence_transformers\.models\.Dense"):
        read_sentence_modules(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pooling_mode_cls_token": True}, r"(cls \+ mean|mean \+ cls)"),
        ({"pooling_mode_mean_tokens": False}, "none"),
        ({"pooling_mode_mean_tokens": False, "pooling_mode_lasttoken": True}, "pooling_mode_lasttoken"),
        ({"include_prompt": False}, "include_prompt"),
    ],
)
def test_pooling_that_is_not_supported(tmp_path: Path, changes: dict[str, bool], message: str) -> None:
    write_sentence_modules(tmp_path)
    edit(tmp_path / "1_Pooling" / "config.json", **changes)
    with pytest.raises(CheckpointError, match=message):
        read_sentence_modules(tmp_path)


@pytest.mark.parametrize("content", ["[]", "{}", "not json", '["x"]'])
def test_a_broken_listing(tmp_path: Path, content: str) -> None:
    (tmp_path / "modules.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"modules\.json"):
        read_sentence_modules(tmp_path)
