import ExecuTorch
import Linnet

#if LINNET_KERNELS
    import CLinnetKernels
#endif

/// linnet's kernels in the app's ExecuTorch, where they register themselves: the target `CLinnetKernels` of Package.swift.
public enum Kernels {
    /// Name of the kernels that this processor runs, for example "dotprod"; "portable" if none is faster than ExecuTorch's
    /// operators, nil if the app was built without them.
    public static let name: String? = {
        #if LINNET_KERNELS
            return linnet_kernels_name().map { String(cString: $0) }
        #else
            return nil
        #endif
    }()
}

let forward = "forward"
let forwardFused = "forward_fused"

/// Choose the method that answers. `fused`: as in ``ExecuTorchEngine/init(path:fused:)``.
func methodOf(_ module: Module, fused: Bool?) throws -> String {
    if fused == false { return forward }
    let problem = try fusedProblem(of: module)
    if problem == nil, fused == true || Kernels.name != "portable" { return forwardFused }
    if let problem, fused == true {
        throw LinnetError(
            status: LinnetError.unknownMethod,
            message: "expected \(forwardFused) with fused: true, got \(problem); load with fused: nil"
        )
    }
    return forward
}

/// Choose the method of a decoder: `forward_fused` takes its cache as an input that it writes to.
func decoderMethod(fused: Bool?) throws -> String {
    if fused == true {
        throw LinnetError(
            status: LinnetError.unknownMethod,
            message: "expected \(forwardFused) with fused: true, got a decoder, which runs \(forward) here; load with fused: nil"
        )
    }
    return forward
}

/// Load `forward_fused`, and say what prevents it.
private func fusedProblem(of module: Module) throws -> String? {
    guard try module.methodNames().contains(forwardFused) else { return "a file without it" }
    guard Kernels.name != nil else { return "an app without linnet's kernels" }
    do {
        try module.load(forwardFused)
        return nil
    } catch {
        return "\(error)"
    }
}
