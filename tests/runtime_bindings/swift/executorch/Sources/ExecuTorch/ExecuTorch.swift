// The interface of ExecuTorch 1.5's Swift package, as far as linnet calls it, with every overload of what it calls: names,
// labels, defaults and types as Swift sees them there (extension/apple/ExecuTorch/Exported). What it answers is read from
// FILE.pte's records, which the tests write: values of methods, outputs of forward.
import Foundation

public enum DataType: Int8 { case byte, char, short, int, long, half, float, double }

public enum ModuleLoadMode: Int { case file, mmap, mmapUseMlock, mmapUseMlockIgnoreErrors }

public enum ModuleVerification: UInt8 { case minimal, internalConsistency }

public enum ShapeDynamism: UInt8 { case `static`, dynamicBound, dynamicUnbound }

public protocol Scalar { static var dataType: DataType { get } }
extension UInt8: Scalar { public static var dataType: DataType { .byte } }
extension Int64: Scalar { public static var dataType: DataType { .long } }
extension Float: Scalar { public static var dataType: DataType { .float } }

public final class AnyTensor {
    public let dataType: DataType
    public let shape: [Int]
    let scalars: [Any]

    init(dataType: DataType, shape: [Int], scalars: [Any]) {
        (self.dataType, self.shape, self.scalars) = (dataType, shape, scalars)
    }

    public func asTensor<T: Scalar>() -> Tensor<T>? { dataType == T.dataType ? Tensor<T>(self) : nil }
}

public final class Tensor<T: Scalar>: Equatable {
    public let anyTensor: AnyTensor

    public var shape: [Int] { anyTensor.shape }
    public var count: Int { anyTensor.scalars.count }

    public init(_ tensor: AnyTensor) { anyTensor = tensor }

    public convenience init(
        _ scalars: inout [T], shape: [Int] = [], strides: [Int] = [], dimensionOrder: [Int] = [],
        shapeDynamism: ShapeDynamism = .dynamicBound
    ) {
        self.init(AnyTensor(dataType: T.dataType, shape: shape, scalars: scalars))
    }

    public convenience init(
        _ scalars: [T], shape: [Int] = [], strides: [Int] = [], dimensionOrder: [Int] = [],
        shapeDynamism: ShapeDynamism = .dynamicBound
    ) {
        precondition(shape.isEmpty || scalars.count == shape.reduce(1, *))
        self.init(AnyTensor(dataType: T.dataType, shape: shape.isEmpty ? [scalars.count] : shape, scalars: scalars))
    }

    public convenience init(_ scalar: T) { self.init([scalar]) }

    public static func == (left: Tensor<T>, right: Tensor<T>) -> Bool { left.anyTensor === right.anyTensor }
}

extension Tensor {
    public func scalars() -> [T] { anyTensor.scalars.map { $0 as! T } }
}

public final class Value {
    private let content: Any

    public init(_ tensor: AnyTensor) { content = tensor }
    public init(_ string: String) { content = string }
    public init(_ boolean: Bool) { content = boolean }
    public init(_ integer: Int) { content = integer }
    public init(_ double: Double) { content = double }
    public convenience init<T: Scalar>(_ tensor: Tensor<T>) { self.init(tensor.anyTensor) }

    public var anyTensor: AnyTensor? { content as? AnyTensor }
    public func tensor<T: Scalar>() -> Tensor<T>? { anyTensor?.asTensor() }
    public var string: String? { content as? String }
    public var boolean: Bool { content as? Bool ?? false }
    public var integer: Int { content as? Int ?? 0 }
    public var double: Double { content as? Double ?? 0 }
    public var isTensor: Bool { content is AnyTensor }
    public var isString: Bool { content is String }
    public var isBoolean: Bool { content is Bool }
    public var isInteger: Bool { content is Int }
    public var isDouble: Bool { content is Double }
}

public protocol ValueConvertible { func asValue() -> Value }
extension Value: ValueConvertible { public func asValue() -> Value { self } }
extension AnyTensor: ValueConvertible { public func asValue() -> Value { Value(self) } }
extension Tensor: ValueConvertible { public func asValue() -> Value { Value(self) } }
extension String: ValueConvertible { public func asValue() -> Value { Value(self) } }

public protocol ValueSequenceConstructible { static func from(_ values: [Value]) throws -> Self }
public protocol ValueConstructible { static func from(_ value: Value) throws -> Self }
extension Value: ValueConstructible { public static func from(_ value: Value) throws -> Self { value as! Self } }
extension Array: ValueSequenceConstructible where Element: ValueConstructible {
    public static func from(_ values: [Value]) throws -> [Element] { try values.map(Element.from) }
}

public class Module {
    private let records: [[String]]
    private var loaded: Set<String> = []
    /// Calls of a decoder, whose outputs stand in the order of its calls.
    private var decodings = 0

    public init(filePath: String, dataFilePaths: [String], loadMode: ModuleLoadMode) {
        let folder = ProcessInfo.processInfo.environment["LINNET_RECORDS"] ?? ""
        let file = URL(fileURLWithPath: folder).appendingPathComponent((filePath as NSString).lastPathComponent + ".tsv")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        records = text.split(separator: "\n").map { $0.components(separatedBy: "\t") }
    }

    public convenience init(filePath: String, dataFilePaths: [String]) {
        self.init(filePath: filePath, dataFilePaths: dataFilePaths, loadMode: .file)
    }

    public convenience init(filePath: String, loadMode: ModuleLoadMode) {
        self.init(filePath: filePath, dataFilePaths: [], loadMode: loadMode)
    }

    public convenience init(filePath: String) { self.init(filePath: filePath, dataFilePaths: []) }

    public func load(with verification: ModuleVerification) throws {}
    public func load() throws {}
    public func isLoaded() -> Bool { true }
    public func load(_ methodName: String) throws { loaded.insert(methodName) }
    public func isLoaded(_ methodName: String) -> Bool { loaded.contains(methodName) }
    public func unload(_ methodName: String) -> Bool { loaded.remove(methodName) != nil }
    public func methodNames() throws -> Set<String> {
        Set(records.filter { $0[0] == "field" }.map { $0[1] } + ["forward", "forward_fused"])
    }

    public func execute(_ methodName: String) throws -> [Value] {
        loaded.insert(methodName)
        return records.filter { $0[0] == "field" && $0[1] == methodName }.map { value($0[2], $0[3]) }
    }

    public func execute(_ method: String, _ inputs: [ValueConvertible]) throws -> [Value] {
        guard method == "forward" else { return try execute(method) }
        let shapes = inputs.compactMap { ($0.asValue().tensor() as Tensor<Int64>?)?.shape }
        if shapes.count == 2, shapes[0].count == 2, shapes[1] == [1] {
            defer { decodings += 1 }
            return [output(records.filter { $0[0] == "output" }[decodings])]
        }
        guard shapes.count == inputs.count, Set(shapes).count == 1, shapes[0][0] == 1 else {
            throw NSError(domain: "ExecuTorch", code: 18)
        }
        return records.filter { $0[0] == "output" }.map(output)
    }

    private func output(_ record: [String]) -> Value {
        let numbers = record[2].split(separator: " ").map { Float($0)! }
        return Value(Tensor(numbers, shape: record[1].split(separator: " ").map { Int($0)! }))
    }

    public func execute(_ method: String, _ inputs: ValueConvertible...) throws -> [Value] { try execute(method, inputs) }
    public func forward() throws -> [Value] { try execute("forward", []) }
    public func forward(_ inputs: [ValueConvertible]) throws -> [Value] { try execute("forward", inputs) }
    public func forward(_ inputs: ValueConvertible...) throws -> [Value] { try forward(inputs) }

    public func execute<Output: ValueSequenceConstructible>(_ method: String, _ inputs: [ValueConvertible]) throws -> Output {
        try Output.from(execute(method, inputs))
    }

    public func execute<Output: ValueSequenceConstructible>(_ method: String, _ inputs: ValueConvertible...) throws -> Output {
        try execute(method, inputs)
    }

    public func execute<Output: ValueSequenceConstructible>(_ method: String) throws -> Output { try execute(method, []) }
    public func forward<Output: ValueSequenceConstructible>(_ inputs: [ValueConvertible]) throws -> Output {
        try execute("forward", inputs)
    }

    public func forward<Output: ValueSequenceConstructible>(_ inputs: ValueConvertible...) throws -> Output {
        try forward(inputs)
    }
}

private func value(_ type: String, _ text: String) -> Value {
    switch type {
    case "int": Value(Int(text)!)
    case "float": Value(Double(text)!)
    case "bool": Value(text == "1")
    case "bytes": Value(Tensor<UInt8>(bytes(text)))
    default: Value(text.replacingOccurrences(of: "\\n", with: "\n").replacingOccurrences(of: "\\\\", with: "\\"))
    }
}

private func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = Array(hexadecimal.utf8)
    func digit(_ code: UInt8) -> UInt8 { code < 58 ? code - 48 : code - 87 }
    return stride(from: 0, to: digits.count, by: 2).map { digit(digits[$0]) << 4 | digit(digits[$0 + 1]) }
}
