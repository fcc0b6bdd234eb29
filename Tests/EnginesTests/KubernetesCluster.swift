import Core
import Foundation
import TestKit
import Testing

@testable import Engines

/// A real Kubernetes control plane with two virtual nodes for a suite: the one in `ONEPOINT_KUBERNETES`, or one that is
/// started for it where `scripts/setup-engines kubernetes` has been. Where neither is, the suite is to be skipped: see
/// ``isPossible``.
struct KubernetesCluster: SuiteTrait, TestScoping {
    /// The folder of the running cluster; `nil` when there is none.
    @TaskLocal static var folder: String?

    static let port = RayCluster.variable("ONEPOINT_KUBERNETES_PORT") ?? "23600"

    static var isPossible: Bool {
        let cache = RayCluster.variable("ONEPOINT_ENGINES") ?? NSHomeDirectory() + "/.cache/onepoint-engines"
        return RayCluster.variable("ONEPOINT_KUBERNETES") != nil
            || FileManager.default.isExecutableFile(atPath: "\(cache)/kubernetes/kube-scheduler")
    }

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing body: @Sendable () async throws -> Void
    ) async throws {
        try await RayCluster.with(
            "kubernetes",
            running: RayCluster.variable("ONEPOINT_KUBERNETES"),
            port: Self.port
        ) { folder in
            try await Self.$folder.withValue(folder) { try await body() }
        }
    }

    static func access(_ folder: String, credential: KubernetesAccess.Credential) throws -> KubernetesAccess {
        let address = LocalEngineRig.text("\(folder)/address")?.filter { !$0.isWhitespace }
        return KubernetesAccess(
            server: try #require(address),
            namespace: "default",
            authority: Array(try #require(LocalEngineRig.text("\(folder)/keys/ca.crt")).utf8),
            credential: credential
        )
    }

    static func agent(_ folder: String) throws -> KubernetesAccess {
        try access(folder, credential: .tokenFile("\(folder)/token"))
    }
}
