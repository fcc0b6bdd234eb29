import Core
import Curation
import Entry
import Wire

@testable import Console
@testable import Hub

/// A release of training data as the pages show it, half-way through its spot check.
extension Sample {
    static let repository = RepositoryID(high: 0x019a_b1f3_2c40_3333, low: 77)

    static func hash(_ digit: String) -> GitHash {
        guard let hash = GitHash(String(repeating: digit, count: 40)) else { preconditionFailure("40 digits") }
        return hash
    }

    static let tabs = ReleaseTabs(repository: repository, path: "language/museum", revision: "main")

    static func tally(_ count: Int, _ bytes: Int) -> BlockSummary.Tally {
        var tally = BlockSummary.Tally()
        (tally.count, tally.bytes) = (count, bytes)
        return tally
    }

    static let run: RunRecord = {
        var run = RunRecord(
            pipeline: "museum",
            configuration: "4f0c3c1d2b7e8a90a1b2c3d4e5f60718293a4b5c6d7e8f901234567890abcdef",
            started: ago(9000)
        )
        run.finished = ago(7200)
        run.summary.records = 412_004
        run.summary.documents = tally(411_220, 1_802_117_003)
        run.summary.dropped = [
            "language/other": tally(31_207, 88_120_300), "language/unsure": tally(4120, 2_120_300),
            "gopher-quality/gopher_short_doc": tally(52_410, 9_800_000),
            "gopher-repetition/dup_line_frac": tally(17_003, 60_400_000),
            "chinese/zh_menu_lines": tally(22_190, 30_000_000), "keywords/weight": tally(812, 3_000_000),
        ]
        run.summary.languages = [
            "zh": tally(240_118, 902_000_000), "en": tally(129_120, 812_000_000), "ja": tally(8003, 1),
        ]
        run.summary.personal = ["email": 8120, "phone": 3302, "national-id": 12]
        run.summary.setAside = ["no-main-text": 702, "too-large": 82]
        run.duplicates = ["exact": tally(10_233, 40_000_000), "near": tally(41_870, 160_000_000)]
        run.repeats = ["paragraphs": tally(2914, 1_200_000), "substrings": tally(771, 3_400_000)]
        run.written = tally(231_340, 1_120_000_000)
        return run
    }()

    static let dossier: Dossier = {
        var dossier = Dossier(
            name: "crawl",
            title: "Pages of the museum",
            kind: .selfCollected,
            origin: "https://museum.example.org/",
            region: .domestic,
            languages: ["zh", "en"],
            modalities: [.text],
            licence: .init(atOrigin: "CC-BY-4.0", asClaimed: "CC-BY-4.0"),
            personalData: .init(presence: .ordinary, basis: .published)
        )
        dossier.records = [.init(kind: .collection, title: "collection.jsonl", digest: digest(4), date: ago(90_000))]
        dossier.robots = [
            .init(host: "museum.example.org", digest: digest(5), fetchedAt: ago(90_000), verdict: .allowed)
        ]
        dossier.assessment = .init(assessor: "li", date: ago(86_400), note: "200 pages read")
        return dossier
    }()

    static let release = Release(
        repository: Repository(
            id: repository,
            kind: .dataset,
            path: RepositoryPath(
                project: project("language"),
                name: RepositoryName("museum") ?? { preconditionFailure() }()
            ),
            visibility: .internal,
            creator: user("alice"),
            createdAt: ago(90_000),
            updatedAt: ago(7000)
        ),
        revision: Revision(
            id: hash("a"),
            tree: hash("b"),
            parent: nil,
            title: "Publish 1.0.0",
            message: "Publish 1.0.0",
            author: user("alice"),
            at: ago(7000)
        )
    )

    static let sample = SampleView(
        purpose: "spot-check",
        root: digest(9),
        population: 231_340,
        drawn: 4000,
        judged: 1840,
        reviewed: 1412,
        disputed: 31,
        settled: 1390,
        good: 1371,
        bad: 19
    )
}

extension GovernancePage {
    static let sample = GovernancePage(
        tabs: Sample.tabs,
        report: ReleaseReport(
            release: Sample.release,
            run: .success(Sample.run),
            items: .init(root: Sample.digest(9), records: 231_340),
            sources: [
                .init(name: "crawl", dossier: .success(Sample.dossier)),
                .init(
                    name: "forum",
                    dossier: .failure(
                        Failure(
                            .invalid,
                            "forum.yaml: a fault.",
                            violations: [Violation("/licence", "line 4: is missing")]
                        )
                    )
                ),
            ],
            tallies: [
                .init(source: "crawl", blocks: 24, documents: 300_120, written: 180_220),
                .init(source: "forum", blocks: 9, documents: 111_100, written: 51_120),
            ],
            partFaults: [],
            pack: .init(
                files: [
                    .init(path: "croissant.json", size: 9120, digest: Sample.digest(1)),
                    .init(path: "index.html", size: 80_120, digest: Sample.digest(2)),
                    .init(path: "manifest.json", size: 2120, digest: Sample.digest(3)),
                ],
                faults: [],
                isSigned: true
            )
        )
    )

    static let damagedSample = GovernancePage(
        tabs: Sample.tabs,
        report: ReleaseReport(
            release: Sample.release,
            run: .failure(
                Failure(
                    .invalid,
                    "run.json contradicts itself.",
                    violations: [Violation("/written/count", "must be a whole number from 0 to 2^48")]
                )
            ),
            sources: [],
            pack: .init(
                files: [.init(path: "croissant.json", size: 9120, digest: Sample.digest(1))],
                faults: [
                    Violation("/files/0", "croissant.json was changed"), Violation("/files/1", "a.json is missing"),
                ],
                isSigned: false
            )
        )
    )
}

extension TrainingPage {
    static let sample = TrainingPage(
        page: Page(
            items: [
                ReleaseView(
                    repository: Sample.repository,
                    path: "language/museum",
                    revision: Sample.hash("a"),
                    committedAt: Sample.ago(7000),
                    licence: "cc-by-4.0",
                    read: 411_220,
                    written: 231_340,
                    finishedAt: Sample.ago(7200),
                    samples: [Sample.sample],
                    hasPack: true,
                    isSigned: true,
                    tags: ["v0.9.0", "v1.0.0"]
                ),
                ReleaseView(
                    repository: Sample.repository,
                    path: "climate/reports",
                    revision: Sample.hash("c"),
                    committedAt: Sample.ago(990_000),
                    licence: nil,
                    read: nil,
                    written: nil,
                    finishedAt: nil,
                    samples: [],
                    hasPack: false,
                    isSigned: false,
                    tags: []
                ),
            ],
            next: "1.x"
        ),
        query: Form()
    )
}

extension SamplesPage {
    static let sample = SamplesPage(
        tabs: Sample.tabs,
        rows: [
            .sample(Sample.sample),
            .broken(
                purpose: "older",
                Failure(.invalid, "The sample 'older' was drawn from another release than this one: the roots differ.")
            ),
        ]
    )
}

extension JudgePage {
    static func sample(_ step: WorkList.Step?, steps: [(String, Bool)] = []) -> JudgePage {
        var list = WorkList(items: [.init(place: 8123, digest: Sample.digest(6), id: "<urn:uuid:1234>")])
        for (index, (person, isGood)) in steps.enumerated() {
            let said = WorkList.Judgement(
                person: person,
                isGood: isGood,
                risks: isGood ? [] : ["unlawful"],
                at: Sample.ago(600 - index),
                note: isGood ? nil : "Sells what may not be sold."
            )
            _ = try? list.apply(WorkList.Event(WorkList.Step.allCases[index], place: 8123, judgement: said))
        }
        return JudgePage(
            tabs: Sample.tabs,
            view: Sample.sample,
            shown: list.items.first.map { item in
                Shown(
                    item: item,
                    step: step,
                    text: String(
                        repeating: "博物馆的石桥在冬天的傍晚很安静。The stone bridge is quiet on winter evenings.\n",
                        count: 120
                    ),
                    others: [("url", "https://museum.example.org/bridge"), ("title", "石桥")]
                )
            },
            canJudge: true,
            taken: step == .judge ? 8120 : nil,
            risks: [
                .init(id: "unlawful", title: "unlawful / 违法"), .init(id: "rights", title: "rights of others / 侵权"),
                .init(id: "other", title: "other / 其他"),
            ]
        )
    }
}

extension DocumentPage {
    private static let block = JudgedBlock(
        ordinal: 3,
        source: 0,
        sourceName: "crawl",
        path: "pages/museum-0003.warc.gz",
        digest: Sample.digest(7).hex,
        check: "x",
        key: Sample.digest(8).hex,
        documents: 12_000
    )

    static let sample: DocumentPage = {
        let decision = try? JSON(
            parsing: Array(
                #"{"index":17,"id":"d","bytes":2214,"language":"en","probability":0.9871,"personal":{"email":1}}"#.utf8
            )
        )
        var life = DocumentLife(id: "<urn:uuid:1234>", key: block.key, block: block, decision: decision ?? .null)
        life.part = .init(
            path: "data/part-000003.jsonl.zst",
            sha256: Sample.digest(2).hex,
            bytes: 1,
            documents: 1,
            textBytes: 1,
            repeats: [:],
            block: block.digest,
            key: block.key
        )
        life.written = .init(place: 8123, digest: Sample.digest(6))
        life.samples = [("spot-check", .init(place: 8123, digest: Sample.digest(6), id: "d"))]
        return DocumentPage(
            tabs: Sample.tabs,
            id: life.id,
            outcome: .searched(.init(life: life, blocks: 4, next: nil))
        )
    }()

    static let droppedSample: DocumentPage = {
        let decision = try? JSON(
            parsing: Array(
                #"{"index":4,"id":"e","bytes":210,"dropped":"gopher-quality/gopher_short_doc","value":31.0,"threshold":50.0}"#
                    .utf8
            )
        )
        let life = DocumentLife(id: "e", key: block.key, block: block, decision: decision ?? .null)
        return DocumentPage(tabs: Sample.tabs, id: "e", outcome: .searched(.init(life: life, blocks: 4, next: nil)))
    }()

    static let takenSample: DocumentPage = {
        let decision = try? JSON(parsing: Array(#"{"index":5,"id":"f","bytes":900,"language":"en"}"#.utf8))
        var life = DocumentLife(id: "f", key: block.key, block: block, decision: decision ?? .null)
        life.taken = TakenDocument(
            index: 5,
            duplicate: .init(kind: "near", jaccard: 0.8712, source: "crawl", block: block.key, index: 2)
        )
        life.duplicateOf = "<urn:uuid:1235>"
        return DocumentPage(tabs: Sample.tabs, id: "f", outcome: .searched(.init(life: life, blocks: 4, next: nil)))
    }()

    static let repeatedSample: DocumentPage = {
        let decision = try? JSON(parsing: Array(#"{"index":6,"id":"g","bytes":90,"language":"en"}"#.utf8))
        var life = DocumentLife(id: "g", key: block.key, block: block, decision: decision ?? .null)
        life.taken = TakenDocument(index: 6, repeats: ["lines": 64, "substrings": 200], isGone: true)
        return DocumentPage(tabs: Sample.tabs, id: "g", outcome: .searched(.init(life: life, blocks: 4, next: nil)))
    }()

    static let searchingSample = DocumentPage(
        tabs: Sample.tabs,
        id: "nobody",
        outcome: .searched(.init(life: nil, blocks: 120, next: "00ff.jsonl.zst"))
    )
}
