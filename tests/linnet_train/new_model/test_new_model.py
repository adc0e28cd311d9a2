"""New models: a vocabulary that cuts as `tokenizers` does, weights by seed, and an ordinary checkpoint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import transformers

from linnet.cli.main import main
from linnet.errors import InvalidArgumentError
from linnet_export import ExportConfig, export
from linnet_train import NewModelConfig, make_model
from linnet_train.new_model.overrides import read_overrides
from linnet_train.new_model.wordpiece import SPECIAL_TOKENS, train_wordpiece
from tests.support.training import assert_same_weights, easy_rows

TINY = {"hidden_size": "64", "embedding_size": "32", "intra_bottleneck_size": "32", "num_hidden_layers": "2",
        "intermediate_size": "64", "normalization_type": "layer_norm"}  # fmt: skip


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("texts") / "texts.txt"
    path.write_text("".join(f"{row['text']}\n" for row in easy_rows(200)), encoding="utf-8")
    return path


def test_a_vocabulary_holds_frequent_words_and_every_character() -> None:
    tokenizer = train_wordpiece(["Play the música louder"] * 5 + ["quiet"], 60)
    assert tokenizer.convert_ids_to_tokens(list(range(5))) == list(SPECIAL_TOKENS)
    assert tokenizer.tokenize("PLAY the musica") == ["play", "the", "musica"]
    assert tokenizer.unk_token not in tokenizer.tokenize("quiet")
    assert train_wordpiece(["Play"] * 3, 60, lowercase=False).tokenize("Play") == ["Play"]
    with pytest.raises(InvalidArgumentError, match="vocab_size is 10, but the special tokens and the characters"):
        train_wordpiece(["Play the music louder"], 10)


@pytest.mark.parametrize("model_type", ["mobilebert", "bert", "electra", "distilbert"])
def test_a_new_model_is_exported_before_it_is_trained(model_type: str, texts: Path, tmp_path: Path) -> None:
    sizes = {"distilbert": {"dim": "32", "n_heads": "4", "n_layers": "2", "hidden_dim": "64"}, "mobilebert": TINY}
    usual = {"hidden_size": "32", "num_hidden_layers": "2", "num_attention_heads": "4", "intermediate_size": "64"}
    settings = NewModelConfig(model_type=model_type, output=tmp_path / "new", texts=texts, vocab_size=120,
                              overrides=sizes.get(model_type, usual))  # fmt: skip
    made = make_model(settings)
    model = transformers.AutoModelForMaskedLM.from_pretrained(tmp_path / "new")
    assert made.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert model.config.vocab_size == made.vocabulary <= 120
    report = export(ExportConfig(model=str(tmp_path / "new"), output=tmp_path / "new.pte", prove=False, max_length=32))
    assert report.path.is_file()


def test_the_seed_decides_the_weights(texts: Path, tmp_path: Path) -> None:
    made = [make_model(NewModelConfig(model_type="mobilebert", output=tmp_path / name, texts=texts, vocab_size=120,
                                      overrides=TINY)) for name in "ab"]  # fmt: skip
    assert made[0].parameters == made[1].parameters
    assert_same_weights(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a/tokenizer.json").read_bytes() == (tmp_path / "b/tokenizer.json").read_bytes()


def test_everything_wrong_is_said_at_once(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there/config.json").touch()
    with pytest.raises(InvalidArgumentError) as caught:
        NewModelConfig(model_type="gpt2", output=tmp_path / "there", texts=texts, vocab_size=3)
    for part in ("'gpt2', known are mobilebert", "vocab_size is 3", "exists; --force replaces it"):
        assert part in str(caught.value)
    with pytest.raises(InvalidArgumentError, match="mobilebert has no hiden_size"):
        make_model(NewModelConfig(model_type="mobilebert", output=tmp_path / "x", texts=texts,
                                  overrides={"hiden_size": "1"}))  # fmt: skip
    with pytest.raises(InvalidArgumentError, match="of these settings: .*33"):
        make_model(NewModelConfig(model_type="bert", output=tmp_path / "x", texts=texts,
                                  overrides={"hidden_size": "33"}))  # fmt: skip
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("model_type", "name", "value", "message"),
    [
        ("bert", "hidden_size", "wide", "hidden_size is 'wide', expected a whole number"),
        ("bert", "hidden_size", "1.5", "hidden_size is '1.5', expected a whole number"),
        ("bert", "hidden_size", "0", "hidden_size is 0, expected at least 1"),
        ("bert", "num_hidden_layers", "-1", "num_hidden_layers is -1, expected at least 1"),
        ("bert", "num_attention_heads", 0, "num_attention_heads is 0, expected at least 1"),
        ("bert", "chunk_size_feed_forward", "-1", "chunk_size_feed_forward is -1, expected at least 0"),
        ("bert", "hidden_dropout_prob", "1", "hidden_dropout_prob is 1, expected 0 or more and less than 1"),
        ("bert", "layer_norm_eps", "nan", "layer_norm_eps is 'nan', expected a number"),
        ("bert", "initializer_range", "-0.1", "initializer_range is -0.1, expected a number of at least 0"),
        ("bert", "vocab_size", "5", "vocab_size cannot be overridden, --vocab-size sets it"),
        ("bert", "model_type", "gpt2", "model_type cannot be overridden, --model-type sets it"),
        ("bert", "hidden_act", "foo", "hidden_act is 'foo', known are gelu, "),
        ("distilbert", "activation", "foo", "activation is 'foo', known are gelu, "),
        ("mobilebert", "normalization_type", "foo", "normalization_type is 'foo', known are layer_norm, no_norm"),
        ("mobilebert", "use_bottleneck", "yes", "use_bottleneck is 'yes', expected true or false"),
    ],
)
def test_a_field_that_cannot_be_is_named(model_type: str, name: str, value: object, message: str) -> None:
    plain = transformers.AutoConfig.for_model(model_type)
    with pytest.raises(InvalidArgumentError) as caught:
        read_overrides(model_type, plain, {name: value})
    assert str(caught.value).startswith(message)


def test_impossible_fields_are_named_together() -> None:
    plain = transformers.AutoConfig.for_model("bert")
    with pytest.raises(InvalidArgumentError, match="bert has no width; see .*; hidden_size is 0.*; vocab_size cannot"):
        read_overrides("bert", plain, {"hidden_size": "0", "width": "3", "vocab_size": "5"})


def test_fields_get_the_types_of_their_defaults() -> None:
    given = {"hidden_size": "64", "layer_norm_eps": "1", "use_cache": "False", "hidden_act": "relu",
             "classifier_dropout": "0.2", "chunk_size_feed_forward": "0"}  # fmt: skip
    found = read_overrides("bert", transformers.AutoConfig.for_model("bert"), given)
    assert found == {"hidden_size": 64, "layer_norm_eps": 1.0, "use_cache": False, "hidden_act": "relu",
                     "classifier_dropout": 0.2, "chunk_size_feed_forward": 0}  # fmt: skip
    assert type(found["layer_norm_eps"]) is float


def test_force_replaces_checkpoints_and_nothing_else(texts: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/cat.jpg").touch()
    (tmp_path / "file").touch()
    for name in ("photos", "file"):
        with pytest.raises(InvalidArgumentError, match=r"is no checkpoint \(no config.json\).*-o chooses another"):
            NewModelConfig(model_type="bert", output=tmp_path / name, texts=texts, force=True)
    assert (tmp_path / "photos/cat.jpg").is_file()


def test_the_command(texts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overrides = ",".join(f"{name}={value}" for name, value in TINY.items())
    arguments = ["init", "--model-type", "mobilebert", "--texts", str(texts), "-o", str(tmp_path / "new"),
                 "--vocab-size", "120", "--config-overrides", overrides]  # fmt: skip
    assert main([*arguments, "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["model_type"] == "mobilebert"
    assert main(arguments) != 0
    assert "--force replaces it" in capsys.readouterr().err
    assert main([*arguments, "--force"]) == 0
    assert "linnet train" in capsys.readouterr().out
