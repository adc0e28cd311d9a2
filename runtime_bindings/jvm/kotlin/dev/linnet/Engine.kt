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

    /** Free what it holds. Called once, when no run is in progress. */
    override fun close() = Unit
}

/** The engine as the native code calls it. The native code reads [Tensor.shape] and [Tensor.data] as fields. */
internal class EngineAdapter(private val engine: Engine) {
    @Suppress("unused")
    @Synchronized
    fun run(inputs: Array<LongArray>): Array<Tensor> = engine.run(inputs).toTypedArray()
}
