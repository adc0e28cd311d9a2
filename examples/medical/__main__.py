"""Medical, a structure only: sort messages to the desks of a practice. Read the warning in README.md first."""

from pathlib import Path

from examples.walkthrough import answer, hold_out, read_rows, settings, train
from linnet.cli.script import run_script

WARNING = "Illustrative: invented rows, nothing shown. Not a medical device; do not use it for patients."
TEXTS = ["can i move my appointment to monday", "i need a new copy of my invoice", "i do not feel well at all"]


def main() -> None:
    """Train on the rows and sort a few messages; print the warning before and after."""
    chosen = settings(WARNING, data_set="your own folder with rows.jsonl, of text and label")
    print(WARNING)
    source = chosen.data / "rows.jsonl" if chosen.data else Path(__file__).with_name("illustrative.jsonl")
    rows, held = hold_out(read_rows(source), 0.2)
    file = train(chosen, rows, held, "--calibrate-temperature")
    # high on purpose: a person reads everything that is not clearly an office matter
    answer(file, TEXTS, unsure_below=0.9)
    print(WARNING)


if __name__ == "__main__":
    run_script(main)
