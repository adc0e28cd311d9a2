"""Writes the first inputs of the fuzzers into tests/fuzz/corpus: small, valid, one of each kind.

python -m tests.fuzz.make_corpus
"""

from __future__ import annotations

from pathlib import Path

from linnet.format.trailer import SIGNATURE_SIZE, build_trailer, with_signature
from tests.support.sdk_fakes import make_manifest
from tests.support.wordpiece import wordpiece_bytes

CORPUS = Path(__file__).parent / "corpus"
TEXTS = (
    b"the cat sat on the mat",
    "漢字 é 👩‍👩‍👧 [MASK] the".encode(),
    b"what is it?the cats",
    b"\xff\xfe the\x00cat",
    b"",
)


def main() -> None:
    """Write every input."""
    program = b"\x1c\x00\x00\x00ET12" + b"schema_version" + bytes(64)
    write("trailer", [program, program + build_trailer(program, [(0, 40), (48, 16)], {"status": "unproven"})])
    evidence = {"status": "unproven"}
    whole = program + build_trailer(program, [(0, 40), (48, 16)], evidence)
    write("signature", [whole, with_signature(whole, lambda _: bytes(range(SIGNATURE_SIZE)), "input")])
    pieces = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "##s", "é")
    write("tokenizer", [wordpiece_bytes(pieces), wordpiece_bytes(pieces, prefix="", lowercase=False)])
    write("manifest", [manifest_lines(task) for task in ("text-classification", "fill-mask", "question-answering")])
    write("text", [bytes([task, 7, 3, 120]) + text for task in range(6) for text in TEXTS])


def manifest_lines(task: str) -> bytes:
    """Fields as fuzz_manifest.cpp reads them."""
    marks = {int: b"i", bool: b"b", float: b"f", bytes: b"x", str: b"s"}
    fields = make_manifest(task).to_raw() | {"tokenizer": b"LNWORDPC"}
    lines = [
        marks[type(value)] + name.encode() + b"=" + (value if isinstance(value, bytes) else str(value).encode())
        for name, value in fields.items()
    ]
    return b"\n".join(line.replace(b"\n", b"|") for line in lines)


def write(name: str, inputs: list[bytes]) -> None:
    """Write numbered files."""
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(inputs):
        (folder / f"{number:02}").write_bytes(data)


if __name__ == "__main__":
    main()
