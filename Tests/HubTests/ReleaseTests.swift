import Core
import Curation
import NIOCore
import Testing
import Wire

@testable import Hub

@Suite struct ReleaseTests {
    @Test("a release is held against its own files: parts, manifest, items, sources")
    func report() async throws {
        try await withShelf { shelf in
            var fixture = try ReleaseFixture()
            fixture.addPack()
            let report = try await shelf.repositories.report(on: try await shelf.publish(fixture))
            let run = try report.run.get()
            #expect(RunFunnel(run).steps.map(\.left) == [25, 23, 20, 20])
            #expect(report.items == .init(root: fixture.root, records: 20))
            #expect(report.tallies == [.init(source: "crawl", blocks: 1, documents: 25, written: 20)])
            #expect(report.partFaults == [])
            #expect(report.pack?.faults == [] && report.pack?.isSigned == true && report.pack?.files.count == 4)
            let dossier = try #require(report.sources.first).dossier.get()
            #expect(dossier.gaps.contains(.robots) && dossier.gaps.contains(.personalBasis))
            #expect(!dossier.gaps.contains(.licenceAtOrigin))

            fixture.files["data/part-000000.jsonl"]? += "{}\n"
            fixture.files["governance/pack/croissant.json"] = "{ }"
            fixture.files["governance/pack/more.txt"] = "x"
            fixture.files["governance/sources/crawl.yaml"] = "name: [crawl\n"
            let changed = try await shelf.repositories.report(on: try await shelf.publish(fixture))
            #expect(changed.partFaults?.map(\.message) == ["data/part-000000.jsonl was changed"])
            #expect(
                changed.pack?.faults.map(\.message) == [
                    "croissant.json was changed", "more.txt is not in the manifest",
                ]
            )
            #expect(throws: Failure.self) { try changed.sources.first?.dossier.get() }
        }
    }

    static let hostile: [(name: String, text: String)] = [
        ("no JSON", "{"), ("a list", "[]"), ("nothing", ""),
        ("wrong types", #"{"pipeline":7,"summary":[],"parts":{}}"#),
        ("deep", String(repeating: "[", count: 100_000)),
        ("two of one name", #"{"pipeline":"a","pipeline":"b"}"#),
        ("too long", #"{"pipeline":""# + String(repeating: "x", count: Release.fileBytesMax) + #""}"#),
    ]

    @Test("a run.json that is none is told of politely, whatever it is", arguments: hostile.map(\.name))
    func hostileRecord(name: String) async throws {
        try await withShelf { shelf in
            var fixture = try ReleaseFixture()
            fixture.files["governance/run.json"] = Self.hostile.first { $0.name == name }?.text
            let report = try await shelf.repositories.report(on: try await shelf.publish(fixture))
            #expect(throws: Failure.self) { try report.run.get() }
            let page = try await shelf.repositories.releases(cursor: nil, limit: 20, shelf.alice)
            #expect(page.items.map(\.path) == ["brain/corpus"] && page.items[0].read == nil)
        }
    }

    @Test("counts that cannot be are refused, and a hundred thousand rules are counted")
    func hostileCounts() throws {
        func record(_ change: (inout RunRecord) -> Void) throws -> Result<RunRecord, Failure> {
            var run = RunRecord(pipeline: "p", configuration: "c", started: ReleaseFixture.time)
            change(&run)
            let text = try JSON(encoding: run).text
            return Result { () throws(Failure) in try RunRecord(untrusted: text.utf8) }
        }
        #expect(throws: Failure.self) { try record { $0.written = ReleaseFixture.tally(-1) }.get() }
        #expect(throws: Failure.self) { try record { $0.summary.documents.count = .max }.get() }
        #expect(throws: Failure.self) { try record { $0.summary.dropped = ["a/b": ReleaseFixture.tally(-3)] }.get() }
        let many = try record { run in
            for rule in 0..<100_000 { run.summary.dropped["family-\(rule)/x"] = ReleaseFixture.tally(1) }
            run.summary.documents = ReleaseFixture.tally(5)
        }.get()
        let funnel = RunFunnel(many)
        #expect(funnel.steps.count == RunFunnel.familiesMax + 3)
        #expect(funnel.steps.allSatisfy { $0.left >= 0 } && funnel.steps.last?.left == 0)
    }

    @Test("a release is listed for those who see its data set, and for nobody else")
    func lists() async throws {
        try await withShelf { shelf in
            let release = try await shelf.publish(try ReleaseFixture())
            let mine = try await shelf.repositories.releases(cursor: nil, limit: 20, shelf.bob)
            let view = try #require(mine.items.first)
            #expect(mine.items.count == 1 && view.read == 25 && view.written == 20 && !view.hasPack)
            #expect(view.licence == "cc-by-4.0" && view.samples.map(\.drawn) == [6])
            #expect(try await shelf.repositories.releases(cursor: nil, limit: 20, shelf.eve).items.isEmpty)
            let hidden = await failure {
                _ = try await shelf.repositories.release(release.repository.id, at: "main", shelf.eve)
            }
            #expect(hidden?.code == .notFound)
            let none = await failure {
                let model = try await shelf.repositories.repository(.models, shelf.model, for: .see, shelf.alice)
                _ = try await shelf.repositories.release(model.id, at: "main", shelf.alice)
            }
            #expect(none?.code == .notFound)
        }
    }

    @Test("a document is found in the decisions, with its rule, its place and its digest")
    func life() async throws {
        try await withShelf { shelf in
            let fixture = try ReleaseFixture()
            let release = try await shelf.publish(fixture)
            let gone = try #require(try await shelf.repositories.find(document: "gone", in: release).life)
            #expect(gone.dropped == "gopher-quality/gopher_short_doc" && gone.block?.sourceName == "crawl")
            #expect(gone.part == nil && gone.written == nil)
            let kept = try #require(try await shelf.repositories.find(document: "doc-7", in: release).life)
            #expect(kept.part?.path == "data/part-000000.jsonl")
            #expect(kept.written == .init(place: 7, digest: fixture.digest(fixture.lines[7])))
            let nobody = try await shelf.repositories.find(document: "nobody", in: release)
            #expect(nobody.life == nil && nobody.next == nil && nobody.blocks == 1)
            let sample = try await shelf.repositories.sample("spot-check", of: release)
            let drawn = try #require(sample.work.items.first)
            let life = try #require(try await shelf.repositories.find(document: drawn.id, in: release).life)
            #expect(life.samples.map(\.purpose) == ["spot-check"])
        }
    }

    @Test("what all documents together took is told, and which stands for it")
    func taken() async throws {
        try await withShelf { shelf in
            var fixture = try ReleaseFixture()
            try fixture.take()
            let release = try await shelf.publish(fixture)
            func life(_ id: String) async throws -> DocumentLife {
                try #require(try await shelf.repositories.find(document: id, in: release).life)
            }
            let double = try await life("double")
            #expect(double.taken?.duplicate?.kind == "near" && double.taken?.duplicate?.jaccard == 0.875)
            #expect(double.duplicateOf == "doc-7" && double.written == nil && double.part == nil)
            let theirs = try await life("theirs")
            #expect(theirs.taken?.duplicate?.source == "earlier" && theirs.duplicateOf == nil)
            let empty = try await life("empty")
            #expect(empty.taken?.isGone == true && empty.taken?.repeats == ["lines": 9, "substrings": 11])
            let short = try await life("doc-3")
            #expect(short.taken?.repeats == ["lines": 12] && short.written?.place == 3)
            #expect(try await life("doc-4").taken == nil)
            // What strangers wrote there names what is not there, or is no line at all.
            let duplicate = #"{"kind":"x","jaccard":1,"source":"s","block":"../../a","index":-1}"#
            let line = Array(#"{"index":3,"duplicate":\#(duplicate),"gone":true}"#.utf8)
            fixture.packed["governance/taken/\(ReleaseFixture.key).jsonl.zst"] = Zstd.compress(line.span)
            let strange = try await shelf.publish(fixture)
            let odd = try await shelf.repositories.find(document: "doc-3", in: strange).life
            #expect(odd?.taken?.isGone == true && odd?.duplicateOf == nil)
            fixture.packed["governance/taken/\(ReleaseFixture.key).jsonl.zst"] = Array("no zstd".utf8)
            let damaged = try await shelf.publish(fixture)
            let told = await failure { _ = try await shelf.repositories.find(document: "doc-3", in: damaged) }
            #expect(told?.code == .invalid)
        }
    }

    @Test("a document is found in Parquet too, and a damaged file is told")
    func parquet() async throws {
        try await withShelf { shelf in
            var fixture = try ReleaseFixture()
            try fixture.becomeParquet()
            let release = try await shelf.publish(fixture)
            let sample = try await shelf.repositories.sample("spot-check", of: release)
            let drawn = try #require(sample.work.items.first)
            let life = try #require(try await shelf.repositories.find(document: drawn.id, in: release).life)
            #expect(life.part?.path == "data/part-000000.parquet")
            #expect(life.written == .init(place: drawn.place, digest: nil))
            #expect(life.samples.map(\.purpose) == ["spot-check"])
            fixture.packed["data/part-000000.parquet"]?.removeFirst(40)
            let damaged = try await shelf.publish(fixture)
            let failure = await failure { _ = try await shelf.repositories.find(document: drawn.id, in: damaged) }
            #expect(failure?.code == .invalid)
        }
    }

    @Test("decisions that are damaged, or unpack to too much, end a search with a sentence")
    func damagedDecisions() async throws {
        try await withShelf { shelf in
            var fixture = try ReleaseFixture()
            let name = "governance/decisions/\(ReleaseFixture.key).jsonl.zst"
            fixture.packed[name] = Array("no zstd at all".utf8)
            let damaged = try await shelf.publish(fixture)
            #expect(
                await failure { _ = try await shelf.repositories.find(document: "x", in: damaged) }?.code == .invalid
            )
            fixture.packed[name] = Zstd.compress([UInt8](repeating: 0x20, count: 4 << 20).span, level: 1)
            let bomb = try await shelf.publish(fixture)
            #expect(
                await failure { _ = try await shelf.repositories.find(document: "x", in: bomb, bytesMax: 2 << 20) }?
                    .code == .invalid
            )
        }
    }
}
