// swift-tools-version:5.9
// Stands for ExecuTorch's Swift package where that cannot run: its products, and of its interface what linnet calls.
import PackageDescription

let package = Package(
    name: "executorch",
    products: [.library(name: "executorch", targets: ["ExecuTorch"])]
        + ["backend_xnnpack", "kernels_optimized", "kernels_quantized"].map { .library(name: $0, targets: ["Kernels"]) },
    targets: [.target(name: "ExecuTorch"), .target(name: "Kernels")]
)
