"""A linnet file, opened: what an application works with."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from linnet.assets import default_model
from linnet.errors import InvalidArgumentError, TaskMismatchError, TrailerDamagedError
from linnet.inputs import TextInput
from linnet.manifest import Manifest
from linnet.runtime import Encoding, FloatArray, Runtime, open_runtime
from linnet.self_test import file_identity, is_wanted, run_self_test
from linnet.session import RunOptions, Session
from linnet.tasks import Task, get_task
from linnet.tokenization import OpenedTokenizer

__all__ = ["Model", "load"]

_MOST_SESSIONS = 64


def load(
    source: str | Path | bytes | None = None,
    *,
    threads: int = 0,
    sessions: int = 1,
    self_test: bool | None = None,
    fused: bool | None = None,
    profile: str | os.PathLike[str] | None = None,
    require_signature: str | Path | None = None,
) -> Model:
    """Open a linnet file, and see once for each machine that it answers as the file was proven to.

    Args:
        source: path of the file (mapped), or its bytes (copied); None: the model that comes with linnet, see
            :func:`linnet.default_model`.
        threads: of the whole process, fixed by the first model; 0: the fixed number, or all CPUs; with several
            sessions 1.
        sessions: how many texts of a list run at the same time. Each session prepares the weights again, so
            memory grows with it; for lists ``threads=1, sessions=n`` is faster than ``threads=n`` (measured by
            ``make bench``, part encode). A single text runs on one. From ``threads=3`` on they take turns.
        self_test: repeat golden cases of the file unless they were repeated on this machine before; None:
            unless the environment variable LINNET_SELF_TEST is 0.
        fused: whether linnet's own operators (``forward_fused``) are used, if the file has them; None: where they
            are faster; False: what a stock ExecuTorch runtime computes.
        profile: what ``linnet tune`` found: a path, or "auto" for what it kept about this file and machine, if it
            did. Gives ``threads`` and ``fused`` where they are not given here, and binds the calling thread, and
            the threads that the first model starts, to its CPUs.
        require_signature: an Ed25519 public key (PEM file) that must have signed the file, which is then given as a
            path; needs ``pip install "linnet[sign]"``.

    Raises:
        SignatureError: the file has no signature, or not one of the required key.
        GoldenMismatchError: the self-test failed: kernels, processor or emulator are wrong here.
        FileError: the file is missing, damaged, too new or no linnet file.
        BuildError: this build lacks a backend or an operator that the program needs.
        ThreadsFixedError: the process already runs with another number of threads.
        InvalidArgumentError: ``source``, ``threads``, ``sessions`` or ``fused`` is something else.
    """
    _check_settings(threads, sessions, fused)
    tested = is_wanted(self_test)
    opened, path = _source(default_model() if source is None else source)
    if require_signature is not None:
        opened = _signed(path, require_signature)
    if profile is not None:
        threads, fused = _tuned(opened, profile, threads, fused, sessions)
    if sessions > 1 and threads == 0:
        threads = 1
    model = _open(opened, path, threads, sessions, fused)
    if tested:
        try:
            run_self_test(model, file_identity(opened))
        except BaseException:
            model.close()
            raise
    return model


def _check_settings(threads: int, sessions: int, fused: bool | None) -> None:
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 0:
        raise InvalidArgumentError(f"threads is {threads!r}, needed an int of at least 0")
    if isinstance(sessions, bool) or not isinstance(sessions, int) or not 1 <= sessions <= _MOST_SESSIONS:
        raise InvalidArgumentError(f"sessions is {sessions!r}, needed an int of 1 to {_MOST_SESSIONS}")
    if fused is not None and not isinstance(fused, bool):
        raise InvalidArgumentError(f"fused is {fused!r}, needed a bool or None")


def _source(source: str | Path | bytes) -> tuple[str | bytes, str | None]:
    """Return what the runtime opens, and its path if it has one."""
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source), None
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        return path, path
    raise InvalidArgumentError(f"source is a {type(source).__name__}, needed a path or the file's bytes")


def _tuned(
    source: str | bytes, profile: str | os.PathLike[str], threads: int, fused: bool | None, sessions: int
) -> tuple[int, bool | None]:
    """Return threads and attention from a profile, where they were not given; bind to its CPUs."""
    from linnet.tune.apply import apply_profile  # seldom needed, and a start is short without it

    return apply_profile(source, profile, threads=threads, fused=fused, sessions=sessions)


def _signed(path: str | None, key: str | Path) -> bytes:
    """Return the bytes that were checked: a path could name another file a moment later."""
    if path is None:
        raise InvalidArgumentError("require_signature needs the path of a file, not its bytes")
    from linnet.signature import read_signed

    return read_signed(path, key)


def _open(source: str | bytes, path: str | None, threads: int, sessions: int, fused: bool | None) -> Model:
    runtimes: list[Runtime] = []
    try:
        for _ in range(sessions):
            runtime = open_runtime(source, threads)
            runtimes.append(runtime)
            if fused is not None:
                runtime.set_fused(fused)
        return Model(runtimes[0], path=path, more=runtimes[1:])
    except BaseException:
        for each in runtimes:
            each.close()
        raise


class Model:
    """One opened file. Safe to use from several threads; two models run in parallel, one does not, except that
    a model with several sessions shares each list between them.

    Attributes:
        manifest: the file's contract.
        path: where it was opened, None if from bytes.
    """

    def __init__(self, runtime: Runtime, *, path: str | None = None, more: Sequence[Runtime] = ()) -> None:
        """Wrap an opened runtime, or the same file opened several times; :func:`load` is the usual way.

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
        return "only_second" if self.manifest.task == "question-answering" else "longest_first"

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the methods that compute: ``forward``, perhaps ``forward_batch``."""
        return tuple(self._runtime.methods)

    @cached_property
    def evidence(self) -> dict[str, Any]:
        """What was measured when the file was made.

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
