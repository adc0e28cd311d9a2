"""Writes golden/prompts.json: what sentence-transformers answers where the prompt is left out of the pooling.

    pip install sentence-transformers==6.2.0
    python -m tests.linnet_export.make_prompt_cases

The models are those of :mod:`tests.support.prompted`, with all poolings joined and without a normalization.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.support.prompted import FREE, KINDS, PROMPTS, TEXTS, write_prompted

CASES = Path(__file__).parent / "golden" / "prompts.json"
CALLS: tuple[dict[str, str], ...] = ({}, *({"prompt_name": name} for name in PROMPTS), {"prompt": FREE}, {"prompt": ""})
"""Arguments of encode()."""


def _answers(kind: str) -> list[dict[str, Any]]:
    from sentence_transformers import SentenceTransformer

    with tempfile.TemporaryDirectory() as folder:
        model = SentenceTransformer(str(write_prompted(Path(folder), kind)), device="cpu")
        return [
            {
                "kind": kind,
                "call": call,
                # -infinity, the maximum of no token, is written as JavaScript does
                "vectors": [[float(f"{number:.8g}") for number in row] for row in model.encode(list(TEXTS), **call)],
            }
            for call in CALLS
        ]


def main() -> None:
    """Write the file."""
    import sentence_transformers

    lines = ",\n".join(json.dumps(case) for kind in KINDS for case in _answers(kind))
    CASES.write_text(f'{{"sentence_transformers": "{sentence_transformers.__version__}", "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
