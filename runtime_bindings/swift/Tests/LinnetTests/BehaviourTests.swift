import Foundation
import XCTest

@testable import Linnet

private struct Stopped: Error {}

/// Answers as it is told to.
private final class Told: Engine {
    private let body: ([[Int64]]) throws -> [Tensor]

    init(_ body: @escaping ([[Int64]]) throws -> [Tensor]) { self.body = body }

    private(set) var runs = 0

    func run(_ inputs: [[Int64]]) throws -> [Tensor] {
        runs += 1
        return try body(inputs)
    }
}

/// What the cases do not hold: errors of the engine, threads, files.
final class BehaviourTests: XCTestCase {
    func testAnErrorOfTheEngineComesThrough() throws {
        let model = try Linnet(manifest: classifier(), engine: Told { _ in throw Stopped() })
        XCTAssertThrowsError(try model.classify("the cat")) { XCTAssertTrue($0 is Stopped, "\($0)") }
    }

    func testATensorThatDoesNotAddUpIsRefused() throws {
        let model = try Linnet(manifest: classifier(), engine: Told { _ in [Tensor(shape: [1, 3], data: [1])] })
        XCTAssertThrowsError(try model.classify("the cat")) {
            XCTAssertEqual(($0 as? LinnetError)?.statusName, "LINNET_INVALID_ARGUMENT", "\($0)")
        }
    }

    func testTheEngineGetsTheTokens() throws {
        var seen: [[Int64]] = []
        let model = try Linnet(
            manifest: classifier(),
            engine: Told { inputs in
                seen = inputs
                return [Tensor(shape: [1, 3], data: [1, 2, 0])]
            }
        )
        XCTAssertEqual(try model.classify("the cat", topK: 1).map(\.label), [model.labels[1]])
        let tokens = try model.tokenize("the cat")[0].tokens
        XCTAssertEqual(seen.first, tokens.map(\.id))
        XCTAssertEqual(Set(seen.map(\.count)), [tokens.count])
    }

    func testADeviceTellsWhatItCounted() throws {
        let model = try Linnet(manifest: classifier(), engine: Told { _ in [Tensor(shape: [1, 3], data: [1, 2, 0])] })
        XCTAssertThrowsError(try model.statistics())
        XCTAssertThrowsError(try model.startStatistics(name: "a name"))
        try model.startStatistics(name: "toy")
        _ = try model.classify(["the cat", "cat"])
        try model.stopStatistics()
        _ = try model.classify("cat")
        let counted = try model.statistics()
        XCTAssertTrue(counted.contains("\"inferences\":[{\"labels\":{\"model\":\"toy\"},\"value\":2}]"), counted)
        XCTAssertNoThrow(try JSONSerialization.jsonObject(with: Data(counted.utf8)))
    }

    func testAnEmptyPairIsAPair() throws {
        let model = try Linnet(manifest: classifier(), engine: Told { _ in [] })
        XCTAssertEqual(try model.tokenize("cat", pair: "")[0].tokens.count, try model.tokenize("cat")[0].tokens.count + 1)
        XCTAssertEqual(try model.tokenize("")[0].tokens.count, 2)
    }

    func testRankGivesTheBest() throws {
        let model = try Linnet(manifest: Conformance.manifest(task: "text-ranking"), engine: lengths)
        let passages = ["cat cat", "cat", "cat cat cat"]
        XCTAssertEqual(try model.rank("the cat", passages: passages).map(\.index), [2, 0, 1])
        XCTAssertEqual(try model.rank("the cat", passages: passages, topK: 2).map(\.index), [2, 0])
        XCTAssertEqual(try model.rank("the cat", passages: passages, topK: 9).count, 3)
        XCTAssertThrowsError(try model.rank("the cat", passages: passages, topK: 0)) {
            XCTAssertEqual(($0 as? LinnetError)?.statusName, "LINNET_INVALID_ARGUMENT", "\($0)")
        }
    }

    func testAnswerGivesTheBest() throws {
        let even = Told { inputs in
            let length = inputs[0].count
            let zeros = Tensor(shape: [1, Int64(length)], data: Array(repeating: 0, count: length))
            return [zeros, zeros]
        }
        let model = try Linnet(manifest: Conformance.manifest(task: "question-answering"), engine: even)
        var options = QuestionOptions()
        options.topK = 3
        let three = try model.answer("where is it", context: "the cat sat", options: options)
        XCTAssertEqual(three.count, 3)
        XCTAssertEqual(try model.answer("where is it", context: "the cat sat", topK: 3), three)
        XCTAssertEqual(
            try model.answer("where is it", context: "the cat sat"),
            try model.answer("where is it", context: "the cat sat", topK: 1)
        )
    }

    func testThreadsShareAModel() throws {
        let engine = Told { inputs in [Tensor(shape: [1, 3], data: [Float(inputs[0].count), 0, 0])] }
        let model = try Linnet(manifest: classifier(), engine: engine)
        let texts = (1...8).map { Array(repeating: "cat", count: $0).joined(separator: " ") }
        let expected = try texts.map { try model.classify($0, scores: .none) }
        let lock = NSLock()
        var wrong = 0
        DispatchQueue.concurrentPerform(iterations: 400) { turn in
            let found = try? model.classify(texts[turn % texts.count], scores: .none)
            if found != expected[turn % texts.count] {
                lock.lock()
                wrong += 1
                lock.unlock()
            }
        }
        XCTAssertEqual(wrong, 0)
    }

    func testAListIsAnsweredTextByText() throws {
        let model = try Linnet(manifest: classifier(), engine: counts)
        let texts = ["cat", "the cat", "the cat sat"]
        XCTAssertEqual(try model.classify(texts, scores: .none), try texts.map { try model.classify($0, scores: .none) })
    }

    func testAnswersComeAsTheyAreTaken() async throws {
        let engine = Told { [counts] inputs in try counts.run(inputs) }
        let model = try Linnet(manifest: classifier(), engine: engine)
        let texts = ["cat", "the cat", "the cat sat"]
        var found: [[Classification]] = []
        for try await answer in model.answers(to: texts, { try $0.classify($1, scores: .none) }) {
            found.append(answer)
            if found.count == 2 { break }
        }
        XCTAssertEqual(found, try model.classify(Array(texts.prefix(2)), scores: .none))
        XCTAssertEqual(engine.runs, 4)
    }

    func testACancelledTaskNeverAsks() async throws {
        let (begun, go) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let engine = Told { _ in
            begun.signal()
            go.wait()
            return [Tensor(shape: [1, 3], data: [1, 2, 0])]
        }
        let model = try Linnet(manifest: classifier(), engine: engine)
        let first = Task { try await model.ask { try $0.classify("cat", topK: 1) } }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                begun.wait()
                continuation.resume()
            }
        }
        let waiting = Task { try await model.ask { try $0.classify("cat", topK: 1) } }
        waiting.cancel()
        go.signal()
        let answer = try await first.value
        XCTAssertEqual(answer.map(\.label), [model.labels[1]])
        do {
            _ = try await waiting.value
            XCTFail("expected a CancellationError")
        } catch {
            XCTAssertTrue(error is CancellationError, "\(error)")
        }
        XCTAssertEqual(engine.runs, 1)
    }

    func testAnErrorComesThroughAsk() async throws {
        let model = try Linnet(manifest: classifier(), engine: Told { _ in throw Stopped() })
        do {
            _ = try await model.ask { try $0.classify("the cat") }
            XCTFail("expected the engine's error")
        } catch {
            XCTAssertTrue(error is Stopped, "\(error)")
        }
    }

    func testAMissingFileHasItsStatus() {
        XCTAssertThrowsError(try Linnet.check(path: "/nothing.pte")) {
            XCTAssertEqual(($0 as? LinnetError)?.statusName, "LINNET_FILE_NOT_FOUND", "\($0)")
        }
    }

    /// Scores a text by its number of tokens.
    private let counts = Told { inputs in [Tensor(shape: [1, 3], data: [Float(inputs[0].count), 0, 0])] }

    /// Scores a pair by its number of tokens.
    private let lengths = Told { inputs in [Tensor(shape: [1, 1], data: [Float(inputs[0].count) / 10])] }

    private func classifier() throws -> [String: ManifestValue] { try Conformance.manifest(task: "text-classification") }
}
