import CLinnet
import Foundation

/// Who found a place: the one that wins over the others where they overlap comes first.
public enum MaskSource: UInt32, Sendable {
    /// A pattern of the table.
    case pattern
    /// Another program that checks what it finds, as a library for phone numbers.
    case finder
    /// A token-classification program.
    case tagger
}

/// What stands in place of personal data: `[EMAIL]`; `[EMAIL_1]`, the same for the same text; five blocks; a block for each
/// character.
public enum MaskMode: UInt32, Sendable { case type, pseudonym, redact, redactLength }

/// A place of personal data. `utf16` has NSString's unit, `utf8` that of `String.utf8`.
public struct Finding: Equatable, Sendable {
    public let type: String
    public let utf16: Range<Int>
    public let utf8: Range<Int>
    public let score: Double
    public let source: MaskSource
}

/// A masked text, and what was found in the text that was given.
public struct Masked: Equatable, Sendable {
    public let text: String
    public let findings: [Finding]
}

/// A place that something else found, as an ``Entity``: `utf16` has NSString's unit.
public struct FoundPlace: Sendable {
    public var type: String
    public var utf16: Range<Int>
    public var score: Double
    public var source: MaskSource

    public init(type: String, utf16: Range<Int>, score: Double = 1, source: MaskSource = .tagger) {
        (self.type, self.utf16, self.score, self.source) = (type, utf16, score, source)
    }
}

/// Personal data of texts, by the patterns of docs/how-to/masking.md. Several threads may use it.
public final class Masker: @unchecked Sendable {
    private let masker: OpaquePointer?

    /// Look for types and groups, "EMAIL", "NATIONAL_ID"; none: all. "-" alone: no pattern.
    public init(types: [String] = []) throws {
        var made: OpaquePointer?
        try withTexts(types) { texts in try orThrow(linnet_masker_create(texts, types.count, &made)) }
        masker = made
    }

    deinit { linnet_masker_free(masker) }

    /// Find personal data, merged with what something else found. The findings do not overlap.
    public func find(_ text: String, given: [FoundPlace] = []) throws -> [Finding] {
        try mask(text, mode: .type, given: given).findings
    }

    /// Replace what ``find(_:given:)`` finds. Throws `LINNET_INVALID_ARGUMENT` for `.pseudonym`, which needs a
    /// ``MaskSession``, and for a given place outside of the text.
    public func mask(_ text: String, mode: MaskMode = .type, given: [FoundPlace] = []) throws -> Masked {
        try mask(text, mode: mode, given: given, session: nil)
    }

    func mask(_ text: String, mode: MaskMode, given: [FoundPlace], session: OpaquePointer?) throws -> Masked {
        try withTexts([text] + given.map(\.type)) { texts in
            let places = given.indices.map { at in
                linnet_mask_given(
                    type: texts[at + 1],
                    place: linnet_span(start: Int64(given[at].utf16.lowerBound), end: Int64(given[at].utf16.upperBound)),
                    score: given[at].score, source: linnet_mask_source(given[at].source.rawValue)
                )
            }
            var raw: OpaquePointer?
            defer { linnet_masked_free(raw) }
            try orThrow(
                linnet_masker_mask(
                    masker, session, texts[0], places, places.count, LINNET_MASK_UTF16, linnet_mask_mode(mode.rawValue), &raw
                )
            )
            return Masked(text: try string(of: raw), findings: try findings(of: raw))
        }
    }

    private func findings(of raw: OpaquePointer?) throws -> [Finding] {
        var answers: OpaquePointer?
        try orThrow(linnet_masked_answers(raw, &answers))
        return try (0..<linnet_answers_count(answers)).map { index in
            var answer = linnet_answer()
            try orThrow(linnet_answers_get(answers, index, &answer))
            return Finding(
                type: answer.label.string, utf16: answer.utf16.range, utf8: answer.utf8.range, score: answer.score,
                source: MaskSource(rawValue: UInt32(answer.index)) ?? .tagger
            )
        }
    }
}

/// Pseudonyms and the values behind them. `unmask(mask(text, masker: masker).text)` is the text, whatever it holds: what looks
/// like a pseudonym in it becomes one, `[TEXT_1]`. Several threads may use it.
public final class MaskSession: @unchecked Sendable {
    private let session: OpaquePointer?

    /// Begin a session without pseudonyms.
    public init() throws {
        var made: OpaquePointer?
        try orThrow(linnet_mask_session_create(&made))
        session = made
    }

    /// Make a session of saved bytes. Throws `LINNET_STATE_INVALID` if they are damaged or the key is another one.
    public init(saved: Data, key: Data) throws {
        var made: OpaquePointer?
        try key.withUnsafeBytes { secret in
            try saved.withUnsafeBytes { bytes in
                try orThrow(
                    linnet_mask_session_load(secret.baseAddress, secret.count, bytes.baseAddress, bytes.count, &made)
                )
            }
        }
        session = made
    }

    deinit { linnet_mask_session_free(session) }

    /// Number of pseudonyms.
    public var count: Int { linnet_mask_session_size(session) }

    /// Replace personal data by pseudonyms.
    public func mask(_ text: String, masker: Masker, given: [FoundPlace] = []) throws -> Masked {
        try masker.mask(text, mode: .pseudonym, given: given, session: session)
    }

    /// Put the values in place of this session's pseudonyms.
    public func unmask(_ text: String) throws -> String {
        try withTexts([text]) { texts in
            var raw: OpaquePointer?
            defer { linnet_masked_free(raw) }
            try orThrow(linnet_mask_session_unmask(session, texts[0], &raw))
            return try string(of: raw)
        }
    }

    /// Open a stream for an answer that comes in pieces. It sees the values that come later too.
    public func stream() throws -> UnmaskStream { try UnmaskStream(session) }

    /// Write the values, encrypted and authenticated with a secret key of at least 16 random bytes.
    public func save(key: Data) throws -> Data {
        try key.withUnsafeBytes { secret in
            var raw: OpaquePointer?
            defer { linnet_masked_free(raw) }
            try orThrow(linnet_mask_session_save(session, secret.baseAddress, secret.count, &raw))
            var bytes = linnet_text()
            try orThrow(linnet_masked_text(raw, &bytes))
            return Data(UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.size))
        }
    }
}

/// Unmasking of an answer that comes in pieces. Made by ``MaskSession/stream()``. Calls of several threads take turns.
public final class UnmaskStream: @unchecked Sendable {
    private let stream: OpaquePointer?
    private let lock = NSLock()

    init(_ session: OpaquePointer?) throws {
        var made: OpaquePointer?
        try orThrow(linnet_unmask_stream_create(session, &made))
        stream = made
    }

    deinit { linnet_unmask_stream_free(stream) }

    /// Take the next piece, and return what is certain: all but the beginning of a pseudonym, at most 44 characters.
    public func push(_ piece: String) throws -> String {
        try withTexts([piece]) { texts in try text { linnet_unmask_stream_push(stream, texts[0], $0) } }
    }

    /// Return the rest; the next piece begins another text.
    public func finish() throws -> String { try text { linnet_unmask_stream_finish(stream, $0) } }

    private func text(_ read: (UnsafeMutablePointer<linnet_text>) -> linnet_status) throws -> String {
        lock.lock()
        defer { lock.unlock() }
        var new = linnet_text()
        try orThrow(read(&new))
        return new.string
    }
}

private func string(of masked: OpaquePointer?) throws -> String {
    var text = linnet_text()
    try orThrow(linnet_masked_text(masked, &text))
    return text.string
}

/// Call `body` with the texts as UTF-8, which is valid during the call.
private func withTexts<T>(_ texts: [String], _ body: ([linnet_text]) throws -> T) rethrows -> T {
    let parts = texts.map { Array($0.utf8) }
    var joined: [CChar] = []
    for part in parts { joined.append(contentsOf: part.map { CChar(bitPattern: $0) }) }
    joined.append(0)  // so that there is an address
    return try joined.withUnsafeBufferPointer { (buffer: UnsafeBufferPointer<CChar>) in
        var at = 0
        var views: [linnet_text] = []
        for part in parts {
            views.append(linnet_text(bytes: buffer.baseAddress! + at, size: part.count))
            at += part.count
        }
        return try body(views)
    }
}
