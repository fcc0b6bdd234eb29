// swift-tools-version:6.2
import PackageDescription

// Its own package, so that nothing of it is built with the product. `scripts/fuzz` puts the product's targets beside it
// and builds it with libFuzzer and AddressSanitizer.
let package = Package(
    name: "fuzz",
    platforms: [.macOS(.v15)],
    dependencies: [.package(url: "https://github.com/jpsim/Yams", from: "6.2.2")],
    targets: [
        .target(name: "Core", path: "Core"),
        .target(name: "Wire", dependencies: ["Core", "Yams"], path: "Wire"),
        .systemLibrary(name: "CZlib", path: "CZlib", pkgConfig: "zlib"),
        .systemLibrary(name: "CZstd", path: "CZstd", pkgConfig: "libzstd"),
        .systemLibrary(name: "CDeflate", path: "CDeflate", pkgConfig: "libdeflate"),
        .systemLibrary(name: "CVectorscan", path: "CVectorscan", pkgConfig: "libhs"),
        .target(name: "CCuration", path: "CCuration", exclude: ["language.model"]),
        .target(
            name: "Curation",
            dependencies: ["Core", "CCuration", "CZlib", "CZstd", "CDeflate", "CVectorscan"],
            path: "Curation"
        ),
        .executableTarget(name: "Fuzz", dependencies: ["Core", "Curation", "Wire"], path: "Fuzz"),
    ]
)
