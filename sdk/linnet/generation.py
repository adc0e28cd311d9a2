"""Text generation: streaming completions, and chat sessions of a decoder."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from linnet.errors import ContextFullError, InvalidArgumentError
from linnet.generation_options import GenerationOptions
from linnet.sliding import Turn, Window

if TYPE_CHECKING:
    import os

    from linnet.runtime import Constraint, TextState
    from linnet.session import Session

__all__ = [
    "Chat",
    "Completion",
    "GenerationOptions",
    "Message",
    "Token",
    "TokenStream",
    "complete",
    "go_to",
    "open_stream",
    "read_constraint",
    "read_prompt",
    "read_window",
    "shared_beginning",
    "shared_length",
]

Message: TypeAlias = Mapping[str, str]
"""One message of a conversation: ``{"role": "system" | "user" | "assistant", "content": ...}``."""


class Token(NamedTuple):
    """One generated token.

    Attributes:
        id: token id; -1 for text that was held back until the end.
        text: what is new in the text, often nothing.
        log_probability: natural logarithm of the probability that the model gave the token, without a constraint; NaN
            where it was not asked for.
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
        finish_reason: "stop": an end token or a stop string came, or a constraint is fulfilled and nothing can follow;
            "length": max_new_tokens were generated; "context": the context is full, and ``overflow`` is "stop". With a
            constraint the text fulfils it in all three cases.
        prompt_tokens: tokens of the prompt, without those that did not fit.
        guessed_tokens: tokens that ``prompt_lookup_num_tokens`` guessed.
        accepted_tokens: how many of them were generated, without a pass of their own.
    """

    text: str
    ids: tuple[int, ...]
    log_probabilities: tuple[float, ...]
    finish_reason: str
    prompt_tokens: int
    guessed_tokens: int = 0
    accepted_tokens: int = 0


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


def shared_beginning(session: Session, prompt: object) -> list[int]:
    """Return the token ids that a text, or all conversations with these first messages, begin with.

    Raises:
        InvalidArgumentError, UnknownFieldError: see :func:`read_prompt`.
    """
    if not isinstance(prompt, list | tuple):
        return read_prompt(session, prompt)
    one, other = (read_prompt(session, [*prompt, {"role": "user", "content": text}]) for text in "0A")
    return one[: shared_length(one, other)]


def read_window(session: Session, prompt: object, capacity: int, options: GenerationOptions) -> Window | None:
    """Return what of a prompt stays in a text that slides; None for one that does not.

    Args:
        session: of the open file.
        prompt: a str, or a list of messages.
        capacity: most tokens of the text.
        options: of the completion.

    Raises:
        ContextFullError: what stays leaves no room for other tokens.
        InvalidArgumentError, UnknownFieldError: see :func:`read_prompt`.
    """
    if options.overflow == "stop":
        return None
    if not isinstance(prompt, list | tuple):
        beginning = shared_length(read_prompt(session, "0"), read_prompt(session, "A"))
        return Window(max(beginning, options.keep or 0), capacity)
    starts = [place for place, message in enumerate(prompt) if message["role"] == "user"]
    first = prompt[: starts[0]] if starts else prompt
    keep = max(len(shared_beginning(session, first)), options.keep or 0)
    return Window(keep, capacity, lambda: _turns(session, prompt, starts, keep))


def _turns(session: Session, messages: Sequence[Message], starts: Sequence[int], keep: int) -> list[Turn]:
    """Find the turns of a conversation without which its prompt has the same tokens before and behind them."""
    ids, turns = read_prompt(session, messages), []
    for number, start in enumerate(starts[1:], 1):
        shorter = read_prompt(session, [*messages[: starts[0]], *messages[start:]])
        removed = len(ids) - len(shorter)
        if removed > 0 and ids[:keep] + ids[keep + removed :] == shorter:
            turns.append(Turn(removed, number))
    return turns


def shared_length(ours: Sequence[int], theirs: Sequence[int]) -> int:
    """Return how many first token ids are the same."""
    pairs = enumerate(zip(ours, theirs, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(ours), len(theirs)))


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
        guessed_tokens: see :class:`Completion`; 0 until the end.
        accepted_tokens: the same.
    """

    def __init__(
        self,
        session: Session,
        state: TextState,
        prompt: Sequence[int],
        options: GenerationOptions,
        *,
        log_probabilities: bool = True,
        window: Window | None = None,
    ) -> None:
        """Begin a completion.

        Args:
            session: of the open file.
            state: text of which the longest common beginning with the prompt is kept.
            prompt: token ids, at least one.
            options: of the completion.
            log_probabilities: compute the log probability of each token.
            window: what stays of a text that slides (:func:`read_window`); None: ``options.keep`` tokens, if it slides.

        Raises:
            ContextFullError: the prompt does not fit, or no text that fulfils the constraint fits behind it.
            InvalidArgumentError: the constraint is not supported, or max_new_tokens is too small for it.
        """
        self._session, self._state, self._options = session, state, options
        self.finish_reason = ""
        self.guessed_tokens = self.accepted_tokens = 0
        if not prompt:
            raise InvalidArgumentError("the prompt is empty, expected at least one token; pass some text")
        if window is None and options.overflow == "slide":
            window = Window(options.keep or 0, state.capacity)
        if window is not None:
            prompt = window.fitted(list(prompt))
        if len(prompt) > state.capacity:
            raise ContextFullError(
                f"the prompt has {len(prompt)} tokens, the context {state.capacity}; shorten it, export the model with "
                "a larger --context, or let it slide (overflow='slide')"
            )
        self.prompt_tokens = len(prompt)
        self._prompt, self._log_probabilities, self._window = prompt, log_probabilities, window
        # the last logits of a full context still give a token
        room = max(1, state.capacity - len(prompt)) if window is None else options.max_new_tokens
        self._limit = min(options.max_new_tokens, room)
        self._constraint = read_constraint(session, options)
        self._check_limit()

    def _check_limit(self) -> None:
        if self._constraint is None or (least := self._constraint.least_tokens) <= self._limit:
            return
        problem = f"the constraint needs {least} tokens"
        if least > self._options.max_new_tokens:
            raise InvalidArgumentError(f"{problem}, max_new_tokens is {self._options.max_new_tokens}; raise it")
        raise ContextFullError(
            f"{problem}, {self._limit} fit behind the prompt; shorten it, or export the model with a larger --context"
        )

    def __iter__(self) -> Iterator[Token]:
        lookup = self._options.prompt_lookup_num_tokens
        return self._with_lookup(int(lookup)) if lookup else self._tokens()

    def _with_lookup(self, most: int) -> Iterator[Token]:
        state = self._state
        guessed, accepted = state.lookup
        state.set_lookup(most)
        try:
            yield from self._tokens()
        finally:
            state.set_lookup(0)
            self.guessed_tokens, self.accepted_tokens = state.lookup[0] - guessed, state.lookup[1] - accepted

    def _tokens(self) -> Iterator[Token]:
        state, options = self._state, self._options
        constraint = None if self._constraint is None else self._constraint.fork()
        sampling = options.sampling(self._session.task.sampling())
        stream, stops = self._session.tokenizer.stream(skip_special=True), _StopStrings(options.stop_strings)
        go_to(state, self._prompt)
        if constraint is not None and constraint.finished:
            self.finish_reason = "stop"
            return
        place = _Place(len(self._prompt), self.prompt_tokens, 0)
        for number in range(options.max_new_tokens):
            token, log_probability = state.sample(
                **{**sampling, "seed": place.seed(sampling["seed"])},
                prompt_tokens=place.prompt,
                constraint=constraint,
                tokens_left=self._limit - number,
                log_probability=self._log_probabilities,
            )
            if self._session.task.is_end(token):
                self.finish_reason = "stop"
                break
            if constraint is not None:
                constraint.advance(token)
            text = stops.push(stream.push(token))
            if stops.found or (constraint is not None and constraint.finished):
                self.finish_reason = "stop"
            elif self._window is None and place.size + 1 >= state.capacity:
                self.finish_reason = "context"
            yield Token(token, text, log_probability)
            if self.finish_reason:
                break
            if number + 1 < options.max_new_tokens:
                place = self._append(token, place)
        self.finish_reason = self.finish_reason or "length"
        if not stops.found and (rest := stops.push(stream.finish()) + stops.finish()):
            yield Token(-1, rest, 0.0)

    def _append(self, token: int, place: _Place) -> _Place:
        """Append a token; where the context is full, the oldest tokens behind those that stay go first."""
        if self._window is not None and place.size >= self._state.capacity:
            keep, removed = self._window.keep, self._window.removal(place.size)
            self._state.remove(keep, removed)
            place = _Place(
                place.size - removed,
                place.prompt - min(removed, max(0, place.prompt - keep)),
                place.forgotten + removed,
            )
        self._state.append([token])
        return place._replace(size=place.size + 1)


class _Place(NamedTuple):
    """Place of a completion: tokens of the text, how many first ones are the prompt's, how many were forgotten."""

    size: int
    prompt: int
    forgotten: int

    def seed(self, seed: float) -> int:
        """Return the seed here: a text that slides comes to a place again, whose random number depends on the seed."""
        return (int(seed) + self.forgotten) % (1 << 64)


def open_stream(
    session: Session, state: TextState, prompt: object, options: GenerationOptions, *, log_probabilities: bool = True
) -> TokenStream:
    """Begin the completion of a str or a list of messages; arguments and errors are those of :class:`TokenStream`."""
    ids, window = read_prompt(session, prompt), read_window(session, prompt, state.capacity, options)
    return TokenStream(session, state, ids, options, log_probabilities=log_probabilities, window=window)


def read_constraint(session: Session, options: GenerationOptions) -> Constraint | None:
    """Return the constraint of a completion, at its beginning.

    Raises:
        InvalidArgumentError: it is not supported, or too large.
    """
    given = options.constraint()
    return None if given is None else session.constraint(*given)


def complete(session: Session, state: TextState, prompt: object, options: GenerationOptions) -> Completion:
    """Generate a whole completion of a str or a list of messages; raises the errors of :class:`TokenStream`."""
    tokens = open_stream(session, state, prompt, options)
    made = list(tokens)
    real = [token for token in made if token.id >= 0]
    return Completion(
        text="".join(token.text for token in made),
        ids=tuple(token.id for token in real),
        log_probabilities=tuple(token.log_probability for token in real),
        finish_reason=tokens.finish_reason,
        prompt_tokens=tokens.prompt_tokens,
        guessed_tokens=tokens.guessed_tokens,
        accepted_tokens=tokens.accepted_tokens,
    )


def go_to(state: TextState, ids: Sequence[int]) -> None:
    """Make ``ids`` the tokens of a text, of which the common beginning is not computed again."""
    common = shared_length(state.tokens, ids)
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
        self._forgotten = len(self._system)  # first message that the model still reads
        if self._system:
            # a template without system messages says so now, not at the first question
            read_prompt(session, [*self._system, {"role": "user", "content": ""}])

    def stream(self, text: str) -> Iterator[str]:
        """Say ``text`` and yield the answer piece by piece; an answer that is left early stays as far as it came.

        Raises:
            ContextFullError: the conversation does not fit, and ``overflow`` is "stop"; :meth:`reset` begins another.
        """
        question: Message = {"role": "user", "content": text}
        asked = [*self._system, *self.messages[self._forgotten :], question]
        window = read_window(self._session, asked, self._state.capacity, self._options)
        tokens = TokenStream(
            self._session, self._state, read_prompt(self._session, asked), self._options,
            log_probabilities=False, window=window,
        )  # fmt: skip
        said: list[str] = []
        try:
            for token in tokens:
                said.append(token.text)
                if token.text:
                    yield token.text
        finally:
            self.messages = [*self.messages, question, {"role": "assistant", "content": "".join(said)}]
            if window is not None:
                self._forgotten += 2 * window.dropped_turns

    def ask(self, text: str) -> str:
        """Say ``text`` and return the whole answer; raises the errors of :meth:`stream`."""
        return "".join(self.stream(text))

    def reset(self) -> None:
        """Forget everything but the system message."""
        self.messages = list(self._system)
        self._forgotten = len(self._system)
        self._state.rewind(0)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the messages as JSON lines, which takes the place of another file when it is complete."""
        import json
        from pathlib import Path

        from linnet.atomic_file import replace_file

        lines = [json.dumps(message, ensure_ascii=False) for message in self.messages]
        replace_file(Path(path), "\n".join(lines) + "\n")
