import CLinnet

/// A float32 tensor in row-major order.
public struct Tensor: Sendable {
    public let shape: [Int64]
    public let data: [Float]

    public init(shape: [Int64], data: [Float]) {
        self.shape = shape
        self.data = data
    }
}

/// Another name of ``Tensor``, for files that import ExecuTorch too, which has a type of that name.
public typealias EngineOutput = Tensor

/// Runs a file's `forward`, for example with ExecuTorch's Swift package (`ExecuTorchEngine`). It is called on the caller's
/// thread, one call at a time.
public protocol Engine: AnyObject {
    /// Run `forward`. `inputs`: int64 rows of equal length in the order of the manifest's `inputs`, each one [1, tokens].
    func run(_ inputs: [[Int64]]) throws -> [Tensor]

    /// Run `forward` of a decoder (text-generation) with int64 `tokens`, [1, tokens], and a `position`, [1]: the number of
    /// tokens before them, whose keys and values the program's cache holds. Return the logits behind the last token.
    func decode(_ tokens: [Int64], position: Int64) throws -> [Float]
}

extension Engine {
    public func decode(_ tokens: [Int64], position: Int64) throws -> [Float] {
        throw LinnetError(
            status: LinnetError.unknownMethod,
            message: "expected an engine that runs decoders, got a \(Self.self) without decode(_:position:); add it"
        )
    }
}

/// The engine as the C side calls it, with the error that it threw last.
final class EngineBox {
    let engine: Engine
    var thrown: Error?
    /// Tokens whose keys and values the cache of a decoder's program holds.
    private var held: [Int64] = []

    init(_ engine: Engine) { self.engine = engine }

    func run(_ inputs: UnsafePointer<linnet_tensor>?, _ count: Int, _ outputs: UnsafeMutablePointer<OpaquePointer?>?) -> linnet_status {
        do {
            let rows = (0..<count).map { index -> [Int64] in
                let tensor = inputs![index]
                let ids = tensor.data.assumingMemoryBound(to: Int64.self)
                return Array(UnsafeBufferPointer(start: ids, count: Int(tensor.shape.1)))
            }
            return try make(engine.run(rows), outputs)
        } catch {
            thrown = error
            return linnet_status(LINNET_RUN_FAILED)
        }
    }

    /// Return the logits behind the last of some tokens; those that the cache holds do not run again, but for the last one.
    func logits(behind tokens: [Int64], chunk: Int) throws -> [Float] {
        var at = min(zip(held, tokens).prefix { $0 == $1 }.count, tokens.count - 1)
        held = Array(tokens[..<at])  // a run that fails leaves its own tokens unknown
        var logits: [Float] = []
        while at < tokens.count {
            let end = min(at + chunk, tokens.count)
            logits = try engine.decode(Array(tokens[at..<end]), position: Int64(at))
            held = Array(tokens[..<end])
            at = end
        }
        return logits
    }

    private func make(_ tensors: [Tensor], _ outputs: UnsafeMutablePointer<OpaquePointer?>?) throws -> linnet_status {
        // one buffer holds all numbers, so that every tensor points into memory that stays where it is
        let numbers = tensors.flatMap(\.data)
        return try numbers.withUnsafeBufferPointer { buffer in
            var offset = 0
            let native = try tensors.map { tensor -> linnet_tensor in
                guard tensor.shape.count <= 4, tensor.shape.reduce(1, *) == tensor.data.count else {
                    throw LinnetError(
                        status: Int32(LINNET_INVALID_ARGUMENT),
                        message: "expected as many numbers as the output's shape \(tensor.shape) has, got \(tensor.data.count)"
                    )
                }
                let extents = tensor.shape + Array(repeating: 0, count: 4 - tensor.shape.count)
                defer { offset += tensor.data.count }
                return linnet_tensor(
                    dtype: LINNET_FLOAT32, rank: Int32(tensor.shape.count),
                    shape: (extents[0], extents[1], extents[2], extents[3]),
                    data: UnsafeRawPointer(buffer.baseAddress.map { $0 + offset })
                )
            }
            return linnet_outputs_create(native, native.count, outputs)
        }
    }
}
