"""Rows of text-generation: conversations, or prompts with their completions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from linnet.errors import InvalidArgumentError
from linnet_bench.accuracy.datasets import Row, read_rows
from linnet_bench.accuracy.problems import Place, Problem, in_order
from linnet_train.data.config import DataConfig
from linnet_train.data.rows import Example, Examples, hold_out, is_text, of_file, overlap_note, shown, wrong_encoding
from linnet_train.errors import BadDataError
from linnet_train.tasks.description import TaskDescription

__all__ = ["ASSISTANT", "DESCRIPTION", "FEWEST_ROWS", "conversation"]

ASSISTANT = "assistant"
"""Role of the messages that are learned."""

FEWEST_ROWS = 2
"""As many are needed, to train on one and to hold one out."""

_ROLES = ("system", "user", ASSISTANT)
_MESSAGES = ("messages", "conversation", "conversations")
_PROMPTS = ("prompt", "instruction", "question", "input", "text")
_COMPLETIONS = ("completion", "response", "answer", "output", "label")


def read(config: DataConfig, seed: int) -> Examples:
    """Read, check and split rows.

    A row has `messages`, a list of ``{"role": ..., "content": ...}`` as in OpenAI's and TRL's files, or a `prompt` and
    a `completion`, which are a message of the user and its answer.
    """
    problems: list[Problem] = []
    rows = _read_file(config.train, config, problems)
    held_out = _read_file(config.validation, config, problems) if config.validation else []
    if not problems and not config.validation and len(rows) < FEWEST_ROWS:
        problems.append(Problem(Place(str(config.train)), "one row, expected another to hold out, or --validation"))
    if problems:
        raise BadDataError(problems)
    notes = tuple(overlap_note(rows, held_out))
    if not held_out:
        rows, held_out = hold_out(rows, lambda row: row.text, config.validation_split, seed)
    return Examples(tuple(rows), tuple(held_out), (), None, notes)


def conversation(example: Example) -> list[dict[str, str]]:
    """Return the messages of a row."""
    messages: list[dict[str, str]] = example.label
    return messages


def _read_file(path: Path, config: DataConfig, problems: list[Problem]) -> list[Example]:
    wrong = wrong_encoding(path)
    if wrong:
        problems += wrong
        return []
    try:
        table, row_problems = read_rows(path, config.delimited)
        columns = _columns(path, table.columns, config) if table.rows else ()
    except InvalidArgumentError as error:
        problems.append(of_file(path, error))
        return []
    examples = []
    for index, row in enumerate(table.rows):
        where = table.place(index)
        found = _messages(row, columns)
        if isinstance(found, str):
            row_problems.append(Problem(where, found))
        else:
            examples.append(Example("\n".join(message["content"] for message in found), None, found, where))
    if not examples and not row_problems:
        row_problems.append(Problem(Place(str(path)), "no rows"))
    problems += in_order(row_problems)
    return examples


def _columns(path: Path, names: Sequence[str], config: DataConfig) -> tuple[str, ...]:
    """Return the column of messages, or those of prompt and completion."""
    known = {name.lower(): name for name in names}

    def first(usual: Sequence[str]) -> str | None:
        return next((known[name] for name in usual if name in known), None)

    messages = first(_MESSAGES)
    if messages is not None and config.text_column is None:
        return (messages,)
    prompt = config.text_column or first(_PROMPTS)
    completion = config.pair_column or config.label_column or first(_COMPLETIONS)
    missing = [name for name in (prompt, completion) if name not in names]
    if missing or prompt is None or completion is None:
        raise InvalidArgumentError(
            f"{path}: expected messages, or prompt and completion, got {', '.join(names)}; name them with "
            "--text-column and --label-column"
        )
    return prompt, completion


def _messages(row: Row, columns: Sequence[str]) -> list[dict[str, str]] | str:
    """Return the messages of a row, or what is wrong with it."""
    if len(columns) == 1:
        return _given_messages(row.get(columns[0]))
    for name in columns:
        if not is_text(row.get(name)):
            return f"{name} is {shown(row.get(name))}, expected a text"
    prompt, completion = columns
    return [{"role": "user", "content": row[prompt]}, {"role": ASSISTANT, "content": row[completion]}]


def _given_messages(given: Any) -> list[dict[str, str]] | str:
    if not isinstance(given, list) or not given:
        return f"messages is {shown(given)}, expected a list of messages"
    messages = []
    for number, message in enumerate(given, 1):
        role, content = (message.get(name) for name in ("role", "content")) if _is_message(message) else (None, None)
        if role not in _ROLES:
            return f"message {number} has the role {shown(role)}, expected {', '.join(_ROLES)}"
        if not isinstance(content, str) or (role == ASSISTANT and not content.strip()):
            return f"message {number} has the content {shown(content)}, expected a text"
        messages.append({"role": role, "content": content})
    if not any(message["role"] == ASSISTANT for message in messages):
        return f"no message has the role {ASSISTANT}, so there is nothing to learn"
    return messages


def _is_message(message: Any) -> bool:
    return isinstance(message, Mapping)


DESCRIPTION = TaskDescription(
    name="text-generation",
    metrics=("perplexity", "accuracy"),
    read=read,
    keeps=frozenset(
        {
            "vocabulary", "layers", "intermediate_size", "heads", "embedding_size", "quantize_aware", "adversarial",
            "feature_map_weight", "attention_weight",
        }
    ),
    why_kept=(
        "keeps its shape: leave out vocabulary, layers, intermediate_size, heads, embedding_size, quantize_aware, "
        "adversarial, feature_map_weight and attention_weight"
    ),
)  # fmt: skip
