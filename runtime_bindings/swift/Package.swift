// swift-tools-version:5.9
// linnet for iOS and macOS: the text part of the core as a C target, its Swift API, an engine over ExecuTorch's official
// Swift package, and one module for each model. `linnet bundle FILE --target ios` names the models here.
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

let engine: [Target] = executorch == nil ? [] : [
    .target(
        name: "LinnetExecuTorch",
        dependencies: [
            "Linnet",
            .product(name: "executorch", package: "executorch"),
            .product(name: "backend_xnnpack", package: "executorch"),
            .product(name: "kernels_optimized", package: "executorch"),
            .product(name: "kernels_quantized", package: "executorch"),
        ],
        path: "Sources/LinnetExecuTorch",
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
    ] + engine + models.map {
        .target(name: $0, dependencies: runs, path: "Sources/\($0)", resources: [.copy("Resources")], swiftSettings: runnable)
    },
    cxxLanguageStandard: .cxx17
)
