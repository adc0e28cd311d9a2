import Foundation

/// One call at a time, as ExecuTorch's threads are those of the process.
private let turns = DispatchQueue(label: "dev.linnet.turns", qos: .userInitiated)

extension Linnet {
    /// Ask a model away from the caller's thread: `try await model.ask { try $0.classify("turn it down", topK: 1) }`.
    ///
    /// The models of a process take turns. A task that is cancelled while it waits for its turn never asks, and gets a
    /// `CancellationError`. A text that is being computed is computed to its end, since ExecuTorch cannot be stopped.
    public func ask<Result: Sendable>(_ call: @escaping @Sendable (Linnet) throws -> Result) async throws -> Result {
        let asked = Asked()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Result, Error>) in
                turns.async {
                    continuation.resume(with: Swift.Result {
                        if asked.isCancelled { throw CancellationError() }
                        return try call(self)
                    })
                }
            }
        } onCancel: {
            asked.cancel()
        }
    }

    /// Continue a text, token by token as they are taken:
    /// `for try await token in model.tokens(continuing: "A linnet is") { print(token.text) }`.
    ///
    /// Each token takes its turn with the other models of the process. Once the task is cancelled or has left the loop,
    /// nothing more is computed: the generation stops before its next token, a long prompt before its next piece.
    public func tokens(
        continuing prompt: String, options: GenerationOptions = GenerationOptions()
    ) -> AsyncThrowingStream<GeneratedToken, Error> {
        tokens { try self.stream(prompt, options: options) }
    }

    /// Answer a conversation token by token, by the file's chat template; as ``tokens(continuing:options:)``.
    public func tokens(
        answering messages: [Message], options: GenerationOptions = GenerationOptions()
    ) -> AsyncThrowingStream<GeneratedToken, Error> {
        tokens { try self.stream(messages, options: options) }
    }

    /// Continue a text, in pieces of whole characters. See ``tokens(continuing:options:)``.
    public func text(
        continuing prompt: String, options: GenerationOptions = GenerationOptions()
    ) -> AsyncThrowingStream<String, Error> {
        pieces { try self.stream(prompt, options: options) }
    }

    /// Answer a conversation, in pieces of whole characters. See ``tokens(continuing:options:)``.
    public func text(
        answering messages: [Message], options: GenerationOptions = GenerationOptions()
    ) -> AsyncThrowingStream<String, Error> {
        pieces { try self.stream(messages, options: options) }
    }

    func pieces(_ open: @escaping @Sendable () throws -> TokenStream) -> AsyncThrowingStream<String, Error> {
        let opened = Opened(open)
        return AsyncThrowingStream {
            while let token = try await self.next(of: opened) {
                if !token.text.isEmpty { return token.text }
            }
            return nil
        }
    }

    private func tokens(_ open: @escaping @Sendable () throws -> TokenStream) -> AsyncThrowingStream<GeneratedToken, Error> {
        let opened = Opened(open)
        return AsyncThrowingStream { try await self.next(of: opened) }
    }

    /// Generate the next token away from the caller's thread; a task that is cancelled meanwhile stops it.
    private func next(of opened: Opened) async throws -> GeneratedToken? {
        do {
            return try await withTaskCancellationHandler {
                try await ask { _ in try opened.stream().next() }
            } onCancel: {
                opened.cancel()
            }
        } catch let error as LinnetError where error.status == LinnetError.cancelled && Task.isCancelled {
            throw CancellationError()
        }
    }

    /// Answer inputs one by one, each when the one before was taken:
    /// `for try await found in model.answers(to: texts, { try $0.classify($1, topK: 1) })`. Nothing more is computed once
    /// the task is cancelled or has left the loop.
    public func answers<Input: Sendable, Result: Sendable>(
        to inputs: [Input], _ call: @escaping @Sendable (Linnet, Input) throws -> Result
    ) -> AsyncThrowingStream<Result, Error> {
        let place = Place()
        return AsyncThrowingStream {
            guard let index = place.next(of: inputs.count) else { return nil }
            return try await self.ask { try call($0, inputs[index]) }
        }
    }
}

/// A stream that is opened when its first token is asked for, and closed with the last one who may ask.
private final class Opened: @unchecked Sendable {
    private let lock = NSLock()
    private let open: @Sendable () throws -> TokenStream
    private var opened: TokenStream?

    init(_ open: @escaping @Sendable () throws -> TokenStream) { self.open = open }

    deinit { opened?.close() }

    func stream() throws -> TokenStream {
        lock.lock()
        defer { lock.unlock() }
        let stream = try opened ?? open()
        opened = stream
        return stream
    }

    func cancel() {
        lock.lock()
        defer { lock.unlock() }
        opened?.cancel()
    }
}

/// Whether a call that waits was cancelled.
private final class Asked: @unchecked Sendable {
    private let lock = NSLock()
    private var cancelled = false

    var isCancelled: Bool {
        lock.lock()
        defer { lock.unlock() }
        return cancelled
    }

    func cancel() {
        lock.lock()
        defer { lock.unlock() }
        cancelled = true
    }
}

/// Counts through a list.
private final class Place: @unchecked Sendable {
    private let lock = NSLock()
    private var index = 0

    func next(of count: Int) -> Int? {
        lock.lock()
        defer { lock.unlock() }
        guard index < count else { return nil }
        defer { index += 1 }
        return index
    }
}
