"""Options of text generation: checked values, sampling settings, and the constraint of a completion."""

from __future__ import annotations

import dataclasses
import numbers
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from linnet.errors import InvalidArgumentError
from linnet.suggestions import refuse_unknown

__all__ = ["GenerationOptions"]

_SEED_BITS = 63
_MOST_TOP_K = 2**31 - 1
_NUMBERS = ("temperature", "top_p", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty")
_CONSTRAINTS = ("json_schema", "regex", "choices")


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
        prompt_lookup_num_tokens: most tokens that are guessed from what stood behind the same tokens earlier in the
            text, and computed in the same pass as the one before them, at most 15. The completion stays the same; it is
            faster where it repeats parts of the prompt or of itself. None: none are.
        overflow: what happens when the context is full: "stop" ends the completion and refuses a longer prompt, "slide"
            forgets the oldest tokens behind the first ones, whole turns of a conversation as far as there are, and goes
            on with the rest.
        keep: first tokens that "slide" never forgets; None, and at least: the system message of a conversation with
            what the template puts around it, or the special tokens before a text.
        stop_strings: texts that end the completion; they are not part of it.
        json_schema: the completion is JSON of this schema: a dict, or its JSON text.
        regex: the completion matches this regular expression, from its beginning to its end.
        choices: the completion is one of these texts. At most one of the three is given.
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
    prompt_lookup_num_tokens: int | None = None
    overflow: str = "stop"
    keep: int | None = None
    stop_strings: Sequence[str] = ()
    json_schema: Mapping[str, Any] | bool | str | None = None
    regex: str | None = None
    choices: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if not _is_integer(self.max_new_tokens) or self.max_new_tokens < 0:
            raise InvalidArgumentError(f"max_new_tokens is {self.max_new_tokens!r}, expected an int of at least 0")
        if isinstance(self.stop_strings, str) or not all(isinstance(text, str) and text for text in self.stop_strings):
            raise InvalidArgumentError(
                f"stop_strings is {self.stop_strings!r}, expected a list of texts with a character"
            )
        if self.seed is not None and (not _is_integer(self.seed) or not 0 <= self.seed < 1 << 64):
            raise InvalidArgumentError(f"seed is {self.seed!r}, expected an int of 0 to 2**64 - 1")
        lookup = self.prompt_lookup_num_tokens
        if lookup is not None and (not _is_integer(lookup) or lookup < 0):
            raise InvalidArgumentError(
                f"prompt_lookup_num_tokens is {lookup!r}, expected an int of at least 0, or None"
            )
        if self.do_sample is not None and not isinstance(self.do_sample, bool):
            raise InvalidArgumentError(f"do_sample is {self.do_sample!r}, expected True, False or None")
        for name in _NUMBERS:
            value = getattr(self, name)
            needed = name.startswith(("presence", "frequency"))
            if (value is None and needed) or (value is not None and not _is_number(value)):
                raise InvalidArgumentError(f"{name} is {value!r}, expected a number{'' if needed else ' or None'}")
        if self.top_k is not None and (not _is_integer(self.top_k) or not 0 <= self.top_k <= _MOST_TOP_K):
            raise InvalidArgumentError(f"top_k is {self.top_k!r}, expected an int of 0 (all tokens) to 2**31 - 1")
        self._check_overflow()
        self._check_constraint()

    @classmethod
    def of(cls, given: Mapping[str, object]) -> GenerationOptions:
        """Return the options of the keyword arguments of a call.

        Raises:
            InvalidArgumentError: a keyword is unknown, or a value is invalid.
        """
        refuse_unknown(given, [field.name for field in dataclasses.fields(cls)])
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
                settings[name] = int(value) if name == "top_k" else float(value)
        if self.do_sample is False:
            settings["temperature"] = 0.0
        elif self.do_sample and self.temperature is None and not settings["temperature"]:
            settings["temperature"] = 1.0
        seed = secrets.randbits(_SEED_BITS) if self.seed is None else int(self.seed)
        penalties = {name: float(getattr(self, name)) for name in ("presence_penalty", "frequency_penalty")}
        return {**settings, **penalties, "seed": seed}

    def constraint(self) -> tuple[str, tuple[str, ...]] | None:
        """Return the kind of the constraint and its texts, as :meth:`linnet.session.Session.constraint` takes them."""
        if self.choices is not None:
            return "choices", tuple(self.choices)
        if self.regex is not None:
            return "regex", (self.regex,)
        if self.json_schema is None:
            return None
        return "json_schema", (_json_text(self.json_schema),)

    def _check_overflow(self) -> None:
        if self.overflow not in ("stop", "slide"):
            raise InvalidArgumentError(f"overflow is {self.overflow!r}, expected 'stop' or 'slide'")
        if self.keep is None:
            return
        if not _is_integer(self.keep) or self.keep < 0:
            raise InvalidArgumentError(f"keep is {self.keep!r}, expected an int of at least 0, or None")
        if self.overflow == "stop":
            raise InvalidArgumentError("keep is given, which only overflow='slide' has a use for; add that")

    def _check_constraint(self) -> None:
        given = [name for name in _CONSTRAINTS if getattr(self, name) is not None]
        if len(given) > 1:
            raise InvalidArgumentError(f"{' and '.join(given)} are given, expected at most one of them")
        if given and self.stop_strings:
            raise InvalidArgumentError(f"stop_strings would cut what {given[0]} completes; leave one of them out")
        if self.regex is not None and not isinstance(self.regex, str):
            raise InvalidArgumentError(f"regex is {self.regex!r}, expected a str")
        check_choices(self.choices)
        if self.json_schema is not None:
            _json_text(self.json_schema)


def check_choices(choices: object) -> None:
    """Check that choices are different texts with a character, or None.

    Raises:
        InvalidArgumentError: they are something else.
    """
    if choices is None:
        return
    texts = choices if isinstance(choices, list | tuple) else ()
    if not texts or not all(isinstance(text, str) and text for text in texts) or len(set(texts)) < len(texts):
        raise InvalidArgumentError(f"choices is {choices!r}, expected a list of different texts with a character")


def _is_integer(value: object) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _json_text(schema: object) -> str:
    if isinstance(schema, str):
        return schema
    if not isinstance(schema, Mapping | bool):
        raise InvalidArgumentError(f"json_schema is a {type(schema).__name__}, expected a dict or its JSON text")
    import json

    try:
        return json.dumps(schema if isinstance(schema, bool) else dict(schema), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(f"json_schema cannot be written as JSON ({error}); pass plain values") from error
