package dev.linnet

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/** One call at a time: ExecuTorch's threads are those of the process. A call that waits for its turn blocks no thread. */
private val turns: CoroutineDispatcher = Dispatchers.Default.limitedParallelism(1)

/**
 * Ask a model away from the caller's thread: `model.ask { classify("turn it down", topK = 1) }`.
 *
 * A coroutine that is cancelled while it waits for its turn never asks. A text that is being computed is computed to its
 * end, since ExecuTorch cannot be stopped; its answer is dropped then. [dispatcher]: where; by default the models of a
 * process take turns.
 */
suspend fun <T> Linnet.ask(dispatcher: CoroutineDispatcher = turns, call: Linnet.() -> T): T =
    withContext(dispatcher) { call() }

/**
 * Answer inputs one by one, each when the collector has the one before: `model.flow(texts) { classify(it, topK = 1) }`.
 * Nothing more is computed once the collector is cancelled or has enough.
 */
fun <I, T> Linnet.flow(inputs: Iterable<I>, dispatcher: CoroutineDispatcher = turns, call: Linnet.(I) -> T): Flow<T> =
    flow { for (input in inputs) emit(ask(dispatcher) { call(input) }) }

/**
 * Continue a text, token by token as the collector takes them: `model.tokenFlow("A linnet is").collect { print(it.text) }`.
 *
 * Each token takes its turn with the other models of the process. Once the collector is cancelled or has enough, nothing more
 * is computed: the generation stops before its next token, a long prompt before its next piece.
 */
fun Linnet.tokenFlow(
    prompt: String,
    options: GenerationOptions = GenerationOptions(),
    dispatcher: CoroutineDispatcher = turns,
): Flow<GeneratedToken> = tokens(dispatcher) { stream(prompt, options) }

/** Answer a conversation token by token, by the file's chat template; as [tokenFlow] of a text. */
fun Linnet.tokenFlow(
    messages: List<Message>,
    options: GenerationOptions = GenerationOptions(),
    dispatcher: CoroutineDispatcher = turns,
): Flow<GeneratedToken> = tokens(dispatcher) { stream(messages, options) }

/** Continue a text, in pieces of whole characters: `model.textFlow("A linnet is").collect(::print)`. See [tokenFlow]. */
fun Linnet.textFlow(
    prompt: String,
    options: GenerationOptions = GenerationOptions(),
    dispatcher: CoroutineDispatcher = turns,
): Flow<String> = tokenFlow(prompt, options, dispatcher).texts()

/** Answer a conversation, in pieces of whole characters. See [tokenFlow]. */
fun Linnet.textFlow(
    messages: List<Message>,
    options: GenerationOptions = GenerationOptions(),
    dispatcher: CoroutineDispatcher = turns,
): Flow<String> = tokenFlow(messages, options, dispatcher).texts()

/** Say [text], and give the answer in pieces of whole characters; one that is cancelled stays as far as it came. */
fun Chat.textFlow(text: String, dispatcher: CoroutineDispatcher = turns): Flow<String> =
    tokens(dispatcher) { stream(text) }.texts()

private fun Flow<GeneratedToken>.texts(): Flow<String> = map { it.text }.filter(String::isNotEmpty)

private fun tokens(dispatcher: CoroutineDispatcher, open: () -> TokenStream): Flow<GeneratedToken> = flow {
    var stream: TokenStream? = null
    try {
        withContext(dispatcher) { stream = open() }
        while (stream!!.hasNext(dispatcher)) emit(stream.next())
    } finally {
        stream?.close()
    }
}

/** Compute the next token away from the caller's thread; a coroutine that is cancelled meanwhile stops it. */
private suspend fun TokenStream.hasNext(dispatcher: CoroutineDispatcher): Boolean = coroutineScope {
    var running = true
    val watch = launch(Dispatchers.Unconfined) {
        try {
            awaitCancellation()
        } finally {
            if (running) cancel()
        }
    }
    try {
        withContext(dispatcher) {
            try {
                hasNext()
            } catch (error: LinnetException) {
                if (error.status == Status.CANCELLED) ensureActive() // a CancellationException, as coroutines expect it
                throw error
            }
        }
    } finally {
        running = false
        watch.cancel()
    }
}
