package tests.linnet_export.bundle

import dev.linnet.Engine
import dev.linnet.Linnet
import dev.linnet.Tensor
import dev.linnet.model.sample
import java.io.File

/** Runs a bundle's sample with outputs that were computed before: manifest and outputs stand in a file of records. */
fun main(arguments: Array<String>) {
    val lines = File(arguments[0]).readText().split("\n").filter(String::isNotEmpty).map { it.split("\t") }
    val manifest = lines.filter { it[0] == "field" }.associate { (_, name, type, value) ->
        name to when (type) {
            "int" -> value.toLong()
            "bool" -> value == "1"
            "bytes" -> value.chunked(2).map { it.toInt(16).toByte() }.toByteArray()
            else -> value.replace("\\n", "\n").replace("\\\\", "\\")
        }
    }
    val outputs = lines.filter { it[0] == "output" }.map { (_, shape, data) ->
        Tensor(shape.split(" ").map(String::toLong).toLongArray(), data.split(" ").map(String::toFloat).toFloatArray())
    }
    Linnet.load(manifest, Engine { outputs }).use { println(sample(it)) }
}
