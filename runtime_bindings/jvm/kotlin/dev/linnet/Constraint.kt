package dev.linnet

/** What a generated text must be, and how far it has come: a `linnet_constraint`. */
internal class Constraint(model: Linnet, kind: Int, texts: List<String>) : AutoCloseable {
    private val constraint = model.own({ open(it, kind, texts) }, Native::closeConstraint)

    /** The fewest tokens that are known to complete the text; -1 if it is finished. */
    val left: Long get() = constraint.use(Native::constraintLeft)

    val finished: Boolean get() = left < 0

    /** Take the next token of the text. */
    fun advance(id: Long) = constraint.use { Native.advanceConstraint(it, id) }

    fun <T> use(call: (Long) -> T): T = constraint.use(call)

    override fun close() = constraint.close()

    private fun open(handle: Long, kind: Int, texts: List<String>): Long {
        val parts = texts.map(String::utf8)
        val all = parts.fold(ByteArray(0), ByteArray::plus)
        return Native.openConstraint(handle, kind, all, IntArray(parts.size) { parts[it].size })
    }

    companion object {
        private const val REGEX = 0
        private const val JSON_SCHEMA = 1
        private const val CHOICES = 2

        /** Make the constraint that options ask for; null if they do not. */
        fun of(model: Linnet, options: GenerationOptions): Constraint? = when {
            options.regex != null -> Constraint(model, REGEX, listOf(options.regex))
            options.jsonSchema != null -> Constraint(model, JSON_SCHEMA, listOf(options.jsonSchema))
            options.choices != null -> Constraint(model, CHOICES, options.choices)
            else -> null
        }
    }
}

/** What may be chosen next: tokens that [constraint] allows, behind which the text can be completed in [tokensLeft]. */
internal class Allowed(val constraint: Constraint, val tokensLeft: Int)

/** Call with the native handle of a constraint and the tokens that are left; 0 and 0 without one. */
internal fun <T> Allowed?.use(call: (Long, Int) -> T): T =
    if (this == null) call(0, 0) else constraint.use { call(it, tokensLeft) }
