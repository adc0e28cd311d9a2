import Foundation
import XCTest

@testable import Linnet

/// The recorded outputs, handed out in their order.
private final class Replay: Engine {
    var outputs: [Tensor] = []
    var perRun = 1

    func run(_ inputs: [[Int64]]) throws -> [Tensor] {
        defer { outputs.removeFirst(perRun) }
        return Array(outputs.prefix(perRun))
    }
}

/// Reads cases.tsv, a copy of tests/conformance/cases.tsv (README.md beside it describes the records).
final class ConformanceTests: XCTestCase {
    private let replay = Replay()
    private var fields: [String: ManifestValue] = [:]
    private var base: [String: ManifestValue] = [:]
    private var model: Linnet?

    func testEveryCase() throws {
        let file = try XCTUnwrap(Bundle.module.url(forResource: "cases", withExtension: "tsv"))
        var lines = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "\n")
            .filter { !$0.isEmpty && !$0.hasPrefix("#") }
            .map { $0.components(separatedBy: "\t").map(unescaped) }[...]
        var cases = 0
        while let line = lines.popFirst() {
            let results = lines.prefix { ["window", "class", "entity", "proposal", "span"].contains($0[0]) }
            lines = lines.dropFirst(results.count)
            if try !prepare(line) {
                try compare(line, Array(results))
                XCTAssertTrue(replay.outputs.isEmpty)
                replay.outputs = []
                cases += 1
            }
        }
        XCTAssertGreaterThan(cases, 200)
    }

    /// True if the line is no case.
    private func prepare(_ line: [String?]) throws -> Bool {
        switch line[0] {
        case "version": XCTAssertEqual(line[1], "1")
        case "clear": fields = [:]
        case "field": fields[line[1]!] = value(line[2]!, line[3]!)
        case "drop": fields[line[1]!] = nil
        case "manifest":
            base = fields
            model = try Linnet(manifest: base, engine: replay)
            guard case .string(let outputs)? = base["outputs"] else { return true }
            replay.perRun = outputs.components(separatedBy: "\n").count
        case "output":
            replay.outputs.append(Tensor(shape: numbers(line[1]).map { Int64($0) }, data: numbers(line[2]).map { Float($0) }))
        default: return false
        }
        return true
    }

    private func compare(_ line: [String?], _ expected: [[String?]]) throws {
        let model = try XCTUnwrap(model)
        switch line[0] {
        case "verdict":
            XCTAssertEqual(verdict(), line[1], line[2] ?? "")
            fields = base
        case "classify" where line[4] == "softmax":
            let found = try model.classify(line[1]!, pair: line[2])
            XCTAssertEqual(found.map(\.label), expected.map { $0[1] })
            near(found.map(\.score), expected.map { $0[2] })
        case "entities":
            let names: [String: Aggregation] = ["none": .none, "simple": .simple, "first": .first, "average": .average, "max": .max]
            let found = try model.entities(line[1]!, aggregation: names[line[2]!]!, ignored: line[3]!)
            XCTAssertEqual(found.map(\.label), expected.map { $0[1] })
            XCTAssertEqual(found.map(\.word), expected.map { $0[3] })
            XCTAssertEqual(found.map(\.utf16), expected.map { Int($0[8]!)!..<Int($0[9]!)! })
            near(found.map(\.score), expected.map { $0[2] })
        case "fill_mask" where line[3] == nil:
            let found = try model.fillMask(line[1]!, topK: Int(line[2]!)!).flatMap { $0 }
            XCTAssertEqual(found.map(\.sequence), expected.map { $0[5] })
            near(found.map(\.score), expected.map { $0[3] })
        case "answer":
            var options = QuestionOptions()
            (options.topK, options.maxAnswerLength) = (Int(line[3]!)!, Int(line[4]!)!)
            (options.maxLength, options.stride) = (Int(line[5]!)!, Int(line[6]!)!)
            (options.allowEmpty, options.alignToWords) = (line[7] == "1", line[8] == "1")
            let found = try model.answer(line[1]!, context: line[2]!, options: options)
            XCTAssertEqual(found.map(\.text), expected.map { $0[6] })
            near(found.map { Float($0.score) }, expected.map { $0[1] })
        case "score": near([try model.score(line[1]!, passage: line[2]!)], [line[3]])
        case "embed":
            near(try model.embed(line[1]!, normalize: line[2] == "1"), line[3]!.components(separatedBy: " "))
        default: replay.outputs = []
        }
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

    private func near(_ found: [Float], _ expected: [String?]) {
        XCTAssertEqual(found.count, expected.count)
        for (left, right) in zip(found, expected) {
            let wanted = Double(right!)!
            XCTAssertEqual(Double(left), wanted, accuracy: max(1e-6, 2e-5 * abs(wanted)))
        }
    }

    private func value(_ type: String, _ text: String) -> ManifestValue {
        switch type {
        case "int": return .int(Int64(text)!)
        case "bool": return .bool(text == "1")
        case "float": return .float(Double(text)!)
        case "bytes":
            let digits = Array(text.utf8)
            return .bytes(stride(from: 0, to: digits.count, by: 2).map { UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)! })
        default: return .string(text)
        }
    }

    private func numbers(_ text: String?) -> [Double] { (text ?? "").split(separator: " ").map { Double($0)! } }

    private func unescaped(_ text: String) -> String? {
        if text == "\\-" { return nil }
        var result = ""
        var characters = text.makeIterator()
        while let character = characters.next() {
            guard character == "\\", let next = characters.next() else {
                result.append(character)
                continue
            }
            result.append(["t": "\t", "n": "\n", "r": "\r", "0": "\0"][next] ?? next)
        }
        return result
    }
}
