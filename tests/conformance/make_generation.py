"""Conformance cases of text generation: streams of text, prompts of conversations, completions over recorded logits.

Texts and pieces come from `tokenizers`, prompts from transformers' Jinja templates, tokens from transformers' logits
processors (sampling_oracle.py). The logits are seeded numbers, not those of a model, so that each machine has the same.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tokenizers
import transformers
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, trainers
from tokenizers.decoders import DecodeStream

from linnet_export.tokenizer import tables_blob
from tests.conformance.make_records import Record, numbers
from tests.conformance.sampling_oracle import Settings, choose
from tests.support.decoder_file import CHATML
from tests.support.sdk_fakes import make_manifest
from tests.support.tokenizers import training_texts

__all__ = ["completion_records", "conversation_records", "sentencepiece_bpe", "stream_records", "word_level"]

_NO_IDS = {"pad_id": 0, "unk_id": -1, "cls_id": -1, "sep_id": -1, "mask_id": -1}
_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_END = 2
_CONTEXT = 64
_TEXTS = (
    "the cat sat on the mat.",
    "naïve 👩‍👩‍👧 漢字 e\u0301  two",
    "I'll pay 12345€ — x\n\n\ty",
    " didn ' t , it ? ",
    "",
)
_CONSTRAINTS: tuple[tuple[str, tuple[str, ...], list[str]], ...] = (
    ("choices", ("no", "no \u6f22"), ["no", "no \u6f22"]),
    ("regex", ("(ab|a\u00e9)c?",), ["ab", "abc", "a\u00e9", "a\u00e9c"]),
    ("json_schema", ('{"enum":["a",12,null]}',), ['"a"', "12", "null"]),
)
"""Kind, texts, and all texts that fulfil it."""
_RECOMMENDED = Settings(temperature=0.8, top_k=50, top_p=0.95)


def manifest_records(fields: Mapping[str, Any]) -> list[Record]:
    """Return the manifest that the next cases are about."""
    from tests.conformance import make_cases

    return make_cases.manifest_records(make_manifest(**fields).to_raw())


# -- tokenizers ------------------------------------------------------------------------------------


@functools.cache
def sentencepiece_bpe() -> Any:
    """BPE over characters with bytes for what it does not know, and the decoder of Llama 2 and Gemma."""
    backend = tokenizers.Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    letters = Counter("".join(training_texts()).replace(" ", "▁"))
    common = sorted(sorted(letters), key=letters.__getitem__)[-60:]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=common, limit_alphabet=len(common), show_progress=False
    )
    backend.train_from_iterator(training_texts(), trainer)
    return backend


@functools.cache
def word_level() -> Any:
    """Whole words, split at spaces."""
    words = ["[UNK]", *dict.fromkeys(" ".join(_TEXTS[:4]).split()[::2])]
    backend = tokenizers.Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return backend


@functools.cache
def _decoder_tokenizer() -> Any:
    """Byte-level BPE of a decoder with the tokens of ChatML."""
    backend = tokenizers.Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())  # as a set it has another order in each process
    trainer = trainers.BpeTrainer(
        vocab_size=266, special_tokens=list(_SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(training_texts(), trainer)
    backend.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in _SPECIAL])
    return backend


# -- streams ---------------------------------------------------------------------------------------


def stream_records(backend: Any, *, timed: bool) -> list[Record]:
    """Return ids of texts, and any tokens, as pieces of text by the tokenizer of the manifest before.

    Args:
        backend: the same of `tokenizers`.
        timed: its stream gives each piece when it is certain; others wait longer, or give what could still change.
    """
    records = [
        _stream_record(backend, backend.encode(text).ids, skip, timed=timed) for text in _TEXTS for skip in (0, 1)
    ]
    rng = np.random.default_rng(len(records))
    for count in (1, 7, 30):
        any_ids = [int(token) for token in rng.integers(0, backend.get_vocab_size(), count)]
        records.append(_stream_record(backend, any_ids, 1, timed=False))
    return records


def _stream_record(backend: Any, ids: Sequence[int], skip: int, *, timed: bool) -> Record:
    """Return the text of the ids, and if ``timed``, how many bytes of it come with each token, then at the end."""
    text = backend.decode(ids, skip_special_tokens=bool(skip))
    if not timed:
        return ("stream", skip, numbers(ids), text, None)
    stream = DecodeStream(skip_special_tokens=bool(skip))
    pieces = [(stream.step(backend, token) or "").encode() for token in ids]
    rest = len(text.encode()) - sum(map(len, pieces))
    return ("stream", skip, numbers(ids), text, numbers([*map(len, pieces), rest]))


# -- conversations ---------------------------------------------------------------------------------


def _decoder_fields(**changes: Any) -> dict[str, Any]:
    """Fields of a decoder with the segments of ChatML, written by hand."""
    backend = _decoder_tokenizer()
    end = "<|im_end|>\n"
    chat = {
        "chat_head": f"<|im_start|>system\nBe kind.{end}",
        "chat_has_system": True,
        "chat_head_system": "<|im_start|>system\n",
        "chat_system_end": end,
        "chat_user_start": "<|im_start|>user\n",
        "chat_user_end": end,
        "chat_assistant_start": "<|im_start|>assistant\n",
        "chat_assistant_end": end,
        "chat_generation": "<|im_start|>assistant\n",
    }
    return {
        "task": "text-generation",
        "tokenizer_kind": "tables",
        "tokenizer": tables_blob(backend),
        "vocab_size": backend.get_vocab_size(),
        **_NO_IDS,
        "inputs": ("input_ids", "cache_position"),
        "max_length": _CONTEXT,
        "chunk_length": _CONTEXT,
        "end_ids": (str(_END),),
        "temperature": 0.0,
        **chat,
        **changes,
    }


@functools.cache
def _template() -> Any:
    made: Any = transformers.PreTrainedTokenizerFast(tokenizer_object=_decoder_tokenizer())  # type: ignore[no-untyped-call]
    made.chat_template = CHATML
    return made


def _rendered(messages: Iterable[tuple[str, str]], generation: int) -> str:
    conversation = [{"role": role, "content": content} for role, content in messages]
    text = _template().apply_chat_template(conversation, tokenize=False, add_generation_prompt=bool(generation))
    return str(text)


def conversation_records() -> list[Record]:
    """Prompts of conversations, as Jinja renders their template."""
    records = manifest_records(_decoder_fields())
    conversations: list[list[tuple[str, str]]] = [
        [("user", "Why do birds sing?")],
        [("system", ""), ("user", " two\n")],
        [("user", "naïve 漢字"), ("assistant", "e\u0301"), ("user", "")],
        [("system", "Sing."), ("user", "a"), ("assistant", "<|im_end|>"), ("user", "b")],
    ]
    for messages in conversations:
        for generation in (0, 1):
            cells = [cell for message in messages for cell in message]
            records.append(("chat", generation, _rendered(messages, generation), *cells))
    return records


# -- completions -----------------------------------------------------------------------------------


def completion_records() -> list[Record]:
    """Completions, greedy and seeded, over recorded logits."""
    records = manifest_records(_decoder_fields())
    emoji = "naïve 👩‍👧 漢字"
    records += _completion("a bird", wanted=emoji, end=True, most=50)
    records += _completion("a bird", wanted=emoji, end=True, most=50, stop="漢")
    records += _completion("a bird", wanted=emoji, most=9)  # ends within a character
    records += _completion("Hi", wanted="I sing.", end=True, most=20, chat=True)
    records += _completion("a bird " * 10, most=100)  # the context ends it
    records += _completion("a bird", most=0)
    records += _completion("the cat", most=10, repetition_penalty=1.8, presence_penalty=0.5, frequency_penalty=0.25)
    sampled: list[dict[str, Any]] = [
        {"temperature": 1.0, "seed": 0},
        {"temperature": 0.7, "top_k": 5, "seed": 1},
        {"temperature": 1.5, "top_p": 0.5, "seed": (1 << 64) - 1},
        {"temperature": 2.0, "min_p": 0.25, "seed": 1 << 63},
        {"temperature": 1.0, "repetition_penalty": 1.5, "frequency_penalty": 0.5, "seed": 12345678901234567890},
    ]
    for settings in sampled:
        records += _completion("the cat", most=8, **settings)
    warm: list[dict[str, Any]] = [{}, {"temperature": 40.0, "seed": 3}]
    for kind, texts, language in _CONSTRAINTS:
        for settings in warm:
            records += _completion("the cat", most=40, constraint=(kind, *texts), language=language, **settings)
    recommended = {name: getattr(_RECOMMENDED, name) for name in ("temperature", "top_k", "top_p")}
    records += manifest_records(_decoder_fields(**recommended))
    records += _completion("the cat", most=8, file=_RECOMMENDED, seed=77)
    return records


def _chosen(
    logits: npt.NDArray[np.float32],
    history: Sequence[int],
    prompt_tokens: int,
    settings: Settings,
    language: Sequence[str],
) -> tuple[int, float]:
    """Return the next token among those that lead to a text of the language, and its log probability among all."""
    if not language:
        return choose(logits, history, prompt_tokens, settings)
    masked = np.full_like(logits, -np.inf)
    allowed = sorted(_allowed(history[prompt_tokens:], language))
    masked[allowed] = logits[allowed]
    token, _ = choose(masked, history, prompt_tokens, settings)
    wide = logits.astype(np.float64)
    return token, float(wide[token] - wide.max() - np.log(np.exp(wide - wide.max()).sum()))


def _allowed(ids: Sequence[int], language: Sequence[str]) -> set[int]:
    """Return the tokens behind which a text of the language begins with all bytes so far, by trying each."""
    texts = [text.encode() for text in language]
    said = b"".join(_token_bytes()[token] for token in ids)
    allowed = {token for token, piece in _token_bytes().items() if any(text.startswith(said + piece) for text in texts)}
    return allowed | ({_END} if said in texts else set())


@functools.cache
def _token_bytes() -> dict[int, bytes]:
    """Return the bytes of each token that is not special, by the characters that GPT-2 writes for bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    byte_of = {chr(byte): byte for byte in plain}
    byte_of |= {chr(256 + at): byte for at, byte in enumerate(sorted(set(range(256)) - set(plain)))}
    backend = _decoder_tokenizer()
    tokens = {number: backend.id_to_token(number) for number in range(len(_SPECIAL), backend.get_vocab_size())}
    return {number: bytes(byte_of[character] for character in token) for number, token in tokens.items()}


def _completion(
    prompt: str,
    *,
    most: int,
    wanted: str = "",
    end: bool = False,
    stop: str | None = None,
    chat: bool = False,
    file: Settings | None = None,
    constraint: Sequence[str] = (),
    language: Sequence[str] = (),
    **given: Any,
) -> list[Record]:
    """Return the recorded calls of the program, the case, and the completion.

    Args:
        prompt: a text, or the message of a user.
        most: most tokens to generate.
        wanted: a text whose tokens the logits prefer; then any.
        end: the logits prefer the end token behind it.
        stop: a stop string.
        chat: the prompt is a message.
        file: what the file recommends; None: greedy.
        constraint: its kind and texts.
        language: all texts that fulfil it.
        given: settings of the sampling that the caller gives.
    """
    backend = _decoder_tokenizer()
    settings = Settings(**{**(vars(file) if file else {}), **given})
    text = _rendered([("user", prompt)], 1) if chat else prompt
    history = [int(token) for token in backend.encode(text, add_special_tokens=False).ids]
    prompt_tokens = len(history)
    preferred = [*backend.encode(wanted, add_special_tokens=False).ids, *([_END] if end else [])]
    rng = np.random.default_rng([prompt_tokens, most, len(wanted), *prompt.encode()])
    outputs: list[Record] = []
    ids: list[int] = []
    logarithms: list[float] = []
    reason = "length"
    for number in range(most):
        size = backend.get_vocab_size()
        if number < len(preferred):
            logits = np.zeros(size)
            logits[preferred[number]] = 20.0
        elif language:
            logits = rng.permutation(size).astype(np.float64)  # whole numbers, which take less room in the file
        else:
            logits = np.round(rng.permutation(size) * 0.04, 2)  # no two are equal, which each sorts in its own way
        outputs.append(("output", f"1 {logits.size}", numbers(logits)))
        token, logarithm = _chosen(logits.astype(np.float32), history, prompt_tokens, settings, language)
        if token == _END:
            reason = "stop"
            break
        ids.append(token)
        logarithms.append(logarithm)
        history.append(token)
        if (stop is not None and stop in backend.decode(ids)) or (language and _allowed(ids, language) == {_END}):
            reason = "stop"
        elif len(history) >= _CONTEXT:
            reason = "context"
        if reason != "length":
            break
    said = backend.decode(ids)
    said = said.partition(stop)[0] if stop is not None else said
    ran = history if reason == "stop" and len(outputs) > len(ids) else history[: max(len(history) - 1, prompt_tokens)]
    names = ("temperature", "top_k", "top_p", "min_p", "repetition_penalty")
    cells = [given.get(name) for name in names]
    penalties = [settings.presence_penalty, settings.frequency_penalty]
    return [
        ("input", numbers(ran)),
        *(outputs or [("output", "1 1", "0")]),
        ("generate", prompt, int(chat), most, *cells, *penalties, given.get("seed"), stop, *constraint),
        ("completion", reason, prompt_tokens, numbers(ids), numbers(logarithms), said),
    ]
