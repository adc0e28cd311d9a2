"""Trailer of a linnet file: binary layout, writer and reader.

A linnet file is an ExecuTorch program, untouched, followed by::

    evidence    UTF-8 JSON, `evidence_size` bytes, at most 16 MiB
    ranges      `range_count` times (u64 offset, u64 size), at most 65536 times: the bytes of the program that are
                parsed, as opposed to weights (header and program section first, then delegate sections)
    signature   nothing, or 64 bytes: Ed25519 over b"linnet file signature 2\\n", bytes 16 to 40 of the footer, the
                SHA-256 of the ranges, and the SHA-256 of every byte before the signature, bytes 0 to 80 and bytes
                112 to 128 of the footer (in version 1.1 with a 1, and without the bytes of the footer)
    footer      128 bytes, little-endian:
        0   8 bytes   b"LNTRAILR"
        8   u16       major version, 1
        10  u16       minor version, 0; 2 if there is a signature; 3 if byte 112 is not zero
        12  u32       size of the footer, 128
        16  u64       program_size: bytes before the trailer
        24  u64       evidence_size
        32  u64       range_count
        40  u64       signature_size: 0, or 64 from version 1.1 on
        48  32 bytes  SHA-256 of the ranges, in their order, one after the other
        80  32 bytes  SHA-256 of every byte of the file before this field
        112 8 bytes   zero up to version 1.2; in 1.3 u64 fewest bits of rounded activations that are proven, below 8
        120 8 bytes   b"LNTREND\\n"

ExecuTorch ignores bytes after a program, so any stock runtime can run the file. `linnet_model_open` checks the
first hash, `linnet verify` checks both.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import mmap
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from linnet.errors import (
    FileDamagedError,
    FileTruncatedError,
    NotALinnetFileError,
    NotAProgramError,
    TrailerDamagedError,
)
from linnet.format.bounded_json import MOST_BYTES
from linnet.format.evidence import parse_evidence
from linnet.format.footer import FILE_HASH_AT, FOOTER_SIZE

__all__ = [
    "FOOTER_SIZE",
    "SIGNATURE_SIZE",
    "TRAILER_MAJOR",
    "TRAILER_MINOR",
    "Trailer",
    "build_trailer",
    "has_own_hash",
    "read_trailer",
    "split_signature",
    "with_signature",
]

MAGIC = b"LNTRAILR"
END_MAGIC = b"LNTREND\n"
TRAILER_MAJOR = 1
TRAILER_MINOR = 0  # without a signature
_SIGNED_MINOR = 2  # a signature covers the footer too
_BITS_MINOR = 3
_FEWER_BITS = 7  # of rounded activations, the only number below 8
_ZERO_AT = 112
_FOOTER = struct.Struct("<8sHHIQQQQ32s32s8s8s")
_RANGE = struct.Struct("<QQ")
_HEADER = struct.Struct("<4sIQQQ")  # at byte 8
_HEADER_SIZE = 40
SIGNATURE_SIZE = 64
SIGNED_DOMAINS = (b"linnet file signature 1\n", b"linnet file signature 2\n")
"""First bytes of a signed message: of version 1.1, and from 1.2 on."""

_MOST_RANGES = 1 << 16
_MANIFEST_MARK = b"schema_version"  # name of the first constant method of the manifest

assert _FOOTER.size == FOOTER_SIZE


@dataclasses.dataclass(frozen=True)
class Trailer:
    """Contents of a trailer.

    Attributes:
        program_size: size of the ExecuTorch program in bytes.
        evidence: the evidence as parsed JSON.
        ranges: (offset, size) in bytes of the parts of the program that the first hash covers.
        ranges_sha256: SHA-256 of these ranges, 32 bytes.
        file_sha256: SHA-256 of every byte before this field, 32 bytes.
        version: (major, minor) of the trailer.
    """

    program_size: int
    evidence: Mapping[str, Any]
    ranges: tuple[tuple[int, int], ...]
    ranges_sha256: bytes
    file_sha256: bytes
    version: tuple[int, int]


def build_trailer(program: bytes | mmap.mmap, ranges: Sequence[tuple[int, int]], evidence: Mapping[str, Any]) -> bytes:
    """Return the trailer of a program, which is to be appended to it.

    Args:
        program: the finished ExecuTorch program.
        ranges: (offset, size) in bytes of header plus program section, then of the delegate sections.
        evidence: an object that JSON can represent, without NaN.

    Raises:
        ValueError: a range is outside of the program, or the first range does not start at 0.
    """
    if not ranges or ranges[0][0] != 0:
        raise ValueError("the first range is header and program section and starts at 0")
    hashed = hashlib.sha256()
    for offset, size in ranges:
        if offset < 0 or size <= 0 or offset + size > len(program):
            raise ValueError(f"range {offset}+{size} lies outside of a program of {len(program)} bytes")
        hashed.update(program[offset : offset + size])
    payload = json.dumps(evidence, ensure_ascii=False, allow_nan=False, sort_keys=True).encode()
    body = payload + b"".join(_RANGE.pack(offset, size) for offset, size in ranges)
    bits = _FEWER_BITS if evidence.get("activation_bits") == _FEWER_BITS else 0
    footer = _FOOTER.pack(
        MAGIC,
        TRAILER_MAJOR,
        _BITS_MINOR if bits else TRAILER_MINOR,
        FOOTER_SIZE,
        len(program),
        len(payload),
        len(ranges),
        0,
        hashed.digest(),
        bytes(32),
        struct.pack("<Q", bits),
        END_MAGIC,
    )
    whole = hashlib.sha256(program)
    whole.update(body + footer[:FILE_HASH_AT])
    return body + footer[:FILE_HASH_AT] + whole.digest() + footer[FILE_HASH_AT + 32 :]


def read_trailer(path: str | Path) -> Trailer:
    """Read the trailer of a file and check its sizes, but not its hashes.

    Raises:
        OSError: the file cannot be opened.
        NotAProgramError: the file is not an ExecuTorch program.
        NotALinnetFileError: the file is an ExecuTorch program without a linnet manifest.
        FileTruncatedError: the end of the file is missing.
        TrailerDamagedError: the fields of the footer contradict each other or the file.
    """
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        if size < 8:
            raise NotAProgramError(f"{path}: {size} bytes, too short for an ExecuTorch program")
        file.seek(0)
        head = file.read(64)
        file.seek(max(0, size - FOOTER_SIZE))
        tail = file.read(FOOTER_SIZE)
        if head[4:6] != b"ET":
            raise NotAProgramError(f"{path}: starts with {head[:8]!r}, an ExecuTorch program has ET12 at byte 4")
        if len(tail) < FOOTER_SIZE or tail[-8:] != END_MAGIC:
            file.seek(0)
            _refuse_without_trailer(path, file.read(1 << 20), size)
        fields = _check_footer(path, tail, size)
        program_size, evidence_size, range_count = fields[4:7]
        file.seek(program_size)
        payload = file.read(evidence_size)
        table = file.read(range_count * _RANGE.size)
    evidence = parse_evidence(payload, str(path))
    ranges = tuple(_RANGE.iter_unpack(table))
    return Trailer(program_size, evidence, ranges, fields[8], fields[9], (fields[1], fields[2]))


def split_signature(data: bytes, name: str) -> tuple[bytes, bytes]:
    """Return the message that a signature of the file signs, and the signature of the file (empty if unsigned).

    Args:
        data: the whole file.
        name: its name for error messages.

    Raises:
        TrailerDamagedError: the fields of the footer contradict each other or the file.
    """
    body, signature, footer = _parts(data, name)
    return _signed_message(body, footer), signature


def with_signature(data: bytes, sign: Callable[[bytes], bytes], name: str) -> bytes:
    """Return a whole file with a signature, which replaces an earlier one.

    Args:
        data: the whole file.
        sign: returns the signature of a message, :data:`SIGNATURE_SIZE` bytes.
        name: name of the file for error messages.

    Raises:
        FileDamagedError: the file is damaged, which a signature would hide.
        TrailerDamagedError: the fields of the footer contradict each other or the file.
    """
    if not has_own_hash(data):
        raise FileDamagedError(
            f"{name}: the file differs from its SHA-256; copy or export it again before it is signed"
        )
    body, _, footer = _parts(data, name)
    minor = max(_SIGNED_MINOR, *struct.unpack_from("<H", footer, 10))
    head = footer[:10] + struct.pack("<H", minor) + footer[12:40] + struct.pack("<Q", SIGNATURE_SIZE) + footer[48:80]
    end = footer[_ZERO_AT:]
    before = body + sign(_signed_message(body, head + bytes(32) + end)) + head
    return before + hashlib.sha256(before).digest() + end


def has_own_hash(data: bytes) -> bool:
    """Return whether a whole file has the SHA-256 that its footer stores."""
    covered = len(data) - FOOTER_SIZE + FILE_HASH_AT
    return hashlib.sha256(memoryview(data)[:covered]).digest() == data[covered : covered + 32]


def _signed_message(body: bytes, footer: bytes) -> bytes:
    """Return what a signature signs: 112 bytes."""
    covers_footer = struct.unpack_from("<H", footer, 10)[0] >= _SIGNED_MINOR
    hashed = hashlib.sha256(body)
    if covers_footer:
        hashed.update(footer[:FILE_HASH_AT] + footer[_ZERO_AT:])
    return SIGNED_DOMAINS[covers_footer] + footer[16:40] + footer[48:80] + hashed.digest()


def _parts(data: bytes, name: str) -> tuple[bytes, bytes, bytes]:
    """Split a whole file into the bytes before the signature, the signature, and the footer."""
    if data[4:6] != b"ET":
        raise NotAProgramError(f"{name}: starts with {data[:8]!r}, an ExecuTorch program has ET12 at byte 4")
    footer = data[-FOOTER_SIZE:]
    if len(data) < FOOTER_SIZE or footer[-8:] != END_MAGIC:
        _refuse_without_trailer(name, data[: 1 << 20], len(data))
    signature_size = _check_footer(name, footer, len(data))[7]
    end = len(data) - FOOTER_SIZE - signature_size
    return data[:end], data[end : len(data) - FOOTER_SIZE], footer


def _refuse_without_trailer(path: str | Path, start: bytes, size: int) -> None:
    least = _least_size(start)
    if size < least:
        raise FileTruncatedError(
            f"{path}: has {size} bytes, its own header needs {least}: the download or the copy was cut off; "
            "fetch it again"
        )
    if _MANIFEST_MARK in start:
        raise FileTruncatedError(
            f"{path}: the trailer is missing although the program has linnet's manifest: "
            "the end of the file is cut off; copy or export it again"
        )
    raise NotALinnetFileError(
        f"{path}: an ExecuTorch program without linnet's manifest; "
        "make one with `linnet export`, or run it with executorch.runtime"
    )


def _least_size(start: bytes) -> int:
    """Return the size of a program by its extended header (ExecuTorch, extended_header.h), 0 without one."""
    if len(start) < _HEADER_SIZE:
        return _HEADER_SIZE
    magic, length, program_size, segments_at, segments_size = _HEADER.unpack_from(start, 8)
    if magic != b"eh00":
        return 0
    return max(int(program_size), int(segments_at) + (int(segments_size) if length >= _HEADER.size else 0))


def _check_footer(path: str | Path, footer: bytes, size: int) -> tuple[Any, ...]:
    fields = _FOOTER.unpack(footer)
    magic, major, minor, footer_size, program_size, evidence_size, range_count, signature_size = fields[:8]
    problems: list[str] = []
    if magic != MAGIC:
        problems.append(f"starts with {magic!r}, expected {MAGIC!r}")
    if major != TRAILER_MAJOR:
        problems.append(f"has version {major}, this linnet reads {TRAILER_MAJOR}.x")
    if footer_size != FOOTER_SIZE:
        problems.append(f"says {footer_size} bytes, expected {FOOTER_SIZE}")
    total = program_size + evidence_size + range_count * _RANGE.size + signature_size + FOOTER_SIZE
    if total != size:
        problems.append(f"adds up to {total} bytes, the file has {size}")
    allowed = (0, _FEWER_BITS) if minor == _BITS_MINOR else (0,)
    if minor <= _BITS_MINOR and int.from_bytes(footer[_ZERO_AT:-8], "little") not in allowed:
        problems.append("has other bytes behind its hashes than its version knows")
    if minor == TRAILER_MINOR and signature_size:
        problems.append("has a signature, which version 1.0 does not know")
    if range_count > _MOST_RANGES:
        problems.append(f"has {range_count} ranges, expected at most {_MOST_RANGES}")
    if evidence_size > MOST_BYTES:
        problems.append(f"has {evidence_size} bytes of evidence, expected at most {MOST_BYTES}")
    if problems:
        raise TrailerDamagedError(f"{path}: the trailer " + "; ".join(problems))
    return fields
