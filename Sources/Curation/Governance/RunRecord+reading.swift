public import Core

extension RunRecord {
    /// Counts beyond this are nobody's: it keeps their sums within 64 bits.
    private static let countMax = 1 << 48
    private static let violationsMax = 20

    /// Reads what a stranger says is a `run.json`.
    ///
    /// - Parameter bytes: The caller caps their length.
    /// - Throws: ``Failure`` of code `invalid` with what is wrong and where, at most 20 of it.
    public init(untrusted bytes: some Collection<UInt8>) throws(Failure) {
        do {
            self = try JSON(parsing: bytes).decode()
        } catch let error as JSONError {
            throw Failure(.invalid, "run.json is not JSON: it \(error.message), at byte \(error.offset).")
        } catch let error as DecodingError {
            throw Failure(
                .invalid,
                "run.json is none of 'onepoint data run'.",
                violations: [Violation(decoding: error)]
            )
        } catch {
            throw Failure(.invalid, "run.json is none of 'onepoint data run'.", note: "\(error)")
        }
        let faults = self.faults
        guard faults.isEmpty else { throw Failure(.invalid, "run.json contradicts itself.", violations: faults) }
    }

    /// Counts that cannot be.
    private var faults: [Violation] {
        var faults: [Violation] = []
        func check(_ count: Int, _ pointer: @autoclosure () -> String) {
            guard !(0...Self.countMax).contains(count), faults.count < Self.violationsMax else { return }
            faults.append(Violation(pointer(), "must be a whole number from 0 to 2^48"))
        }
        func check(_ tally: BlockSummary.Tally, _ pointer: @autoclosure () -> String) {
            check(tally.count, pointer() + "/count")
            check(tally.bytes, pointer() + "/bytes")
        }
        func check(_ tallies: [String: BlockSummary.Tally], _ pointer: String) {
            for (name, tally) in tallies { check(tally, "\(pointer)/\(name.prefix(100))") }
        }
        func check(_ counts: [String: Int], _ pointer: String) {
            for (name, count) in counts { check(count, "\(pointer)/\(name.prefix(100))") }
        }
        for (name, count) in [("blocks", blocks), ("blocks_reused", blocksReused), ("bytes_total", bytesTotal)] {
            check(count, "/\(name)")
        }
        check(summary.records, "/summary/records")
        check(summary.documents, "/summary/documents")
        check(summary.kept, "/summary/kept")
        for (name, count) in [
            ("contaminated", summary.contaminated), ("edited", summary.edited), ("tokens", summary.tokens),
        ] {
            check(count, "/summary/\(name)")
        }
        check(summary.setAside, "/summary/set_aside")
        check(summary.dropped, "/summary/dropped")
        check(summary.fates, "/summary/fates")
        check(summary.languages, "/summary/languages")
        check(summary.personal, "/summary/personal")
        check(summary.keywords, "/summary/keywords")
        check(duplicates, "/duplicates")
        check(repeats, "/repeats")
        check(written, "/written")
        for (index, part) in parts.enumerated() {
            check(part.bytes, "/parts/\(index)/bytes")
            check(part.documents, "/parts/\(index)/documents")
            check(part.textBytes, "/parts/\(index)/text_bytes")
        }
        return faults.sorted { $0.pointer < $1.pointer }
    }
}
