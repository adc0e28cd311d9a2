package tests.runtime_bindings.jvm_coroutines

import dev.linnet.Engine
import dev.linnet.GenerationOptions
import dev.linnet.Linnet
import dev.linnet.Message
import dev.linnet.textFlow
import dev.linnet.tokenFlow
import java.util.concurrent.CountDownLatch
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/** Flows of a decoder's file, which has the manifest's fields that are named: their texts, and what is left of them when their collector goes. */
fun main(arguments: Array<String>) = Linnet.load(arguments[0], threads = 1).use { model ->
    val options = GenerationOptions(maxNewTokens = 12)
    val whole = model.generate("The small bird", options)
    runBlocking {
        println("text ${model.textFlow("The small bird", options).toList().joinToString("") == whole.text}")
        val tokens = model.tokenFlow("The small bird", options).toList().filter { it.id >= 0 }
        println("tokens ${tokens.map { it.id } == whole.ids && tokens.map { it.logProbability } == whole.logProbabilities}")
        println("taken ${model.tokenFlow("The small bird", options).take(2).toList().size}")
        val asked = listOf(Message("user", "Hi"))
        val answer = model.textFlow(asked, options).toList().joinToString("")
        model.chat(options = options).use { chat ->
            val said = chat.textFlow("Hi").toList().joinToString("")
            println("chat ${said == answer && chat.messages == asked + Message("assistant", said)}")
        }
        }
    println("cancelled ${cancelledBetweenTokens(model)}")
    println("prompt ${cancelledInThePrompt(arguments[1].split(",").associateWith(model::field))}")
}

/** The collector is cancelled after its first token: the answer stays so far, and the next one is whole. */
private fun cancelledBetweenTokens(model: Linnet): String = model.chat(options = GenerationOptions(maxNewTokens = 12)).use { chat ->
    runBlocking {
        val heard = CountDownLatch(1)
        val listener = launch(Dispatchers.Default) { chat.textFlow("Hi").collect { heard.countDown() } }
        launch(Dispatchers.Default) { heard.await().also { listener.cancelAndJoin() } }.join()
        val kept = chat.messages.last()
        chat.reset()
        val again = chat.textFlow("Hi").toList().joinToString("")
        "${again.startsWith(kept.content)} ${again == model.generate(listOf(Message("user", "Hi")), GenerationOptions(maxNewTokens = 12)).text}"
    }
}

/** The collector is cancelled while an engine computes a prompt of several pieces: the engine is not called again. */
private fun cancelledInThePrompt(fields: Map<String, Any>): String = runBlocking {
    val (begun, go) = List(2) { CountDownLatch(1) }
    var calls = 0
    val engine = object : Engine {
        override fun run(inputs: Array<LongArray>) = error("a decoder has no other calls")

        override fun decode(tokens: LongArray, position: Long): FloatArray {
            calls++
            begun.countDown()
            go.await()
            return FloatArray((fields["vocab_size"] as Long).toInt())
        }
    }
    Linnet.load(fields + ("chunk_length" to 2L), engine).use { slow ->
        var thrown = ""
        val listener = launch(Dispatchers.Default) {
            try {
                slow.textFlow("The small bird sings").collect {}
            } catch (error: Throwable) {
                thrown = if (error is CancellationException) "CancellationException" else "$error"
                throw error
            }
        }
        launch(Dispatchers.Default) { begun.await() }.join()
        listener.cancel()
        go.countDown()
        listener.join()
        "$thrown ${calls == 1}"
    }
}
