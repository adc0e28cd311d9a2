"""Settings of one training as frozen dataclasses, from which the options of `linnet train` are made."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from linnet.errors import InvalidArgumentError
from linnet_export.config import RECIPES
from linnet_train.data.config import DataConfig
from linnet_train.fields import ABOVE_ZERO, BELOW_ONE, Bounds, at_least, setting, value_problems
from linnet_train.tasks import METRICS, TASKS

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

LOWER_IS_BETTER: frozenset[str] = frozenset({"loss", "perplexity"})
"""Of :data:`linnet_train.tasks.METRICS`; of all others the highest is best."""

POOLINGS: tuple[str, ...] = ("auto", "first", "mean")
"""What the last layer of a text classifier reads."""

TRAINABLE_RECIPES: tuple[str, ...] = ("8da4w", "int8")
"""Recipes that quantization-aware training supports; the others need calibration, or quantize nothing."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """AdamW (<https://arxiv.org/abs/1711.05101>), learning-rate schedule, regularization.

    Attributes:
        epochs: passes over the rows; None: five, or as many as make 200 steps
            (:func:`linnet_train.step_plan.plan_steps`).
        batch_size: rows of a step, of all processes together; None: 32, of few rows 8 or 16.
        learning_rate: highest, after the warm-up; None: 5e-5, in less than 1 000 steps 1e-4.
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

    epochs: int | None = setting(
        "passes over the rows (default: 5, or at least 200 steps)", metavar="N", bounds=at_least(1), default=None
    )
    batch_size: int | None = setting(
        "rows in one step (default: 32, or 16 if there are fewer than 512 rows, 8 if fewer than 256)",
        metavar="N",
        bounds=at_least(1),
        default=None,
    )
    learning_rate: float | None = setting(
        "highest learning rate (default: 5e-5, or 1e-4 in less than 1000 steps)",
        metavar="X",
        bounds=ABOVE_ZERO,
        default=None,
    )
    schedule: str = setting(
        "how the learning rate changes over the steps (default {default})", choices=SCHEDULES, default="linear"
    )
    warmup_ratio: float = setting(
        "share of the steps in which the learning rate rises (default {default})",
        metavar="SHARE",
        bounds=BELOW_ONE,
        default=0.06,
    )
    weight_decay: float = setting(
        "decay of the weights of AdamW (default {default})", metavar="X", bounds=at_least(0), default=0.01
    )
    max_grad_norm: float = setting(
        "length to which longer gradients are shortened (default {default})",
        metavar="X",
        bounds=ABOVE_ZERO,
        default=1.0,
    )
    label_smoothing: float = setting(
        "share of the target that is spread over all classes (default {default})",
        metavar="SHARE",
        bounds=BELOW_ONE,
        of_some_tasks=True,
        default=0.0,
    )
    class_weights: str = setting(
        "how much a class counts: all the same, or rare ones more (default {default})",
        choices=("none", "balanced"),
        of_some_tasks=True,
        default="none",
    )
    dropout: float | None = setting(
        "share of activations that dropout leaves out (default: the checkpoint's own)",
        metavar="SHARE",
        bounds=BELOW_ONE,
        default=None,
    )
    freeze: str = setting(
        "part of the model that is not trained (default {default})",
        choices=("none", "embeddings", "body"),
        default="none",
    )
    precision: str = setting(
        "precision of matrix products; bf16 is faster where the processor has it", choices=("no", "bf16"), default="no"
    )
    objective: str = setting(
        "what is learned: the classes, or to hold classes apart as the first stage for few rows",
        choices=("classes", "contrast"), of_some_tasks=True, default="classes",
    )  # fmt: skip
    adversarial: float = setting(
        "also learn from embeddings that are moved against the model by this share of their length", metavar="SHARE",
        bounds=at_least(0), default=0.0,
    )  # fmt: skip

    def problems(self) -> list[str]:
        """Return a sentence for each invalid setting."""
        return value_problems(self)


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

    teacher: str = setting("checkpoint of the same task, whose answers are learned", metavar="MODEL")
    temperature: float = setting(
        "temperature that softens the teacher's answers (default {default})",
        metavar="X",
        bounds=ABOVE_ZERO,
        default=2.0,
    )
    weight: float = setting(
        "weight of the teacher's answers in the loss; the labels have the rest (default {default})",
        "--distillation-weight",
        metavar="SHARE",
        default=0.9,
        bounds=Bounds("a share above 0, at most 1", lambda share: 0 < share <= 1),
    )
    hidden_weight: float = setting(
        "weight of the distance to the teacher's last layer in the loss (default {default})",
        metavar="X",
        bounds=at_least(0),
        of_some_tasks=True,
        default=0.0,
    )
    feature_map_weight: float = setting(
        "weight of the distance to each of the teacher's layers in the loss (default {default})",
        metavar="X",
        bounds=at_least(0),
        default=0.0,
    )
    attention_weight: float = setting(
        "weight of the distance to the teacher's attention in the loss (default {default})",
        metavar="X",
        bounds=at_least(0),
        default=0.0,
    )
    teacher_layers: tuple[int, ...] | None = setting(
        "layers of the teacher that the student's layers learn from (default: spread evenly)",
        metavar="1,3,5",
        default=None,
    )
    augmentation: int = setting(
        "number of variants made of each text, which the teacher answers (default {default})",
        metavar="N",
        bounds=at_least(0),
        of_some_tasks=True,
        default=0,
    )
    batch_size: int = 128

    def problems(self) -> list[str]:
        """Return a sentence for each invalid setting."""
        if self.teacher_layers is None or self.transfers:
            return value_problems(self)
        lonely = "teacher_layers is for feature_map_weight and attention_weight: give one of them"
        return [*value_problems(self), lonely]

    @property
    def transfers(self) -> bool:
        """Whether the teacher's layers are learned from, and not only its answers."""
        return self.feature_map_weight > 0 or self.attention_weight > 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class ShrinkConfig:
    """Structured pruning before training.

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

    vocabulary: str = setting(
        "keep only the tokens that the training texts need", "--trim-vocabulary", when_given="corpus",
        choices=("all", "corpus"), default="all",
    )  # fmt: skip
    frequent: int = setting(
        "also keep the N most frequent tokens of the vocabulary (default {default})",
        metavar="N",
        needs=("--trim-vocabulary",),
        default=0,
    )
    layers: tuple[int, ...] | None = setting(
        "numbers of the layers that stay, from 0 (default: all)", metavar="0,2,5", default=None
    )
    intermediate_size: int | None = setting(
        "number of neurons that stay in each feed-forward layer (default: all)",
        metavar="N",
        bounds=at_least(1),
        default=None,
    )
    heads: int | None = setting(
        "number of attention heads that stay in each layer (default: all)",
        metavar="N",
        bounds=at_least(1),
        default=None,
    )
    embedding_size: int | None = setting(
        "width of the embeddings; BERT becomes ELECTRA", metavar="N", bounds=at_least(1), default=None
    )

    def problems(self) -> list[str]:
        """Return a sentence for each invalid setting."""
        problems = value_problems(self)
        if self.frequent < 0 or (self.frequent and self.vocabulary == "all"):
            problems.append(f"frequent is {self.frequent}, expected at least 0, and vocabulary = corpus")
        if self.layers is not None and (not self.layers or list(self.layers) != sorted(set(self.layers))):
            problems.append(f"layers is {list(self.layers)}, expected rising numbers, at least one")
        return problems

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

    rank: int = setting(
        "train adapters of this rank and the head, instead of all weights", "--lora-rank", metavar="N",
        bounds=at_least(1),
    )  # fmt: skip
    alpha: float | None = setting(
        "scale of the adapters: what they learn counts X / rank (default: twice the rank)",
        "--lora-alpha",
        metavar="X",
        bounds=ABOVE_ZERO,
        default=None,
    )
    dropout: float = setting(
        "share of the adapters' input that dropout leaves out (default {default})",
        "--lora-dropout",
        metavar="SHARE",
        default=0.0,
    )
    targets: tuple[str, ...] = setting(
        "ends of the names of layers that get an adapter (default: every linear layer)",
        "--lora-targets",
        metavar="query,value",
        default=(),
    )

    def problems(self) -> list[str]:
        """Return a sentence for each invalid setting."""
        problems = value_problems(self)
        if not BELOW_ONE.hold(self.dropout):
            problems.append(f"the adapters' dropout is {self.dropout}, expected {BELOW_ONE.expected}")
        return problems

    @property
    def scale(self) -> float:
        """Alpha."""
        return 2.0 * self.rank if self.alpha is None else self.alpha


@dataclasses.dataclass(frozen=True, kw_only=True)
class CalibrationConfig:
    """Calibration, folded into the last layer after training, so that scores stay a plain softmax.

    Attributes:
        temperature: divide the logits by the number that makes the held-out rows likeliest
            (<https://arxiv.org/abs/1706.04599>).
        in_scope_recall: raise the logit of the out-of-scope label as far as this share of the held-out in-scope
            rows is still not called out of scope; None: leave it.
    """

    temperature: bool = setting(
        "calibrate scores on the held-out rows, so that they are probabilities",
        "--calibrate-temperature",
        default=False,
    )
    in_scope_recall: float | None = setting(
        "share of the held-out texts in scope that stay in scope, for the threshold of out of scope",
        metavar="SHARE",
        default=None,
        bounds=Bounds("a share of at least 0.5, below 1", lambda share: 0.5 <= share < 1),
    )

    def problems(self) -> list[str]:
        """Return a sentence for each invalid setting."""
        return value_problems(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class MaskingConfig:
    """Masked language modelling (<https://arxiv.org/abs/1810.04805>), for the task fill-mask.

    Attributes:
        mlm_probability: share of the tokens that are hidden and guessed.
        next_sentence: guess too whether the second of two texts goes on from the first.
    """

    mlm_probability: float = setting(
        "share of the tokens that are hidden (default {default})", metavar="SHARE", default=0.15,
        bounds=Bounds("a share above 0, below 1", lambda share: 0 < share < 1),
    )  # fmt: skip
    next_sentence: bool = setting("also learn whether a text goes on from another", default=False)

    def problems(self) -> list[str]:
        """Return a sentence for each invalid setting."""
        return value_problems(self)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Settings of one training.

    Attributes:
        model: checkpoint to start from: a local directory or a Hugging Face hub id.
        output: directory of the trained checkpoint; what belongs to the training is in `training/` in it.
        task: Hugging Face task name.
        resume: go on with an unfinished training in `output`.
        force: start over where `output` holds one.
        data: rows and columns.
        max_length: bound in tokens, special tokens included; longer texts are cut.
        optimizer: how it is trained.
        metric: what chooses the best epoch, on the held-out rows; None: the first of the task's, or the loss on
            fewer than 100 held-out rows. The lower loss decides between equal ones.
        pooling: what the last layer of a text classifier reads: the `first` token, or the `mean` of all, for which the
            encoder gets one layer more (:mod:`linnet_train.techniques.averaging`); `auto`: the mean, where the
            checkpoint is a sentence encoder that averages and there are fewer than 2 000 rows.
        early_stopping: evaluations without a better one until training stops; 0: it never does; None: five, once
            half of the fewest steps are made (:func:`linnet_train.callbacks.StopEarly`), and never by contrast.
        save_steps: a checkpoint every so many steps beside those after each epoch; 0: none.
        keep_checkpoints: leave the optimizer's checkpoints there when it is done.
        seed: of everything that is random.
        masking: what is hidden of a text, for fill-mask; None: as :class:`MaskingConfig` has it.
        adapters: train these instead of the encoder's weights, if given.
        distillation: the teacher, if there is one.
        shrink: what is taken away first.
        quantize_aware: recipe of the export whose rounding the model learns with; None: none.
        calibration: what is folded into the last layer at the end.
    """

    model: str = setting(
        "checkpoint to start from, or a file or name of stages", "model",
        metavar="MODEL|STAGES.toml",
        goes_with_stages=True,
    )  # fmt: skip
    output: Path = setting(
        "directory of the trained checkpoint", "-o", "--output", metavar="DIR", goes_with_stages=True,
        decides_result=False,
    )  # fmt: skip
    task: str = setting(
        f"task to train for (default {{default}}): {', '.join(TASKS)}",
        metavar="TASK",
        choices=tuple(TASKS),
        default="text-classification",
    )
    resume: bool = setting(
        "go on with an unfinished training", goes_with_stages=True, decides_result=False, default=False
    )
    force: bool = setting(
        "start over, and replace the file of --export", goes_with_stages=True, decides_result=False, default=False
    )
    data: DataConfig = setting(group="data", goes_with_stages=True)
    max_length: int = setting(
        "longest input in tokens; longer texts are cut (default {default})", metavar="N", group="data", default=128
    )
    optimizer: OptimizerConfig = setting(group="training", default_factory=OptimizerConfig)
    metric: str | None = setting(
        "figure on the held-out rows that chooses the best epoch (default: the task's first, or of few rows the loss)",
        choices=METRICS,
        group="training",
        default=None,
    )
    pooling: str = setting(
        "what the last layer reads: the first token, or the mean of all by one more layer (default auto: few rows)",
        choices=POOLINGS,
        group="training",
        of_some_tasks=True,
        default="auto",
    )
    early_stopping: int | None = setting(
        "stop after N evaluations without a better one; 0: never (default 5, not before step 100)",
        "--early-stopping-patience",
        "--early-stopping",
        metavar="N",
        group="training",
        bounds=at_least(0),
        decides_result=False,
        default=None,
    )
    save_steps: int = setting(
        "write a checkpoint every N steps too (default {default}: only after each epoch)",
        metavar="N",
        group="training",
        bounds=at_least(0),
        default=0,
    )
    keep_checkpoints: bool = setting(
        "keep the optimizer's checkpoints when the training is done",
        group="training",
        decides_result=False,
        default=False,
    )
    seed: int = setting(
        "seed of everything random (default {default})", metavar="N", group="training", bounds=at_least(0), default=0
    )
    masking: MaskingConfig | None = setting(group="pre-training, --task fill-mask", of_some_tasks=True, default=None)
    adapters: AdapterConfig | None = setting(group="adapters (LoRA), merged into the weights at the end", default=None)
    distillation: DistillationConfig | None = setting(group="making it small", default=None)
    shrink: ShrinkConfig = setting(group="making it small", default_factory=ShrinkConfig)
    quantize_aware: str | None = setting(
        "recipe of --export whose rounding is learned with, as int8 or 8da4w", metavar="RECIPE",
        group="making it small", default=None,
    )  # fmt: skip
    calibration: CalibrationConfig = setting(
        group="making it small", of_some_tasks=True, default_factory=CalibrationConfig
    )

    def __post_init__(self) -> None:
        problems = self.problems()
        if problems:
            raise InvalidArgumentError("; ".join(problems))

    def problems(self) -> list[str]:
        """Return a sentence for each invalid setting; empty if all are valid."""
        problems = [] if self.model else ["model is empty, expected a directory or a hub id"]
        problems += [*value_problems(self), *self._quantization_problems()]
        if self.max_length < 3:
            problems.append(f"max_length is {self.max_length}, expected at least 3: two special tokens and one more")
        if self.adapters is not None and self.optimizer.freeze != "none":
            problems.append(
                f"freeze is {self.optimizer.freeze!r}, but adapters freeze the encoder themselves; leave one out"
            )
        if self.quantize_aware is not None and (self.adapters is not None or self.optimizer.freeze != "none"):
            problems.append("quantize_aware trains every layer: leave out adapters and freeze")
        if self.adapters is not None and self.shrink.heads is not None:
            problems.append("adapters would change pruned heads: leave out adapters, or heads")
        problems += self._no_contrast_with()
        if self.distillation is not None and self.distillation.attention_weight and self.optimizer.dropout != 0:
            problems.append(
                "attention_weight requires dropout = 0, because transformers returns attention after dropout"
            )
        parts = (
            self.data, self.optimizer, self.shrink, self.adapters, self.masking, self.calibration, self.distillation,
        )  # fmt: skip
        return problems + [problem for part in parts if part is not None for problem in part.problems()]

    def _quantization_problems(self) -> list[str]:
        if self.quantize_aware in (None, *TRAINABLE_RECIPES):
            return []
        known = f"quantization-aware training supports {', '.join(TRAINABLE_RECIPES)}"
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
            f"early_stopping = {self.early_stopping}": bool(self.early_stopping),
            "adversarial": self.optimizer.adversarial > 0,
        }
        wrong = [name for name, is_given in given.items() if is_given]
        if self.optimizer.objective != "contrast" or not wrong:
            return []
        return [f"objective = contrast trains no last layer: leave out {', '.join(wrong)}"]
