"""Writes cases.tsv: what every reader of linnet's files must agree on, from `tokenizers` and transformers.

    python -m tests.conformance.make_cases

Expected values come from outside: tokens and offsets from `tokenizers`, answers from transformers 5's pipelines over an
eager seeded model whose logits stand beside them, answers to questions as transformers 4 gave them
(tests/linnet/tasks/golden/question_answering.json), verdicts from the table of
tests/support/mutations.py.

README.md beside this file describes the format.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
import transformers

from linnet.errors import LinnetError
from linnet.format.manifest import Manifest, RawValue
from linnet_export.tokenizer import tables_blob
from tests.conformance.make_generation import (
    completion_records,
    conversation_records,
    sentencepiece_bpe,
    stream_records,
    word_level,
)
from tests.conformance.make_masks import mask_records as masking_records
from tests.conformance.make_records import Record, escape, field_record, numbers, output_records
from tests.conformance.reader import CASES, VERSION
from tests.support.pipeline_oracle import TEXTS, hf_model, hf_tokenizer
from tests.support.sdk_fakes import make_manifest
from tests.support.tokenizers import deberta_v2_tokenizer, modernbert_tokenizer, roberta_tokenizer

__all__ = ["all_records", "main"]


TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "x-ray-y")
ODD_TEXTS = [
    "",
    " ",
    "é𝄞 the cat",
    "a\tb\nc",
    "the\u0000cat",
    "[MASK] [CLS] x",
    "İstanbul ΟΔΟΣ ß",
    "👩‍👩‍👧 sat",
    "漢字 the",
    "dog's house!",
]
LONG = " ".join(TEXTS)


# -- manifests -------------------------------------------------------------------------------------


def manifest_records(fields: dict[str, RawValue]) -> list[Record]:
    """Fields of a manifest, then ``manifest``."""
    return [("clear",), *(field_record(name, value) for name, value in fields.items()), ("manifest",)]


def task_records(task: str, **changes: Any) -> list[Record]:
    """The manifest that the next cases are about."""
    return manifest_records(make_manifest(task, **changes).to_raw())


def verdict_records() -> list[Record]:
    """Manifests that are refused, and one that is not."""
    from tests.support.mutations import CONTRACT_CASES

    good = make_manifest("text-classification", labels=("on", "off", "other")).to_raw()
    records = [*manifest_records(good), ("verdict", "LINNET_OK", "intact")]
    for case in CONTRACT_CASES:
        fields = {name: value for name, value in (good | dict(case.changes)).items() if value is not None}
        # the others are of backends and operators, which a manifest does not show, or of one reader alone
        if case.load == case.manifest == _verdict(fields):
            changes = [
                ("drop", name) if value is None else field_record(name, value) for name, value in case.changes.items()
            ]
            records += [*changes, ("verdict", case.load, case.name)]
    return records


def _verdict(fields: dict[str, RawValue]) -> str:
    try:
        Manifest.from_raw(fields)
    except LinnetError as error:
        return error.status_name
    return "LINNET_OK"


# -- tokens ----------------------------------------------------------------------------------------


def in_units(text: str, place: int) -> tuple[int, int]:
    """A place in code points as UTF-8 bytes and UTF-16 units."""
    before = text[:place]
    return len(before.encode()), len(before.encode("utf-16-le")) // 2


def token_records(
    text: str, pair: str | None, *, max_length: int, strategy: str, stride: int, backend: Any = None
) -> list[Record]:
    """What `tokenizers` gives for a text, with the offsets in three units."""
    tokenizer = tokenizers.Tokenizer.from_str((backend or hf_tokenizer().backend_tokenizer).to_str())
    tokenizer.no_padding()
    windows = strategy == "only_second" and stride >= 0
    tokenizer.enable_truncation(max_length, stride=max(stride, 0), strategy=strategy)
    first = tokenizer.encode(text, pair)
    records: list[Record] = [("tokenize", text, pair, max_length, strategy, stride)]
    for window in [first, *first.overflowing] if windows else [first]:
        cut = bool(first.overflowing) and not windows
        sequences = [-1 if sequence is None else sequence for sequence in window.sequence_ids]
        spans = [
            [
                (0, 0, 0) if sequence < 0 else (place, *in_units(pair or "" if sequence else text, place))
                for place in both
            ]
            for sequence, both in zip(sequences, window.offsets, strict=True)
        ]
        columns = [[place[unit] for both in spans for place in both] for unit in range(3)]
        lists = [window.ids, window.type_ids, sequences, *columns]
        records.append(("window", int(cut), *map(numbers, lists)))
    return records


def table_records() -> list[Record]:
    """The kind "tables": byte-level BPE as RoBERTa and ModernBERT have it, Unigram as DeBERTa-v3 has it, the BPE with
    bytes for unknown characters of SentencePiece, whole words.

    Other Unigram tokenizers have a character map of SentencePiece, which is not ours to publish.
    """
    records: list[Record] = []
    bpe = {"vocab_size": 320, "pad_id": 1, "unk_id": -1, "cls_id": 0, "sep_id": 2, "mask_id": 4}
    unigram = {"vocab_size": 320, "pad_id": 0, "unk_id": 3, "cls_id": 1, "sep_id": 2, "mask_id": 319}
    for maker, ids in ((roberta_tokenizer, bpe), (modernbert_tokenizer, bpe), (deberta_v2_tokenizer, unigram)):
        backend = maker(vocab_size=320).backend_tokenizer
        data = tables_blob(backend)
        records += task_records(
            "text-classification", labels=("on", "off"), tokenizer_kind="tables", tokenizer=data, **ids
        )
        for text in (*TEXTS[:6], *ODD_TEXTS, "I'll pay 12345€ — naïve’s  e\u0301\n\n\tx<mask> </s>y"):
            records += token_records(text, None, max_length=24, strategy="longest_first", stride=-1, backend=backend)
            records += token_records("who?", text, max_length=16, strategy="only_second", stride=4, backend=backend)
        records += stream_records(backend, timed=True)
    for backend in (sentencepiece_bpe(), word_level()):
        fields = {"vocab_size": backend.get_vocab_size(), "pad_id": 0, "unk_id": 0, "cls_id": -1, "sep_id": -1}
        records += task_records(
            "text-classification", labels=("on", "off"), tokenizer_kind="tables", tokenizer=tables_blob(backend),
            mask_id=-1, **fields,
        )  # fmt: skip
        for text in (*TEXTS[:4], *ODD_TEXTS):
            records += token_records(text, None, max_length=24, strategy="longest_first", stride=-1, backend=backend)
        records += stream_records(backend, timed=False)
    records += task_records("text-classification")
    return records + stream_records(hf_tokenizer().backend_tokenizer, timed=False)


# -- answers ---------------------------------------------------------------------------------------


def logits_of(model: Any, text: str, pair: str | None = None) -> list[Any]:
    """The eager model's first output for what the pipeline's tokenizer gives."""
    import torch

    encoded = hf_tokenizer()(text, pair, return_tensors="pt", truncation=True, max_length=24)
    with torch.inference_mode():
        return [model(**encoded)[0][0].numpy()]


def classification_records() -> list[Record]:
    model = hf_model("text-classification", num_labels=3)
    pipe = transformers.pipeline("text-classification", model=model, tokenizer=hf_tokenizer())
    records = task_records("text-classification")
    for text, pair in [*((text, None) for text in TEXTS), ("the cat", "a dog"), (LONG, None)]:
        for function in ("softmax", "sigmoid", "none"):
            given = text if pair is None else {"text": text, "text_pair": pair}
            answers = pipe(given, top_k=None, function_to_apply=function, truncation=True, max_length=24)
            records += output_records(logits_of(model, text, pair))
            records.append(("classify", text, pair, 0, function))
            records += [("class", answer["label"], answer["score"]) for answer in answers]
    return records


def entity_records() -> list[Record]:
    model = hf_model("token-classification", names=TAGS)
    pipe = transformers.pipeline("token-classification", model=model, tokenizer=hf_tokenizer())
    records = task_records("token-classification", labels=TAGS)
    for text in [*TEXTS, *[odd for odd in ODD_TEXTS if odd.strip() and "\0" not in odd], LONG]:
        for strategy in ("none", "simple", "first", "average", "max"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answers = pipe(text, aggregation_strategy=strategy)
            records += output_records(logits_of(model, text))
            records.append(("entities", text, strategy, "O"))
            records += [_entity(text, answer) for answer in answers]
    return records


def _entity(text: str, found: dict[str, Any]) -> Record:
    label = found["entity"] if "entity" in found else found["entity_group"]
    start, end = found["start"], found["end"]
    (start8, start16), (end8, end16) = in_units(text, start), in_units(text, end)
    return ("entity", label, float(found["score"]), found["word"], start, end, start8, end8, start16, end16)


def mask_records() -> list[Record]:
    model = hf_model("fill-mask")
    pipe = transformers.pipeline("fill-mask", model=model, tokenizer=hf_tokenizer())
    records = task_records("fill-mask")
    for text in (
        "the [MASK] sat on the mat.",
        "Ada wrote [MASK] in London, didn ' t she?",
        "the [MASK] of [MASK] is [MASK]!",
    ):
        for targets in (None, ["cat", "dog", "river"]):
            answers: Any = pipe(text, top_k=3) if targets is None else pipe(text, top_k=2, targets=targets)
            records += output_records(logits_of(model, text))
            records.append(
                ("fill_mask", text, 3 if targets is None else 2, None if targets is None else " ".join(targets))
            )
            groups: list[Any] = answers if isinstance(answers[0], list) else [answers]
            for mask, group in enumerate(groups):
                records += [
                    (
                        "proposal",
                        mask,
                        proposal["token"],
                        float(proposal["score"]),
                        proposal["token_str"],
                        proposal["sequence"],
                    )
                    for proposal in group
                ]
    return records


def question_records() -> list[Record]:
    path = Path(__file__).parents[1] / "linnet" / "tasks" / "golden" / "question_answering.json"
    records = task_records("question-answering", max_length=64)
    for case in json.loads(path.read_text(encoding="utf-8"))["cases"][::2]:
        options = case["options"]
        for window in case["windows"]:
            records += output_records([np.array(window[name], dtype=np.float32) for name in ("start", "end")])
        names = ("top_k", "max_answer_len", "max_seq_len", "doc_stride", "handle_impossible_answer", "align_to_words")
        defaults = (1, 15, 0, -1, False, True)
        given = [int(options.get(name, default)) for name, default in zip(names, defaults, strict=True)]
        records.append(("answer", case["question"], case["context"], *given))
        answers = case["answer"] if isinstance(case["answer"], list) else [case["answer"]]
        for answer in answers:
            (_, start16), (_, end16) = (in_units(case["context"], answer[name]) for name in ("start", "end"))
            records.append(("span", answer["score"], answer["start"], answer["end"], start16, end16, answer["answer"]))
    return records


def ranking_records() -> list[Record]:
    """CrossEncoder's score is the sigmoid of one logit; torch computes it here."""
    import torch

    records = task_records("text-ranking", score_function="sigmoid")
    for logit in (-3.5, 0.0, 0.25, 12.0):
        records.append(("output", "1 1", numbers([logit])))
        records.append(("score", "where is it", "the cat sat", float(torch.sigmoid(torch.tensor(logit)))))
    return records


def embedding_records() -> list[Record]:
    """torch.nn.functional.normalize is the oracle of ``normalize``."""
    import torch

    records = task_records("feature-extraction", prompt_names=("query",), prompts=("the ",))
    vectors = np.random.default_rng(3).standard_normal((3, 8)).astype(np.float32)
    for vector in (*vectors, np.zeros(8, np.float32)):
        unit = torch.nn.functional.normalize(torch.tensor(vector), dim=0).numpy()
        for normalize, expected in ((0, vector), (1, unit)):
            records.append(("output", "1 8", numbers(vector)))
            records.append(("embed", "cat", normalize, numbers(expected)))
    return records


def prompt_records() -> list[Record]:
    """The prompt is left out of the pooling: as many tokens as `tokenizers` gives for it, less the [SEP] at its end."""
    tokenizer = tokenizers.Tokenizer.from_str(hf_tokenizer().backend_tokenizer.to_str())
    tokenizer.no_padding()
    tokenizer.enable_truncation(24)
    records: list[Record] = []
    # an ordinary one, one whose last token goes with the text, an empty one, one that fills every text
    for prompt in ("the ", "the do", "", LONG):
        records += task_records(
            "feature-extraction",
            inputs=("input_ids", "pooling_mask"),
            prompt_names=("query", "document"),
            prompts=(prompt, ""),
            default_prompt="query",
        )
        count = len(tokenizer.encode(prompt).ids) - 1 if prompt else 0
        for text in ("g", "", LONG):
            ids = tokenizer.encode(prompt + text).ids
            records.append(("input", numbers(ids)))
            records.append(("input", numbers([int(place >= count) for place in range(len(ids))])))
            records.append(("output", "1 8", numbers([1.0] * 8)))
            records.append(("embed", text, 0, numbers([1.0] * 8)))
    return records


def all_records() -> list[Record]:
    """Every record, in the order of the file."""
    records: list[Record] = [("version", VERSION), *verdict_records(), *task_records("text-classification")]
    for text in [*TEXTS, *ODD_TEXTS, LONG]:
        records += token_records(text, None, max_length=24, strategy="longest_first", stride=-1)
        records += token_records(text, "what 👩 is it?", max_length=24, strategy="longest_first", stride=-1)
    for stride in (-1, 0, 3):
        records += token_records("what is it?", LONG + " 👩 é", max_length=20, strategy="only_second", stride=stride)
    for make in (
        classification_records,
        entity_records,
        mask_records,
        question_records,
        ranking_records,
        embedding_records,
        prompt_records,
        table_records,
        conversation_records,
        completion_records,
        masking_records,
    ):
        records += make()
    return records


def main() -> None:
    """Write the file."""
    head = f"# linnet conformance cases; tokenizers {tokenizers.__version__}, transformers {transformers.__version__}"
    made = f"{head}, question-answering by transformers 4.57.6; made by python -m tests.conformance.make_cases"
    lines = [made, *("\t".join(map(escape, record)) for record in all_records())]
    CASES.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
