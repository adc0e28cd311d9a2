package dev.linnet

/** A class with its score. [index] is its index in [Linnet.labels]. */
data class Classification(val label: String, val score: Float, val index: Int)

/**
 * A labelled token ([Aggregation.NONE]) or a group of them. [start] and [end] index the String that was given, so
 * `text.substring(start, end)` is the entity.
 */
data class Entity(val label: String, val score: Float, val word: String, val start: Int, val end: Int)

/** An answer to a question; [start] and [end] index the context. The empty answer has an empty [text]. */
data class Answer(val text: String, val score: Double, val start: Int, val end: Int)

/** A token proposed for a mask. [sequence] is the whole text with the token in it; [mask] is the mask's token index. */
data class MaskProposal(
    val token: String,
    val score: Float,
    val id: Long,
    val sequence: String,
    val mask: Int,
)

/** A ranked passage: its index in the list that was passed, and its score. */
data class RankedPassage(val index: Int, val score: Float, val passage: String)

/** A half-open range; its unit is that of the property that holds it. */
data class Span(val start: Int, val end: Int)

/**
 * One token: its id, its text ([sequence]: 0 first, 1 second, -1 special token), and its offsets in UTF-16 code units (the
 * unit of String), UTF-8 bytes and code points.
 */
data class Token(
    val id: Long,
    val typeId: Long,
    val sequence: Int,
    val utf16: Span,
    val utf8: Span,
    val codePoints: Span,
)

/** One window of tokens. [truncated]: some text is in no window. */
data class Tokens(val tokens: List<Token>, val truncated: Boolean) {
    /** Called by the native code with the arrays of `linnet_encoding_view`; offsets are start, end, start, end, ... */
    @Suppress("unused")
    internal constructor(
        ids: LongArray,
        typeIds: LongArray,
        sequences: IntArray,
        utf16: LongArray,
        utf8: LongArray,
        codePoints: LongArray,
        truncated: Boolean,
    ) : this(
        List(ids.size) { Token(ids[it], typeIds[it], sequences[it], utf16.span(it), utf8.span(it), codePoints.span(it)) },
        truncated,
    )
}

private fun LongArray.span(token: Int) = Span(this[2 * token].toInt(), this[2 * token + 1].toInt())

/** Aggregation strategy from tokens to entities, as in Hugging Face pipelines. */
enum class Aggregation { NONE, SIMPLE, FIRST, AVERAGE, MAX }

/** Function from logits to scores; [OF_FILE] takes the one of the manifest. */
enum class ScoreFunction { OF_FILE, SOFTMAX, SIGMOID, NONE }

/** Truncation strategy for a text longer than the maximum, as in Hugging Face tokenizers. */
enum class Truncation { NEVER, LONGEST_FIRST, ONLY_SECOND }

/** Options of question answering, with the defaults of the Hugging Face pipeline. Lengths are in tokens. */
data class QuestionOptions @JvmOverloads constructor(
    val topK: Int = 1,
    val maxAnswerLength: Int = 15,
    /** Tokens of a window; 0: the smaller of 384 and [Linnet.maxLength]. */
    val maxLength: Int = 0,
    /** Overlap of consecutive windows; -1: the smaller of 128 and half of [maxLength]. */
    val stride: Int = -1,
    /** Whether the empty answer is a candidate. */
    val allowEmpty: Boolean = false,
    val alignToWords: Boolean = true,
)
