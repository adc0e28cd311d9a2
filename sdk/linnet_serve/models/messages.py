"""Messages between the service and its worker processes: work, results and errors, framed msgpack."""

from __future__ import annotations

import struct
from typing import Any, TypeAlias

import msgspec

__all__ = [
    "Answer",
    "Answered",
    "Begun",
    "Cancel",
    "Embed",
    "Embedded",
    "Ended",
    "Failed",
    "FrameReader",
    "FromWorker",
    "Generate",
    "Generated",
    "Infer",
    "Inferred",
    "Job",
    "Load",
    "ModelInfo",
    "Piece",
    "Ready",
    "Refused",
    "Report",
    "Reported",
    "Score",
    "Scored",
    "Tensor",
    "ToWorker",
    "Tokenize",
    "TopToken",
    "Work",
    "frame",
]

_HEADER = struct.Struct("<I")
_MOST_BYTES = 1 << 30


class _Message(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """A message; fields travel without their names."""


# -- work ------------------------------------------------------------------------------------------


class Embed(_Message, frozen=True):
    """Embed texts.

    Attributes:
        texts: texts, at least one.
        normalize: scale each vector to unit length.
        prompt_name: name of a prompt of the file; None: its default prompt.
        truncation: if False, a text over the maximum length is an error.
        tokens: if True, return one vector for each token instead of one for each text.
    """

    texts: list[str]
    normalize: bool
    prompt_name: str | None = None
    truncation: bool = True
    tokens: bool = False


class Score(_Message, frozen=True):
    """Score pairs of a query and a passage: ``pairs`` are [query, passage]."""

    pairs: list[tuple[str, str]]
    truncation: bool = True


class Answer(_Message, frozen=True):
    """Answer as the Hugging Face pipeline of the task does; ``inputs`` and ``options`` are those of Model()."""

    inputs: Any
    options: dict[str, Any]


class Tokenize(_Message, frozen=True):
    """Tokenize texts; ``special`` adds the special tokens."""

    texts: list[str]
    special: bool = True


class Tensor(msgspec.Struct, frozen=True, array_like=True):
    """A tensor: ``data`` is little endian in C order, of ``datatype`` INT64 or FP32."""

    name: str
    datatype: str
    shape: list[int]
    data: bytes


class Infer(_Message, frozen=True):
    """Run the program on texts, or on tensors of its inputs; one of both is given."""

    texts: list[str]
    tensors: list[Tensor]


class Generate(_Message, frozen=True):
    """Continue a text or a conversation.

    Attributes:
        prompt: a str, or messages.
        options: those of :class:`linnet.generation.GenerationOptions`.
        log_probabilities: send the log probability of each token.
        top: send this many likeliest tokens at each place.
        prefix: text that the answer begins with, behind the chat template; it is not sent back.
    """

    prompt: Any
    options: dict[str, Any]
    log_probabilities: bool = False
    top: int = 0
    prefix: str = ""


Work: TypeAlias = Embed | Score | Answer | Tokenize | Infer | Generate


class Load(_Message, frozen=True):
    """Open a file; the first message to a worker.

    Attributes:
        path: path of the file.
        threads: threads of one inference; 0: as linnet.load chooses.
        verify: check all bytes and repeat all golden cases.
        capacity: most tokens of each; 0: as many as the file can.
        data_bytes: most bytes of data of the process beyond its libraries (RLIMIT_DATA); 0: no limit.
        name: name under which the worker counts what the model does; empty: it does not count.
    """

    path: str
    threads: int = 0
    verify: bool = False
    capacity: int = 0
    data_bytes: int = 0
    name: str = ""


class Report(_Message, frozen=True):
    """Ask for the counts of the worker; :class:`Reported` comes back at once, also while a job runs."""


class Job(_Message, frozen=True):
    """Work with the number under which its results come back."""

    number: int
    work: Work


class Cancel(_Message, frozen=True):
    """Stop a job; nothing more is sent for it."""

    number: int


ToWorker: TypeAlias = Load | Job | Cancel | Report


# -- results ---------------------------------------------------------------------------------------


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker says about its file.

    Attributes:
        file_sha256: SHA-256 of the file, in hexadecimal.
        kernels: processor whose kernels run, and the method.
    """

    task: str
    model_type: str
    recipe: str
    max_length: int
    labels: list[str]
    inputs: list[str]
    outputs: list[str]
    embedding_size: int
    context: int
    chat: bool
    file_sha256: str
    kernels: str
    bytes: int


class Ready(_Message, frozen=True):
    """The file is open."""

    info: ModelInfo


class Refused(_Message, frozen=True):
    """The file cannot be opened, or gives other answers than recorded."""

    error: str
    message: str


class Embedded(_Message, frozen=True):
    """Vectors, float32 [texts, width], and the tokens of each text; or those of one text's tokens."""

    number: int
    data: bytes
    width: int
    tokens: list[int]
    rows: list[int]


class Scored(_Message, frozen=True):
    """Logits, float32 [pairs, width], and the tokens of each pair."""

    number: int
    data: bytes
    width: int
    tokens: list[int]


class Answered(_Message, frozen=True):
    """An answer as JSON, and how many tokens were read."""

    number: int
    json: bytes
    tokens: int


class Inferred(_Message, frozen=True):
    """Outputs of a program."""

    number: int
    tensors: list[Tensor]
    tokens: int


class TopToken(msgspec.Struct, frozen=True, array_like=True):
    """A token with its log probability."""

    text: str
    log_probability: float


class Begun(_Message, frozen=True):
    """A generation begins to read its prompt."""

    number: int
    prompt_tokens: int


class Piece(_Message, frozen=True):
    """One generated token: new ``text``, often empty; ``id`` is -1 for text that was held back."""

    number: int
    id: int
    text: str
    token: str = ""
    log_probability: float = 0.0
    top: list[TopToken] = []


class Ended(_Message, frozen=True):
    """The end of a generation, with the seed that was used."""

    number: int
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    seed: int


class Reported(_Message, frozen=True):
    """A snapshot of :class:`linnet.monitoring.Metrics`."""

    snapshot: dict[str, Any]


class Failed(_Message, frozen=True):
    """A job failed; ``error`` is the class of linnet.errors, ``caller`` says whether its request was wrong."""

    number: int
    error: str
    message: str
    caller: bool


Generated: TypeAlias = Begun | Piece | Ended
"""What comes of a generation, in this order."""

FromWorker: TypeAlias = Ready | Refused | Embedded | Scored | Answered | Inferred | Generated | Failed | Reported

_ENCODER = msgspec.msgpack.Encoder()


def frame(message: ToWorker | FromWorker) -> bytes:
    """Return a message with its length before it.

    Raises:
        ValueError: it is larger than 1 GiB.
    """
    data = _ENCODER.encode(message)
    if len(data) > _MOST_BYTES:
        raise ValueError(f"expected a message of at most {_MOST_BYTES} bytes, got {len(data)}")
    return _HEADER.pack(len(data)) + data


class FrameReader:
    """Messages in a stream of bytes that comes in pieces."""

    def __init__(self, kind: Any) -> None:
        """Read messages of a union: :data:`ToWorker` or :data:`FromWorker`."""
        self._decoder = msgspec.msgpack.Decoder(kind)
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Any]:
        """Take bytes; return the messages that are complete now.

        Raises:
            msgspec.MsgspecError: the bytes are no message.
        """
        held = self._held
        held += data
        messages, place = [], 0
        while len(held) - place >= _HEADER.size:
            (size,) = _HEADER.unpack_from(held, place)
            end = place + _HEADER.size + size
            if len(held) < end:
                break
            messages.append(self._decoder.decode(held[place + _HEADER.size : end]))
            place = end
        del held[:place]
        return messages
