"""Options of `linnet train`, and which of them have no effect without, or beside, another."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from linnet.errors import InvalidArgumentError
from linnet_train.config import FREEZABLE, METRICS, OBJECTIVES, PRECISIONS, SCHEDULES, TASKS, OptimizerConfig
from linnet_train.search import Budget, Space

__all__ = ["Options", "declare"]

_Add: TypeAlias = Callable[..., None]
"""As `ArgumentParser.add_argument`."""

_RECIPE = "a RECIPE.toml"

_GO_WITH_A_RECIPE = frozenset(
    {
        "model", "output", "export", "quantization", "first_model", "resume", "force", "json", "data", "validation",
        "validation_split", "text_column", "pair_column", "label_column", "out_of_scope", "label_all_tokens",
    }
)  # fmt: skip

_NEEDS: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("first_model",): (_RECIPE,),
    ("quantization",): ("export", "search"),
    ("frequent",): ("trim_vocabulary",),
    ("lora_alpha", "lora_dropout", "lora_targets"): ("lora_rank",),
    (
        "temperature", "distillation_weight", "hidden_weight", "feature_map_weight", "attention_weight",
        "teacher_layers", "augmentation",
    ): ("teacher",),
    (
        "max_size", "max_latency", "search_tokens", "search_learning_rate", "search_epochs", "search_layers",
        "search_intermediate_size", "search_lora_rank",
    ): ("search",),
}  # fmt: skip
"""Options that do nothing unless one of some others is given."""

_REPLACES: Mapping[str, tuple[str, ...]] = {
    "validation": ("validation_split",),
    "search": ("learning_rate", "epochs"),
    "search_layers": ("layers",),
    "search_intermediate_size": ("intermediate_size",),
    "search_lora_rank": ("lora_rank",),
}
"""Options that decide what some others would, which then do nothing."""


class Options:
    """Options of a parser which, unlike argparse's, know whether they were given."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser
        self._defaults: dict[str, Any] = {}
        self._names: dict[str, str] = {}

    def group(self, title: str | None = None) -> _Add:
        """Return what declares options, under a title if there is one."""
        container = self._parser if title is None else self._parser.add_argument_group(title)

        def add(*names: str, default: Any = None, **settings: Any) -> None:
            # left out of what is parsed, a default cannot be mistaken for the same value given
            action = container.add_argument(*names, default=argparse.SUPPRESS, **settings)
            self._defaults[action.dest] = False if settings.get("action") == "store_true" else default
            self._names[action.dest] = names[-1]

        return add

    def complete(self, args: argparse.Namespace) -> argparse.Namespace:
        """Return what was given and the defaults of the rest.

        Raises:
            InvalidArgumentError: an option was given that has no effect beside the others; all of them are named.
        """
        given = vars(args).keys() & self._defaults.keys()
        problems = self._without_effect(given | ({_RECIPE} if args.model.endswith(".toml") else set()))
        if problems:
            raise InvalidArgumentError(f"{'; '.join(problems)}; leave out what has none")
        return argparse.Namespace(**{**self._defaults, **vars(args)})

    def _without_effect(self, given: set[str]) -> list[str]:
        idle = set(given - _GO_WITH_A_RECIPE - {_RECIPE}) if _RECIPE in given else set()
        found = [f"{self._listed(idle)} no effect with {_RECIPE}, whose stages have their own settings"] if idle else []
        for name, others in _REPLACES.items():
            replaced = (given & set(others)) - idle
            if name in given - idle and replaced:
                found.append(f"{self._listed(replaced)} no effect with {self._names[name]}, which decides that")
        for options, needed in _NEEDS.items():
            useless = (given & set(options)) - idle
            if useless and not given & set(needed):
                wanted = " or ".join(self._names.get(each, each) for each in needed)
                found.append(f"{self._listed(useless)} no effect without {wanted}")
        return found

    def _listed(self, options: set[str]) -> str:
        names = [name for option, name in self._names.items() if option in options]
        return f"{', '.join(names)} {'has' if len(names) == 1 else 'have'}"


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the options; `options` of the parsed arguments is their :class:`Options`."""
    options = Options(parser)
    parser.set_defaults(options=options)
    add = options.group()
    add("model", metavar="MODEL|RECIPE.toml", help="checkpoint to start from, or a recipe of several stages")
    add("-o", "--output", type=Path, required=True, metavar="DIR", help="directory of the trained checkpoint")
    add("--export", type=Path, metavar="OUT.pte", help="go on to a proven file")
    add("--quantization", default=None, metavar="RECIPE", help="recipe of the file (default int8)")
    add("--task", choices=TASKS, help="default text-classification; a recipe's stages name their own")
    add("--model", dest="first_model", metavar="MODEL", help="model of a recipe's first stage")
    add("--resume", action="store_true", help="go on with an unfinished training")
    add("--force", action="store_true", help="start over, and overwrite the file of --export")
    add("--json", action="store_true", help="print the report as JSON")
    _add_data(options)
    _add_optimizer(options)
    _add_masking(options)
    _add_adapters(options)
    _add_small(options)
    _add_search(options)


def _add_data(options: Options) -> None:
    add = options.group("data")
    add("--data", type=Path, required=True, metavar="FILE", help="rows to train on: .jsonl, .json, .csv, .tsv; CoNLL")
    add("--validation", type=Path, metavar="FILE", help="rows that are only looked at")
    add("--validation-split", type=float, default=0.1, metavar="SHARE",
        help="share of each class that is held out instead (default 0.1)")  # fmt: skip
    add("--text-column", metavar="NAME", help="column of the text")
    add("--pair-column", metavar="NAME", help="column of the second text")
    add("--label-column", metavar="NAME", help="column of the label")
    add("--out-of-scope", metavar="LABEL", help="label of what belongs to no class (default: oos, if it occurs)")
    add("--label-all-tokens", action="store_true", help="token-classification: train all tokens of a word")
    add("--max-length", type=int, default=128, metavar="N", help="bound in tokens (default 128)")


def _add_optimizer(options: Options) -> None:
    add = options.group("training")
    defaults = OptimizerConfig()
    add("--epochs", type=int, default=defaults.epochs, metavar="N", help="passes over the rows (default 5)")
    add("--batch-size", type=int, default=defaults.batch_size, metavar="N", help="rows of a step (default 32)")
    add("--learning-rate", type=float, default=defaults.learning_rate, metavar="X", help="highest rate (default 5e-5)")
    add("--schedule", choices=SCHEDULES, default=defaults.schedule, help="of the learning rate (default linear)")
    add("--warmup-ratio", type=float, default=defaults.warmup_ratio, metavar="SHARE", help="default 0.06")
    add("--weight-decay", type=float, default=defaults.weight_decay, metavar="X", help="default 0.01")
    add("--max-grad-norm", type=float, default=defaults.max_grad_norm, metavar="X", help="default 1.0")
    add("--label-smoothing", type=float, default=defaults.label_smoothing, metavar="SHARE", help="default 0")
    add("--class-weights", choices=("none", "balanced"), default="none", help="balanced: rare classes count more")
    add("--dropout", type=float, metavar="SHARE", help="default: the checkpoint's own")
    add("--freeze", choices=FREEZABLE, default="none", help="what is not trained")
    add("--precision", choices=PRECISIONS, default="no", help="bf16: faster where the processor has bfloat16")
    add("--objective", choices=OBJECTIVES, default=defaults.objective,
        help="contrast: hold classes apart, train no last layer; first stage for few rows")  # fmt: skip
    add("--adversarial", type=float, default=defaults.adversarial, metavar="SHARE",
        help="learn from embeddings moved against the model too, by this share of their length")  # fmt: skip
    add("--metric", choices=METRICS, help="what chooses the best epoch (default: the first that the task measures)")
    add("--early-stopping", type=int, default=0, metavar="N", help="stop after N epochs without a better one")
    add("--save-steps", type=int, default=0, metavar="N", help="a checkpoint every N steps too")
    add("--keep-checkpoints", action="store_true", help="leave the optimizer's checkpoints there")
    add("--seed", type=int, default=0, metavar="N", help="of everything random (default 0)")


def _add_masking(options: Options) -> None:
    add = options.group("pre-training, --task fill-mask")
    add("--mlm-probability", type=float, metavar="SHARE", help="of the tokens that are hidden (default 0.15)")
    add("--next-sentence", action="store_true", help="learn too whether a text goes on from another")


def _add_adapters(options: Options) -> None:
    add = options.group("adapters (LoRA), merged into the weights at the end")
    add("--lora-rank", type=int, metavar="N", help="train adapters of this rank, and the head, instead of everything")
    add("--lora-alpha", type=float, metavar="X", help="what they learn counts X / rank (default: twice the rank)")
    add("--lora-dropout", type=float, default=0.0, metavar="SHARE", help="default 0")
    add("--lora-targets", metavar="query,value", default="", help="layers that have one (default: every linear layer)")


def _add_small(options: Options) -> None:
    add = options.group("making it small")
    add("--teacher", metavar="MODEL", help="learn its answers: a checkpoint that was trained for the same labels")
    add("--temperature", type=float, default=2.0, metavar="X", help="softens the teacher's answers (default 2)")
    add("--distillation-weight", type=float, default=0.9, metavar="SHARE", help="labels have the rest (default 0.9)")
    add("--hidden-weight", type=float, default=0.0, metavar="X", help="of the teacher's last layer (default 0)")
    add("--feature-map-weight", type=float, default=0.0, metavar="X", help="of the teacher's every layer (default 0)")
    add("--attention-weight", type=float, default=0.0, metavar="X", help="of the teacher's attention (default 0)")
    add("--teacher-layers", type=_numbers, metavar="1,3,5", help="that each layer learns from (default: spread evenly)")
    add("--augmentation", type=int, default=0, metavar="N", help="texts made from each, which the teacher answers")
    add("--trim-vocabulary", action="store_true", help="keep the tokens that the training texts need")
    add("--frequent", type=int, default=0, metavar="N", help="and the N most frequent words")
    add("--layers", type=_numbers, metavar="0,2,5", help="layers that stay")
    add("--intermediate-size", type=int, metavar="N", help="neurons that stay in each feed-forward layer")
    add("--heads", type=int, metavar="N", help="heads of attention that stay in each layer")
    add("--embedding-size", type=int, metavar="N", help="width of the embeddings; BERT becomes ELECTRA")
    add(
        "--quantize-aware",
        metavar="RECIPE",
        help="learn with the rounding of this recipe of --export, as int8 or 8da4w",
    )
    add("--calibrate-temperature", action="store_true", help="make scores mean what they say, on held-out rows")
    add("--in-scope-recall", type=float, metavar="SHARE", help="threshold of out of scope: this share stays in scope")


def _add_search(options: Options) -> None:
    add = options.group("search, with Optuna; needs linnet[search]")
    space, budget = Space(), Budget()
    add("--search", type=int, metavar="N", help="train, export and measure N times; the best that fits goes to best/")
    add("--max-size", type=float, metavar="MB", help="of the file")
    add("--max-latency", type=float, metavar="MS", help="p50 of a text on one thread of this machine")
    add("--search-tokens", type=int, default=budget.tokens, metavar="N", help="tokens of that text (default 16)")
    add("--search-learning-rate", type=_span(float), default=space.learning_rate, metavar="FROM,TO",
        help="default 2e-5,5e-4")  # fmt: skip
    add("--search-epochs", type=_span(int), default=space.epochs, metavar="FROM,TO", help="default 2,8")
    add("--search-layers", type=_numbers, default=(), metavar="2,4,6", help="how many layers stay")
    add("--search-intermediate-size", type=_numbers, default=(), metavar="512,1024", help="neurons that stay")
    add("--search-lora-rank", type=_numbers, default=(), metavar="0,8,32", help="ranks of adapters; 0: all weights")


def _span(kind: type[Any]) -> Callable[[str], tuple[Any, Any]]:
    def read(text: str) -> tuple[Any, Any]:
        try:
            low, high = (kind(each) for each in text.split(","))
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"found {text!r}, needed two numbers, FROM,TO") from error
        return low, high

    return read


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(each) for each in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"found {text!r}, needed numbers like 0,2,5") from error
