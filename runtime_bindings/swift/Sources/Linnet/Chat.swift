import Foundation

/// A conversation with a model; what the model remembers of earlier turns is not computed again. Made by
/// ``Linnet/chat(system:options:)``.
///
/// ```swift
/// let chat = try model.chat(system: "Answer in one sentence.")
/// for try await piece in chat.text(answering: "Why do birds sing?") { print(piece, terminator: "") }
/// ```
public final class Chat: @unchecked Sendable {
    private let model: Linnet
    private let state: TextState
    private let options: GenerationOptions
    private let beginning: [Message]
    private let lock = NSLock()
    private var said: [Message]
    /// First message that the model still reads.
    private var forgotten: Int

    init(_ model: Linnet, system: String?, options: GenerationOptions) throws {
        (self.model, self.options) = (model, options)
        beginning = system.map { [Message(role: "system", content: $0)] } ?? []
        said = beginning
        forgotten = beginning.count
        // a template without system messages says so now, not at the first question
        if !beginning.isEmpty { _ = try model.chatPrompt(beginning + [Message(role: "user", content: "")]) }
        state = try model.newText()
    }

    /// All messages so far, the system message first if there is one.
    public private(set) var messages: [Message] {
        get {
            lock.lock()
            defer { lock.unlock() }
            return said
        }
        set {
            lock.lock()
            defer { lock.unlock() }
            said = newValue
        }
    }

    /// Say `text` and return the tokens of the answer; an answer that is left early stays as far as it came.
    public func stream(_ text: String) throws -> TokenStream {
        try options.check()
        let question = Message(role: "user", content: text)
        let before = messages
        let asked = beginning + before.dropFirst(firstRead(forgetting: 0)) + [question]
        let window = try model.window(of: asked, capacity: state.capacity, options)
        return try TokenStream(
            model, state, prompt: model.prompt(of: asked), options: options, window: window
        ) { [weak self, droppedTurns = { window?.droppedTurns ?? 0 }] answer in
            self?.messages = before + [question, Message(role: "assistant", content: answer)]
            _ = self?.firstRead(forgetting: 2 * droppedTurns())
        }
    }

    /// Return the first message that the model still reads, after so many more are forgotten.
    private func firstRead(forgetting count: Int) -> Int {
        lock.lock()
        defer { lock.unlock() }
        forgotten += count
        return forgotten
    }

    /// Say `text` and return the whole answer. Throws `LINNET_CONTEXT_FULL` if the conversation does not fit and does not slide.
    public func ask(_ text: String) throws -> String { try stream(text).complete().text }

    /// Say `text`, and give the answer in pieces of whole characters; one that is cancelled stays as far as it came.
    public func text(answering text: String) -> AsyncThrowingStream<String, Error> {
        model.pieces { try self.stream(text) }
    }

    /// Forget everything but the system message.
    public func reset() throws {
        messages = beginning
        _ = firstRead(forgetting: beginning.count - firstRead(forgetting: 0))
        try state.rewind(to: 0)
    }
}
