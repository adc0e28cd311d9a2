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
