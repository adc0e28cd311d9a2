"""Customer service: route requests by intent, and reply from a small FAQ by sentence similarity."""

from pathlib import Path

import numpy as np

import linnet
from examples.walkthrough import answer, clinc150, hold_out, read_rows, run_linnet, settings, train
from linnet.cli.script import run_script

HERE = Path(__file__).parent
TEXTS = ["where is the parcel i ordered", "can i get my money back", "who won the match last night"]
UNSURE_BELOW = 0.5


def reply(intents: linnet.Model, encoder: linnet.Model, faq: list[dict[str, str]], text: str) -> str:
    """Return the FAQ's answer to the most similar question, or who takes over."""
    intent = intents(text)[0]
    if intent["label"] == "oos" or intent["score"] < UNSURE_BELOW:
        return "a person takes over"
    questions = encoder.encode([entry["question"] for entry in faq])
    # embeddings have unit length, so the dot product is the cosine
    cosines = np.asarray(questions) @ np.asarray(encoder.encode([text]))[0]
    nearest = int(cosines.argmax())
    if cosines[nearest] < UNSURE_BELOW:
        return f"to the team of {intent['label']}"
    return faq[nearest]["answer"]


def main() -> None:
    """Train on the rows and reply to a few requests."""
    chosen = settings("Intents and replies of customer service.", data_set="folder of CLINC150 (CC BY 3.0)")
    if chosen.data:
        rows, held = clinc150(chosen.data, ["utility", "travel"])
    else:
        rows, held = hold_out(read_rows(HERE / "illustrative.jsonl"), 0.2)
    # `reply` compares scores with a threshold, so they are calibrated
    file = train(chosen, rows, held, "--calibrate-temperature")
    encoder_file = chosen.output / "encoder.pte"
    run_linnet("export", chosen.model, "--task", "feature-extraction", "-o", encoder_file, "--force", quiet=True)
    answer(file, TEXTS, UNSURE_BELOW)
    faq = read_rows(HERE / "faq.jsonl")
    with linnet.load(str(file), threads=1) as intents, linnet.load(str(encoder_file), threads=1) as encoder:
        for text in TEXTS:
            print(f"{text!r} -> {reply(intents, encoder, faq, text)}")


if __name__ == "__main__":
    run_script(main)
