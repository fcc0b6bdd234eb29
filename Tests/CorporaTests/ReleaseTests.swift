import Core
import Curation
import Foundation
import Testing

@testable import Corpora

/// From a run to something that an auditor can check: samples, verdicts, the audit pack.
@Suite struct ReleaseTests {
    static let yaml = """
        name: release
        sources:
          - {name: first, files: [in/first.jsonl], dossier: dossiers/first.yaml}
          - {name: second, files: [in/second.jsonl], dossier: dossiers/second.yaml}
        personal: {action: mask}
        duplicates: {exact: true}
        output: {folder: out, format: jsonl}

        """
    private static let release = """
        name: demo
        version: 1.0.0
        description: {zh: 演示, en: A demonstration.}
        url: https://corpus.example/demo
        licence: CC-BY-4.0
        creator: Example Lab
        published: 2026-11-29
        languages: [zh, en]

        """

    static func filled() throws -> Workshop {
        var chance = Chance(seed: 41)
        let shop = try SameBytesTests.filled(&chance, records: 30)
        for name in ["first", "second"] {
            try shop.write(
                "dossiers/\(name).yaml",
                """
                name: x
                title: Texts
                kind: open
                origin: a shelf
                region: foreign
                modalities: [text]
                licence: {}
                personal_data: {presence: none}

                """
            )
        }
        try shop.write("release.yaml", release)
        return shop
    }

    private static func judgement(_ person: String, _ isGood: Bool = true) -> WorkList.Judgement {
        .init(person: person, isGood: isGood, at: Instant(milliseconds: 1000))
    }

    @Test("a sample is drawn once, and drawn again by whoever has the root, the purpose and the count")
    func draw() async throws {
        let shop = try Self.filled()
        let file = try shop.pipeline(Self.yaml)
        #expect(await failure { _ = try SampleFile.draw(file, purpose: "spot-check", size: 5) }?.code == .notFound)
        let record = try await shop.run(file)
        let sample = try SampleFile.draw(file, purpose: "spot-check", size: 12)
        let draw = sample.check.draw
        #expect(draw.population == record.written.count && sample.check.isRedrawn(hash: ItemList.hash))
        // The root is that of the lines as anybody reads them.
        var tree = MerkleTree(hash: ItemList.hash)
        let lines = try shop.lines()
        for line in lines {
            var leaf: [UInt8] = []
            let bytes = Array(line.utf8)
            Disk.sha256(bytes.span).append(to: &leaf)
            tree.append(leaf.span)
        }
        #expect(draw.root == tree.root)
        let places = SampleDraw(root: tree.root, purpose: "spot-check", population: lines.count, size: 12)
            .places(hash: ItemList.hash).sorted()
        #expect(sample.check.work.items.map(\.place) == places)
        let texts = try shop.text("out/samples/spot-check.jsonl").split(separator: "\n")
        #expect(texts.count == 12)
        for (place, text) in zip(places, texts) {
            let shown = try JSON(parsing: Array(text.utf8))
            #expect(shown["place"]?.numberValue == Double(place))
            let record = try JSON(parsing: Array(lines[place].utf8))
            #expect(shown["record"] == record)
        }
        let again = await failure { _ = try SampleFile.draw(file, purpose: "spot-check", size: 12) }
        #expect(again?.code == .conflict && again?.detail.contains("drawn once") == true)
        #expect(try SampleFile.draw(file, purpose: "second", size: 12).check.work.items.map(\.place) != places)
        #expect(await failure { _ = try SampleFile.draw(file, purpose: "../x", size: 1) }?.code == .invalid)
        #expect(await failure { _ = try SampleFile.read(file, purpose: "none") }?.code == .notFound)
        let all = try SampleFile.draw(file, purpose: "all", size: 100_000)
        #expect(all.check.work.items.count == lines.count)
    }

    @Test("a sample is the same whatever the format of the output")
    func formats() async throws {
        let shop = try Self.filled()
        var roots: Set<String> = []
        var ids: Set<[String]> = []
        for format in ["jsonl", "jsonl.zst", "parquet"] {
            let file = try shop.pipeline(Self.yaml.replacing("format: jsonl", with: "format: \(format)"))
            try await shop.run(file)
            let sample = try SampleFile.draw(file, purpose: "as-\(format)", size: 1000)
            roots.insert(sample.check.draw.root.hex)
            ids.insert(sample.check.work.items.map(\.id))
        }
        #expect(roots.count == 1 && ids.count == 1)
    }

    @Test("the ids of a sample are those of the records, whatever the member is called and whatever it is")
    func sampleIDs() async throws {
        let shop = try Workshop()
        try shop.write("in/a.jsonl", #"{"uid":"one","text":"a"}"# + "\n" + #"{"uid":2,"text":"b"}"#)
        let file = try shop.pipeline(
            """
            name: ids
            sources: [{name: a, files: [in/*], fields: {id: uid}}]
            output: {folder: out, format: jsonl}

            """
        )
        try await shop.run(file)
        #expect(try SampleFile.draw(file, purpose: "p", size: 2).check.work.items.map(\.id) == ["one", "2"])
    }

    @Test("a record is judged by one person and reviewed by another; the same person is refused, and nothing is lost")
    func judging() async throws {
        let shop = try Self.filled()
        let file = try shop.pipeline(Self.yaml)
        try await shop.run(file)
        var sample = try SampleFile.draw(file, purpose: "spot-check", size: 3)
        let places = sample.check.work.items.map(\.place)
        for place in places { try sample.apply(.init(.judge, place: place, judgement: Self.judgement("li"))) }
        let bytes = try shop.read("out/samples/spot-check.json")
        let refused = await failure {
            try sample.apply(.init(.review, place: places[0], judgement: Self.judgement("li")))
        }
        #expect(refused?.code == .conflict && refused?.detail == WorkList.Refusal.samePerson.sentence)
        #expect(try shop.read("out/samples/spot-check.json") == bytes)
        sample = try SampleFile.read(file, purpose: "spot-check")
        try sample.apply(.init(.review, place: places[0], judgement: Self.judgement("wang")))
        try sample.apply(.init(.review, place: places[1], judgement: Self.judgement("wang", false)))
        try sample.apply(.init(.review, place: places[2], judgement: Self.judgement("wang")))
        try sample.apply(.init(.adjudicate, place: places[1], judgement: Self.judgement("zhao", false)))
        let tally = try SampleFile.read(file, purpose: "spot-check").check.work.tally
        #expect(tally.settled == 3 && tally.bad == 1)
    }

    private static func audit(_ shop: Workshop, key: String? = nil) throws -> (files: [String], root: Core.Digest) {
        let options = Audit.Options(release: shop.path("release.yaml"), tool: "onepoint test")
        return try Audit(PipelineFile(shop.path("pipeline.yaml")), options).write(to: shop.path("pack"), key: key)
    }

    /// What of a pack is not as its manifest says, by the rules that the manifest's documentation gives to auditors.
    private static func packFaults(_ shop: Workshop) throws -> [String] {
        let manifest = try JSON(parsing: shop.read("pack/manifest.json"))
        var named: [String] = []
        var faults: [String] = []
        var tree = MerkleTree(hash: ItemList.hash)
        for entry in manifest["files"]?.arrayValue ?? [] {
            let path = entry["path"]?.stringValue ?? ""
            let bytes = try shop.read("pack/" + path)
            let digest = Disk.sha256(bytes.span)
            let said = entry["sha256"]?.stringValue ?? ""
            if said != digest.hex { faults.append(path) }
            var leaf = Array(path.utf8) + [0]
            digest.append(to: &leaf)
            tree.append(leaf.span)
            named.append(path)
        }
        let root = manifest["root"]?.stringValue ?? ""
        if !root.hasSuffix(tree.root.hex) { faults.append("root") }
        return faults
            + Set(named).symmetricDifference(
                shop.files(below: "pack").filter { !$0.hasPrefix("manifest.json") }
            )
    }

    @Test("the pack's manifest has the digests of its files, and the samples in it prove themselves")
    func pack() async throws {
        let shop = try Self.filled()
        let file = try shop.pipeline(Self.yaml)
        try await shop.run(file)
        var root: Core.Digest?
        for (purpose, size) in [("one", 10), ("two", 14)] {
            root = try SampleFile.draw(file, purpose: purpose, size: size).check.draw.root
        }
        let written = try Self.audit(shop)
        #expect(Set(written.files) == Set(shop.files(below: "pack")))
        #expect(try Self.packFaults(shop).isEmpty)
        for index in 1...2 {
            let sample = try JSON(parsing: shop.read("pack/samples/\(index).json"))
            #expect(AuditPack.faults(ofSample: sample, root: try #require(root), hash: ItemList.hash).isEmpty)
        }
        // Every output of the run is in the card by its digest, which is that of the file.
        let card = try shop.text("pack/croissant.json")
        for (name, bytes) in try shop.outputs() {
            let digest = Disk.sha256(bytes.span).hex
            #expect(card.contains("data/\(name)") && card.contains(digest))
        }
        // The same again is the same.
        let before = try shop.files(below: "pack").map { try shop.read("pack/" + $0) }
        _ = try Self.audit(shop)
        #expect(try shop.files(below: "pack").map { try shop.read("pack/" + $0) } == before)
    }

    @Test("equal blocks each answer for what was written of them")
    func equalBlocks() async throws {
        for duplicates in ["{exact: true}", "{exact: false}"] {
            let shop = try Self.filled()
            try shop.write("in/second.jsonl", try shop.read("in/first.jsonl"))
            let file = try shop.pipeline(Self.yaml.replacing("{exact: true}", with: duplicates))
            let record = try await shop.run(file)
            _ = try Self.audit(shop)
            #expect(try Self.packFaults(shop).isEmpty)
            let run = try #require(record.finished.map { _ in record })
            let (blocks, _) = try PipelineBlocks(file).facts(run)
            #expect(blocks.reduce(0) { $0 + $1.kept } == record.written.count)
            #expect(blocks.allSatisfy { $0.kept <= $0.documents })
        }
    }

    @Test("without a dossier, without a run, or with faults in what people wrote there is no pack")
    func faults() async throws {
        let shop = try Self.filled()
        _ = try shop.pipeline(Self.yaml)
        #expect(await failure { _ = try Self.audit(shop) }?.code == .notFound, "no run")
        try await shop.run(try shop.pipeline(Self.yaml))
        _ = try shop.pipeline(Self.yaml.replacing(", dossier: dossiers/second.yaml", with: ""))
        let missing = await failure { _ = try Self.audit(shop) }
        #expect(missing?.violations.map(\.pointer) == ["/sources/1/dossier"])
        _ = try shop.pipeline(Self.yaml)
        try shop.write("dossiers/first.yaml", "title: T\nregion: mars\n")
        let faulty = await failure { _ = try Self.audit(shop) }
        #expect(faulty?.code == .invalid && faulty?.detail.contains("dossiers/first.yaml") == true)
        #expect((faulty?.violations.count ?? 0) > 3)
        #expect(faulty?.violations.contains { $0.pointer == "/region" && $0.message.hasPrefix("line 2: ") } == true)
        #expect(!shop.exists("pack"))
    }

    @Test("a sample of what an earlier run wrote is no proof of what the last one wrote")
    func staleSample() async throws {
        let shop = try Self.filled()
        let file = try shop.pipeline(Self.yaml)
        try await shop.run(file)
        _ = try SampleFile.draw(file, purpose: "old", size: 20)
        try shop.write("in/second.jsonl", "")
        try await shop.run(try shop.pipeline(Self.yaml))
        let failure = await failure { _ = try Self.audit(shop) }
        #expect(failure?.code == .conflict && failure?.detail.contains("old") == true)
    }

    @Test("a part that was changed after the run is not answered for")
    func changedPart() async throws {
        let shop = try Self.filled()
        let record = try await shop.run(try shop.pipeline(Self.yaml))
        let part = try #require(record.parts.first)
        var bytes = try shop.read("out/" + part.path)
        bytes[20] ^= 1
        try shop.write("out/" + part.path, bytes)
        let failure = await failure { _ = try Self.audit(shop) }
        #expect(failure?.detail.contains(part.path) == true)
    }

    @Test("the manifest is signed with Ed25519; openssl verifies it, and a changed manifest not")
    func signature() async throws {
        let openssl = "/usr/bin/openssl"
        guard FileManager.default.isExecutableFile(atPath: openssl) else {
            print("skipped: \(openssl) is not there")
            return
        }
        func run(_ arguments: [String]) throws -> Int32 {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: openssl)
            process.arguments = arguments
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus
        }
        let shop = try Self.filled()
        try await shop.run(try shop.pipeline(Self.yaml))
        let (key, open) = (shop.path("key.pem"), shop.path("public.pem"))
        try #require(run(["genpkey", "-algorithm", "ed25519", "-out", key]) == 0)
        try #require(run(["pkey", "-in", key, "-pubout", "-out", open]) == 0)
        let written = try Self.audit(shop, key: key)
        #expect(written.files.last == "manifest.json.sig")
        let verify = [
            "pkeyutl", "-verify", "-pubin", "-inkey", open, "-rawin", "-in", shop.path("pack/manifest.json"),
            "-sigfile",
            shop.path("pack/manifest.json.sig"),
        ]
        #expect(try run(verify) == 0)
        try shop.write("pack/manifest.json", try shop.read("pack/manifest.json") + [0x20])
        #expect(try run(verify) != 0)
        try shop.write("no.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        let failure = await failure { _ = try Self.audit(shop, key: shop.path("no.pem")) }
        #expect(failure?.code == .invalid && failure?.detail.contains("openssl genpkey") == true)
    }

    @Test("the page about a run tells its numbers, and nothing of a record gets into its markup")
    func report() async throws {
        let shop = try Self.filled()
        let file = try shop.pipeline(Self.yaml)
        let record = try await shop.run(file)
        try RunReport(record: record, file: file).write(to: shop.path("report.html"))
        let page = try shop.text("report.html")
        #expect(page.hasPrefix("<!doctype html>") && page.contains("<h1>release</h1>"))
        for part in record.parts { #expect(page.contains(part.sha256)) }
    }
}
