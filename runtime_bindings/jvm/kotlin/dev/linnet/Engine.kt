package dev.linnet

/** A float32 tensor in row-major order. */
class Tensor(val shape: LongArray, val data: FloatArray)

/**
 * Runs a file's `forward`, for apps that use the official ExecuTorch package for inference. It is called on the caller's
 * thread, one call at a time. Its exceptions reach the caller of [Linnet], whose `close` closes it.
 */
fun interface Engine : AutoCloseable {
    /** Run `forward`. [inputs]: int64 rows of equal length in the order of the manifest's `inputs`, each of shape 1 x tokens. */
    fun run(inputs: Array<LongArray>): List<Tensor>

    /**
     * Run `forward` of a decoder (text-generation) with int64 [tokens] of shape 1 x tokens and a [position] of shape 1, the
     * number of tokens before them, whose keys and values the program's cache holds. Return the logits behind the last token.
     */
    fun decode(tokens: LongArray, position: Long): FloatArray = throw LinnetException(
        Status.UNKNOWN_METHOD,
        "expected an engine that runs decoders, got a ${javaClass.name} without decode(tokens, position); override it",
    )

    /** Free what it holds. Called once, when no run is in progress. */
    override fun close() = Unit
}

/** The engine as the native code calls it. The native code reads [Tensor.shape] and [Tensor.data] as fields. */
internal class EngineAdapter(private val engine: Engine) : AutoCloseable {
    /** Tokens whose keys and values the cache of a decoder's program holds. */
    private var held = LongArray(0)

    @Suppress("unused")
    @Synchronized
    fun run(inputs: Array<LongArray>): Array<Tensor> = engine.run(inputs).toTypedArray()

    /** Return the logits behind the last of [tokens]; those that the cache holds do not run again, but for the last one. */
    @Synchronized
    fun logitsBehind(tokens: LongArray, chunk: Int): FloatArray {
        var at = tokens.indices.firstOrNull { it >= held.size || held[it] != tokens[it] } ?: tokens.size
        at = minOf(at, tokens.size - 1)
        held = tokens.copyOf(at) // a run that fails leaves its own tokens unknown
        var logits = FloatArray(0)
        while (at < tokens.size) {
            val end = minOf(at + chunk, tokens.size)
            logits = engine.decode(tokens.copyOfRange(at, end), at.toLong())
            held = tokens.copyOf(end)
            at = end
        }
        return logits
    }

    override fun close() = engine.close()
}
