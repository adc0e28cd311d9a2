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
    prompt: LongArray,
    private val options: GenerationOptions,
    private val window: Window?,
    private val atEnd: (String) -> Unit = {},
) : Iterator<GeneratedToken>, AutoCloseable {
    private val prompt = window?.fitted(prompt) ?: prompt
    private val said = StringBuilder()
    private var open = true
    private var lookup = LongArray(2)

    /** Why the completion ended; null until the end. */
    var finishReason: FinishReason? = null
        private set

    /** Tokens of the prompt. */
    val promptTokens: Int get() = prompt.size

    /** What was generated so far. */
    val text: String get() = said.toString()

    private val stream: TextStream
    private val constraint: Constraint?

    /** Tokens that were guessed by texts of this state before, and how many of them were appended. */
    private val before = state.lookup()

    /** Tokens of the text, first ones that are the prompt's, and tokens that were forgotten. */
    private var size = this.prompt.size
    private var ofPrompt = size
    private var forgotten = 0

    /** Most tokens that can be generated; the last logits of a full context still give one. */
    private val limit = if (window != null) options.maxNewTokens else minOf(options.maxNewTokens, maxOf(1, state.capacity - size))

    private val tokens = iterator {
        val sampling = options.sampling(model.recommendedSampling())
        val stops = StopStrings(options.stopStrings)
        state.goTo(this@TokenStream.prompt)
        if (constraint?.finished == true) finishReason = FinishReason.STOP
        for (number in 1..options.maxNewTokens) {
            if (finishReason != null) break
            val allowed = constraint?.let { Allowed(it, limit - number + 1) }
            // random numbers are functions of seed and place, and a text that slides has places twice
            val (id, logProbability) = state.sample(Sampling(sampling.settings, sampling.seed + forgotten), ofPrompt, allowed)
            if (model.isEnd(id)) {
                finishReason = FinishReason.STOP
                break
            }
            constraint?.advance(id)
            val new = stops.push(stream.push(id))
            if (stops.found || constraint?.finished == true) {
                finishReason = FinishReason.STOP
            } else if (window == null && size + 1 >= state.capacity) {
                finishReason = FinishReason.CONTEXT
            }
            yield(GeneratedToken(id, new, logProbability))
            if (finishReason == null && number < options.maxNewTokens) appendSliding(id)
        }
        finishReason = finishReason ?: FinishReason.LENGTH
        lookup = state.lookup().let { longArrayOf(it[0] - before[0], it[1] - before[1]) }
        if (!stops.found) {
            val rest = stops.push(stream.finish()) + stops.finish()
            if (rest.isNotEmpty()) yield(GeneratedToken(-1, rest, 0f))
        }
    }

    init {
        if (size == 0) refuse("the prompt is empty, expected at least one token; pass some text")
        if (size > state.capacity) {
            throw LinnetException(
                Status.CONTEXT_FULL,
                "the prompt has $size tokens, the context ${state.capacity}; shorten it, export the model with a larger " +
                    "--context, or let it slide (Overflow.SLIDE)",
            )
        }
        constraint = Constraint.of(model, options)
        try {
            checkLimit()
            state.setLookup(options.promptLookupNumTokens)
            stream = model.textStream()
        } catch (error: Throwable) {
            constraint?.close()
            throw error
        }
    }

    private fun checkLimit() {
        val least = constraint?.left ?: return
        if (least <= limit) return
        if (least > options.maxNewTokens) {
            refuse("the constraint needs $least tokens, maxNewTokens is ${options.maxNewTokens}; raise it")
        }
        throw LinnetException(
            Status.CONTEXT_FULL,
            "the constraint needs $least tokens, $limit fit behind the prompt; shorten it, or export the model with a larger " +
                "--context",
        )
    }

    /** Append a token; where the context is full, the oldest tokens behind those that stay go first. */
    private fun appendSliding(id: Long) {
        if (window != null && size >= state.capacity) {
            val removed = window.removal(size)
            state.remove(window.keep, removed)
            size -= removed
            ofPrompt -= minOf(removed, maxOf(0, ofPrompt - window.keep))
            forgotten += removed
        }
        state.append(longArrayOf(id))
        size += 1
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
        constraint?.close()
        state.uncancel()
        if (ownsState) state.close()
        atEnd(text)
    }

    /** Generate all tokens. */
    internal fun complete(): Completion = use {
        val all = asSequence().toList()
        val real = all.filter { it.id >= 0 }
        Completion(
            text, real.map { it.id }, real.map { it.logProbability }, finishReason!!, promptTokens, lookup[0].toInt(),
            lookup[1].toInt(),
        )
    }
}
