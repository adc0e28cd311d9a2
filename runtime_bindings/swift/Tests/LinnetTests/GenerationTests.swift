import Foundation
import XCTest

@testable import Linnet

/// A decoder that prefers the token behind the last one: 5, 6, 7, ... Its cache has room for one text, as a program's.
private final class Counting: Engine {
    private let vocabulary: Int
    private var cache: [Int64] = []
    private(set) var calls = 0
    /// Called before each call computes.
    var before: () -> Void = {}

    init(vocabulary: Int) { self.vocabulary = vocabulary }

    func run(_ inputs: [[Int64]]) throws -> [Tensor] { [] }

    func decode(_ tokens: [Int64], position: Int64) throws -> [Float] {
        before()
        calls += 1
        XCTAssertLessThanOrEqual(Int(position), cache.count)
        cache = cache.prefix(Int(position)) + tokens
        var logits = [Float](repeating: 0, count: vocabulary)
        logits[Int(cache.last! + 1) % vocabulary] = 9
        logits[cache.count % vocabulary] += 1  // another number of tokens is another answer
        return logits
    }
}

/// Texts of a decoder: what the cases do not hold.
final class GenerationTests: XCTestCase {
    private let greedy = GenerationOptions(maxNewTokens: 12)

    func testATextDoesNotDependOnHowItWasComputed() throws {
        let (model, _) = try decoder(chunk: 4)
        let ids = (5..<25).map(Int64.init)
        let text = try model.newText()
        try text.append(ids)
        let expected = try text.logits()
        let rewound = try model.newText(capacity: 30)
        try rewound.append(Array(ids[..<10]) + [3, 3, 3])
        try rewound.rewind(to: 10)
        try rewound.append(Array(ids[10...]))
        XCTAssertEqual(try rewound.logits(), expected)
        let fork = text.fork()
        try text.append([7])
        XCTAssertEqual(fork.tokens, ids)
        XCTAssertEqual(try fork.logits(), expected)
        XCTAssertEqual(text.tokens, ids + [7])
        XCTAssertEqual(try fork.sample(GenerationOptions(doSample: false)).id, 25)
    }

    func testWhatTheCacheHoldsIsNotComputedAgain() throws {
        let (model, engine) = try decoder(chunk: 4)
        let text = try model.newText()
        try text.append((5..<13).map(Int64.init))
        XCTAssertEqual(engine.calls, 2)
        try text.rewind(to: 6)
        try text.append([11, 30])
        XCTAssertEqual(engine.calls, 3)
        let other = try model.newText()
        try other.append([5, 6, 7, 40])  // shares three tokens
        XCTAssertEqual(engine.calls, 4)
    }

    func testErrorsHaveTheirStatus() throws {
        let (model, _) = try decoder()
        let text = try model.newText()
        XCTAssertEqual(status { _ = try text.logits() }, "LINNET_INVALID_ARGUMENT")
        XCTAssertEqual(status { try text.rewind(to: 1) }, "LINNET_INVALID_ARGUMENT")
        XCTAssertEqual(status { try text.append(Array(repeating: 5, count: 100)) }, "LINNET_CONTEXT_FULL")
        XCTAssertEqual(status { _ = try model.newText(capacity: 1000) }, "LINNET_INVALID_ARGUMENT")
        XCTAssertEqual(status { _ = try model.generate("") }, "LINNET_INVALID_ARGUMENT")
        XCTAssertEqual(status { _ = try model.generate(String(repeating: "a bird ", count: 80)) }, "LINNET_CONTEXT_FULL")
        XCTAssertEqual(
            status { _ = try model.generate("a", options: GenerationOptions(temperature: -1)) }, "LINNET_INVALID_ARGUMENT"
        )
        XCTAssertEqual(
            status { _ = try model.generate("a", options: GenerationOptions(stopStrings: [""])) }, "LINNET_INVALID_ARGUMENT"
        )
        XCTAssertEqual(
            status { _ = try model.chatPrompt([Message(role: "robot", content: "x")]) }, "LINNET_INVALID_ARGUMENT"
        )
        let plain = try Linnet(manifest: Conformance.manifest(task: "text-generation"), engine: Plain())
        XCTAssertEqual(status { _ = try plain.generate("a") }, "LINNET_UNKNOWN_METHOD")
        let classifier = try Linnet(manifest: Conformance.manifest(task: "text-classification"), engine: Plain())
        XCTAssertEqual(status { _ = try classifier.newText() }, "LINNET_INVALID_ARGUMENT")
    }

    func testAStreamIsTheCompletionInPieces() throws {
        let (model, _) = try decoder()
        let whole = try model.generate("a bird", options: greedy)
        XCTAssertEqual(whole.ids.count, 12)
        XCTAssertEqual(whole.finishReason, .length)
        let stream = try model.stream("a bird", options: greedy)
        var pieces: [GeneratedToken] = []
        while let token = try stream.next() { pieces.append(token) }
        XCTAssertEqual(pieces.map(\.text).joined(), whole.text)
        XCTAssertEqual(stream.text, whole.text)
        XCTAssertEqual(stream.finishReason, .length)
        XCTAssertNil(try stream.next())
        let early = try model.stream("a bird", options: greedy)
        _ = try early.next()
        early.close()
        XCTAssertNil(try early.next())
        XCTAssertNil(early.finishReason)
    }

    func testAConversationIsThatOfItsMessages() throws {
        let (model, _) = try decoder()
        let options = GenerationOptions(maxNewTokens: 2)
        let chat = try model.chat(options: options)
        let first = try chat.ask("a")
        let asked = [Message(role: "user", content: "a")]
        XCTAssertEqual(first, try model.generate(asked, options: options).text)
        XCTAssertEqual(chat.messages, asked + [Message(role: "assistant", content: first)])
        try chat.reset()
        XCTAssertEqual(chat.messages, [])
        do {
            let left = try chat.stream("a")
            _ = try left.next()
        }
        XCTAssertEqual(chat.messages.map(\.role), ["user", "assistant"])
    }

    func testAnAsyncSequenceGivesTheSameText() async throws {
        let (model, _) = try decoder()
        let whole = try model.generate("a bird", options: greedy)
        var said = ""
        for try await piece in model.text(continuing: "a bird", options: greedy) {
            XCTAssertFalse(piece.isEmpty)
            said += piece
        }
        XCTAssertEqual(said, whole.text)
        var tokens: [GeneratedToken] = []
        for try await token in model.tokens(continuing: "a bird", options: greedy) where token.id >= 0 { tokens.append(token) }
        XCTAssertEqual(tokens.map(\.id), whole.ids)
        XCTAssertEqual(tokens.map(\.logProbability), whole.logProbabilities)
        let asked = [Message(role: "user", content: "a")]
        let answer = try model.generate(asked, options: GenerationOptions(maxNewTokens: 3)).text
        var heard = ""
        for try await piece in model.text(answering: asked, options: GenerationOptions(maxNewTokens: 3)) { heard += piece }
        XCTAssertEqual(heard, answer)
        heard = ""
        let chat = try model.chat(options: GenerationOptions(maxNewTokens: 3))
        for try await piece in chat.text(answering: "a") { heard += piece }
        XCTAssertEqual(heard, answer)
        XCTAssertEqual(chat.messages.last?.content, answer)
    }

    func testALoopThatIsLeftComputesNoMore() async throws {
        let (model, engine) = try decoder()
        for try await _ in model.tokens(continuing: "a bird", options: greedy) { break }
        XCTAssertEqual(engine.calls, 1)
    }

    func testACancelledTaskStopsALongPrompt() async throws {
        let (model, engine) = try decoder(chunk: 1)
        let (begun, go) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        engine.before = {
            begun.signal()
            go.wait()
        }
        let listener = Task {
            for try await _ in model.text(continuing: "a bird sings", options: GenerationOptions()) {}
        }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                begun.wait()
                continuation.resume()
            }
        }
        listener.cancel()
        go.signal()
        do {
            try await listener.value
            XCTFail("expected a CancellationError")
        } catch {
            XCTAssertTrue(error is CancellationError, "\(error)")
        }
        XCTAssertEqual(engine.calls, 1)
    }

    func testRemovedTokensLeaveNoTrace() throws {
        let (model, _) = try decoder(chunk: 4)
        let text = try model.newText()
        try text.append((5..<25).map(Int64.init))
        try text.remove(from: 3, count: 10)
        let plain = try model.newText()
        try plain.append((5..<8).map(Int64.init) + (18..<25).map(Int64.init))
        XCTAssertEqual(text.tokens, plain.tokens)
        XCTAssertEqual(try text.logits(), try plain.logits())
        XCTAssertEqual(status { try text.remove(from: 10, count: 1) }, "LINNET_INVALID_ARGUMENT")
    }

    func testATextSlidesAsOneThatIsMadeAnew() throws {
        let (model, _) = try decoder()
        let options = GenerationOptions(maxNewTokens: 150, doSample: false, overflow: .slide, keep: 5)
        let found = try model.generate("a bird", options: options)
        var (ids, made) = (try model.prompt(of: "a bird"), [Int64]())
        let capacity = try model.newText().capacity
        while made.count < 150 {
            let text = try model.newText()
            try text.append(ids)
            let choice = try text.sample(options).id
            if model.isEnd(choice) { break }
            made.append(choice)
            if ids.count == capacity { ids = Array(ids.prefix(5) + ids.suffix((capacity - 5) / 2)) }
            ids.append(choice)
        }
        XCTAssertEqual(found.ids, made)
        let chat = try model.chat(options: GenerationOptions(maxNewTokens: 4, overflow: .slide))
        for number in 0..<12 { _ = try chat.ask("q\(number)") }
        XCTAssertEqual(chat.messages.count, 24)
    }

    func testWhatConstraintsAndOptionsRefuse() throws {
        let (model, _) = try decoder()
        let refused = [
            GenerationOptions(constraint: .regex("(")), GenerationOptions(stopStrings: ["a"], constraint: .regex("a")),
            GenerationOptions(constraint: .choices(["a", "a"])), GenerationOptions(keep: 2),
            GenerationOptions(maxNewTokens: 3, constraint: .regex("a{50}")), GenerationOptions(constraint: .jsonSchema("{")),
        ]
        for options in refused {
            XCTAssertEqual(status { _ = try model.generate("a", options: options) }, "LINNET_INVALID_ARGUMENT")
        }
        XCTAssertEqual(
            status { _ = try model.generate("a", options: GenerationOptions(overflow: .slide, keep: 63)) },
            "LINNET_CONTEXT_FULL"
        )
        XCTAssertEqual(try model.generate("a", options: GenerationOptions(constraint: .choices(["yes"]))).text, "yes")
    }

    func testAStopStringIsFoundAcrossTokens() {
        var stops = StopStrings(["漢字", "xy"])
        XCTAssertEqual(stops.push("a漢"), "a")
        XCTAssertEqual(stops.push("b"), "漢b")
        XCTAssertEqual(stops.push("cx"), "c")
        XCTAssertFalse(stops.found)
        XCTAssertEqual(stops.push("y!"), "")
        XCTAssertTrue(stops.found)
        XCTAssertEqual(stops.finish(), "")
        stops = StopStrings(["e\u{301}"])
        XCTAssertEqual(stops.push("\u{e9}"), "\u{e9}")  // other code points
    }

    private func status(_ call: () throws -> Void) -> String? {
        do {
            try call()
            return nil
        } catch {
            return (error as? LinnetError)?.statusName ?? "\(error)"
        }
    }

    private func decoder(chunk: Int64? = nil) throws -> (Linnet, Counting) {
        var manifest = try Conformance.manifest(task: "text-generation")
        if let chunk { manifest["chunk_length"] = .int(chunk) }
        guard case .int(let vocabulary)? = manifest["vocab_size"] else { throw XCTSkip("no vocabulary") }
        let engine = Counting(vocabulary: Int(vocabulary))
        return (try Linnet(manifest: manifest, engine: engine), engine)
    }
}

/// An engine for programs that are no decoders.
private final class Plain: Engine {
    func run(_ inputs: [[Int64]]) throws -> [Tensor] { [] }
}
