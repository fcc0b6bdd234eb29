/// Makes the sketch of one document after another: a key per band, and a hash of all of its words.
///
/// Memory is some 20 kB however long a text is. Keep one per worker; results do not depend on what came before.
public struct DocumentSketcher: Sendable {
    /// Of words, shingles, hashes and the family of hash functions together. Keep it, and the settings, with stored
    /// keys: those of another version say nothing to ours, and must be made anew from the texts.
    public static let version = 1

    /// The keys of the last text, one per band. Without meaning if it has no words.
    public var bandKeys: [UInt64] { minHash.bandKeys }
    /// XXH3-128 of the last text's words: texts that differ in case, white space and punctuation alone have the same.
    public private(set) var identity = TextHash(high: 0, low: 0)
    /// Words of the last text; each Han character and kana counts as one.
    public private(set) var wordCount = 0

    private var shingler = WordShingler()
    private var minHash: MinHash

    public init(_ settings: NearDuplicateSettings, on instructionSet: InstructionSet = .best) {
        minHash = MinHash(settings, on: instructionSet)
    }

    /// Sketches a text that is in memory.
    public mutating func sketch(_ text: Span<UInt8>) {
        begin()
        add(text)
        end()
    }

    /// Starts a text that comes in pieces.
    public mutating func begin() {
        shingler.begin()
        minHash.begin()
    }

    /// Takes the next piece; pieces may be cut anywhere, in the middle of a character too.
    public mutating func add(_ piece: Span<UInt8>) {
        var position = 0
        while shingler.next(piece, from: &position) {
            minHash.add(shingler.shingles, count: shingler.shingleCount)
        }
    }

    /// Ends the text; the results are ready.
    public mutating func end() {
        shingler.last()
        minHash.add(shingler.shingles, count: shingler.shingleCount)
        minHash.end()
        identity = shingler.identity
        wordCount = shingler.wordCount
    }

    /// What the last text gives to the join of bands. Nothing for a text without words: it is near to no other.
    public func appendBands(of document: UInt64, to entries: inout [BandEntry]) {
        guard wordCount > 0 else { return }
        for key in bandKeys { entries.append(BandEntry(key: key, document: document)) }
    }

    /// What the last text gives to the join of documents with the same words. Nothing for a text without words.
    public func appendIdentity(of document: UInt64, to entries: inout [ExactEntry]) {
        guard wordCount > 0 else { return }
        entries.append(ExactEntry(hash: identity, document: document))
    }
}
