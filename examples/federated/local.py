"""Local training of a client: adapters and a last layer on a frozen encoder."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor

from linnet_bench.accuracy.problems import Place
from linnet_train import AdapterConfig, DataConfig, OptimizerConfig, TrainConfig
from linnet_train.data.rows import Example, Examples
from linnet_train.loading import load_classifier
from linnet_train.tasks.base import get_task
from linnet_train.techniques.adapters import add_adapters, merge_adapters
from linnet_train.trainer import RowTrainer

Row = dict[str, str]

_TASK = get_task("text-classification")
_MAX_LENGTH = 64


class AdapterModel:
    """A checkpoint with adapters; only they and the head are trained, and only they travel."""

    def __init__(self, model: str, labels: Sequence[str], rank: int = 8) -> None:
        transformers.set_seed(0)
        loaded = load_classifier(model, labels)
        self._model: Any = loaded.model
        self._tokenizer = loaded.tokenizer
        self._labels = tuple(labels)
        self.told = add_adapters(self._model, AdapterConfig(rank=rank))

    def weights(self) -> dict[str, Tensor]:
        """Return what is trained, by name."""
        return {name: value.detach().clone() for name, value in self._model.named_parameters() if value.requires_grad}

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Go on from these weights."""
        with torch.no_grad():
            for name, value in self._model.named_parameters():
                if value.requires_grad:
                    value.copy_(weights[name])

    def fit(
        self, rows: Sequence[Row], epochs: int, seed: int, learning_rate: float = 2e-3, schedule: str = "linear"
    ) -> None:
        """Train on rows; `schedule` of the learning rate by transformers' names."""
        examples = self._examples(rows)
        with tempfile.TemporaryDirectory() as folder:
            config = TrainConfig(
                model="-", output=Path(folder), data=DataConfig(train=Path(folder)), max_length=_MAX_LENGTH,
                optimizer=OptimizerConfig(learning_rate=learning_rate),
            )  # fmt: skip
            encoded = _TASK.encode(examples.train, examples, self._tokenizer, config)
            arguments = transformers.TrainingArguments(
                output_dir=folder, num_train_epochs=epochs, learning_rate=learning_rate, per_device_train_batch_size=16,
                seed=seed, save_strategy="no", logging_strategy="no", report_to=[], disable_tqdm=True,
                remove_unused_columns=False, lr_scheduler_type=schedule, use_cpu=not torch.cuda.is_available(),
                dataloader_pin_memory=False,
            )  # fmt: skip
            trainer = RowTrainer(
                _TASK.step(config, encoded, examples), seed, model=self._model, args=arguments, train_dataset=encoded,
                data_collator=_TASK.collator(self._tokenizer.pad_token_id),
            )  # fmt: skip
            trainer.remove_callback(transformers.PrinterCallback)
            trainer.train()

    def accuracy(self, rows: Sequence[Row]) -> float:
        """Return the share of rows whose label is found."""
        self._model.eval()
        right = 0
        with torch.inference_mode():
            for start in range(0, len(rows), 64):
                part = rows[start : start + 64]
                batch = self._tokenizer(
                    [row["text"] for row in part], padding=True, truncation=True, max_length=_MAX_LENGTH,
                    return_tensors="pt",
                )  # fmt: skip
                predicted = self._model(**batch.to(self._model.device)).logits.argmax(dim=-1).tolist()
                right += sum(self._labels[index] == row["label"] for index, row in zip(predicted, part, strict=True))
        return right / len(rows)

    def save(self, directory: Path) -> Path:
        """Merge the adapters into the weights and write an ordinary checkpoint."""
        merge_adapters(self._model)
        self._model.save_pretrained(directory)
        self._tokenizer.save_pretrained(directory)
        return directory

    def _examples(self, rows: Sequence[Row]) -> Examples:
        train = tuple(
            Example(row["text"], None, row["label"], Place("the client's rows", number, "row"))
            for number, row in enumerate(rows, 1)
        )
        return Examples(train, (), self._labels, None, ())
