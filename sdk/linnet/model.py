"""A linnet file, opened: what an application works with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from linnet.errors import InvalidArgumentError, TaskMismatchError, TrailerDamagedError
from linnet.format.manifest import Manifest
from linnet.inputs import TextInput
from linnet.runtime import Encoding, FloatArray, Runtime
from linnet.session import RunOptions, Session
from linnet.tasks import Task, get_task
from linnet.tokenization import OpenedTokenizer

if TYPE_CHECKING:
    from linnet.format.evidence import Evidence

__all__ = ["Model"]


class Model:
    """One opened file. Safe to use from several threads; two models run in parallel, one does not, except that
    a model with several sessions shares each list between them.

    Attributes:
        manifest: the file's contract.
        path: where it was opened, None if from bytes.
    """

    def __init__(self, runtime: Runtime, *, path: str | None = None, more: Sequence[Runtime] = ()) -> None:
        """Wrap an opened runtime, or the same file opened several times; :func:`linnet.load` is the usual way.

        Raises:
            FileError: the contract is not one that this linnet reads.
        """
        self._runtime = runtime
        self._more = tuple(more)
        self.path = path
        self.manifest = Manifest.from_raw(runtime.manifest)
        self._session = Session(runtime, self.manifest, self._more)
        self._task: Task = get_task(self.manifest.task)

    # -- answers -------------------------------------------------------------------------------

    def __call__(self, inputs: object = None, /, **options: Any) -> Any:
        """Answer a text or a list, in the form of the Hugging Face pipeline of the file's task.

        ==========================  ==========================================================
        task                        options beside ``batch_size`` and ``truncation``
        ==========================  ==========================================================
        text-classification         ``top_k``, ``function_to_apply``
        token-classification        ``aggregation_strategy``, ``ignore_labels``
        fill-mask                   ``top_k``, ``targets``
        feature-extraction          ``return_tensors`` (see also :meth:`encode`)
        question-answering          ``question``, ``context``, ``top_k``, ``doc_stride``,
                                    ``max_answer_len``, ``max_seq_len``,
                                    ``handle_impossible_answer``, ``align_to_words``
        text-ranking                none (see also :meth:`rank` and :meth:`predict`)
        ==========================  ==========================================================

        Args:
            inputs: a str, a pair as a tuple of two str, or a list of these; for question-answering a dict
                with ``question`` and ``context`` or a list of such dicts.
            options: as above. ``truncation=False`` makes a text over the bound an error.

        Raises:
            InvalidArgumentError: an input or an option has the wrong form; the message has its position.
            TextTooLongError: a text does not fit, and ``truncation`` is False or cannot help.

        Warns:
            TruncationWarning: texts were cut at the bound.
        """
        return self._task(self._session, inputs, options)

    def encode(
        self,
        texts: object,
        *,
        batch_size: int | None = None,
        normalize_embeddings: bool = False,
        prompt_name: str | None = None,
        prompt: str | None = None,
        truncation: bool = True,
    ) -> FloatArray:
        """Return sentence embeddings as sentence-transformers does: float32 [texts, size], [size] for a str.

        Args:
            texts: a str or an iterable of str.
            batch_size: most texts of one run; None: the file's largest batch.
            normalize_embeddings: give each vector the length 1.
            prompt_name: put this prompt of the file before each text; None: the file's default prompt.
            prompt: put this text before each text, whatever ``prompt_name`` says.
            truncation: False makes a text over the bound an error.

        Raises:
            TaskMismatchError: the file gives no embeddings.
            InvalidArgumentError: a text is no str, or there is no such prompt.
        """
        self._require("encode()", "feature-extraction")
        from linnet.embeddings import embed

        run = RunOptions(batch_size=batch_size, truncation=truncation)
        return embed(
            self._session,
            texts,
            normalize=normalize_embeddings,
            prompt_name=prompt_name,
            prompt=prompt,
            run=run,
        )

    def similarity(self, left: object, right: object) -> FloatArray:
        """Return the cosine of each embedding of ``left`` with each of ``right``: float32 [left, right]."""
        self._require("similarity()", "feature-extraction")
        from linnet.embeddings import cosine_similarity

        return cosine_similarity(left, right)

    def rank(
        self,
        query: str,
        passages: object,
        *,
        top_k: int | None = None,
        return_documents: bool = False,
        batch_size: int | None = None,
        truncation: bool = True,
    ) -> list[dict[str, Any]]:
        """Order passages by their score for a query, as CrossEncoder.rank.

        Returns:
            ``{"corpus_id", "score"}`` for each passage, best first, with ``"text"`` if asked for.

        Raises:
            TaskMismatchError: the file does not score pairs.
            InvalidArgumentError: a passage is no str.
        """
        self._require("rank()", "text-ranking")
        from linnet.tasks.text_ranking import rank

        run = RunOptions(batch_size=batch_size, truncation=truncation)
        return rank(self._session, query, passages, top_k=top_k, return_documents=return_documents, run=run)

    def predict(self, pairs: object, *, batch_size: int | None = None, truncation: bool = True) -> FloatArray:
        """Score pairs, as CrossEncoder.predict: float32 [pairs]; [pairs, scores] if a pair has several.

        Args:
            pairs: a list of (query, passage), each a tuple or a list of two str; or one such pair.

        Raises:
            TaskMismatchError: the file does not score pairs.
            InvalidArgumentError: something is no pair; the message has its position.
        """
        self._require("predict()", "text-ranking")
        from linnet.tasks.text_ranking import score_pairs

        return score_pairs(self._session, pairs, RunOptions(batch_size=batch_size, truncation=truncation))

    # -- below the answers ---------------------------------------------------------------------

    def tokenize(self, text: str, pair: str | None = None, *, truncation: bool = True) -> Encoding:
        """Return the tokens that the program would see: ``ids``, ``type_ids``, ``offsets``, ``truncated``.

        Offsets are code points of the original text. No prompt is added.

        Raises:
            InvalidTextError: the text cannot be written as UTF-8.
            TextTooLongError: the text does not fit, and ``truncation`` is False or cannot help.
        """
        for name, value in (("text", text), ("pair", pair)):
            if not isinstance(value, str) and not (name == "pair" and value is None):
                raise InvalidArgumentError(f"{name} is a {type(value).__name__}, needed a str")
        strategy = self.strategy if truncation else "never"
        return self._session.encode(TextInput(text, pair), truncation=strategy)

    def run(self, encoding: Encoding) -> dict[str, FloatArray]:
        """Return the program's outputs for one encoding by name, float32, without the batch axis."""
        return self._session.run(encoding)

    @property
    def tokenizer(self) -> OpenedTokenizer:
        """The file's tokenizer, with its ``vocabulary``; opened when it is first needed.

        Raises:
            ExtraMissingError: the file's kind of tokenizer needs a package that is not installed.
            TokenizerInvalidError: the tokenizer's bytes do not parse.
        """
        return self._session.tokenizer

    @property
    def strategy(self) -> str:
        """How the task cuts what does not fit: a question stays whole, else the longer text loses first."""
        return self._task.strategy

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the methods that compute: ``forward``, perhaps ``forward_batch`` and ``forward_fused``."""
        return tuple(self._runtime.methods)

    @cached_property
    def evidence(self) -> Evidence:
        """What was measured when the file was made: proof, golden cases, report of the export.

        Raises:
            TrailerDamagedError: it is not a JSON object.
            SchemaTooNewError: another major version of linnet wrote it.
        """
        from linnet.format.evidence import Evidence  # loading a file that is known here needs none

        return Evidence.from_json(self.raw_evidence)

    @cached_property
    def raw_evidence(self) -> dict[str, Any]:
        """The evidence as the file has it, parsed JSON, with what this version does not know.

        Raises:
            TrailerDamagedError: it is not a JSON object.
        """
        try:
            evidence = json.loads(self._runtime.evidence)
        except ValueError as error:
            raise TrailerDamagedError(f"the evidence is not JSON: {error}; export the file again") from error
        if not isinstance(evidence, dict):
            raise TrailerDamagedError(f"the evidence is a {type(evidence).__name__}, needed a JSON object")
        return evidence

    # -- lifetime ------------------------------------------------------------------------------

    def close(self) -> None:
        """Free the program; the manifest stays readable, every other use is an InvalidArgumentError."""
        for runtime in (self._runtime, *self._more):
            runtime.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        manifest = self.manifest
        where = "from bytes" if self.path is None else repr(self.path)
        return (
            f"<linnet.Model {manifest.task} {manifest.model_type} {manifest.recipe}, "
            f"at most {manifest.max_length} tokens, {where}>"
        )

    def _require(self, wanted: str, task: str) -> None:
        if self.manifest.task != task:
            raise TaskMismatchError(
                f"{wanted} needs a file of task {task}; this one is {self.manifest.task} "
                f"and can do {self._task.abilities}"
            )
