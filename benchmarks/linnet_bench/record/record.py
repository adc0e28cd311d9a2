"""The result of ``linnet bench`` as a versioned JSON document.

The dataclasses below *are* the schema: :func:`to_json` writes every field, :func:`from_json` checks every
type, and :mod:`linnet_bench.record.schema` writes them as JSON Schema (``docs/bench-record.schema.json``). A reader
accepts its own major version; unknown fields of a newer minor version are skipped. All times are nanoseconds, all sizes
bytes. A value that the system does not provide is null.
"""

from __future__ import annotations

import dataclasses
import json
import re
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from linnet.cli.output import write_text
from linnet.errors import FileMissingError, FileUnreadableError, InvalidArgumentError
from linnet.format.bounded_json import MOST_WHOLE, parse_json
from linnet_bench.machine.environment import Environment, Versions
from linnet_bench.machine.state import State
from linnet_bench.record.profile import LengthProfile
from linnet_bench.record.sampling import Sampling
from linnet_bench.record.statistics import PERCENTILE_DEFINITION, Summary

__all__ = [
    "INTERRUPTED_WORDS",
    "LEAST_WHOLE",
    "MOST_RECORD_BYTES",
    "RECORD_KIND",
    "RECORD_MAJOR",
    "RECORD_MINOR",
    "ColdStart",
    "DecodeResult",
    "Environment",
    "FileFacts",
    "Kernels",
    "LengthResult",
    "OutputCheck",
    "Record",
    "RecordError",
    "Settings",
    "State",
    "Summary",
    "ThreadRun",
    "Versions",
    "from_data",
    "from_json",
    "has_default",
    "read_record",
    "to_json",
    "write_record",
]

RECORD_KIND = "linnet-bench"
RECORD_MAJOR = 1
RECORD_MINOR = 6
"""1: profiles; 2: method, repeats, kernels, throttling, energy, cores, emulation; 3: partial_reason; 4: busy_share;
5: activation_bits; 6: decoding."""

LEAST_WHOLE = -1
"""Smallest whole number of a record: a position or a count that there is not."""

MOST_RECORD_BYTES = 256 << 20
"""Largest record that is read: some millions of samples."""

INTERRUPTED_WORDS = "interrupted with Ctrl-C"
"""The reason in a partial record that the user interrupted."""


_T = TypeVar("_T")

# a list of numbers as `json.dumps` indents it; no string has a newline, so none is touched
_NUMBER_LIST = re.compile(r"\[\n\s*((?:[-+.\deE]+,?\s+)+)\]")


class RecordError(InvalidArgumentError):
    """A JSON document is not a benchmark record that this version of linnet can read."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Requested settings of the measurement.

    Attributes:
        lengths: tokens of one input, special tokens included, as requested (before clipping); of a decoder, tokens of
            the prompt.
        threads: thread counts, each measured in a process of its own.
        seconds: time for the samples of one length; None if a number of samples was requested.
        samples: number of samples of each length; None if a time was requested.
        cold_repeats: fresh processes started for the cold start; 0 leaves it out.
        profile: each length was profiled too.
        method: "default", "quick" or "official": see :mod:`linnet_bench.record.preset`.
        least_samples, most_samples: limits of the number of samples of a length if a time was requested.
        warmup_seconds, warmup_runs: both are reached before the first sample of a length.
        repeats: processes of each thread count; all thread counts take turns.
        cooldown_seconds: pause before each process but the first.
        fused: ``forward_fused`` was run (True), ``forward`` (False), or the faster of both for this processor (None).
        affinity: CPUs that the measured processes were bound to; empty: all that the command may use.
        activation_bits: bits of rounded activations in ``forward_fused``, 7 or 8; 0: 7 where that is faster and proven.
    """

    lengths: tuple[int, ...]
    threads: tuple[int, ...]
    seconds: float | None
    samples: int | None
    cold_repeats: int
    profile: bool = False
    method: str = "default"
    least_samples: int = Sampling.least_samples
    most_samples: int = Sampling.most_samples
    warmup_seconds: float = Sampling.warmup_seconds
    warmup_runs: int = Sampling.warmup_runs
    repeats: int = 1
    cooldown_seconds: float = 0.0
    fused: bool | None = None
    affinity: tuple[int, ...] = ()
    activation_bits: int = 0

    @property
    def sampling(self) -> Sampling:
        """Return the sampling of each length.

        Raises:
            InvalidArgumentError: the numbers contradict each other.
        """
        return Sampling(**{field.name: getattr(self, field.name) for field in dataclasses.fields(Sampling)})


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileFacts:
    """The measured file: identity from its bytes, the rest from its manifest.

    Attributes:
        name: file name without folder.
        size: size in bytes.
        sha256: SHA-256 of all bytes, hexadecimal.
        task, model_type, recipe, source, source_commit, producer: as in the manifest.
        executorch_version: version that wrote the program.
        max_length: maximum number of tokens of one input.
        status: "proven" or "unproven"; empty if the record is older than the field.
        proof: figures of the proof of ``forward``, from the evidence.
    """

    name: str
    size: int
    sha256: str
    task: str
    model_type: str
    recipe: str
    source: str
    source_commit: str
    producer: str
    executorch_version: str
    max_length: int
    status: str = ""
    proof: Mapping[str, float] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.size < 1 or self.max_length < 1:
            raise ValueError(f"expected a size and a length above 0, got {self.size} and {self.max_length}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class OutputCheck:
    """Check of the answers against the golden cases inside the file.

    Attributes:
        cases: golden cases replayed each time; 0 if the file has none.
        before: they were reproduced before the timing.
        after: they were reproduced after the timing; None if the run ended before.
        message: what differed, or why nothing could be checked; empty if all answers were right.
    """

    cases: int
    before: bool
    after: bool | None
    message: str

    @property
    def wrong(self) -> bool:
        """Return True if an answer differed; then no latency may be reported."""
        return not self.before or self.after is False


@dataclasses.dataclass(frozen=True, kw_only=True)
class LengthResult:
    """Latency of ``forward`` for one length, from token ids to numpy outputs; of a decoder, of the prefill of a prompt.

    Attributes:
        tokens: length of the input, special tokens included.
        warmup_runs: runs before the first sample.
        summary: statistics of the samples.
        tokens_per_second: tokens divided by the median.
        samples_ns: every sample, in the order in which they were taken.
        energy_j: joules that the counters of :class:`~linnet_bench.machine.state.State` counted while the samples
            were taken, including everything else that ran; None without counters.
    """

    tokens: int
    warmup_runs: int
    summary: Summary
    tokens_per_second: float
    samples_ns: tuple[int, ...]
    energy_j: float | None = None

    def __post_init__(self) -> None:
        if self.tokens < 1 or self.tokens_per_second <= 0 or min(self.samples_ns, default=0) < 1:
            raise ValueError("expected at least one token, and a rate and samples above 0")


@dataclasses.dataclass(frozen=True, kw_only=True)
class DecodeResult:
    """Speed of a decoder behind prompts of one length; the text after a prompt is chosen greedily.

    Attributes:
        context: tokens of the prompt.
        first_token: from the prompt's ids to its first token.
        token: one further token at a time: the run of the last token, and the choice of the next one.
    """

    context: int
    first_token: LengthResult
    token: LengthResult

    def __post_init__(self) -> None:
        if self.context < 1 or self.token.tokens != 1:
            raise ValueError("expected a context of at least one token, and times of one token each")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kernels:
    """The kernels that computed the result, from the events of one profiled inference.

    Attributes:
        method: "forward" or "forward_fused"; None if the file's evidence cannot distinguish them.
        attention: attention kernel: "XNNPACK, float32", or linnet's operator with the instructions it used.
        delegated: XNNPACK's operators with the types that they compute in, each once, in the order of the program.
        outside: operators that ExecuTorch itself ran, each once.
        activation_bits: bits that linnet's linear layers rounded activations to; None if none ran, or not recorded.
    """

    method: str | None
    attention: str | None
    delegated: tuple[str, ...]
    outside: tuple[str, ...]
    activation_bits: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ThreadRun:
    """Results of one thread count, measured in one fresh process.

    Attributes:
        threads: number of threads of the process.
        load_ns: time of ``linnet.load`` of the file (in the page cache).
        first_answer_ns: time of the first call with a text, which loads ``forward``.
        check: whether the answers were right; if they were not, no time of this run is kept.
        lengths: results of ``forward``; of a decoder, of the prefill.
        answer: time from a text to its answer, tokenizer and decoding included; of a decoder, to the first token. None
            if it was not measured.
        peak_memory: peak resident bytes after all lengths; None if the process did not finish.
        before, after: state of the machine before and after the run.
        error: error that ended the run early, or empty.
        profiles: one for each length, if requested.
        repeat: number of the round, from 0.
        affinity: CPUs that the process could use; empty if unknown.
        kernels: kernels that ran; None if the process did not finish.
        decoding: results of a decoder behind each prompt; empty for others.
    """

    threads: int
    load_ns: int | None
    first_answer_ns: int | None
    check: OutputCheck
    lengths: tuple[LengthResult, ...]
    answer: LengthResult | None
    peak_memory: int | None
    before: State
    after: State | None
    error: str
    profiles: tuple[LengthProfile, ...] = ()
    repeat: int = 0
    affinity: tuple[int, ...] = ()
    kernels: Kernels | None = None
    decoding: tuple[DecodeResult, ...] = ()

    def __post_init__(self) -> None:
        counts = (self.threads, self.load_ns, self.first_answer_ns, self.peak_memory)
        if min(count for count in counts if count is not None) < 1:
            raise ValueError(f"expected threads, times and memory above 0, got {counts}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ColdStart:
    """Start of fresh processes, timed from outside: from process start to the first line of output.

    The three programs take turns; the file and the libraries are in the page cache.

    Attributes:
        threads: number of threads of the process that answers.
        bare_ns: an interpreter that prints a line.
        numpy_ns: an interpreter that imports numpy and prints a line.
        answer_ns: an interpreter that imports linnet, loads the file, answers one text and prints a line.
        import_ns, load_ns, first_answer_ns: parts of the latter, timed inside the process.
        bare_memory, numpy_memory, answer_memory: peak resident bytes of each, the median of the repeats.
    """

    threads: int
    bare_ns: tuple[int, ...]
    numpy_ns: tuple[int, ...]
    answer_ns: tuple[int, ...]
    import_ns: tuple[int, ...]
    load_ns: tuple[int, ...]
    first_answer_ns: tuple[int, ...]
    bare_memory: int
    numpy_memory: int
    answer_memory: int

    def __post_init__(self) -> None:
        for times in (self.bare_ns, self.numpy_ns, self.answer_ns, self.import_ns, self.load_ns, self.first_answer_ns):
            if min(times, default=0) < 1:
                raise ValueError("expected at least one time of each kind, all above 0")
        if min(self.bare_memory, self.numpy_memory, self.answer_memory) < 1:
            raise ValueError("expected memory above 0")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Record:
    """The record of one ``linnet bench``.

    Attributes:
        kind: always "linnet-bench".
        schema_version: major.minor of this document.
        created: start of the measurement, ISO 8601 in UTC.
        partial: True if it ended early; finished results are kept.
        partial_reason: why it ended early, in a sentence; empty if it did not, or in a record before 1.3.
        percentiles: definition of the percentiles.
        settings: requested settings.
        file: the measured file.
        environment: the machine.
        runs: one for each thread count and repeat, in the order in which they ran.
        cold_start: None if it was left out or never reached.
        device: the machine as the user named it with ``--device``; empty if it is the one that wrote the record.
        command: command line as typed, the file without its folder.
    """

    kind: str = RECORD_KIND
    schema_version: str = f"{RECORD_MAJOR}.{RECORD_MINOR}"
    created: str
    partial: bool
    partial_reason: str = ""
    percentiles: str = PERCENTILE_DEFINITION
    settings: Settings
    file: FileFacts
    environment: Environment
    runs: tuple[ThreadRun, ...]
    cold_start: ColdStart | None
    device: str = ""
    command: str = ""

    @property
    def ended_early(self) -> str:
        """Return why the record is partial, in a few words; empty if it is not."""
        return (self.partial_reason or "interrupted") if self.partial else ""

    @property
    def wrong(self) -> bool:
        """Return True if any run gave a wrong answer."""
        return any(run.check.wrong for run in self.runs)


def to_json(record: Record) -> str:
    """Return the record as indented JSON, each list of numbers on one line, ending with a newline."""
    text = json.dumps(dataclasses.asdict(record), ensure_ascii=False, allow_nan=False, indent=1)
    return _NUMBER_LIST.sub(lambda match: f"[{' '.join(match[1].split())}]", text) + "\n"


def from_json(text: str) -> Record:
    """Read a record.

    Raises:
        RecordError: it is not JSON, not a record, has a newer major version, or a field has the wrong type.
    """
    try:
        data = parse_json(text, most_bytes=MOST_RECORD_BYTES)
    except ValueError as error:
        raise RecordError(f"the record is not JSON that can be used: {error}") from error
    if not isinstance(data, dict) or data.get("kind") != RECORD_KIND:
        raise RecordError(f'found no "kind": "{RECORD_KIND}", expected a record of `linnet bench --output`')
    version = data.get("schema_version")
    if not isinstance(version, str) or version.split(".")[0] != str(RECORD_MAJOR):
        raise RecordError(
            f"the record has schema {version!r}, this linnet reads {RECORD_MAJOR}.x; use the linnet that wrote it"
        )
    return from_data(Record, data)


def from_data(cls: type[_T], data: object, where: str = "record") -> _T:
    """Build a dataclass from parsed JSON, checking each field's type; unknown keys are skipped.

    Raises:
        RecordError: a field is missing or has the wrong type; the message gives its path.
    """
    value = _convert(cls, data, where)
    assert isinstance(value, cls)
    return value


def _convert(kind: Any, data: object, where: str) -> Any:
    origin = typing.get_origin(kind)
    if dataclasses.is_dataclass(kind):
        return _convert_dataclass(kind, data, where)
    if origin in (types.UnionType, typing.Union):
        (some,) = (member for member in typing.get_args(kind) if member is not types.NoneType)
        return None if data is None else _convert(some, data, where)
    if origin is tuple and isinstance(data, (list, tuple)):
        item = typing.get_args(kind)[0]
        if item is int and data and all(type(value) is int for value in data):  # samples: millions of them
            _check_whole((min(data), max(data)), where)
            return tuple(data)
        return tuple(_convert(item, value, f"{where}[{index}]") for index, value in enumerate(data))
    if origin is Mapping and isinstance(data, Mapping):
        item = typing.get_args(kind)[1]
        return {str(key): _convert(item, value, f"{where}.{key}") for key, value in data.items()}
    if type(data) is int and kind in (int, float):
        _check_whole((data,), where)
        return kind(data)
    if kind is float and type(data) is float and not abs(data) <= MOST_WHOLE:
        raise RecordError(f"{where} is {data}, expected a number of at most {MOST_WHOLE}")
    if isinstance(kind, type) and type(data) is kind:
        return data
    raise RecordError(f"{where} is {type(data).__name__}, expected {getattr(kind, '__name__', kind)}")


def _convert_dataclass(cls: Any, data: object, where: str) -> Any:
    if not isinstance(data, Mapping):
        raise RecordError(f"{where} is {type(data).__name__}, expected an object")
    kinds = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        if field.name not in data:
            if has_default(field) and field.name not in ("kind", "schema_version"):
                continue  # a field of a newer minor version than the document's
            raise RecordError(f"{where}.{field.name} is missing")
        values[field.name] = _convert(kinds[field.name], data[field.name], f"{where}.{field.name}")
    try:
        return cls(**values)
    except ValueError as error:
        raise RecordError(f"{where} cannot be: {error}") from error


def _check_whole(numbers: Iterable[int], where: str) -> None:
    for number in numbers:
        if not LEAST_WHOLE <= number <= MOST_WHOLE:
            raise RecordError(f"{where} is {number}, expected a whole number of {LEAST_WHOLE} to {MOST_WHOLE}")


def has_default(field: dataclasses.Field[Any]) -> bool:
    """Return whether a document may omit the field."""
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def write_record(record: Record, path: Path, *, force: bool = False) -> None:
    """Write the record; see :func:`linnet.cli.output.write_text`.

    Raises:
        InvalidArgumentError: the file exists and ``force`` is False.
        OSError: it cannot be written.
    """
    write_text(to_json(record), path, force=force)


def read_record(path: Path) -> Record:
    """Read a record of ``linnet bench``.

    Raises:
        FileMissingError: there is no such file.
        FileUnreadableError: it cannot be read.
        RecordError: it is no record; the message has the path.
    """
    try:
        return from_json(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise FileMissingError(f"{path}: there is no such file") from error
    except OSError as error:
        raise FileUnreadableError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecordError(f"{path}: it is not UTF-8, expected a record of `linnet bench --output`") from error
    except RecordError as error:
        raise RecordError(f"{path}: {error}") from error
