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
) {
    init {
        if (maxNewTokens < 0) refuse("expected maxNewTokens of at least 0, got $maxNewTokens")
        if (stopStrings.any(String::isEmpty)) refuse("expected stopStrings with a character, got an empty one; leave it out")
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

/** A token that could come next, and the natural logarithm of the probability that the model gives it. */
data class TokenChoice(val id: Long, val logProbability: Float)

/**
 * One generated token. [text] is what is new in the text, whole characters, often none; [logProbability] is the natural
 * logarithm of the probability that the model gave the token. An [id] of -1 is text that was held back until the end.
 */
data class GeneratedToken(val id: Long, val text: String, val logProbability: Float)

/** Why a completion ended: an end token or a stop string; `maxNewTokens` were generated; the context is full. */
enum class FinishReason { STOP, LENGTH, CONTEXT }

/**
 * A finished completion.
 *
 * @property text the generated text, without special tokens and stop strings.
 * @property ids ids of the generated tokens, without the one that ended it.
 * @property logProbabilities natural logarithms of the tokens' probabilities.
 * @property promptTokens tokens of the prompt.
 */
data class Completion(
    val text: String,
    val ids: List<Long>,
    val logProbabilities: List<Float>,
    val finishReason: FinishReason,
    val promptTokens: Int,
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
