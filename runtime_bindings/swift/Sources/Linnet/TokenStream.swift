import CLinnet
import Foundation

/// Tokens of one completion, generated when they are asked for. Made by ``Linnet/stream(_:options:state:)`` and
/// ``Chat/stream(_:)``; `for try await` takes ``Linnet/tokens(continuing:options:)``.
///
/// ```swift
/// let stream = try model.stream("A linnet is")
/// while let token = try stream.next() { print(token.text, terminator: "") }
/// ```
public final class TokenStream: @unchecked Sendable {
    /// Tokens of the prompt.
    public var promptTokens: Int { prompt.count }

    private let model: Linnet
    private let state: TextState
    private let prompt: [Int64]
    private let options: GenerationOptions
    private let stream: TextStream
    private let atEnd: @Sendable (String) -> Void
    private let turn = NSRecursiveLock()
    private let constraint: Constraint?
    private let window: Window?
    /// Most tokens that can be generated.
    private let limit: Int
    /// Tokens of the text, first ones that are the prompt's, and tokens that were forgotten.
    private var size: Int
    private var ofPrompt: Int
    private var forgotten: UInt64 = 0
    private var stops: StopStrings
    private var sampling: linnet_sampling?
    private var generated = 0
    private var last: Int64?
    private var said = ""
    private var reason: FinishReason?
    private var ended = false

    init(
        _ model: Linnet, _ state: TextState, prompt given: [Int64], options: GenerationOptions, window: Window?,
        atEnd: @escaping @Sendable (String) -> Void = { _ in }
    ) throws {
        try options.check()
        let prompt = try window?.fitted(given) ?? given
        if prompt.isEmpty { throw refusal("the prompt is empty, expected at least one token; pass some text") }
        if prompt.count > state.capacity {
            throw LinnetError(
                status: LinnetError.contextFull,
                message: "the prompt has \(prompt.count) tokens, the context \(state.capacity); shorten it, export the model "
                    + "with a larger --context, or let it slide (.slide)"
            )
        }
        (self.model, self.state, self.prompt, self.options, self.atEnd) = (model, state, prompt, options, atEnd)
        (self.window, size, ofPrompt) = (window, prompt.count, prompt.count)
        // the last logits of a full context still give a token
        let room = window == nil ? max(1, state.capacity - prompt.count) : options.maxNewTokens
        limit = min(options.maxNewTokens, room)
        stops = StopStrings(options.stopStrings)
        constraint = try options.constraint.map { try Constraint(model, $0) }
        stream = try model.textStream()
        if let least = try constraint?.progress().least_tokens, least > limit {
            if least > options.maxNewTokens {
                throw refusal("the constraint needs \(least) tokens, maxNewTokens is \(options.maxNewTokens); raise it")
            }
            throw LinnetError(
                status: LinnetError.contextFull,
                message: "the constraint needs \(least) tokens, \(limit) fit behind the prompt; shorten it, or export the "
                    + "model with a larger --context"
            )
        }
    }

    deinit { close() }

    /// Why the completion ended; nil until the end.
    public var finishReason: FinishReason? { alone { reason } }

    /// What was generated so far.
    public var text: String { alone { said } }

    /// Generate the next token; nil at the end.
    public func next() throws -> GeneratedToken? {
        try alone {
            guard !ended else { return nil }
            guard let token = try reason == nil ? generate() ?? rest() : rest() else {
                close()
                return nil
            }
            said += token.text
            return token
        }
    }

    /// Stop, from another thread, the call that runs or else the next one, before its next piece: `LINNET_CANCELLED`.
    public func cancel() { state.cancel() }

    /// End the completion here. The end of the tokens does this, too.
    public func close() {
        alone {
            guard !ended else { return }
            ended = true
            state.uncancel()
            atEnd(said)
        }
    }

    /// Generate all tokens.
    func complete() throws -> Completion {
        var all: [GeneratedToken] = []
        while let token = try next() { all.append(token) }
        let real = all.filter { $0.id >= 0 }
        return Completion(
            text: text, ids: real.map(\.id), logProbabilities: real.map(\.logProbability), finishReason: reason ?? .length,
            promptTokens: promptTokens
        )
    }

    private func generate() throws -> GeneratedToken? {
        var settings = try begin()
        if generated == 0, try constraint?.finished() == true {
            reason = .stop
            return nil
        }
        guard generated < options.maxNewTokens else { return nil }
        if let last { try append(last) }
        last = nil
        settings.seed &+= forgotten  // a text that slides comes to a place again, whose random number depends on the seed
        let choice = try state.sample(
            settings, promptTokens: ofPrompt, constraint: constraint, tokensLeft: limit - generated
        )
        if model.isEnd(choice.id) {
            reason = .stop
            return nil
        }
        try constraint?.advance(choice.id)
        let new = stops.push(try stream.push(choice.id))
        generated += 1
        last = choice.id
        if try stops.found || constraint?.finished() == true {
            reason = .stop
        } else if window == nil && size + 1 >= state.capacity {
            reason = .context
        }
        return GeneratedToken(id: choice.id, text: new, logProbability: choice.logProbability)
    }

    /// Append a token; where the context is full, the oldest tokens behind those that stay go first.
    private func append(_ id: Int64) throws {
        if let window, size >= state.capacity {
            let removed = try window.removal(from: size)
            try state.remove(from: window.keep, count: removed)
            size -= removed
            ofPrompt -= min(removed, max(0, ofPrompt - window.keep))
            forgotten += UInt64(removed)
        }
        try state.append([id])
        size += 1
    }

    /// Run the prompt, at the first call, and return the settings.
    private func begin() throws -> linnet_sampling {
        if let sampling { return sampling }
        let settings = options.sampling(try model.recommendedSampling())
        try state.goTo(prompt)
        sampling = settings
        return settings
    }

    /// Return the text that was held back, once.
    private func rest() throws -> GeneratedToken? {
        reason = reason ?? .length
        if stops.found { return nil }
        let held = stops.push(try stream.finish()) + stops.finish()
        return held.isEmpty ? nil : GeneratedToken(id: -1, text: held, logProbability: 0)
    }

    private func alone<T>(_ body: () throws -> T) rethrows -> T {
        turn.lock()
        defer { turn.unlock() }
        return try body()
    }
}
