"""Supervised fine-tuning of decoders on conversations: only the assistant's messages are learned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from linnet_bench.accuracy.problems import Problem
from linnet_train.config import TrainConfig
from linnet_train.data.batches import NO_LABEL, Rows
from linnet_train.data.rows import Example, Examples
from linnet_train.distill.losses import softened
from linnet_train.errors import BadDataError
from linnet_train.loading import Loaded, load_decoder
from linnet_train.tasks.base import Answers, Step, TrainingTask
from linnet_train.tasks.by_token import figures_by_token, placed
from linnet_train.tasks.rows.text_generation import ASSISTANT, DESCRIPTION, conversation

__all__ = ["TASK"]


class TextGeneration(TrainingTask):
    """The task."""

    description = DESCRIPTION

    def load(self, name: str, examples: Examples, config: TrainConfig) -> Loaded:
        """See :class:`TrainingTask`."""
        return load_decoder(name, config.optimizer.dropout)

    def encode(self, rows: Sequence[Example], examples: Examples, tokenizer: Any, config: TrainConfig) -> Rows:
        """See :class:`TrainingTask`; tokens of the assistant are their own labels, all others have none.

        A conversation that is too long is cut at its end.

        Raises:
            BadDataError: of a row nothing would be learned, or the chat template takes back what it wrote.
        """
        encoded, problems = [], []
        for row in rows:
            ids, labels, problem = _encode(row, tokenizer, config.max_length)
            encoded.append((ids, labels))
            if problem:
                problems.append(Problem(row.where, problem))
        if problems:
            raise BadDataError(problems)
        return Rows([{"input_ids": ids} for ids, _ in encoded], [labels for _, labels in encoded])

    def step(self, config: TrainConfig, rows: Rows, examples: Examples) -> Step:
        """See :class:`TrainingTask`: cross entropy of the assistant's tokens."""
        return _step

    def teacher_distance(self, student: Answers, teacher: Answers, temperature: float) -> Tensor | None:
        """See :class:`TrainingTask`; of the assistant's tokens."""
        learned = student.measured["token_loss"] != NO_LABEL
        ours, theirs = (answers.runs[0].outputs.logits[:, :-1][learned] for answers in (student, teacher))
        return softened(ours, theirs, temperature)

    def watched(self, config: TrainConfig) -> str:
        """See :class:`TrainingTask`; the loss says more than how often the likeliest token is right."""
        return config.metric or "loss"

    def figures(self, predictions: Any, rows: Rows, examples: Examples) -> dict[str, float]:
        """Return the exponential of the mean loss of the assistant's tokens, and the share that is foretold."""
        found = figures_by_token(*predictions)
        return {name: found[name] for name in self.metrics}

    def held_out_row(self, example: Example) -> dict[str, Any]:
        """See :class:`TrainingTask`."""
        return {"messages": conversation(example)}

    def texts(self, example: Example, tokenizer: Any) -> list[dict[str, str]]:
        """See :class:`TrainingTask`; the whole conversation as the chat template writes it, or without one."""
        messages = conversation(example)
        if tokenizer.chat_template is not None:
            return [{"text": tokenizer.apply_chat_template(messages, tokenize=False)}]
        return [{"text": "\n".join(message["content"] for message in messages)}]


def _encode(row: Example, tokenizer: Any, max_length: int) -> tuple[list[int], list[int], str]:
    """Return token ids, labels and what is wrong."""
    messages = conversation(row)
    if tokenizer.chat_template is None:
        prompt, answer = _plain(messages, tokenizer)
        parts = [(prompt, False), (answer, True)]
    else:
        parts = _turns(messages, tokenizer)
    ids = [token for part, _ in parts for token in part][:max_length]
    labels = [token if learned else NO_LABEL for part, learned in parts for token in part][:max_length]
    if not parts:
        return ids, labels, "the chat template writes earlier messages otherwise when later ones follow"
    if all(label == NO_LABEL for label in labels):
        count = sum(len(part) for part, _ in parts)
        return ids, labels, f"no answer within {max_length} of its {count} tokens; set a larger --max-length"
    return ids, labels, ""


def _turns(messages: list[dict[str, str]], tokenizer: Any) -> list[tuple[list[int], bool]]:
    """Return the token ids of a conversation in parts, and whether each is learned; none if parts do not add up.

    An answer is what the template adds to the conversation that asks for one.
    """
    parts: list[tuple[list[int], bool]] = []
    written: list[int] = []
    for number, message in enumerate(messages):
        if message["role"] != ASSISTANT:
            continue
        asked = _rendered(tokenizer, messages[:number], generate=True)
        answered = _rendered(tokenizer, messages[: number + 1], generate=False)
        if asked[: len(written)] != written or answered[: len(asked)] != asked:
            return []
        parts += [(asked[len(written) :], False), (answered[len(asked) :], True)]
        written = answered
    return parts


def _rendered(tokenizer: Any, messages: list[dict[str, str]], *, generate: bool) -> list[int]:
    text = tokenizer.apply_chat_template(messages, add_generation_prompt=generate, tokenize=False)
    return [int(token) for token in tokenizer(text, add_special_tokens=False)["input_ids"]]


def _plain(messages: list[dict[str, str]], tokenizer: Any) -> tuple[list[int], list[int]]:
    """Return prompt and answer of a model without a chat template: the texts before the last answer, and that."""
    prompt = "\n".join(message["content"] for message in messages[:-1])
    end = [] if tokenizer.eos_token_id is None else [int(tokenizer.eos_token_id)]
    answer = tokenizer(messages[-1]["content"], add_special_tokens=False)["input_ids"]
    return tokenizer(prompt)["input_ids"], [*answer, *end]


def _step(model: Any, inputs: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    following = inputs.pop("labels")[:, 1:]
    learned = following != NO_LABEL
    logits = model(**inputs).logits[:, :-1][learned].float()
    losses = nn.functional.cross_entropy(logits, following[learned], reduction="none")
    right = (logits.argmax(dim=-1) == following[learned]).float()
    return losses.mean(), {"token_loss": placed(losses, learned), "right": placed(right, learned)}


TASK = TextGeneration()
