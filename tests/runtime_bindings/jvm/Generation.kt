package tests.runtime_bindings.jvm

import dev.linnet.Completion
import dev.linnet.Engine
import dev.linnet.FinishReason
import dev.linnet.GenerationOptions
import dev.linnet.Linnet
import dev.linnet.Message
import dev.linnet.Overflow
import dev.linnet.TextState
import dev.linnet.Token
import dev.linnet.Truncation
import java.util.concurrent.CountDownLatch
import kotlin.concurrent.thread

/** Completions of the prompts of a file, one a line, for comparison with Python's: fields between tabs. */
internal fun completions(path: String, cases: String) = Linnet.load(path, threads = 1).use { printCompletions(it, cases, lookup = true) }

/**
 * The same, through an engine: another model whose text goes to and fro as the cache of a program does. [fields]: names of the
 * manifest's fields.
 */
internal fun engineCompletions(path: String, cases: String, fields: String) = Linnet.load(path, threads = 1).use { runtime ->
    val cache = runtime.newText()
    val engine = object : Engine {
        override fun run(inputs: Array<LongArray>) = error("a decoder has no other calls")

        override fun decode(tokens: LongArray, position: Long): FloatArray {
            cache.rewind(position.toInt())
            cache.append(tokens)
            return cache.logits()
        }
    }
    Linnet.load(fields.split(",").associateWith(runtime::field), engine).use { model ->
        check(thrown { model.generate("a", GenerationOptions(promptLookupNumTokens = 1)) } == "INVALID_ARGUMENT")
        printCompletions(model, cases, lookup = false)
    }
}

/**
 * [cases]: prompt, or messages as role, content, role, ...; most tokens, seed or none, stop string or none, another option
 * as name=value or none. Completions are the same with [lookup] and without.
 */
private fun printCompletions(model: Linnet, cases: String, lookup: Boolean) = records(cases).forEach { (prompt, tokens, seed, stop, other) ->
    val (name, value) = other?.split("=", limit = 2) ?: listOf("", "")
    val options = GenerationOptions(
        maxNewTokens = tokens!!.toInt(),
        temperature = seed?.let { 1.5f },
        topK = seed?.let { 50 },
        topP = seed?.let { 0.9f },
        repetitionPenalty = seed?.let { 1.1f },
        seed = seed?.toULong()?.toLong(),
        stopStrings = listOfNotNull(stop),
        regex = value.takeIf { name == "regex" },
        jsonSchema = value.takeIf { name == "json_schema" },
        choices = value.takeIf { name == "choices" }?.split("\u001f"),
        overflow = if (name == "keep") Overflow.SLIDE else Overflow.STOP,
        keep = value.takeIf { name == "keep" }?.toInt(),
        promptLookupNumTokens = if (name == "lookup" && lookup) value.toInt() else 0,
    )
    val parts = prompt!!.split("\u001f")
    val found = if (parts.size == 1) {
        model.generate(prompt, options)
    } else {
        model.generate(parts.chunked(2).map { (role, content) -> Message(role, content) }, options)
    }
    println(line(found))
}

private fun line(found: Completion) = listOf(
    found.ids.joinToString(" "),
    found.logProbabilities.joinToString(" "),
    found.finishReason,
    found.promptTokens,
    found.text.encodeToByteArray().joinToString("") { "%02x".format(it) },
).joinToString("\t")

private fun Linnet.ids(text: String): LongArray =
    tokenize(text, maxLength = 0, truncation = Truncation.NEVER)[0].tokens.map(Token::id).toLongArray()

/** Rewinding, forking, saving and cancelling of texts. */
internal fun texts(path: String, folder: String) {
    val model = Linnet.load(path, threads = 1)
    val ids = LongArray(40) { 5L + it }
    val text = model.newText()
    text.append(ids)
    val expected = text.logits()
    val rewound = model.newText(capacity = 50)
    rewound.append(ids.copyOf(20) + LongArray(20) { 3 })
    rewound.rewind(20)
    rewound.append(ids.copyOfRange(20, 40))
    println("rewind ${rewound.logits().contentEquals(expected)} ${rewound.capacity} ${text.capacity}")
    val fork = text.fork()
    text.append(longArrayOf(7))
    println("fork ${fork.logits().contentEquals(expected)} ${fork.tokens.contentEquals(ids)} ${text.tokens.size}")
    fork.save("$folder/text.state")
    model.loadText("$folder/text.state").use { println("load ${it.logits().contentEquals(expected)}") }
    val choice = fork.sample(GenerationOptions(doSample = false))
    println("sample ${choice.id == expected.indices.maxBy { expected[it] }.toLong()} ${choice.logProbability < 0}")
    fork.cancel()
    println("cancel ${thrown { fork.append(longArrayOf(1)) }} ${fork.tokens.size}")
    fork.append(longArrayOf(1))
    println("remove ${removed(model, ids)} ${thrown { text.remove(40, 2) }} ${thrown { text.remove(-1, 1) }}")
    println("errors ${thrown { fork.append(LongArray(100)) }} ${thrown { fork.append(longArrayOf(-1)) }} " +
        "${thrown { fork.rewind(99) }} ${thrown { model.newText().logits() }} ${thrown { model.newText(1000) }} " +
        "${thrown { model.loadText("$folder/nothing") }}")
    println("prompts ${thrown { model.generate("") }} ${thrown { model.generate("word ".repeat(80)) }} " +
        "${thrown { model.generate("a", GenerationOptions(temperature = -1f)) }} " +
        "${thrown { GenerationOptions(stopStrings = listOf("")) }} " +
        "${thrown { model.chatPrompt(listOf(Message("robot", "x"))) }}")
    fork.close()
    fork.close()
    println("closed ${thrown { fork.logits() }}")
    model.close()
    println("model ${thrown { text.logits() }} ${thrown { text.close() }}")
}

/** Whether a text without some of its tokens is as one that never had them. */
private fun removed(model: Linnet, ids: LongArray): Boolean {
    val rest = ids.copyOf(7) + ids.copyOfRange(20, 40)
    val (shorter, plain) = model.newText() to model.newText()
    shorter.append(ids)
    shorter.remove(7, 13)
    plain.append(rest)
    return shorter.logits().contentEquals(plain.logits()) && shorter.tokens.contentEquals(rest)
}

/** Streams: pieces, early ends, cancellation from another thread, text of tokens. */
internal fun streams(path: String) = Linnet.load(path, threads = 1).use { model ->
    val options = GenerationOptions(maxNewTokens = 12)
    val whole = model.generate("The small bird", options)
    val stream = model.stream("The small bird", options)
    val pieces = stream.asSequence().map { it.text }.toList()
    println("pieces ${pieces.joinToString("") == whole.text} ${stream.text == whole.text} ${stream.finishReason == whole.finishReason}")
    val early = model.stream("The small bird", options)
    early.use { repeat(3) { early.next() } }
    println("early ${early.hasNext()} ${early.finishReason}")
    val state = model.newText()
    val first = model.generate("The small bird", options, state)
    println("state ${first == whole} ${model.generate("The small bird", options, state) == whole} ${state.tokens.size}")
    println("context ${model.generate("The small bird", GenerationOptions(maxNewTokens = 1000)).finishReason == FinishReason.CONTEXT}")
    val begun = CountDownLatch(1)
    val endless = model.stream("a", GenerationOptions(maxNewTokens = 60))
    val canceller = thread { begun.await().also { endless.cancel() } }
    println("cancelled ${thrown { endless.use { for (token in it) begun.countDown().also { canceller.join() } } }}")
    val other = Linnet.load(path, threads = 1)
    val left = other.stream("a", GenerationOptions(promptLookupNumTokens = 4)).also { it.next() }
    other.close()
    println("model first ${thrown { left.close() }}")
    val text = "naïve 👩‍👩‍👧 漢字 e\u0301"
    model.textStream().use { decoder ->
        val parts = model.ids(text).map(decoder::push)
        println("text ${parts.joinToString("") + decoder.finish() == text} ${parts.none { '\uFFFD' in it }}")
        println("token ${thrown { decoder.push(1L shl 40) }}")
    }
}

/** A conversation, beside the same one asked anew. */
internal fun chat(path: String) = Linnet.load(path, threads = 1).use { model ->
    val options = GenerationOptions(maxNewTokens = 5)
    model.chat(system = "Sing.", options = options).use { chat ->
        val first = chat.ask("Hi")
        val asked = listOf(Message("system", "Sing."), Message("user", "Hi"))
        println("first ${first == model.generate(asked, options).text} ${chat.messages == asked + Message("assistant", first)}")
        val next = chat.messages + Message("user", "Why?")
        println("second ${chat.ask("Why?") == model.generate(next, options).text}")
        chat.reset()
        chat.stream("Hi").use { it.next() }
        println("early ${chat.messages.map(Message::role)}")
        println("prompt ${model.chatPrompt(asked, generation = false).replace("\n", "|")}")
    }
    val sliding = GenerationOptions(maxNewTokens = 5, overflow = Overflow.SLIDE)
    model.chat(system = "Sing.", options = sliding).use { chat ->
        repeat(12) { chat.ask("q$it") }
        println("slides ${chat.messages.size}")
    }
    println("refused ${thrown { GenerationOptions(regex = "a", choices = listOf("b")) }} ${thrown { GenerationOptions(keep = 1) }} " +
        "${thrown { model.generate("a", GenerationOptions(regex = "(")) }} " +
        "${thrown { model.generate("a", GenerationOptions(regex = "a{50}", maxNewTokens = 3)) }} " +
        "${thrown { model.generate("a", GenerationOptions(overflow = Overflow.SLIDE, keep = 63)) }}")
    println("guessed ${model.generate("a b a b a b a b", GenerationOptions(promptLookupNumTokens = 4)).guessedTokens > 0}")
}
