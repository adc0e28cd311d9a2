"""Many texts with one engine in one process: ``python -m benchmarks.peers.encode_child JOB.json RESULT.json``.

Tokenizing is included for both engines; for ONNX Runtime the ``tokenizers`` package does it, which uses all CPUs.
The embeddings are written to an ``.npz`` file, float32 [texts, width] under the name "embeddings".
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.peers.child import peak_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["EncodeJob", "EncodeSaid", "main"]

Vectors = npt.NDArray[np.float32]
_WARMUP_TEXTS = 40


@dataclasses.dataclass(frozen=True, kw_only=True)
class EncodeJob:
    """Job of a child process.

    Attributes:
        engine: "linnet" or "onnxruntime".
        file: file that it loads.
        tokenizer: tokenizer.json, for ONNX Runtime.
        threads: number of threads of one session.
        sessions: number of sessions that run at the same time.
        batch: maximum number of texts of one run, for ONNX Runtime.
        texts: JSON file with a list of texts.
        most_tokens: maximum number of tokens of a text; longer ones are truncated.
        outputs: ``.npz`` file to write.
    """

    engine: str
    file: str
    tokenizer: str
    threads: int
    sessions: int
    batch: int
    texts: str
    most_tokens: int
    outputs: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class EncodeSaid:
    """Result of a child process.

    Attributes:
        elapsed_ns: time for the whole list.
        peak_memory: peak resident bytes at the end.
    """

    elapsed_ns: int
    peak_memory: int


def _linnet(job: EncodeJob) -> Callable[[list[str]], Vectors]:
    import linnet

    model = linnet.load(job.file, threads=job.threads, sessions=job.sessions)
    return lambda texts: model.encode(texts)


def _onnxruntime(job: EncodeJob) -> Callable[[list[str]], Vectors]:
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = job.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # without spinning: two sessions that spin while idle would take CPU time from each other
    if job.sessions > 1:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    sessions = [
        onnxruntime.InferenceSession(job.file, options, providers=["CPUExecutionProvider"]) for _ in range(job.sessions)
    ]
    tokenizer = Tokenizer.from_file(job.tokenizer)
    tokenizer.no_padding()
    tokenizer.enable_truncation(job.most_tokens)
    pool = ThreadPoolExecutor(job.sessions)

    def encode(texts: list[str]) -> Vectors:
        encoded = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
        order = sorted(range(len(texts)), key=lambda index: len(encoded[index]), reverse=True)
        waiting = [order[start : start + job.batch] for start in range(0, len(order), job.batch)][::-1]
        vectors: list[Any] = [None] * len(texts)

        def work(session: Any) -> None:
            while True:
                try:
                    group = waiting.pop()
                except IndexError:
                    return
                for index, row in zip(group, _run(session, [encoded[index] for index in group]), strict=True):
                    vectors[index] = row

        for done in [pool.submit(work, session) for session in sessions]:
            done.result()
        return np.stack(vectors)

    return encode


def _run(session: Any, group: Sequence[Sequence[int]]) -> Vectors:
    ids = np.zeros((len(group), max(map(len, group))), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, tokens in enumerate(group):
        ids[row, : len(tokens)] = tokens
        mask[row, : len(tokens)] = 1
    feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    output: Vectors = session.run(None, feed)[0]
    return output


def main(arguments: list[str]) -> int:
    """Read a job from a file, run it and write the result to another file."""
    job_file, result_file = map(Path, arguments)
    job = EncodeJob(**json.loads(job_file.read_text(encoding="utf-8")))
    texts: list[str] = json.loads(Path(job.texts).read_text(encoding="utf-8"))
    encode = {"linnet": _linnet, "onnxruntime": _onnxruntime}[job.engine](job)
    encode(texts[:_WARMUP_TEXTS])
    start = time.perf_counter_ns()
    vectors = encode(texts)
    elapsed = time.perf_counter_ns() - start
    np.savez(job.outputs, embeddings=vectors)
    said = EncodeSaid(elapsed_ns=elapsed, peak_memory=peak_memory())
    result_file.write_text(json.dumps(dataclasses.asdict(said)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
