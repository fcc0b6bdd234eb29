import Core
import Curation
import Wire

/// What the operators of one pipeline say of one text.
struct Examiner: Sendable {
    /// Of the last text.
    private(set) var outcome = Outcome()
    /// SHA-256 of every file that operators were made of, in the order of the pipeline.
    private(set) var files: [Digest] = []

    /// - Throws: ``Failure`` when a file that the pipeline names cannot be used.
    init(_ file: PipelineFile) throws(Failure) {}

    struct Outcome: Sendable {
        /// Of the text after all edits.
        var hash = TextHash(high: 0, low: 0)
        /// After all edits.
        var textBytes = 0
        var language: (code: String, probability: Double)?
        /// The first rule that would not have it.
        var dropped: Drop?
        var edits = TextEdits()
        var personal: [(name: String, count: Int)] = []
        var keywords: [(name: String, count: Int)] = []
        var tokens = 0
        /// Every rule that was asked, where all were to be listed.
        var findings: [Explanation.Finding] = []
    }

    struct Drop: Sendable {
        var rule: String
        var value: Double?
        var threshold: Double?
    }

    /// Judges a text; ``outcome`` has what was found.
    ///
    /// - Parameter listsAll: Whether to go on after the first rule that would drop it, and to list every rule.
    mutating func examine(_ text: Span<UInt8>, listsAll: Bool = false) {
        outcome = Outcome()
        outcome.hash = TextHash(text)
        outcome.textBytes = text.count
    }

    mutating func writeSketch(to bytes: inout [UInt8]) {}
}
