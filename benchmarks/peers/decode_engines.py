"""Decoders of other engines: each loads a file, continues token ids greedily, and tells how long each token took.

A class imports its library when it loads, so that a process contains only the engine it measures. Every engine takes
the likeliest token by itself, end tokens included, so that all generate as many.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np

__all__ = ["CLOCKS", "CONTEXT", "Clock", "Continued", "Decoder", "open_decoder"]

Clock: TypeAlias = Callable[[], int]

CLOCKS: Mapping[str, Clock] = {"wall": time.perf_counter_ns, "cpu": time.process_time_ns}
"""Clocks in nanoseconds; the second counts the CPU time of all threads of the process."""

CONTEXT = 2048
"""Tokens that every engine makes room for."""


class Continued(NamedTuple):
    """A continued prompt.

    Attributes:
        first_ns: time from the ids of the prompt to its first token.
        token_ns: time of each further token.
        ids: the tokens.
    """

    first_ns: int
    token_ns: list[int]
    ids: list[int]


class Decoder(Protocol):
    """A loaded decoder."""

    def continue_(self, prompt: Sequence[int], tokens: int) -> Continued:
        """Forget everything, run the prompt, and continue it by ``tokens`` tokens."""


def _stepwise(
    clock: Clock, run: Callable[[Sequence[int]], object], choose: Callable[[], int], prompt: Sequence[int], tokens: int
) -> Continued:
    """Time an engine that runs tokens and then tells the likeliest next one."""
    start = clock()
    run(prompt)
    ids = [choose()]
    first = clock()
    times: list[int] = []
    now = first
    while len(ids) < tokens:
        run(ids[-1:])
        ids.append(choose())
        then, now = now, clock()
        times.append(now - then)
    return Continued(first - start, times, ids)


class Linnet:
    """linnet, through the Python layer that applications use."""

    def __init__(self, path: Path, threads: int, clock: Clock) -> None:
        import linnet

        self._clock = clock
        self._model = linnet.load(path, threads=threads, self_test=False)
        self._text = self._model.new_text()

    def continue_(self, prompt: Sequence[int], tokens: int) -> Continued:
        text = self._text
        text.rewind(0)
        return _stepwise(self._clock, text.append, lambda: text.sample(log_probability=False)[0], prompt, tokens)


class LlamaCpp:
    """llama.cpp through its Python package, compiled here; a file in its format GGUF."""

    def __init__(self, path: Path, threads: int, clock: Clock) -> None:
        import llama_cpp  # type: ignore[import-not-found]

        self._clock = clock
        self._library = llama_cpp
        self._llama = llama_cpp.Llama(
            str(path), n_ctx=CONTEXT, n_threads=threads, n_threads_batch=threads, verbose=False
        )

    def continue_(self, prompt: Sequence[int], tokens: int) -> Continued:
        self._llama.reset()
        return _stepwise(self._clock, self._llama.eval, self._choose, prompt, tokens)

    def _choose(self) -> int:
        logits = self._library.llama_get_logits_ith(self._llama.ctx, -1)
        return int(np.ctypeslib.as_array(logits, (self._llama.n_vocab(),)).argmax())


class OnnxRuntimeGenAi:
    """ONNX Runtime GenAI with its CPU provider; a folder of its model builder."""

    def __init__(self, path: Path, threads: int, clock: Clock) -> None:
        import onnxruntime_genai  # type: ignore[import-not-found]

        self._clock = clock
        self._library = onnxruntime_genai
        config = onnxruntime_genai.Config(str(path))
        options = {"intra_op_num_threads": threads, "inter_op_num_threads": 1}
        config.overlay(json.dumps({"model": {"decoder": {"session_options": options}}}))
        self._model = onnxruntime_genai.Model(config)

    def continue_(self, prompt: Sequence[int], tokens: int) -> Continued:
        params = self._library.GeneratorParams(self._model)
        end = len(prompt) + tokens
        params.set_search_options(max_length=end, min_length=end, do_sample=False)
        generator = self._library.Generator(self._model, params)
        start = self._clock()
        generator.append_tokens(np.array(prompt, dtype=np.int32))
        generator.generate_next_token()
        first = now = self._clock()
        times: list[int] = []
        for _ in range(tokens - 1):
            generator.generate_next_token()
            then, now = now, self._clock()
            times.append(now - then)
        ids = [int(token) for token in generator.get_sequence(0)[len(prompt) :]]
        return Continued(first - start, times, ids)


class OpenVinoGenAi:
    """OpenVINO GenAI on the CPU, which reads GGUF itself."""

    def __init__(self, path: Path, threads: int, clock: Clock) -> None:
        import openvino
        import openvino_genai  # type: ignore[import-not-found]

        self._clock = clock
        self._tensor, self._library = openvino.Tensor, openvino_genai
        self._pipeline = openvino_genai.LLMPipeline(str(path), "CPU", INFERENCE_NUM_THREADS=threads)

    def continue_(self, prompt: Sequence[int], tokens: int) -> Continued:
        config = self._library.GenerationConfig()
        config.max_new_tokens, config.ignore_eos, config.do_sample = tokens, True, False
        ids = np.array([prompt], dtype=np.int64)
        inputs = self._library.TokenizedInputs(self._tensor(ids), self._tensor(np.ones_like(ids)))
        times: list[int] = []
        streamer = self._streamer(lambda: times.append(self._clock()))
        start = self._clock()
        found = self._pipeline.generate(inputs, config, streamer)
        later = [after - before for before, after in itertools.pairwise(times)]
        return Continued(times[0] - start, later, [int(token) for token in found.tokens[0]])

    def _streamer(self, told: Callable[[], object]) -> object:
        base: Any = self._library.StreamerBase
        running = self._library.StreamingStatus.RUNNING

        class Streamer(base):
            def write(self, _token: object) -> object:
                told()
                return running

            def end(self) -> None:
                """Do nothing: all tokens were told."""

        return Streamer()


class TorchEager:
    """The original model in float32, PyTorch eager with its cache."""

    def __init__(self, path: Path, threads: int, clock: Clock) -> None:
        import torch
        import transformers

        self._clock = clock
        torch.set_num_threads(threads)
        self._torch = torch
        self._model = transformers.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval()
        self._past: Any = None
        self._next = 0

    def continue_(self, prompt: Sequence[int], tokens: int) -> Continued:
        self._past = None
        return _stepwise(self._clock, self._run, lambda: self._next, prompt, tokens)

    def _run(self, ids: Sequence[int]) -> None:
        with self._torch.inference_mode():
            found = self._model(
                self._torch.tensor([list(ids)]), past_key_values=self._past, use_cache=True, logits_to_keep=1
            )
        self._past = found.past_key_values
        self._next = int(found.logits[0, -1].argmax())


_CLASSES: Mapping[str, Callable[[Path, int, Clock], Decoder]] = {
    "linnet": Linnet,
    "llama-cpp": LlamaCpp,
    "onnxruntime-genai": OnnxRuntimeGenAi,
    "openvino-genai": OpenVinoGenAi,
    "torch": TorchEager,
}


def open_decoder(runner: str, path: Path, threads: int, clock: Clock) -> Decoder:
    """Load a file with a class of this module, which times tokens with ``clock``.

    Raises:
        KeyError: unknown name.
    """
    return _CLASSES[runner](path, threads, clock)
