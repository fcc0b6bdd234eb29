import Core
import Glibc
import Testing
import Wire

@testable import Agent

@Suite struct StagingTests {
    private let text = String(repeating: "0123456789abcdef", count: 1 << 16)

    @Test("a download that breaks off goes on where it stopped")
    func brokenOff() async throws {
        let site = Site()
        let input = site.blob(text)
        site.point.with { $0.downloadBytesMax = 300_000 }
        try await site.start()
        let run = site.lease(inputs: [.init(path: "in", kind: .file, digest: input)])
        await site.wait("the run ends") { site.outcome(run) != nil }
        await site.waitForgotten()
        await site.kill()
        #expect(site.outcome(run) == .succeeded)
        #expect(site.point.with { $0.downloads[input] } == [0, 300_000, 600_000, 900_000])
        #expect(site.names("cache/uploads").isEmpty)
    }

    @Test("a new process goes on with what the last one had of a blob, unless it is damaged", arguments: [false, true])
    func nextLife(isDamaged: Bool) async throws {
        let site = Site()
        let input = site.blob(text)
        site.point.with { $0.downloadBytesMax = 10_000 }
        let run = site.lease(inputs: [.init(path: "in", kind: .file, digest: input)])
        try await site.start()
        await site.wait("some of it has come") { site.point.with { ($0.downloads[input]?.count ?? 0) > 3 } }
        await site.kill()
        let before = site.point.with { state in
            state.downloadBytesMax = .max
            return state.downloads[input]?.count ?? 0
        }
        let upload = try #require(site.names("cache/uploads").first)
        let part = "\(site.path)/cache/uploads/\(upload)/part"
        var about = stat()
        try #require(stat(part, &about) == 0 && about.st_size >= 30_000)
        if isDamaged { try #require(overwrite(part)) }
        try await site.start()
        await site.wait("the run ends") { site.outcome(run) != nil }
        await site.waitForgotten()
        await site.kill()
        #expect(site.outcome(run) == .succeeded)
        let after = site.point.with { Array($0.downloads[input]?.dropFirst(before) ?? []) }
        #expect(after == (isDamaged ? [Int64(about.st_size), 0] : [Int64(about.st_size)]))
        #expect(site.names("cache/uploads").isEmpty)
    }

    @Test("bytes that are not what was named are the run's failure, and nothing is kept of them")
    func wrongBytes() async throws {
        let site = Site()
        let input = site.blob(text)
        site.point.with { $0.damaged = Array("something else".utf8) }
        try await site.start()
        let run = site.lease(inputs: [.init(path: "in", kind: .file, digest: input)])
        await site.wait("the run ends") { site.outcome(run) != nil }
        await site.waitForgotten()
        await site.kill()
        #expect(site.outcome(run) == .rejected)
        #expect(site.point.with { $0.downloads[input] } == [0])
        #expect(site.names("cache/uploads").isEmpty)
    }
}

/// Writes over the beginning of a file.
private func overwrite(_ path: String) -> Bool {
    guard let file = fopen(path, "r+") else { return false }
    defer { fclose(file) }
    return fputs("damaged", file) >= 0
}
