"""Augmented texts: new, and made of the words of the corpus."""

from __future__ import annotations

from linnet_train.data.augmentation import augment


def test_made_texts_are_new_and_of_the_corpus() -> None:
    texts = ["play some music now please", "open a bank account", "one"]
    made = augment(texts, 20, 0)
    words = {word for text in texts for word in text.split()}
    assert made
    assert not set(made) & set(texts)
    assert len(set(made)) == len(made)
    assert {word for text in made for word in text.split()} <= words
    assert augment(texts, 20, 0) == made != augment(texts, 20, 1)
