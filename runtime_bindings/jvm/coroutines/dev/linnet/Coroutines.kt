package dev.linnet

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
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
