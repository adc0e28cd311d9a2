"""Task text-generation: a decoder that continues texts and conversations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from linnet.errors import InvalidArgumentError
from linnet.generation import GenerationOptions, complete
from linnet.session import Session
from linnet.tasks.base import AnsweringModel, Task

__all__ = ["TASK", "TextGeneration"]


class TextGeneration(Task):
    """The task text-generation."""

    name: ClassVar[str] = "text-generation"
    abilities: ClassVar[str] = "model(text), generate(prompt), stream(prompt), choose(prompt, choices), chat()"
    options: ClassVar[frozenset[str]] = frozenset(
        (
            "top_k max_new_tokens temperature top_p min_p repetition_penalty seed stop system chat prepared "
            "json_schema regex choices prompt_lookup overflow keep"
        ).split()
    )

    def __call__(self, session: Session, inputs: object, given: Mapping[str, object]) -> Any:
        """Return ``[{"generated_text": ...}]`` for a text or a conversation, a list of these for a list of them.

        As in the pipeline of transformers, the text begins with the prompt unless ``return_full_text`` is False, and a
        conversation comes back with the answer as its last message.
        """
        given = dict(given)
        for name in ("batch_size", "truncation"):  # of all tasks; texts are generated one after the other
            given.pop(name, None)
        full = given.pop("return_full_text", True)
        options = GenerationOptions.of(given)
        if isinstance(inputs, str) or _is_conversation(inputs):
            return [_answer(session, inputs, options, full=bool(full))]
        if not isinstance(inputs, list | tuple):
            raise InvalidArgumentError(
                f"the input is a {type(inputs).__name__}, expected a str, a list of messages, or a list of these"
            )
        return [[_answer(session, item, options, full=bool(full))] for item in inputs]

    def answer_row(self, model: AnsweringModel, row: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
        """Continue the text of a row of ``linnet run``."""
        return model(row["text"], **options)

    def counted_positions(self, manifest: object, ids: Sequence[int]) -> list[int] | None:
        """Return None: a golden case records the logits behind all tokens."""
        return None


def _is_conversation(inputs: object) -> bool:
    return isinstance(inputs, list | tuple) and bool(inputs) and isinstance(inputs[0], Mapping)


def _answer(session: Session, prompt: object, options: GenerationOptions, *, full: bool) -> dict[str, Any]:
    completion = complete(session, session.new_text(), prompt, options)
    if isinstance(prompt, str):
        return {"generated_text": prompt + completion.text if full else completion.text}
    answer = {"role": "assistant", "content": completion.text}
    assert isinstance(prompt, list | tuple)
    return {"generated_text": [*prompt, answer] if full else completion.text}


TASK = TextGeneration()
