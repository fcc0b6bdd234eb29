/// A set of document numbers, a bit each: 125 MB for 10⁹ documents.
public struct DocumentSet: Sendable {
    private var words: [UInt64] = []

    public init() {}

    public mutating func insert(_ document: UInt64) {
        let word = Int(document / 64)
        if word >= words.count { words.append(contentsOf: repeatElement(0, count: word + 1 - words.count)) }
        words[word] |= 1 << (document % 64)
    }

    public func contains(_ document: UInt64) -> Bool {
        let word = Int(document / 64)
        return word < words.count && words[word] >> (document % 64) & 1 == 1
    }
}
