package dev.linnet

/** An end of a turn of a conversation: [tokens] behind the kept ones up to there, [number] turns up to there. */
internal class Turn(val tokens: Int, val number: Int)

/**
 * The first [keep] tokens of a text, which stay, and those behind them, of which the oldest go when the text is full: half of
 * the room behind the kept ones becomes free, with whole turns of a conversation as far as there are.
 */
internal class Window(val keep: Int, private val capacity: Int, private val findTurns: () -> List<Turn> = ::emptyList) {
    private var turns: List<Turn>? = null

    /** Turns of the conversation that are gone. */
    var droppedTurns = 0
        private set

    init {
        if (capacity - keep < 2) {
            throw LinnetException(
                Status.CONTEXT_FULL,
                "$keep tokens are kept, the context has $capacity: expected room for two more; keep fewer, or export the model " +
                    "with a larger --context",
            )
        }
    }

    /** Return how many tokens behind the kept ones go from a text of [size] tokens, so that there is room. */
    fun removal(size: Int): Int {
        val known = turns ?: findTurns()
        val half = size - keep - (capacity - keep) / 2
        val fitting = known.map(Turn::tokens).filter { it > size - capacity }
        val removed = fitting.firstOrNull { it >= half } ?: fitting.lastOrNull() ?: half
        val (gone, rest) = known.partition { it.tokens <= removed }
        droppedTurns = gone.lastOrNull()?.number ?: droppedTurns
        turns = rest.map { Turn(it.tokens - removed, it.number) }
        return removed
    }

    /** Return a prompt without its oldest tokens behind the kept ones, where it does not fit. */
    fun fitted(prompt: LongArray): LongArray {
        if (prompt.size <= capacity) return prompt
        return prompt.copyOf(keep) + prompt.copyOfRange(keep + removal(prompt.size), prompt.size)
    }

    companion object {
        /** Find what of a text stays; null if [options] do not let it slide. */
        fun ofText(model: Linnet, capacity: Int, options: GenerationOptions): Window? {
            if (options.overflow == Overflow.STOP) return null
            val beginning = common(model.promptOf("0"), model.promptOf("A"))
            return Window(maxOf(beginning, options.keep ?: 0), capacity)
        }

        /** Find what of a conversation stays; null if [options] do not let it slide. */
        fun ofMessages(model: Linnet, messages: List<Message>, capacity: Int, options: GenerationOptions): Window? {
            if (options.overflow == Overflow.STOP) return null
            val starts = messages.indices.filter { messages[it].role == "user" }
            val first = messages.take(starts.firstOrNull() ?: messages.size)
            val prompts = listOf("0", "A").map { model.promptOf(first + Message("user", it)) }
            val keep = maxOf(common(prompts[0], prompts[1]), options.keep ?: 0)
            return Window(keep, capacity) { turnsOf(model, messages, starts, keep) }
        }

        /** Find the turns without which the prompt of a conversation has the same tokens before and behind them. */
        private fun turnsOf(model: Linnet, messages: List<Message>, starts: List<Int>, keep: Int): List<Turn> {
            val ids = model.promptOf(messages).toList()
            return starts.drop(1).mapIndexedNotNull { at, start ->
                val shorter = model.promptOf(messages.take(starts[0]) + messages.drop(start)).toList()
                val removed = ids.size - shorter.size
                val same = removed > 0 && ids.take(keep) + ids.drop(keep + removed) == shorter
                if (same) Turn(removed, at + 1) else null
            }
        }

        private fun common(one: LongArray, other: LongArray): Int =
            one.indices.firstOrNull { it >= other.size || one[it] != other[it] } ?: one.size
    }
}
