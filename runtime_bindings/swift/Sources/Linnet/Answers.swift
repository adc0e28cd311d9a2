import CLinnet

/// A class with its score. `index` is its index in `Linnet.labels`.
public struct Classification: Equatable, Sendable {
    public let label: String
    public let score: Float
    public let index: Int
}

/// A labelled token (`Aggregation.none`) or a group of them. `utf16` has NSString's unit, `utf8` that of
/// `String.utf8`.
public struct Entity: Equatable, Sendable {
    public let label: String
    public let score: Float
    public let word: String
    public let utf16: Range<Int>
    public let utf8: Range<Int>
}

/// An answer to a question; its ranges index the context.
public struct Answer: Equatable, Sendable {
    public let text: String
    public let score: Double
    public let utf16: Range<Int>
    public let utf8: Range<Int>
}

/// A token proposed for a mask; `sequence` is the whole text with the token in it, `mask` the mask's token index.
public struct MaskProposal: Equatable, Sendable {
    public let token: String
    public let score: Float
    public let id: Int64
    public let sequence: String
    public let mask: Int
}

/// A ranked passage: its index in the list that was passed, and its score.
public struct RankedPassage: Equatable, Sendable {
    public let index: Int
    public let score: Float
}

/// One token: its id, its text (`sequence`: 0 first, 1 second, -1 special token), and its offsets in each unit.
public struct Token: Equatable, Sendable {
    public let id: Int64
    public let typeId: Int64
    public let sequence: Int
    public let codePoints: Range<Int>
    public let utf8: Range<Int>
    public let utf16: Range<Int>
}

/// One window of tokens. `truncated`: some text is in no window.
public struct Tokens: Equatable, Sendable {
    public let tokens: [Token]
    public let truncated: Bool
}

/// Truncation strategy for a text longer than the maximum, as in Hugging Face tokenizers.
public enum Truncation: UInt32, Sendable { case never, longestFirst, onlySecond }

/// Function from logits to scores; `ofFile` takes the one of the manifest.
public enum ScoreFunction: UInt32, Sendable { case ofFile, softmax, sigmoid, none }

/// Aggregation strategy from tokens to entities, as in Hugging Face pipelines.
public enum Aggregation: UInt32, Sendable { case none, simple, first, average, max }

/// Options of question answering, with the defaults of the Hugging Face pipeline. Lengths are in tokens.
public struct QuestionOptions: Sendable {
    public var topK = 1
    public var maxAnswerLength = 15
    /// Tokens of a window; 0: the smaller of 384 and the maximum of the file.
    public var maxLength = 0
    /// Overlap of consecutive windows; -1: the smaller of 128 and half of `maxLength`.
    public var stride = -1
    /// Whether the empty answer is a candidate.
    public var allowEmpty = false
    public var alignToWords = true

    public init() {}

    var native: linnet_question_options {
        linnet_question_options(
            top_k: Int32(topK), max_answer_length: Int32(maxAnswerLength), max_length: Int32(maxLength),
            stride: Int32(stride), allow_empty: allowEmpty ? 1 : 0, align_to_words: alignToWords ? 1 : 0
        )
    }
}

extension linnet_text {
    var string: String { String(decoding: UnsafeRawBufferPointer(start: bytes, count: size), as: UTF8.self) }
}

extension linnet_span {
    var range: Range<Int> { Int(start)..<Int(Swift.max(start, end)) }
}

extension Tokens {
    init(_ view: linnet_encoding_view) {
        func range(_ offsets: UnsafePointer<Int64>, _ at: Int) -> Range<Int> {
            Int(offsets[2 * at])..<Int(offsets[2 * at + 1])
        }
        tokens = (0..<view.length).map { at in
            Token(
                id: view.ids[at], typeId: view.type_ids[at], sequence: Int(view.sequence_ids[at]),
                codePoints: range(view.offsets_code_points, at), utf8: range(view.offsets_utf8, at),
                utf16: range(view.offsets_utf16, at)
            )
        }
        truncated = view.truncated != 0
    }
}

/// Convert each answer with `make`, and free the answers.
func readAnswers<T>(_ raw: OpaquePointer?, _ make: (linnet_answer) -> T) throws -> [T] {
    defer { linnet_answers_free(raw) }
    return try (0..<linnet_answers_count(raw)).map { index in
        var answer = linnet_answer()
        try orThrow(linnet_answers_get(raw, index, &answer))
        return make(answer)
    }
}
