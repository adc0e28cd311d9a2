"""In the car: voice commands with half of the layers and a trimmed vocabulary."""

from pathlib import Path

from examples.walkthrough import answer, hold_out, read_rows, settings, snips, train
from linnet.cli.script import run_script

OWN_TEXTS = ["play some jazz", "it is too cold in here", "take me to the airport"]
TEXTS = ["play some jazz", "will it rain in oslo tonight", "book a table for two at an italian place"]


def main() -> None:
    """Train on the rows and answer a few commands."""
    chosen = settings("Voice commands in the car.", data_set="folder of SNIPS (CC0 1.0)")
    rows = snips(chosen.data) if chosen.data else read_rows(Path(__file__).with_name("illustrative.jsonl"))
    rows, held = hold_out(rows, 0.1 if chosen.data else 0.2)
    # the processor is slow: keep only the words that occur, and half of the layers if there are enough rows to
    # train the rest again
    layers = ["--layers", "0,2,4"] if chosen.data else []
    file = train(chosen, rows, held, *layers, "--trim-vocabulary", "--frequent", "5000")
    answer(file, TEXTS if chosen.data else OWN_TEXTS)


if __name__ == "__main__":
    run_script(main)
