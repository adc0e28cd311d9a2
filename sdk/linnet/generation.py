"""Text generation: options, streaming completions, and chat sessions of a decoder."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from linnet.errors import ContextFullError, InvalidArgumentError
from linnet.suggestions import did_you_mean

if TYPE_CHECKING:
    import os

    from linnet.runtime import TextState
    from linnet.session import Session

__all__ = ["Chat", "Completion", "GenerationOptions", "Message", "Token", "TokenStream", "complete", "read_prompt"]

Message: TypeAlias = Mapping[str, str]
"""One message of a conversation: ``{"role": "system" | "user" | "assistant", "content": ...}``."""

_SEED_BITS = 63


@dataclasses.dataclass(frozen=True, kw_only=True)
class GenerationOptions:
    """Options of a completion, by the names of ``GenerationConfig`` of transformers.

    Attributes:
        max_new_tokens: most tokens to generate.
        do_sample: False takes the likeliest token each time; True samples; None: as the file recommends, or True if a
            temperature is given.
        temperature, top_k, top_p, min_p, repetition_penalty: None: as the file recommends.
        presence_penalty, frequency_penalty: as in OpenAI's interface.
        seed: the same seed gives the same text, on every machine; None: a random one.
        stop_strings: texts that end the completion; they are not part of it.
    """

    max_new_tokens: int = 256
    do_sample: bool | None = None
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    seed: int | None = None
    stop_strings: Sequence[str] = ()

    def __post_init__(self) -> None:
        if isinstance(self.max_new_tokens, bool) or not isinstance(self.max_new_tokens, int) or self.max_new_tokens < 0:
            raise InvalidArgumentError(f"max_new_tokens is {self.max_new_tokens!r}, expected an int of at least 0")
        if isinstance(self.stop_strings, str) or not all(isinstance(text, str) and text for text in self.stop_strings):
            raise InvalidArgumentError(
                f"stop_strings is {self.stop_strings!r}, expected a list of texts with a character"
            )
        if self.seed is not None and (not isinstance(self.seed, int) or not 0 <= self.seed < 1 << 64):
            raise InvalidArgumentError(f"seed is {self.seed!r}, expected an int of 0 to 2**64 - 1")

    @classmethod
    def of(cls, given: Mapping[str, object]) -> GenerationOptions:
        """Return the options of the keyword arguments of a call.

        Raises:
            InvalidArgumentError: a keyword is unknown, or a value is invalid.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(given.keys() - set(known))
        if unknown:
            hint = did_you_mean(unknown[0], known)
            raise InvalidArgumentError(f"unknown option {', '.join(unknown)}; known are {', '.join(known)}{hint}")
        values: Mapping[str, Any] = dict(given)
        return cls(**values)

    def sampling(self, recommended: Mapping[str, float | int]) -> dict[str, float | int]:
        """Return the settings for :meth:`linnet.runtime.TextState.sample`.

        Args:
            recommended: what the file recommends, by the same names.
        """
        settings = dict(recommended)
        for name in recommended:
            value = getattr(self, name)
            if value is not None:
                settings[name] = value
        if self.do_sample is False:
            settings["temperature"] = 0.0
        elif self.do_sample and self.temperature is None and not settings["temperature"]:
            settings["temperature"] = 1.0
        seed = secrets.randbits(_SEED_BITS) if self.seed is None else self.seed
        penalties = {name: getattr(self, name) for name in ("presence_penalty", "frequency_penalty")}
        return {**settings, **penalties, "seed": seed}


class Token(NamedTuple):
    """One generated token.

    Attributes:
        id: token id; -1 for text that was held back until the end.
        text: what is new in the text, often nothing.
        log_probability: natural logarithm of the probability that the model gave the token.
    """

    id: int
    text: str
    log_probability: float


@dataclasses.dataclass(frozen=True)
class Completion:
    """A finished completion.

    Attributes:
        text: the generated text, without special tokens and stop strings.
        ids: ids of the generated tokens, without the one that ended it.
        log_probabilities: natural logarithms of the tokens' probabilities.
        finish_reason: "stop": an end token or a stop string came; "length": max_new_tokens were generated; "context":
            the context is full.
        prompt_tokens: tokens of the prompt.
    """

    text: str
    ids: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    finish_reason: str
    prompt_tokens: int


def read_prompt(session: Session, prompt: object) -> list[int]:
    """Return the token ids of a text, or of a conversation by the file's chat template.

    Args:
        session: of the open file.
        prompt: a str, or a list of messages.

    Raises:
        InvalidArgumentError: it is something else, or a message has a role that the template does not have.
        UnknownFieldError: it is a conversation, and the file has no chat template.
    """
    if isinstance(prompt, str):
        return [int(token) for token in session.tokenizer.encode(prompt)[0].ids]
    if not isinstance(prompt, list | tuple) or not prompt:
        raise InvalidArgumentError(f"prompt is {prompt!r}, expected a str or a list of messages")
    messages = [_role_and_content(message, index) for index, message in enumerate(prompt)]
    text = session.task.chat_prompt(messages)
    return [int(token) for token in session.tokenizer.encode(text, add_special_tokens=False)[0].ids]


def _role_and_content(message: object, index: int) -> tuple[str, str]:
    if isinstance(message, Mapping):
        role, content = message.get("role"), message.get("content")
        if isinstance(role, str) and isinstance(content, str):
            return role, content
    raise InvalidArgumentError(
        f'message {index} is {message!r}, expected {{"role": ..., "content": ...}} with two texts'
    )


class _StopStrings:
    """Text on its way to the reader, of which the beginning of a stop string is held back."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.found = False

    def push(self, text: str) -> str:
        """Return what can be shown."""
        self._held += text
        places = [self._held.find(stop) for stop in self._stops]
        if hits := [place for place in places if place >= 0]:
            self.found = True
            shown, self._held = self._held[: min(hits)], ""
            return shown
        keep = max((self._overlap(stop) for stop in self._stops), default=0)
        shown, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return shown

    def finish(self) -> str:
        """Return what was held back."""
        return self._held

    def _overlap(self, stop: str) -> int:
        """Return how many characters at the end may begin ``stop``."""
        longest = min(len(stop) - 1, len(self._held))
        return next((size for size in range(longest, 0, -1) if self._held.endswith(stop[:size])), 0)


class TokenStream:
    """Tokens of one completion, generated when they are asked for; leaving the loop early stops the generation.

    Attributes:
        finish_reason: see :class:`Completion`; empty until the end.
        prompt_tokens: tokens of the prompt.
    """

    def __init__(self, session: Session, state: TextState, prompt: Sequence[int], options: GenerationOptions) -> None:
        """Begin a completion.

        Args:
            session: of the open file.
            state: text of which the longest common beginning with the prompt is kept.
            prompt: token ids, at least one.
            options: of the completion.

        Raises:
            ContextFullError: the prompt does not fit.
        """
        self._session, self._state, self._options = session, state, options
        self.finish_reason = ""
        self.prompt_tokens = len(prompt)
        if not prompt:
            raise InvalidArgumentError("the prompt is empty, expected at least one token; pass some text")
        if len(prompt) > state.capacity:
            raise ContextFullError(
                f"the prompt has {len(prompt)} tokens, the context {state.capacity}; shorten it, or export the model "
                "with a larger --context"
            )
        self._prompt = prompt

    def __iter__(self) -> Iterator[Token]:
        state, options = self._state, self._options
        sampling = options.sampling(self._session.task.sampling())
        stream, stops = self._session.tokenizer.stream(skip_special=True), _StopStrings(options.stop_strings)
        _go_to(state, self._prompt)
        for number in range(options.max_new_tokens):
            token, log_probability = state.sample(**sampling, prompt_tokens=self.prompt_tokens)
            if self._session.task.is_end(token):
                self.finish_reason = "stop"
                break
            text = stops.push(stream.push(token))
            if stops.found:
                self.finish_reason = "stop"
            elif self.prompt_tokens + number + 1 >= state.capacity:
                self.finish_reason = "context"
            yield Token(token, text, log_probability)
            if self.finish_reason:
                break
            if number + 1 < options.max_new_tokens:
                state.append([token])
        self.finish_reason = self.finish_reason or "length"
        if not stops.found and (rest := stops.push(stream.finish()) + stops.finish()):
            yield Token(-1, rest, 0.0)


def complete(session: Session, state: TextState, prompt: Sequence[int], options: GenerationOptions) -> Completion:
    """Generate a whole completion; raises the errors of :class:`TokenStream`."""
    tokens = TokenStream(session, state, prompt, options)
    made = list(tokens)
    real = [token for token in made if token.id >= 0]
    return Completion(
        text="".join(token.text for token in made),
        ids=tuple(token.id for token in real),
        log_probabilities=tuple(token.log_probability for token in real),
        finish_reason=tokens.finish_reason,
        prompt_tokens=tokens.prompt_tokens,
    )


def _go_to(state: TextState, ids: Sequence[int]) -> None:
    """Make ``ids`` the tokens of a text, of which the common beginning is not computed again."""
    common = 0
    for ours, theirs in zip(state.tokens, ids, strict=False):
        if ours != theirs:
            break
        common += 1
    state.rewind(common)
    state.append(list(ids[common:]))


class Chat:
    """A conversation with a model; what the model remembers of earlier turns is not computed again.

    Attributes:
        messages: all messages so far, the system message first if there is one.
    """

    def __init__(self, session: Session, state: TextState, system: str | None, options: GenerationOptions) -> None:
        """Begin a conversation; :meth:`linnet.Model.chat` does this for applications."""
        self._session, self._state, self._options = session, state, options
        self._system: list[Message] = [] if system is None else [{"role": "system", "content": system}]
        self.messages: list[Message] = list(self._system)
        if self._system:
            # a template without system messages says so now, not at the first question
            read_prompt(session, [*self._system, {"role": "user", "content": ""}])

    def stream(self, text: str) -> Iterator[str]:
        """Say ``text`` and yield the answer piece by piece; an answer that is left early stays as far as it came.

        Raises:
            ContextFullError: the conversation does not fit; :meth:`reset` begins another one.
        """
        asked: list[Message] = [*self.messages, {"role": "user", "content": text}]
        tokens = TokenStream(self._session, self._state, read_prompt(self._session, asked), self._options)
        said: list[str] = []
        try:
            for token in tokens:
                said.append(token.text)
                if token.text:
                    yield token.text
        finally:
            self.messages = [*asked, {"role": "assistant", "content": "".join(said)}]

    def ask(self, text: str) -> str:
        """Say ``text`` and return the whole answer; raises the errors of :meth:`stream`."""
        return "".join(self.stream(text))

    def reset(self) -> None:
        """Forget everything but the system message."""
        self.messages = list(self._system)
        self._state.rewind(0)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the messages as JSON lines, which takes the place of another file when it is complete."""
        import json
        from pathlib import Path

        from linnet.atomic_file import replace_file

        lines = [json.dumps(message, ensure_ascii=False) for message in self.messages]
        replace_file(Path(path), "\n".join(lines) + "\n")
