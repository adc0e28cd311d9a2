"""What the graph cannot be made of is refused by name, with what would do."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from torch import nn

from linnet_export import tasks
from linnet_export.graph import architectures
from linnet_export.graph.architectures import (
    UnknownArchitectureError,
    UnsupportedConfigError,
    device_body,
    get_architecture,
)
from linnet_export.graph.heads.base import UnsupportedHeadError
from linnet_export.graph.program import device_module
from linnet_export.quantize import recipes
from linnet_export.quantize.apply import NothingQuantizedError, apply_recipe
from linnet_export.quantize.recipes import UnknownRecipeError, get_recipe
from linnet_export.tasks import UnknownTaskError, get_task
from tests.support.model_cases import CASES, random_model


def _bert(**settings: Any) -> Any:
    config = CASES[0].config()
    for name, value in settings.items():
        setattr(config, name, value)
    return config


def test_an_unknown_architecture_lists_the_known_ones() -> None:
    config = transformers.GPT2Config(n_embd=8, n_layer=1, n_head=1, vocab_size=10, n_positions=8)
    with pytest.raises(UnknownArchitectureError, match="'gpt2'.*albert, bert, deberta-v2, distilbert, electra"):
        device_module(transformers.GPT2Model(config), get_task("feature-extraction"), max_length=8)


def test_the_known_names() -> None:
    names = "albert bert deberta-v2 distilbert electra mobilebert modernbert mpnet roberta xlm-roberta"
    assert architectures.supported() == tuple(names.split())
    assert recipes.supported() == ("8da4w", "fp16", "fp32", "int8", "int8-static")
    assert tasks.supported() == (
        "feature-extraction",
        "fill-mask",
        "question-answering",
        "text-classification",
        "text-generation",
        "text-ranking",
        "token-classification",
    )


@pytest.mark.parametrize(
    ("setting", "value"),
    [("is_decoder", True), ("add_cross_attention", True), ("position_embedding_type", "relative_key")],
)
def test_what_is_no_plain_encoder_is_refused_by_name(setting: str, value: object) -> None:
    model = random_model(_bert(), "feature-extraction")
    setattr(model.config, setting, value)
    with pytest.raises(UnsupportedConfigError, match=setting):
        device_body(model, 8)


def test_all_problems_are_named_at_once() -> None:
    model = random_model(_bert(), "feature-extraction")
    model.config.is_decoder, model.config.add_cross_attention = True, True
    with pytest.raises(UnsupportedConfigError, match="is_decoder.*add_cross_attention"):
        device_body(model, 8)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        (
            "albert-gelu_new",
            {"num_hidden_groups": 2, "inner_group_num": 2},
            "albert: num_hidden_groups is 2, supported is 1.*; inner_group_num is 2",
        ),
        (
            "deberta-v2-v3",
            {"relative_attention": False, "type_vocab_size": 2, "conv_kernel_size": 3, "embedding_size": 8},
            "deberta-v2: relative_attention is False.*; type_vocab_size is 2.*; embedding_size is 8.*; conv_kernel",
        ),
        ("deberta-v2-v3", {"pos_att_type": "c2p|p2p"}, r"pos_att_type is 'c2p\|p2p', supported are c2p and p2c"),
        ("deberta-v2-v3", {"pooler_hidden_act": "laplace"}, "pooler_hidden_act is 'laplace'"),
        (
            "modernbert-cls",
            {"hidden_activation": "laplace", "is_decoder": True},
            "modernbert: expected an encoder, got is_decoder true.*; hidden_activation is 'laplace'",
        ),
        ("modernbert-cls", {"layer_types": ["full_attention", "chunked_attention"] * 2}, "has chunked_attention"),
        (
            "mpnet-gelu",
            {"relative_attention_num_buckets": 16},
            "relative_attention_num_buckets to be at least 32.*got 16",
        ),
        ("roberta-gelu", {"position_embedding_type": "relative_key"}, "position_embedding_type is 'relative_key'"),
    ],
)
def test_what_an_architecture_cannot_do_is_named_together(name: str, settings: dict[str, Any], message: str) -> None:
    config = next(case for case in CASES if case.name == name).config()
    for setting, value in settings.items():
        setattr(config, setting, value.split("|") if setting == "pos_att_type" else value)
    with pytest.raises(UnsupportedConfigError, match=message):
        get_architecture(config.model_type).check(config)


def test_a_scaled_rotation_is_refused() -> None:
    config = next(case for case in CASES if case.name == "modernbert-cls").config()
    config.rope_parameters["full_attention"]["rope_type"] = "yarn"
    with pytest.raises(UnsupportedConfigError, match="rope_type of full_attention is 'yarn'"):
        get_architecture(config.model_type).check(config)


def test_an_unknown_activation_lists_the_known_ones() -> None:
    model = random_model(_bert(hidden_act="laplace"), "feature-extraction")
    with pytest.raises(UnsupportedConfigError, match="hidden_act is 'laplace'.*gelu_new.*relu"):
        device_body(model, 8)


def test_a_bound_above_the_positions_is_refused() -> None:
    model = random_model(_bert(), "feature-extraction")
    with pytest.raises(UnsupportedConfigError, match="max_length is 49, but the model has 48 positions"):
        device_body(model, 49)


def test_a_mobilebert_that_cannot_run_is_refused() -> None:
    config = next(case for case in CASES if case.name == "mobilebert-default").config()
    config.key_query_shared_bottleneck = False
    model = random_model(config, "feature-extraction")
    with pytest.raises(RuntimeError):  # nor does the original
        model(input_ids=torch.ones(1, 3, dtype=torch.int64))
    with pytest.raises(UnsupportedConfigError, match="key_query_shared_bottleneck"):
        device_body(model, 8)


def test_unknown_names_list_the_known_ones() -> None:
    model = random_model(_bert(), "feature-extraction")
    with pytest.raises(UnknownTaskError, match="'summarization', supported are feature-extraction, fill-mask"):
        device_module(model, get_task("summarization"), max_length=8)
    with pytest.raises(UnknownRecipeError, match="'int3', supported are 8da4w, fp16, fp32, int8, int8-static"):
        apply_recipe(nn.Linear(2, 2), get_recipe("int3"))
    with pytest.raises(UnsupportedHeadError, match=r"pooling is 'cls\+median'.*cls, lasttoken, max, mean.* and none"):
        device_module(model, get_task("feature-extraction"), pooling="cls+median", max_length=8)


def test_a_question_answering_head_of_three_outputs_is_refused() -> None:
    config = _bert()
    config.num_labels = 3
    model = random_model(config, "question-answering")
    with pytest.raises(UnsupportedHeadError, match="3 outputs.*needs 2"):
        device_module(model, get_task("question-answering"), max_length=8)


def test_a_recipe_that_finds_nothing_is_an_error() -> None:
    with pytest.raises(NothingQuantizedError, match="int8 quantized nothing"):
        apply_recipe(nn.Sequential(nn.LayerNorm(3)), get_recipe("int8"))
