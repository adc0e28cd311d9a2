import CLinnet
import Foundation

/// Text of tokens that come one after the other, as a model generates them. Made by ``Linnet/textStream(skipSpecial:)``.
///
/// What a later token may still change is held back: a character whose last bytes are to come, a space that the decoder may
/// remove. All texts, joined, are what decoding all tokens at once gives. Calls of several threads take turns.
public final class TextStream: @unchecked Sendable {
    private let model: Linnet
    private let stream: OpaquePointer?
    private let lock = NSLock()

    init(_ model: Linnet, skipSpecial: Bool) throws {
        self.model = model  // which has the tokenizer
        var made: OpaquePointer?
        try orThrow(linnet_text_stream_create(model.tokenizer(), skipSpecial ? 1 : 0, &made))
        stream = made
    }

    deinit { linnet_text_stream_free(stream) }

    /// Take the next token, and return what is new in the text and certain: whole characters, often none.
    public func push(_ id: Int64) throws -> String { try text { linnet_text_stream_push(stream, id, $0) } }

    /// Return the rest of the text; bytes that are not UTF-8 are U+FFFD. The next token begins another text.
    public func finish() throws -> String { try text { linnet_text_stream_finish(stream, $0) } }

    private func text(_ read: (UnsafeMutablePointer<linnet_text>) -> linnet_status) throws -> String {
        lock.lock()
        defer { lock.unlock() }
        var new = linnet_text()
        try orThrow(read(&new))
        return new.string
    }
}
