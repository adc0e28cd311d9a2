"""Manifest of a linnet file: the definition of all its fields.

The exporter writes each field as a constant method of the ExecuTorch program; the runtime reads them
before it loads any weights. Only int, float, bool, str and uint8 tensors are used, because the stock
Android and Swift runtimes can return these from ``execute("field")``.

A list of strings is one str: the items joined by a newline, with ``\\`` and newline inside an item
escaped as ``\\\\`` and ``\\n``. An empty list is the empty string, so a list never holds one empty item.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from linnet.errors import ManifestInvalidError, SchemaTooNewError

__all__ = [
    "CHAT_TRIMS",
    "POOLINGS",
    "SCHEMA_MAJOR",
    "SCHEMA_MINOR",
    "SCORE_FUNCTIONS",
    "TASKS",
    "Manifest",
    "RawValue",
    "join_items",
    "split_items",
]

SCHEMA_MAJOR = 1
SCHEMA_MINOR = 3

TASKS: tuple[str, ...] = (
    "feature-extraction",
    "fill-mask",
    "question-answering",
    "text-classification",
    "text-generation",
    "text-ranking",
    "token-classification",
)
"""Hugging Face names of the tasks that a linnet file can have."""

SCORE_FUNCTIONS: tuple[str, ...] = ("softmax", "sigmoid", "none")
"""Names of score functions, as in Hugging Face pipelines."""

POOLINGS: tuple[str, ...] = ("cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
"""Poolings by their names in sentence-transformers, in the order in which it joins them."""

RawValue: TypeAlias = int | float | bool | str | bytes
"""Type of the value of a constant method."""


def join_items(items: Sequence[str]) -> str:
    """Join a list of strings into one string, as the module docstring describes.

    Raises:
        ValueError: the only item is the empty string, which would read as an empty list.
    """
    if list(items) == [""]:
        raise ValueError("a list of one empty string cannot be stored")
    return _joined(items)


def _joined(items: Sequence[str]) -> str:
    return "\n".join(item.replace("\\", "\\\\").replace("\n", "\\n") for item in items)


def split_items(text: str) -> tuple[str, ...]:
    """Return the items of a string written by :func:`join_items`."""
    if not text:
        return ()
    return tuple(_unescape(item) for item in text.split("\n"))


def _unescape(item: str) -> str:
    out: list[str] = []
    characters = iter(item)
    for character in characters:
        if character == "\\":
            following = next(characters, "\\")
            out.append("\n" if following == "n" else following)
        else:
            out.append(character)
    return "".join(out)


CHAT_TRIMS: tuple[str, ...] = ("", "right", "both")
"""Where a chat template takes spaces off the contents of messages."""

_MOST: Mapping[type, int] = {int: 2**31 - 1, float: 1000, bool: 1, str: 1 << 16, tuple: 1 << 24, bytes: 1 << 28}
"""Largest number, and most bytes as stored, of a field of each kind."""


def _field(
    kind: type, doc: str, *, least: int = 0, most: int | None = None, decoder: bool = False, **default: Any
) -> Any:
    """Define a field; ``least`` and ``most`` bound a number, or the bytes that the field is stored in.

    Fields of a ``decoder`` are stored in files of text-generation only.
    """
    bounds = {"least": least, "most": _MOST[kind] if most is None else most}
    return dataclasses.field(metadata={"kind": kind, "doc": doc, "decoder": decoder, **bounds}, **default)


_decoder_field = functools.partial(_field, decoder=True)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Manifest:
    """Description of a program: everything that is needed to use ``forward``. A field without a default is required."""

    STORED: ClassVar[Mapping[type, type]] = {int: int, float: float, bool: bool, str: str, bytes: bytes, tuple: str}

    schema_version: str = _field(str, "major.minor of this schema", default=f"{SCHEMA_MAJOR}.{SCHEMA_MINOR}")
    task: str = _field(str, "Hugging Face task name")
    model_type: str = _field(str, "architecture, as `model_type` in config.json")
    labels: tuple[str, ...] = _field(tuple, "class names by index; empty if the task has none", default=())
    score_function: str = _field(str, "from logits to scores: softmax, sigmoid or none", default="none")

    tokenizer_kind: str = _field(
        str, "wordpiece or tables (read by the core), or tokenizers (read by linnet[tokenizers])"
    )
    tokenizer: bytes = _field(bytes, "tokenizer bytes of that kind")
    tokenizer_version: str = _field(
        str, "version of the tokenizers package that wrote the bytes; empty for the other kinds", default=""
    )
    vocab_size: int = _field(int, "rows of the word embedding; ids are 0 .. vocab_size - 1", least=1)
    pad_id: int = _field(int, "id of the padding token, -1 if none", least=-1, default=-1)
    unk_id: int = _field(int, "id of the unknown token, -1 if none", least=-1, default=-1)
    cls_id: int = _field(int, "id of the classification token, -1 if none", least=-1, default=-1)
    sep_id: int = _field(int, "id of the separator token, -1 if none", least=-1, default=-1)
    mask_id: int = _field(int, "id of the mask token, -1 if none", least=-1, default=-1)

    max_length: int = _field(int, "most tokens of one input, special tokens included", least=2, most=1 << 20)
    refuses_pairs: bool = _field(
        bool, "a second text is refused although the task takes pairs: the original cannot read it", default=False
    )
    max_batch: int = _field(
        int, "largest batch of forward_batch, 0 if there is no such method", most=1 << 16, default=0
    )
    inputs: tuple[str, ...] = _field(
        tuple,
        "inputs of forward, each int64 [1, tokens]: input_ids, perhaps token_type_ids, perhaps pooling_mask (1 for a "
        "token that is pooled, 0 for one of a prompt that the embedding leaves out)",
    )
    batch_inputs: tuple[str, ...] = _field(
        tuple, "inputs of forward_batch, each int64 [batch, tokens]; the last is attention_mask", default=()
    )
    outputs: tuple[str, ...] = _field(
        tuple, "outputs, float32: logits; start_logits, end_logits; embedding or token_embeddings"
    )

    embedding_size: int = _field(int, "width of an embedding, 0 if the task gives none", most=1 << 20, default=0)
    pooling: str = _field(
        str, "pooling inside the program, as sentence-transformers names it; several are joined by +", default="none"
    )
    normalized: bool = _field(bool, "embeddings leave the program with unit length", default=False)
    prompt_names: tuple[str, ...] = _field(tuple, "sentence-transformers prompt names", default=())
    prompts: tuple[str, ...] = _field(tuple, "prompt texts, in the order of their names", default=())
    default_prompt: str = _field(str, "prompt name used when none is given, or empty", default="")

    cache_layers: int = _decoder_field(
        int, "layers with keys and values, 0 for a task that generates no text", most=1 << 16, default=0
    )
    cache_row_bytes: int = _decoder_field(
        int, "bytes that a token takes in the cache of a layer", most=1 << 20, default=0
    )
    chunk_length: int = _decoder_field(int, "most tokens of one call of a decoder", most=1 << 20, default=0)
    logit_rows: int = _decoder_field(int, "most rows of logits of one call of forward_fused", most=1 << 20, default=0)
    end_ids: tuple[str, ...] = _decoder_field(tuple, "ids of the tokens that end an answer, decimal", default=())
    temperature: float = _decoder_field(float, "recommended temperature of sampling; 0: greedy", default=0.0)
    top_k: int = _decoder_field(int, "recommended number of likeliest tokens to choose from; 0: all", default=0)
    top_p: float = _decoder_field(float, "recommended share of the probability to choose from", most=1, default=1.0)
    min_p: float = _decoder_field(
        float, "recommended least share of the likeliest token's probability", most=1, default=0.0
    )
    repetition_penalty: float = _decoder_field(float, "recommended penalty of repetition; 1: none", default=1.0)
    chat_head: str = _decoder_field(
        str, "chat template: beginning of a conversation without a system message", default=""
    )
    chat_has_system: bool = _decoder_field(bool, "chat template: it has system messages", default=False)
    chat_head_system: str = _decoder_field(str, "what stands before a system message", default="")
    chat_system_end: str = _decoder_field(str, "the same: what stands behind a system message", default="")
    chat_user_start: str = _decoder_field(str, "the same: what stands before a message of the user", default="")
    chat_user_end: str = _decoder_field(str, "the same: what stands behind it", default="")
    chat_assistant_start: str = _decoder_field(str, "the same: what stands before an answer", default="")
    chat_assistant_end: str = _decoder_field(str, "the same: what stands behind it", default="")
    chat_generation: str = _decoder_field(str, "the same: beginning of the answer that is to come", default="")
    chat_trim: str = _decoder_field(str, "the same: spaces taken off contents: right, both or, empty, none", default="")

    recipe: str = _field(str, "quantization recipe by name")
    quantization: str = _field(str, "what the recipe did, in words", default="")
    source: str = _field(str, "hub id or name of the checkpoint's directory")
    source_commit: str = _field(str, "commit of the hub repository, or empty", default="")
    source_sha256: str = _field(str, "SHA-256 of the checkpoint's weights, hexadecimal", default="")
    license: str = _field(str, "licence of the checkpoint if it says so", default="")
    producer: str = _field(str, "linnet and its version")
    executorch_version: str = _field(str, "version of ExecuTorch that wrote the program")
    backends: tuple[str, ...] = _field(tuple, "ExecuTorch backends that the program needs", default=())
    kernel_libraries: tuple[str, ...] = _field(
        tuple, "ExecuTorch kernel libraries that the program needs: optimized, quantized", default=()
    )
    operators: tuple[str, ...] = _field(tuple, "operators outside the delegates, as name.overload", default=())

    def __post_init__(self) -> None:
        problems = self.problems()
        if problems:
            raise ManifestInvalidError("; ".join(problems))

    # -- raw form ------------------------------------------------------------------------------

    def to_raw(self) -> dict[str, RawValue]:
        """Return the fields as the values of constant methods, in the order of definition."""
        raw: dict[str, RawValue] = {}
        for field in self.stored_fields():
            value = getattr(self, field.name)
            raw[field.name] = join_items(value) if field.metadata["kind"] is tuple else value
        return raw

    def stored_fields(self) -> list[dataclasses.Field[Any]]:
        """Return the fields that a file of this task has, in the order of definition."""
        generates = self.task == "text-generation"
        return [field for field in dataclasses.fields(self) if generates or not field.metadata["decoder"]]

    @classmethod
    def from_raw(cls, raw: Mapping[str, RawValue]) -> Manifest:
        """Build a manifest from the values of constant methods.

        Fields that this version does not know are ignored, since a newer minor version may add fields.

        Raises:
            SchemaTooNewError: the major version is above :data:`SCHEMA_MAJOR`.
            ManifestInvalidError: fields are missing, have the wrong type or contradict each other;
                the message lists all of them.
        """
        check_schema_version(raw.get("schema_version"))
        problems: list[str] = []
        values: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            if field.name not in raw:
                if field.default is dataclasses.MISSING:
                    problems.append(f"{field.name} is missing")
                continue
            value = raw[field.name]
            stored = cls.STORED[field.metadata["kind"]]
            if type(value) is not stored:
                problems.append(f"{field.name} is {type(value).__name__}, expected {stored.__name__}")
                continue
            values[field.name] = split_items(value) if field.metadata["kind"] is tuple else value  # type: ignore[arg-type]
        if problems:
            raise ManifestInvalidError("; ".join(problems))
        return cls(**values)

    @property
    def has_core_tokenizer(self) -> bool:
        """True if the compiled core reads this kind of tokenizer, in every language."""
        return self.tokenizer_kind in ("wordpiece", "tables")

    @property
    def special_ids(self) -> dict[str, int]:
        """Ids of the special tokens by the name of their field, -1 for none."""
        return {name: getattr(self, name) for name in ("pad_id", "unk_id", "cls_id", "sep_id", "mask_id")}

    # -- cross checks --------------------------------------------------------------------------

    def problems(self) -> list[str]:
        """Return all invalid or contradictory fields as sentences; empty if there are none."""
        return [
            *self._range_problems(),
            *self._task_problems(),
            *self._token_problems(),
            *self._method_problems(),
            *self._decoder_problems(),
        ]

    def _range_problems(self) -> list[str]:
        problems: list[str] = []
        for field in dataclasses.fields(self):
            value, bounds = getattr(self, field.name), field.metadata
            if isinstance(value, int | float):
                if not bounds["least"] <= value <= bounds["most"]:
                    problems.append(f"{field.name} is {value}, expected {bounds['least']} to {bounds['most']}")
            elif _stored_bytes(value) > bounds["most"]:
                problems.append(f"{field.name} has {_stored_bytes(value)} bytes, expected at most {bounds['most']}")
        return problems

    def _task_problems(self) -> list[str]:
        problems: list[str] = []
        if self.task not in TASKS:
            problems.append(f"task is {self.task!r}, expected one of {', '.join(TASKS)}")
        if self.score_function not in SCORE_FUNCTIONS:
            problems.append(f"score_function is {self.score_function!r}, expected softmax, sigmoid or none")
        if self.pooling != "none" and not set(self.pooling.split("+")) <= set(POOLINGS):
            problems.append(f"pooling is {self.pooling!r}, expected none, or of {', '.join(POOLINGS)}, joined by +")
        if self.task in ("text-classification", "token-classification") and not self.labels:
            problems.append(f"labels is empty, {self.task} needs at least one")
        if self.task == "feature-extraction" and self.embedding_size <= 0:
            problems.append("embedding_size is 0, feature-extraction needs the width of its embedding")
        if len(self.prompt_names) != len(self.prompts):
            problems.append(f"{len(self.prompt_names)} prompt_names but {len(self.prompts)} prompts")
        if self.default_prompt and self.default_prompt not in self.prompt_names:
            problems.append(f"default_prompt is {self.default_prompt!r}, which is not in prompt_names")
        return problems

    def _token_problems(self) -> list[str]:
        problems: list[str] = []
        for name, value in self.special_ids.items():
            if not -1 <= value < self.vocab_size:
                problems.append(f"{name} is {value}, expected -1 or an id below vocab_size {self.vocab_size}")
        if self.task == "fill-mask" and self.mask_id < 0:
            problems.append("mask_id is -1, fill-mask needs a mask token")
        if not self.tokenizer:
            problems.append("tokenizer is empty")
        return problems

    def _method_problems(self) -> list[str]:
        problems: list[str] = []
        if not self.inputs or self.inputs[0] != "input_ids":
            problems.append(f"inputs is {list(self.inputs)}, expected input_ids first")
        if bool(self.max_batch) != bool(self.batch_inputs):
            problems.append(f"max_batch is {self.max_batch} but batch_inputs is {list(self.batch_inputs)}")
        if not self.outputs:
            problems.append("outputs is empty")
        return problems

    def _decoder_problems(self) -> list[str]:
        if self.task != "text-generation":
            return []
        names = ("cache_layers", "cache_row_bytes", "chunk_length", "logit_rows")
        problems = [f"{name} is 0, text-generation needs it" for name in names if getattr(self, name) <= 0]
        if self.chunk_length > self.max_length:
            problems.append(f"chunk_length is {self.chunk_length}, expected at most max_length {self.max_length}")
        problems += [
            f"end_ids has {token!r}, expected ids below vocab_size {self.vocab_size}"
            for token in self.end_ids
            if not (token.isascii() and token.isdigit() and int(token) < self.vocab_size)
        ]
        if self.chat_trim not in CHAT_TRIMS:
            problems.append(f"chat_trim is {self.chat_trim!r}, expected right, both or empty")
        return problems


def _stored_bytes(value: str | bytes | tuple[str, ...]) -> int:
    stored = _joined(value) if isinstance(value, tuple) else value
    return len(stored) if isinstance(stored, bytes) else len(stored.encode(errors="replace"))


def check_schema_version(value: RawValue | None) -> None:
    """Check that this build can read a schema version; a newer minor version is accepted.

    Raises:
        SchemaTooNewError: the major version is above :data:`SCHEMA_MAJOR`.
        ManifestInvalidError: ``value`` is not ``"major.minor"`` with a major version of at least 1.
    """
    parts = value.split(".") if isinstance(value, str) else []
    if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts) or int(parts[0]) < 1:
        raise ManifestInvalidError(f'schema_version is {value!r}, expected "major.minor" from 1.0 on')
    if int(parts[0]) > SCHEMA_MAJOR:
        raise SchemaTooNewError(
            f"the file has schema {value!r}, this linnet reads {SCHEMA_MAJOR}.x; "
            "install a newer linnet, or export the file again with this one"
        )
