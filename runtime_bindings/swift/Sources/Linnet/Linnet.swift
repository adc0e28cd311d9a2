import CLinnet
import Foundation

/// A value of the manifest, as a constant method of the program gives it.
public enum ManifestValue: Sendable {
    case int(Int64)
    case float(Double)
    case bool(Bool)
    case string(String)
    case bytes([UInt8])
}

/// A linnet file whose program an engine runs: its tokenizer, labels and decoding.
///
/// Call ``check(path:)`` before the engine opens the file: an official ExecuTorch runtime does not check linnet's hashes.
/// Several threads may share one object; its calls take turns.
public final class Linnet: @unchecked Sendable {
    let task: OpaquePointer
    private let box: EngineBox
    private let lock = NSLock()

    /// Make a model from the values of the file's constant methods, and the engine that runs its `forward`.
    public init(manifest: [String: ManifestValue], engine: Engine) throws {
        precondition(linnet_abi_version() == LINNET_ABI_VERSION, "linnet.h is of another release than the core")
        box = EngineBox(engine)
        task = try makeTask(manifest)
    }

    deinit { linnet_task_free(task) }

    /// Check the trailer and the SHA-256 of what ExecuTorch parses.
    public static func check(path: String) throws { try orThrow(linnet_file_check(path)) }

    /// Check the SHA-256 of every byte of the file.
    public static func verify(path: String) throws { try orThrow(linnet_file_verify(path)) }

    /// Return the file that a module of `linnet bundle` has as its resource.
    public static func resource(_ name: String, of bundle: Bundle) throws -> URL {
        let (stem, ending) = ((name as NSString).deletingPathExtension, (name as NSString).pathExtension)
        guard let file = bundle.url(forResource: stem, withExtension: ending, subdirectory: "Resources") else {
            throw LinnetError(
                status: LinnetError.fileNotFound,
                message: "expected \(name) in \(bundle.bundlePath), got none; add its module to the app and build it again"
            )
        }
        return file
    }

    /// Class names; empty for a task without classes.
    public var labels: [String] {
        (0..<linnet_task_label_count(task)).map { index in
            var label = linnet_text()
            return linnet_task_label(task, index, &label) == LINNET_OK ? label.string : ""
        }
    }

    /// Classify a text or a text pair: the `topK` best classes, best first; 0 returns all.
    public func classify(
        _ text: String, pair: String? = nil, topK: Int = 0, scores: ScoreFunction = .ofFile, truncate: Bool = true
    ) throws -> [Classification] {
        var options = linnet_class_options(top_k: Int32(topK), score_function: linnet_score_function(scores.rawValue))
        let raw = try ask { engine, result in
            withText(text) { first in
                withText(pair) { second in linnet_classify(task, engine, first, second, truncate ? 1 : 0, &options, result) }
            }
        }
        return try readAnswers(raw) {
            Classification(label: $0.label.string, score: Float($0.score), index: Int($0.label_index))
        }
    }

    /// Classify texts, each as ``classify(_:pair:topK:scores:truncate:)`` does.
    public func classify(
        _ texts: [String], topK: Int = 0, scores: ScoreFunction = .ofFile, truncate: Bool = true
    ) throws -> [[Classification]] {
        try texts.map { try classify($0, topK: topK, scores: scores, truncate: truncate) }
    }

    /// Find the entities of a text, in text order. `ignored`: a label or entity group to leave out.
    public func entities(
        _ text: String, aggregation: Aggregation = .simple, ignored: String = "O", truncate: Bool = true
    ) throws -> [Entity] {
        let raw = try ask { engine, result in
            withText(text) { text in
                withText(ignored) { left in
                    withUnsafePointer(to: left) { list in
                        var options = linnet_entity_options(
                            aggregation: linnet_aggregation(aggregation.rawValue), ignored: list, ignored_count: 1
                        )
                        return linnet_find_entities(task, engine, text, truncate ? 1 : 0, &options, result)
                    }
                }
            }
        }
        return try readAnswers(raw) {
            Entity(
                label: $0.label.string, score: Float($0.score), word: $0.text.string, utf16: $0.utf16.range,
                utf8: $0.utf8.range
            )
        }
    }

    /// Find the entities of texts, each as ``entities(_:aggregation:ignored:truncate:)`` does.
    public func entities(
        _ texts: [String], aggregation: Aggregation = .simple, ignored: String = "O", truncate: Bool = true
    ) throws -> [[Entity]] {
        try texts.map { try entities($0, aggregation: aggregation, ignored: ignored, truncate: truncate) }
    }

    /// Return the `options.topK` best answers to a question, best first; the context is read in overlapping windows.
    public func answer(_ question: String, context: String, options: QuestionOptions = QuestionOptions()) throws -> [Answer] {
        var native = options.native
        let raw = try ask { engine, result in
            withText(question) { question in
                withText(context) { context in linnet_answer_question(task, engine, question, context, &native, result) }
            }
        }
        return try readAnswers(raw) {
            Answer(text: $0.text.string, score: $0.score, utf16: $0.utf16.range, utf8: $0.utf8.range)
        }
    }

    /// Return the `topK` best answers, best first.
    public func answer(_ question: String, context: String, topK: Int) throws -> [Answer] {
        var options = QuestionOptions()
        options.topK = topK
        return try answer(question, context: context, options: options)
    }

    /// Return the `topK` best tokens for each mask, in text order. `targets`: consider only these tokens.
    public func fillMask(
        _ text: String, topK: Int = 5, targets: [String]? = nil, truncate: Bool = true
    ) throws -> [[MaskProposal]] {
        let ids = try targets.map { try $0.map(tokenId) }
        let raw = try ask { engine, result in
            (ids ?? []).withUnsafeBufferPointer { allowed in
                var options = linnet_mask_options(
                    top_k: Int32(topK), targets: ids == nil ? nil : allowed.baseAddress, target_count: allowed.count
                )
                return withText(text) { linnet_fill_mask(task, engine, $0, truncate ? 1 : 0, &options, result) }
            }
        }
        let found = try readAnswers(raw) {
            MaskProposal(
                token: $0.text.string, score: Float($0.score), id: $0.token, sequence: $0.sequence.string,
                mask: Int($0.index)
            )
        }
        return Dictionary(grouping: found, by: \.mask).sorted { $0.key < $1.key }.map(\.value)
    }

    /// Embed a text. `prompt`: name of a prompt in the file, nil for its default; `normalize`: scale to unit length.
    /// Of a model that was trained to leave its prompts out of the embedding, the tokens of the prompt are not pooled.
    public func embed(_ text: String, prompt: String? = nil, normalize: Bool = false, truncate: Bool = true) throws -> [Float] {
        var width = linnet_value()
        try orThrow(linnet_task_value(task, "embedding_size", &width))
        var vector = [Float](repeating: 0, count: Int(width.integer))
        try call { engine in
            withText(text) { text in
                withName(prompt) { name in
                    linnet_embed(task, engine, text, truncate ? 1 : 0, name, normalize ? 1 : 0, &vector, vector.count)
                }
            }
        }
        return vector
    }

    /// Embed texts, each as ``embed(_:prompt:normalize:truncate:)`` does.
    public func embed(
        _ texts: [String], prompt: String? = nil, normalize: Bool = false, truncate: Bool = true
    ) throws -> [[Float]] {
        try texts.map { try embed($0, prompt: prompt, normalize: normalize, truncate: truncate) }
    }

    /// Rank passages by their score for a query: the `topK` best (nil: all), best first. Equal scores keep their order.
    public func rank(
        _ query: String, passages: [String], topK: Int? = nil, truncate: Bool = true
    ) throws -> [RankedPassage] {
        if let topK, topK < 1 {
            throw LinnetError(
                status: Int32(LINNET_INVALID_ARGUMENT),
                message: "expected topK of at least 1, got \(topK); leave it out to rank all passages"
            )
        }
        let scored = try passages.enumerated().map { index, passage in
            RankedPassage(index: index, score: try score(query, passage: passage, truncate: truncate))
        }
        let ranked = scored.sorted { ($1.score, $0.index) < ($0.score, $1.index) }
        return Array(ranked.prefix(topK ?? ranked.count))
    }

    /// Score a query-passage pair.
    public func score(_ query: String, passage: String, truncate: Bool = true) throws -> Float {
        var score: Float = 0
        var count = 0
        try call { engine in
            withText(query) { query in
                withText(passage) { linnet_score(task, engine, query, $0, truncate ? 1 : 0, &score, 1, &count) }
            }
        }
        return score
    }

    /// Tokenize a text or a pair into windows; several only with a stride >= 0: `.longestFirst` of a text, `.onlySecond` of a pair.
    /// `maxLength`: tokens of a window, special tokens included; nil: the maximum of the file, 0: no maximum.
    public func tokenize(
        _ text: String, pair: String? = nil, maxLength: Int? = nil, truncation: Truncation = .longestFirst,
        stride: Int = -1, specialTokens: Bool = true
    ) throws -> [Tokens] {
        var options = linnet_encode_options(
            max_length: Int32(try maxLength ?? bound()), truncation: linnet_truncation(truncation.rawValue),
            stride: Int32(stride), add_special_tokens: specialTokens ? 1 : 0
        )
        var encoding: OpaquePointer?
        let native = try tokenizer()
        try orThrow(
            withText(text) { first in
                withText(pair) {
                    linnet_tokenizer_encode(native, first.bytes, first.size, $0.bytes, $0.size, &options, &encoding)
                }
            }
        )
        defer { linnet_encoding_free(encoding) }
        return try (0..<linnet_encoding_window_count(encoding)).map { index in
            var view = linnet_encoding_view()
            try orThrow(linnet_encoding_window(encoding, index, &view))
            return Tokens(view)
        }
    }

    // MARK: - statistics

    /// Begin to count what this object answers, from 0: inputs, tokens, times, classes, scores and errors, never a text.
    /// `name`: what the model is called in ``statistics()``: up to 64 letters, digits and ._:@/+-.
    public func startStatistics(name: String) throws { try orThrow(linnet_stats_start(task, name)) }

    /// Stop counting; what was counted can still be read.
    public func stopStatistics() throws { try orThrow(linnet_stats_stop(task)) }

    /// Return what was counted as JSON, which `linnet monitor merge` adds to that of other devices.
    public func statistics() throws -> String {
        // as large as the largest JSON: it can grow between two calls
        var json = [CChar](repeating: 0, count: 1 << 20)
        var size = 0
        try orThrow(linnet_stats_json(task, &json, json.count, &size))
        return String(decoding: json.prefix(size).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    // MARK: - calls

    /// Return the logits behind the last of some tokens; those that the program's cache holds do not run again.
    func logits(behind tokens: [Int64], chunk: Int) throws -> [Float] {
        lock.lock()
        defer { lock.unlock() }
        return try box.logits(behind: tokens, chunk: chunk)
    }

    func tokenizer() throws -> OpaquePointer? {
        lock.lock()
        defer { lock.unlock() }
        var found: OpaquePointer?
        try orThrow(linnet_task_tokenizer(task, &found))
        return found
    }

    private func tokenId(_ token: String) throws -> Int64 {
        var id: Int64 = 0
        let native = try tokenizer()
        try orThrow(withText(token) { linnet_tokenizer_find(native, $0, &id) })
        return id
    }

    private func bound() throws -> Int {
        var value = linnet_value()
        try orThrow(linnet_task_value(task, "max_length", &value))
        return Int(value.integer)
    }

    private func ask(
        _ body: (UnsafePointer<linnet_engine>, UnsafeMutablePointer<OpaquePointer?>) -> linnet_status
    ) throws -> OpaquePointer? {
        var result: OpaquePointer?
        try call { engine in body(engine, &result) }
        return result
    }

    private func call(_ body: (UnsafePointer<linnet_engine>) -> linnet_status) throws {
        lock.lock()
        defer { lock.unlock() }
        box.thrown = nil
        var engine = linnet_engine(
            run: { context, _, inputs, count, outputs in
                Unmanaged<EngineBox>.fromOpaque(context!).takeUnretainedValue().run(inputs, count, outputs)
            },
            context: Unmanaged.passUnretained(box).toOpaque()
        )
        let status = body(&engine)
        if let thrown = box.thrown { throw thrown }
        try orThrow(status)
    }
}

private func makeTask(_ manifest: [String: ManifestValue]) throws -> OpaquePointer {
    var fields: [linnet_field] = []
    var kept: [UnsafeMutableRawPointer] = []
    defer { kept.forEach { $0.deallocate() } }
    func keep(_ bytes: [UInt8]) -> UnsafePointer<CChar> {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes.count + 1, alignment: 1)
        memory.copyMemory(from: bytes, byteCount: bytes.count)
        memory.storeBytes(of: 0, toByteOffset: bytes.count, as: UInt8.self)
        kept.append(memory)
        return UnsafePointer(memory.assumingMemoryBound(to: CChar.self))
    }
    for (name, value) in manifest {
        var native = linnet_value()
        switch value {
        case .int(let number): (native.type, native.integer) = (LINNET_INT, number)
        case .float(let number): (native.type, native.real) = (LINNET_FLOAT, number)
        case .bool(let flag): (native.type, native.integer) = (LINNET_BOOL, flag ? 1 : 0)
        case .string(let text): (native.type, native.bytes, native.size) = (LINNET_STRING, keep(Array(text.utf8)), text.utf8.count)
        case .bytes(let bytes): (native.type, native.bytes, native.size) = (LINNET_BYTES, keep(bytes), bytes.count)
        }
        fields.append(linnet_field(name: keep(Array(name.utf8)), value: native))
    }
    var task: OpaquePointer?
    try orThrow(linnet_task_create(fields, fields.count, &task))
    return task!
}

private func withText<T>(_ text: String?, _ body: (linnet_text) -> T) -> T {
    guard var text else { return body(linnet_text(bytes: nil, size: 0)) }
    return text.withUTF8 { bytes in
        bytes.withMemoryRebound(to: CChar.self) { body(linnet_text(bytes: $0.baseAddress, size: $0.count)) }
    }
}

private func withName<T>(_ name: String?, _ body: (UnsafePointer<CChar>?) -> T) -> T {
    name.map { $0.withCString(body) } ?? body(nil)
}
