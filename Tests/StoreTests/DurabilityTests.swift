import Core
@preconcurrency import Dispatch
import Glibc
import Testing

@testable import Store

@Suite("What was acknowledged is on the disk")
struct DurabilityTests {
    let folder = TemporaryFolder()

    @Test("after kill -9 at any moment every acknowledged job is there, whole, and the views fit the log")
    func killed() async throws {
        var acknowledged: Set<Int64> = []
        for round in 1...4 {
            let probe = try #require(Probe(database: folder.database))
            let lines = await probe.killed(afterLines: round * 150)
            #expect(lines.count >= round * 150)
            #expect(acknowledged.isDisjoint(with: lines))
            acknowledged.formUnion(lines)

            let store = try await folder.open()
            let jobs = try await store.read { try $0.jobs(JobFilter(), limit: .max) }
            let found = Set(jobs.map { Int64($0.id.high) })
            #expect(acknowledged.subtracting(found).isEmpty)
            let sequences = try await store.read { try $0.storedEvents(after: 0, limit: .max).map(\.sequence) }
            #expect(sequences == Array(1...store.lastSequence))
            #expect(jobs.count == sequences.count)
            let before = try await store.dump()
            try await store.rebuild()
            #expect(try await store.dump() == before)
            try await store.checkIntegrity()
            try await store.close()
        }
    }
}

/// The child process that writes until it is killed.
private struct Probe {
    let process: pid_t
    let output: Int32

    init?(database: String) {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        // `swift test` runs the tests' own executable, or a helper of the toolchain with their path as an argument.
        let own = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folders = ([own] + CommandLine.arguments).compactMap { path in
            path.lastIndex(of: "/").map { String(path[..<$0]) }
        }
        guard let program = folders.map({ $0 + "/StoreCrashProbe" }).first(where: { access($0, X_OK) == 0 }) else {
            return nil
        }
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return nil }
        // Else the next child would hold this pipe open.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(program), strdup(database), nil]
        defer { for argument in arguments { free(argument) } }
        var process: pid_t = 0
        guard posix_spawn(&process, program, &actions, nil, &arguments, environ) == 0 else { return nil }
        close(ends[1])
        (self.process, output) = (process, ends[0])
    }

    /// Kills it in the middle of its work and returns every number that it had acknowledged in whole lines.
    func killed(afterLines least: Int) async -> [Int64] {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "probe").async {
                var text: [UInt8] = []
                var buffer = [UInt8](repeating: 0, count: 65_536)
                var isKilled = false
                while true {
                    let count = read(output, &buffer, buffer.count)
                    guard count > 0 else { break }
                    text += buffer.prefix(count)
                    if !isKilled, text.count(where: { $0 == UInt8(ascii: "\n") }) >= least {
                        isKilled = kill(process, SIGKILL) == 0
                    }
                }
                var status: Int32 = 0
                waitpid(process, &status, 0)
                close(output)
                let whole = text.prefix((text.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1)
                let lines = String(decoding: whole, as: UTF8.self).split(separator: "\n").compactMap { Int64($0) }
                continuation.resume(returning: lines)
            }
        }
    }
}
