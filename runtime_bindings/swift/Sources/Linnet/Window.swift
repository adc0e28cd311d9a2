/// An end of a turn of a conversation: tokens behind the kept ones up to there, turns up to there.
struct Turn {
    let tokens: Int
    let number: Int
}

/// The first tokens of a text, which stay, and those behind them, of which the oldest go when the text is full: half of the
/// room behind the kept ones becomes free, with whole turns of a conversation as far as there are.
final class Window {
    let keep: Int
    /// Turns of the conversation that are gone.
    private(set) var droppedTurns = 0
    private let capacity: Int
    private let findTurns: () throws -> [Turn]
    private var turns: [Turn]?

    init(keep: Int, capacity: Int, turns: @escaping () throws -> [Turn] = { [] }) throws {
        if capacity - keep < 2 {
            throw LinnetError(
                status: LinnetError.contextFull,
                message: "\(keep) tokens are kept, the context has \(capacity): expected room for two more; keep fewer, or "
                    + "export the model with a larger --context"
            )
        }
        (self.keep, self.capacity, findTurns) = (keep, capacity, turns)
    }

    /// Return how many tokens behind the kept ones go from a text of `size` tokens, so that there is room.
    func removal(from size: Int) throws -> Int {
        let known = try turns ?? findTurns()
        let half = size - keep - (capacity - keep) / 2
        let fitting = known.map(\.tokens).filter { $0 > size - capacity }
        let removed = fitting.first { $0 >= half } ?? fitting.last ?? half
        droppedTurns = known.last { $0.tokens <= removed }?.number ?? droppedTurns
        turns = known.filter { $0.tokens > removed }.map { Turn(tokens: $0.tokens - removed, number: $0.number) }
        return removed
    }

    /// Return a prompt without its oldest tokens behind the kept ones, where it does not fit.
    func fitted(_ prompt: [Int64]) throws -> [Int64] {
        if prompt.count <= capacity { return prompt }
        return try Array(prompt.prefix(keep)) + prompt.dropFirst(keep + removal(from: prompt.count))
    }
}

extension Linnet {
    /// Find what of a text stays; nil if the options do not let it slide.
    func window(capacity: Int, _ options: GenerationOptions) throws -> Window? {
        if options.overflow == .stop { return nil }
        let beginning = try common(prompt(of: "0"), prompt(of: "A"))
        return try Window(keep: max(beginning, options.keep ?? 0), capacity: capacity)
    }

    /// Find what of a conversation stays; nil if the options do not let it slide.
    func window(of messages: [Message], capacity: Int, _ options: GenerationOptions) throws -> Window? {
        if options.overflow == .stop { return nil }
        let starts = messages.indices.filter { messages[$0].role == "user" }
        let first = Array(messages.prefix(starts.first ?? messages.count))
        let prompts = try ["0", "A"].map { try prompt(of: first + [Message(role: "user", content: $0)]) }
        let keep = max(common(prompts[0], prompts[1]), options.keep ?? 0)
        return try Window(keep: keep, capacity: capacity) { try self.turns(messages, starts, keep: keep) }
    }

    /// Find the turns without which the prompt of a conversation has the same tokens before and behind them.
    private func turns(_ messages: [Message], _ starts: [Int], keep: Int) throws -> [Turn] {
        let ids = try prompt(of: messages)
        return try starts.dropFirst().enumerated().compactMap { at, start in
            let shorter = try prompt(of: Array(messages.prefix(starts[0])) + messages[start...])
            let removed = ids.count - shorter.count
            let same = removed > 0 && Array(ids.prefix(keep) + ids.dropFirst(keep + removed)) == shorter
            return same ? Turn(tokens: removed, number: at + 1) : nil
        }
    }

    private func common(_ one: [Int64], _ other: [Int64]) -> Int { zip(one, other).prefix { $0 == $1 }.count }
}
