"""Cost of a tokenizer of kind ``tokenizers``: bytes in the file, time to open, time for a text.

    python -m benchmarks.studies.tokenizer_kinds

For each family its tokenizer of the tests, on the texts of the proof, beside transformers' own call; then
the size and the opening of a vocabulary as large as XLM-R's, made of seeded random pieces.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from linnet.cli.console import Console
from linnet.tokenization.json_bytes import unpack
from linnet.tokenization.tokenizer_json import TokenizerJson
from linnet_export.tokenizer import tokenizer_json_blob
from tests.support.tokenizers import MAKERS, nmt_nfkc_charsmap, training_texts

_ROUNDS = 15
_XLM_R_TOKENS = 250_002


def main() -> None:
    """Measure and print both tables."""
    console = Console()
    rows = [_family(name) for name in sorted(MAKERS)]
    console.heading("one text of the proof, microseconds, median")
    console.table(("family", "linnet", "transformers", "ratio"), rows, right=(1, 2, 3))
    console.heading(f"{_XLM_R_TOKENS} pieces")
    console.fields(_large())


def _family(name: str) -> tuple[str, ...]:
    original = MAKERS[name]()
    device = TokenizerJson(tokenizer_json_blob(original.backend_tokenizer))
    texts = training_texts()
    assert all(device.encode(text)[0].ids.tolist() == original(text)["input_ids"] for text in texts)
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(_ROUNDS):  # in turns, so that a slow moment of the machine affects both
        ours.append(_seconds(lambda: [device.encode(text, max_length=512)[0].ids for text in texts]))
        theirs.append(_seconds(lambda: [original(text, truncation=True, max_length=512) for text in texts]))
    mine, other = (1e6 * statistics.median(times) / len(texts) for times in (ours, theirs))
    return name, f"{mine:.1f}", f"{other:.1f}", f"{other / mine:.2f}"


def _large() -> list[tuple[str, str]]:
    import transformers

    rng = random.Random(1)
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces: dict[str, float] = dict.fromkeys(special, 0.0)
    while len(pieces) < _XLM_R_TOKENS - 1:
        pieces["▁" * rng.randint(0, 1) + "".join(rng.choices("etaoinshrdlu", k=rng.randint(2, 9)))] = -rng.random() * 20
    vocab: Any = [*pieces.items(), ("<mask>", 0.0)]
    original = transformers.XLMRobertaTokenizer(vocab=vocab, _spm_precompiled_charsmap=nmt_nfkc_charsmap())
    data = tokenizer_json_blob(original.backend_tokenizer)
    opening = statistics.median(_seconds(lambda: TokenizerJson(data)) for _ in range(3))
    return [
        ("JSON", f"{len(unpack(data)[0]) / 1e6:.2f} MB"),
        ("in the file", f"{len(data) / 1e6:.2f} MB"),
        ("opening", f"{1e3 * opening:.0f} ms"),
    ]


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
