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

    init(_ model: Linnet, system: String?, options: GenerationOptions) throws {
        (self.model, self.options) = (model, options)
        beginning = system.map { [Message(role: "system", content: $0)] } ?? []
        said = beginning
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
        let asked = messages + [Message(role: "user", content: text)]
        return try TokenStream(model, state, prompt: model.prompt(of: asked), options: options) { [weak self] answer in
            self?.messages = asked + [Message(role: "assistant", content: answer)]
        }
    }

    /// Say `text` and return the whole answer. Throws `LINNET_CONTEXT_FULL` if the conversation does not fit; see ``reset()``.
    public func ask(_ text: String) throws -> String { try stream(text).complete().text }

    /// Say `text`, and give the answer in pieces of whole characters; one that is cancelled stays as far as it came.
    public func text(answering text: String) -> AsyncThrowingStream<String, Error> {
        model.pieces { try self.stream(text) }
    }

    /// Forget everything but the system message.
    public func reset() throws {
        messages = beginning
        try state.rewind(to: 0)
    }
}
