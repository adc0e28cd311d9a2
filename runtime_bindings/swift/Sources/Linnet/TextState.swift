import CLinnet
import Foundation

/// A text of a decoder: its tokens, and the logits behind them. Made by ``Linnet/newText(capacity:)``.
///
/// The program has one cache of keys and values: what it holds of a text is not computed again, whichever text was computed
/// last. Calls of several threads take turns; ``cancel()`` does not wait.
public final class TextState: @unchecked Sendable {
    /// Number of tokens that the text has room for.
    public let capacity: Int

    private let model: Linnet
    private let chunk: Int
    private let turn = NSRecursiveLock()
    private let flag = NSLock()
    private var cancelled = false
    private var ids: [Int64]
    private var behindLast: [Float]?

    init(_ model: Linnet, capacity: Int, chunk: Int, ids: [Int64] = [], behindLast: [Float]? = nil) {
        (self.model, self.capacity, self.chunk) = (model, capacity, chunk)
        (self.ids, self.behindLast) = (ids, behindLast)
    }

    /// The tokens.
    public var tokens: [Int64] { alone { ids } }

    /// Run tokens behind the others, in pieces of the file's `chunk_length`. Throws `LINNET_CONTEXT_FULL` before any runs if
    /// they do not fit, and `LINNET_CANCELLED` after ``cancel()``, when the tokens that ran are part of the text.
    public func append(_ new: [Int64]) throws {
        try alone {
            if new.count > capacity - ids.count {
                throw LinnetError(
                    status: LinnetError.contextFull,
                    message: "\(new.count) tokens behind \(ids.count) do not fit in a context of \(capacity); rewind, or open "
                        + "the text with a larger capacity"
                )
            }
            for start in stride(from: 0, to: new.count, by: chunk) {
                if takeCancelled() {
                    throw LinnetError(
                        status: LinnetError.cancelled, message: "cancelled after \(start) of \(new.count) tokens"
                    )
                }
                let longer = ids + new[start..<min(start + chunk, new.count)]
                behindLast = try model.logits(behind: longer, chunk: chunk)
                ids = longer
            }
        }
    }

    /// Choose the next token without appending it. `promptTokens` is the number of first tokens that were not generated, for
    /// penalties; nil: all.
    public func sample(_ options: GenerationOptions = GenerationOptions(), promptTokens: Int? = nil) throws -> TokenChoice {
        try sample(options.sampling(model.recommendedSampling()), promptTokens: promptTokens ?? tokens.count)
    }

    /// With a constraint, choose among the tokens that it allows, behind which the text can be completed in `tokensLeft`.
    func sample(
        _ sampling: linnet_sampling, promptTokens: Int, constraint: Constraint? = nil, tokensLeft: Int = 0
    ) throws -> TokenChoice {
        try alone {
            let logits = try known()
            var (settings, id, logProbability) = (sampling, Int64(0), Float(0))
            let given = max(promptTokens, 0)
            if let constraint {
                try orThrow(
                    linnet_constraint_choose_token(
                        constraint.native, tokensLeft, &settings, logits, logits.count, ids, ids.count, given, &id,
                        &logProbability
                    )
                )
            } else {
                try orThrow(
                    linnet_choose_token(&settings, logits, logits.count, ids, ids.count, given, &id, &logProbability)
                )
            }
            return TokenChoice(id: id, logProbability: logProbability)
        }
    }

    /// Return the logits behind the last token, one for each id below the vocabulary's size.
    public func logits() throws -> [Float] { try alone { try known() } }

    /// Forget all tokens from number `length` on.
    public func rewind(to length: Int) throws {
        try alone {
            if !(0...ids.count).contains(length) {
                throw refusal("cannot rewind to \(length) tokens, there are \(ids.count)")
            }
            if length < ids.count { behindLast = nil }
            ids.removeLast(ids.count - length)
        }
    }

    /// Forget `count` tokens from number `start` on, and run those behind them again, at their new places. Throws
    /// `LINNET_CANCELLED` after ``cancel()``, when the tokens that ran are the text.
    public func remove(from start: Int, count: Int) throws {
        try alone {
            if start < 0 || count < 0 || start > ids.count || count > ids.count - start {
                throw refusal("cannot remove \(count) tokens from number \(start) on, there are \(ids.count)")
            }
            let behind = Array(ids[(start + count)...])
            try rewind(to: start)
            try append(behind)
        }
    }

    /// Make a copy that goes on alone.
    public func fork() -> TextState {
        alone { TextState(model, capacity: capacity, chunk: chunk, ids: ids, behindLast: behindLast) }
    }

    /// Stop the ``append(_:)`` that runs in another thread, or else the next one, before its next piece.
    public func cancel() { setCancelled(true) }

    /// Make `wanted` the tokens; the beginning that both have in common is not computed again.
    func goTo(_ wanted: [Int64]) throws {
        try alone {
            let common = zip(ids, wanted).prefix { $0 == $1 }.count
            try rewind(to: common)
            try append(Array(wanted[common...]))
        }
    }

    /// Forget a ``cancel()`` that came when nothing was left to stop.
    func uncancel() { setCancelled(false) }

    private func known() throws -> [Float] {
        if ids.isEmpty { throw refusal("the text is empty, expected at least one token; append the prompt first") }
        if let behindLast { return behindLast }
        let logits = try model.logits(behind: ids, chunk: chunk)
        behindLast = logits
        return logits
    }

    private func alone<T>(_ body: () throws -> T) rethrows -> T {
        turn.lock()
        defer { turn.unlock() }
        return try body()
    }

    private func setCancelled(_ value: Bool) {
        flag.lock()
        defer { flag.unlock() }
        cancelled = value
    }

    private func takeCancelled() -> Bool {
        flag.lock()
        defer { flag.unlock() }
        defer { cancelled = false }
        return cancelled
    }
}
