"""Settings of a search: space, budget, number of trials."""

from __future__ import annotations

import dataclasses

from linnet.errors import InvalidArgumentError
from linnet_train.fields import setting

__all__ = ["Budget", "SearchConfig", "Space"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Space:
    """Search space; a parameter with a single value is fixed.

    Attributes:
        learning_rate: from and to, on a logarithmic scale.
        epochs: from and to.
        lora_ranks: ranks of adapters, 0 trains all weights; empty: as the training is set.
        layers: how many layers stay, evenly spread; empty: as the training is set.
        intermediate_sizes: widths of the feed-forward layers; empty: as the training is set.
    """

    learning_rate: tuple[float, float] = setting(
        "learning rates to try, from and to (default {default})",
        "--search-learning-rate",
        metavar="FROM,TO",
        default=(2e-5, 5e-4),
    )
    epochs: tuple[int, int] = setting(
        "numbers of epochs to try, from and to (default {default})",
        "--search-epochs",
        metavar="FROM,TO",
        default=(2, 8),
    )
    lora_ranks: tuple[int, ...] = setting(
        "ranks of adapters to try; 0 trains all weights",
        "--search-lora-rank",
        metavar="0,8,32",
        replaces=("--lora-rank",),
        default=(),
    )
    layers: tuple[int, ...] = setting(
        "numbers of layers to try", "--search-layers", metavar="2,4,6", replaces=("--layers",), default=()
    )
    intermediate_sizes: tuple[int, ...] = setting(
        "numbers of neurons in feed-forward layers to try",
        "--search-intermediate-size",
        metavar="512,1024",
        replaces=("--intermediate-size",),
        default=(),
    )

    def problems(self) -> list[str]:
        """Return a sentence for each invalid setting."""
        low, high = self.learning_rate
        problems = [] if 0 < low <= high else [f"learning_rate is {low:g} to {high:g}, expected rising numbers above 0"]
        if not 1 <= self.epochs[0] <= self.epochs[1]:
            problems.append(f"epochs is {self.epochs[0]} to {self.epochs[1]}, expected rising numbers from 1 on")
        return problems + [
            f"{name} is {', '.join(map(str, getattr(self, name)))}, expected numbers of at least {least}"
            for name, least in (("lora_ranks", 0), ("layers", 1), ("intermediate_sizes", 1))
            if any(value < least for value in getattr(self, name))
        ]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Budget:
    """Limits of the device; a trial that exceeds them is never the result.

    Attributes:
        megabytes: of the file, 10^6 bytes; None: any.
        milliseconds: p50 of one text on one thread of this machine; None: any.
        tokens: of that text.
    """

    megabytes: float | None = setting(
        "largest size of the exported file in MB", "--max-size", metavar="MB", default=None
    )
    milliseconds: float | None = setting(
        "largest p50 of a text on one thread of this machine in ms", "--max-latency", metavar="MS", default=None
    )
    tokens: int = setting(
        "length of the text for --max-latency in tokens (default {default})", "--search-tokens", metavar="N", default=16
    )

    def problems(self) -> list[str]:
        """Return a sentence for each invalid setting."""
        problems = [
            f"{name} is {value:g}, expected a number above 0"
            for name, value in (("max_size", self.megabytes), ("max_latency", self.milliseconds))
            if value is not None and not value > 0
        ]
        return problems if self.tokens >= 2 else [*problems, f"tokens is {self.tokens}, expected at least 2"]

    def excess(self, megabytes: float, milliseconds: float) -> list[float]:
        """Return how far over the budget each is, as a share of it; 0 or less: within."""
        pairs = ((megabytes, self.megabytes), (milliseconds, self.milliseconds))
        return [0.0 if limit is None else measured / limit - 1 for measured, limit in pairs]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchConfig:
    """One search.

    Attributes:
        trials: trainings, those of an earlier, interrupted search and of other processes included.
        budget: what the device allows.
        space: what they choose.
    """

    trials: int = setting(
        "train, export and measure N times; the best that fits goes to best/", "--search", metavar="N",
        group="search, with Optuna; needs linnet[search]", replaces=("--learning-rate", "--epochs"),
    )  # fmt: skip
    budget: Budget = setting(group="search, with Optuna; needs linnet[search]", default_factory=Budget)
    space: Space = setting(group="search, with Optuna; needs linnet[search]", default_factory=Space)

    def __post_init__(self) -> None:
        problems = [] if self.trials >= 1 else [f"search is {self.trials}, expected at least 1 trial"]
        problems += [*self.space.problems(), *self.budget.problems()]
        if problems:
            raise InvalidArgumentError("; ".join(problems))
