"""Writes golden/question_answering.json with the answers of transformers 4's own pipeline code.

    python -m tests.linnet.tasks.make_question_answering_cases QUESTION_ANSWERING.py

QUESTION_ANSWERING.py is `transformers/pipelines/question_answering.py` of transformers 4.57.6 (its wheel is a
zip file). Only its preprocess and postprocess run, over a `tokenizers` tokenizer and seeded random logits.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import types
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Optional, Union

import numpy as np
import torch
import transformers

from tests.support.sdk_fakes import PIECES

HERE = Path(__file__).parent
VERSION = "4.57.6"
CONTEXTS = (
    "Ada wrote the book in London.",
    "the cat sat on the mat, the dog sat in the house! Microsoft is new.",
    "London is a big city. the river runs through London; LONDON is old. a small red house of Ada in New York "
    "and a blue bridge, old tree in the sun and rain of Paris. Berlin is big and London is new, éclairs.",
)
QUESTIONS = ("who wrote it?", "where is the cat", "what?")
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"top_k": 4},
    {"handle_impossible_answer": True},
    {"handle_impossible_answer": True, "top_k": 3},
    {"max_answer_len": 1, "top_k": 2},
    {"max_seq_len": 20, "doc_stride": 4},
    {"max_seq_len": 18, "doc_stride": 2, "top_k": 5},
    {"align_to_words": False, "top_k": 3},
)


def pipeline_class(source: str) -> Any:
    """Load the class; what this module does not need is cut off or stubbed."""
    module = types.ModuleType("question_answering_v4")
    body = source[source.index("def decode_spans") :]
    body = re.sub(r"@add_end_docstrings\(.*\)\n", "", body)

    class Feature:
        def __init__(self, **fields: Any) -> None:
            self.__dict__.update(fields)

    class Example:
        def __init__(self, qas_id: Any, question_text: str, context_text: str, *rest: Any) -> None:
            self.question_text, self.context_text = question_text, context_text

    module.__dict__.update(
        np=np, torch=torch, inspect=inspect, warnings=warnings, Iterable=Iterable, Optional=Optional, Union=Union,
        types=types, Dataset=None, ArgumentHandler=object, ChunkPipeline=object, PreTrainedTokenizer=object,
        ModelCard=object, SquadExample=Example, SquadFeatures=Feature,
    )  # fmt: skip
    exec(compile("from __future__ import annotations\n" + body, "question_answering_v4", "exec"), module.__dict__)
    return module.QuestionAnsweringPipeline


def main() -> None:
    """Write the file."""
    cls = pipeline_class(Path(sys.argv[1]).read_text(encoding="utf-8"))
    pipe = cls.__new__(cls)
    pipe.framework = "pt"
    pipe.tokenizer = transformers.BertTokenizer(
        vocab={piece: index for index, piece in enumerate(PIECES)}, model_max_length=64
    )
    random = np.random.default_rng(11)
    cases = []
    for context in CONTEXTS:
        for question in QUESTIONS:
            for options in OPTIONS:
                cases.append(case(pipe, question, context, options, random))
    text = json.dumps({"transformers": VERSION, "cases": cases}, ensure_ascii=False, separators=(",", ":"))
    (HERE / "golden" / "question_answering.json").write_text(text + "\n", encoding="utf-8")
    print(len(cases), "cases,", sum(len(recorded["windows"]) > 1 for recorded in cases), "with several windows")


def case(pipe: Any, question: str, context: str, options: dict[str, Any], random: np.random.Generator) -> Any:
    """Run one case."""
    before, _, after = pipe._sanitize_parameters(**options)
    windows, outputs = [], []
    for features in pipe.preprocess({"question": question, "context": context}, **before):
        ids = features["input_ids"][0].tolist()
        start, end = (np.round(random.normal(0, 3, len(ids)), 3).tolist() for _ in range(2))
        windows.append({"ids": ids, "start": start, "end": end})
        outputs.append({"start": torch.tensor([start]), "end": torch.tensor([end]), **features})
    answer = pipe.postprocess(outputs, **after)
    return {"question": question, "context": context, "options": options, "windows": windows, "answer": answer}


if __name__ == "__main__":
    main()
