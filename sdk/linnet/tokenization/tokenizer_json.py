"""Tokenizers of the kind ``tokenizers``: byte-level BPE, Unigram and others, by the ``tokenizers`` package.

This is the only module of the SDK that imports ``tokenizers``, and only when such a file encodes its first
text. A device that passes token ids does not need the package.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from linnet.errors import (
    ExtraMissingError,
    InvalidArgumentError,
    InvalidTextError,
    TextTooLongError,
    TokenizerInvalidError,
)
from linnet.runtime import Encoding, IntArray, core
from linnet.tokenization.json_bytes import CLEAN_UP, unpack
from linnet.tokenization.json_stream import JsonTextStream, Step
from linnet.version import install_line

if TYPE_CHECKING:
    import tokenizers

    from linnet.runtime import CoreEncoding

__all__ = ["JsonEncoding", "JsonVocabulary", "TokenizerJson"]

_STRATEGIES = ("never", "longest_first", "only_second")

# from clean_up_tokenization in tokenization_utils_base.py of transformers 5.23, in its order
_CLEANUP = (
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
)


class TokenizerJson:
    """A tokenizer of the ``tokenizers`` package. It can be used from several threads.

    Args:
        data: tokenizer bytes of :func:`linnet.tokenization.json_bytes.pack`.
        made_with: version of ``tokenizers`` that wrote the JSON, for error messages.

    Raises:
        ExtraMissingError: ``tokenizers`` is not installed.
        TokenizerInvalidError: the bytes cannot be parsed, or the installed ``tokenizers`` cannot read them.
    """

    def __init__(self, data: bytes, *, made_with: str = "") -> None:
        text, flags = unpack(data)
        self._tokenizer = _parse(text, made_with)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        # `tokenizers` keeps truncation as state of the tokenizer, so setting it and encoding need a lock
        self._lock = threading.Lock()
        self._settings: tuple[int, int, str] | None = None
        self.vocabulary = JsonVocabulary(self._tokenizer, clean_up=bool(flags & CLEAN_UP))

    def encode(
        self,
        text: str,
        pair: str | None = None,
        *,
        max_length: int = 0,
        truncation: str = "longest_first",
        stride: int = -1,
        add_special_tokens: bool = True,
    ) -> Sequence[Encoding]:
        """Encode a text or a pair, see :class:`linnet.runtime.Tokenizer`."""
        _check_text(text, "text")
        if pair is not None:
            _check_text(pair, "pair")
        special = self._tokenizer.num_special_tokens_to_add(pair is not None) if add_special_tokens else 0
        _check_options(max_length, truncation, stride, special)
        settings = None
        if max_length and truncation == "longest_first":
            windows = stride >= 0 and pair is None
            if windows:
                _check_stride(stride, max_length - special)
            settings = (max_length, stride if windows else 0, truncation)
        encoding = self._encode(text, pair, add_special_tokens, settings)
        if settings and settings[1] == stride and encoding.overflowing:
            return [JsonEncoding(window, truncated=False) for window in (encoding, *encoding.overflowing)]
        if max_length and truncation != "longest_first" and len(encoding) > max_length:
            room = max_length - special
            if truncation == "never":
                raise _too_long("the text has more tokens than fit", max_length, special, "allow truncation")
            windows = stride >= 0 and room > 0
            _check_second(encoding, pair, max_length, special, stride if windows else 0)
            settings = (max_length, stride if windows else 0, truncation)
            encoding = self._encode(text, pair, add_special_tokens, settings)
            if windows:
                return [JsonEncoding(window, truncated=False) for window in (encoding, *encoding.overflowing)]
        return [JsonEncoding(encoding, truncated=bool(encoding.overflowing))]

    def stream(self, *, skip_special: bool = False) -> JsonTextStream:
        """Open a stream that decodes ids one by one; where decoded text is cleaned up, all of it comes at the end."""
        from tokenizers.decoders import DecodeStream

        def begin() -> Step:
            stream = DecodeStream(skip_special_tokens=skip_special)

            def step(token_id: int) -> str:
                with self._lock:
                    return stream.step(self._tokenizer, token_id) or ""

            return (lambda _: "") if self.vocabulary.cleans_up else step

        decode = functools.partial(self.vocabulary.decode, skip_special=skip_special)
        return JsonTextStream(begin, decode, len(self.vocabulary))

    def decodable(self, encoding: Encoding, text: str | None, pair: str | None) -> CoreEncoding:
        """Convert an encoding to the form that the decoder of the core reads."""
        assert isinstance(encoding, JsonEncoding)
        ids = encoding.ids
        converted: CoreEncoding = core().encoding_from_tokens(
            text,
            pair,
            ids=ids,
            type_ids=encoding.type_ids,
            sequence_ids=encoding.sequence_ids,
            offsets=encoding.offsets,
            words=encoding.words,
            tokens=[self.vocabulary.token(token_id) for token_id in ids.tolist()],
            marks_words=self.vocabulary.marks_words,
        )
        return converted

    def words(self, encoding: Encoding) -> IntArray:
        """Return the index of each token's word, as the pre-tokenizer splits the text: int64 [tokens]."""
        assert isinstance(encoding, JsonEncoding)
        return encoding.words

    def _encode(
        self, text: str, pair: str | None, add_special_tokens: bool, settings: tuple[int, int, str] | None
    ) -> tokenizers.Encoding:
        with self._lock:
            if settings != self._settings:
                if settings is None:
                    self._tokenizer.no_truncation()
                else:
                    max_length, stride, strategy = settings
                    self._tokenizer.enable_truncation(max_length, stride=stride, strategy=strategy)
                self._settings = settings
            try:
                return self._tokenizer.encode(text, pair, add_special_tokens=add_special_tokens)
            except BaseException as error:
                if not _is_panic(error):
                    raise
                raise TokenizerInvalidError(f"this file's tokenizer failed ({error}); export the file again") from error


class JsonEncoding:
    """One window of an encoded text; see :class:`linnet.runtime.Encoding`."""

    def __init__(self, encoding: tokenizers.Encoding, *, truncated: bool) -> None:
        self._encoding = encoding
        self.truncated = truncated

    def __len__(self) -> int:
        return len(self._encoding)

    @property
    def ids(self) -> IntArray:
        """Token ids, int64 [tokens]."""
        return np.array(self._encoding.ids, dtype=np.int64)

    @property
    def type_ids(self) -> IntArray:
        """Token type ids from the template of the tokenizer, int64 [tokens]."""
        return np.array(self._encoding.type_ids, dtype=np.int64)

    @property
    def sequence_ids(self) -> npt.NDArray[np.int32]:
        """Text of each token: 0 first, 1 second, -1 for special tokens, int32 [tokens]."""
        return _or_minus_one(self._encoding.sequence_ids).astype(np.int32)

    @property
    def offsets(self) -> IntArray:
        """Start and end in code points of the original text, int64 [tokens, 2]."""
        return np.array(self._encoding.offsets, dtype=np.int64).reshape(-1, 2)

    @property
    def words(self) -> IntArray:
        """Index of each token's word in its text, -1 for special tokens, int64 [tokens]."""
        return _or_minus_one(self._encoding.word_ids)


def _or_minus_one(values: Sequence[int | None]) -> IntArray:
    return np.array([-1 if value is None else value for value in values], dtype=np.int64)


class JsonVocabulary:
    """Vocabulary and decoder of a tokenizer.

    Args:
        tokenizer: the tokenizer.
        clean_up: remove the space before punctuation in decoded text.
    """

    def __init__(self, tokenizer: tokenizers.Tokenizer, *, clean_up: bool) -> None:
        self._tokenizer = tokenizer
        self.cleans_up = clean_up

    def __len__(self) -> int:
        return int(self._tokenizer.get_vocab_size(with_added_tokens=True))

    @cached_property
    def ids(self) -> Mapping[str, int]:
        """Token ids by token, including added tokens."""
        return dict(self._tokenizer.get_vocab(with_added_tokens=True))

    @property
    def marks_words(self) -> bool:
        """True if tokens that continue a word have a prefix such as "##"."""
        return bool(getattr(self._tokenizer.model, "continuing_subword_prefix", None))

    def token(self, token_id: int) -> str:
        """Return the token of an id, or "" if the id is unused."""
        return (self._tokenizer.id_to_token(token_id) or "") if token_id >= 0 else ""

    def join(self, tokens: Iterable[str]) -> str:
        """Join tokens to text, as the decoder of the tokenizer does; with spaces if it has no decoder."""
        decoder = self._tokenizer.decoder
        return " ".join(tokens) if decoder is None else str(decoder.decode(list(tokens)))

    def decode(self, ids: Iterable[int], *, skip_special: bool = False) -> str:
        """Decode ids to text; ids without a token are skipped, special tokens if ``skip_special`` is True."""
        text = str(self._tokenizer.decode(list(ids), skip_special_tokens=skip_special))
        for spaced, replacement in _CLEANUP if self.cleans_up else ():
            text = text.replace(spaced, replacement)
        return text


def _parse(text: bytes, made_with: str) -> tokenizers.Tokenizer:
    try:
        import tokenizers
    except ImportError as error:
        raise ExtraMissingError(
            f"this file's tokenizer needs the package tokenizers, which cannot be imported ({error}); "
            f"run: {install_line('tokenizers')}, or pass token ids with model.run()"
        ) from error
    try:
        return tokenizers.Tokenizer.from_str(text.decode("utf-8"))
    except BaseException as error:
        if not isinstance(error, Exception) and not _is_panic(error):
            raise
        written = f"tokenizers {made_with}" if made_with else "an unknown version of tokenizers"
        raise TokenizerInvalidError(
            f"tokenizers {tokenizers.__version__} cannot read this file's tokenizer ({error}), which was written by "
            f"{written}; " + _cure(tokenizers.__version__, made_with)
        ) from error


def _is_panic(error: BaseException) -> bool:
    # a Rust panic is a BaseException whose class cannot be imported
    return type(error).__module__ == "pyo3_runtime"


def _cure(installed: str, made_with: str) -> str:
    if made_with and installed != made_with:
        return f'run: pip install "tokenizers=={made_with}", or export the file again'
    return "export the file again"


# -- checks of arguments: `tokenizers` itself would panic or wrap around instead of raising an error ---


def _check_text(text: Any, name: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidTextError(
            f"{name} has a lone surrogate at character {error.start}, expected text that can be written as UTF-8"
        ) from error
    except AttributeError:
        raise InvalidArgumentError(f"{name} is a {type(text).__name__}, expected a str") from None


def _check_options(max_length: int, truncation: str, stride: int, special: int) -> None:
    problems = []
    if truncation not in _STRATEGIES:
        problems.append(f"truncation is {truncation!r}, expected {', '.join(_STRATEGIES)}")
    if max_length < 0:
        problems.append(f"max_length is {max_length}, expected 0 (no bound) or more")
    elif 0 < max_length < special:
        problems.append(f"max_length is {max_length}, the special tokens alone are {special}")
    if stride < -1:
        problems.append(f"stride is {stride}, expected -1 (one window) or more")
    if problems:
        raise InvalidArgumentError("; ".join(problems))


def _check_second(encoding: tokenizers.Encoding, pair: str | None, max_length: int, special: int, stride: int) -> None:
    """Check that truncation of ``encoding``, which is not truncated, with only_second can reach ``max_length``.

    Raises:
        TextTooLongError: there is no second text, or no room for it.
        InvalidArgumentError: the stride is not below the room for the second text.
    """
    room = max_length - special
    if room == 0:
        return  # `tokenizers` then removes both texts
    if pair is None:
        raise _too_long(
            "the text has more tokens than fit, and only_second needs a second text",
            max_length,
            special,
            "truncate by longest_first",
        )
    size = room - sum(1 for sequence_id in encoding.sequence_ids if sequence_id == 0)
    if size <= 0:
        raise _too_long("the first text leaves no token for the second", max_length, special, "")
    _check_stride(stride, size)


def _check_stride(stride: int, room: int) -> None:
    if stride >= room:
        raise InvalidArgumentError(
            f"a stride of {stride} tokens, but a window has room for {room} tokens of the text; make the stride smaller"
        )


def _too_long(reason: str, max_length: int, special: int, cure: str) -> TextTooLongError:
    return TextTooLongError(
        f"{reason}; max_length {max_length} leaves room for {max_length - special} beside {special} special tokens; "
        f"shorten it{' or ' if cure else ''}{cure}"
    )
