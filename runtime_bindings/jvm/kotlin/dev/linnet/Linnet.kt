package dev.linnet

import java.security.KeyFactory
import java.security.Signature
import java.security.spec.X509EncodedKeySpec
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.locks.ReentrantReadWriteLock
import kotlin.concurrent.read
import kotlin.concurrent.write
import kotlin.math.max
import kotlin.math.sqrt

/**
 * An open linnet file (`.pte`): its tokenizer, labels and model.
 *
 * ```kotlin
 * Linnet.load("intents.pte").use { println(it.classify("turn the volume down").first()) }
 * ```
 *
 * **Threads and coroutines.** Several threads may share one object: tokenizing and decoding run in parallel, runs of the
 * program take turns. Calls block until the model has run, so call them from `Dispatchers.Default`. [close] waits for calls
 * in progress; later calls throw.
 *
 * **Memory.** The model is held outside the Java heap. [close] frees it, and its engine; the garbage collector does not.
 *
 * Failures are [LinnetException], with the [Status] of linnet.h. A text longer than [maxLength] is truncated; with
 * `truncate` false it fails with [Status.TEXT_TOO_LONG].
 */
class Linnet private constructor(private var handle: Long, private val program: EngineAdapter? = null) : AutoCloseable {
    private val lock = ReentrantReadWriteLock()
    private val owned = ConcurrentHashMap.newKeySet<Owned>()

    /** Hugging Face name of the task, for example `text-classification`. */
    val task: String = field("task") as String

    /** Class names; empty for a task without classes. */
    val labels: List<String> = withHandle { Native.labels(it).asList() }

    /** Maximum number of tokens of one input, special tokens included. */
    val maxLength: Int = (field("max_length") as Long).toInt()

    /** Return a manifest field as Long, Double, Boolean, String or ByteArray; [Status.UNKNOWN_FIELD] if it is absent. */
    fun field(name: String): Any = withHandle { Native.field(it, name.cString()).unwrapped() }

    // -- answers --------------------------------------------------------------------------------

    /** Classify a text or a text pair: the [topK] best classes, best first; 0 returns all. */
    @JvmOverloads
    fun classify(
        text: String,
        pair: String? = null,
        topK: Int = 0,
        scoreFunction: ScoreFunction = ScoreFunction.OF_FILE,
        truncate: Boolean = true,
    ): List<Classification> = withHandle {
        Native.classify(it, text.utf8(), pair?.utf8(), truncate.toInt(), topK, scoreFunction.ordinal).asList()
    }

    /** Classify texts, each as [classify] does. */
    @JvmOverloads
    fun classify(
        texts: List<String>,
        topK: Int = 0,
        scoreFunction: ScoreFunction = ScoreFunction.OF_FILE,
        truncate: Boolean = true,
    ): List<List<Classification>> = texts.map { classify(it, null, topK, scoreFunction, truncate) }

    /** Find the entities of a text, in text order. [ignored]: labels or entity groups to leave out. */
    @JvmOverloads
    fun entities(
        text: String,
        aggregation: Aggregation = Aggregation.SIMPLE,
        ignored: List<String> = listOf("O"),
        truncate: Boolean = true,
    ): List<Entity> = withHandle {
        val left = ignored.map(String::utf8).toTypedArray()
        Native.entities(it, text.utf8(), truncate.toInt(), aggregation.ordinal, left).asList()
    }

    /** Find the entities of texts, each as [entities] does. */
    @JvmOverloads
    fun entities(
        texts: List<String>,
        aggregation: Aggregation = Aggregation.SIMPLE,
        ignored: List<String> = listOf("O"),
        truncate: Boolean = true,
    ): List<List<Entity>> = texts.map { entities(it, aggregation, ignored, truncate) }

    /** Return the best answer to a question from a context of any length, which is read in overlapping windows. */
    fun answer(question: String, context: String): Answer = answer(question, context, topK = 1).first()

    /** Return the [topK] best answers, best first. */
    fun answer(question: String, context: String, topK: Int): List<Answer> =
        answer(question, context, QuestionOptions(topK = topK))

    /** Return the `options.topK` best answers, best first. */
    fun answer(question: String, context: String, options: QuestionOptions): List<Answer> = withHandle {
        Native.answer(
            it, question.utf8(), context.utf8(), options.topK, options.maxAnswerLength, options.maxLength, options.stride,
            options.allowEmpty.toInt(), options.alignToWords.toInt(),
        ).asList()
    }

    /** The former name of [answer]. */
    @Deprecated("use answer()", ReplaceWith("answer(question, context, options)"))
    @JvmOverloads
    fun answers(question: String, context: String, options: QuestionOptions = QuestionOptions()): List<Answer> =
        answer(question, context, options)

    /** Return the [topK] best tokens for each mask, in text order. [targets]: consider only these tokens. */
    @JvmOverloads
    fun fillMask(
        text: String,
        topK: Int = 5,
        targets: List<String>? = null,
        truncate: Boolean = true,
    ): List<List<MaskProposal>> = withHandle { handle ->
        val ids = targets?.map { target -> tokenId(handle, target) }?.sorted()?.toLongArray()
        Native.fillMask(handle, text.utf8(), truncate.toInt(), topK, ids).groupBy(MaskProposal::mask).values.toList()
    }

    /**
     * Embed a text. [prompt]: name of a prompt in the file, null for its default; [normalize]: scale to unit length.
     *
     * Of a model that was trained to leave its prompts out of the embedding, the tokens of the prompt are not pooled.
     */
    @JvmOverloads
    fun embed(text: String, prompt: String? = null, normalize: Boolean = false, truncate: Boolean = true): FloatArray =
        withHandle { Native.embed(it, text.utf8(), truncate.toInt(), prompt?.cString(), normalize.toInt()) }

    /** Embed texts, each as [embed] does. */
    @JvmOverloads
    fun embed(
        texts: List<String>,
        prompt: String? = null,
        normalize: Boolean = false,
        truncate: Boolean = true,
    ): List<FloatArray> = texts.map { embed(it, prompt, normalize, truncate) }

    /**
     * Begin to count what this object answers, from 0: inputs, tokens, times, classes, scores and errors, never a text.
     *
     * [name]: what the model is called in [statistics]: up to 64 letters, digits and ._:@/+-.
     */
    fun startStatistics(name: String) = withHandle { Native.startStatistics(it, name.cString()) }

    /** Stop counting; what was counted can still be read. */
    fun stopStatistics() = withHandle { Native.stopStatistics(it) }

    /** Return what was counted as JSON, which `linnet monitor merge` adds to that of other devices. */
    fun statistics(): String = withHandle { Native.statistics(it) }

    /** Score a query-passage pair; one number for each output of the model. */
    @JvmOverloads
    fun score(query: String, passage: String, truncate: Boolean = true): FloatArray =
        withHandle { Native.score(it, query.utf8(), passage.utf8(), truncate.toInt()) }

    /** Rank passages by their score for a query: the [topK] best, best first. Equal scores keep the order of the list. */
    @JvmOverloads
    fun rank(query: String, passages: List<String>, topK: Int = passages.size, truncate: Boolean = true): List<RankedPassage> =
        passages.mapIndexed { index, passage -> RankedPassage(index, single(score(query, passage, truncate)), passage) }
            .sortedByDescending(RankedPassage::score)
            .take(topK)

    /** Tokenize a text or a text pair into windows; several only with [stride] >= 0: LONGEST_FIRST of a text, ONLY_SECOND of a pair. */
    @JvmOverloads
    fun tokenize(
        text: String,
        pair: String? = null,
        maxLength: Int = this.maxLength,
        truncation: Truncation = Truncation.LONGEST_FIRST,
        stride: Int = -1,
        specialTokens: Boolean = true,
    ): List<Tokens> = withHandle {
        Native.tokenize(
            it, text.utf8(), pair?.utf8(), maxLength, truncation.ordinal, stride, specialTokens.toInt(),
        ).asList()
    }

    // -- text generation ------------------------------------------------------------------------

    /** Continue a text. [state]: a text of [newText], whose beginning that it shares with the prompt is not computed again. */
    @JvmOverloads
    fun generate(
        prompt: String,
        options: GenerationOptions = GenerationOptions(),
        state: TextState? = null,
    ): Completion = stream(prompt, options, state).complete()

    /** Answer a conversation, by the file's chat template; as [generate] of a text. */
    @JvmOverloads
    fun generate(
        messages: List<Message>,
        options: GenerationOptions = GenerationOptions(),
        state: TextState? = null,
    ): Completion = stream(messages, options, state).complete()

    /** Continue a text token by token; as [generate]. Close the stream if it is left early. */
    @JvmOverloads
    fun stream(
        prompt: String,
        options: GenerationOptions = GenerationOptions(),
        state: TextState? = null,
    ): TokenStream = stream(promptOf(prompt), options, state) { Window.ofText(this, it, options) }

    /** Answer a conversation token by token; as [stream] of a text. */
    @JvmOverloads
    fun stream(
        messages: List<Message>,
        options: GenerationOptions = GenerationOptions(),
        state: TextState? = null,
    ): TokenStream = stream(promptOf(messages), options, state) { Window.ofMessages(this, messages, it, options) }

    /** Begin a conversation. [system]: its system message; [options]: those of the answers. */
    @JvmOverloads
    fun chat(system: String? = null, options: GenerationOptions = GenerationOptions()): Chat = Chat(this, system, options)

    /** Make an empty text with room for [capacity] tokens; 0: as many as the file can. */
    @JvmOverloads
    fun newText(capacity: Int = 0): TextState {
        recommendedSampling() // refuses a file that generates no text
        val chunk = (field("chunk_length") as Long).toInt()
        if (program == null) return TextState(this, NativeText(this, chunk) { Native.newText(it, capacity) })
        if (capacity !in 0..maxLength) {
            refuse(
                "the capacity is $capacity tokens, expected 1 to $maxLength, or 0 for the most; export the model with a larger " +
                    "--context",
            )
        }
        return TextState(this, EngineText(this, program, if (capacity == 0) maxLength else capacity, chunk))
    }

    /**
     * Read a text that [TextState.save] wrote with this model's file: [Status.STATE_INVALID] if it belongs to another model
     * or is damaged, [Status.INVALID_ARGUMENT] if an [Engine] runs the program.
     */
    @JvmOverloads
    fun loadText(path: String, capacity: Int = 0): TextState {
        recommendedSampling()
        if (program != null) refuse("expected linnet's own runtime to load a text, got an engine; append its tokens")
        val chunk = (field("chunk_length") as Long).toInt()
        return TextState(this, NativeText(this, chunk) { Native.loadText(it, path.cString(), capacity) })
    }

    /**
     * Return the prompt of a conversation, as the model's chat template says; with [generation] the beginning of the
     * assistant's next turn, too. Tokenize it without special tokens: it has them all. [Status.UNKNOWN_FIELD] if the file has
     * no chat template.
     */
    @JvmOverloads
    fun chatPrompt(messages: List<Message>, generation: Boolean = true): String = withHandle {
        val texts = messages.flatMap { message -> listOf(message.role.utf8(), message.content.utf8()) }
        val sizes = IntArray(texts.size) { at -> texts[at].size }
        val all = ByteArray(sizes.sum())
        texts.foldIndexed(0) { _, at, text -> text.copyInto(all, at).let { at + text.size } }
        Native.chatPrompt(it, all, sizes, generation.toInt())
    }

    /** Open a stream that turns tokens into text one by one. [skipSpecial]: leave special tokens out. */
    @JvmOverloads
    fun textStream(skipSpecial: Boolean = true): TextStream = TextStream(this, skipSpecial)

    internal fun recommendedSampling(): DoubleArray = withHandle(Native::sampling)

    internal fun isEnd(id: Long): Boolean = withHandle { Native.isEnd(it, id) }

    internal fun promptOf(messages: List<Message>): LongArray = tokenIds(chatPrompt(messages), specialTokens = false)

    internal fun promptOf(text: String): LongArray = tokenIds(text, specialTokens = true)

    private fun tokenIds(text: String, specialTokens: Boolean): LongArray {
        val windows = tokenize(text, maxLength = 0, truncation = Truncation.NEVER, specialTokens = specialTokens)
        return windows.single().tokens.map(Token::id).toLongArray()
    }

    private fun stream(
        prompt: LongArray, options: GenerationOptions, state: TextState?, window: (Int) -> Window?,
    ): TokenStream {
        val text = state ?: newText()
        try {
            return TokenStream(this, text, ownsState = state == null, prompt, options, window(text.capacity))
        } catch (error: Throwable) {
            if (state == null) text.close()
            throw error
        }
    }

    /** Make a native object that is freed with this model at the latest. */
    internal fun own(open: (Long) -> Long, free: (Long) -> Unit): Owned =
        withHandle { Owned(this, open(it), free).also(owned::add) }

    internal fun disown(each: Owned) = owned.remove(each)

    /** Free the model and its engine once no call is in progress. Closing twice does nothing. */
    override fun close() = lock.write {
        if (handle != 0L) {
            owned.toList().forEach(Owned::close)
            Native.close(handle)
            handle = 0L
            program?.close()
        }
    }

    private fun tokenId(handle: Long, token: String): Long {
        val id = Native.findToken(handle, token.utf8())
        if (id < 0) throw LinnetException(Status.INPUT_OUT_OF_RANGE, "expected a token of the vocabulary, got \"$token\"")
        return id
    }

    /** Call with the native handle; the model is not closed meanwhile. */
    internal fun <T> withHandle(call: (Long) -> T): T = lock.read {
        if (handle == 0L) {
            throw LinnetException(Status.INVALID_ARGUMENT, "expected an open model, got a closed one; load the file again")
        }
        call(handle)
    }

    companion object {
        /**
         * Load a file by path (memory-mapped). [threads]: thread count of the whole process, fixed by its first model; 0: all
         * CPUs. Needs the native library that contains ExecuTorch.
         */
        @JvmStatic
        @JvmOverloads
        fun load(path: String, threads: Int = 0): Linnet = Linnet(Native.openPath(path.cString(), threads))

        /** Load a file from memory (copied). */
        @JvmStatic
        @JvmOverloads
        fun load(file: ByteArray, threads: Int = 0): Linnet = Linnet(Native.openBytes(file, threads))

        /**
         * Load a file whose program another runtime runs. [manifest]: the values of its constant methods (Long, Double,
         * Boolean, String, ByteArray). Call [check] on the file before that runtime opens it.
         */
        @JvmStatic
        fun load(manifest: Map<String, Any>, engine: Engine): Linnet {
            val program = EngineAdapter(engine)
            return Linnet(openTask(manifest, program), program)
        }

        /** Check the trailer and the SHA-256 of what ExecuTorch parses. Call it before another runtime opens the file. */
        @JvmStatic
        fun check(path: String) = Native.check(path.cString())

        /** Check the SHA-256 of every byte of the file. */
        @JvmStatic
        fun verify(path: String) = Native.verify(path.cString())

        /**
         * Check that the file carries a valid signature of a key: [Status.SIGNATURE_INVALID] if not. [publicKey] is an
         * Ed25519 key in DER, as `openssl pkey -pubin -in key.pub.pem -outform DER` writes it. Needs Java 15.
         */
        @JvmStatic
        fun checkSignature(path: String, publicKey: ByteArray) {
            val signed = Native.signature(path.cString())
            val key = KeyFactory.getInstance("Ed25519").generatePublic(X509EncodedKeySpec(publicKey))
            val right = Signature.getInstance("Ed25519").run {
                initVerify(key)
                update(signed, 0, SIGNED_SIZE)
                verify(signed, SIGNED_SIZE, signed.size - SIGNED_SIZE)
            }
            if (!right) {
                throw LinnetException(
                    Status.SIGNATURE_INVALID,
                    "expected a valid signature of this key in $path, got another key's or a changed file; do not use it",
                )
            }
        }

        /** Load a file if the public key [requireSignature] verifies its signature; see [checkSignature]. */
        @JvmStatic
        @JvmOverloads
        fun load(path: String, requireSignature: ByteArray, threads: Int = 0): Linnet {
            checkSignature(path, requireSignature)
            return load(path, threads)
        }

        private const val SIGNED_SIZE = 112

        /** Read the SHA-256 that [verify] checks, in hexadecimal: an identifier of the content. It is not recomputed. */
        @JvmStatic
        fun digest(path: String): String =
            Native.digest(path.cString()).joinToString("") { "%02x".format(it.toInt() and 0xff) }

        /** Compute the cosine similarity of two embeddings. */
        @JvmStatic
        fun similarity(left: FloatArray, right: FloatArray): Float {
            require(left.size == right.size) { "expected embeddings of one width, got ${left.size} and ${right.size}" }
            val product = left.indices.sumOf { left[it].toDouble() * right[it] }
            return (product / (length(left) * length(right))).toFloat()
        }

        // a zero vector stays zero; 1e-12 as torch.nn.functional.normalize
        private fun length(vector: FloatArray): Double = max(sqrt(vector.sumOf { it.toDouble() * it }), 1e-12)

        private fun openTask(manifest: Map<String, Any>, program: EngineAdapter): Long {
            val fields = manifest.entries.toList()
            return Native.openTask(
                Array(fields.size) { fields[it].key.cString() },
                Array(fields.size) { FieldValue.of(fields[it].value) },
                program,
            )
        }

        private fun single(scores: FloatArray): Float = scores.singleOrNull()
            ?: throw LinnetException(
                Status.INVALID_ARGUMENT, "expected one score for each pair, got ${scores.size}; use score()",
            )
    }
}
