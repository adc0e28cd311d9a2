"""Small configurations of every architecture in every variant of its structure, and seeded weights."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch
import transformers
from torch import Tensor, nn

__all__ = ["CASES", "MAX_LENGTH", "TASKS", "Case", "hf_outputs", "random_ids", "random_model"]

MAX_LENGTH = 40
VOCABULARY = 90
LABELS = 3

TASKS: dict[str, str] = {
    "feature-extraction": "AutoModel",
    "fill-mask": "AutoModelForMaskedLM",
    "question-answering": "AutoModelForQuestionAnswering",
    "text-classification": "AutoModelForSequenceClassification",
    "text-ranking": "AutoModelForSequenceClassification",
    "token-classification": "AutoModelForTokenClassification",
}
"""Hugging Face task -> auto class that loads a model for it."""

_COMMON = {"vocab_size": VOCABULARY, "max_position_embeddings": 48}
_BERT = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
}
_MOBILEBERT = {
    "hidden_size": 48,
    "embedding_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "intra_bottleneck_size": 32,
    "num_feedforward_networks": 3,
}
_ROBERTA = {**_BERT, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
_DISTILBERT = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48}


_DEBERTA_V3 = {
    **_BERT,
    "type_vocab_size": 0,
    "layer_norm_eps": 1e-7,
    "relative_attention": True,
    "position_buckets": 8,
    "max_relative_positions": -1,
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "pos_att_type": "p2c|c2p",
    "position_biased_input": False,
    "pooler_hidden_act": "gelu",
}
"""microsoft/deberta-v3-base with 8 buckets instead of 256: distances from 4 on share them."""

_MODERNBERT = {
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "local_attention": 8,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "cls_token_id": 2,
    "eos_token_id": 3,
    "sep_token_id": 3,
}
"""answerdotai/ModernBERT-base with a window of 8 instead of 128: two layers with it between two without."""

_SHAPES: dict[str, dict[str, Any]] = {
    "albert": {**_BERT, "embedding_size": 16, "num_hidden_layers": 3},
    "bert": _BERT,
    "deberta-v2": _DEBERTA_V3,
    "distilbert": _DISTILBERT,
    "electra": {**_BERT, "embedding_size": 16},
    "mobilebert": _MOBILEBERT,
    "modernbert": _MODERNBERT,
    "mpnet": {**_BERT, "relative_attention_num_buckets": 32},
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
}


@dataclasses.dataclass(frozen=True)
class Case:
    """A structure by name."""

    name: str
    model_type: str
    settings: dict[str, Any]

    def config(self) -> Any:
        """Return the configuration."""
        settings = {**_COMMON, **_SHAPES[self.model_type], **self.settings}
        return transformers.AutoConfig.for_model(self.model_type, **settings)

    def ids(self, batch: int, length: int) -> Tensor:
        """Return :func:`random_ids`."""
        return random_ids(batch, length)

    @property
    def padding(self) -> int:
        """The id that fills up a padded batch."""
        return int(self.config().pad_token_id)


def _cases(model_type: str, variants: dict[str, dict[str, Any]]) -> list[Case]:
    return [Case(f"{model_type}-{name}", model_type, settings) for name, settings in variants.items()]


CASES: tuple[Case, ...] = (
    *_cases(
        "bert",
        {
            "gelu": {},
            "gelu_new": {"hidden_act": "gelu_new"},
            "gelu_pytorch_tanh": {"hidden_act": "gelu_pytorch_tanh"},
            "relu": {"hidden_act": "relu"},
            "silu": {"hidden_act": "silu", "layer_norm_eps": 1e-5},
            "one-type": {"type_vocab_size": 1},
            "three-types": {"type_vocab_size": 3},
        },
    ),
    *_cases("distilbert", {"gelu": {}, "relu-sinusoidal": {"activation": "relu", "sinusoidal_pos_embds": True}}),
    *_cases("electra", {"projected": {}, "same-width": {"embedding_size": 32}}),
    *_cases(
        "mobilebert",
        {
            "default": {},
            "layer-norm": {"normalization_type": "layer_norm", "layer_norm_eps": 1e-5},
            "no-trigram": {"trigram_input": False},
            "no-trigram-no-projection": {"trigram_input": False, "embedding_size": 48},
            "trigram-same-width": {"embedding_size": 48},
            "no-bottleneck": {"use_bottleneck": False},
            "no-bottleneck-layer-norm": {"use_bottleneck": False, "normalization_type": "layer_norm"},
            "bottleneck-attention": {"use_bottleneck_attention": True},
            "bottleneck-attention-only": {
                "use_bottleneck_attention": True,
                "key_query_shared_bottleneck": False,
            },
            "unshared": {"key_query_shared_bottleneck": False, "intra_bottleneck_size": 48},
            "one-network": {"num_feedforward_networks": 1},
            "no-pooler-activation": {"classifier_activation": False},
            "gelu": {"hidden_act": "gelu"},
            "one-type": {"type_vocab_size": 1},
        },
    ),
    *_cases("albert", {"gelu_new": {}, "gelu": {"hidden_act": "gelu"}}),
    *_cases(
        "deberta-v2",
        {
            "v3": {},
            "new-head": {"legacy": False},
            "v2-unshared": {"share_att_key": False, "position_biased_input": True},
            "no-buckets": {"position_buckets": -1, "max_relative_positions": 6},
            "c2p": {"pos_att_type": ["c2p"], "norm_rel_ebd": "none"},
            "p2c": {"pos_att_type": ["p2c"], "share_att_key": False},
        },
    ),
    *_cases(
        "modernbert",
        {
            "cls": {},
            "mean": {"classifier_pooling": "mean"},
            "biases": {
                "norm_bias": True,
                "attention_bias": True,
                "mlp_bias": True,
                "classifier_bias": True,
                "decoder_bias": False,
            },
            "global": {"global_attn_every_n_layers": 1},
        },
    ),
    *_cases("mpnet", {"gelu": {}, "relu": {"hidden_act": "relu"}}),
    *_cases(
        "roberta",
        {"gelu": {}, "two-types": {"type_vocab_size": 2, "hidden_act": "relu"}, "padding-5": {"pad_token_id": 5}},
    ),
    *_cases("xlm-roberta", {"gelu": {}}),
)


def random_model(config: Any, task: str, seed: int = 0) -> Any:
    """Return a model of ``config`` with weights that keep activations near 1.

    The library's own initialization (0.02) makes layers almost the identity and hides mistakes; larger
    plain noise lets MobileBERT, which has no normalization, grow by layers. So: variance by fan-in,
    and element-wise scales in [0.5, 0.9], which shrink what each residual adds.
    """
    if "Sequence" in TASKS[task] or "Token" in TASKS[task]:
        config.num_labels = 1 if task == "text-ranking" else LABELS
    torch.manual_seed(seed)
    auto_class = getattr(transformers, TASKS[task])
    model = auto_class.from_config(config, attn_implementation="eager").eval()
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        for module in model.modules():
            _randomize(module, generator)
    return model


def _randomize(module: nn.Module, generator: torch.Generator) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        fan_in = module.weight.shape[1] if isinstance(module, nn.Linear) else 4
        module.weight.normal_(0.0, max(fan_in, 1) ** -0.5, generator=generator)
        if isinstance(module, nn.Linear) and module.bias is not None:
            module.bias.normal_(0.0, 0.1, generator=generator)
    elif isinstance(module, nn.LayerNorm) or type(module).__name__ == "NoNorm":
        for name, parameter in module.named_parameters():
            if name == "weight":
                parameter.uniform_(0.5, 0.9, generator=generator)
            else:
                parameter.normal_(0.0, 0.1, generator=generator)


def random_ids(batch: int, length: int, seed: int = 0, below: int = VOCABULARY) -> Tensor:
    """Return int64 [batch, length] token ids; id 0, padding, is among them."""
    generator = torch.Generator().manual_seed(seed * 1000 + length)
    return torch.randint(0, below, (batch, length), generator=generator)


def hf_outputs(
    model: Any, task: str, ids: Tensor, types: Tensor | None = None, mask: Tensor | None = None
) -> tuple[Tensor, ...]:
    """Return what the Hugging Face model computes; the hidden state for feature-extraction."""
    inputs: dict[str, Tensor] = {"input_ids": ids}
    if types is not None:
        inputs["token_type_ids"] = types
    if mask is not None:
        inputs["attention_mask"] = mask
    with torch.no_grad():
        result = model(**inputs)
    if task == "feature-extraction":
        return (result.last_hidden_state,)
    if task == "question-answering":
        return result.start_logits, result.end_logits
    return (result.logits,)
