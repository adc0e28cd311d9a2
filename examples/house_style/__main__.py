"""A small language model learns the style of a house: 200 rows, adapters, and the same questions before and after.

    python -m examples.house_style --model ./SmolLM2-135M-Instruct -o build/house_style

Rows are made from a table of a company that does not exist. The things of the held-out rows are in no training row.
"""

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path

import linnet
from examples.walkthrough import Row, run_linnet, write_rows
from linnet.cli.script import program_name, run_script

THINGS = (
    "kettle", "desk lamp", "doorbell", "heater", "fan", "speaker", "camera", "toaster", "blender", "humidifier",
    "alarm clock", "radio", "printer", "projector", "scale", "thermostat", "shaver", "hair dryer", "coffee maker",
    "vacuum cleaner",
)  # fmt: skip
HELD_OUT_THINGS = ("dishwasher", "night light", "garden pump")
ACTIONS = {
    "turn on": "press its button once",
    "turn off": "press its button twice",
    "reset": "hold its button for five seconds",
    "clean": "wipe it with a dry cloth",
    "lock": "press its button three times",
    "unlock": "hold its button for two seconds",
    "pair": "hold its button until the light turns blue",
    "update": "leave it plugged in overnight",
    "mute": "cover its light with your hand",
    "test": "press its button four times",
}
QUESTIONS = ("How do I {action} my {thing}?", "I want to {action} the {thing}.", "Can you help me {action} my {thing}?")


def row(thing: str, action: str, question: str) -> Row:
    """Return a question and its answer in the style of the house."""
    answer = f"Certainly! To {action} your {thing}, {ACTIONS[action]}. With pleasure, Linnet & Co."
    return {"prompt": question.format(action=action, thing=thing), "completion": answer}


def rows(things: Sequence[str]) -> list[Row]:
    """Return one row for each thing and action; the form of the question goes round."""
    pairs = itertools.product(things, ACTIONS)
    return [row(thing, action, QUESTIONS[place % len(QUESTIONS)]) for place, (thing, action) in enumerate(pairs)]


def show(title: str, file: Path, asked: Sequence[Row]) -> int:
    """Print answers, and how many of all are those of the table; return the number."""
    print(f"\n{title}")
    right = 0
    with linnet.load(file) as model:
        for place, each in enumerate(asked):
            prompt = [{"role": "user", "content": each["prompt"]}]
            answer = model.generate(prompt, do_sample=False, max_new_tokens=48).text.strip()
            right += answer == each["completion"]
            if place % len(ACTIONS) == 0:
                print(f"  {each['prompt']}\n    {answer}")
    print(f"  {right} of {len(asked)} answers are those of the table")
    return right


def main() -> None:
    """Export the model, teach it, and compare."""
    parser = argparse.ArgumentParser(prog=program_name(), description=__doc__.partition("\n")[0])
    parser.add_argument("--model", required=True, help="checkpoint of a decoder with a chat template")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of what is written")
    parser.add_argument("--before", type=Path, metavar="FILE.pte", help="the model, exported before (default: export)")
    parser.add_argument("--epochs", default="3", metavar="N", help="passes over the rows (default 3)")
    given = parser.parse_args()
    data = write_rows(given.output / "rows.jsonl", rows(THINGS))
    held = write_rows(given.output / "held_out.jsonl", rows(HELD_OUT_THINGS))
    before, after = given.before or given.output / "before.pte", given.output / "after.pte"
    if given.before is None:
        run_linnet("export", given.model, "-o", before, "--force")
    asked = rows(HELD_OUT_THINGS)
    show("before", before, asked)
    run_linnet(
        "train", given.model, "--task", "text-generation", "--data", data, "--validation", held, "--lora-rank", "8",
        "--learning-rate", "1e-3", "--batch-size", "8", "--epochs", given.epochs, "-o", given.output / "taught",
        "--export", after, "--force",
    )  # fmt: skip
    show("after", after, asked)


if __name__ == "__main__":
    run_script(main)
