import Core
import Foundation
import Testing
import Wire

/// The clients that people use, unchanged, against a running point. `scripts/setup-clients` installs them.
@Suite(.serialized)
struct HubClientTests {
    static let cache =
        ProcessInfo.processInfo.environment["ONEPOINT_CLIENTS"] ?? NSHomeDirectory() + "/.cache/onepoint-clients"
    static let programs = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Clients")
        .path

    static func python(_ name: String) -> String { "\(cache)/\(name)/bin/python3" }

    /// A client's environment, whether large files go by git-lfs although it could use Xet.
    static let runs: [(name: String, disablesXet: Bool)] = [
        ("hub-2.4.0", false), ("hub-2.4.0", true), ("hub-1.33.0", false), ("hub-1.19.0", false), ("hub-0.36.2", false),
        ("hub-0.24.7", false),
    ]

    /// A point with user `other`, who is in no project of the operator's.
    private static func scene() async throws -> (point: PointUnderTest, other: String) {
        let point = try await PointUnderTest()
        let made = try await point.call("POST", "/v1/users", json: #"{"name": "other"}"#)
        try #require(made.status == 201, "\(String(decoding: made.body, as: UTF8.self))")
        let token = try await point.call(
            "POST",
            "/v1/tokens",
            json: #"{"user": "other", "scopes": ["read", "write"], "label": "test"}"#
        )
        return (point, try #require(token.json["secret"]?.stringValue ?? token.json["token"]?.stringValue))
    }

    /// Runs a program to its end.
    private static func run(
        _ program: String,
        _ arguments: [String],
        _ point: PointUnderTest,
        environment: [String: String] = [:],
        log: String
    ) async throws {
        let home = point.folder.appendingPathComponent("home-\(log)").path
        var all = ProcessInfo.processInfo.environment.merging([
            "HF_ENDPOINT": point.url, "HF_TOKEN": point.token, "HF_HOME": home, "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_XET_TELEMETRY_ENABLED": "0", "NO_PROXY": "127.0.0.1",
        ]) { $1 }
        all.merge(environment) { $1 }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = all
        process.standardInput = FileHandle.nullDevice
        let file = point.folder.appendingPathComponent("\(log).log")
        _ = FileManager.default.createFile(atPath: file.path, contents: nil)
        let handle = try FileHandle(forWritingTo: file)
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
        await process.end()
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        #expect(
            process.terminationStatus == 0,
            "\(log): \(text.suffix(4000))\n\(point.server.output.suffix(1500))"
        )
    }

    @Test(
        "huggingface_hub does what it does with the Hub",
        .enabled(
            if: runs.contains { FileManager.default.isExecutableFile(atPath: python($0.name)) },
            "huggingface_hub is not installed: scripts/setup-clients does it"
        )
    )
    func hub() async throws {
        let (point, other) = try await Self.scene()
        for (name, disablesXet) in Self.runs {
            guard FileManager.default.isExecutableFile(atPath: Self.python(name)) else {
                print("skipped \(name): scripts/setup-clients installs it")
                continue
            }
            try await Self.run(
                Self.python(name),
                ["\(Self.programs)/hub.py", "demo", other],
                point,
                environment: disablesXet ? ["HF_HUB_DISABLE_XET": "1"] : [:],
                log: name + (disablesXet ? "-lfs" : "")
            )
        }
    }

    /// Their jobs' interface asks at the address that it is given; older ones ask the Hub.
    static let jobClients = ["hub-2.4.0", "hub-1.33.0", "hub-1.19.0"]

    @Test(
        "hf jobs drives the scheduler",
        .enabled(
            if: jobClients.contains { FileManager.default.isExecutableFile(atPath: python($0)) },
            "huggingface_hub is not installed: scripts/setup-clients does it"
        )
    )
    func jobs() async throws {
        let point = try await PointUnderTest(
            """
            centres:
              - {name: hub-1, tier: hub, cores: 16, memory: 16GiB, core_hour: 0.01}
              - {name: region-1, tier: region, cores: 2, memory: 2GiB, core_hour: 3, emulated_cards: {t4: 2}}
            """
        )
        for name in Self.jobClients {
            guard FileManager.default.isExecutableFile(atPath: Self.python(name)) else {
                print("skipped \(name): scripts/setup-clients installs it")
                continue
            }
            try await Self.run(Self.python(name), ["\(Self.programs)/jobs.py", "demo"], point, log: "jobs-\(name)")
        }
    }

    @Test(
        "transformers and datasets load and push",
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: python("libraries")),
            "transformers and datasets are not installed: scripts/setup-clients does it"
        )
    )
    func libraries() async throws {
        let (point, _) = try await Self.scene()
        try await Self.run(
            Self.python("libraries"),
            ["\(Self.programs)/libraries.py", "demo"],
            point,
            log: "libraries"
        )
    }

    private static let oras = [
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent(".build/tools/oras").path,
        "/usr/bin/oras", "/usr/local/bin/oras",
    ].first { FileManager.default.isExecutableFile(atPath: $0) }

    @Test(
        "what oras, the Hub's client, git-lfs or skopeo pushed, the others pull byte for byte, and jobs read it",
        .enabled(if: oras != nil, "oras is not installed")
    )
    func bridge() async throws {
        let (point, _) = try await Self.scene()
        let oras = try #require(Self.oras)
        for (name, disablesXet) in Self.runs where !disablesXet {
            guard FileManager.default.isExecutableFile(atPath: Self.python(name)) else {
                print("skipped \(name): scripts/setup-clients installs it")
                continue
            }
            try await Self.run(
                Self.python(name),
                ["\(Self.programs)/bridge.py", "demo", oras],
                point,
                log: "bridge-\(name)"
            )
        }
        let home = point.folder.appendingPathComponent("oras").path
        let weights = point.folder.appendingPathComponent("weights.bin")
        try Data("the weights".utf8).write(to: weights)
        let registry = point.url.dropFirst("http://".count)
        try await Self.run(
            "/bin/sh",
            [
                "-c",
                """
                cd "$1" && "$2" login --plain-http -u me -p "$HF_TOKEN" "$3" &&
                "$2" push --plain-http "$3/models/demo/net:v1" weights.bin
                """, "sh", point.folder.path, oras, String(registry),
            ],
            point,
            environment: ["HOME": home],
            log: "oras"
        )
        let view = try await point.submit(
            """
            {"name": "read", "command": ["/bin/sh", "-c", "cat $ONEPOINT_INPUTS/net/weights.bin"], "isolation": "none",
             "inputs": {"net": {"repository": "models/demo/net", "revision": "v1"}}}
            """
        )
        let job = try #require(view.job)
        #expect(try await point.end(of: job).summary.state == .succeeded)
        #expect(try await point.log(of: job) == "the weights")
        let refs = try await point.call("GET", "/api/models/demo/net/refs").json
        let commit = refs["tags"]?.arrayValue?.first?["targetCommit"]?.stringValue
        let lineage: LineageView = try await point.call("GET", "/v1/jobs/\(job)/lineage").decode()
        #expect(lineage.edges.map(\.revision.text) == [commit])
        #expect(lineage.edges.map(\.path) == ["models/demo/net"])
    }

    @Test(
        "a client of ModelPack pushes what the Hub's client downloads, and pulls what that uploads",
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: python("modelpack")),
            "modelpack-client is not installed: scripts/setup-clients does it"
        )
    )
    func modelPack() async throws {
        let (point, _) = try await Self.scene()
        try await Self.run(
            Self.python("modelpack"),
            ["\(Self.programs)/modelpack.py", "demo"],
            point,
            environment: ["HOME": point.folder.path],
            log: "modelpack"
        )
    }

    @Test(
        "git-lfs pushes and fetches, with a token as the password",
        .enabled(if: shell("command -v git-lfs >/dev/null") == 0, "git-lfs is not installed")
    )
    func gitLFS() async throws {
        let (point, _) = try await Self.scene()
        let made = try await point.call("POST", "/api/repos/create", json: #"{"name": "lfs", "organization": "demo"}"#)
        try #require(made.status == 200, "\(String(decoding: made.body, as: UTF8.self))")
        try await Self.run(
            "/bin/bash",
            ["\(Self.programs)/git-lfs.sh", point.url, point.folder.path],
            point,
            log: "git-lfs"
        )
    }
}
