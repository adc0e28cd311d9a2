"""Banking: 30 intents about accounts and credit cards, out-of-scope detection, calibrated scores."""

from pathlib import Path

from examples.walkthrough import answer, clinc150, hold_out, read_rows, settings, train
from linnet.cli.script import run_script

TEXTS = ["my card got swallowed by the machine", "how much money do i have", "what is the capital of norway"]


def main() -> None:
    """Train on the rows and answer a few requests."""
    chosen = settings("Intents of banking and credit cards.", data_set="folder of CLINC150 (CC BY 3.0)")
    if chosen.data:
        rows, held = clinc150(chosen.data, ["banking", "credit_cards"])
    else:
        rows, held = hold_out(read_rows(Path(__file__).with_name("illustrative.jsonl")), 0.2)
    # answers move money: calibrate the scores, and leave unsure requests to a person
    file = train(chosen, rows, held, "--calibrate-temperature")
    answer(file, TEXTS, unsure_below=0.6)


if __name__ == "__main__":
    run_script(main)
