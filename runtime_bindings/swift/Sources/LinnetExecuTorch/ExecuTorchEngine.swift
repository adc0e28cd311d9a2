import ExecuTorch
import Foundation
import Linnet

/// Runs a file's `forward`, or `forward_fused` with linnet's kernels, with ExecuTorch's official Swift package.
public final class ExecuTorchEngine: Engine {
    private let module: Module
    private let method: String

    /// Values of the file's constant methods: what ``Linnet/init(manifest:engine:)`` takes.
    public let manifest: [String: ManifestValue]

    /// Open a file, once ``Linnet/check(path:)`` has found its hashes right: ExecuTorch does not check them.
    ///
    /// `fused`: run `forward_fused` with linnet's kernels. nil: where the file has it, the app has the kernels and the
    /// processor gains by them; true: or fail; false: run `forward`, with ExecuTorch's operators alone. A decoder
    /// (text-generation) always runs `forward`, whose cache of keys and values is the program's own.
    public init(path: String, fused: Bool? = nil) throws {
        try Linnet.check(path: path)
        module = Module(filePath: path, loadMode: .mmap)
        try module.load()
        var values: [String: ManifestValue] = [:]
        // the constant methods are the methods other than `forward...`
        for name in try module.methodNames() where !name.hasPrefix(forward) {
            values[name] = try manifestValue(of: module.execute(name), name)
            _ = module.unload(name)
        }
        manifest = values
        if case .string("text-generation")? = manifest["task"] {
            method = try decoderMethod(fused: fused)
        } else {
            method = try methodOf(module, fused: fused)
        }
    }

    public func run(_ inputs: [[Int64]]) throws -> [EngineOutput] {
        let tensors = inputs.map { ExecuTorch.Tensor<Int64>($0, shape: [1, $0.count]) }
        return try module.execute(method, tensors).enumerated().map { index, value in
            guard let tensor: ExecuTorch.Tensor<Float> = value.tensor() else {
                throw LinnetError(
                    status: LinnetError.runFailed,
                    message: "expected float32 numbers as output \(index) of \(method), got others; export the model again"
                )
            }
            return EngineOutput(shape: tensor.shape.map(Int64.init), data: tensor.scalars())
        }
    }

    public func decode(_ tokens: [Int64], position: Int64) throws -> [Float] {
        let inputs = [ExecuTorch.Tensor<Int64>(tokens, shape: [1, tokens.count]), ExecuTorch.Tensor<Int64>([position], shape: [1])]
        guard let logits: ExecuTorch.Tensor<Float> = try module.execute(method, inputs).first?.tensor() else {
            throw LinnetError(
                status: LinnetError.runFailed,
                message: "expected float32 logits of \(method), got others; export the model again"
            )
        }
        return logits.scalars()
    }
}

extension Linnet {
    /// Open a file whose program ExecuTorch's Swift package runs. Its hashes are checked first. It takes as long as the
    /// file is large the first time: call it away from the main thread, or take ``open(file:fused:)``. `fused`: as in
    /// ``ExecuTorchEngine/init(path:fused:)``.
    public static func load(file: URL, fused: Bool? = nil) throws -> Linnet {
        let engine = try ExecuTorchEngine(path: file.path, fused: fused)
        return try Linnet(manifest: engine.manifest, engine: engine)
    }

    /// ``load(file:fused:)`` away from the caller's thread.
    public static func open(file: URL, fused: Bool? = nil) async throws -> Linnet {
        try await Task.detached { try load(file: file, fused: fused) }.value
    }
}

private func manifestValue(of values: [Value], _ name: String) throws -> ManifestValue {
    if let value = values.first {
        if let bytes: ExecuTorch.Tensor<UInt8> = value.tensor() { return .bytes(bytes.scalars()) }
        if let text = value.string { return .string(text) }
        if value.isBoolean { return .bool(value.boolean) }
        if value.isInteger { return .int(Int64(value.integer)) }
        if value.isDouble { return .float(value.double) }
    }
    throw LinnetError(
        status: LinnetError.manifestInvalid,
        message: "expected a number, a text or bytes from \(name), got something else; export the model again"
    )
}
