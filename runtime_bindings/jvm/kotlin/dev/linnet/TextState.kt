package dev.linnet

/**
 * A text of a decoder: its tokens, and what the model remembers of them. Made by [Linnet.newText] and [Linnet.loadText].
 *
 * The result for a token does not depend on how the tokens before it were divided into calls. Calls of several threads take
 * turns; [cancel] does not wait. Several texts may share a model.
 */
class TextState internal constructor(private val model: Linnet, private val text: TextBackend) : AutoCloseable {
    @Volatile private var cancelled = false

    /** Number of tokens that the text has room for. */
    val capacity: Int get() = text.capacity

    /** The tokens. */
    val tokens: LongArray get() = text.tokens()

    /**
     * Run tokens behind the others, in pieces of the file's `chunk_length`. [Status.CONTEXT_FULL] before any runs if they do
     * not fit; [Status.CANCELLED] after [cancel], when the tokens that ran are part of the text.
     */
    fun append(ids: LongArray) {
        val before = tokens.size
        if (ids.size > capacity - before) {
            throw LinnetException(
                Status.CONTEXT_FULL,
                "${ids.size} tokens behind $before do not fit in a context of $capacity; rewind, or open the text with a " +
                    "larger capacity",
            )
        }
        for (start in ids.indices step text.chunk) {
            if (cancelled) {
                cancelled = false
                throw LinnetException(Status.CANCELLED, "cancelled after $start of ${ids.size} tokens")
            }
            text.append(ids.copyOfRange(start, minOf(start + text.chunk, ids.size)))
        }
    }

    /**
     * Choose the next token without appending it. [promptTokens] is the number of first tokens that were not generated, for
     * penalties.
     */
    @JvmOverloads
    fun sample(options: GenerationOptions = GenerationOptions(), promptTokens: Int = tokens.size): TokenChoice =
        text.sample(options.sampling(model.recommendedSampling()), promptTokens, null)

    internal fun sample(sampling: Sampling, promptTokens: Int, allowed: Allowed?): TokenChoice =
        text.sample(sampling, promptTokens, allowed)

    /** Let each later [append] of one token run up to [tokens] guessed ones in the same pass; 0: none. */
    internal fun setLookup(tokens: Int) = text.setLookup(tokens)

    /** How many tokens were guessed so far, and how many of them were appended. */
    internal fun lookup(): LongArray = text.lookup()

    /** Return the logits behind the last token, one for each id below the vocabulary's size. */
    fun logits(): FloatArray = text.logits()

    /** Forget all tokens from number [length] on. */
    fun rewind(length: Int) = text.rewind(length)

    /**
     * Forget [count] tokens from number [start] on, and run those behind them again, at their new places.
     * [Status.INVALID_ARGUMENT] if there are fewer; [Status.CANCELLED] after [cancel], when the tokens that ran are the text.
     */
    fun remove(start: Int, count: Int) {
        val ids = tokens
        if (start < 0 || count < 0 || start > ids.size || count > ids.size - start) {
            refuse("cannot remove $count tokens from number $start on, there are ${ids.size}")
        }
        rewind(start)
        append(ids.copyOfRange(start + count, ids.size))
    }

    /** Make [ids] the tokens; the beginning that both have in common is not computed again. */
    internal fun goTo(ids: LongArray) {
        val ours = tokens
        val common = ids.indices.firstOrNull { it >= ours.size || ours[it] != ids[it] } ?: ids.size
        rewind(common)
        append(ids.copyOfRange(common, ids.size))
    }

    /** Make a copy that goes on alone. linnet's own runtime copies what the model remembers, an engine computes it again. */
    fun fork(): TextState = TextState(model, text.fork())

    /**
     * Write the text, and what the model remembers of it, to a file for [Linnet.loadText]; it replaces another one when it is
     * complete. [Status.INVALID_ARGUMENT] if an [Engine] runs the program, whose memory cannot be read.
     */
    fun save(path: String) = text.save(path)

    /** Stop the [append] that runs in another thread, or else the next one, before its next piece. */
    fun cancel() {
        cancelled = true
    }

    /** Forget a [cancel] that came when nothing was left to stop. */
    internal fun uncancel() {
        cancelled = false
    }

    /** Free the text. Closing twice does nothing; closing the model does it, too. */
    override fun close() = text.close()
}

/** What a [TextState] works with. */
internal interface TextBackend : AutoCloseable {
    val capacity: Int

    /** Most tokens of one [append]. */
    val chunk: Int

    fun tokens(): LongArray

    fun append(ids: LongArray)

    fun sample(sampling: Sampling, promptTokens: Int, allowed: Allowed?): TokenChoice

    fun setLookup(tokens: Int)

    fun lookup(): LongArray

    fun logits(): FloatArray

    fun rewind(length: Int)

    fun fork(): TextBackend

    fun save(path: String)
}

/** A `linnet_generation`: linnet's own runtime runs the program. */
internal class NativeText(private val model: Linnet, override val chunk: Int, open: (Long) -> Long) : TextBackend {
    private val text = model.own(open, Native::closeText)

    override val capacity: Int = text.use(Native::textCapacity)

    override fun tokens(): LongArray = text.use(Native::textTokens)

    override fun append(ids: LongArray) = text.use { Native.appendTokens(it, ids) }

    override fun sample(sampling: Sampling, promptTokens: Int, allowed: Allowed?): TokenChoice {
        val logProbability = FloatArray(1)
        val id = text.use {
            allowed.use { constraint, left ->
                Native.sampleToken(it, sampling.settings, sampling.seed, promptTokens, constraint, left, logProbability)
            }
        }
        return TokenChoice(id, logProbability[0])
    }

    override fun setLookup(tokens: Int) = text.use { Native.setLookup(it, tokens) }

    override fun lookup(): LongArray = text.use(Native::lookup)

    override fun logits(): FloatArray = text.use(Native::textLogits)

    override fun rewind(length: Int) = text.use { Native.rewindText(it, length) }

    override fun fork(): TextBackend = NativeText(model, chunk) { text.use(Native::forkText) }

    override fun save(path: String) = text.use { Native.saveText(it, path.cString()) }

    override fun close() = text.close()
}

/** Tokens whose keys and values the program's own cache holds, while no other text takes it: an [Engine] runs the program. */
internal class EngineText(
    private val model: Linnet,
    private val program: EngineAdapter,
    override val capacity: Int,
    override val chunk: Int,
    private var tokens: LongArray = LongArray(0),
) : TextBackend {
    private var behindLast: FloatArray? = null

    override fun tokens(): LongArray = use { tokens.clone() }

    override fun append(ids: LongArray) = use {
        val longer = tokens + ids
        behindLast = program.logitsBehind(longer, chunk)
        tokens = longer
    }

    override fun sample(sampling: Sampling, promptTokens: Int, allowed: Allowed?): TokenChoice = use {
        val (logits, logProbability) = known() to FloatArray(1)
        val id = allowed.use { constraint, left ->
            Native.chooseToken(
                logits, tokens, promptTokens, sampling.settings, sampling.seed, constraint, left, logProbability,
            )
        }
        TokenChoice(id, logProbability[0])
    }

    override fun setLookup(tokens: Int) {
        if (tokens != 0) {
            refuse(
                "expected linnet's own runtime for a lookup of $tokens tokens, got an engine, which gives the logits of the last " +
                    "token only; leave promptLookupNumTokens out",
            )
        }
    }

    override fun lookup(): LongArray = LongArray(2)

    override fun logits(): FloatArray = use { known().clone() }

    override fun rewind(length: Int) = use {
        if (length !in 0..tokens.size) refuse("cannot rewind to $length tokens, there are ${tokens.size}")
        if (length < tokens.size) behindLast = null
        tokens = tokens.copyOf(length)
    }

    override fun fork(): TextBackend = use { EngineText(model, program, capacity, chunk, tokens) }

    override fun save(path: String): Unit =
        refuse("expected a text of linnet's own runtime, got one of an engine, whose memory cannot be saved; keep its tokens")

    override fun close() = Unit

    private fun known(): FloatArray {
        if (tokens.isEmpty()) refuse("the text is empty, expected at least one token; append the prompt first")
        return behindLast ?: program.logitsBehind(tokens, chunk).also { behindLast = it }
    }

    private fun <T> use(call: () -> T): T = model.withHandle { synchronized(this) { call() } }
}
