package dev.linnet

/** A float32 tensor in row-major order. */
class Tensor(val shape: LongArray, val data: FloatArray)

/**
 * Runs a file's `forward`: for apps that take inference from the official ExecuTorch package. Called on the thread that
 * asked, one call at a time. What it throws reaches the caller of [Linnet].
 */
fun interface Engine {
    /** [inputs] are int64 rows of one length in the order of the manifest's `inputs`, each to be passed as [1, tokens]. */
    fun run(inputs: Array<LongArray>): List<Tensor>
}

/** What the native code calls. It reads [Tensor.shape] and [Tensor.data] as fields. */
internal class EngineAdapter(private val engine: Engine) {
    @Suppress("unused")
    @Synchronized
    fun run(inputs: Array<LongArray>): Array<Tensor> = engine.run(inputs).toTypedArray()
}
