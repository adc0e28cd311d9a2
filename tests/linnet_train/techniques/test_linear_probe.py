"""The last layer is fitted as scikit-learn's logistic regression is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from linnet_train.loading import last_layer, load_classifier
from linnet_train.techniques.linear_probe import fit_last_layer, logistic_regression


def test_the_fit_is_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 4, 60)
    features = (generator.normal(size=(60, 16)) + np.eye(16)[labels]).astype(np.float32)
    weight, bias = logistic_regression(torch.tensor(features), torch.tensor(labels), 4, 10.0)
    expected = LogisticRegression(C=10.0, max_iter=5_000, tol=1e-8).fit(features, labels)
    ours = torch.softmax(torch.tensor(features) @ weight.T + bias, dim=1).numpy()
    assert ours == pytest.approx(expected.predict_proba(features), abs=2e-3)


def test_a_fitted_classifier_knows_its_rows(encoder: Path) -> None:
    loaded = load_classifier(str(encoder), ["music", "bank"], dropout=0.0)
    model: Any = loaded.model
    texts = ["play music", "turn the volume up", "open a bank account", "my card and money"]
    batch = dict(loaded.tokenizer(texts, padding=True, return_tensors="pt")) | {"labels": torch.tensor([0, 0, 1, 1])}
    body = {name: value.clone() for name, value in model.base_model.state_dict().items()}
    fit_last_layer(model, [batch])
    with torch.inference_mode():
        found = model(**{name: value for name, value in batch.items() if name != "labels"}).logits.argmax(dim=1)
    assert found.tolist() == [0, 0, 1, 1]
    assert all(torch.equal(value, body[name]) for name, value in model.base_model.state_dict().items())
    assert last_layer(model).weight.requires_grad
