import CXet
import Core

/// A hash of the Xet protocol: 32 bytes that are written as four little-endian numbers of 16 digits each.
public struct XetHash: Hashable, Sendable, LosslessStringConvertible {
    let words: Words

    /// Four numbers. Not a vector of the machine's: such would want to be aligned more strictly than what is kept over
    /// an `await` is.
    struct Words: Hashable, Sendable {
        private var first: UInt64 = 0
        private var second: UInt64 = 0
        private var third: UInt64 = 0
        private var fourth: UInt64 = 0

        subscript(place: Int) -> UInt64 {
            get {
                switch place {
                case 0: first
                case 1: second
                case 2: third
                default: fourth
                }
            }
            set {
                switch place {
                case 0: first = newValue
                case 1: second = newValue
                case 2: third = newValue
                default: fourth = newValue
                }
            }
        }

        static let zero = Words()
        static let ones: Words = {
            var words = Words()
            for place in 0..<4 { words[place] = .max }
            return words
        }()
    }

    init(words: Words) { self.words = words }

    /// - Parameter bytes: Exactly 32.
    init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 32 else { return nil }
        var words = Words()
        for (place, byte) in bytes.enumerated() { words[place / 8] |= UInt64(byte) << UInt64(place % 8 * 8) }
        self.words = words
    }

    /// - Parameter text: 64 hexadecimal digits.
    public init?(_ text: String) {
        let digits = Array(text.utf8)
        guard digits.count == 64 else { return nil }
        var words = Words()
        for place in 0..<4 {
            let word = String(decoding: digits[(16 * place)..<(16 * place + 16)], as: UTF8.self)
            guard let value = UInt64(word, radix: 16), !word.hasPrefix("+") else { return nil }
            words[place] = value
        }
        self.words = words
    }

    public var description: String {
        (0..<4).map { place in
            let text = String(words[place], radix: 16)
            return String(repeating: "0", count: 16 - text.utf8.count) + text
        }.joined()
    }

    var bytes: [UInt8] {
        (0..<4).flatMap { place in (0..<8).map { UInt8(truncatingIfNeeded: words[place] >> UInt64($0 * 8)) } }
    }

    /// The SHA-256 that a shard gives for a file is written in the same way.
    var digest: Digest? { Digest(hex: description) }

    /// Chunks with such a hash are looked for among what other files have.
    var isSampled: Bool { words[3] % 1024 == 0 }

    // MARK: Hashing

    static func chunk(_ bytes: UnsafeRawBufferPointer) -> XetHash { keyed(dataKey, bytes) }

    /// Of a xorb by its chunks; `nil` for none.
    static func xorb(_ chunks: some Sequence<XetChunk>) -> XetHash? {
        var nodes = chunks.map { (hash: $0.hash, length: UInt64($0.length)) }
        while nodes.count > 1 {
            var merged: [(hash: XetHash, length: UInt64)] = []
            var start = 0
            while start < nodes.count {
                let end = cut(nodes, start)
                merged.append(merge(nodes[start..<end]))
                start = end
            }
            nodes = merged
        }
        return nodes.first?.hash
    }

    /// Of a file by its chunks. An empty one has zero.
    static func file(_ chunks: some Sequence<XetChunk>) -> XetHash {
        guard let root = xorb(chunks) else { return XetHash(words: Words()) }
        return root.bytes.withUnsafeBytes { keyed([UInt8](repeating: 0, count: 32), $0) }
    }

    /// Of some chunks of a xorb: who can tell it has their hashes.
    static func range(_ chunks: some Sequence<XetChunk>) -> XetHash {
        chunks.flatMap(\.hash.bytes).withUnsafeBytes { keyed(verificationKey, $0) }
    }

    /// Where a node of the tree ends: at the first hash from the third on that four divides, at nine at the latest.
    private static func cut(_ nodes: [(hash: XetHash, length: UInt64)], _ start: Int) -> Int {
        guard nodes.count - start > 2 else { return nodes.count }
        let last = min(start + 9, nodes.count)
        for place in (start + 2)..<last where nodes[place].hash.words[3] % 4 == 0 { return place + 1 }
        return last
    }

    private static func merge(_ nodes: ArraySlice<(hash: XetHash, length: UInt64)>) -> (hash: XetHash, length: UInt64) {
        let text = nodes.map { "\($0.hash) : \($0.length)\n" }.joined()
        let hash = Array(text.utf8).withUnsafeBytes { keyed(nodeKey, $0) }
        return (hash, nodes.reduce(0) { $0 + $1.length })
    }

    static func keyed(_ key: [UInt8], _ bytes: UnsafeRawBufferPointer) -> XetHash {
        var hash = [UInt8](repeating: 0, count: 32)
        onepoint_blake3_keyed(key, bytes.baseAddress, bytes.count, &hash)
        guard let hash = XetHash(bytes: hash) else { preconditionFailure("BLAKE3 must be 32 bytes long") }
        return hash
    }

    private static let dataKey: [UInt8] = [
        102, 151, 245, 119, 91, 149, 80, 222, 49, 53, 203, 172, 165, 151, 24, 28, 157, 228, 33, 16, 155, 235, 43, 88,
        180, 208, 176, 75, 147, 173, 242, 41,
    ]
    private static let nodeKey: [UInt8] = [
        1, 126, 197, 199, 165, 71, 41, 150, 253, 148, 102, 102, 180, 138, 2, 230, 93, 221, 83, 111, 55, 199, 109, 210,
        248, 99, 82, 230, 74, 83, 113, 63,
    ]
    private static let verificationKey: [UInt8] = [
        127, 24, 87, 214, 206, 86, 237, 102, 18, 127, 249, 19, 231, 165, 195, 243, 164, 205, 38, 213, 181, 219, 73, 230,
        65, 36, 152, 127, 40, 251, 148, 195,
    ]
}

/// A piece of a file as Xet cuts it.
struct XetChunk: Hashable, Sendable {
    var hash: XetHash
    var length: UInt32
}
