package dev.linnet

/**
 * Tokens of one completion, generated when they are asked for. Made by [Linnet.stream] and [Chat.stream].
 *
 * ```kotlin
 * model.stream("A linnet is").use { for (token in it) print(token.text) }
 * ```
 *
 * Leaving the loop early stops the generation; [close] frees the text then, which the end of the tokens does, too.
 */
class TokenStream internal constructor(
    private val model: Linnet,
    private val state: TextState,
    private val ownsState: Boolean,
    private val prompt: LongArray,
    private val options: GenerationOptions,
    private val atEnd: (String) -> Unit = {},
) : Iterator<GeneratedToken>, AutoCloseable {
    private val said = StringBuilder()
    private var open = true

    /** Why the completion ended; null until the end. */
    var finishReason: FinishReason? = null
        private set

    /** Tokens of the prompt. */
    val promptTokens: Int get() = prompt.size

    /** What was generated so far. */
    val text: String get() = said.toString()

    private val stream: TextStream

    private val tokens = iterator {
        val sampling = options.sampling(model.recommendedSampling())
        val stops = StopStrings(options.stopStrings)
        state.goTo(prompt)
        for (number in 1..options.maxNewTokens) {
            val (id, logProbability) = state.sample(sampling, prompt.size)
            if (model.isEnd(id)) {
                finishReason = FinishReason.STOP
                break
            }
            val new = stops.push(stream.push(id))
            if (stops.found) {
                finishReason = FinishReason.STOP
            } else if (prompt.size + number >= state.capacity) {
                finishReason = FinishReason.CONTEXT
            }
            yield(GeneratedToken(id, new, logProbability))
            if (finishReason != null) break
            if (number < options.maxNewTokens) state.append(longArrayOf(id))
        }
        finishReason = finishReason ?: FinishReason.LENGTH
        if (!stops.found) {
            val rest = stops.push(stream.finish()) + stops.finish()
            if (rest.isNotEmpty()) yield(GeneratedToken(-1, rest, 0f))
        }
    }

    init {
        if (prompt.isEmpty()) refuse("the prompt is empty, expected at least one token; pass some text")
        if (prompt.size > state.capacity) {
            throw LinnetException(
                Status.CONTEXT_FULL,
                "the prompt has ${prompt.size} tokens, the context ${state.capacity}; shorten it, or export the model with a " +
                    "larger --context",
            )
        }
        stream = model.textStream()
    }

    /** Compute the next token, unless the completion has ended. */
    override fun hasNext(): Boolean {
        if (open && !tokens.hasNext()) close()
        return open
    }

    /** Return the next token. */
    override fun next(): GeneratedToken {
        if (!hasNext()) throw NoSuchElementException("the completion has ended")
        return tokens.next().also { said.append(it.text) }
    }

    /** Stop, from another thread, the call that runs or else the next one, before its next piece: [Status.CANCELLED]. */
    fun cancel() = state.cancel()

    /** Free the text, if no other one was given. Closing twice does nothing. */
    override fun close() {
        if (!open) return
        open = false
        stream.close()
        state.uncancel()
        if (ownsState) state.close()
        atEnd(text)
    }

    /** Generate all tokens. */
    internal fun complete(): Completion = use {
        val all = asSequence().toList()
        val real = all.filter { it.id >= 0 }
        Completion(text, real.map { it.id }, real.map { it.logProbability }, finishReason!!, promptTokens)
    }
}
