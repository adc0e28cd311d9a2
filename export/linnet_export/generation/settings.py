"""Tokens that end an answer, recommended sampling and chat template of a decoder's checkpoint."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linnet_export.file_damage import read_json
from linnet_export.generation.chat_template import ChatTemplate, UnknownTemplateError, derive_template

__all__ = ["GenerationSettings", "read_generation_settings"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class GenerationSettings:
    """What a checkpoint recommends for generating text.

    Attributes:
        end_ids: tokens that end an answer.
        sampling: temperature, top_k, top_p, min_p and repetition_penalty; a temperature of 0 is greedy.
        template: segments of the chat template; None if there is none that segments can say.
        notes: what the user should know, sentences.
    """

    end_ids: tuple[int, ...]
    sampling: Mapping[str, float | int]
    template: ChatTemplate | None = None
    notes: tuple[str, ...] = ()

    def fields(self) -> Mapping[str, Any]:
        """Return the fields of the manifest."""
        ends = {"end_ids": tuple(map(str, self.end_ids))}
        return {**ends, **self.sampling, **(self.template.fields() if self.template else {})}


def read_generation_settings(directory: Path, config: Any, tokenizer: Any, vocabulary: int) -> GenerationSettings:
    """Read generation_config.json, config.json and the tokenizer's chat template.

    Args:
        directory: folder of the checkpoint.
        config: transformers' configuration.
        tokenizer: the tokenizer of transformers.
        vocabulary: ids are below this number.
    """
    path = directory / "generation_config.json"
    saved = read_json(path) if path.is_file() else {}
    template, notes = _template(tokenizer)
    named = (saved.get("eos_token_id"), getattr(config, "eos_token_id", None), tokenizer.eos_token_id)
    ends = [token for value in named for token in _ids(value)]
    return GenerationSettings(
        end_ids=tuple(dict.fromkeys(token for token in ends if 0 <= token < vocabulary)),
        sampling=_sampling(saved),
        template=template,
        notes=notes,
    )


def _ids(value: Any) -> tuple[int, ...]:
    if isinstance(value, int) and not isinstance(value, bool):
        return (value,)
    return tuple(token for token in value if isinstance(token, int)) if isinstance(value, list) else ()


def _sampling(saved: Mapping[str, Any]) -> dict[str, float | int]:
    """Return the settings by their names in transformers; without do_sample, its default is greedy."""

    def number(name: str, absent: float) -> float:
        value = saved.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else absent

    if not saved.get("do_sample"):
        return {"temperature": 0.0, "repetition_penalty": number("repetition_penalty", 1.0)}
    return {
        "temperature": number("temperature", 1.0),
        # transformers' own default of 50 holds where a file says nothing
        "top_k": int(number("top_k", 50)),
        "top_p": number("top_p", 1.0),
        "min_p": number("min_p", 0.0),
        "repetition_penalty": number("repetition_penalty", 1.0),
    }


def _template(tokenizer: Any) -> tuple[ChatTemplate | None, tuple[str, ...]]:
    if not getattr(tokenizer, "chat_template", None):
        return None, ()
    try:
        return derive_template(tokenizer), ()
    except UnknownTemplateError as error:
        return None, (
            f"the chat template cannot be carried by the file: {error}; pass whole prompts as text, or render them "
            "with transformers' apply_chat_template",
        )
