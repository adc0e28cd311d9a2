package dev.linnet

/** Who found a place: the one that wins over the others where they overlap comes first. */
enum class MaskSource {
    /** A pattern of the table. */
    PATTERN,

    /** Another program that checks what it finds, as a library for phone numbers. */
    FINDER,

    /** A token-classification program. */
    TAGGER,
}

/** What stands in place of personal data. */
enum class MaskMode {
    /** `[EMAIL]` */
    TYPE,

    /** `[EMAIL_1]`, the same for the same text: [MaskSession.mask]. */
    PSEUDONYM,

    /** Five blocks, whatever the length. */
    REDACT,

    /** A block for each character. */
    REDACT_LENGTH,
}

/**
 * A place of personal data. [start] and [end] index the String that was given, so `text.substring(start, end)` is what was
 * found.
 */
data class Finding(val type: String, val start: Int, val end: Int, val score: Double, val source: MaskSource)

/** A masked text, and what was found in the text that was given. */
data class Masked(val text: String, val findings: List<Finding>)

/** An [Entity] as a place that a [Masker] takes; the [type] of "PER" is "PERSON", for example. */
fun Entity.asFinding(type: String): Finding = Finding(type, start, end, score.toDouble(), MaskSource.TAGGER)

/**
 * Personal data of texts, by the patterns of docs/how-to/masking.md. Several threads may use it.
 *
 * @param types types and groups to look for, "EMAIL", "NATIONAL_ID"; none: all. "-" alone: no pattern.
 */
class Masker(types: List<String> = emptyList()) : AutoCloseable {
    private val handle = Joined(types).let { Handle(Native.openMasker(it.bytes, it.sizes), Native::closeMasker) }

    /** Find personal data, merged with what something else found. The findings do not overlap. */
    fun find(text: String, given: List<Finding> = emptyList()): List<Finding> = mask(text, MaskMode.TYPE, given).findings

    /**
     * Replace what [find] finds. Throws [Status.INVALID_ARGUMENT] for [MaskMode.PSEUDONYM], which needs a [MaskSession], and
     * for a given place outside of the text.
     */
    fun mask(text: String, mode: MaskMode = MaskMode.TYPE, given: List<Finding> = emptyList()): Masked =
        mask(0L, text, mode, given)

    internal fun mask(session: Long, text: String, mode: MaskMode, given: List<Finding>): Masked = handle.use { masker ->
        val types = Joined(given.map(Finding::type))
        val places = given.flatMap { listOf(it.start, it.end, it.source.ordinal) }.toIntArray()
        val scores = DoubleArray(given.size) { given[it].score }
        val masked = Native.mask(masker, session, text.utf8(), mode.ordinal, types.bytes, types.sizes, places, scores)
        try {
            val rows = Native.maskedPlaces(masked)
            val findings = Native.maskedTypes(masked).mapIndexed { index, type ->
                val (start, end, source, score) = rows.slice(4 * index until 4 * index + 4)
                Finding(type, start.toInt(), end.toInt(), score, MaskSource.entries[source.toInt()])
            }
            Masked(Native.maskedText(masked), findings)
        } finally {
            Native.closeMasked(masked)
        }
    }

    /** Free the masker. Closing twice does nothing. */
    override fun close() = handle.close()
}

/**
 * Pseudonyms and the values behind them. `unmask(mask(masker, text).text)` is the text, whatever it holds: what looks like a
 * pseudonym in it becomes one, `[TEXT_1]`. Calls of several threads take turns.
 */
class MaskSession private constructor(native: Long) : AutoCloseable {
    private val handle = Handle(native, Native::closeMaskSession)

    /** Begin a session without pseudonyms. */
    constructor() : this(Native.openMaskSession())

    /** Number of pseudonyms. */
    val size: Int get() = handle.use(Native::maskSessionSize)

    /** Replace personal data by pseudonyms. */
    fun mask(masker: Masker, text: String, given: List<Finding> = emptyList()): Masked =
        handle.use { masker.mask(it, text, MaskMode.PSEUDONYM, given) }

    /** Put the values in place of this session's pseudonyms. */
    fun unmask(text: String): String = handle.use { Native.unmask(it, text.utf8()) }

    /** Open a stream for an answer that comes in pieces. */
    fun stream(): UnmaskStream = UnmaskStream(handle.use(Native::openUnmaskStream))

    /** Write the values, encrypted and authenticated with a secret key of at least 16 random bytes. */
    fun save(key: ByteArray): ByteArray = handle.use { Native.saveMaskSession(it, key) }

    /** Free the session. Its streams may go on. */
    override fun close() = handle.close()

    companion object {
        /** Make a session of saved bytes. Throws [Status.STATE_INVALID] if they are damaged or the key is another one. */
        @JvmStatic
        fun load(saved: ByteArray, key: ByteArray): MaskSession = MaskSession(Native.loadMaskSession(saved, key))
    }
}

/** Unmasking of an answer that comes in pieces. Made by [MaskSession.stream]. */
class UnmaskStream internal constructor(native: Long) : AutoCloseable {
    private val handle = Handle(native, Native::closeUnmaskStream)

    /** Take the next piece, and return what is certain: all but the beginning of a pseudonym, at most 44 characters. */
    fun push(piece: String): String = handle.use { Native.pushMasked(it, piece.utf8()) }

    /** Return the rest; the next piece begins another text. */
    fun finish(): String = handle.use(Native::finishMasked)

    /** Free the stream. */
    override fun close() = handle.close()
}

/** Texts one behind the other, with the bytes of each. */
private class Joined(texts: List<String>) {
    private val parts = texts.map(String::utf8)
    val sizes = IntArray(parts.size) { parts[it].size }
    val bytes = parts.fold(ByteArray(0), ByteArray::plus)
}

/** A native object of its own. Its calls take turns; a call after [close] throws [Status.INVALID_ARGUMENT]. */
private class Handle(private var native: Long, private val free: (Long) -> Unit) : AutoCloseable {
    @Synchronized
    fun <T> use(call: (Long) -> T): T {
        if (native == 0L) refuse("expected an open object, got a closed one; make another one")
        return call(native)
    }

    @Synchronized
    override fun close() {
        if (native != 0L) free(native)
        native = 0L
    }
}
