package dev.linnet

import java.security.SecureRandom

/** One message of a conversation; [role] is `system`, `user` or `assistant`. */
data class Message(val role: String, val content: String)

/**
 * Options of a completion, by the names of transformers' `GenerationConfig`. Those that are null are as the file recommends.
 *
 * @property maxNewTokens most tokens to generate.
 * @property doSample false takes the likeliest token each time, true samples; null: as the file recommends, or true if a
 * temperature is given.
 * @property presencePenalty as in OpenAI's interface, as [frequencyPenalty].
 * @property seed the same seed gives the same text, on every machine and in every language; null: a random one. A negative one
 * stands for 2^64 more.
 * @property stopStrings texts that end the completion; they are not part of it.
 * @property jsonSchema the completion is JSON of this schema, as [regex] and [choices], of which at most one is given.
 * @property regex the completion matches this regular expression, from its beginning to its end.
 * @property choices the completion is one of these texts.
 * @property promptLookupNumTokens most tokens that are guessed from what stood behind the same tokens earlier in the text, and
 * computed in the same pass as the one before them, at most 15. The completion stays the same, and is faster where it repeats
 * the prompt or itself. Not with an [Engine], which gives the logits of the last token only.
 * @property overflow what happens when the context is full.
 * @property keep first tokens that [Overflow.SLIDE] never forgets; null, and at least: the system message of a conversation.
 */
data class GenerationOptions @JvmOverloads constructor(
    val maxNewTokens: Int = 256,
    val doSample: Boolean? = null,
    val temperature: Float? = null,
    val topK: Int? = null,
    val topP: Float? = null,
    val minP: Float? = null,
    val repetitionPenalty: Float? = null,
    val presencePenalty: Float = 0f,
    val frequencyPenalty: Float = 0f,
    val seed: Long? = null,
    val stopStrings: List<String> = emptyList(),
    val jsonSchema: String? = null,
    val regex: String? = null,
    val choices: List<String>? = null,
    val promptLookupNumTokens: Int = 0,
    val overflow: Overflow = Overflow.STOP,
    val keep: Int? = null,
) {
    init {
        if (maxNewTokens < 0) refuse("expected maxNewTokens of at least 0, got $maxNewTokens")
        if (stopStrings.any(String::isEmpty)) refuse("expected stopStrings with a character, got an empty one; leave it out")
        val constraints = listOfNotNull(jsonSchema, regex, choices).size
        if (constraints > 1) refuse("expected at most one of jsonSchema, regex and choices, got $constraints")
        if (constraints == 1 && stopStrings.isNotEmpty()) {
            refuse("expected no stopStrings beside a constraint, which they would cut; leave one of them out")
        }
        if (choices != null && (choices.isEmpty() || "" in choices || choices.toSet().size < choices.size)) {
            refuse("expected choices that are different texts with a character, got $choices")
        }
        if (promptLookupNumTokens < 0) refuse("expected promptLookupNumTokens of at least 0, got $promptLookupNumTokens")
        if (keep != null && keep < 0) refuse("expected keep of at least 0, got $keep")
        if (keep != null && overflow == Overflow.STOP) refuse("expected Overflow.SLIDE where keep is given, got STOP; add it")
    }

    /** Return the settings of linnet.h, with those of the file ([recommended]) where none is given. */
    internal fun sampling(recommended: DoubleArray): Sampling {
        val given = listOf(temperature, topK, topP, minP, repetitionPenalty)
        val settings = DoubleArray(given.size) { given[it]?.toDouble() ?: recommended[it] }
        if (doSample == false) {
            settings[0] = 0.0
        } else if (doSample == true && temperature == null && settings[0] == 0.0) {
            settings[0] = 1.0
        }
        val penalties = doubleArrayOf(presencePenalty.toDouble(), frequencyPenalty.toDouble())
        return Sampling(settings + penalties, seed ?: SecureRandom().nextLong())
    }
}

/** The numbers of `linnet_sampling` in their order, and its seed. */
internal class Sampling(val settings: DoubleArray, val seed: Long)

/**
 * What happens when the context is full: [STOP] ends the completion and refuses a longer prompt; [SLIDE] forgets the oldest
 * tokens behind the first ones, whole turns of a conversation as far as there are, and goes on with the rest.
 */
enum class Overflow { STOP, SLIDE }

/** A token that could come next, and the natural logarithm of the probability that the model gives it. */
data class TokenChoice(val id: Long, val logProbability: Float)

/**
 * One generated token. [text] is what is new in the text, whole characters, often none; [logProbability] is the natural
 * logarithm of the probability that the model gave the token. An [id] of -1 is text that was held back until the end.
 */
data class GeneratedToken(val id: Long, val text: String, val logProbability: Float)

/** Why a completion ended: an end token, a stop string, a constraint behind which nothing can follow; `maxNewTokens` were generated; the context is full. */
enum class FinishReason { STOP, LENGTH, CONTEXT }

/**
 * A finished completion.
 *
 * @property text the generated text, without special tokens and stop strings.
 * @property ids ids of the generated tokens, without the one that ended it.
 * @property logProbabilities natural logarithms of the tokens' probabilities.
 * @property promptTokens tokens of the prompt, without those that did not fit.
 * @property guessedTokens tokens that [GenerationOptions.promptLookupNumTokens] guessed.
 * @property acceptedTokens how many of them were generated, without a pass of their own.
 */
data class Completion(
    val text: String,
    val ids: List<Long>,
    val logProbabilities: List<Float>,
    val finishReason: FinishReason,
    val promptTokens: Int,
    val guessedTokens: Int = 0,
    val acceptedTokens: Int = 0,
)

/** Text on its way to the reader, of which the beginning of a stop string is held back. */
internal class StopStrings(private val stops: List<String>) {
    private var held = ""

    /** Whether a stop string came. */
    var found = false
        private set

    /** Return what can be shown. */
    fun push(text: String): String {
        held += text
        val end = stops.map(held::indexOf).filter { it >= 0 }.minOrNull()
        found = end != null
        return take(end ?: (held.length - (stops.maxOfOrNull(::overlap) ?: 0))).also { if (found) held = "" }
    }

    /** Return what was held back. */
    fun finish(): String = take(held.length)

    private fun take(count: Int): String = held.take(count).also { held = held.drop(count) }

    /** Count the characters at the end that may begin [stop]. */
    private fun overlap(stop: String): Int =
        (minOf(stop.length - 1, held.length) downTo 1).firstOrNull { held.endsWith(stop.take(it)) } ?: 0
}

internal fun refuse(problem: String): Nothing = throw LinnetException(Status.INVALID_ARGUMENT, problem)
