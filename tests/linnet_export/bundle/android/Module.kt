@file:Suppress("unused", "UNUSED_PARAMETER", "PackageDirectoryMismatch")

package org.pytorch.executorch

import java.io.Closeable
import java.io.File

class Tensor(val content: Any, private val shape: LongArray) {
    val dataAsUnsignedByteArray: ByteArray get() = content as ByteArray
    val dataAsFloatArray: FloatArray get() = content as FloatArray

    fun shape(): LongArray = shape

    companion object {
        @JvmStatic
        fun fromBlob(data: LongArray, shape: LongArray) = Tensor(data, shape)
    }
}

class EValue(val content: Any) {
    val isInt get() = content is Long
    val isDouble get() = content is Double
    val isBool get() = content is Boolean
    val isString get() = content is String

    fun toInt(): Long = content as Long

    fun toDouble(): Double = content as Double

    fun toBool(): Boolean = content as Boolean

    fun toStr(): String = content as String

    fun toTensor(): Tensor = content as Tensor

    companion object {
        @JvmStatic
        fun from(tensor: Tensor) = EValue(tensor)
    }
}

/** Answers from the records of its asset, whose name begins as the file's does. */
class Module private constructor(path: String) : Closeable {
    private val records = File(folder, "${File(path).name.substringBeforeLast('-')}.pte.tsv").readLines().map { it.split("\t") }
    private var open = true
    private var decodings = 0

    init {
        opened++
    }

    fun getMethods(): Array<String> =
        (records.filter { it[0] == "field" }.map { it[1] } + listOf("forward", "forward_fused")).toTypedArray()

    fun execute(name: String, vararg inputs: EValue): Array<EValue> {
        check(open) { "Module has been destroyed" }
        if (name.startsWith("forward")) return answer(name, inputs)
        return records.filter { it[0] == "field" && it[1] == name }.map { (_, _, type, text) -> EValue(value(type, text)) }
            .toTypedArray()
    }

    /** As ExecuTorch does where an operator of the method is not registered, if [refused] is one. */
    fun loadMethod(name: String) {
        check(open) { "Module has been destroyed" }
        if (name == refused) throw RuntimeException("operator missing in $name")
    }

    private fun answer(name: String, inputs: Array<out EValue>): Array<EValue> {
        ran += name
        if (inputs.size == 2 && inputs[1].toTensor().shape().toList() == listOf(1L)) return arrayOf(decoded(inputs[0].toTensor()))
        check(inputs.map { it.toTensor().shape().toList() }.toSet().single()[0] == 1L)
        runs++
        Thread.sleep(delay)
        return records.filter { it[0] == "output" }.map { (_, shape, data) ->
            val numbers = data.split(" ").map(String::toFloat).toFloatArray()
            EValue(Tensor(numbers, shape.split(" ").map(String::toLong).toLongArray()))
        }.toTypedArray()
    }

    /** A decoder's outputs stand in the order of its calls. */
    private fun decoded(tokens: Tensor): EValue {
        check(tokens.shape().size == 2 && tokens.shape()[0] == 1L)
        val (_, shape, data) = records.filter { it[0] == "output" }[decodings++]
        val numbers = data.split(" ").map(String::toFloat).toFloatArray()
        return EValue(Tensor(numbers, shape.split(" ").map(String::toLong).toLongArray()))
    }

    override fun close() {
        check(open)
        open = false
        opened--
    }

    private fun value(type: String, text: String): Any = when (type) {
        "int" -> text.toLong()
        "float" -> text.toDouble()
        "bool" -> text == "1"
        "bytes" -> text.chunked(2).map { it.toInt(16).toByte() }.toByteArray().let { Tensor(it, longArrayOf(it.size.toLong())) }
        else -> text.replace("\\n", "\n").replace("\\\\", "\\")
    }

    companion object {
        const val LOAD_MODE_MMAP = 1
        var folder = File(".")
        var delay = 0L

        /** Modules that are open, calls of forward and forward_fused, which of them, and the method that fails to load. */
        var opened = 0
        var runs = 0
        val ran = mutableSetOf<String>()
        var refused: String? = null

        @JvmStatic
        fun load(path: String?, mode: Int = 0, threads: Int = 0) = Module(path!!)
    }
}
