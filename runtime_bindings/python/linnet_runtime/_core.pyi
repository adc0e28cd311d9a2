"""The compiled module: a thin layer over linnet.h. Every failure raises the class of linnet.errors
that `linnet.errors.error_class(status)` names, with the core's message and `executorch_code`."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Buffer = Any
"""float32 in C order that numpy.asarray() reads without a copy."""

class Encoding:
    """One window of an encoded text. Arrays are fresh numpy arrays of `len(self)` entries."""

    def __len__(self) -> int: ...
    @property
    def ids(self) -> npt.NDArray[np.int64]: ...
    @property
    def type_ids(self) -> npt.NDArray[np.int64]: ...
    @property
    def sequence_ids(self) -> npt.NDArray[np.int32]:
        """-1 special token, 0 first text, 1 second text."""
    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        """[tokens, 2], start and end in code points of the original text."""
    @property
    def offsets_utf8(self) -> npt.NDArray[np.int64]: ...
    @property
    def offsets_utf16(self) -> npt.NDArray[np.int64]: ...
    @property
    def words(self) -> npt.NDArray[np.int64] | None:
        """Number of each token's word in its text, -1 special token; None for WordPiece."""
    @property
    def truncated(self) -> bool:
        """True if text was left out that no other window holds."""

class TextStream:
    """Text of tokens that come one after the other. One thread at a time may use it."""

    def push(self, id: int) -> str:
        """Text that is new and certain with this token, often none. Raises InputOutOfRangeError, and then goes on as
        if the id had not come."""
    def finish(self) -> str:
        """The rest of the text. All texts, joined, are what decode() gives for all ids; then another text begins."""

class Tokenizer:
    def __init__(self, data: bytes) -> None: ...
    @property
    def vocab_size(self) -> int: ...
    def token(self, id: int) -> str: ...
    @property
    def prefix(self) -> str:
        """Prefix of tokens that continue a word, "##"; empty if there is none."""
    def continues_word(self, id: int) -> bool:
        """Whether the token continues the word of the token before it. Raises InputOutOfRangeError if there is none."""
    def is_special(self, id: int) -> bool:
        """Whether the token is special, as "[CLS]". Raises InputOutOfRangeError if there is none."""
    def find(self, token: str) -> int:
        """Id of a token, added tokens included. Raises InputOutOfRangeError if there is none."""
    def decode(self, ids: Sequence[int], *, skip_special: bool = False) -> str:
        """Ids as text, as the decoder of tokenizers gives it; ids without a token are left out."""
    def stream(self, *, skip_special: bool = False) -> TextStream: ...
    def encode(
        self,
        text: str,
        pair: str | None = None,
        *,
        max_length: int = 0,
        truncation: str = "longest_first",
        stride: int = -1,
        add_special_tokens: bool = True,
    ) -> list[Encoding]:
        """`truncation`: "never", "longest_first" or "only_second". `max_length` 0: no bound.
        More than one window only with stride >= 0: a text with "longest_first", a pair with "only_second"."""

class ClassScore:
    @property
    def label_index(self) -> int: ...
    @property
    def score(self) -> float: ...

class Entity:
    @property
    def label(self) -> str:
        """Label, or entity group."""
    @property
    def score(self) -> float: ...
    @property
    def word(self) -> str: ...
    @property
    def index(self) -> int:
        """Place of the token in the window; -1 for groups."""
    @property
    def start(self) -> int:
        """Place in the text in code points; `end` is one past the last."""
    @property
    def end(self) -> int: ...
    @property
    def first_token(self) -> int: ...
    @property
    def last_token(self) -> int: ...
    @property
    def words(self) -> list[int]:
        """Tokens at which the words of the entity begin."""

class Span:
    @property
    def score(self) -> float: ...
    @property
    def start(self) -> int:
        """Place in the context in code points; `end` is one past the last."""
    @property
    def end(self) -> int: ...
    @property
    def answer(self) -> str: ...

class Proposal:
    @property
    def index(self) -> int:
        """Place of the mask in the window."""
    @property
    def token(self) -> int: ...
    @property
    def score(self) -> float: ...
    @property
    def token_str(self) -> str: ...
    @property
    def sequence(self) -> str:
        """The whole text with the token in it."""

class Event:
    """See linnet_event in linnet.h."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> int:
        """`linnet_event_kind`."""
    @property
    def run(self) -> int: ...
    @property
    def instruction(self) -> int: ...
    @property
    def start_ns(self) -> int: ...
    @property
    def end_ns(self) -> int: ...

class Task:
    """A file's manifest and the decoding of its outputs. Outputs are float32, with or without a batch axis of 1,
    in the order of the manifest. Shapes that contradict the manifest raise ManifestInvalidError."""

    def __init__(self, manifest: Mapping[str, int | float | bool | str | bytes]) -> None:
        """`manifest`: raw values of the constant methods."""
    def classes(self, logits: npt.NDArray[np.float32], *, top_k: int = 0, score_function: str = "") -> list[ClassScore]:
        """Classes, best first; `top_k` 0: all; `score_function` "": the manifest's."""
    def entities(
        self,
        text: str,
        encoding: Encoding,
        outputs: Sequence[npt.NDArray[np.float32]],
        *,
        aggregation_strategy: str,
        ignore_labels: Sequence[str],
    ) -> list[Entity]:
        """Entities, or entity groups, in the order of the text."""
    def spans(
        self,
        context: str,
        windows: Sequence[Encoding],
        outputs: Sequence[Sequence[npt.NDArray[np.float32]]],
        *,
        top_k: int,
        max_answer_length: int,
        allow_empty: bool,
        align_to_words: bool,
    ) -> list[Span]:
        """Answers, best first."""
    def masks(
        self,
        encoding: Encoding,
        outputs: Sequence[npt.NDArray[np.float32]],
        *,
        top_k: int,
        targets: Sequence[int] | None = None,
    ) -> list[Proposal]:
        """Proposals, for each mask best first."""
    def scores(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The scores of a pair."""
    def sampling(self) -> dict[str, float | int]:
        """The sampling that the model's makers recommend: temperature, top_k, top_p, min_p, repetition_penalty. Raises
        InvalidArgumentError for a task that generates no text."""
    def chat_prompt(self, messages: Sequence[tuple[str, str]], generation: bool = True) -> str:
        """The prompt of a conversation of (role, content). Raises UnknownFieldError if the file has no chat template,
        InvalidArgumentError for roles or an order of roles that it does not have."""
    def is_end(self, id: int) -> bool:
        """True if the token ends an answer."""
    def constraint(self, kind: str, texts: Sequence[str]) -> Constraint:
        """The constraint of a generated text: kind is regex, json_schema or choices. Raises InvalidArgumentError for
        what is not supported, too large, or cannot be written with the file's vocabulary."""

class Constraint:
    """What a generated text must be, and how far it has come. One thread at a time may use it; forks share what was
    computed, and may be used by other threads."""

    def fork(self) -> Constraint:
        """A copy that goes on alone."""
    def reset(self) -> None:
        """Go back to the empty text."""
    def allowed(self, size: int, tokens_left: int = 0) -> bytes:
        """1 for each of the first `size` tokens that may come next, else 0. Raises InvalidArgumentError if
        `tokens_left` (0: any number) is below least_tokens."""
    def advance(self, id: int) -> None:
        """Take the next token. Raises InvalidArgumentError if it is not allowed."""
    @property
    def complete(self) -> bool:
        """Whether the text fulfils the constraint."""
    @property
    def finished(self) -> bool:
        """Whether nothing but an end token may follow."""
    @property
    def least_tokens(self) -> int:
        """Tokens that lead to a complete text, perhaps not the fewest."""

class Generation:
    """A text that a decoder writes, and what the model remembers of it. One thread at a time may use it, except for
    cancel(). The GIL is released while the model runs."""

    def append(self, ids: Sequence[int]) -> None:
        """Run tokens behind the others. Raises ContextFullError before any runs, InputOutOfRangeError, and
        CancelledError, after which the tokens that ran are part of the text."""
    def score(self, ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """Append tokens; the logits behind each of them [tokens, vocabulary]."""
    def sample(
        self,
        *,
        temperature: float = 0.0,
        top_k: int = 0,
        top_p: float = 1.0,
        min_p: float = 0.0,
        repetition_penalty: float = 1.0,
        presence_penalty: float = 0.0,
        frequency_penalty: float = 0.0,
        seed: int = 0,
        prompt_tokens: int = 0,
        constraint: Constraint | None = None,
        tokens_left: int = 0,
        log_probability: bool = True,
    ) -> tuple[int, float]:
        """The next token and its log probability without the constraint, NaN unless it is asked for. It is neither
        appended, nor taken by the constraint; tokens_left is as in Constraint.allowed."""
    def logits(self) -> npt.NDArray[np.float32]:
        """The logits behind the last token [vocabulary]."""
    @property
    def tokens(self) -> list[int]:
        """Token ids so far."""
    @property
    def capacity(self) -> int:
        """Most tokens."""
    def rewind(self, length: int) -> None:
        """Forget all tokens from number `length` on."""
    def remove(self, start: int, count: int) -> None:
        """Forget `count` tokens from number `start` on, and run those behind them again."""
    def fork(self) -> Generation:
        """A copy that goes on alone."""
    def save(self, path: str) -> None:
        """Write the text, and what the model remembers of it, to a file."""
    def set_lookup(self, tokens: int) -> None:
        """Let each later append() of one token run up to `tokens` guessed ones in the same pass; 0: none."""
    @property
    def lookup(self) -> tuple[int, int]:
        """How many tokens were guessed so far, and how many of them were appended."""
    def cancel(self) -> None:
        """Stop the append() of another thread, or else the next one, before its next chunk."""

class Model:
    """One opened file. Safe to use from several threads (runs are serialized; open two models to run
    in parallel). The GIL is released while a method loads or runs."""

    def __init__(self, source: str | bytes, threads: int = 0) -> None:
        """`source`: a path (mapped) or the file's bytes (copied)."""
    @property
    def manifest(self) -> dict[str, int | float | bool | str | bytes]:
        """Raw values of all constant methods (`linnet.format.manifest.Manifest.from_raw` types them)."""
    @property
    def evidence(self) -> str:
        """JSON of the trailer."""
    @property
    def tokenizer(self) -> Tokenizer: ...
    @property
    def task(self) -> Task: ...
    @property
    def methods(self) -> list[str]:
        """Names of the methods that compute: "forward", perhaps "forward_batch" and "forward_fused"."""
    def run(self, method: str, inputs: Sequence[npt.NDArray[np.int64]]) -> list[npt.NDArray[np.float32]]: ...
    def run_encoding(self, encoding: Encoding, names: Sequence[str]) -> list[Buffer]:
        """Runs "forward" on one window without numpy; outputs have a batch axis of 1. `names` are "input_ids" and
        "token_type_ids" in the program's order."""
    def set_activation_bits(self, bits: int) -> None:
        """Choose the bits of rounded activations: 7, 8, or what is faster and proven (0)."""
    def activation_bits(self) -> int: ...
    def generation(self, capacity: int = 0, path: str | None = None) -> Generation:
        """An empty text with room for `capacity` tokens (0: as many as the file can), or one that save() wrote. Raises
        InvalidArgumentError for a file that generates no text, StateInvalidError for a damaged or foreign text."""
    def set_fused(self, fused: bool | None) -> None:
        """Whether "forward" is "forward_fused": None (as after opening) where that is faster."""
    def set_profiling(self, on: bool) -> None:
        """On or off (as after opening); methods that are loaded are loaded again by their next run."""
    def profile(self) -> list[Event]:
        """Events of all runs since the last call, in the order in which they ended.

        Raises InvalidArgumentError while profiling is off."""
    def close(self) -> None:
        """Frees everything; later calls raise InvalidArgumentError. Closing twice is fine."""

class Masker:
    """What is looked for in texts: types and groups of the table of patterns; [] for all, ["-"] for none. Several
    threads may use it. Places are code points; a given one is (type, start, end, score, source), as a finding."""

    def __init__(self, types: Sequence[str]) -> None: ...
    def find(
        self, text: str, given: Sequence[tuple[str, int, int, float, int]]
    ) -> list[tuple[str, int, int, float, int]]:
        """What the patterns find, merged with the given places."""
    def mask(
        self,
        text: str,
        given: Sequence[tuple[str, int, int, float, int]],
        mode: str,
        session: MaskSession | None,
    ) -> tuple[str, list[tuple[str, int, int, float, int]]]:
        """The masked text and what was found; mode is type, pseudonym (which needs a session), redact or
        redact_length."""

class MaskSession:
    """Pseudonyms and the values behind them. Several threads may use it."""

    def __init__(self) -> None: ...
    @staticmethod
    def load(key: bytes, saved: bytes) -> MaskSession:
        """A session that save() wrote. Raises StateInvalidError for damaged bytes or another key."""
    def save(self, key: bytes) -> bytes:
        """The values, encrypted and authenticated. Raises InvalidArgumentError for a key below 16 bytes."""
    def unmask(self, text: str) -> str:
        """The text with the values in place of the pseudonyms."""
    def stream(self) -> UnmaskStream: ...
    def __len__(self) -> int: ...

class UnmaskStream:
    """Unmasking of a text that comes in pieces. One thread at a time may use it."""

    def push(self, piece: str) -> str:
        """What is new and certain."""
    def finish(self) -> str:
        """The rest; the next piece begins another text."""

def mask_types() -> list[tuple[str, str, str, bool]]:
    """The table of patterns: type, group, what is checked, whether a word must be near."""

def encoding_from_tokens(
    text: str | None,
    pair: str | None,
    *,
    ids: npt.NDArray[np.int64],
    type_ids: npt.NDArray[np.int64],
    sequence_ids: npt.NDArray[np.int32],
    offsets: npt.NDArray[np.int64],
    words: npt.NDArray[np.int64],
    tokens: Sequence[str],
    marks_words: bool,
) -> Encoding:
    """One window that another tokenizer made, for decoding. Offsets are code points; a text that is None is not
    known, and its tokens have no place."""

def apply_scores(name: str, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """softmax, sigmoid or none along the last axis."""

def runtime_info() -> dict[str, str]:
    """Lines of linnet_runtime_info() as a dict."""

def verify_file(path: str) -> None:
    """linnet_file_verify: raises FileDamagedError and its kin."""
