import Core
import Curation
import Testing

@testable import Corpora

/// Runs over web archives, which are unpacked once and then only looked at.
@Suite struct ArchiveRunTests {
    /// Responses in plain text, as an archive that is not packed.
    private static func archive(_ texts: [String]) -> String {
        var archive = ""
        for (index, text) in texts.enumerated() {
            let response = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + text
            archive += "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:a:\(index)>\r\n"
            archive += "WARC-Target-URI: http://a.example/\(index)\r\n"
            archive += "Content-Type: application/http; msgtype=response\r\n"
            archive += "Content-Length: \(response.utf8.count)\r\n\r\n\(response)\r\n\r\n"
        }
        return archive
    }

    private static func texts() -> [String] {
        var chance = Chance(seed: 7)
        var texts = (0..<30).map { _ in Made.english(120, &chance) }
        texts[20] = texts[3]
        return texts
    }

    private static let operators = "duplicates: {near: {jaccard_min: 0.7}}"

    @Test("all blocks of archives are written, the same for an archive named twice and for workers of any number")
    func blocks() async throws {
        let texts = Self.texts()
        var outputs: [[String: [UInt8]]] = []
        for workers in [1, 3] {
            let shop = try Workshop()
            try shop.write("in/a.warc", Self.archive(texts))
            try shop.write("in/b.warc", Self.archive(Array(texts.prefix(3)) + ["of the second archive only"]))
            let file = try shop.pipeline(
                """
                name: archives
                sources: [{name: a, files: [in/a.warc, in/b.warc]}, {name: b, files: [in/a.warc]}]
                \(Self.operators)
                output: {folder: out, format: jsonl}

                """
            )
            let record = try await shop.run(file, workers: workers)
            #expect(record.blocks > 3, "an archive has several blocks")
            #expect(record.summary.documents.count == 64)
            #expect(try shop.lines().count == 30)
            outputs.append(try shop.outputs())
        }
        #expect(outputs[0] == outputs[1])
    }

    @Test(
        "an archive that changes while a run is on its way is noticed, however it changes",
        arguments: [RunRecord.Stage.merge, .write]
    )
    func changes(_ stage: RunRecord.Stage) async throws {
        let texts = Self.texts()
        let whole = Self.archive(texts)
        let changes: [(name: String, bytes: String)] = [
            ("one byte", whole.replacing("a.example/17", with: "a.example/xx")),
            ("shorter", String(whole.prefix(whole.count / 2))), ("empty", ""), ("longer", whole + whole),
            ("another order", Self.archive(texts.reversed())),
        ]
        for change in changes {
            let shop = try Workshop()
            try shop.write("in/a.warc", whole)
            let failure = await failure {
                try await shop.run(try shop.plain("in/*", Self.operators), runtime: SteppingRuntime()) { record in
                    guard record.stage == stage, record.bytesDone == 0, record.finished == nil else { return }
                    try? shop.write("in/a.warc", change.bytes)
                }
            }
            #expect(failure?.code == .conflict, "\(change.name)")
            #expect(failure?.detail.contains("has changed") == true, "\(change.name)")
            #expect(try await shop.run(try shop.plain("in/*", Self.operators)).finished != nil)
        }
    }

    @Test("an archive is unpacked anew where what its pages became is gone")
    func gone() async throws {
        let shop = try Workshop()
        try shop.write("in/a.warc", Self.archive(Self.texts()))
        let file = try shop.plain("in/*", Self.operators)
        let record = try await shop.run(file, runtime: SteppingRuntime()) { record in
            if record.stage == .write, record.bytesDone == 0 { try? shop.remove("out/work/pages") }
        }
        #expect(record.finished != nil)
        #expect(try shop.lines().count == 29)
    }
}
