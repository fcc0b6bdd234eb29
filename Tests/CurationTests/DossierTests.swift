import Core
import Curation
import Testing

@Suite struct DossierTests {
    static let digest = "sha256:" + String(repeating: "ab", count: 32)

    static let full = """
        {"name": "news-2026", "title": "News of 2026", "kind": "self_collected", "origin": "https://news.example/",
         "region": "domestic", "country": "CN", "languages": ["zh", "en-GB"], "modalities": ["text", "image"],
         "licence": {"at_origin": "CC BY 4.0", "as_claimed": "cc-by-4.0"}, "owner": "News House",
         "complaints": "rights@example.org",
         "records": [{"kind": "collection", "title": "crawl log", "digest": "\(digest)",
                      "url": "https://point.example/log", "date": "2026-03-01T08:00:00+08:00"}],
         "robots": [{"host": "news.example", "digest": "\(digest)", "fetched_at": "2026-03-01T00:00:00Z",
                     "verdict": "allowed"},
                    {"host": "img.news.example", "fetched_at": "2026-03-01T00:00:00Z", "verdict": "absent"}],
         "personal_data": {"presence": "sensitive", "basis": "consent", "record": "\(digest)",
                           "separate_consent": "\(digest)"},
         "assessment": {"assessor": "li.wei", "date": "2026-02-20T00:00:00Z", "note": "clean"},
         "collected": {"from": "2026-03-01T00:00:00Z", "to": "2026-03-09T00:00:00Z"}}
        """

    static let least = """
        {"name": "a", "title": "A", "kind": "open", "origin": "a shelf", "region": "foreign", "modalities": ["text"],
         "licence": {}, "personal_data": {"presence": "none"}}
        """

    @Test("a dossier goes to JSON and back unchanged", arguments: [full, least])
    func roundTrip(_ text: String) throws {
        let dossier = try Dossier(Governance.json(text))
        #expect(try Dossier(dossier.json) == dossier)
        #expect(try Dossier(Governance.json(dossier.json.text)).json.text == dossier.json.text)
    }

    @Test("times are kept as they are in every zone")
    func zones() throws {
        let dossier = try Dossier(Governance.json(Self.full))
        #expect(dossier.records.first?.date == Governance.time("2026-03-01T00:00:00Z"))
    }

    @Test("every fault is reported at once, with its place")
    func faults() throws {
        let text = """
            {"name": "../x", "kind": "bought", "origin": 7, "region": "domestic", "country": "China",
             "languages": ["zh", "Chinese!", 3], "modalities": [], "licence": {"spdx": "MIT"}, "colour": "red",
             "records": [{"kind": "contract", "title": "c", "digest": "sha256:12", "date": "2026-03-01"}],
             "robots": [{"host": "h", "fetched_at": "2026-03-01T00:00:00Z", "verdict": "allowed"}],
             "personal_data": {"presence": "none", "basis": "consent"},
             "assessment": [], "collected": {"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"}}
            """
        let faults = Governance.faults { _ = try Dossier(Governance.json(text)) }
        let places = [
            "/colour", "/name", "/title", "/kind", "/origin", "/country", "/languages/1", "/languages/2", "/modalities",
            "/licence/spdx", "/personal_data/basis", "/records/0/digest", "/records/0/date", "/robots/0/digest",
            "/assessment", "/collected/to",
        ]
        #expect(faults.map { String($0.prefix { $0 != ":" }) }.sorted() == places.sorted())
        #expect(faults.contains("/title: is missing"))
    }

    @Test("what is no dossier is refused", arguments: ["null", "[]", "\"x\"", "{}", "{\"records\": {}}", "1e300"])
    func strangers(_ text: String) throws {
        #expect(!Governance.faults { _ = try Dossier(Governance.json(text)) }.isEmpty)
    }

    @Test("a list of a million faults ends in a thousand, soon")
    func many() throws {
        let robots = JSON.array([JSON](repeating: .null, count: 90_000))
        let json = JSON.object([("robots", robots), ("languages", .array([JSON](repeating: .null, count: 1_000_000)))])
        #expect(Governance.faults { _ = try Dossier(json) }.count == 1000)
    }

    @Test("licences at origin and as claimed are compared")
    func licences() {
        func compare(_ origin: String?, _ claim: String?) -> Dossier.Licence.Comparison {
            Dossier.Licence(atOrigin: origin, asClaimed: claim).comparison
        }
        #expect(compare("CC BY-SA 4.0", "cc-by-sa-4.0") == .same)
        #expect(compare("CC-BY-NC-4.0", "CC-BY-4.0") == .different)
        #expect(compare(nil, "MIT") == .originUnknown)
        #expect(compare("MIT", nil) == .notClaimed)
        #expect(compare(nil, nil) == .unknown)
    }
}
