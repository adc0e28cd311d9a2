"""The writer of tokenizer bytes: what it reads from a checkpoint, and what it refuses by name."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from linnet_export.errors import CheckpointError
from linnet_export.tokenizer import UnsupportedTokenizerError, load_tokenizer, read_tokenizer, wordpiece_blob
from tests.runtime_bindings.text.oracle import small_reference, twins_of
from tests.support.tokenizers import xlm_roberta_tokenizer

TEXTS = ("Crazy Fox </s> née", "NÉE 中文 fox[MASK]", "the <extra> fox", "")


def _changed(change: Callable[[dict[str, Any]], None]) -> Tokenizer:
    state = json.loads(small_reference("née").to_str())
    change(state)
    return Tokenizer.from_str(json.dumps(state))


def test_layout() -> None:
    """The bytes of a tiny tokenizer, written out by hand."""
    reference = Tokenizer(models.WordPiece({"u": 0, "##a": 2}, unk_token="u", max_input_chars_per_word=7))
    reference.normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, lowercase=True)
    reference.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    reference.add_special_tokens([AddedToken("u", normalized=False, lstrip=True)])
    expected = b"LNWORDPC" + struct.pack("<4I", 1, 1 | 4 | 8, 7, 0) + struct.pack("<I", 2) + b"##"
    expected += struct.pack("<6I", 3, 0, 1, 1, 4, 4) + b"u##a"
    expected += struct.pack("<3I", 1, 0, 1 | 4 | 32) + struct.pack("<I", 1) + b"u"
    expected += struct.pack("<4I", 1, 0, 0, 0) + struct.pack("<7I", 2, 0, 0, 0, 1, 1, 0)
    assert wordpiece_blob(reference) == expected


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("normalizer Lowercase", lambda state: state.update(normalizer={"type": "Lowercase"})),
        ("normalizer none", lambda state: state.update(normalizer=None)),
        ("pre_tokenizer Whitespace", lambda state: state.update(pre_tokenizer={"type": "Whitespace"})),
        ("pre_tokenizer none", lambda state: state.update(pre_tokenizer=None)),
        ("unk_token '<unk>'", lambda state: state["model"].update(unk_token="<unk>")),
        ("two tokens with id 5", lambda state: state["model"]["vocab"].update({"again": 5})),
        ("token ids up to 20000000", lambda state: state["model"]["vocab"].update({"far": 20_000_000})),
        (
            "post_processor ByteLevel",
            lambda state: state.update(
                post_processor={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
            ),
        ),
        (
            "template that holds text A 2 times",
            lambda state: state["post_processor"]["single"].append({"Sequence": {"id": "A", "type_id": 0}}),
        ),
        (
            "unused id 5000",
            lambda state: state["post_processor"]["special_tokens"]["[CLS]"].update(ids=[5000]),
        ),
    ],
)
def test_refused_by_name(name: str, change: Callable[[dict[str, Any]], None]) -> None:
    with pytest.raises(UnsupportedTokenizerError, match=name) as caught:
        wordpiece_blob(_changed(change))
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, CheckpointError)


def test_other_models_are_refused_by_name() -> None:
    bpe = Tokenizer(models.BPE())
    with pytest.raises(UnsupportedTokenizerError, match="model BPE"):
        wordpiece_blob(bpe)


def test_added_tokens_that_could_overlap_are_refused() -> None:
    reference = small_reference()
    reference.add_tokens([AddedToken(" x", normalized=False), AddedToken("</s>", normalized=False, rstrip=True)])
    with pytest.raises(UnsupportedTokenizerError, match="begins with white space"):
        wordpiece_blob(reference)


def test_an_added_token_without_text_is_refused() -> None:
    reference = small_reference()
    reference.add_tokens([AddedToken("\u200b", normalized=True)])
    with pytest.raises(UnsupportedTokenizerError, match="empty when normalized"):
        wordpiece_blob(reference)


def test_added_tokens_that_become_equal_are_refused() -> None:
    reference = small_reference()
    reference.add_tokens([AddedToken("Fox", normalized=True), AddedToken("fox", normalized=True)])
    with pytest.raises(UnsupportedTokenizerError, match="'Fox' and 'fox', equal when normalized"):
        wordpiece_blob(reference)


def test_encode_special_tokens_is_refused() -> None:
    reference = small_reference()
    reference.encode_special_tokens = True
    with pytest.raises(UnsupportedTokenizerError, match="encode_special_tokens"):
        wordpiece_blob(reference)


def test_truncation_and_padding_are_ignored() -> None:
    reference = small_reference()
    before = wordpiece_blob(reference)
    reference.enable_truncation(5)
    reference.enable_padding(length=9)
    assert wordpiece_blob(reference) == before


def test_bert_processing_is_a_template() -> None:
    reference = small_reference("née")
    reference.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    twins = twins_of(reference)
    for text in TEXTS:
        assert twins.agree(text, "fox")
        assert twins.agree(text)
        assert twins.agree(text, "fox", add_special_tokens=False)


def test_special_tokens_of_several_ids_and_a_reversed_pair() -> None:
    reference = small_reference("née")
    reference.post_processor = processors.TemplateProcessing(
        single="[CLS]:4 $A:2",
        pair="$B:3 two:1 $A:5",
        special_tokens=[("[CLS]", 2), {"id": "two", "ids": [3, 4], "tokens": ["[SEP]", "[MASK]"]}],
    )
    twins = twins_of(reference)
    for text in TEXTS:
        assert twins.agree(text)
        assert twins.agree(text, "fox")
        assert twins.agree(text, "fox", add_special_tokens=False)


def test_no_post_processor() -> None:
    reference = small_reference("née")
    state = json.loads(reference.to_str()) | {"post_processor": None}
    twins = twins_of(Tokenizer.from_str(json.dumps(state)))
    assert all(twins.agree(text) and twins.agree(text, "fox") for text in TEXTS)


# -- checkpoint directories -----------------------------------------------------------------------


def _vocabulary(directory: Path) -> None:
    vocab = small_reference("née", "fox", "the").get_vocab(with_added_tokens=False)
    lines = [token for token, _ in sorted(vocab.items(), key=lambda item: item[1])]
    (directory / "vocab.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _settings(directory: Path, **settings: object) -> None:
    (directory / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")


def _reference(directory: Path) -> Tokenizer:
    from transformers import BertTokenizer

    backend = BertTokenizer.from_pretrained(str(directory)).backend_tokenizer
    assert isinstance(backend, Tokenizer)
    return backend


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"do_lower_case": False},
        {"do_lower_case": False, "strip_accents": True},
        {"strip_accents": False, "tokenize_chinese_chars": False},
        {"tokenizer_class": "BertTokenizer", "do_lower_case": False},
        {"tokenizer_class": "BertTokenizer", "mask_token": "<extra>"},
        {
            "added_tokens_decoder": {
                "61": {
                    "content": "<extra>", "single_word": True, "lstrip": True, "rstrip": False,
                    "normalized": True, "special": False,
                }
            }
        },
    ],
)  # fmt: skip
def test_a_directory_with_vocab_txt(tmp_path: Path, settings: dict[str, object]) -> None:
    _vocabulary(tmp_path)
    _settings(tmp_path, **settings)
    loaded = load_tokenizer(tmp_path)
    expected = _reference(tmp_path)
    twins = twins_of(loaded)
    for text in TEXTS:
        assert loaded.encode(text).ids == expected.encode(text).ids
        assert twins.agree(text, "the fox")


def test_vocab_txt_alone(tmp_path: Path) -> None:
    _vocabulary(tmp_path)
    assert load_tokenizer(tmp_path).encode("THE fox").tokens == ["[CLS]", "the", "fox", "[SEP]"]


def test_special_tokens_map(tmp_path: Path) -> None:
    _vocabulary(tmp_path)
    (tmp_path / "special_tokens_map.json").write_text('{"additional_special_tokens": ["<extra>"]}', encoding="utf-8")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    assert "<extra>" in load_tokenizer(tmp_path).encode("the <extra> fox").tokens


def test_tokenizer_json_alone(tmp_path: Path) -> None:
    reference = small_reference("née", do_lower_case=False)
    reference.decoder = decoders.WordPiece()
    reference.enable_truncation(3)
    reference.save(str(tmp_path / "tokenizer.json"))
    assert wordpiece_blob(load_tokenizer(tmp_path)) == wordpiece_blob(reference)


def test_tokenizer_config_wins_over_tokenizer_json(tmp_path: Path) -> None:
    """As in `transformers`, whose answers the device must give."""
    small_reference("née", do_lower_case=True).save(str(tmp_path / "tokenizer.json"))
    _settings(tmp_path, tokenizer_class="BertTokenizer", do_lower_case=False)
    assert load_tokenizer(tmp_path).encode("NÉE").tokens == _reference(tmp_path).encode("NÉE").tokens
    assert load_tokenizer(tmp_path).encode("NÉE").tokens == ["[CLS]", "[UNK]", "[SEP]"]


def test_tokenizer_json_beside_settings_without_class(tmp_path: Path) -> None:
    small_reference("née").save(str(tmp_path / "tokenizer.json"))
    _settings(tmp_path, model_max_length=512)
    assert wordpiece_blob(load_tokenizer(tmp_path)) == wordpiece_blob(small_reference("née"))


def test_another_tokenizer_under_the_name_of_bert_is_refused(tmp_path: Path) -> None:
    """`transformers` would take the vocabulary out of it and build a WordPiece."""
    vocabulary = {token: index for index, token in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"))}
    Tokenizer(models.BPE(vocab=vocabulary, merges=[])).save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    with pytest.raises(UnsupportedTokenizerError, match="model BPE in tokenizer.json"):
        load_tokenizer(tmp_path)


def test_tokenizer_json_of_another_form_that_gives_the_same_tokens(tmp_path: Path) -> None:
    """As multilingual-e5-small has it: its normalizer merges spaces, as the pre-tokenizer of XLM-R's class does."""
    built = xlm_roberta_tokenizer()
    built.save_pretrained(tmp_path)
    saved = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    saved.normalizer = normalizers.Sequence([saved.normalizer, normalizers.Replace(Regex(" {2,}"), " ")])
    saved.pre_tokenizer = pre_tokenizers.Metaspace()
    saved.save(str(tmp_path / "tokenizer.json"))
    loaded = read_tokenizer(tmp_path)
    assert "normalizer Sequence as Precompiled" in loaded.notes[0]
    original = transformers.AutoTokenizer.from_pretrained(tmp_path)
    for text in ("Turn  the volume UP", " light   and music ", "ﬁne"):
        assert loaded.backend.encode(text).ids == original(text).input_ids


@pytest.mark.parametrize("part", [normalizers.Lowercase(), normalizers.StripAccents(), normalizers.Replace("1", "2")])
def test_a_normalizer_that_transformers_leaves_out_is_refused(tmp_path: Path, part: normalizers.Normalizer) -> None:
    xlm_roberta_tokenizer().save_pretrained(tmp_path)
    saved = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    saved.normalizer = normalizers.Sequence([normalizers.NFKD(), part, saved.normalizer])
    saved.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(UnsupportedTokenizerError, match="normalizer Sequence.*builds Precompiled"):
        read_tokenizer(tmp_path)


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text('{"version": "1.0"}', encoding="utf-8")
    with pytest.raises(UnsupportedTokenizerError, match="cannot be read"):
        load_tokenizer(tmp_path)
    _settings(tmp_path, tokenizer_class="BertTokenizer")
    with pytest.raises(UnsupportedTokenizerError, match="cannot be read"):
        load_tokenizer(tmp_path)


def test_a_directory_without_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedTokenizerError, match=r"expected tokenizer\.json or vocab\.txt"):
        load_tokenizer(tmp_path)
