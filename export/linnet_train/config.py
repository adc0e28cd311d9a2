"""Settings of one training, as frozen objects. Unknown keys are errors of the types themselves."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from linnet.errors import InvalidArgumentError
from linnet_export.config import RECIPES

__all__ = [
    "SCHEDULES",
    "AdapterConfig",
    "CalibrationConfig",
    "DataConfig",
    "DistillationConfig",
    "MaskingConfig",
    "OptimizerConfig",
    "ShrinkConfig",
    "TrainConfig",
]

SCHEDULES: tuple[str, ...] = ("linear", "cosine", "constant_with_warmup")
"""Learning-rate schedules, by the names of transformers' `lr_scheduler_type`."""

METRICS: tuple[str, ...] = (
    "accuracy", "macro_f1", "in_scope_accuracy", "out_of_scope_recall", "out_of_scope_auroc", "f1", "precision",
    "recall", "exact_match", "spearman", "pearson", "mrr_at_10", "perplexity", "next_sentence_accuracy", "loss",
)  # fmt: skip
"""What early stopping watches, on the held-out rows; each task has some of them."""

LOWER_IS_BETTER: frozenset[str] = frozenset({"loss", "perplexity"})
"""Of :data:`METRICS`; of all others the highest is best."""

IMITATED: tuple[str, ...] = ("8da4w", "int8")
"""Recipes of the export whose rounding a training can learn with; others are calibrated, or round nothing."""

FREEZABLE: tuple[str, ...] = ("none", "embeddings", "body")
PRECISIONS: tuple[str, ...] = ("no", "bf16")
OBJECTIVES: tuple[str, ...] = ("classes", "contrast")
"""What a classifier learns: its classes, or an encoder that holds them apart, for a head that is trained after it."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Where the rows are and what their columns mean.

    Attributes:
        train: .jsonl, .json, .csv or .tsv; anything else is CoNLL.
        validation: rows that are never trained on: early stopping and calibration look at them.
        validation_split: without `validation`, the share of each class that is held out instead.
        text_column: None: found by its usual name; so are the next two.
        pair_column: column of the second text.
        label_column: column of the label, the tags, the answers or the score.
        out_of_scope: the label of requests that belong to no class; None: `oos`, if it occurs.
        label_all_tokens: token-classification trains every token of a word and not only the first; then
            `aggregation_strategy="simple"` joins whole words. The name is that of transformers' `run_ner.py`.
    """

    train: Path
    validation: Path | None = None
    validation_split: float = 0.1
    text_column: str | None = None
    pair_column: str | None = None
    label_column: str | None = None
    out_of_scope: str | None = None
    label_all_tokens: bool = False

    def problems(self) -> list[str]:
        """Return every impossible setting as a sentence."""
        if 0 < self.validation_split < 0.9:
            return []
        return [f"validation_split is {self.validation_split}, needed a share above 0 and below 0.9"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """AdamW (<https://arxiv.org/abs/1711.05101>) and what is around it.

    Attributes:
        epochs: passes over the rows.
        batch_size: rows of a step, of all processes together.
        learning_rate: highest, after the warm-up.
        schedule: one of :data:`SCHEDULES`.
        warmup_ratio: share of the steps in which the rate rises.
        weight_decay: of matrices; biases and layer norms have none.
        max_grad_norm: longer gradients are shortened to this length.
        label_smoothing: share of the target that is spread over all classes.
        class_weights: `balanced`: a class counts as its rows are few (rows / (classes * rows of the class)).
        dropout: None: the checkpoint's own.
        freeze: `embeddings`, or the whole `body` so that only the head is trained.
        precision: `bf16` computes matrix products in bfloat16; weights and sums stay float32.
        objective: `contrast` makes what the last layer reads alike within a class and unlike between classes, and
            leaves that layer untrained (<https://arxiv.org/abs/2209.11055>): the first of two stages for few rows. The
            last epoch counts.
        adversarial: length of a shift of the text's embedding, as a share of the embedding's own, towards where the
            loss grows fastest; the model learns from the shifted text too (<https://arxiv.org/abs/1605.07725>). 0: no
            shift.
    """

    epochs: int = 5
    batch_size: int = 32
    learning_rate: float = 5e-5
    schedule: str = "linear"
    warmup_ratio: float = 0.06
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0
    label_smoothing: float = 0.0
    class_weights: str = "none"
    dropout: float | None = None
    freeze: str = "none"
    precision: str = "no"
    objective: str = "classes"
    adversarial: float = 0.0

    def problems(self) -> list[str]:
        """Return every impossible setting as a sentence."""
        found = [
            f"{name} is {getattr(self, name)}, needed at least {least}"
            for name, least in (("epochs", 1), ("batch_size", 1), ("weight_decay", 0), ("adversarial", 0))
            if getattr(self, name) < least
        ]
        found += [
            f"{name} is {getattr(self, name)}, needed a number above 0"
            for name in ("learning_rate", "max_grad_norm")
            if not getattr(self, name) > 0
        ]
        shares = {"warmup_ratio": self.warmup_ratio, "label_smoothing": self.label_smoothing, "dropout": self.dropout}
        found += [
            f"{name} is {value}, needed 0 or more and less than 1"
            for name, value in shares.items()
            if value is not None and not 0 <= value < 1
        ]
        choices = (
            ("schedule", SCHEDULES),
            ("class_weights", ("none", "balanced")),
            ("freeze", FREEZABLE),
            ("precision", PRECISIONS),
            ("objective", OBJECTIVES),
        )
        return found + [
            f"{name} is {getattr(self, name)!r}, known are {', '.join(known)}"
            for name, known in choices
            if getattr(self, name) not in known
        ]


@dataclasses.dataclass(frozen=True, kw_only=True)
class DistillationConfig:
    """Learning from a larger model (<https://arxiv.org/abs/1503.02531>).

    Attributes:
        teacher: a checkpoint that was trained for the same labels.
        temperature: both distributions are softened by it.
        weight: of the teacher's answers in the loss; the labels have the rest.
        hidden_weight: of the distance to the teacher's first token of the last layer, 0 leaves it out;
            text-classification only.
        feature_map_weight: of the distance of the feature maps of each layer, 0 leaves it out
            (<https://arxiv.org/abs/2004.02984>, section 3.4).
        attention_weight: of the distance of the attention of each head in each layer, 0 leaves it out (there as well).
        teacher_layers: which layer of the teacher each of the student's learns from, counted from 0; None: those that
            `ShrinkConfig.layers` kept, or spread evenly.
        augmentation: texts made from each training text (words left out, replaced, halves joined), which only
            the teacher answers; text-classification only.
        batch_size: texts of one run of the teacher.
    """

    teacher: str
    temperature: float = 2.0
    weight: float = 0.9
    hidden_weight: float = 0.0
    feature_map_weight: float = 0.0
    attention_weight: float = 0.0
    teacher_layers: tuple[int, ...] | None = None
    augmentation: int = 0
    batch_size: int = 128

    def problems(self) -> list[str]:
        """Return every impossible setting as a sentence."""
        found = [] if self.temperature > 0 else [f"temperature is {self.temperature}, needed a number above 0"]
        if not 0 < self.weight <= 1:
            found.append(f"weight is {self.weight}, needed a share above 0, at most 1")
        found += [
            f"{name} is {getattr(self, name)}, needed at least 0"
            for name in ("hidden_weight", "feature_map_weight", "attention_weight", "augmentation")
            if getattr(self, name) < 0
        ]
        if self.teacher_layers is not None and not self.transfers:
            found.append("teacher_layers is for feature_map_weight and attention_weight: give one of them")
        return found

    @property
    def transfers(self) -> bool:
        """Whether the teacher's layers are learned from, and not only its answers."""
        return self.feature_map_weight > 0 or self.attention_weight > 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShrinkConfig:
    """What is taken away from the model before it is trained.

    Attributes:
        vocabulary: `corpus` keeps the tokens that the training texts need, and printable ASCII's characters.
        frequent: beside them the first so many tokens of the vocabulary, which BERT's lists by frequency.
        layers: which layers stay, counted from 0; None: all.
        intermediate_size: width of the feed-forward layers, most important neurons first; None: as it is.
        heads: heads of attention that stay in each layer, most important first; the others become zeros, which the
            exporter leaves out. None: all.
        embedding_size: width of the embeddings, which a linear layer brings to that of the encoder
            (<https://arxiv.org/abs/1909.11942>, section 3.1); BERT becomes ELECTRA, which has that layer. None: as it
            is.
    """

    vocabulary: str = "all"
    frequent: int = 0
    layers: tuple[int, ...] | None = None
    intermediate_size: int | None = None
    heads: int | None = None
    embedding_size: int | None = None

    def problems(self) -> list[str]:
        """Return every impossible setting as a sentence."""
        found: list[str] = []
        if self.vocabulary not in ("all", "corpus"):
            found.append(f"vocabulary is {self.vocabulary!r}, known are all, corpus")
        if self.frequent < 0 or (self.frequent and self.vocabulary == "all"):
            found.append(f"frequent is {self.frequent}, needed at least 0, and vocabulary = corpus")
        if self.layers is not None and (not self.layers or list(self.layers) != sorted(set(self.layers))):
            found.append(f"layers is {list(self.layers)}, needed rising numbers, at least one")
        found += [
            f"{name} is {getattr(self, name)}, needed at least 1"
            for name in ("intermediate_size", "heads", "embedding_size")
            if getattr(self, name) is not None and getattr(self, name) < 1
        ]
        return found

    @property
    def changes_anything(self) -> bool:
        """Whether the model gets smaller at all."""
        return self != ShrinkConfig()


@dataclasses.dataclass(frozen=True, kw_only=True)
class AdapterConfig:
    """Low-rank adapters (<https://arxiv.org/abs/2106.09685>), merged into the weights at the end.

    Attributes:
        rank: of each adapter.
        alpha: what an adapter learns counts alpha / rank; None: twice the rank.
        dropout: of what an adapter reads.
        targets: ends of the names of the layers that have one, as `query` or `output.dense`; empty: all linear layers
            of the encoder.
    """

    rank: int
    alpha: float | None = None
    dropout: float = 0.0
    targets: tuple[str, ...] = ()

    def problems(self) -> list[str]:
        """Return every impossible setting as a sentence."""
        found = [] if self.rank >= 1 else [f"rank is {self.rank}, needed at least 1"]
        if self.alpha is not None and not self.alpha > 0:
            found.append(f"alpha is {self.alpha}, needed a number above 0")
        if not 0 <= self.dropout < 1:
            found.append(f"the adapters' dropout is {self.dropout}, needed 0 or more and less than 1")
        return found

    @property
    def scale(self) -> float:
        """Alpha."""
        return 2.0 * self.rank if self.alpha is None else self.alpha


@dataclasses.dataclass(frozen=True, kw_only=True)
class CalibrationConfig:
    """What is folded into the last layer after training, so that the answers stay a plain softmax.

    Attributes:
        temperature: divide the logits by the number that makes the held-out rows likeliest
            (<https://arxiv.org/abs/1706.04599>).
        in_scope_recall: raise the logit of the out-of-scope label as far as this share of the held-out in-scope
            rows is still not called out of scope; None: leave it.
    """

    temperature: bool = False
    in_scope_recall: float | None = None

    def problems(self) -> list[str]:
        """Return every impossible setting as a sentence."""
        if self.in_scope_recall is None or 0.5 <= self.in_scope_recall < 1:
            return []
        return [f"in_scope_recall is {self.in_scope_recall}, needed a share of at least 0.5, below 1"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaskingConfig:
    """Masked language modelling (<https://arxiv.org/abs/1810.04805>), for the task fill-mask.

    Attributes:
        mlm_probability: share of the tokens that are hidden and guessed.
        next_sentence: guess too whether the second of two texts goes on from the first.
    """

    mlm_probability: float = 0.15
    next_sentence: bool = False

    def problems(self) -> list[str]:
        """Return every impossible setting as a sentence."""
        if 0 < self.mlm_probability < 1:
            return []
        return [f"mlm_probability is {self.mlm_probability}, needed a share above 0, below 1"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """What to train, on what, and how.

    Attributes:
        model: checkpoint to start from: a local directory or a Hugging Face hub id.
        output: directory of the trained checkpoint; what belongs to the training is in `training/` in it.
        data: rows and columns.
        task: Hugging Face task name.
        optimizer: how it is trained.
        distillation: the teacher, if there is one.
        shrink: what is taken away first.
        quantize_aware: recipe of the export whose rounding the model learns with; None: none.
        adapters: train these instead of the encoder's weights, if given.
        masking: what is hidden of a text, for fill-mask; None: as :class:`MaskingConfig` has it.
        calibration: what is folded into the last layer at the end.
        metric: what chooses the best epoch, on the held-out rows; None: the first of the task's.
        early_stopping: epochs without a better one until training stops; 0: none are skipped.
        max_length: bound in tokens, special tokens included; longer texts are cut.
        seed: of everything that is random.
        save_steps: a checkpoint every so many steps beside those after each epoch; 0: none.
        resume: go on with an unfinished training in `output`.
        force: start over where `output` holds one.
        keep_checkpoints: leave the optimizer's checkpoints there when it is done.
    """

    model: str
    output: Path
    data: DataConfig
    task: str = "text-classification"
    optimizer: OptimizerConfig = dataclasses.field(default_factory=OptimizerConfig)
    distillation: DistillationConfig | None = None
    shrink: ShrinkConfig = dataclasses.field(default_factory=ShrinkConfig)
    quantize_aware: str | None = None
    adapters: AdapterConfig | None = None
    masking: MaskingConfig | None = None
    calibration: CalibrationConfig = dataclasses.field(default_factory=CalibrationConfig)
    metric: str | None = None
    early_stopping: int = 0
    max_length: int = 128
    seed: int = 0
    save_steps: int = 0
    resume: bool = False
    force: bool = False
    keep_checkpoints: bool = False

    def __post_init__(self) -> None:
        problems = self.problems()
        if problems:
            raise InvalidArgumentError("; ".join(problems))

    def problems(self) -> list[str]:
        """Return every impossible setting as a sentence; empty if there is none."""
        found = [] if self.model else ["model is empty, needed a directory or a hub id"]
        if self.task not in TASKS:
            found.append(f"task is {self.task!r}, training knows {', '.join(TASKS)}")
        if self.metric is not None and self.metric not in METRICS:
            found.append(f"metric is {self.metric!r}, known are {', '.join(METRICS)}")
        found += self._cannot_imitate()
        if self.max_length < 3:
            found.append(f"max_length is {self.max_length}, needed at least 3: two special tokens and one of the text")
        found += [
            f"{name} is {getattr(self, name)}, needed at least 0"
            for name in ("early_stopping", "save_steps", "seed")
            if getattr(self, name) < 0
        ]
        if self.adapters is not None and self.optimizer.freeze != "none":
            found.append(
                f"freeze is {self.optimizer.freeze!r}, but adapters freeze the encoder themselves; leave one out"
            )
        if self.quantize_aware is not None and (self.adapters is not None or self.optimizer.freeze != "none"):
            found.append("quantize_aware trains every layer: leave out adapters and freeze")
        if self.adapters is not None and self.shrink.heads is not None:
            found.append("adapters would wake silent heads: leave out adapters, or heads")
        found += self._no_contrast_with()
        if self.distillation is not None and self.distillation.attention_weight and self.optimizer.dropout != 0:
            found.append("attention_weight needs dropout = 0: transformers gives attention as dropout leaves it")
        parts = (
            self.data, self.optimizer, self.shrink, self.adapters, self.masking, self.calibration, self.distillation,
        )  # fmt: skip
        return found + [problem for part in parts if part is not None for problem in part.problems()]

    def _cannot_imitate(self) -> list[str]:
        if self.quantize_aware in (None, *IMITATED):
            return []
        known = f"training can imitate {', '.join(IMITATED)}"
        if self.quantize_aware not in RECIPES:
            return [f"quantize_aware is {self.quantize_aware!r}, which is no recipe; {known}"]
        return [f"quantize_aware is {self.quantize_aware!r}, {known}"]

    def _no_contrast_with(self) -> list[str]:
        given = {
            "a teacher": self.distillation is not None,
            "calibration": self.calibration != CalibrationConfig(),
            "class_weights": self.optimizer.class_weights != "none",
            "label_smoothing": self.optimizer.label_smoothing != 0,
            "freeze = body": self.optimizer.freeze == "body",
            f"metric = {self.metric}": self.metric not in (None, "loss"),
            f"early_stopping = {self.early_stopping}": self.early_stopping > 0,
            "adversarial": self.optimizer.adversarial > 0,
        }
        wrong = [name for name, is_given in given.items() if is_given]
        if self.optimizer.objective != "contrast" or not wrong:
            return []
        return [f"objective = contrast trains no last layer: leave out {', '.join(wrong)}"]


TASKS: tuple[str, ...] = (
    "text-classification",
    "token-classification",
    "question-answering",
    "sentence-similarity",
    "text-ranking",
    "fill-mask",
)
"""What `linnet train` trains for; each has its file in `tasks/`."""
