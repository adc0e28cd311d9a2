"""Segments of chat templates against transformers' rendering of the templates."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import tokenizers
import transformers

from linnet_export.generation.chat_template import UnknownTemplateError, derive_template
from tests.support.decoder_file import CHATML

TURNS = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}"
    "<start_of_turn>{{ 'model' if message['role'] == 'assistant' else message['role'] }}\n"
    "{{ message['content'] | trim }}<end_of_turn>\n{% endfor %}"
    "{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}"
)
"""Turns without a system message, whose contents are trimmed."""

HEADERS = (
    "{{ bos_token }}{% for message in messages %}"
    "<|header|>{{ message['role'] }}<|end|>\n\n{{ message['content'] }}<|eot|>{% endfor %}"
    "{% if add_generation_prompt %}<|header|>assistant<|end|>\n\n{% endif %}"
)
DATED = "{{ strftime_now('%Y') }}" + HEADERS
SHOUTED = HEADERS.replace("message['content']", "message['content'] | upper")
COUNTED = HEADERS.replace("<|eot|>", "<|eot {{ loop.index }}|>")
CONVERSATIONS: tuple[Sequence[tuple[str, str]], ...] = (
    (("user", "Hi"),),
    (("user", " a\n"), ("assistant", " b "), ("user", "c {% raw %}")),
    (("system", "s"), ("user", "u"), ("assistant", ""), ("user", "ü 👋")),
)


def _tokenizer(template: str) -> transformers.PreTrainedTokenizerFast:
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer(tokenizers.models.BPE()), bos_token="<bos>"
    )
    tokenizer.chat_template = template
    return tokenizer


@pytest.mark.parametrize("template", [CHATML, HEADERS, TURNS], ids=["chatml", "headers", "turns"])
@pytest.mark.parametrize("generation", [False, True])
def test_segments_render_what_the_template_renders(template: str, generation: bool) -> None:
    tokenizer = _tokenizer(template)
    segments = derive_template(tokenizer)
    for conversation in CONVERSATIONS:
        if conversation[0][0] == "system" and not segments.has_system:
            continue
        listed = [{"role": role, "content": content} for role, content in conversation]
        expected = tokenizer.apply_chat_template(listed, tokenize=False, add_generation_prompt=generation)
        assert segments.render(conversation, generation=generation) == expected


def test_what_a_template_has_is_found() -> None:
    chatml, turns = derive_template(_tokenizer(CHATML)), derive_template(_tokenizer(TURNS))
    assert chatml.has_system
    assert not turns.has_system
    assert (chatml.trim, turns.trim) == ("", "both")
    assert chatml.head == "<|im_start|>system\nBe kind.<|im_end|>\n"
    assert turns.generation == "<start_of_turn>model\n"


@pytest.mark.parametrize("template", [SHOUTED, COUNTED], ids=["shouted", "counted"])
def test_a_template_that_does_more_is_refused(template: str) -> None:
    with pytest.raises(UnknownTemplateError):
        derive_template(_tokenizer(template))


def test_a_template_that_raises_is_refused_with_its_words() -> None:
    with pytest.raises(UnknownTemplateError, match="not today"):
        derive_template(_tokenizer("{{ raise_exception('not today') }}"))
