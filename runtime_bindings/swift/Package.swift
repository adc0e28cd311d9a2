// swift-tools-version:5.9
// linnet for iOS and macOS: the text part of the core as a C target, and its Swift API. Inference comes from an engine,
// for example ExecuTorch's official Swift package (link it with -all_load: its kernels register themselves).
// `linnet bundle FILE --target ios` puts the core's sources and the file beside this.
import PackageDescription

let package = Package(
    name: "Linnet",
    platforms: [.iOS(.v15), .macOS(.v12)],
    products: [.library(name: "Linnet", targets: ["Linnet"])],
    targets: [
        .target(
            name: "CLinnet",
            path: "Sources/CLinnet",
            exclude: ["text/CMakeLists.txt"],
            publicHeadersPath: "include",
            cxxSettings: [.headerSearchPath("."), .headerSearchPath("text")]
        ),
        .target(name: "Linnet", dependencies: ["CLinnet"], path: "Sources/Linnet", resources: [.copy("Resources")]),
        .testTarget(
            name: "LinnetTests",
            dependencies: ["Linnet"],
            path: "Tests/LinnetTests",
            resources: [.copy("cases.tsv")]
        ),
    ],
    cxxLanguageStandard: .cxx17
)
