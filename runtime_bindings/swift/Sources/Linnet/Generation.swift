import CLinnet

/// One message of a conversation; `role` is "system", "user" or "assistant".
public struct Message: Equatable, Sendable {
    public let role: String
    public let content: String

    public init(role: String, content: String) {
        self.role = role
        self.content = content
    }
}

/// Options of a completion, by the names of transformers' `GenerationConfig`. Those that are nil are as the file recommends.
public struct GenerationOptions: Equatable, Sendable {
    /// Most tokens to generate.
    public var maxNewTokens = 256
    /// false takes the likeliest token each time, true samples; nil: as the file recommends, or true if a temperature is given.
    public var doSample: Bool?
    public var temperature: Float?
    public var topK: Int?
    public var topP: Float?
    public var minP: Float?
    public var repetitionPenalty: Float?
    /// As in OpenAI's interface, as `frequencyPenalty`.
    public var presencePenalty: Float = 0
    public var frequencyPenalty: Float = 0
    /// The same seed gives the same text, on every machine and in every language; nil: a random one.
    public var seed: UInt64?
    /// Texts that end the completion; they are not part of it.
    public var stopStrings: [String] = []
    /// What the completion must be; nil: anything.
    public var constraint: TextConstraint?
    /// What happens when the context is full.
    public var overflow = Overflow.stop
    /// First tokens that ``Overflow/slide`` never forgets; nil, and at least: the system message of a conversation.
    public var keep: Int?

    public init(
        maxNewTokens: Int = 256, doSample: Bool? = nil, temperature: Float? = nil, topK: Int? = nil, topP: Float? = nil,
        minP: Float? = nil, repetitionPenalty: Float? = nil, presencePenalty: Float = 0, frequencyPenalty: Float = 0,
        seed: UInt64? = nil, stopStrings: [String] = [], constraint: TextConstraint? = nil, overflow: Overflow = .stop,
        keep: Int? = nil
    ) {
        self.maxNewTokens = maxNewTokens
        self.doSample = doSample
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
        self.minP = minP
        self.repetitionPenalty = repetitionPenalty
        self.presencePenalty = presencePenalty
        self.frequencyPenalty = frequencyPenalty
        self.seed = seed
        self.stopStrings = stopStrings
        self.constraint = constraint
        self.overflow = overflow
        self.keep = keep
    }

    func check() throws {
        if maxNewTokens < 0 { throw refusal("expected maxNewTokens of at least 0, got \(maxNewTokens)") }
        if stopStrings.contains("") {
            throw refusal("expected stopStrings with a character, got an empty one; leave it out")
        }
        if constraint != nil && !stopStrings.isEmpty {
            throw refusal("expected no stopStrings beside a constraint, which they would cut; leave one of them out")
        }
        if case .choices(let texts)? = constraint, texts.isEmpty || texts.contains("") || Set(texts).count < texts.count {
            throw refusal("expected choices that are different texts with a character, got \(texts)")
        }
        if let keep, keep < 0 || overflow == .stop {
            throw refusal("expected keep of at least 0 with overflow .slide, got \(keep) with \(overflow)")
        }
    }

    /// Return the settings of linnet.h, with those of the file where none is given.
    func sampling(_ recommended: linnet_sampling) -> linnet_sampling {
        var settings = recommended
        if let temperature { settings.temperature = temperature }
        if let topK { settings.top_k = Int32(clamping: topK) }
        if let topP { settings.top_p = topP }
        if let minP { settings.min_p = minP }
        if let repetitionPenalty { settings.repetition_penalty = repetitionPenalty }
        if doSample == false {
            settings.temperature = 0
        } else if doSample == true && temperature == nil && settings.temperature == 0 {
            settings.temperature = 1
        }
        settings.presence_penalty = presencePenalty
        settings.frequency_penalty = frequencyPenalty
        settings.seed = seed ?? UInt64.random(in: .min ... .max)
        return settings
    }
}

/// What happens when the context is full: ``stop`` ends the completion and refuses a longer prompt; ``slide`` forgets the
/// oldest tokens behind the first ones, whole turns of a conversation as far as there are, and goes on with the rest.
public enum Overflow: String, Sendable { case stop, slide }

/// A token that could come next, and the natural logarithm of the probability that the model gives it.
public struct TokenChoice: Equatable, Sendable {
    public let id: Int64
    public let logProbability: Float
}

/// One generated token. `text` is what is new in the text, whole characters, often none; `logProbability` is the natural
/// logarithm of the probability that the model gave the token. An `id` of -1 is text that was held back until the end.
public struct GeneratedToken: Equatable, Sendable {
    public let id: Int64
    public let text: String
    public let logProbability: Float
}

/// Why a completion ended: an end token, a stop string, a constraint behind which nothing can follow; `maxNewTokens` were generated; the context is full.
public enum FinishReason: String, Sendable { case stop, length, context }

/// A finished completion.
public struct Completion: Equatable, Sendable {
    /// The generated text, without special tokens and stop strings.
    public let text: String
    /// Ids of the generated tokens, without the one that ended it.
    public let ids: [Int64]
    /// Natural logarithms of the tokens' probabilities.
    public let logProbabilities: [Float]
    public let finishReason: FinishReason
    /// Tokens of the prompt, without those that did not fit.
    public let promptTokens: Int
}

/// Text on its way to the reader, of which the beginning of a stop string is held back. Compared as bytes of UTF-8:
/// Swift calls strings of different code points equal.
struct StopStrings {
    private let stops: [[UInt8]]
    private var held: [UInt8] = []
    /// Whether a stop string came.
    private(set) var found = false

    init(_ stops: [String]) { self.stops = stops.map { Array($0.utf8) } }

    /// Return what can be shown.
    mutating func push(_ text: String) -> String {
        held += text.utf8
        if let end = stops.compactMap(place).min() {
            found = true
            defer { held = [] }
            return String(decoding: held.prefix(end), as: UTF8.self)
        }
        return take(held.count - (stops.map(overlap).max() ?? 0))
    }

    /// Return what was held back.
    mutating func finish() -> String { take(held.count) }

    private mutating func take(_ count: Int) -> String {
        defer { held.removeFirst(count) }
        return String(decoding: held.prefix(count), as: UTF8.self)
    }

    private func place(of stop: [UInt8]) -> Int? {
        guard held.count >= stop.count else { return nil }
        return (0...held.count - stop.count).first { held[$0..<$0 + stop.count].elementsEqual(stop) }
    }

    /// Count the bytes at the end that may begin a stop string.
    private func overlap(_ stop: [UInt8]) -> Int {
        stride(from: min(stop.count - 1, held.count), to: 0, by: -1).first { held.suffix($0).elementsEqual(stop.prefix($0)) } ?? 0
    }
}

func refusal(_ problem: String) -> LinnetError { LinnetError(status: LinnetError.invalidArgument, message: problem) }
