package dev.linnet

/**
 * A conversation with a model; what the model remembers of earlier turns is not computed again. Made by [Linnet.chat].
 *
 * ```kotlin
 * model.chat(system = "Answer in one sentence.").use { println(it.ask("Why do birds sing?")) }
 * ```
 */
class Chat internal constructor(
    private val model: Linnet,
    system: String?,
    private val options: GenerationOptions,
) : AutoCloseable {
    private val beginning = listOfNotNull(system?.let { Message("system", it) })
    private val state: TextState

    /** All messages so far, the system message first if there is one. */
    var messages: List<Message> = beginning
        private set

    /** First message that the model still reads. */
    private var forgotten = beginning.size

    init {
        // a template without system messages says so now, not at the first question
        if (beginning.isNotEmpty()) model.chatPrompt(beginning + Message("user", ""))
        state = model.newText()
    }

    /** Say [text] and return the tokens of the answer; an answer that is closed early stays as far as it came. */
    fun stream(text: String): TokenStream {
        val question = Message("user", text)
        val asked = beginning + messages.drop(forgotten) + question
        val window = Window.ofMessages(model, asked, state.capacity, options)
        return TokenStream(model, state, ownsState = false, model.promptOf(asked), options, window) { answer ->
            messages = messages + question + Message("assistant", answer)
            forgotten += 2 * (window?.droppedTurns ?: 0)
        }
    }

    /** Say [text] and return the whole answer. [Status.CONTEXT_FULL] if the conversation does not fit and does not slide; see [reset]. */
    fun ask(text: String): String = stream(text).complete().text

    /** Forget everything but the system message. */
    fun reset() {
        messages = beginning
        forgotten = beginning.size
        state.rewind(0)
    }

    /** Free what the model remembers of the conversation. */
    override fun close() = state.close()
}
