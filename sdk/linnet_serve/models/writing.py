"""Generation of several texts in turns, token by token, in a worker process."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import numpy as np

from linnet.generation import GenerationOptions, Token, TokenStream, read_prompt, shared_length
from linnet.model import Model
from linnet.runtime import TextState
from linnet_serve.models.messages import Begun, Ended, FromWorker, Generate, Piece, TopToken

__all__ = ["Writer"]

# tokens of a prompt that run before other texts get their turn
_PREFILL_CHUNK = 128
_SEED_BITS = 63


class _Text:
    """One text that is being generated."""

    def __init__(self, model: Model, number: int, work: Generate, ids: list[int], state: TextState) -> None:
        """Read the options; ``ids`` are the tokens of the prompt. Raises what :meth:`Model.generate` raises."""
        self.number, self.state = number, state
        self._model, self._work = model, work
        options = {"seed": secrets.randbits(_SEED_BITS), **work.options}
        self._seed = int(options["seed"])
        self._ids = ids
        self.tokens = TokenStream(
            model.session, state, ids, GenerationOptions.of(options), log_probabilities=work.log_probabilities
        )
        self._stream: Iterator[Token] = iter(self.tokens)
        self._begun, self._made = False, 0
        state.rewind(shared_length(state.tokens, ids))

    def step(self) -> FromWorker | None:
        """Run a part of the prompt, or the next token; return what is to be sent."""
        if self._prefilled_a_part():
            return None
        token = next(self._stream, None)
        self._begun = True
        if token is None:
            return self._end()
        self._made += token.id >= 0
        return self._piece(token)

    def _prefilled_a_part(self) -> bool:
        rest = [] if self._begun else self._ids[len(self.state.tokens) :]
        if len(rest) <= _PREFILL_CHUNK:
            return False
        self.state.append(rest[:_PREFILL_CHUNK])
        return True

    def _piece(self, token: Token) -> Piece:
        work = self._work
        if not work.log_probabilities or token.id < 0:
            return Piece(self.number, token.id, token.text)
        return Piece(
            self.number, token.id, token.text, self._text_of(token.id), token.log_probability, self._likeliest()
        )

    def _likeliest(self) -> list[TopToken]:
        """Return the likeliest tokens at the place of the token that was just drawn, which is not appended yet."""
        if not self._work.top:
            return []
        logits = self.state.logits().astype(np.float64)
        shifted = logits - logits.max()
        values = shifted - np.log(np.exp(shifted).sum())
        best = np.argsort(-values, kind="stable")[: self._work.top]
        return [TopToken(self._text_of(int(place)), float(values[place])) for place in best]

    def _text_of(self, token: int) -> str:
        return self._model.tokenizer.vocabulary.decode([token])

    def _end(self) -> Ended:
        return Ended(
            number=self.number,
            finish_reason=self.tokens.finish_reason,
            prompt_tokens=self.tokens.prompt_tokens,
            completion_tokens=self._made,
            seed=self._seed,
        )


class Writer:
    """Texts that are generated in turns; what the model remembers of earlier ones is used again."""

    def __init__(self, model: Model, capacity: int) -> None:
        """Begin with no text; memory for each, of ``capacity`` tokens, is taken when it is first needed."""
        self._model, self._capacity = model, capacity
        self._free: list[TextState] = []
        self._active: dict[int, _Text] = {}

    def __len__(self) -> int:
        return len(self._active)

    def begin(self, number: int, work: Generate) -> Begun:
        """Take a text; raises what :meth:`Model.generate` raises."""
        ids = _prompt_ids(self._model, work)
        state = self._state(ids)
        try:
            self._active[number] = _Text(self._model, number, work, ids, state)
        except BaseException:
            self._free.append(state)
            raise
        return Begun(number, len(ids))

    def cancel(self, number: int) -> None:
        """Stop a text, if it is still being generated."""
        if (text := self._active.pop(number, None)) is not None:
            self._free.append(text.state)

    def step(self, send: Callable[[FromWorker], None], fail: Callable[[int, Exception], None]) -> None:
        """Give each text one turn."""
        for number, text in list(self._active.items()):
            try:
                result = text.step()
            except Exception as error:  # noqa: BLE001  an error of one text, told to the one who asked for it
                self.cancel(number)
                fail(number, error)
                continue
            if result is not None:
                send(result)
            if isinstance(result, Ended):
                self.cancel(number)

    def _state(self, ids: list[int]) -> TextState:
        """Return the free text that shares most with the prompt, or a new one."""
        if not self._free:
            return self._model.new_text(capacity=self._capacity)
        return self._free.pop(max(range(len(self._free)), key=lambda at: shared_length(self._free[at].tokens, ids)))


def _prompt_ids(model: Model, work: Generate) -> list[int]:
    ids = read_prompt(model.session, work.prompt)
    if work.prefix:
        ids += model.tokenizer.encode(work.prefix, add_special_tokens=False)[0].ids.tolist()
    return ids
