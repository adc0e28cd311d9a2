"""Loading of a checkpoint from a directory or hub id: float32 model, tokenizer, labels and score function."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tokenizers
import transformers

from linnet.prompt_tokens import count_prompt_tokens
from linnet_export.checkpoint.foreign_parts import check_files, check_weights
from linnet_export.checkpoint.opening import OpenedCheckpoint, open_checkpoint
from linnet_export.checkpoint.original_inputs import OriginalTokenizer, TokenTypes, read_token_types
from linnet_export.checkpoint.sentence_modules import SentenceModules, default_modules
from linnet_export.checkpoint.settings import label_names
from linnet_export.checkpoint.source import Source, licence_of, weights_sha256
from linnet_export.checkpoint.task_detection import detect_task, known_task
from linnet_export.checkpoint.weights import LoadedModel, load_model
from linnet_export.config import DEFAULT_CONTEXT, MAX_POSITIONS, ExportConfig
from linnet_export.errors import CheckpointError
from linnet_export.generation.settings import GenerationSettings, read_generation_settings
from linnet_export.graph.architectures import get_architecture
from linnet_export.graph.decoders import get_decoder
from linnet_export.graph.sentence_layers import output_width
from linnet_export.tasks import Task
from linnet_export.tokenizer import read_tokenizer

__all__ = ["Checkpoint", "load_checkpoint"]


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint.

    Attributes:
        source: where it came from.
        task: what the model is for.
        model: the original in float32, in eval mode, on the CPU.
        tokenizer: its tokenizer, without truncation and padding.
        original: the same as transformers reads it, which gives the original its inputs.
        token_types: what the original does with token types.
        sentence: sentence-transformers modules of an embedder; None for other tasks and without pooling.
        labels: class names by index; empty where the task has none.
        score_function: softmax, sigmoid or none.
        max_length: bound in tokens, special tokens included.
        sha256: SHA-256 of the weights, hexadecimal.
        size: bytes of the weights.
        license: licence named by the model card, or empty.
        special_tokens: token by role (pad, unk, cls, sep, mask).
        clean_up: `transformers` drops the space before punctuation when it decodes.
        generation: end tokens, recommended sampling and chat template of a decoder; None for other tasks.
        notes: what the user should know about how it was read, sentences.
        warnings: those of the notes that may be a mistake: what the checkpoint does not say, and linnet assumed.
    """

    source: Source
    task: Task
    model: transformers.PreTrainedModel
    tokenizer: tokenizers.Tokenizer
    original: OriginalTokenizer
    token_types: TokenTypes
    sentence: SentenceModules | None
    labels: tuple[str, ...]
    score_function: str
    max_length: int
    sha256: str
    size: int
    license: str
    special_tokens: Mapping[str, str]
    clean_up: bool = False
    generation: GenerationSettings | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def vocab_size(self) -> int:
        """Rows of the word embedding."""
        return embedding_rows(self.model)

    @property
    def takes_pairs(self) -> bool:
        """True if texts can come in pairs."""
        return self.task.takes_pairs and self.token_types.pairs

    def special_id(self, role: str) -> int:
        """Return the id of a special token by role (pad, unk, cls, sep, mask); -1 if there is none."""
        token_id = self.tokenizer.token_to_id(self.special_tokens.get(role, ""))
        return -1 if token_id is None else int(token_id)

    @property
    def pooling(self) -> str:
        """Poolings joined by +; none if the program gives one vector per token."""
        return self.sentence.pooling if self.sentence else "none"

    @property
    def normalize(self) -> bool:
        """True if the program gives the embedding unit length, of which it may keep the first numbers alone."""
        return bool(self.sentence and self.sentence.normalize)

    @property
    def embedding_size(self) -> int:
        """Numbers of an embedding; 0 where the task gives none."""
        if not self.task.embeds:
            return 0
        width = int(self.model.config.hidden_size)
        if self.sentence is None:
            return width
        width = output_width(self.sentence.layers, width * len(self.pooling.split("+")))
        return min(width, self.sentence.truncate_dim or width)


def load_checkpoint(config: ExportConfig) -> Checkpoint:
    """Load what ``config.model`` names.

    Raises:
        CheckpointError: files are missing, weights are pickled or do not belong to the task, or the
            checkpoint holds something that linnet does not support.
    """
    opened = open_checkpoint(config.model, config.revision, decoders=True)
    task, folders = _task(config, opened), opened.folders
    _check_kind(task, str(opened.settings.get("model_type")))
    chosen = config.task is not None
    notes = check_files(opened.source.directory, opened.settings, task, chosen=chosen)
    warnings = _pooling_notes(config, task, opened.sentence) + (() if chosen else _ranking_note(task, opened.config))
    sentence = _embedding_modules(config, task, opened.sentence)
    loaded = read_tokenizer(folders.tokenizer)
    labels = _labels(config, task, folders.config, opened.config)
    weights = load_model(folders, task.auto_class, opened.config)
    _check_complete(folders.weights, task, weights)
    notes += loaded.notes + weights.notes + check_weights(weights, task, chosen=chosen)
    _check_vocabulary(loaded.backend, weights.model)
    _check_lower_case(sentence, loaded.backend)
    original = OriginalTokenizer(loaded, weights.model)
    generation = _generation(opened, task, original, weights.model)
    notes += generation.notes if generation else ()
    files = [*opened.files, *(sentence.files if sentence else ())]
    checkpoint = Checkpoint(
        source=opened.source,
        task=task,
        model=weights.model,
        tokenizer=loaded.backend,
        original=original,
        token_types=read_token_types(original, weights.model, task),
        sentence=sentence,
        labels=labels,
        score_function=task.score_function(weights.model.config, _task_settings(opened)),
        max_length=(
            _context(config, weights.model)
            if task.generates
            else _max_length(config, _bounding(task, opened.sentence), original, weights.model)
        ),
        sha256=weights_sha256(files),
        size=sum(file.stat().st_size for file in files),
        license=licence_of(opened.source.directory),
        special_tokens=loaded.special_tokens,
        clean_up=loaded.clean_up,
        generation=generation,
        notes=warnings + notes,
        warnings=warnings,
    )
    _check_prompts(checkpoint)
    _ = checkpoint.embedding_size  # raises where a layer takes another width than the pooling gives
    return checkpoint


def _task(config: ExportConfig, opened: OpenedCheckpoint) -> Task:
    """Return the task that the user chose, or else the one that the checkpoint was made for."""
    if config.task:
        return known_task(config.task)
    adapter, sentence, settings = opened.folders.adapter, opened.sentence, _task_settings(opened)
    suffix = adapter.architecture_suffix if adapter else ""
    named = {**settings, "architectures": [suffix]} if suffix else settings
    return detect_task(named, sentence is not None and not sentence.cross_encoder)


def _task_settings(opened: OpenedCheckpoint) -> dict[str, Any]:
    """Return config.json, for a cross-encoder with what sentence-transformers before version 6 wrote there."""
    sentence, settings = opened.sentence, opened.settings
    if sentence is None or not sentence.cross_encoder:
        return settings
    saved = settings.get("sentence_transformers") or {}
    activation = {"activation_fn": sentence.activation} if sentence.activation else {}
    return {**settings, "sentence_transformers": {**saved, **activation}}


def _bounding(task: Task, sentence: SentenceModules | None) -> SentenceModules | None:
    """Return the modules whose bound in tokens holds for the task; None if they are those of another kind of model."""
    return sentence if sentence and sentence.cross_encoder != task.embeds else None


def _embedding_modules(config: ExportConfig, task: Task, sentence: SentenceModules | None) -> SentenceModules | None:
    """Return the modules behind the transformer, those of SentenceTransformer for a plain encoder."""
    if not task.embeds:
        if config.pooling is not None:
            raise CheckpointError(f"pooling is {config.pooling!r}, but {task.name} makes no embeddings; leave it out")
        return None
    modules = default_modules() if sentence is None or sentence.cross_encoder else sentence
    if config.pooling is None:
        return modules
    return None if config.pooling == "none" else dataclasses.replace(modules, pooling=config.pooling)


def _pooling_notes(config: ExportConfig, task: Task, sentence: SentenceModules | None) -> tuple[str, ...]:
    if not task.embeds or sentence is not None or config.pooling is not None:
        return ()
    return (
        "the checkpoint has no sentence-transformers files: an embedding is the mean of the tokens, as "
        "SentenceTransformer takes it; --pooling chooses another, --pooling none gives one vector per token",
    )


def _ranking_note(task: Task, config: Any) -> tuple[str, ...]:
    """Say that a classifier with one output may be a reranker: only sentence-transformers' own files tell."""
    if task.name != "text-classification" or int(config.num_labels or 0) != 1:
        return ()
    return (
        "the checkpoint has one output and does not say what for: if it scores a query and a passage (a reranker, a "
        "cross-encoder), export it with --task text-ranking, which gives the file rank() and predict()",
    )


def _check_complete(directory: Path, task: Task, weights: LoadedModel) -> None:
    missing = [name for name in weights.missing if not name.startswith(task.unused_weights)]
    if missing:
        raise CheckpointError(
            f"{directory}: {len(missing)} weights of {task.name} are missing or have another shape "
            f"({', '.join(missing[:6])}); expected a checkpoint that was trained for this task; choose one, or "
            "another --task"
        )


def embedding_rows(model: transformers.PreTrainedModel) -> int:
    """Return the number of rows of the word embedding."""
    weight: Any = model.get_input_embeddings().weight
    return int(weight.shape[0])


def _check_vocabulary(tokenizer: tokenizers.Tokenizer, model: transformers.PreTrainedModel) -> None:
    vocabulary = tokenizer.get_vocab(with_added_tokens=True)
    largest, rows = max(vocabulary.values()), embedding_rows(model)
    if len(vocabulary) < rows // 2:
        raise CheckpointError(
            f"the tokenizer has {len(vocabulary)} tokens, the word embedding has {rows} rows; the vocabulary file is "
            "cut off, or tokenizer and weights do not belong together"
        )
    if largest >= rows:
        raise CheckpointError(
            f"the tokenizer has ids up to {largest}, the word embedding has {rows} rows; "
            "tokenizer and weights do not belong together"
        )


def _check_lower_case(sentence: SentenceModules | None, tokenizer: tokenizers.Tokenizer) -> None:
    lowers = bool(getattr(tokenizer.normalizer, "lowercase", False))
    if sentence and sentence.lower_case and not lowers:
        raise CheckpointError(
            "sentence_bert_config.json: do_lower_case is true while the tokenizer keeps case, which linnet "
            "does not support; set lowercase in the tokenizer's normalizer instead"
        )


def _check_prompts(checkpoint: Checkpoint) -> None:
    """Refuse a prompt of which the device would leave out another number of tokens than sentence-transformers does."""
    sentence = checkpoint.sentence
    if sentence is None or sentence.include_prompt:
        return
    special = {checkpoint.special_id(role) for role in checkpoint.special_tokens}
    tokenizer = tokenizers.Tokenizer.from_str(checkpoint.tokenizer.to_str())
    tokenizer.enable_truncation(checkpoint.max_length)
    for name, prompt in sentence.prompts.items():
        encoding = tokenizer.encode(prompt)
        found = count_prompt_tokens(encoding.ids, encoding.sequence_ids, special) if prompt else 0
        expected = checkpoint.original.prompt_length(prompt, checkpoint.max_length)
        if found != expected:
            raise CheckpointError(
                f"the prompt {name!r} ends in a token of which the tokenizer does not say whether it is special: "
                f"sentence-transformers takes {expected} of its tokens out of the pooling, linnet would take {found}; "
                "name the token among the special tokens of tokenizer_config.json, or change the prompt"
            )


def _labels(config: ExportConfig, task: Task, directory: Path, own: Any) -> tuple[str, ...]:
    if not task.has_labels:
        if config.labels is not None:
            raise CheckpointError(f"labels were given, but {task.name} has none")
        return ()
    if config.labels is None:
        return label_names(directory, own.id2label or {})
    count = int(own.num_labels or 0)
    if len(config.labels) != count:
        raise CheckpointError(f"{len(config.labels)} labels were given, the checkpoint has {count} classes")
    return config.labels


def _check_kind(task: Task, model_type: str) -> None:
    """Refuse a decoder for the task of an encoder, whose head it does not have, and an encoder for text-generation."""
    if task.generates:
        get_decoder(model_type)
    else:
        get_architecture(model_type)


def _generation(
    opened: OpenedCheckpoint, task: Task, original: OriginalTokenizer, model: transformers.PreTrainedModel
) -> GenerationSettings | None:
    if not task.generates:
        return None
    return read_generation_settings(opened.folders.config, opened.config, original.tokenizer, embedding_rows(model))


def _context(config: ExportConfig, model: transformers.PreTrainedModel) -> int:
    """Return the most positions of a decoder's program."""
    positions = get_decoder(model.config.model_type).positions(model.config)
    if config.max_length is not None and config.max_length > positions:
        raise CheckpointError(f"the context is {config.max_length}, the model has {positions} positions; lower it")
    return config.max_length or min(positions, DEFAULT_CONTEXT)


def _max_length(
    config: ExportConfig,
    sentence: SentenceModules | None,
    original: OriginalTokenizer,
    model: transformers.PreTrainedModel,
) -> int:
    positions = get_architecture(model.config.model_type).positions(model.config)
    if config.max_length is not None:
        if config.max_length > positions:
            raise CheckpointError(f"max_length is {config.max_length}, the model has {positions} positions")
        return config.max_length
    # sentence-transformers reads its own bound, and before version 6 wrote it; else the tokenizer's
    named = original.max_length
    if sentence and (sentence.max_seq_length or named):
        return min(sentence.max_seq_length or named or positions, positions)
    return min(named or positions, positions, MAX_POSITIONS)
