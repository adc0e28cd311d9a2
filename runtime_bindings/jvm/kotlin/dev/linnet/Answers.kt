package dev.linnet

/** A class with its score. [index] is its place in [Linnet.labels]. */
data class Classification(val label: String, val score: Float, val index: Int)

/**
 * A labelled token ([Aggregation.NONE]) or a group of them. [start] and [end] index the String that was given, so
 * `text.substring(start, end)` is what was found.
 */
data class Entity(val label: String, val score: Float, val word: String, val start: Int, val end: Int)

/** An answer to a question; [start] and [end] index the context. The empty answer has an empty [text]. */
data class Answer(val text: String, val score: Double, val start: Int, val end: Int)

/** A token in place of a mask. [sequence] is the whole text with it; [mask] tells the masks of a text apart. */
data class MaskProposal(
    val token: String,
    val score: Float,
    val id: Long,
    val sequence: String,
    val mask: Int,
)

/** A passage of a ranking: its place in the list that was given, and its score. */
data class RankedPassage(val index: Int, val score: Float, val passage: String)

/** A half-open range in some unit. */
data class Span(val start: Int, val end: Int)

/**
 * One token: its id, its text (0 first, 1 second, -1 for a special token), and its place in UTF-16 code units (what a
 * String counts), UTF-8 bytes and code points.
 */
data class Token(
    val id: Long,
    val typeId: Long,
    val sequence: Int,
    val utf16: Span,
    val utf8: Span,
    val codePoints: Span,
)

/** One window of a text. [truncated]: text was left out that no other window holds. */
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

/** How tokens become entities, as in Hugging Face pipelines. */
enum class Aggregation { NONE, SIMPLE, FIRST, AVERAGE, MAX }

/** How logits become scores; [OF_FILE] is what the file says. */
enum class ScoreFunction { OF_FILE, SOFTMAX, SIGMOID, NONE }

/** What is done with a text that does not fit, as in Hugging Face tokenizers. */
enum class Truncation { NEVER, LONGEST_FIRST, ONLY_SECOND }

/** Options of a question, with the defaults of the Hugging Face pipeline. Lengths count tokens. */
data class QuestionOptions @JvmOverloads constructor(
    val topK: Int = 1,
    val maxAnswerLength: Int = 15,
    /** 0: the smaller of 384 and the file's bound. */
    val maxLength: Int = 0,
    /** -1: the smaller of 128 and half of [maxLength]. */
    val stride: Int = -1,
    /** Lets the empty answer compete. */
    val allowEmpty: Boolean = false,
    val alignToWords: Boolean = true,
)
