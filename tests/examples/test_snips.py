"""SNIPS' commands as rows."""

from __future__ import annotations

import json
from pathlib import Path

from examples.datasets.snips import convert, tagged


def test_a_slot_of_two_words_begins_and_goes_on() -> None:
    words, tags = tagged([{"text": "play "}, {"text": "Yo Ho", "entity": "track"}, {"text": " now."}])
    assert words == ["play", "Yo", "Ho", "now."]
    assert tags == ["O", "B-track", "I-track", "O"]


def test_a_tenth_of_each_intent_is_held_out(tmp_path: Path) -> None:
    for intent in ("A", "B"):
        commands = [{"data": [{"text": f"word{number}", "entity": "slot"}]} for number in range(20)]
        (tmp_path / f"train_{intent}.json").write_text(json.dumps({intent: commands}), encoding="utf-8")
    counts = convert(tmp_path, tmp_path / "out")
    assert counts == {"slots-train.jsonl": 36, "intents-train.jsonl": 36, "slots-val.jsonl": 4, "intents-val.jsonl": 4}
    held_out = [json.loads(line) for line in (tmp_path / "out" / "intents-val.jsonl").read_text().splitlines()]
    assert [row["label"] for row in held_out] == ["A", "A", "B", "B"]
