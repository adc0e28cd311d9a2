"""Writes the first inputs of the fuzzers into tests/fuzz/corpus: small, valid, one of each kind.

python -m tests.fuzz.make_corpus
"""

from __future__ import annotations

from pathlib import Path

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)

from linnet.format.trailer import SIGNATURE_SIZE, build_trailer, with_signature
from linnet_export.tokenizer import tables_blob
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
MASKS = (
    "Write to ada@example.org or +49 30 901820; IBAN DE89 3704 0044 0532 0130 00, card 4111-1111-1111-1111",
    "from 2001:db8::192.0.2.1%eth0 and 00:1a:2b:3c:4d:5e, born on 12. März 1980, née le 1er mars 1980 1980年3月12日",
    "536-22-8145 AB 12 34 56 C 86 095 742 719 54362315-K RCCMNL83S18D969H 85.07.30-033.28 880320-0016 ٤١١١",
    '"Ada L."@[IPv6:::1] [EMAIL_1] [[TEXT_2] [A_ \U0001f469 用户@例子.广告',
)
CONSTRAINTS = (
    (0, r"[a-z]+( \d{2,4})*|(?:é|\u4e2d)?[^\s\W]"),
    (3, r"(?P<x>a?){9}b.{0,5}$"),
    (1, '{"type":"object","properties":{"a":{"type":"string","maxLength":3},"b":{"type":"number"}},"required":["a"]}'),
    (4, '{"anyOf":[{"type":"array","items":{"$ref":"#/$defs/x"},"minItems":1},{"enum":["é\\n",null,1.5]}],'
        '"$defs":{"x":{"type":["integer","boolean"]}}}'),
    (1, '{"type":"string","pattern":"^[a-f]{2}\\\\d$"}'),
    (1, '{"type":"object","properties":{"next":{"$ref":"#"}}}'),
    (1, '{"oneOf":[{"type":"string"},{"type":"object","additionalProperties":true}]}'),
    (2, "yes\0no\0perhaps"),
)  # fmt: skip
"""A kind and tokenizer of fuzz_constraint.cpp, and a constraint."""


def main() -> None:
    """Write every input."""
    program = b"\x1c\x00\x00\x00ET12" + b"schema_version" + bytes(64)
    write("trailer", [program, program + build_trailer(program, [(0, 40), (48, 16)], {"status": "unproven"})])
    evidence = {"status": "unproven"}
    whole = program + build_trailer(program, [(0, 40), (48, 16)], evidence)
    write("signature", [whole, with_signature(whole, lambda _: bytes(range(SIGNATURE_SIZE)), "input")])
    pieces = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "##s", "é")
    wordpiece = [wordpiece_bytes(pieces), wordpiece_bytes(pieces, prefix="", lowercase=False)]
    write("tokenizer", [*wordpiece, *map(tables_blob, table_tokenizers())])
    write("tables", [bytes([kind, 7, 3]) + text for kind in range(3) for text in TEXTS])
    write("manifest", [manifest_lines(task) for task in ("text-classification", "fill-mask", "question-answering")])
    write("constraint", [bytes([kind, 9]) + text.encode() for kind, text in CONSTRAINTS])
    write("text", [bytes([task, 7, 3, 120]) + text for task in range(6) for text in TEXTS])
    write("mask", [bytes([mode, 90, 0, 9, 0, 0]) + text.encode() for mode in (1, 4, 2, 11) for text in MASKS])


def table_tokenizers() -> list[Tokenizer]:
    """Tokenizers of kind "tables" of few kilobytes: byte-level BPE, BPE with every other setting, words."""
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    vocab = {token: position for position, token in enumerate(["<s>", "</s>", *sorted(alphabet), "th", "the", "Ġc"])}
    byte_level = Tokenizer(models.BPE(vocab, [("t", "h"), ("th", "e"), ("Ġ", "c")]))
    byte_level.normalizer = normalizers.NFC()
    split = pre_tokenizers.Split(Regex(r"\p{N}{1,3}"), "isolated")
    byte_level.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel()])
    byte_level.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0))
    byte_level.decoder = decoders.ByteLevel()
    byte_level.add_special_tokens([AddedToken("[MASK]", lstrip=True), "<s>"])
    characters = [*"▁abcdehmnorst", "<unk>", "▁t", "he", *(f"<0x{byte:02X}>" for byte in range(256))]
    bpe = Tokenizer(
        models.BPE(
            {token: position for position, token in enumerate(characters)},
            [("▁", "t"), ("h", "e")],
            unk_token="<unk>",
            byte_fallback=True,
            fuse_unk=True,
        )
    )
    bpe.normalizer = normalizers.Sequence(
        [
            normalizers.Nmt(),
            normalizers.NFKC(),
            normalizers.Strip(),
            normalizers.Prepend("▁"),
            normalizers.Replace(" ", "▁"),
        ]
    )
    bpe.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    bpe.add_tokens([AddedToken("the cat", single_word=True, normalized=True), AddedToken("x", rstrip=True)])
    words = Tokenizer(models.WordLevel({"<unk>": 0, "the": 1, "cat": 2, "é": 3}, unk_token="<unk>"))
    words.normalizer = normalizers.BertNormalizer()
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.decoder = decoders.WordPiece()
    return [byte_level, bpe, words]


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
