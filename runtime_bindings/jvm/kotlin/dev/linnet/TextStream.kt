package dev.linnet

/**
 * Text of tokens that come one after the other, as a model generates them. Made by [Linnet.textStream].
 *
 * What a later token may still change is held back: a character whose last bytes are to come, a space that the decoder may
 * remove. All texts, joined, are what decoding all tokens at once gives. Calls of several threads take turns.
 */
class TextStream internal constructor(model: Linnet, skipSpecial: Boolean) : AutoCloseable {
    private val stream = model.own({ Native.openTextStream(it, skipSpecial.toInt()) }, Native::closeTextStream)

    /** Take the next token, and return what is new in the text and certain: whole characters, often none. */
    fun push(id: Long): String = stream.use { Native.pushToken(it, id) }

    /** Return the rest of the text; bytes that are not UTF-8 are U+FFFD. The next token begins another text. */
    fun finish(): String = stream.use(Native::finishStream)

    /** Free the stream. Closing twice does nothing; closing the model does it, too. */
    override fun close() = stream.close()
}

/** A native object that belongs to a model and is freed with it at the latest. Its calls take turns. */
internal class Owned(private val model: Linnet, private var handle: Long, private val free: (Long) -> Unit) : AutoCloseable {
    fun <T> use(call: (Long) -> T): T = model.withHandle {
        synchronized(this) {
            if (handle == 0L) refuse("expected an open object, got a closed one; make another one")
            call(handle)
        }
    }

    override fun close() {
        synchronized(this) {
            if (handle != 0L) free(handle)
            handle = 0L
        }
        model.disown(this)
    }
}
