"""The averaging layer: what the last layer reads is the mean of all tokens, in transformers and in exported files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import linnet
from linnet_export import ExportConfig, export
from linnet_export.errors import CheckpointError
from linnet_export.progress import Stages
from linnet_train import DataConfig, OptimizerConfig, ShrinkConfig, TrainConfig, train
from linnet_train.progress import QuietTraining
from linnet_train.tasks import read_examples
from linnet_train.tasks.base import get_task
from linnet_train.techniques.averaging import AVERAGING, add_averaging_layer
from linnet_train.training import Training
from tests.support.checkpoints import write_sentence_modules
from tests.support.training import easy_rows, write_rows

TEXTS = ["play music", "turn the volume up please", "open a bank account with my card"]


@pytest.fixture(scope="module")
def sentence_encoder(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The encoder as a sentence-transformers directory that averages."""
    folder = tmp_path_factory.mktemp("sentence") / "encoder"
    shutil.copytree(encoder, folder)
    write_sentence_modules(folder)
    return folder


def classifier(kind: str) -> Any:
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
    if kind == "distilbert":
        shape = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48}
    config = transformers.AutoConfig.for_model(kind, vocab_size=90, max_position_embeddings=48, **shape)
    return transformers.AutoModelForSequenceClassification.from_config(config).eval()


@pytest.mark.parametrize("kind", sorted(AVERAGING))
def test_what_is_read_is_the_mean(kind: str) -> None:
    model = classifier(kind)
    mask = torch.ones(3, 9, dtype=torch.long)
    mask[1, 4:] = 0
    batch = {"input_ids": torch.randint(5, 90, (3, 9)).masked_fill(mask == 0, 1), "attention_mask": mask}
    with torch.inference_mode():
        hidden = model.base_model(**batch).last_hidden_state
    weights = mask.unsqueeze(-1)
    mean = torch.nn.functional.layer_norm((hidden * weights).sum(1) / weights.sum(1), [hidden.shape[-1]])
    add_averaging_layer(model)
    read: list[torch.Tensor] = []
    AVERAGING[kind](model).register_forward_hook(lambda module, inputs, output: read.append(output))
    with torch.inference_mode():
        model.eval()(**batch)
    assert model.config.num_hidden_layers == 3
    found = read[0] if read[0].dim() == 2 else read[0][:, 0]
    assert torch.nn.functional.cosine_similarity(found, mean).min() > 0.995  # all but the residual
    assert torch.allclose(found.norm(dim=-1), 0.3 * mean.norm(dim=-1), rtol=0.01)


def test_another_architecture_is_refused() -> None:
    with pytest.raises(
        CheckpointError, match="known for bert, roberta, xlm-roberta, and the checkpoint is a distilbert"
    ):
        add_averaging_layer(classifier("distilbert"))


def training(model: Path, output: Path, **settings: Any) -> TrainConfig:
    file = write_rows(output.parent / "rows.jsonl", easy_rows(80))
    optimizer = OptimizerConfig(epochs=2, batch_size=16, learning_rate=5e-3)
    data = DataConfig(train=file)
    return TrainConfig(
        **{"model": str(model), "output": output, "data": data, "optimizer": optimizer, "max_length": 32, **settings}
    )


def layers_of(config: TrainConfig) -> int:
    """Return the layers of the model that would be trained."""
    examples = read_examples(config.data, config.seed, config.task)
    prepared = Training(config, get_task(config.task), examples, Stages(QuietTraining()), QuietTraining())._prepare()
    return int(prepared.model.config.num_hidden_layers)


def test_only_a_sentence_encoder_with_few_rows_gets_it_by_itself(
    sentence_encoder: Path, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out"
    assert layers_of(training(sentence_encoder, output)) == 3
    assert layers_of(training(sentence_encoder, output, pooling="first")) == 2
    assert layers_of(training(encoder, output)) == 2
    assert layers_of(training(encoder, output, pooling="mean")) == 3
    assert layers_of(training(sentence_encoder, output, shrink=ShrinkConfig(layers=(1,)))) == 2
    monkeypatch.setattr("linnet_train.training._AVERAGED_ROWS", 10)
    assert layers_of(training(sentence_encoder, output)) == 2


def test_the_file_answers_as_transformers(sentence_encoder: Path, tmp_path: Path) -> None:
    """The saved checkpoint is one of transformers, and its program answers as that does."""
    trained = tmp_path / "mean"
    report = train(training(sentence_encoder, trained))
    assert report.shrunk[0].startswith("3 layers: in the last the first token becomes the mean of all")
    pipe: Any = transformers.pipeline("text-classification", model=str(trained), tokenizer=str(trained))
    file = tmp_path / "int8.pte"
    export(ExportConfig(model=str(trained), output=file, recipe="int8", max_length=32, prove=False))
    with linnet.load(file) as model:
        answers = model(TEXTS, top_k=None)
    for expected, found in zip(pipe(TEXTS, top_k=None), answers, strict=True):
        scores = {entry["label"]: entry["score"] for entry in found}
        assert scores == pytest.approx({entry["label"]: entry["score"] for entry in expected}, abs=0.05)
