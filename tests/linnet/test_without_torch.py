"""Every task and command in a process where PyTorch cannot be imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import linnet

_DEVICE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "transformers", "executorch", "torchao", "tokenizers"):
            raise ImportError(name + " is not on this device")

sys.meta_path.insert(0, Refuse())
import json
import linnet
from linnet.cli import main as cli

folder = sys.argv[1]
text = "turn the volume down"
answers = {}
for task in ("text-classification", "token-classification", "fill-mask", "feature-extraction"):
    with linnet.load(f"{folder}/{task}.pte") as model:
        answers[task] = model("the [MASK] is open")
        if task == "feature-extraction":
            answers["encode"] = model.encode([text, "rain"], normalize_embeddings=True).tolist()
with linnet.load(open(f"{folder}/question-answering.pte", "rb").read()) as model:
    answers["question-answering"] = model(question="how", context="turn it down and up again " * 20)
with linnet.load(f"{folder}/text-ranking.pte") as model:
    answers["text-ranking"] = model.rank("music", ["play music", "the bank"])
assert not {"linnet_bench", "linnet_export", "linnet_train"} & set(sys.modules)
assert cli.main(["verify", f"{folder}/fill-mask.pte"]) == 0
assert cli.main(["inspect", f"{folder}/fill-mask.pte"]) == 0
assert cli.main(["doctor"]) == 0
assert cli.main(["export", "x"]) == 4
print(json.dumps(answers))
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules} & {"torch", "transformers", "executorch"})))
"""


def test_everything_runs_where_torch_cannot_be_imported(files: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _DEVICE, str(files)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    *_, answers, heavy = done.stdout.splitlines()
    assert json.loads(heavy) == []
    found = json.loads(answers)
    assert len(found) == 7
    with linnet.load(files / "text-classification.pte") as model:
        assert found["text-classification"] == model("the [MASK] is open")
    assert 'pip install "WHEEL[export]"' in done.stderr
