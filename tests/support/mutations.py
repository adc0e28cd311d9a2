"""The table of good and bad files, with the verdict of every reader.

Each case makes a file from the intact one. Verdicts are names of linnet.h: ``load`` is what opening the file
gives (C++ reader), ``verify`` what ``verify_file`` gives, ``trailer`` what ``linnet.format.trailer.read_trailer``
gives, ``manifest`` what ``linnet.format.manifest.Manifest.from_raw`` gives for the fields.
"""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from collections.abc import Callable, Iterator, Mapping

from linnet.format.manifest import Manifest, RawValue

OK = "LINNET_OK"
FOOTER = struct.Struct("<8sHHIQQQQ32s32s8s8s")
HASHED_FOOTER = 80


@dataclasses.dataclass(frozen=True)
class Parts:
    """An intact file, taken apart."""

    program: bytes
    evidence: bytes
    ranges: tuple[tuple[int, int], ...]

    @property
    def whole(self) -> bytes:
        return compose(self)


def compose(parts: Parts, *, fix_hashes: bool = True, **footer: object) -> bytes:
    """Return a file of ``parts``; ``footer`` overrides fields of the footer by name."""
    table = b"".join(struct.pack("<QQ", offset, size) for offset, size in parts.ranges)
    covered = b"".join(parts.program[offset : offset + size] for offset, size in parts.ranges)
    values: dict[str, object] = {
        "magic": b"LNTRAILR",
        "major": 1,
        "minor": 0,
        "footer_size": FOOTER.size,
        "program_size": len(parts.program),
        "evidence_size": len(parts.evidence),
        "range_count": len(parts.ranges),
        "signature_size": 0,
        "ranges_sha256": hashlib.sha256(covered).digest(),
        "file_sha256": bytes(32),
        "zero": bytes(8),
        "end": b"LNTREND\n",
    } | footer
    body = parts.program + parts.evidence + table
    if fix_hashes and "file_sha256" not in footer:
        start = FOOTER.pack(*values.values())[:HASHED_FOOTER]
        values["file_sha256"] = hashlib.sha256(body + start).digest()
    return body + FOOTER.pack(*values.values())


@dataclasses.dataclass(frozen=True)
class FileCase:
    """A mutated file and its verdicts."""

    name: str
    make: Callable[[Parts], bytes]
    load: str
    verify: str
    trailer: str


def flipped(data: bytes, at: int) -> bytes:
    """Return ``data`` with one bit of byte ``at`` inverted."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def replaced(parts: Parts, **changes: object) -> Parts:
    return dataclasses.replace(parts, **changes)  # type: ignore[arg-type]


def outside(parts: Parts) -> int:
    """Return an offset in the program that no range covers: weights or padding."""
    covered = sorted(parts.ranges)
    ends = [offset + size for offset, size in covered]
    starts = [offset for offset, _ in covered[1:]] + [len(parts.program)]
    gaps = [(end, start) for end, start in zip(ends, starts, strict=True) if start > end]
    end, start = max(gaps, key=lambda gap: gap[1] - gap[0])
    return (start + end) // 2


def _truncations() -> Iterator[FileCase]:
    truncated, not_program = "LINNET_FILE_TRUNCATED", "LINNET_NOT_A_PROGRAM"
    for keep in (0, 1, 7):
        yield FileCase(f"first {keep} bytes", lambda p, n=keep: p.whole[:n], *(not_program,) * 3)  # type: ignore[misc]
    for keep in (8, 39, 41, 1000):
        yield FileCase(f"first {keep} bytes", lambda p, n=keep: p.whole[:n], *(truncated,) * 3)  # type: ignore[misc]
    yield FileCase("all but the last byte of the program", lambda p: p.program[:-1], *(truncated,) * 3)
    yield FileCase("half", lambda p: p.whole[: len(p.whole) // 2], *(truncated,) * 3)
    yield FileCase("program only", lambda p: p.program, *(truncated,) * 3)
    yield FileCase("without footer", lambda p: p.whole[: -FOOTER.size], *(truncated,) * 3)
    yield FileCase("without last byte", lambda p: p.whole[:-1], *(truncated,) * 3)
    yield FileCase("one byte too many", lambda p: p.whole + b"\0", *(truncated,) * 3)


def _other_files() -> Iterator[FileCase]:
    not_program = "LINNET_NOT_A_PROGRAM"
    yield FileCase("text", lambda p: b"hello, this is not a program\n" * 20, *(not_program,) * 3)
    yield FileCase("zip", lambda p: b"PK\x03\x04" + bytes(500), *(not_program,) * 3)
    yield FileCase("zeros", lambda p: bytes(4096), *(not_program,) * 3)
    yield FileCase(
        "another flatbuffer", lambda p: compose(replaced(p, program=p.program[:4] + b"TFL3" + p.program[8:])),
        *(not_program,) * 3,
    )  # fmt: skip
    yield FileCase(
        "a newer program format", lambda p: compose(replaced(p, program=p.program[:4] + b"ET99" + p.program[8:])),
        "LINNET_EXECUTORCH_TOO_OLD", OK, OK,
    )  # fmt: skip


def _footers() -> Iterator[FileCase]:
    damaged = ("LINNET_TRAILER_DAMAGED",) * 3
    yield FileCase("magic", lambda p: compose(p, magic=b"LNTRAILX"), *damaged)
    yield FileCase("newer major trailer", lambda p: compose(p, major=2), *damaged)
    yield FileCase("newer minor trailer", lambda p: compose(p, minor=7), OK, OK, OK)
    yield FileCase("footer size", lambda p: compose(p, footer_size=127), *damaged)
    yield FileCase("program too long", lambda p: compose(p, program_size=len(p.program) + 1), *damaged)
    yield FileCase("program too short", lambda p: compose(p, program_size=len(p.program) - 1), *damaged)
    yield FileCase("program endless", lambda p: compose(p, program_size=2**64 - 1), *damaged)
    yield FileCase("evidence endless", lambda p: compose(p, evidence_size=2**64 - 8), *damaged)
    yield FileCase("ranges endless", lambda p: compose(p, range_count=2**60), *damaged)
    yield FileCase(
        "sizes that wrap around", lambda p: compose(p, evidence_size=2**64 - len(p.program), program_size=2**63),
        *damaged,
    )  # fmt: skip
    yield FileCase(
        "17 MiB of evidence", lambda p: compose(replaced(p, evidence=b'{"a":"' + b"x" * (17 << 20) + b'"}')), *damaged
    )
    yield FileCase("70 000 ranges", lambda p: compose(replaced(p, ranges=p.ranges + ((0, 0),) * 70_000)), *damaged)
    yield FileCase("signature that is not there", lambda p: compose(p, signature_size=64), *damaged)
    yield FileCase("end mark", lambda p: compose(p, end=b"LNTREND."), *("LINNET_FILE_TRUNCATED",) * 3)
    yield FileCase("bytes behind the hashes", lambda p: compose(p, zero=b"\0\0\0\1\0\0\0\0"), *damaged)
    yield FileCase("such bytes in 1.1", lambda p: compose(p, minor=1, zero=b"\0\0\0\1\0\0\0\0"), *damaged)


def _ranges() -> Iterator[FileCase]:
    damaged = ("LINNET_TRAILER_DAMAGED",) * 2

    def with_ranges(*ranges: tuple[int, int]) -> Callable[[Parts], bytes]:
        return lambda p: compose(replaced(p, ranges=ranges))

    def with_more(last: tuple[int, int]) -> Callable[[Parts], bytes]:
        return lambda p: compose(replaced(p, ranges=(*p.ranges, last)))

    yield FileCase("no ranges", with_ranges(), *damaged, OK)
    yield FileCase(
        "range outside", lambda p: compose(replaced(p, ranges=(*p.ranges, (len(p.program), 1)))), *damaged, OK
    )
    yield FileCase("range beyond the end", with_ranges((0, 2**63)), *damaged, OK)
    yield FileCase("empty range", with_more((0, 0)), *damaged, OK)
    yield FileCase("header left out", with_ranges((8, 1000)), *damaged, OK)
    yield FileCase("only the header", with_ranges((0, 64)), *damaged, OK)
    yield FileCase("a range twice", lambda p: compose(replaced(p, ranges=p.ranges * 9)), *damaged, OK)


def _evidence() -> Iterator[FileCase]:
    damaged = ("LINNET_TRAILER_DAMAGED",) * 3
    yield FileCase("no evidence", lambda p: compose(replaced(p, evidence=b"")), *damaged)
    yield FileCase("evidence is no object", lambda p: compose(replaced(p, evidence=b"[1, 2]#")), *damaged)
    yield FileCase("evidence is no JSON", lambda p: compose(replaced(p, evidence=b'{"golden": ]}')), OK, OK, damaged[0])
    yield FileCase(
        "evidence damaged",
        lambda p: flipped(p.whole, len(p.program) + len(p.evidence) - 4),
        OK, "LINNET_FILE_DAMAGED", OK,
    )  # fmt: skip


def _hashes() -> Iterator[FileCase]:
    program = ("LINNET_PROGRAM_DAMAGED", "LINNET_PROGRAM_DAMAGED", OK)
    weights = (OK, "LINNET_FILE_DAMAGED", OK)
    yield FileCase("header damaged", lambda p: flipped(p.whole, 17), *program)
    yield FileCase("program section damaged", lambda p: flipped(p.whole, p.ranges[0][1] // 2), *program)
    yield FileCase("delegate damaged", lambda p: flipped(p.whole, sum(p.ranges[-1]) - 1), *program)
    yield FileCase("first hash damaged", lambda p: flipped(p.whole, len(p.whole) - 80), *program)
    yield FileCase("weights damaged", lambda p: flipped(p.whole, outside(p)), *weights)
    yield FileCase("second hash damaged", lambda p: flipped(p.whole, len(p.whole) - 17), *weights)
    yield FileCase("file hash of another file", lambda p: compose(p, file_sha256=b"\7" * 32), *weights)
    yield FileCase("range table damaged", lambda p: flipped(p.whole, len(p.whole) - FOOTER.size - 8), *program)


FILE_CASES: tuple[FileCase, ...] = (
    FileCase("intact", lambda p: p.whole, OK, OK, OK),
    *_truncations(),
    *_other_files(),
    *_footers(),
    *_ranges(),
    *_evidence(),
    *_hashes(),
)


@dataclasses.dataclass(frozen=True)
class ContractCase:
    """Changed fields (None removes one) and the verdicts of both readers."""

    name: str
    changes: Mapping[str, RawValue | None]
    load: str
    manifest: str


def _same(name: str, verdict: str, **changes: RawValue | None) -> ContractCase:
    return ContractCase(name, changes, verdict, verdict)


def _field_cases() -> Iterator[ContractCase]:
    """Every field once missing and once with the wrong type, from the definition of the manifest."""
    invalid = "LINNET_MANIFEST_INVALID"
    for field in dataclasses.fields(Manifest):
        required = field.default is dataclasses.MISSING or field.name == "schema_version"
        contradicts = field.name in ("labels", "max_batch", "batch_inputs", "mask_id")
        if required:
            yield _same(f"no {field.name}", invalid, **{field.name: None})
        elif not contradicts:
            yield _same(f"default {field.name}", OK, **{field.name: None})
        wrong: RawValue = "1.5" if field.metadata["kind"] is float else 1.5
        yield _same(f"{field.name} of another type", invalid, **{field.name: wrong})


_INVALID = "LINNET_MANIFEST_INVALID"

CONTRACT_CASES: tuple[ContractCase, ...] = (
    _same("intact", OK),
    _same("newer minor schema with a new field", OK, schema_version="1.9", invented="later"),
    _same("newer major schema", "LINNET_SCHEMA_TOO_NEW", schema_version="2.0"),
    _same("far newer schema", "LINNET_SCHEMA_TOO_NEW", schema_version="99999999999999999999.0"),
    _same("schema zero", _INVALID, schema_version="0.9"),
    _same("schema without minor", _INVALID, schema_version="1"),
    _same("schema in words", _INVALID, schema_version="one.zero"),
    _same("schema with three parts", _INVALID, schema_version="1.0.0"),
    _same("empty schema", _INVALID, schema_version=""),
    _same("schema as a number", _INVALID, schema_version=1),
    _same("unknown task", _INVALID, task="translation"),
    _same("no labels", _INVALID, labels=""),
    _same("unknown score function", _INVALID, score_function="tanh"),
    _same("empty score function", _INVALID, score_function=""),
    _same("unknown pooling", _INVALID, pooling="median"),
    _same("joined poolings", OK, pooling="mean+lasttoken"),
    _same("joined poolings of which one is unknown", _INVALID, pooling="mean+median+cls"),
    _same("a pooling joined with nothing", _INVALID, pooling="mean+"),
    _same("a pooling joined with none", _INVALID, pooling="mean+none"),
    _same("feature extraction without a width", _INVALID, task="feature-extraction"),
    _same("fill-mask without a mask", _INVALID, task="fill-mask", mask_id=-1),
    _same("fill-mask by default without a mask", _INVALID, task="fill-mask", mask_id=None),
    _same("no vocabulary", _INVALID, vocab_size=0),
    _same("vocabulary of 2^31", _INVALID, vocab_size=2**31),
    _same("length of 2^20 + 1", _INVALID, max_length=2**20 + 1),
    _same("length of 2^31", _INVALID, max_length=2**31),
    _same("length of 2^62", _INVALID, max_length=2**62),
    _same("largest length", OK, max_length=2**20),
    _same("batch of 2^31", _INVALID, max_batch=2**31),
    _same("id of 2^31", _INVALID, vocab_size=2**31 - 1, pad_id=2**31),
    _same("width of 2^40", _INVALID, embedding_size=2**40),
    _same("negative width", _INVALID, embedding_size=-1),
    _same("a word of 65 kB", _INVALID, source="x" * 65537),
    _same("a long word", OK, source="x" * 65536),
    _same("negative vocabulary", _INVALID, vocab_size=-5),
    _same("id above the vocabulary", _INVALID, pad_id=32),
    _same("id below -1", _INVALID, sep_id=-2),
    _same("length one", _INVALID, max_length=1),
    _same("negative batch", _INVALID, max_batch=-1),
    _same("batch without inputs", _INVALID, batch_inputs=""),
    _same("inputs without batch", _INVALID, max_batch=0),
    _same("no inputs", _INVALID, inputs=""),
    _same("mask first", _INVALID, inputs="attention_mask\ninput_ids"),
    _same("no outputs", _INVALID, outputs=""),
    _same("prompts without names", _INVALID, prompts="query: "),
    _same("default prompt without a name", _INVALID, default_prompt="query"),
    _same("two prompts", OK, prompt_names="query\npassage", prompts="query: \npassage: ", default_prompt="query"),
    _same("escaped prompt", OK, prompt_names="a\\nb", prompts="line\\\\\\n", default_prompt="a\nb"),
    # What only a runtime can judge:
    ContractCase("input that nobody feeds", {"inputs": "input_ids\npixel_values"}, _INVALID, OK),
    ContractCase("another backend", {"backends": "VulkanBackend"}, "LINNET_BACKEND_MISSING", OK),
    ContractCase("another operator", {"operators": "aten::nothing.out"}, "LINNET_OPERATOR_MISSING", OK),
    *_field_cases(),
)
