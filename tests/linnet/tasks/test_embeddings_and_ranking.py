"""encode, similarity, rank and predict, against their definitions written out again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from linnet.errors import InvalidArgumentError, ManifestInvalidError, TaskMismatchError
from linnet_runtime import _core
from tests.support.sdk_fakes import f32, fake_model, hashed_program, make_manifest, table_program

TEXTS = ["the cat", "", "a big red house", "rain"]


def embedder(**changes: Any) -> Any:
    return fake_model("feature-extraction", hashed_program(8), **changes)


def test_a_str_gives_one_vector_and_a_list_a_matrix() -> None:
    model = embedder()
    assert model.encode("the cat").shape == (8,)
    assert model.encode(["the cat"]).shape == (1, 8)
    assert model.encode(("the cat", "a dog")).shape == (2, 8)


def test_normalized_embeddings_have_length_one_and_the_same_direction() -> None:
    model = embedder()
    plain, unit = model.encode(TEXTS), model.encode(TEXTS, normalize_embeddings=True)
    assert unit.dtype == np.float32
    np.testing.assert_allclose(np.sqrt((unit.astype(np.float64) ** 2).sum(axis=1)), 1, rtol=1e-6)
    np.testing.assert_allclose(unit * np.sqrt((plain**2).sum(axis=1, keepdims=True)), plain, rtol=1e-5)


def test_a_zero_vector_stays_zero() -> None:
    model = fake_model("feature-extraction", table_program(np.zeros(8)))
    assert (model.encode("x", normalize_embeddings=True) == 0).all()


PROMPTS = {"prompt_names": ("query", "doc"), "prompts": ("the cat ", "a dog "), "default_prompt": "doc"}


def test_prompts_by_name_by_default_and_as_text() -> None:
    plain, model = embedder(), embedder(**PROMPTS)
    np.testing.assert_array_equal(model.encode("sat", prompt_name="query"), plain.encode("the cat sat"))
    np.testing.assert_array_equal(model.encode("sat"), plain.encode("a dog sat"))
    np.testing.assert_array_equal(model.encode(["sat"], prompt="old "), plain.encode(["old sat"]))
    np.testing.assert_array_equal(model.encode("sat", prompt=""), plain.encode("sat"))
    with pytest.warns(UserWarning, match="prompt_name is not used"):
        model.encode("sat", prompt="old ", prompt_name="query")


def test_a_pooling_mask_leaves_the_prompt_out() -> None:
    inputs = {"inputs": ("input_ids", "pooling_mask")}
    batch = {"max_batch": 2, "batch_inputs": ("input_ids", "pooling_mask", "attention_mask")}
    model = embedder(**PROMPTS, **inputs, **batch)
    runtime = model._runtime
    model.encode("sat")  # [CLS] a dog sat [SEP]
    assert runtime.given["pooling_mask"].tolist() == [[0, 0, 0, 1, 1]]
    model.encode(["sat", ""], prompt_name="query")
    assert runtime.given["pooling_mask"].tolist() == [[0, 0, 0, 1, 0], [0, 0, 0, 1, 1]]
    assert runtime.given["attention_mask"].tolist() == [[1, 1, 1, 1, 0], [1, 1, 1, 1, 1]]
    calls: list[Callable[[], Any]] = [
        lambda: model.encode("sat", prompt=""),
        lambda: model("sat"),
        lambda: model.run(model.tokenize("sat")),
    ]
    for call in calls:
        call()
        assert runtime.given["pooling_mask"].tolist() == [[1, 1, 1]]


def test_an_input_that_nobody_gives_is_named() -> None:
    inputs = ("input_ids", "pooling_masks")
    with pytest.raises(ManifestInvalidError, match=r"wants 'pooling_masks'.*gives.*pooling_mask, attention_mask"):
        embedder(inputs=inputs).encode("x")
    with pytest.raises(ManifestInvalidError, match='input "pooling_masks" is not known'):
        _core.Task(make_manifest("feature-extraction", inputs=inputs).to_raw())


def test_an_unknown_prompt_names_the_known_ones() -> None:
    with pytest.raises(InvalidArgumentError, match="prompt_name is 'passage', this file has query, doc"):
        embedder(**PROMPTS).encode("x", prompt_name="passage")
    with pytest.raises(InvalidArgumentError, match="this file has no prompt"):
        embedder().encode("x", prompt_name="query")


@pytest.mark.parametrize("texts", [None, 3, b"x", ["x", None], [["x"]]])
def test_encode_refuses_what_is_no_text(texts: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        embedder().encode(texts)


def test_similarity_is_the_cosine() -> None:
    model = embedder()
    left, right = model.encode(TEXTS[:2]), model.encode(TEXTS[1:])
    found = model.similarity(left, right)
    assert found.shape == (2, 3)
    assert found.dtype == np.float32
    for i, a in enumerate(left.astype(np.float64)):
        for j, b in enumerate(right.astype(np.float64)):
            assert found[i, j] == pytest.approx((a @ b) / np.sqrt((a @ a) * (b @ b)), abs=1e-6)
    assert model.similarity(left[0], right).shape == (1, 3)
    with pytest.raises(InvalidArgumentError, match="expected one width"):
        model.similarity(np.ones((1, 3)), np.ones((1, 4)))


# -- ranking ---------------------------------------------------------------------------------------


def ranker(**changes: Any) -> Any:
    """Scores a pair by the length of its second text, less the first."""

    def program(ids: Any, types: Any) -> list[Any]:
        return [f32([(types == 1).sum() - (types == 0).sum() / 8])]

    return fake_model("text-ranking", program, **changes)


def test_rank_orders_passages_best_first() -> None:
    found = ranker().rank("the cat", ["a", "a b c", "a b"])
    # tokens: [CLS] the cat [SEP] is 4; the passages with their [SEP] are 2, 4, 3
    assert found == [
        {"corpus_id": 1, "score": 3.5},
        {"corpus_id": 2, "score": 2.5},
        {"corpus_id": 0, "score": 1.5},
    ]


def test_rank_with_documents_and_top_k() -> None:
    found = ranker().rank("the cat", ["a", "a b c", "a b"], top_k=2, return_documents=True)
    assert [(passage["corpus_id"], passage["text"]) for passage in found] == [(1, "a b c"), (2, "a b")]
    assert list(found[0]) == ["corpus_id", "score", "text"]
    with pytest.raises(InvalidArgumentError, match="top_k is 0"):
        ranker().rank("a", ["b"], top_k=0)


def test_equal_scores_keep_the_passages_order() -> None:
    assert [passage["corpus_id"] for passage in ranker().rank("the cat", ["a", "b", "c"])] == [0, 1, 2]


def test_predict_takes_lists_and_tuples_of_two() -> None:
    model = ranker()
    scores = model.predict([("the cat", "a"), ["the cat", "a b c"]])
    assert scores.dtype == np.float32
    assert scores.tolist() == [1.5, 3.5]
    assert float(model.predict(("the cat", "a"))) == 1.5
    assert float(model.predict(["the cat", "a"])) == 1.5
    assert model(("the cat", "a")) == {"score": 1.5}
    assert model([("the cat", "a")]) == [{"score": 1.5}]


def test_the_score_function_is_applied() -> None:
    score = ranker(score_function="sigmoid").predict(("the cat", "a"))
    assert float(score) == pytest.approx(1 / (1 + np.exp(-1.5)), rel=1e-6)


def test_a_model_with_several_scores_predicts_but_does_not_rank() -> None:
    model = fake_model("text-ranking", table_program([1.0, 2.0]))
    assert model.predict([("a", "b")] * 3).shape == (3, 2)
    with pytest.raises(TaskMismatchError, match="gives 2"):
        model.rank("a", ["b"])
