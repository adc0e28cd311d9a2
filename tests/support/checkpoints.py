"""Writes small checkpoints with seeded random weights and a real WordPiece tokenizer."""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import torch
import transformers

__all__ = [
    "VOCABULARY",
    "tiny_config",
    "write_checkpoint",
    "write_cross_encoder_modules",
    "write_sentence_modules",
    "write_tokenizer",
]

_WORDS = (
    "the a of to and in is it on at turn volume down up light play "
    "music how do i reset my password open settings card account bank money train rain open "
    "closed bakery sun ##s ##ing ##ed ##er ##ly ##y ##e "
).split()

VOCABULARY: tuple[str, ...] = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *string.ascii_lowercase,
    *("##" + letter for letter in string.ascii_lowercase),
    *string.digits,
    *("##" + digit for digit in string.digits),
    *string.punctuation,
    *dict.fromkeys(word for word in _WORDS if len(word.removeprefix("##")) > 1),
)

_SHAPE: dict[str, dict[str, Any]] = {
    "bert": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64},
    "electra": {
        "embedding_size": 16,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
    },
    "distilbert": {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64},
    "mobilebert": {
        "hidden_size": 64,
        "embedding_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "intra_bottleneck_size": 32,
        "num_feedforward_networks": 2,
    },
    "deberta-v2": {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "type_vocab_size": 0,
        "relative_attention": True,
        "position_buckets": 8,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
        "pos_att_type": "p2c|c2p",
        "position_biased_input": False,
    },
    "modernbert": {
        "hidden_size": 32,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "local_attention": 8,
        "pad_token_id": 0,
        "bos_token_id": 2,
        "cls_token_id": 2,
        "eos_token_id": 3,
        "sep_token_id": 3,
    },
    "mpnet": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64},
}

_HEADS = {
    "feature-extraction": "AutoModel",
    "fill-mask": "AutoModelForMaskedLM",
    "question-answering": "AutoModelForQuestionAnswering",
    "text-classification": "AutoModelForSequenceClassification",
    "text-ranking": "AutoModelForSequenceClassification",
    "token-classification": "AutoModelForTokenClassification",
}


def tiny_config(model_type: str, **changes: Any) -> transformers.PreTrainedConfig:
    """Return a configuration of the architecture's true structure in a small size."""
    shape = {"vocab_size": len(VOCABULARY), "max_position_embeddings": 64, **_SHAPE[model_type]}
    return transformers.AutoConfig.for_model(model_type, **{**shape, **changes})


def write_tokenizer(directory: Path, **settings: Any) -> None:
    """Write vocab.txt, tokenizer.json and tokenizer_config.json of an uncased WordPiece tokenizer."""
    (directory / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    vocabulary = {token: index for index, token in enumerate(VOCABULARY)}
    transformers.BertTokenizer(vocab=vocabulary, **settings).save_pretrained(directory)


def write_checkpoint(
    directory: Path,
    model_type: str = "bert",
    task: str = "feature-extraction",
    *,
    seed: int = 0,
    **changes: Any,
) -> Path:
    """Write a seeded random checkpoint for a task into ``directory``, made if needed, and return it."""
    directory.mkdir(parents=True, exist_ok=True)
    if task == "text-ranking":
        changes = {"num_labels": 1, "sentence_transformers": {"version": "5.0.0"}, **changes}
    torch.manual_seed(seed)
    model = getattr(transformers, _HEADS[task]).from_config(tiny_config(model_type, **changes))
    model.save_pretrained(directory)
    write_tokenizer(directory)
    return directory


def write_sentence_modules(
    directory: Path,
    *,
    pooling: str = "mean",
    normalize: bool = True,
    max_seq_length: int | None = 48,
    prompts: dict[str, str] | None = None,
    default_prompt: str | None = None,
) -> None:
    """Add the files that sentence-transformers writes around a transformer."""
    kinds = [
        ("", "Transformer"),
        ("1_Pooling", "Pooling"),
        *([("2_Normalize", "Normalize")] if normalize else []),
    ]
    modules = [
        {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for index, (path, kind) in enumerate(kinds)
    ]
    (directory / "modules.json").write_text(json.dumps(modules))
    (directory / "1_Pooling").mkdir(exist_ok=True)
    flags = {
        "cls": "pooling_mode_cls_token",
        "mean": "pooling_mode_mean_tokens",
        "max": "pooling_mode_max_tokens",
    }
    config = {"word_embedding_dimension": 32, **{flag: name == pooling for name, flag in flags.items()}}
    (directory / "1_Pooling" / "config.json").write_text(json.dumps(config))
    settings = {"max_seq_length": max_seq_length, "do_lower_case": False}
    (directory / "sentence_bert_config.json").write_text(json.dumps(settings))
    extras = {"prompts": prompts or {}, "default_prompt_name": default_prompt}
    (directory / "config_sentence_transformers.json").write_text(json.dumps(extras))


def write_cross_encoder_modules(directory: Path, activation: str = "torch.nn.modules.linear.Identity") -> None:
    """Add the files that CrossEncoder.save of sentence-transformers 6.2 writes beside a text-ranking checkpoint."""
    config = json.loads((directory / "config.json").read_text())
    config.pop("sentence_transformers", None)
    (directory / "config.json").write_text(json.dumps(config))
    kind = "sentence_transformers.base.modules.transformer.Transformer"
    files: dict[str, Any] = {
        "modules.json": [{"idx": 0, "name": "0", "path": "", "type": kind}],
        "sentence_bert_config.json": {
            "transformer_task": "sequence-classification",
            "modality_config": {"text": {"method": "forward", "method_output_name": "logits"}},
            "module_output_name": "scores",
        },
        "config_sentence_transformers.json": {
            "activation_fn": activation,
            "default_prompt_name": None,
            "model_type": "CrossEncoder",
            "prompts": {},
        },
    }
    for name, content in files.items():
        (directory / name).write_text(json.dumps(content))
