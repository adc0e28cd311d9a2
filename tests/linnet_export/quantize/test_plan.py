"""Which layer gets which precision, and which wishes are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from linnet.errors import InvalidArgumentError
from linnet_export.config import ExportConfig, QuantizationConfig
from linnet_export.graph.program import device_module
from linnet_export.quantize.apply import apply_recipe
from linnet_export.quantize.plan import check_settings
from linnet_export.quantize.recipes import get_recipe
from linnet_export.tasks import get_task
from tests.support.model_cases import CASES, MAX_LENGTH, Case

Models = Callable[[Case, str], Any]


def precisions(models: Models, recipe: str, *keep: tuple[str, str]) -> dict[str, str]:
    program = device_module(
        models(CASES[0], "text-classification"), get_task("text-classification"), max_length=MAX_LENGTH
    )
    summary = apply_recipe(program, get_recipe(recipe), QuantizationConfig(keep=keep))
    return {layer.name: layer.precision for layer in summary.layers}


def test_a_name_a_glob_and_an_expression(models: Models) -> None:
    plain = precisions(models, "int8")
    found = precisions(
        models,
        "int8",
        ("body.layers.*", "fp32"),
        (r"re:layers\.1\..*(query|key)$", "int8"),
        ("body.embeddings.word", "fp32"),
        ("head.classify.2", "int8"),
    )
    for name, precision in found.items():
        if name.startswith("body.layers"):
            again = name.startswith("body.layers.1.") and name.endswith(("query", "key"))
            assert precision == ("int8" if again else "fp32"), name
    assert (plain["body.embeddings.word"], found["body.embeddings.word"]) == ("8w", "fp32")
    assert (plain["head.classify.2"], found["head.classify.2"]) == ("fp32", "int8")
    assert found["head.classify.0"] == plain["head.classify.0"] == "int8"


def test_the_summary_counts_bytes(models: Models) -> None:
    program = device_module(
        models(CASES[0], "feature-extraction"), get_task("feature-extraction"), max_length=MAX_LENGTH
    )
    layers = {layer.name: layer for layer in apply_recipe(program, get_recipe("int8")).layers}
    word, expand = layers["body.embeddings.word"], layers["body.layers.0.expand"]
    assert (word.kind, word.shape, word.stored_bytes) == ("embedding", (90, 32), 90 * (32 + 4))
    assert (expand.kind, expand.shape, expand.stored_bytes) == ("linear", (48, 32), 48 * (32 + 4 + 4))


def test_all_wishes_that_cannot_be_met_are_named_with_what_is_close(models: Models) -> None:
    wishes = (("body.layers.0.expnd", "fp32"), ("body.layers.0.contract", "int4"), ("body.layers.0.expand", "4w"))
    with pytest.raises(InvalidArgumentError) as caught:
        precisions(models, "8da4w", *wishes)
    message = str(caught.value)
    assert "expnd=fp32: no layer has that name, close are body.layers.0.expand" in message
    assert "contract cannot have it, its width 48 is no multiple of the group size 32" in message
    assert "body.layers.0.expand is of kind linear, which can have fp32, fp16, int8, int8-static, int4" in message


@pytest.mark.parametrize(
    ("recipe", "settings", "message"),
    [
        ("int8", QuantizationConfig(group_size=32), "group-size has no effect on recipe int8"),
        ("int8", QuantizationConfig(algorithm="rtn"), "algorithm has no effect"),
        ("int8", QuantizationConfig(embedding_group_size=32), "it needs a 4w embedding"),
        ("fp32", QuantizationConfig(keep=(("*", "int8"),)), "keep has no effect on recipe fp32"),
        ("fp32", QuantizationConfig(embedding="8w"), "embedding has no effect"),
        ("int8", QuantizationConfig(embedding="6w"), "embedding is '6w', known are fp32, fp16, 8w, 4w"),
        ("int8", QuantizationConfig(keep=(("x", "int5"),)), "known precisions are fp32, fp16, int8, int8-static, int4"),
        ("int8", QuantizationConfig(keep=(("re:(", "int8"),)), "not a regular expression"),
    ],
)
def test_settings_that_contradict_the_recipe(recipe: str, settings: QuantizationConfig, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        check_settings(get_recipe(recipe), settings, calibrated=False)


def test_calibration_without_effect_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="calibration has no effect on recipe int8"):
        check_settings(get_recipe("int8"), QuantizationConfig(), calibrated=True)
    with pytest.raises(InvalidArgumentError, match="calibration has no effect on recipe 8da4w"):
        check_settings(get_recipe("8da4w"), QuantizationConfig(algorithm="rtn"), calibrated=True)
    check_settings(get_recipe("8da4w"), QuantizationConfig(), calibrated=True)


def test_impossible_numbers_are_refused_at_once() -> None:
    settings = QuantizationConfig(group_size=48, embedding_group_size=3, algorithm="magic", keep=(("", "int8"),))
    with pytest.raises(InvalidArgumentError, match=r"got 48.*got 3.*'magic'.*got ''='int8'"):
        ExportConfig(model="x", quantization=settings)
