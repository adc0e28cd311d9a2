// swift-tools-version:5.9
// linnet for iOS and macOS: the text part of the core as a C target, its Swift API, an engine over ExecuTorch's official
// Swift package, linnet's kernels beside it, and one module for each model. `linnet bundle FILE --target ios` names the models here.
import PackageDescription

let models: [String] = []

// ExecuTorch's package has binaries for Apple's systems alone. LINNET_EXECUTORCH is the folder of another package with
// the same products, for example one that was built from source.
let executorch: Package.Dependency?
if let folder = Context.environment["LINNET_EXECUTORCH"] {
    executorch = .package(name: "executorch", path: folder)
} else {
    #if os(macOS)
        executorch = .package(url: "https://github.com/pytorch/executorch.git", branch: "swiftpm-1.5.1")
    #else
        executorch = nil
    #endif
}

// linnet's kernels take their symbols from ExecuTorch when the app is linked. LINNET_KERNELS=0 leaves them out, if the
// ExecuTorch that is linked lacks one.
let hasKernels = executorch != nil && Context.environment["LINNET_KERNELS"] != "0"
let kernels: [Target] = !hasKernels ? [] : [
    .target(
        name: "CLinnetKernels",
        path: "Sources/CLinnetKernels",
        publicHeadersPath: "kernel_library",
        cxxSettings: [
            .headerSearchPath("runtime"),
            // those of the ExecuTorch that the kernels were written with, of the version above
            .headerSearchPath("executorch"),
            .headerSearchPath("executorch/executorch/runtime/core/portable_type/c10"),
            .define("C10_USING_CUSTOM_GENERATED_MACROS"),
            // the same float operations as in liblinnet: the compiler must not join products and sums
            .unsafeFlags(["-ffp-contract=off"]),
        ]
    )
]

let linked: [Target.Dependency] = kernels.map { .target(name: $0.name, condition: .when(platforms: [.iOS, .macOS])) }

let engine: [Target] = executorch == nil ? [] : [
    .target(
        name: "LinnetExecuTorch",
        dependencies: linked + [
            "Linnet",
            .product(name: "executorch", package: "executorch"),
            .product(name: "backend_xnnpack", package: "executorch"),
            .product(name: "kernels_optimized", package: "executorch"),
            .product(name: "kernels_quantized", package: "executorch"),
        ],
        path: "Sources/LinnetExecuTorch",
        swiftSettings: hasKernels ? [.define("LINNET_KERNELS", .when(platforms: [.iOS, .macOS]))] : [],
        // kernels and backends register themselves, so the linker must not leave them out as unused
        linkerSettings: [.unsafeFlags(["-Xlinker", "-all_load"], .when(platforms: [.iOS, .macOS]))]
    )
]
let runnable: [SwiftSetting] = executorch == nil ? [] : [.define("LINNET_EXECUTORCH")]
let runs: [Target.Dependency] = ["Linnet"] + engine.map { .target(name: $0.name) }

let package = Package(
    name: "LinnetModels",
    platforms: [.iOS(.v17), .macOS(.v12)],
    products: [.library(name: "Linnet", targets: ["Linnet"])] + models.map { .library(name: $0, targets: [$0]) },
    dependencies: executorch.map { [$0] } ?? [],
    targets: [
        .target(
            name: "CLinnet",
            path: "Sources/CLinnet",
            exclude: ["text/CMakeLists.txt"],
            publicHeadersPath: "include",
            cxxSettings: [.headerSearchPath("."), .headerSearchPath("text")]
        ),
        .target(name: "Linnet", dependencies: ["CLinnet"], path: "Sources/Linnet"),
        .executableTarget(name: "Sample", dependencies: runs + models.map { .target(name: $0) }, path: "Sources/Sample", swiftSettings: runnable),
        .testTarget(
            name: "LinnetTests",
            dependencies: ["Linnet"] + models.map { .target(name: $0) },
            path: "Tests/LinnetTests",
            resources: [.copy("cases.tsv")]
        ),
    ] + kernels + engine + models.map {
        .target(name: $0, dependencies: runs, path: "Sources/\($0)", resources: [.copy("Resources")], swiftSettings: runnable)
    },
    cxxLanguageStandard: .cxx17
)
