"""sentence-transformers directories: what is read, and what is refused by name."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

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
    assert modules.prompts == {"query": "query: ", "document": ""}
    assert modules.default_prompt == "query"


def test_each_embedder_has_the_prompts_query_and_document(tmp_path: Path) -> None:
    # as SentenceTransformer of version 5 and later; model.prompts of a directory with the one prompt below
    write_sentence_modules(tmp_path, prompts={"passage": ""})
    modules = read_sentence_modules(tmp_path)
    assert modules is not None
    assert modules.prompts == {"passage": "", "query": "", "document": ""}


def test_a_default_prompt_that_is_not_there(tmp_path: Path) -> None:
    write_sentence_modules(tmp_path, prompts={"query": "query: "}, default_prompt="passage")
    with pytest.raises(CheckpointError, match="'passage'.*query"):
        read_sentence_modules(tmp_path)


def add_module(directory: Path, kind: str, settings: dict[str, Any], weights: dict[str, Tensor]) -> None:
    """Add a module behind the others, as sentence-transformers saves it."""
    modules = json.loads((directory / "modules.json").read_text())
    path = f"{len(modules)}_{kind.rsplit('.', 1)[-1]}"
    modules.append({"idx": len(modules), "name": str(len(modules)), "path": path, "type": kind})
    (directory / "modules.json").write_text(json.dumps(modules))
    (directory / path).mkdir()
    (directory / path / "config.json").write_text(json.dumps(settings))
    if weights:
        save_file(weights, directory / path / "model.safetensors")


def dense_settings(**changes: object) -> dict[str, Any]:
    activation = "torch.nn.modules.activation.Tanh"
    return {"in_features": 4, "out_features": 2, "bias": True, "activation_function": activation, **changes}


DENSE = "sentence_transformers.base.modules.dense.Dense"
WEIGHTS = {"linear.weight": torch.arange(8.0).reshape(2, 4) / 8, "linear.bias": torch.tensor([0.5, -1.0])}


def test_layers_behind_the_pooling(tmp_path: Path) -> None:
    write_sentence_modules(tmp_path, normalize=False)
    add_module(tmp_path, DENSE, dense_settings(), WEIGHTS)
    add_module(tmp_path, "sentence_transformers.models.Dropout", {"dropout": 0.2}, {})
    norm = {"norm.weight": torch.tensor([1.0, 2.0]), "norm.bias": torch.tensor([0.0, 0.25])}
    add_module(
        tmp_path, "sentence_transformers.sentence_transformer.modules.layer_norm.LayerNorm", {"dimension": 2}, norm
    )
    add_module(tmp_path, "sentence_transformers.base.modules.normalize.Normalize", {}, {})
    modules = read_sentence_modules(tmp_path)
    assert modules is not None
    assert modules.normalize
    assert [file.parent.name for file in modules.files] == ["2_Dense", "4_LayerNorm"]
    dense, layer_norm = modules.layers
    x = torch.tensor([[1.0, -1.0, 2.0, 0.5]])
    by_hand = [math.tanh(-0.125 + 0.5 + 0.1875 + 0.5), math.tanh(0.5 - 0.625 + 1.5 + 0.4375 - 1.0)]
    assert dense(x)[0].tolist() == pytest.approx(by_hand, abs=1e-6)
    assert layer_norm(torch.tensor([[1.0, 3.0]]))[0].tolist() == pytest.approx([-1.0, 2.25], abs=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"activation_function": "my_code.Swirl"}, r"activation_function is my_code\.Swirl.*GELU"),
        ({"activation_function": "torch.nn.Softmax"}, r"torch\.nn\.Softmax"),
        ({"module_input_name": "token_embeddings"}, "module_input_name is token_embeddings"),
        ({"in_features": 5}, r"2_Dense: the weights do not belong to its config\.json"),
    ],
)
def test_a_dense_module_that_is_not_supported(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    write_sentence_modules(tmp_path, normalize=False)
    add_module(tmp_path, DENSE, dense_settings(**changes), WEIGHTS)
    with pytest.raises(CheckpointError, match=message):
        read_sentence_modules(tmp_path)


def test_pickled_weights_of_a_module_are_refused(tmp_path: Path) -> None:
    write_sentence_modules(tmp_path, normalize=False)
    add_module(tmp_path, DENSE, dense_settings(), {})
    (tmp_path / "2_Dense" / "pytorch_model.bin").touch()
    with pytest.raises(CheckpointError, match=r"2_Dense.*pytorch_model\.bin, which linnet never loads"):
        read_sentence_modules(tmp_path)


@pytest.mark.parametrize("kind", ["my_code.Dense", "sentence_transformers.models.LSTM"])
def test_a_module_that_is_not_supported_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    write_sentence_modules(tmp_path)
    add_module(tmp_path, kind, {}, {})
    with pytest.raises(CheckpointError, match=re.escape(kind)):
        read_sentence_modules(tmp_path)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"pooling_mode_cls_token": True}, "cls+mean"),
        ({"pooling_mode_lasttoken": True, "pooling_mode_max_tokens": True}, "max+mean+lasttoken"),
        ({"pooling_mode_mean_tokens": False}, "mean"),
        ({"pooling_mode_mean_tokens": False, "pooling_mode_weightedmean_tokens": True}, "weightedmean"),
        ({"pooling_mode": ["mean", "cls"]}, "mean+cls"),
        ({"pooling_mode": "mean_sqrt_len_tokens"}, "mean_sqrt_len_tokens"),
    ],
)
def test_poolings(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    # Pooling(...).pooling_mode of sentence-transformers 6.2 for each of the files
    write_sentence_modules(tmp_path)
    edit(tmp_path / "1_Pooling" / "config.json", **changes)
    modules = read_sentence_modules(tmp_path)
    assert modules is not None
    assert modules.pooling == expected


@pytest.mark.parametrize("value", [True, False, None])
def test_a_prompt_in_the_pooling(tmp_path: Path, value: bool | None) -> None:
    write_sentence_modules(tmp_path)
    modules = read_sentence_modules(tmp_path)
    assert modules is not None
    assert modules.include_prompt
    edit(tmp_path / "1_Pooling" / "config.json", include_prompt=value)
    modules = read_sentence_modules(tmp_path)
    assert modules is not None
    # Pooling.forward of sentence-transformers 6.2: `if not self.include_prompt`
    assert modules.include_prompt is (value is True)


@pytest.mark.parametrize("changes", [{"pooling_mode": "median"}, {"pooling_mode_median": True}])
def test_pooling_that_is_not_supported(tmp_path: Path, changes: dict[str, Any]) -> None:
    write_sentence_modules(tmp_path)
    edit(tmp_path / "1_Pooling" / "config.json", **changes)
    with pytest.raises(CheckpointError, match="median"):
        read_sentence_modules(tmp_path)


@pytest.mark.parametrize(
    ("file", "settings", "expected"),
    [
        ("sentence_bert_config.json", {"max_seq_length": 12}, 12),
        ("sentence_roberta_config.json", {"max_seq_length": 12}, 12),
        ("sentence_bert_config.json", {"max_seq_length": 12, "tokenizer_args": {"model_max_length": 9}}, 9),
        ("sentence_bert_config.json", {"transformer_task": "feature-extraction"}, None),
    ],
)
def test_the_bound_of_the_transformer(
    tmp_path: Path, file: str, settings: dict[str, object], expected: int | None
) -> None:
    write_sentence_modules(tmp_path)
    (tmp_path / "sentence_bert_config.json").unlink()
    (tmp_path / file).write_text(json.dumps(settings))
    modules = read_sentence_modules(tmp_path)
    assert modules is not None
    assert modules.max_seq_length == expected


@pytest.mark.parametrize("value", [0, -1, "8", True])
def test_an_impossible_truncation_is_refused(tmp_path: Path, value: object) -> None:
    write_sentence_modules(tmp_path)
    edit(tmp_path / "config_sentence_transformers.json", truncate_dim=value)
    with pytest.raises(CheckpointError, match="truncate_dim is"):
        read_sentence_modules(tmp_path)


@pytest.mark.parametrize("content", ["[]", "{}", "not json", '["x"]'])
def test_a_broken_listing(tmp_path: Path, content: str) -> None:
    (tmp_path / "modules.json").write_text(content)
    with pytest.raises(CheckpointError, match=r"modules\.json"):
        read_sentence_modules(tmp_path)
