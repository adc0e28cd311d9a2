package dev.linnet

/** The native functions. Texts are passed as UTF-8; names and paths end with a zero byte. Results are made by jni/. */
internal object Native {
    /** LINNET_ABI_VERSION of the header that this code was written against. */
    private const val ABI_VERSION = 3

    init {
        load()
        check(abiVersion() == ABI_VERSION) {
            "expected liblinnet_jni of ABI version $ABI_VERSION, got ${abiVersion()}; use both from one release"
        }
    }

    private fun load() {
        val folder = System.getProperty("linnet.library.path")
        if (folder == null) System.loadLibrary("linnet_jni") else System.load("$folder/${System.mapLibraryName("linnet_jni")}")
    }

    @JvmStatic external fun abiVersion(): Int

    @JvmStatic external fun check(path: ByteArray)

    @JvmStatic external fun verify(path: ByteArray)

    @JvmStatic external fun digest(path: ByteArray): ByteArray

    /** The signed message, followed by its signature. */
    @JvmStatic external fun signature(path: ByteArray): ByteArray

    @JvmStatic external fun openPath(path: ByteArray, threads: Int): Long

    @JvmStatic external fun openBytes(file: ByteArray, threads: Int): Long

    @JvmStatic external fun openTask(
        names: Array<ByteArray>,
        values: Array<FieldValue>,
        engine: EngineAdapter,
    ): Long

    @JvmStatic external fun close(handle: Long)

    @JvmStatic external fun labels(handle: Long): Array<String>

    @JvmStatic external fun field(handle: Long, name: ByteArray): FieldValue

    @JvmStatic external fun tokenize(
        handle: Long, text: ByteArray, pair: ByteArray?, maxLength: Int, truncation: Int, stride: Int, special: Int,
    ): Array<Tokens>

    @JvmStatic external fun findToken(handle: Long, token: ByteArray): Long

    @JvmStatic external fun classify(
        handle: Long, text: ByteArray, pair: ByteArray?, truncate: Int, topK: Int, scoreFunction: Int,
    ): Array<Classification>

    @JvmStatic external fun entities(
        handle: Long, text: ByteArray, truncate: Int, aggregation: Int, ignored: Array<ByteArray>,
    ): Array<Entity>

    @JvmStatic external fun answer(
        handle: Long, question: ByteArray, context: ByteArray, topK: Int, maxAnswer: Int, maxLength: Int, stride: Int,
        allowEmpty: Int, align: Int,
    ): Array<Answer>

    @JvmStatic external fun fillMask(
        handle: Long, text: ByteArray, truncate: Int, topK: Int, targets: LongArray?,
    ): Array<MaskProposal>

    @JvmStatic external fun embed(handle: Long, text: ByteArray, truncate: Int, prompt: ByteArray?, normalize: Int): FloatArray

    @JvmStatic external fun score(handle: Long, query: ByteArray, passage: ByteArray, truncate: Int): FloatArray

    @JvmStatic external fun startStatistics(handle: Long, name: ByteArray)

    @JvmStatic external fun stopStatistics(handle: Long)

    @JvmStatic external fun statistics(handle: Long): String

    @JvmStatic external fun openTextStream(handle: Long, skipSpecial: Int): Long

    @JvmStatic external fun closeTextStream(stream: Long)

    @JvmStatic external fun pushToken(stream: Long, id: Long): String

    @JvmStatic external fun finishStream(stream: Long): String

    /** Temperature, top_k, top_p, min_p, repetition_penalty, presence_penalty, frequency_penalty. */
    @JvmStatic external fun sampling(handle: Long): DoubleArray

    @JvmStatic external fun isEnd(handle: Long, id: Long): Boolean

    /** [texts]: role and content of each message, joined; [sizes]: their bytes. */
    @JvmStatic external fun chatPrompt(handle: Long, texts: ByteArray, sizes: IntArray, generation: Int): String

    /** [constraint]: 0 for none, as in [sampleToken]. */
    @JvmStatic external fun chooseToken(
        logits: FloatArray, ids: LongArray, promptTokens: Int, sampling: DoubleArray, seed: Long, constraint: Long,
        tokensLeft: Int, logProbability: FloatArray,
    ): Long

    /** [kind]: a `linnet_constraint_kind`; [texts]: its texts, joined; [sizes]: their bytes. */
    @JvmStatic external fun openConstraint(handle: Long, kind: Int, texts: ByteArray, sizes: IntArray): Long

    @JvmStatic external fun closeConstraint(constraint: Long)

    @JvmStatic external fun advanceConstraint(constraint: Long, id: Long)

    /** The fewest tokens that are known to complete the text; -1 if it is finished. */
    @JvmStatic external fun constraintLeft(constraint: Long): Long

    // -- masking: names and types are joined, with their sizes; places are start, end and source of each --

    @JvmStatic external fun openMasker(names: ByteArray, sizes: IntArray): Long

    @JvmStatic external fun closeMasker(masker: Long)

    @JvmStatic external fun mask(
        masker: Long, session: Long, text: ByteArray, mode: Int, types: ByteArray, sizes: IntArray, places: IntArray,
        scores: DoubleArray,
    ): Long

    @JvmStatic external fun maskedText(masked: Long): String

    @JvmStatic external fun maskedTypes(masked: Long): Array<String>

    /** Start, end, source and score of each finding. */
    @JvmStatic external fun maskedPlaces(masked: Long): DoubleArray

    @JvmStatic external fun closeMasked(masked: Long)

    @JvmStatic external fun openMaskSession(): Long

    @JvmStatic external fun loadMaskSession(saved: ByteArray, key: ByteArray): Long

    @JvmStatic external fun closeMaskSession(session: Long)

    @JvmStatic external fun maskSessionSize(session: Long): Int

    @JvmStatic external fun saveMaskSession(session: Long, key: ByteArray): ByteArray

    @JvmStatic external fun unmask(session: Long, text: ByteArray): String

    @JvmStatic external fun openUnmaskStream(session: Long): Long

    @JvmStatic external fun closeUnmaskStream(stream: Long)

    @JvmStatic external fun pushMasked(stream: Long, piece: ByteArray): String

    @JvmStatic external fun finishMasked(stream: Long): String

    // -- texts of linnet's own runtime, which the library of an Android app does not have --

    @JvmStatic external fun newText(handle: Long, capacity: Int): Long

    @JvmStatic external fun loadText(handle: Long, path: ByteArray, capacity: Int): Long

    @JvmStatic external fun closeText(text: Long)

    @JvmStatic external fun textCapacity(text: Long): Int

    @JvmStatic external fun textTokens(text: Long): LongArray

    @JvmStatic external fun appendTokens(text: Long, ids: LongArray)

    @JvmStatic external fun sampleToken(
        text: Long, sampling: DoubleArray, seed: Long, promptTokens: Int, constraint: Long, tokensLeft: Int,
        logProbability: FloatArray,
    ): Long

    @JvmStatic external fun textLogits(text: Long): FloatArray

    @JvmStatic external fun rewindText(text: Long, length: Int)

    @JvmStatic external fun setLookup(text: Long, tokens: Int)

    /** How many tokens were guessed, and how many of them were appended. */
    @JvmStatic external fun lookup(text: Long): LongArray

    @JvmStatic external fun forkText(text: Long): Long

    @JvmStatic external fun saveText(text: Long, path: ByteArray)
}

/**
 * A value of the manifest as `linnet_value` of linnet.h holds it: [type] is a `linnet_value_type`, [integer] serves Long and
 * Boolean, [real] Double, [bytes] String and ByteArray. Native code makes it and reads its fields by name.
 */
internal class FieldValue(
    @JvmField val type: Int,
    @JvmField val integer: Long,
    @JvmField val real: Double,
    @JvmField val bytes: ByteArray,
) {
    fun unwrapped(): Any = when (type) {
        INT -> integer
        FLOAT -> real
        BOOL -> integer != 0L
        STRING -> String(bytes, Charsets.UTF_8)
        else -> bytes
    }

    companion object {
        private const val INT = 0
        private const val FLOAT = 1
        private const val BOOL = 2
        private const val STRING = 3
        private const val BYTES = 4
        private val NONE = ByteArray(0)

        fun of(value: Any): FieldValue = when (value) {
            is Long -> FieldValue(INT, value, 0.0, NONE)
            is Double -> FieldValue(FLOAT, 0, value, NONE)
            is Boolean -> FieldValue(BOOL, value.toInt().toLong(), 0.0, NONE)
            is String -> FieldValue(STRING, 0, 0.0, value.utf8())
            is ByteArray -> FieldValue(BYTES, 0, 0.0, value)
            else -> throw LinnetException(
                Status.MANIFEST_INVALID,
                "expected a Long, Double, Boolean, String or byte[] as a field, got a ${value.javaClass.name}",
            )
        }
    }
}

internal fun Boolean.toInt(): Int = if (this) 1 else 0

/** Encode a text as UTF-8. Throws [Status.INVALID_UTF8] for a lone surrogate, which UTF-8 cannot represent. */
internal fun String.utf8(): ByteArray = try {
    encodeToByteArray(throwOnInvalidSequence = true)
} catch (_: java.nio.charset.CharacterCodingException) {
    throw LinnetException(Status.INVALID_UTF8, "expected well-formed UTF-16, got a lone surrogate; replace it")
}

/** Encode a name or path as zero-terminated UTF-8. */
internal fun String.cString(): ByteArray {
    if ('\u0000' in this) {
        throw LinnetException(Status.INVALID_ARGUMENT, "expected a name or path without zero characters, got one; remove it")
    }
    return utf8() + 0
}
