"""Opening and running a file: answers, inputs, life of the objects."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnet import errors
from linnet_runtime import Model, Tokenizer, runtime_info

Arrays = dict[str, Any]


@pytest.fixture
def model(toy: Path) -> Model:
    return Model(str(toy))


def inputs(tokens: int, fill: int = 1) -> list[Any]:
    return [np.full((1, tokens), fill, np.int64), np.zeros((1, tokens), np.int64)]


@pytest.mark.parametrize("length", [1, 2, 7, 24])
def test_forward_answers_as_eager_pytorch_does(model: Model, expected: Arrays, length: int) -> None:
    outputs = model.run("forward", [expected[f"ids_{length}"], expected[f"types_{length}"]])
    assert len(outputs) == 1
    assert outputs[0].dtype == np.float32
    np.testing.assert_allclose(outputs[0], expected[f"logits_{length}"], atol=1e-5)


def test_forward_batch_answers_as_eager_pytorch_does(model: Model, expected: Arrays) -> None:
    assert model.methods == ["forward", "forward_batch"]
    names = ("batch_ids", "batch_types", "batch_mask")
    (logits,) = model.run("forward_batch", [expected[name] for name in names])
    np.testing.assert_allclose(logits, expected["batch_logits"], atol=1e-5)


def test_lengths_can_follow_each_other_in_any_order(model: Model, expected: Arrays) -> None:
    for length in (24, 1, 7, 2, 24, 7):
        (logits,) = model.run("forward", [expected[f"ids_{length}"], expected[f"types_{length}"]])
        np.testing.assert_allclose(logits, expected[f"logits_{length}"], atol=1e-5)


def test_bytes_answer_like_the_path(toy: Path, expected: Arrays) -> None:
    data = bytearray(toy.read_bytes())
    model = Model(bytes(data))
    data[:] = bytes(len(data))
    (logits,) = model.run("forward", [expected["ids_7"], expected["types_7"]])
    np.testing.assert_allclose(logits, expected["logits_7"], atol=1e-5)


def test_a_path_object_is_a_path(toy: Path) -> None:
    assert Model(toy).methods  # type: ignore[arg-type]


def test_replacing_a_file_that_is_in_use_is_safe(toy: Path, expected: Arrays, tmp_path: Path) -> None:
    used, fresh = tmp_path / "used.pte", tmp_path / "fresh.pte"
    used.write_bytes(toy.read_bytes())
    model = Model(str(used))
    fresh.write_bytes(b"something else" * 1000)
    fresh.replace(used)
    (logits,) = model.run("forward", [expected["ids_7"], expected["types_7"]])
    np.testing.assert_allclose(logits, expected["logits_7"], atol=1e-5)
    with pytest.raises(errors.NotAProgramError):
        Model(str(used))


def test_outputs_are_fresh_and_inputs_stay_untouched(model: Model) -> None:
    given = inputs(5, 7)
    (first,) = model.run("forward", given)
    kept = first.copy()
    first[:] = 99
    (second,) = model.run("forward", given)
    np.testing.assert_array_equal(second, kept)
    assert (given[0] == 7).all()


def test_strided_and_read_only_inputs_are_taken(model: Model, expected: Arrays) -> None:
    ids = np.zeros((1, 14), np.int64)
    ids[:, ::2] = expected["ids_7"]
    types = expected["types_7"].copy()
    types.flags.writeable = False
    (logits,) = model.run("forward", [ids[:, ::2], types])
    np.testing.assert_allclose(logits, expected["logits_7"], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "given", "error"),
    [
        ("no input", [], errors.InputShapeError),
        ("one input", inputs(3)[:1], errors.InputShapeError),
        ("three inputs", [*inputs(3), *inputs(3)[:1]], errors.InputShapeError),
        ("int32", [array.astype(np.int32) for array in inputs(3)], errors.InputShapeError),
        ("float64", [array.astype(np.float64) for array in inputs(3)], errors.InputShapeError),
        ("big-endian", [array.astype(">i8") for array in inputs(3)], errors.InputShapeError),
        ("uint64", [array.astype(np.uint64) for array in inputs(3)], errors.InputShapeError),
        ("objects", [np.array([[None, 1]], object)] * 2, errors.InputShapeError),
        ("lists", [[[1, 2]], [[0, 0]]], errors.InputShapeError),
        ("None", [None, None], errors.InputShapeError),
        ("a scalar", [np.int64(1)] * 2, errors.InputShapeError),
        ("rank 0", [np.array(1)] * 2, errors.InputShapeError),
        ("rank 1", [np.ones(3, np.int64)] * 2, errors.InputShapeError),
        ("rank 3", [np.ones((1, 1, 3), np.int64)] * 2, errors.InputShapeError),
        ("rank 9", [np.ones((1,) * 9, np.int64)] * 2, errors.InputShapeError),
        ("no token", [np.ones((1, 0), np.int64)] * 2, errors.InputShapeError),
        ("no row", [np.ones((0, 3), np.int64)] * 2, errors.InputShapeError),
        ("two rows", [np.ones((2, 3), np.int64)] * 2, errors.InputShapeError),
        ("too long", inputs(25), errors.InputShapeError),
        ("far too long", inputs(100_000), errors.InputShapeError),
        ("different lengths", [inputs(3)[0], inputs(4)[1]], errors.InputShapeError),
        ("id at the vocabulary", inputs(3, 32), errors.InputOutOfRangeError),
        ("negative id", inputs(3, -1), errors.InputOutOfRangeError),
        ("huge id", inputs(3, 2**63 - 1), errors.InputOutOfRangeError),
        ("smallest id", inputs(3, -(2**63)), errors.InputOutOfRangeError),
        ("type 2", [inputs(3)[0], inputs(3, 2)[0]], errors.InputOutOfRangeError),
    ],
)  # fmt: skip
def test_inputs_that_do_not_fit_are_named_and_harm_nothing(
    model: Model, expected: Arrays, name: str, given: list[Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        model.run("forward", given)
    (logits,) = model.run("forward", [expected["ids_7"], expected["types_7"]])
    np.testing.assert_allclose(logits, expected["logits_7"], atol=1e-5)


def test_a_batch_is_bounded_by_the_manifest(model: Model) -> None:
    for rows, error in ((0, True), (4, False), (5, True)):
        given = [np.ones((rows, 3), np.int64)] * 3
        if error:
            with pytest.raises(errors.InputShapeError, match="1 to 4"):
                model.run("forward_batch", given)
        else:
            assert model.run("forward_batch", given)[0].shape == (rows, 3)
    with pytest.raises(errors.InputOutOfRangeError, match="attention_mask"):
        model.run("forward_batch", [np.ones((1, 3), np.int64)] * 2 + [np.full((1, 3), 2)])


@pytest.mark.parametrize("method", ["", "backward", "schema_version", "forward_batch "])
def test_an_unknown_method_lists_the_known_ones(model: Model, method: str) -> None:
    with pytest.raises(errors.UnknownMethodError, match="forward, forward_batch"):
        model.run(method, inputs(3))


def test_a_zero_byte_does_not_cut_a_method_name_short(model: Model) -> None:
    with pytest.raises(errors.UnknownMethodError, match="zero byte"):
        model.run("forward\0", inputs(3))


def test_the_evidence_is_the_json_of_the_trailer(model: Model) -> None:
    assert json.loads(model.evidence) == {"golden": [], "proof": {"state": "toy"}}


def test_closing_twice_is_fine_and_later_calls_say_so(model: Model) -> None:
    tokenizer = model.tokenizer
    model.close()
    model.close()
    for call in (
        lambda: model.manifest,
        lambda: model.evidence,
        lambda: model.methods,
        lambda: model.tokenizer,
        lambda: model.run("forward", inputs(3)),
    ):
        with pytest.raises(errors.InvalidArgumentError, match="closed"):
            call()
    assert tokenizer.encode("turn up")[0].ids.tolist() == [2, 5, 6, 3]


def test_a_failed_assertion_inside_of_executorch_ends_the_method_and_not_the_process(
    toys: Path, model: Model, expected: Arrays
) -> None:
    broken = Model(str(toys / "aborting.pte"))
    with pytest.raises(errors.RunFailedError, match=r"internal check.*9999") as raised:
        broken.run("forward", inputs(3))
    assert raised.value.executorch_code == 1
    with pytest.raises(errors.RunFailedError, match="open the model again"):
        broken.run("forward", inputs(3))
    batch = [expected[name] for name in ("batch_ids", "batch_types", "batch_mask")]
    np.testing.assert_allclose(broken.run("forward_batch", batch)[0], expected["batch_logits"], atol=1e-5)
    broken.close()
    (logits,) = model.run("forward", [expected["ids_7"], expected["types_7"]])
    np.testing.assert_allclose(logits, expected["logits_7"], atol=1e-5)


def test_eight_threads_get_the_answers_of_one(toy: Path, expected: Arrays) -> None:
    model = Model(str(toy))
    wrong: list[str] = []

    def work(seed: int) -> None:
        random = np.random.default_rng(seed)
        for _ in range(60):
            length = int(random.choice([1, 2, 7, 24]))
            (logits,) = model.run("forward", [expected[f"ids_{length}"], expected[f"types_{length}"]])
            if np.abs(logits - expected[f"logits_{length}"]).max() > 1e-5:
                wrong.append(f"{seed}: {length}")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_closing_while_other_threads_run(toy: Path) -> None:
    outcomes: list[str] = []

    def work(model: Model) -> None:
        try:
            while True:
                model.run("forward", inputs(24))
        except errors.InvalidArgumentError as error:
            outcomes.append(str(error))

    for _ in range(5):
        model = Model(str(toy))
        threads = [threading.Thread(target=work, args=(model,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        model.close()
        for thread in threads:
            thread.join()
    assert len(outcomes) == 20
    assert all("closed" in outcome for outcome in outcomes)


def test_the_tokenizer_of_a_model_is_the_one_of_its_bytes(model: Model) -> None:
    blob = model.manifest["tokenizer"]
    assert isinstance(blob, bytes)
    for tokenizer in (model.tokenizer, Tokenizer(blob)):
        assert tokenizer.vocab_size == 12
        (encoding,) = tokenizer.encode("Turn the lights", "music \0 \N{MUSICAL NOTE}up")
        tokens = [tokenizer.token(int(token_id)) for token_id in encoding.ids]
        assert tokens == ["[CLS]", "turn", "the", "light", "##s", "[SEP]", "music", "[UNK]", "[SEP]"]
        assert encoding.offsets[1:5].tolist() == [[0, 4], [5, 8], [9, 14], [14, 15]]
        assert encoding.offsets.dtype == np.int64
        assert encoding.offsets.shape == (len(encoding), 2)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "ok", ""])
def test_a_lone_surrogate_is_no_text(model: Model, text: str) -> None:
    tokenizer = model.tokenizer
    if text.isascii():
        assert len(tokenizer.encode(text, text)) == 1
        return
    for first, second in ((text, None), ("ok", text)):
        with pytest.raises(errors.InvalidTextError, match="surrogate"):
            tokenizer.encode(first, second)


def test_facts_about_the_build(model: Model) -> None:
    facts = runtime_info()
    assert facts["executorch"] == "1.5.1"
    assert set(facts["backends"].split(",")) == {"XnnpackBackend", "LinnetBackend"}
    assert int(facts["operators"]) > 200
    assert int(facts["threads"]) >= 1
    assert facts["cpu"]
    assert set(facts) == {"version", "executorch", "backends", "operators", "cpu", "cpu_features", "kernels", "threads"}
