package tests.runtime_bindings.jvm

import dev.linnet.Aggregation
import dev.linnet.Engine
import dev.linnet.GenerationOptions
import dev.linnet.Finding
import dev.linnet.Linnet
import dev.linnet.LinnetException
import dev.linnet.MaskMode
import dev.linnet.MaskSession
import dev.linnet.MaskSource
import dev.linnet.Masker
import dev.linnet.Message
import dev.linnet.QuestionOptions
import dev.linnet.ScoreFunction
import dev.linnet.Tensor
import dev.linnet.Truncation
import java.io.File
import kotlin.math.abs
import kotlin.math.max
import kotlin.system.exitProcess

/** Reads cases.tsv (tests/conformance/README.md) and compares what the Kotlin API answers. */
private class Conformance(lines: List<List<String?>>) {
    private val lines = ArrayDeque(lines)
    private val fields = LinkedHashMap<String, Any>()
    private var base: Map<String, Any> = emptyMap()
    private val inputs = ArrayList<List<Long>>()
    private var wrongInputs = false
    private val outputs = ArrayDeque<Tensor>()
    private var outputsARun = 1
    private var model: Linnet? = null
    val counts = LinkedHashMap<String, IntArray>()

    /** Tokens in the cache of a decoder. */
    private var ran = emptyList<Long>()

    private val engine = object : Engine {
        override fun run(inputs: Array<LongArray>): List<Tensor> {
            val expected = this@Conformance.inputs
            wrongInputs = wrongInputs || (expected.isNotEmpty() && inputs.map { it.toList() } != expected)
            return List(outputsARun) { outputs.removeFirst() }
        }

        override fun decode(tokens: LongArray, position: Long): FloatArray {
            wrongInputs = wrongInputs || position > ran.size
            ran = ran.take(position.toInt()) + tokens.asList()
            return outputs.removeFirst().data
        }
    }

    fun run() {
        while (lines.isNotEmpty()) {
            val line = lines.removeFirst()
            when (line[0]) {
                "version" -> check(line[1] == "1") { "cases of version ${line[1]}, this reads 1" }
                "clear" -> fields.clear()
                "field" -> fields[line[1]!!] = value(line[2]!!, line[3]!!)
                "drop" -> fields.remove(line[1])
                "manifest" -> open()
                "input" -> inputs.add(line[1].longs())
                "output" -> outputs.add(Tensor(line[1].longs().toLongArray(), line[2].floats().toFloatArray()))
                else -> case(line)
            }
        }
        model?.close()
    }

    private fun open() {
        base = LinkedHashMap(fields)
        ran = emptyList()
        model?.close()
        model = Linnet.load(base, engine)
        outputsARun = (base["outputs"] as String).split("\n").size
    }

    private fun case(line: List<String?>) {
        val expected = generateSequence { lines.firstOrNull()?.takeIf { it[0] in RESULTS }?.also { lines.removeFirst() } }.toList()
        val right = try {
            right(line, expected)
        } catch (error: LinnetException) {
            System.err.println("${line[0]} ${line.drop(1).take(2)}: $error")
            false
        }
        val passed = right && !wrongInputs && outputs.isEmpty()
        if (!passed) System.err.println("differs: ${line.take(4)}")
        counts.getOrPut(line[0]!!) { IntArray(2) }[if (passed) 0 else 1]++
        inputs.clear()
        wrongInputs = false
        outputs.clear()
    }

    private fun right(line: List<String?>, expected: List<List<String?>>): Boolean = when (line[0]) {
        "verdict" -> verdict() == line[1]
        "tokenize" -> tokens(line, expected)
        "classify" -> {
            val found = model!!.classify(line[1]!!, line[2], line[3]!!.toInt(), ScoreFunction.valueOf(line[4]!!.uppercase()))
            found.zipped(expected) { it, row -> it.label == row[1] && near(it.score, row[2]) }
        }
        "entities" -> {
            val text = line[1]!!
            model!!.entities(text, Aggregation.valueOf(line[2]!!.uppercase()), listOf(line[3]!!)).zipped(expected) { it, row ->
                it.label == row[1] && near(it.score, row[2]) && it.word == row[3] && it.start == row[8]!!.toInt() &&
                    it.end == row[9]!!.toInt()
            }
        }
        "fill_mask" -> {
            val groups = model!!.fillMask(line[1]!!, line[2]!!.toInt(), line[3]?.split(" "))
            groups.flatten().zipped(expected) { it, row ->
                it.id == row[2]!!.toLong() && near(it.score, row[3]) && it.token == row[4] && it.sequence == row[5]
            } && groups.size == expected.map { it[1] }.distinct().size
        }
        "answer" -> answer(line, expected)
        "score" -> near(model!!.score(line[1]!!, line[2]!!).single(), line[3])
        "embed" -> model!!.embed(line[1]!!, normalize = line[2] == "1").toList().zipped(line[3].floats()) { it, each ->
            near(it, each.toString())
        }
        "stream" -> stream(line)
        "chat" -> {
            val messages = line.drop(3).chunked(2) { (role, content) -> Message(role!!, content!!) }
            model!!.chatPrompt(messages, generation = line[1] == "1") == line[2]
        }
        "generate" -> generate(line, expected.single())
        "mask" -> mask(line, expected)
        else -> error("a record of kind ${line[0]}")
    }

    private fun stream(line: List<String?>): Boolean = model!!.textStream(skipSpecial = line[1] == "1").use { stream ->
        val pieces = line[2].longs().map(stream::push) + stream.finish()
        val sizes = pieces.map { it.encodeToByteArray().size.toLong() }
        pieces.joinToString("") == line[3] && (line[4] == null || sizes == line[4].longs())
    }

    private fun generate(line: List<String?>, expected: List<String?>): Boolean {
        val options = GenerationOptions(
            maxNewTokens = line[3]!!.toInt(),
            temperature = line[4]?.toFloat(),
            topK = line[5]?.toInt(),
            topP = line[6]?.toFloat(),
            minP = line[7]?.toFloat(),
            repetitionPenalty = line[8]?.toFloat(),
            presencePenalty = line[9]!!.toFloat(),
            frequencyPenalty = line[10]!!.toFloat(),
            seed = line[11]?.toULong()?.toLong(),
            stopStrings = listOfNotNull(line[12]),
            regex = line.getOrNull(14).takeIf { line.getOrNull(13) == "regex" },
            jsonSchema = line.getOrNull(14).takeIf { line.getOrNull(13) == "json_schema" },
            choices = line.drop(14).filterNotNull().takeIf { line.getOrNull(13) == "choices" },
        )
        val prompt = line[1]!!
        val found = model!!.run { if (line[2] == "1") generate(listOf(Message("user", prompt)), options) else generate(prompt, options) }
        return found.finishReason.name.lowercase() == expected[1] && found.promptTokens == expected[2]!!.toInt() &&
            found.ids == expected[3].longs() && found.text == expected[5] && ran == inputs.single() &&
            found.logProbabilities.zipped(expected[4].floats()) { it, wanted -> near(it, wanted.toString()) }
    }

    private fun mask(line: List<String?>, expected: List<List<String?>>): Boolean {
        val text = line[3]!!
        fun place(codePoints: String) = text.offsetByCodePoints(0, codePoints.toInt())
        val given = line[4]!!.words().chunked(5) { (type, start, end, score, source) ->
            Finding(type, place(start), place(end), score.toDouble(), MaskSource.entries[source.toInt()])
        }
        val mode = MaskMode.valueOf(line[2]!!.uppercase())
        Masker(line[1]!!.words()).use { masker ->
            MaskSession().use { session ->
                val isSession = mode == MaskMode.PSEUDONYM
                val found = if (isSession) session.mask(masker, text, given) else masker.mask(text, mode, given)
                val restored = !isSession || listOf(session.unmask(found.text), streamed(session, found.text), saved(session, found.text))
                    .all { it == text }
                return restored && found.text == line[5] && found.findings == masker.find(text, given) &&
                    found.findings.zipped(expected) { it, row ->
                        it.type == row[1] && text.substring(it.start, it.end) == row[2] && it.source.name.lowercase() == row[3] &&
                            it.start == row[8]!!.toInt() && it.end == row[9]!!.toInt()
                    }
            }
        }
    }

    private fun saved(session: MaskSession, text: String): String {
        val key = ByteArray(16) { it.toByte() }
        return MaskSession.load(session.save(key), key).use { if (it.size == session.size) it.unmask(text) else "" }
    }

    private fun streamed(session: MaskSession, text: String): String = session.stream().use { stream ->
        val pieces = text.codePoints().toArray().map { String(Character.toChars(it)) }
        pieces.joinToString("", transform = stream::push) + stream.finish()
    }

    private fun verdict(): String = try {
        Linnet.load(fields, engine).close()
        "LINNET_OK"
    } catch (error: LinnetException) {
        "LINNET_${error.status}"
    } finally {
        fields.clear()
        fields.putAll(base)
    }

    private fun tokens(line: List<String?>, expected: List<List<String?>>): Boolean = model!!.tokenize(
        line[1]!!, line[2], line[3]!!.toInt(), Truncation.valueOf(line[4]!!.uppercase()), line[5]!!.toInt(),
    ).zipped(expected) { it, row ->
        val all = it.tokens
        val columns = listOf(
            all.map { it.id }, all.map { it.typeId }, all.map { it.sequence.toLong() },
            all.flatMap { listOf(it.codePoints.start, it.codePoints.end).map(Int::toLong) },
            all.flatMap { listOf(it.utf8.start, it.utf8.end).map(Int::toLong) },
            all.flatMap { listOf(it.utf16.start, it.utf16.end).map(Int::toLong) },
        )
        it.truncated == (row[1] == "1") && columns == row.drop(2).map { it.longs() }
    }

    private fun answer(line: List<String?>, expected: List<List<String?>>): Boolean {
        val (topK, longest, length, stride) = line.subList(3, 7).map { it!!.toInt() }
        val options = QuestionOptions(topK, longest, length, stride, line[7] == "1", line[8] == "1")
        return model!!.answer(line[1]!!, line[2]!!, options).zipped(expected) { it, row ->
            near(it.score.toFloat(), row[1]) && it.start == row[4]!!.toInt() && it.end == row[5]!!.toInt() && it.text == row[6]
        }
    }

    private fun value(type: String, text: String): Any = when (type) {
        "int" -> text.toLong()
        "bool" -> text == "1"
        "float" -> text.toDouble()
        "bytes" -> text.chunked(2).map { it.toInt(16).toByte() }.toByteArray()
        else -> text
    }

    private companion object {
        val RESULTS = setOf("window", "class", "entity", "proposal", "span", "completion", "finding")
    }
}

private fun near(found: Float, expected: String?): Boolean {
    val wanted = expected!!.toDouble()
    return abs(found - wanted) <= max(1e-6, 2e-5 * abs(wanted))
}

private fun <A, B> List<A>.zipped(other: List<B>, same: (A, B) -> Boolean): Boolean =
    size == other.size && zip(other).all { (a, b) -> same(a, b) }

private fun String.words(): List<String> = split(" ").filter(String::isNotEmpty)

private fun String?.longs(): List<Long> = this!!.split(" ").filter(String::isNotEmpty).map(String::toLong)

private fun String?.floats(): List<Float> = this!!.split(" ").filter(String::isNotEmpty).map(String::toFloat)

internal fun unescape(text: String): String? {
    if (text == "\\-") return null
    val meanings = mapOf('t' to '\t', 'n' to '\n', 'r' to '\r', '0' to '\u0000')
    return Regex("""\\(.)""").replace(text) { (meanings[it.groupValues[1][0]] ?: it.groupValues[1][0]).toString() }
}

internal fun records(file: String): List<List<String?>> =
    File(file).readText().split("\n").filter { it.isNotEmpty() && it[0] != '#' }.map { line -> line.split("\t").map(::unescape) }

internal fun conformance(file: String) {
    val cases = Conformance(records(file)).apply { run() }
    cases.counts.forEach { (kind, counts) -> println("$kind ${counts[0]} ${counts[1]}") }
    if (cases.counts.isEmpty() || cases.counts.values.any { it[1] > 0 }) exitProcess(1)
}
