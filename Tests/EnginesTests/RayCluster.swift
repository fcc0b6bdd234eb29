import Foundation
import TestKit
import Testing

@testable import Engines

/// A real Ray cluster of two nodes for a suite: the one in `ONEPOINT_RAY`, or one that is started for it where
/// `scripts/setup-engines ray` has been. Where neither is, the suite is to be skipped: see ``isPossible``.
struct RayCluster: SuiteTrait, TestScoping {
    /// The folder of the running cluster; `nil` when there is none.
    @TaskLocal static var folder: String?

    static let scripts =
        URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path + "/scripts/engines"

    static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

    /// Runs a script beside the engines', with what each node offers. By the C library's means: Foundation's would
    /// wait until the last of the processes that the script leaves running has ended.
    static func script(_ name: String, _ arguments: [String]) throws {
        var words = ["/usr/bin/env", "-i", "CPUS=8", "GPUS=4", "CARDS=4", #"RESOURCES={"h100":4}"#]
        for name in ["HOME", "PATH", "LANG", "ONEPOINT_ENGINES"] {
            if let value = variable(name) { words.append("\(name)=\(value)") }
        }
        let text = (words + ["\(scripts)/\(name)"] + arguments).map(RunScript.quoted).joined(separator: " ")
        let status = try LocalEngineRig.shell("exec \(text) >&2")
        guard status == 0 else { throw EngineFault("\(name) \(arguments.joined(separator: " ")) ended with \(status)") }
    }

    static let port = variable("ONEPOINT_RAY_PORT") ?? "22400"

    static var isPossible: Bool {
        let cache = variable("ONEPOINT_ENGINES") ?? NSHomeDirectory() + "/.cache/onepoint-engines"
        return variable("ONEPOINT_RAY") != nil || FileManager.default.isExecutableFile(atPath: "\(cache)/ray/bin/ray")
    }

    func provideScope(for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void)
        async throws
    {
        try await Self.with("ray", running: Self.variable("ONEPOINT_RAY"), port: Self.port) { folder in
            try await Self.$folder.withValue(folder) { try await body() }
        }
    }

    /// Hands on the folder of a running cluster, or of one of two nodes that is started for it and ended afterwards.
    static func with(
        _ engine: String,
        running: String?,
        port: String,
        _ body: (String) async throws -> Void
    ) async throws {
        if let running { return try await body(running) }
        let folder = "/tmp/onepoint-\(engine)cluster-\(ProcessInfo.processInfo.processIdentifier)"
        do {
            try script("\(engine)-up", [folder, port, "2"])
            try await body(folder)
        } catch {
            try? script("\(engine)-down", [folder])
            throw error
        }
        try script("\(engine)-down", [folder])
        try FileManager.default.removeItem(atPath: folder)
    }
}
