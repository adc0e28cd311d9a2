"""Model class: a loaded linnet file with its inference methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from linnet.errors import InvalidArgumentError, TaskMismatchError
from linnet.format.manifest import Manifest
from linnet.inputs import TextInput
from linnet.runtime import Encoding, FloatArray, Runtime, TextState
from linnet.session import RunOptions, Session
from linnet.tasks import Task, get_task
from linnet.tokenization import OpenedTokenizer

if TYPE_CHECKING:
    from linnet.format.evidence import Evidence
    from linnet.generation import Chat, Completion
    from linnet.monitoring.metrics import Metrics
    from linnet.monitoring.watch import Watch

__all__ = ["Model"]


class Model:
    """One loaded linnet file.

    A model can be used from several threads. Its calls take turns, while two models run in parallel; a model with
    several sessions distributes each list of inputs over them. A model that was loaded from a path can be pickled and
    copied, also for another process: it is opened again from its path, with the same settings.

    Attributes:
        manifest: the manifest of the file.
        path: path of the file; None if it was loaded from bytes.
        reopening: function and arguments that open the file again, for pickle and copy; None: it cannot be.
    """

    reopening: tuple[Callable[..., Model], tuple[Any, ...]] | None = None

    def __init__(self, runtime: Runtime, *, path: str | None = None, more: Sequence[Runtime] = ()) -> None:
        """Wrap a runtime with an open file; :func:`linnet.load` does this for applications.

        Args:
            runtime: the open file.
            path: path of the file; None if it was loaded from bytes.
            more: runtimes with the same file, one for each further session.

        Raises:
            FileError: this linnet cannot read the manifest.
        """
        self._runtime = runtime
        self._more = tuple(more)
        self.path = path
        self.manifest = Manifest.from_raw(runtime.manifest)
        self._session = Session(runtime, self.manifest, self._more)
        self._task: Task = get_task(self.manifest.task)

    # -- answers -------------------------------------------------------------------------------

    def __call__(self, inputs: object = None, /, **options: Any) -> Any:
        """Run inference on one input or a list, and return what the Hugging Face pipeline of the task returns.

        ==========================  ==========================================================
        task                        options besides ``batch_size`` and ``truncation``
        ==========================  ==========================================================
        text-classification         ``top_k``, ``function_to_apply``
        token-classification        ``aggregation_strategy``, ``ignore_labels``, ``stride``
        fill-mask                   ``top_k``, ``targets``
        feature-extraction          ``return_tensors`` (see also :meth:`encode`)
        question-answering          ``question``, ``context``, ``top_k``, ``doc_stride``,
                                    ``max_answer_len``, ``max_seq_len``,
                                    ``handle_impossible_answer``, ``align_to_words``
        text-ranking                none (see also :meth:`rank` and :meth:`predict`)
        text-generation             ``return_full_text`` and those of :class:`linnet.generation.GenerationOptions`
                                    (see also :meth:`generate`, :meth:`stream` and :meth:`chat`)
        ==========================  ==========================================================

        Args:
            inputs: a str, a pair as a tuple of two str, or a list of these; for question-answering a dict
                with ``question`` and ``context`` or a list of such dicts. An empty text is answered too.
            options: see the table. With ``truncation=False`` a text over the maximum length is an error.

        Raises:
            InvalidArgumentError: an input or an option has the wrong form; the message has its position.
            TextTooLongError: a text is over the maximum length, and ``truncation`` is False or not possible.

        Warns:
            TruncationWarning: texts were cut at the maximum length.
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
            batch_size: largest number of texts in one run; None: the largest batch of the file.
            normalize_embeddings: scale each vector to unit length.
            prompt_name: put this prompt of the file before each text; None: the file's default prompt.
            prompt: put this text before each text; ``prompt_name`` is then ignored.
            truncation: if False, a text over the maximum length is an error.

        Raises:
            TaskMismatchError: the task of the file is not feature-extraction, or the program does not pool.
            InvalidArgumentError: a text is not a str, or the file has no such prompt.
        """
        self._require("encode()", "feature-extraction")
        from linnet.embeddings import embed

        run = RunOptions(batch_size=batch_size, truncation=truncation)
        return embed(
            self._session, texts, normalize=normalize_embeddings, prompt_name=prompt_name, prompt=prompt, run=run
        )

    def similarity(self, left: object, right: object) -> FloatArray:
        """Return the cosine similarity of each embedding of ``left`` to each of ``right``: float32 [left, right]."""
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
        """Rank passages by their relevance to a query, like ``CrossEncoder.rank`` of sentence-transformers.

        Returns:
            ``{"corpus_id", "score"}`` for each passage, best first; with ``"text"`` if ``return_documents`` is True.

        Raises:
            TaskMismatchError: the task of the file is not text-ranking, or a pair has several scores.
            InvalidArgumentError: a passage is not a str.
        """
        self._require("rank()", "text-ranking")
        from linnet.tasks.text_ranking import rank

        run = RunOptions(batch_size=batch_size, truncation=truncation)
        return rank(self._session, query, passages, top_k=top_k, return_documents=return_documents, run=run)

    def predict(self, pairs: object, *, batch_size: int | None = None, truncation: bool = True) -> FloatArray:
        """Return scores of pairs, like ``CrossEncoder.predict`` of sentence-transformers.

        The result is float32 [pairs], or [pairs, scores] if a pair has several scores.

        Args:
            pairs: a list of (query, passage), each a tuple or a list of two str; or one such pair.

        Raises:
            TaskMismatchError: the task of the file is not text-ranking.
            InvalidArgumentError: an item is not a pair; the message has its position.
        """
        self._require("predict()", "text-ranking")
        from linnet.tasks.text_ranking import score_pairs

        return score_pairs(self._session, pairs, RunOptions(batch_size=batch_size, truncation=truncation))

    def generate(self, prompt: object, *, state: TextState | None = None, **options: Any) -> Completion:
        """Continue a text or answer a conversation, and return the completion with its tokens.

        Args:
            prompt: a str, or a list of messages ``{"role": ..., "content": ...}``.
            state: text of :meth:`new_text` to go on with; what it shares with the prompt is not computed again.
            options: those of :class:`linnet.generation.GenerationOptions`.

        Raises:
            TaskMismatchError: the task of the file is not text-generation.
            ContextFullError: the prompt has more tokens than the context.
            InvalidArgumentError: the prompt or an option has the wrong form.
        """
        self._require("generate()", "text-generation")
        from linnet.generation import GenerationOptions, complete

        session = self._session
        return complete(session, state or session.new_text(), prompt, GenerationOptions.of(options))

    def stream(self, prompt: object, *, state: TextState | None = None, **options: Any) -> Iterator[str]:
        """Yield a completion piece by piece; arguments and errors are those of :meth:`generate`.

        Leaving the loop stops the generation.
        """
        self._require("stream()", "text-generation")
        from linnet.generation import GenerationOptions, open_stream

        session, settings = self._session, GenerationOptions.of(options)
        tokens = open_stream(session, state or session.new_text(), prompt, settings, log_probabilities=False)
        return (token.text for token in tokens if token.text)

    def chat(
        self, *, system: str | None = None, capacity: int = 0, state: TextState | None = None, **options: Any
    ) -> Chat:
        """Begin a conversation, which remembers its turns.

        Args:
            system: system message.
            capacity: most tokens of the conversation; 0: as many as the file can.
            state: text of :meth:`new_text` to begin with; what it shares with the conversation is not computed again.
            options: those of :class:`linnet.generation.GenerationOptions`, for all answers.

        Raises:
            TaskMismatchError: the task of the file is not text-generation.
            UnknownFieldError: the file has no chat template.
        """
        self._require("chat()", "text-generation")
        from linnet.generation import Chat, GenerationOptions

        session = self._session
        return Chat(session, state or session.new_text(capacity), system, GenerationOptions.of(options))

    def prepare(self, prompt: object, *, capacity: int = 0) -> TextState:
        """Compute the beginning of many texts once; ``save()`` keeps it, and :meth:`new_text` reads it.

        Args:
            prompt: a str, or messages that conversations begin with.
            capacity: most tokens of a text that goes on with it; 0: as many as the file can.

        Raises:
            TaskMismatchError: the task of the file is not text-generation.
            ContextFullError: the prompt has more tokens than the context.
            InvalidArgumentError: the prompt has the wrong form.
        """
        self._require("prepare()", "text-generation")
        from linnet.generation import shared_beginning

        ids = shared_beginning(self._session, prompt)
        if not ids:
            raise InvalidArgumentError("the prompt has no tokens, expected a text that others begin with")
        state = self._session.new_text(capacity)
        state.append(ids)
        return state

    def choose(self, prompt: object, choices: Sequence[str], *, state: TextState | None = None) -> list[dict[str, Any]]:
        """Return how probable each choice is as the continuation of a prompt, as text-classification answers.

        The score is the probability of the whole choice, divided by the sum over all choices.

        Args:
            prompt: a str, or a list of messages ``{"role": ..., "content": ...}``.
            choices: different texts with a character; a shorter one tends to be more probable.
            state: text of :meth:`new_text` to go on with; what it shares with the prompt is not computed again.

        Returns:
            ``{"label", "score"}`` for each choice, best first.

        Raises:
            TaskMismatchError: the task of the file is not text-generation.
            ContextFullError: prompt and choice have more tokens than the context.
            InvalidArgumentError: the prompt or the choices have the wrong form.
        """
        self._require("choose()", "text-generation")
        from linnet.choosing import choose
        from linnet.generation import read_prompt

        session = self._session
        return choose(session, state or session.new_text(), read_prompt(session, prompt), choices)

    def new_text(self, *, capacity: int = 0, path: str | None = None) -> TextState:
        """Make an empty text of a decoder, or read one that ``save()`` wrote; it is appended to, rewound and forked.

        Raises:
            TaskMismatchError: the task of the file is not text-generation.
            StateInvalidError: the saved text is damaged, or belongs to another model.
        """
        self._require("new_text()", "text-generation")
        return self._session.new_text(capacity, path)

    # -- tokens and raw outputs ----------------------------------------------------------------

    def tokenize(self, text: str, pair: str | None = None, *, truncation: bool = True) -> Encoding:
        """Tokenize a text or a pair: ``ids``, ``type_ids``, ``offsets`` and ``truncated``, as the program gets them.

        Offsets count code points of the original text. No prompt is added.

        Raises:
            InvalidTextError: the text cannot be written as UTF-8.
            TextTooLongError: the text is over the maximum length, and ``truncation`` is False or not possible.
        """
        for name, value in (("text", text), ("pair", pair)):
            if not isinstance(value, str) and not (name == "pair" and value is None):
                raise InvalidArgumentError(f"{name} is a {type(value).__name__}, expected a str")
        strategy = self.strategy if truncation else "never"
        return self._session.encode(TextInput(text, pair), truncation=strategy)

    def prompt_tokens(self, prompt: str) -> int:
        """Return how many tokens of ``tokenize(prompt + text)`` the program is not to pool, for :meth:`run`.

        It is 0 unless the model was trained to leave the prompt out of its embeddings (`include_prompt`: false).
        """
        return self._session.prompt_tokens(prompt)

    def run(self, encoding: Encoding, *, prompt_tokens: int = 0) -> dict[str, FloatArray]:
        """Run the program on one encoding and return its outputs by name, float32, without the batch axis."""
        return self._session.run(encoding, prompt_tokens)

    @property
    def session(self) -> Session:
        """Encoding and inference without decoding of answers, for packages that build on linnet."""
        return self._session

    @property
    def tokenizer(self) -> OpenedTokenizer:
        """The tokenizer of the file, with its ``vocabulary``; opened on first use.

        Raises:
            ExtraMissingError: this kind of tokenizer needs a package that is not installed.
            TokenizerInvalidError: the tokenizer bytes cannot be parsed.
        """
        return self._session.tokenizer

    @property
    def strategy(self) -> str:
        """Truncation strategy of the task: ``only_second`` for question-answering, else ``longest_first``."""
        return self._task.strategy

    @property
    def task(self) -> str:
        """Hugging Face name of the task."""
        return self.manifest.task

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the outputs; empty if the task has none."""
        return self.manifest.labels

    @property
    def max_length(self) -> int:
        """Largest number of tokens of an input, special tokens included."""
        return self.manifest.max_length

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the inference methods: ``forward``, and if present ``forward_batch`` and ``forward_fused``."""
        return tuple(self._runtime.methods)

    @cached_property
    def evidence(self) -> Evidence:
        """Evidence from the trailer: proof, golden cases and report of the export.

        Raises:
            TrailerDamagedError: the evidence is not a JSON object.
            SchemaTooNewError: the evidence has another major schema version.
        """
        from linnet.format.evidence import Evidence  # not needed to load a tested file

        return Evidence.from_json(self.raw_evidence)

    @cached_property
    def raw_evidence(self) -> dict[str, Any]:
        """Evidence as parsed JSON, including fields that this version does not know.

        Raises:
            TrailerDamagedError: the evidence is not a JSON object.
        """
        from linnet.format.evidence import parse_evidence

        return parse_evidence(self._runtime.evidence, self.path or "the file")

    def watch(self, metrics: Metrics, name: str | None = None) -> Watch:
        """Count what this model does from now on: inputs, tokens, times, scores and errors, never a text.

        Args:
            metrics: where the numbers go; several models may share them.
            name: value of the label ``model``; None: the name of the file.

        Raises:
            InvalidArgumentError: the name has characters that no model's name has, or there are too many models.
        """
        from linnet.monitoring.watch import Watch, model_name
        from linnet.monitoring.watched_session import WatchedSession

        watch = Watch(metrics, self.manifest, model_name(self.path, name, self.manifest))
        self._session = WatchedSession(self._runtime, self.manifest, self._more, watch)
        return watch

    # -- lifetime ------------------------------------------------------------------------------

    def close(self) -> None:
        """Free the program. The manifest stays readable; every other use raises InvalidArgumentError."""
        for runtime in (self._runtime, *self._more):
            runtime.close()

    def __reduce__(self) -> tuple[Callable[..., Model], tuple[Any, ...]]:
        _ = self._runtime.methods  # raises if the model is closed
        if self.reopening is None:
            raise InvalidArgumentError(
                "expected a model that linnet.load opened from a path, got one from bytes; only the path can be "
                "pickled or copied, so load it from a file, or load it again in the other process"
            )
        return self.reopening

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
        found = self.manifest.task
        if found != task:
            # one score a pair: a reranker whose checkpoint did not say so
            ranks = (found, task, len(self.manifest.labels)) == ("text-classification", "text-ranking", 1)
            raise TaskMismatchError(
                f"{wanted} needs a file of task {task}; this one is {found} and can do {self._task.abilities}"
                + ("; export its checkpoint with --task text-ranking" if ranks else "")
            )
