package dev.linnet

/**
 * The native functions. Strings are UTF-8; names and paths end with a zero byte. Answers are `{ double[] scores,
 * long[7 * n] label, token, index, first token, last token, start, end, byte[3 * n][] label, text, sequence,
 * int[] truncated }`.
 */
internal object Native {
    /** LINNET_ABI_VERSION of the header that this code was written against. */
    private const val ABI_VERSION = 3

    init {
        load()
        check(abiVersion() == ABI_VERSION) {
            "liblinnet_jni has ABI version ${abiVersion()}, this code needs $ABI_VERSION: use both from one release"
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

    /** What a signature signs, then the signature. */
    @JvmStatic external fun signature(path: ByteArray): ByteArray

    @JvmStatic external fun openPath(path: ByteArray, threads: Int): Long

    @JvmStatic external fun openBytes(file: ByteArray, threads: Int): Long

    @JvmStatic external fun openTask(
        names: Array<ByteArray>,
        types: IntArray,
        integers: LongArray,
        reals: DoubleArray,
        texts: Array<ByteArray?>,
        engine: EngineAdapter,
    ): Long

    @JvmStatic external fun close(handle: Long)

    @JvmStatic external fun labels(handle: Long): Array<ByteArray>

    @JvmStatic external fun field(handle: Long, name: ByteArray): Array<Any>

    @JvmStatic external fun tokenize(
        handle: Long, text: ByteArray, pair: ByteArray?, maxLength: Int, truncation: Int, stride: Int, special: Int,
    ): Array<LongArray>

    @JvmStatic external fun findToken(handle: Long, token: ByteArray): Long

    @JvmStatic external fun classify(
        handle: Long, text: ByteArray, pair: ByteArray?, truncate: Int, topK: Int, scoreFunction: Int,
    ): Array<Any>

    @JvmStatic external fun entities(
        handle: Long, text: ByteArray, truncate: Int, aggregation: Int, ignored: Array<ByteArray>,
    ): Array<Any>

    @JvmStatic external fun answer(
        handle: Long, question: ByteArray, context: ByteArray, topK: Int, maxAnswer: Int, maxLength: Int, stride: Int,
        allowEmpty: Int, align: Int,
    ): Array<Any>

    @JvmStatic external fun fillMask(handle: Long, text: ByteArray, truncate: Int, topK: Int, targets: LongArray?): Array<Any>

    @JvmStatic external fun embed(handle: Long, text: ByteArray, truncate: Int, prompt: ByteArray?, normalize: Int): FloatArray

    @JvmStatic external fun score(handle: Long, query: ByteArray, passage: ByteArray, truncate: Int): FloatArray
}

/** UTF-8, as linnet takes text. A lone surrogate, which UTF-8 cannot hold, is refused. */
internal fun String.utf8(): ByteArray = try {
    encodeToByteArray(throwOnInvalidSequence = true)
} catch (_: java.nio.charset.CharacterCodingException) {
    throw LinnetException(Status.INVALID_UTF8, "the text has a lone surrogate, which UTF-8 cannot hold; replace it")
}

/** UTF-8 with a zero byte behind it, as C takes names and paths. */
internal fun String.cString(): ByteArray {
    if ('\u0000' in this) {
        throw LinnetException(Status.INVALID_ARGUMENT, "a name or path has a zero character in it")
    }
    return utf8() + 0
}

internal fun ByteArray.text(): String = String(this, Charsets.UTF_8)
