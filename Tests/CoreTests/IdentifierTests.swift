import Core
import Testing

@Suite struct IdentifierTests {
    @Test("ids round-trip through text, sort like their text, and sort by the time of their making")
    func idRoundTrip() {
        var generator = seeded("ids")
        var last: JobID?
        for step in 0..<2000 {
            let id = JobID(now: .after(Int64(step)), using: &generator)
            #expect(JobID(id.description) == id)
            #expect(JobID(base32: Substring(id.base32)) == id)
            #expect(id.description.utf8.count == 30)
            if let last { #expect(last < id && last.base32 < id.base32) }
            last = id
        }
        for (high, low) in [(UInt64.min, UInt64.min), (.max, .max), (0, 1), (1, 0), (1 << 63, 1)] {
            let id = JobID(high: high, low: low)
            #expect(JobID(id.description) == id)
        }
    }

    @Test("a time before 1970 or beyond 48 bits does not trap")
    func idTimes() {
        var generator = SeededGenerator(seed: 1)
        for milliseconds in [Int64.min, -1, 0, 1 << 47, .max] {
            let id = JobID(now: Instant(milliseconds: milliseconds), using: &generator)
            #expect(JobID(id.description) == id)
        }
    }

    @Test(
        "what is not exactly an id is refused",
        arguments: [
            "", "job-", "job-0", "01980000000000000000000001", "wf-00000000000000000000000001",
            "job-0000000000000000000000000", "job-000000000000000000000000001", "job-80000000000000000000000000",
            "job-0000000000000000000000000i", "job-0000000000000000000000000L", "job-0000000000000000000000000A",
            "job--0000000000000000000000001", "job-0000000000000000000000000é", " job-00000000000000000000000001",
            "JOB-00000000000000000000000001",
        ]
    )
    func idRefusals(text: String) { #expect(JobID(text) == nil) }

    @Test("the elements of an array are numbered on, across the low word's end too")
    func advanced() {
        #expect(JobID(high: 5, low: 7).advanced(by: 3) == JobID(high: 5, low: 10))
        #expect(JobID(high: 5, low: .max).advanced(by: 1) == JobID(high: 6, low: 0))
        #expect(JobID(high: .max, low: .max).advanced(by: 1) == JobID(high: 0, low: 0))
        let first = JobID(high: 5, low: .max - 5)
        let all = (0..<100).map { first.advanced(by: $0) }
        #expect(Set(all).count == 100)
        #expect(all == all.sorted())
    }

    @Test("a run's name round-trips and is short enough for a label", arguments: [1, 2, 9, 10, 4711, 9_999_999_999])
    func runKey(number: Int) {
        let key = RunKey(job: .fixture(), number: number)
        #expect(RunKey(key.description) == key)
        #expect(key.description.utf8.count <= 40)
    }

    @Test(
        "a run has one name: signs, leading zeros and what is not a number are refused",
        arguments: [
            "", "0", "-1", "+1", "01", "1 ", "1x", "١", "1é", "99999999999", "1-1",
        ]
    )
    func runKeyRefusals(number: String) {
        let base = RunKey(job: .fixture(), number: 1).description.dropLast()
        #expect(RunKey(base + number) == nil)
        #expect(RunKey("xx" + base.dropFirst(2) + "1") == nil)
        #expect(RunKey(String(base.dropLast()) + "_1") == nil)
    }

    @Test("run keys sort by job, then by number")
    func runKeyOrder() {
        #expect(RunKey(job: .fixture(1), number: 9) < RunKey(job: .fixture(2), number: 1))
        #expect(RunKey(job: .fixture(1), number: 9) < RunKey(job: .fixture(1), number: 10))
    }

    @Test("names are DNS labels", arguments: ["a", "0", "hub-1", "a--b", String(repeating: "x", count: 63)])
    func names(text: String) {
        #expect(ProjectName(text)?.text == text)
        #expect(ProjectName(text)?.description == text)
    }

    @Test(
        "what is no DNS label is no name",
        arguments: [
            "", "-", "-a", "a-", "A", "a_b", "a.b", "a b", "ä", "a\u{0}", "a/b", "..",
            String(repeating: "x", count: 64),
            "e\u{301}", "１",
        ]
    )
    func nameRefusals(text: String) { #expect(CentreName(text) == nil) }

    @Test("digests round-trip as text, hexadecimal and bytes, and sort like their text")
    func digests() {
        var generator = seeded("digests")
        var last: Digest?
        for _ in 0..<500 {
            let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            guard let digest = Digest(bytes: bytes) else {
                Issue.record("32 bytes make a digest")
                return
            }
            #expect(Digest(digest.description) == digest)
            #expect(Digest(hex: digest.hex) == digest)
            #expect(digest.hex.utf8.count == 64)
            if let last { #expect((last < digest) == (last.hex < digest.hex)) }
            last = digest
        }
        #expect(Digest.fixture(0).hex == String(repeating: "0", count: 64))
        #expect(Digest.fixture(255).description == "sha256:" + String(repeating: "f", count: 64))
    }

    @Test("what is no digest is refused")
    func digestRefusals() {
        let hex = String(repeating: "a", count: 64)
        #expect(Digest("sha256:" + hex) != nil)
        for text in ["", hex, "sha512:" + hex, "sha256:" + hex.dropLast(), "sha256:" + hex + "a", "SHA256:" + hex] {
            #expect(Digest(text) == nil, "\(text)")
        }
        #expect(Digest(hex: String(repeating: "A", count: 64)) == nil)
        #expect(Digest(hex: String(repeating: "g", count: 64)) == nil)
        #expect(Digest(hex: String(repeating: "é", count: 32)) == nil)
        for count in [0, 31, 33] { #expect(Digest(bytes: [UInt8](repeating: 1, count: count)) == nil) }
    }
}
