"""Task text-generation: a decoder that continues a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from linnet_export.graph.heads.base import HeadSettings
from linnet_export.tasks.base import CSample, Outputs, SampleValues, Task

if TYPE_CHECKING:
    from torch import nn

    from linnet_export.graph.architectures.base import Architecture

__all__ = ["TextGeneration"]


class TextGeneration(Task):
    """Logits of the next token [tokens, vocabulary]."""

    name = "text-generation"
    auto_class = "AutoModelForCausalLM"
    architecture_suffixes = ("ForCausalLM", "LMHeadModel")
    generates = True

    def head(self, model: Any, architecture: Architecture, settings: HeadSettings) -> nn.Module:
        """Refuse: the head is a part of the decoder's body (:mod:`linnet_export.graph.decoders`)."""
        raise NotImplementedError

    def score_function(self, config: Any, settings: dict[str, Any]) -> str:
        """Return none: tokens are sampled from the logits."""
        return "none"

    def answers(self, outputs: Outputs, answerable: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
        """Return the likeliest next token behind each token."""
        return np.atleast_1d(outputs["logits"].argmax(axis=-1))

    def sample_text(self, mask: str) -> str:
        """Return the beginning of a sentence."""
        return "A linnet is a small bird that"

    def kotlin_sample(self, values: SampleValues) -> str:
        """Join the pieces of a continuation."""
        options = f"GenerationOptions(maxNewTokens = {_SAMPLE_TOKENS})"
        joined = 'use { it.asSequence().joinToString("") { piece -> piece.text } }'
        return f"model.stream({values.text}, {options}).{joined}"

    def swift_sample(self, values: SampleValues) -> str:
        """Return a continuation as a stream of tokens."""
        return f"model.stream({values.text}, options: GenerationOptions(maxNewTokens: {_SAMPLE_TOKENS}))"

    def python_sample(self, values: SampleValues) -> str:
        """Print a continuation as it is made."""
        return f"""\
for piece in model.stream({values.text}, max_new_tokens={_SAMPLE_TOKENS}):
        print(piece, end="", flush=True)"""

    def c_sample(self, values: SampleValues) -> CSample:
        """Print a continuation as it is made."""
        return CSample(f"write_text(model, task, text, {_SAMPLE_TOKENS})", functions=_WRITE_TEXT)


_SAMPLE_TOKENS = 60

_WRITE_TEXT = """\
/* Print what is new in the text: whole characters. */
static void show(linnet_text piece) {
  fwrite(piece.bytes, 1, piece.size, stdout);
  fflush(stdout);
}

/* Continue a prompt by at most `most` tokens, chosen as the model's makers recommend. */
static linnet_status write_text(linnet_model* model, const linnet_task* task, linnet_text prompt, size_t most) {
  const linnet_encode_options options = {0, LINNET_TRUNCATE_NEVER, -1, 1};
  const linnet_tokenizer* tokenizer = NULL;
  linnet_encoding* encoding = NULL;
  linnet_encoding_view tokens = {0};
  linnet_generation* state = NULL;
  linnet_text_stream* stream = NULL;
  linnet_sampling sampling;
  linnet_text piece = {NULL, 0};
  linnet_status status = linnet_task_tokenizer(task, &tokenizer);
  if (status == LINNET_OK)
    status = linnet_tokenizer_encode(tokenizer, prompt.bytes, prompt.size, NULL, 0, &options, &encoding);
  if (status == LINNET_OK) status = linnet_encoding_window(encoding, 0, &tokens);
  if (status == LINNET_OK) status = linnet_task_sampling(task, &sampling);
  if (status == LINNET_OK) status = linnet_generation_create(model, 0, &state);
  if (status == LINNET_OK) status = linnet_text_stream_create(tokenizer, 1, &stream);
  if (status == LINNET_OK) status = linnet_generation_append(state, tokens.ids, tokens.length);
  for (size_t i = 0; status == LINNET_OK && i < most && tokens.length + i < linnet_generation_capacity(state); ++i) {
    int64_t id = 0;
    status = linnet_generation_sample(state, &sampling, tokens.length, &id, NULL);
    if (status != LINNET_OK || linnet_task_is_end(task, id)) break;
    status = linnet_text_stream_push(stream, id, &piece);
    if (status == LINNET_OK) show(piece);
    if (status == LINNET_OK && i + 1 < most) status = linnet_generation_append(state, &id, 1);
  }
  if (status == LINNET_OK) status = linnet_text_stream_finish(stream, &piece);
  if (status == LINNET_OK) show(piece);
  linnet_text_stream_free(stream);
  linnet_generation_free(state);
  linnet_encoding_free(encoding);
  return status;
}
"""
