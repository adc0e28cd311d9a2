package tests.runtime_bindings.jvm

import dev.linnet.Engine
import dev.linnet.Linnet
import dev.linnet.LinnetException
import dev.linnet.QuestionOptions
import dev.linnet.Tensor
import java.io.File
import java.util.concurrent.Callable
import java.util.concurrent.Executors

/** Answers of a real file, one a line, for comparison with Python's: fields between tabs. */
private fun answers(path: String) = Linnet.load(path, threads = 1).use { model ->
    val text = "the [MASK] is open"
    when (model.task) {
        "text-classification" -> model.classify(text).forEach { println("${it.label}\t${it.score}") }
        "token-classification" -> model.entities(text).forEach { println("${it.label}\t${it.score}\t${it.word}\t${it.start}\t${it.end}") }
        "fill-mask" -> model.fillMask(text).flatten().forEach { println("${it.id}\t${it.score}\t${it.token}\t${it.sequence}") }
        "question-answering" -> model.answer("how", "turn it down and up again").let { println("${it.score}\t${it.start}\t${it.end}\t${it.text}") }
        "feature-extraction" -> println(model.embed(text, normalize = true).joinToString("\t"))
        else -> model.rank("music", listOf("play music", "the bank")).forEach { println("${it.index}\t${it.score}") }
    }
}

/** How many answers each form of answer() and rank() gives, and that the former name still answers. */
private fun verbs(folder: String) {
    val context = "turn it down and up again"
    Linnet.load("$folder/question-answering.pte", threads = 1).use { model ->
        val three = model.answer("how", context, topK = 3)
        println("answer ${three.size} ${model.answer("how", context, topK = 1) == listOf(model.answer("how", context))}")
        println("options ${three == model.answer("how", context, QuestionOptions(topK = 3))}")
        @Suppress("DEPRECATION")
        println("answers ${three == model.answers("how", context, QuestionOptions(topK = 3))}")
    }
    Linnet.load("$folder/text-ranking.pte", threads = 1).use { model ->
        val passages = listOf("play music", "the bank", "the bank is open")
        val all = model.rank("music", passages)
        println("rank ${all.size} ${model.rank("music", passages, topK = 2) == all.take(2)}")
    }
}

/** What a call throws, as "STATUS executorch-code". */
internal fun thrown(call: () -> Unit): String = try {
    call()
    "nothing"
} catch (error: LinnetException) {
    check(error.message!!.isNotEmpty())
    "${error.status}"
}

private fun errors(folder: String) {
    val model = Linnet.load("$folder/text-classification.pte", threads = 1)
    println("missing ${thrown { Linnet.load("$folder/nothing.pte") }}")
    println("zero ${thrown { Linnet.load("a\u0000b") }}")
    println("long ${thrown { model.classify("turn ".repeat(500), truncate = false) }}")
    println("surrogate ${thrown { model.classify("a\ud800b") }}")
    println("task ${thrown { model.embed("x") }}")
    println("field ${thrown { model.field("nothing") }}")
    println("threads ${thrown { Linnet.load("$folder/fill-mask.pte", threads = 7).close() }}")
    val bytes = File("$folder/text-classification.pte").readBytes()
    Linnet.load(bytes, threads = 1).use { println("memory ${it.classify("x") == model.classify("x")}") }
    bytes[64] = (bytes[64] + 1).toByte()
    println("damaged ${thrown { Linnet.load(bytes) }}")
    File("$folder/damaged.pte").writeBytes(bytes)
    println("check ${thrown { Linnet.check("$folder/damaged.pte") }}")
    Linnet.check("$folder/text-classification.pte")
    Linnet.verify("$folder/text-classification.pte")
    println("digest ${Linnet.digest("$folder/text-classification.pte")}")
    model.close()
    model.close()
    println("closed ${thrown { model.classify("x") }}")
}

/** What a device counts, as JSON. */
private fun statistics(file: String) {
    Linnet.load(file, threads = 1).use { model ->
        println("nothing ${thrown { model.statistics() }}")
        println("name ${thrown { model.startStatistics("a name") }}")
        model.startStatistics("intents")
        model.classify(listOf("turn", "turn the volume down"))
        model.stopStatistics()
        model.classify("turn")
        println(model.statistics())
    }
}

/** The engine's own exception reaches the caller; a wrong shape is named. */
private fun engines(cases: String) {
    val manifest = LinkedHashMap<String, Any>()
    for (line in records(cases).dropWhile { it[0] != "clear" }.drop(1).takeWhile { it[0] == "field" }) {
        manifest[line[1]!!] = when (line[2]) {
            "int" -> line[3]!!.toLong()
            "bool" -> line[3] == "1"
            "bytes" -> line[3]!!.chunked(2).map { it.toInt(16).toByte() }.toByteArray()
            else -> line[3]!!
        }
    }
    val failing = Engine { throw IllegalStateException("the engine stopped") }
    val said = runCatching { Linnet.load(manifest, failing).use { it.classify("x") } }.exceptionOrNull()
    println("engine ${said?.javaClass?.simpleName} ${said?.message}")
    val wrong = Engine { listOf(Tensor(longArrayOf(1, 9), FloatArray(9))) }
    println("shape ${thrown { Linnet.load(manifest, wrong).use { it.classify("x") } }}")
    val torn = Engine { listOf(Tensor(longArrayOf(1, 3), FloatArray(2))) }
    println("torn ${thrown { Linnet.load(manifest, torn).use { it.classify("x") } }}")
}

/** Loads a signed file with its key, with another one, and one that was changed. */
private fun signatures(signed: String, key: String, otherKey: String, changed: String, unsigned: String) {
    val right = File(key).readBytes()
    Linnet.load(signed, right, threads = 1).use { println("right ${it.task}") }
    println("other ${thrown { Linnet.load(signed, File(otherKey).readBytes()) }}")
    println("changed ${thrown { Linnet.load(changed, right) }}")
    println("unsigned ${thrown { Linnet.load(unsigned, right) }}")
}

/** Eight threads share one model; closing waits for them. */
private fun threads(folder: String) {
    val model = Linnet.load("$folder/text-classification.pte", threads = 1)
    val expected = model.classify("turn the volume down")
    val pool = Executors.newFixedThreadPool(8)
    val all = pool.invokeAll(List(400) { Callable { model.classify("turn the volume down") == expected } })
    println("threads ${all.all { it.get() }}")
    pool.shutdown()
    model.close()
}

private fun residentKilobytes(): Long =
    File("/proc/self/status").readLines().first { it.startsWith("VmRSS") }.filter(Char::isDigit).toLong()

/** Memory after [count] calls of every kind, less that after the first tenth. */
private fun leaks(folder: String, count: Int) {
    val classifier = Linnet.load("$folder/text-classification.pte", threads = 1)
    val tagger = Linnet.load("$folder/token-classification.pte", threads = 1)
    fun once(at: Int) {
        if (at % 2 == 0) classifier.classify("turn the volume down $at") else tagger.entities("the bank $at is open", ignored = listOf())
        thrown { classifier.field("nothing") }
        classifier.tokenize("the bank is open")
    }
    repeat(count / 10) { once(it) }
    System.gc()
    val before = residentKilobytes()
    repeat(count) { once(it) }
    System.gc()
    println("leak ${residentKilobytes() - before}")
    classifier.close()
    tagger.close()
}

fun main(arguments: Array<String>) = when (arguments[0]) {
    "conformance" -> conformance(arguments[1])
    "answers" -> answers(arguments[1])
    "verbs" -> verbs(arguments[1])
    "errors" -> errors(arguments[1])
    "engines" -> engines(arguments[1])
    "statistics" -> statistics(arguments[1])
    "signatures" -> signatures(arguments[1], arguments[2], arguments[3], arguments[4], arguments[5])
    "threads" -> threads(arguments[1])
    "completions" -> completions(arguments[1], arguments[2])
    "engine-completions" -> engineCompletions(arguments[1], arguments[2], arguments[3])
    "texts" -> texts(arguments[1], arguments[2])
    "streams" -> streams(arguments[1])
    "chat" -> chat(arguments[1])
    else -> leaks(arguments[1], arguments[2].toInt())
}
