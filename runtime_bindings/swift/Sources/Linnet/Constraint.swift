import CLinnet
import Foundation

/// What a generated text must be.
public enum TextConstraint: Equatable, Sendable {
    /// It matches a regular expression, from its beginning to its end.
    case regex(String)
    /// It is JSON of a schema, draft 2020-12.
    case jsonSchema(String)
    /// It is one of these texts.
    case choices([String])

    var kind: linnet_constraint_kind {
        switch self {
        case .regex: LINNET_CONSTRAINT_REGEX
        case .jsonSchema: LINNET_CONSTRAINT_JSON_SCHEMA
        case .choices: LINNET_CONSTRAINT_CHOICES
        }
    }

    var texts: [String] {
        switch self {
        case .regex(let text), .jsonSchema(let text): [text]
        case .choices(let texts): texts
        }
    }
}

/// How far a text has come that fulfils a constraint. One thread at a time uses it.
final class Constraint: @unchecked Sendable {
    private let model: Linnet
    let native: OpaquePointer?

    init(_ model: Linnet, _ constraint: TextConstraint) throws {
        self.model = model  // which has the task
        var made: OpaquePointer?
        let bytes = constraint.texts.map { Array($0.utf8).map { CChar(bitPattern: $0) } }
        try bytes.joined().map { $0 }.withUnsafeBufferPointer { all in
            var at = 0
            let texts = bytes.map { part in
                defer { at += part.count }
                return linnet_text(bytes: all.baseAddress.map { $0 + at }, size: part.count)
            }
            try orThrow(linnet_constraint_create(model.task, constraint.kind, texts, texts.count, &made))
        }
        native = made
    }

    deinit { linnet_constraint_free(native) }

    func progress() throws -> linnet_constraint_progress {
        var found = linnet_constraint_progress()
        try orThrow(linnet_constraint_read_progress(native, &found))
        return found
    }

    func finished() throws -> Bool { try progress().finished != 0 }

    /// Take the next token of the text.
    func advance(_ id: Int64) throws { try orThrow(linnet_constraint_advance(native, id)) }
}
