"""Exports the old files and records what the linnet that made them said about them.

Run at commit e03d489, in its root:

    PYTHONPATH=sdk:export:. python make_old_files.py FOLDER
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import linnet
import linnet_export
from tests.support.checkpoints import write_checkpoint, write_sentence_modules

TEXTS = (
    "",
    "x",
    "music",
    "play the music",
    "turn the volume up",
    "how do i reset my password",
    "rain and sun",
    "the bank is closed",
    "open the settings of my account",
    "is the bakery open on the train",
)
PAIR = "the bakery is open"
TAGS = ("O", "B-PER", "I-PER")
QUESTIONS: dict[str, list[Any]] = {
    "text-classification": ["play the music", "how do i reset my password"],
    "token-classification": ["turn the volume up", "the bank is closed"],
    "question-answering": [{"question": "is the bakery open", "context": "the bakery is open on the train"}],
    "fill-mask": ["turn the [MASK] up"],
    "feature-extraction": ["play the music"],
}
FILES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "classification-int8": ("text-classification", {"num_labels": 3}, {"recipe": "int8", "max_batch": 2}),
    "embedding-fp32-signed": ("feature-extraction", {}, {"recipe": "fp32"}),
    "tagging-mixed-precision": (
        "token-classification",
        {"id2label": dict(enumerate(TAGS)), "label2id": {name: index for index, name in enumerate(TAGS)}},
        {"recipe": "int8", "auto_mixed_precision": True},
    ),
    "answering-8da4w": ("question-answering", {}, {"recipe": "8da4w", "budget": {"agreement": 0.0}}),
    "masks-unproven": ("fill-mask", {}, {"recipe": "fp16", "prove": False}),
}


def main(folder: Path) -> None:
    """Write each file and its expectations."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [{"text": text, "pair": pair} for pair in (None, PAIR) for text in TEXTS if text or not pair]
    proof = folder / "proof.jsonl"
    proof.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    for name, (task, settings, options) in FILES.items():
        path = folder / f"{name}.pte"
        if path.exists():
            continue
        checkpoint = write_checkpoint(folder / "checkpoints" / name, "bert", task, **settings)
        if task == "feature-extraction":
            write_sentence_modules(checkpoint, prompts={"query": "the "})
        linnet_export.export(
            linnet_export.ExportConfig(
                model=str(checkpoint),
                output=path,
                max_length=48,
                proof=proof if options.get("prove", True) else None,
                **options,
            )
        )
        if name.endswith("signed"):
            sign(folder, path)
        expectations = expected(path, task)
        (folder / f"{name}.json").write_text(
            json.dumps(expectations, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
        print(name, path.stat().st_size, flush=True)


def sign(folder: Path, path: Path) -> None:
    """Sign a file with a key of its own, and keep the public half."""
    key = folder / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(key)], check=True)
    subprocess.run(["openssl", "pkey", "-in", str(key), "-pubout", "-out", str(folder / "key.pub.pem")], check=True)
    command("sign", str(path), "--key", str(key))


def expected(path: Path, task: str) -> dict[str, Any]:
    """Return answers, contract, cases and the data of the page, as this linnet sees them."""
    with linnet.load(path) as model:
        answers = [[question, plain(model(question))] for question in QUESTIONS[task]]
    inspected = json.loads(command("inspect", str(path), "--json"))
    verified = json.loads(command("verify", str(path), "--json"))
    explained = json.loads(command("explain", str(path), "--json", "--no-latency"))
    for varying in ("name", "manifest", "versions", "latency"):
        explained.pop(varying, None)
    return {
        "task": task,
        "answers": answers,
        "inspect": {name: inspected[name] for name in ("verdict", "manifest", "methods", "trailer")},
        "verify": {"status": verified["status"], "cases": [case["text"] for case in verified["cases"]]},
        "explain": explained,
    }


def plain(value: Any) -> Any:
    """Arrays and numbers of numpy as JSON."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value


def command(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "linnet", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{arguments}: {done.stdout[-500:]} {done.stderr[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]))
