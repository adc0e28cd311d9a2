"""Options of `linnet train`: one that would do nothing is refused, all of them at once."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from linnet.errors import InvalidArgumentError
from linnet_train.cli import add_arguments


def complete(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_intermixed_args(["--data", "rows.jsonl", "-o", "out", *words])
    found: argparse.Namespace = args.options.complete(args)
    return found


def refusal(*words: str) -> str:
    with pytest.raises(InvalidArgumentError) as caught:
        complete(*words)
    return str(caught.value)


def test_what_was_not_given_has_its_default() -> None:
    found = complete("./encoder", "--epochs", "3", "--trim-vocabulary")
    assert (found.model, found.epochs, found.max_length, found.trim_vocabulary) == ("./encoder", 3, 128, True)
    assert (found.batch_size, found.learning_rate) == (None, None)  # by the number of rows
    assert (found.json, found.teacher, found.data) == (False, None, Path("rows.jsonl"))


def test_a_file_of_stages_refuses_what_its_stages_decide() -> None:
    words = ("--epochs", "5", "--layers", "0,99", "--lora-rank", "-4", "--metric", "f1", "--keep-checkpoints")
    message = refusal("intents.toml", *words, "--task", "fill-mask", "--search", "3", "--temperature", "2")
    for name in ("--epochs", "--layers", "--lora-rank", "--metric", "--keep-checkpoints", "--task", "--search",
                 "--temperature"):  # fmt: skip
        assert message.count(name) == 1
    assert "have no effect with a STAGES.toml, whose stages have their own settings" in message


def test_a_file_of_stages_takes_data_output_and_export() -> None:
    words = ("--model", "./encoder", "--export", "x.pte", "--quantization", "fp32", "--resume", "--json")
    found = complete("intents.toml", *words, "--validation", "dev.jsonl", "--text-column", "words")
    assert (found.first_model, found.quantization) == ("./encoder", "fp32")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--hidden-weight", "0", "--augmentation", "2"), "--hidden-weight, --augmentation have no effect without --t"),
        (("--max-size", "8", "--search-layers", "2"), "--max-size, --search-layers have no effect without --search"),
        (("--quantization", "fp32"), "--recipe has no effect without --export or --search"),
        (("--lora-targets", "query"), "--lora-targets has no effect without --lora-rank"),
        (("--frequent", "9"), "--frequent has no effect without --trim-vocabulary"),
        (("--model", "m"), "--model has no effect without a STAGES.toml"),
        (
            ("--validation", "dev.csv", "--validation-split", "0.1"),
            "--validation-split has no effect with --validation",
        ),
        (("--search", "3", "--epochs", "5"), "--epochs has no effect with --search, which decides that"),
        (("--search", "3", "--search-layers", "2", "--layers", "0"), "--layers has no effect with --search-layers"),
    ],
)
def test_what_has_no_effect_is_refused(words: tuple[str, ...], message: str) -> None:
    assert message in refusal("./encoder", *words)


def test_everything_without_effect_is_said_at_once() -> None:
    message = refusal("./encoder", "--teacher-layers", "1", "--max-latency", "2", "--quantization", "int8")
    assert message == (
        "--recipe has no effect without --export or --search; --teacher-layers has no effect without --teacher; "
        "--max-latency has no effect without --search; leave out what has none"
    )


def test_what_goes_together_is_taken() -> None:
    found = complete("./encoder", "--teacher", "t", "--temperature", "3", "--search", "2", "--quantization", "fp32")
    assert (found.temperature, found.search, found.warmup_ratio) == (3.0, 2, 0.06)
