import Foundation
import XCTest

@testable import Linnet

/// Reads cases.tsv, a copy of tests/conformance/cases.tsv (README.md beside it describes the records).
final class ConformanceTests: XCTestCase {
    /// `LINNET_CASES` names another file; how many cases of a kind passed and failed is written to `LINNET_COUNTS`.
    func testEveryCase() throws {
        let environment = ProcessInfo.processInfo.environment
        let cases = try Conformance(environment["LINNET_CASES"].map { URL(fileURLWithPath: $0) } ?? ownCases())
        try cases.run()
        let counts = cases.counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.passed) \($0.value.failed)\n" }
        if let path = environment["LINNET_COUNTS"] {
            try counts.joined().write(toFile: path, atomically: true, encoding: .utf8)
        }
        XCTAssertEqual(cases.differences, [])
        XCTAssertGreaterThan(cases.counts.values.map(\.passed).reduce(0, +), 250)
    }
}

func ownCases() throws -> URL {
    try XCTUnwrap(Bundle.module.url(forResource: "cases", withExtension: "tsv"))
}

/// The recorded outputs, handed out in their order; `inputs`, if there are any, are what a run is to be given.
private final class Replay: Engine {
    var inputs: [[Int64]] = []
    var wrongInputs = false
    var outputs: [Tensor] = []
    var perRun = 1

    /// Tokens in the cache of a decoder.
    var ran: [Int64] = []

    func run(_ inputs: [[Int64]]) throws -> [Tensor] {
        wrongInputs = wrongInputs || !self.inputs.isEmpty && inputs != self.inputs
        defer { outputs.removeFirst(perRun) }
        return Array(outputs.prefix(perRun))
    }

    func decode(_ tokens: [Int64], position: Int64) throws -> [Float] {
        wrongInputs = wrongInputs || position > ran.count
        ran = ran.prefix(Int(position)) + tokens
        return outputs.removeFirst().data
    }
}

final class Conformance {
    private(set) var counts: [String: (passed: Int, failed: Int)] = [:]
    private(set) var differences: [String] = []
    private var lines: ArraySlice<[String?]>
    private let replay = Replay()
    private var fields: [String: ManifestValue] = [:]
    private var base: [String: ManifestValue] = [:]
    private var model: Linnet?

    init(_ file: URL) throws {
        lines = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
            .filter { !$0.isEmpty && !$0.hasPrefix("#") }
            .map { $0.components(separatedBy: "\t").map(unescaped) }[...]
    }

    func run() throws {
        while let line = lines.popFirst() {
            let results = lines.prefix { ["window", "class", "entity", "proposal", "span", "completion", "finding"].contains($0[0]) }
            lines = lines.dropFirst(results.count)
            if try !prepare(line) { count(line, Array(results)) }
        }
    }

    /// True if the line is no case.
    private func prepare(_ line: [String?]) throws -> Bool {
        switch line[0] {
        case "version": XCTAssertEqual(line[1], "1")
        case "clear": fields = [:]
        case "field": fields[line[1]!] = value(line[2]!, line[3]!)
        case "drop": fields[line[1]!] = nil
        case "manifest": try open()
        case "input": replay.inputs.append(integers(line[1]))
        case "output": replay.outputs.append(Tensor(shape: integers(line[1]), data: numbers(line[2])))
        default: return false
        }
        return true
    }

    /// The fields of the first manifest for a task.
    static func manifest(task: String) throws -> [String: ManifestValue] {
        let cases = try Conformance(ownCases())
        while let line = cases.lines.popFirst() {
            _ = try cases.prepare(line)
            if line[0] == "manifest", case .string(task)? = cases.base["task"] { return cases.base }
        }
        throw XCTSkip("cases.tsv has no manifest for \(task)")
    }

    private func open() throws {
        base = fields
        replay.ran = []
        model = try Linnet(manifest: base, engine: replay)
        guard case .string(let outputs)? = base["outputs"] else { return }
        replay.perRun = outputs.components(separatedBy: "\n").count
    }

    private func count(_ line: [String?], _ expected: [[String?]]) {
        var problem = ""
        var same = false
        do { same = try right(line, expected) } catch { problem = ": \(error)" }
        let passed = same && !replay.wrongInputs && replay.outputs.isEmpty
        replay.inputs = []
        replay.wrongInputs = false
        replay.outputs = []
        counts[line[0]!, default: (0, 0)].passed += passed ? 1 : 0
        counts[line[0]!, default: (0, 0)].failed += passed ? 0 : 1
        if !passed { differences.append("\(line.prefix(4).map { $0 ?? "-" })\(problem)") }
    }

    private func right(_ line: [String?], _ expected: [[String?]]) throws -> Bool {
        let model = model!
        switch line[0] {
        case "verdict":
            defer { fields = base }
            return verdict() == line[1]
        case "tokenize": return try tokens(model, line) == expected.map(windowFields)
        case "classify":
            let found = try model.classify(line[1]!, pair: line[2], topK: Int(line[3]!)!, scores: scores[line[4]!]!)
            return found.map(\.label) == expected.map { $0[1] } && near(found.map(\.score), expected.map { $0[2] })
        case "entities": return try entities(model, line, expected)
        case "fill_mask": return try proposals(model, line, expected)
        case "answer":
            let found = try model.answer(line[1]!, context: line[2]!, options: questionOptions(line))
            return found.map(\.text) == expected.map { $0[6] }
                && found.map(\.utf16) == expected.map { Int($0[4]!)!..<Int($0[5]!)! }
                && near(found.map { Float($0.score) }, expected.map { $0[1] })
        case "score": return near([try model.score(line[1]!, passage: line[2]!)], [line[3]])
        case "embed":
            return near(try model.embed(line[1]!, normalize: line[2] == "1"), line[3]!.components(separatedBy: " "))
        case "stream": return try stream(model, line)
        case "mask": return try mask(line, expected)
        case "chat":
            let messages = stride(from: 3, to: line.count, by: 2).map { Message(role: line[$0]!, content: line[$0 + 1]!) }
            return try model.chatPrompt(messages, generation: line[1] == "1").utf8.elementsEqual(line[2]!.utf8)
        case "generate": return try generate(model, line, expected[0])
        default: return false
        }
    }

    private func stream(_ model: Linnet, _ line: [String?]) throws -> Bool {
        let stream = try model.textStream(skipSpecial: line[1] == "1")
        let pieces = try integers(line[2]).map(stream.push) + [stream.finish()]
        return pieces.joined().utf8.elementsEqual(line[3]!.utf8)
            && (line[4] == nil || pieces.map { Int64($0.utf8.count) } == integers(line[4]))
    }

    private func generate(_ model: Linnet, _ line: [String?], _ expected: [String?]) throws -> Bool {
        let options = GenerationOptions(
            maxNewTokens: Int(line[3]!)!, temperature: line[4].flatMap(Float.init), topK: line[5].flatMap { Int($0) },
            topP: line[6].flatMap(Float.init), minP: line[7].flatMap(Float.init),
            repetitionPenalty: line[8].flatMap(Float.init), presencePenalty: Float(line[9]!)!,
            frequencyPenalty: Float(line[10]!)!, seed: line[11].flatMap { UInt64($0) },
            stopStrings: line[12].map { [$0] } ?? [], constraint: constraint(Array(line.dropFirst(13)))
        )
        let prompt = line[1]!
        let found = try line[2] == "1"
            ? model.generate([Message(role: "user", content: prompt)], options: options)
            : model.generate(prompt, options: options)
        return found.finishReason.rawValue == expected[1] && found.promptTokens == Int(expected[2]!)!
            && found.ids == integers(expected[3]) && found.text.utf8.elementsEqual(expected[5]!.utf8)
            && near(found.logProbabilities, expected[4]!.split(separator: " ").map(String.init))
            && replay.ran == replay.inputs[0]
    }

    private func constraint(_ cells: [String?]) -> TextConstraint? {
        switch cells.first ?? nil {
        case "regex": .regex(cells[1]!)
        case "json_schema": .jsonSchema(cells[1]!)
        case "choices": .choices(cells.dropFirst().compactMap { $0 })
        default: nil
        }
    }

    private func tokens(_ model: Linnet, _ line: [String?]) throws -> [[[Int64]]] {
        let windows = try model.tokenize(
            line[1]!, pair: line[2], maxLength: Int(line[3]!)!, truncation: truncations[line[4]!]!, stride: Int(line[5]!)!
        )
        return windows.map { window in
            let all = window.tokens
            func ends(_ range: KeyPath<Token, Range<Int>>) -> [Int64] {
                all.flatMap { [Int64($0[keyPath: range].lowerBound), Int64($0[keyPath: range].upperBound)] }
            }
            return [
                [window.truncated ? 1 : 0], all.map(\.id), all.map(\.typeId), all.map { Int64($0.sequence) },
                ends(\.codePoints), ends(\.utf8), ends(\.utf16),
            ]
        }
    }

    private func entities(_ model: Linnet, _ line: [String?], _ expected: [[String?]]) throws -> Bool {
        let found = try model.entities(line[1]!, aggregation: aggregations[line[2]!]!, ignored: line[3]!)
        return found.map(\.label) == expected.map { $0[1] } && found.map(\.word) == expected.map { $0[3] }
            && found.map(\.utf8) == expected.map { Int($0[6]!)!..<Int($0[7]!)! }
            && found.map(\.utf16) == expected.map { Int($0[8]!)!..<Int($0[9]!)! }
            && near(found.map(\.score), expected.map { $0[2] })
    }

    private func proposals(_ model: Linnet, _ line: [String?], _ expected: [[String?]]) throws -> Bool {
        let groups = try model.fillMask(line[1]!, topK: Int(line[2]!)!, targets: line[3]?.components(separatedBy: " "))
        let found = groups.flatMap { $0 }
        return found.map(\.id) == expected.map { Int64($0[2]!)! } && found.map(\.token) == expected.map { $0[4] }
            && found.map(\.sequence) == expected.map { $0[5] } && near(found.map(\.score), expected.map { $0[3] })
            && groups.count == Set(expected.map { $0[1] }).count
    }

    private func mask(_ line: [String?], _ expected: [[String?]]) throws -> Bool {
        let text = line[3]!
        let masker = try Masker(types: line[1]!.split(separator: " ").map(String.init))
        let session = try MaskSession()
        let mode = modes[line[2]!]!
        let given = foundPlaces(line[4]!, in: text)
        let found =
            mode == .pseudonym
            ? try session.mask(text, masker: masker, given: given) : try masker.mask(text, mode: mode, given: given)
        let stream = try session.stream()
        let plain = try found.text.unicodeScalars.map { try stream.push(String($0)) }.joined() + stream.finish()
        let key = Data(0..<16)
        let saved = try MaskSession(saved: session.save(key: key), key: key)
        let restored = try mode != .pseudonym
            || (session.unmask(found.text) == text && plain == text && saved.unmask(found.text) == text
                && saved.count == session.count)
        let types = found.findings.map(\.type) == expected.map { $0[1] }
        let sources = found.findings.map { "\($0.source)" } == expected.map { $0[3] }
        let utf8 = found.findings.map(\.utf8) == expected.map { Int($0[6]!)!..<Int($0[7]!)! }
        let utf16 = found.findings.map(\.utf16) == expected.map { Int($0[8]!)!..<Int($0[9]!)! }
        return restored && found.text == line[5] && types && sources && utf8 && utf16
    }

    private func verdict() -> String {
        do {
            _ = try Linnet(manifest: fields, engine: replay)
            return "LINNET_OK"
        } catch let error as LinnetError {
            return error.statusName
        } catch {
            return "\(error)"
        }
    }
}

private let scores: [String: ScoreFunction] = ["softmax": .softmax, "sigmoid": .sigmoid, "none": .none]
private let truncations: [String: Truncation] = [
    "never": .never, "longest_first": .longestFirst, "only_second": .onlySecond,
]
private let aggregations: [String: Aggregation] = [
    "none": .none, "simple": .simple, "first": .first, "average": .average, "max": .max,
]

private let modes: [String: MaskMode] = [
    "type": .type, "pseudonym": .pseudonym, "redact": .redact, "redact_length": .redactLength,
]

/// Places in code points, as the ones that a masker takes.
private func foundPlaces(_ places: String, in text: String) -> [FoundPlace] {
    let words = places.split(separator: " ").map(String.init)
    let scalars = text.unicodeScalars
    func utf16(_ codePoints: String) -> Int {
        String(String.UnicodeScalarView(scalars.prefix(Int(codePoints)!))).utf16.count
    }
    return stride(from: 0, to: words.count, by: 5).map { at in
        FoundPlace(
            type: words[at], utf16: utf16(words[at + 1])..<utf16(words[at + 2]), score: Double(words[at + 3])!,
            source: MaskSource(rawValue: UInt32(words[at + 4])!)!
        )
    }
}

private func questionOptions(_ line: [String?]) -> QuestionOptions {
    var options = QuestionOptions()
    (options.topK, options.maxAnswerLength) = (Int(line[3]!)!, Int(line[4]!)!)
    (options.maxLength, options.stride) = (Int(line[5]!)!, Int(line[6]!)!)
    (options.allowEmpty, options.alignToWords) = (line[7] == "1", line[8] == "1")
    return options
}

private func windowFields(_ row: [String?]) -> [[Int64]] { row.dropFirst().map(integers) }

private func near(_ found: [Float], _ expected: [String?]) -> Bool {
    found.count == expected.count
        && zip(found, expected).allSatisfy { left, right in
            guard let wanted = right.flatMap(Double.init) else { return false }
            return abs(Double(left) - wanted) <= max(1e-6, 2e-5 * abs(wanted))
        }
}

private func value(_ type: String, _ text: String) -> ManifestValue {
    switch type {
    case "int": return .int(Int64(text)!)
    case "bool": return .bool(text == "1")
    case "float": return .float(Double(text)!)
    case "bytes":
        let digits = Array(text.utf8)
        return .bytes(
            stride(from: 0, to: digits.count, by: 2).map { UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)! }
        )
    default: return .string(text)
    }
}

private func integers(_ text: String?) -> [Int64] { (text ?? "").split(separator: " ").map { Int64($0)! } }

private func numbers(_ text: String?) -> [Float] { (text ?? "").split(separator: " ").map { Float($0)! } }

private func unescaped(_ text: String) -> String? {
    if text == "\\-" { return nil }
    var result = ""
    var characters = text.unicodeScalars.makeIterator()
    while let character = characters.next() {
        guard character == "\\", let next = characters.next() else {
            result.unicodeScalars.append(character)
            continue
        }
        let meanings: [Unicode.Scalar: Unicode.Scalar] = ["t": "\t", "n": "\n", "r": "\r", "0": "\0"]
        result.unicodeScalars.append(meanings[next] ?? next)
    }
    return result
}
