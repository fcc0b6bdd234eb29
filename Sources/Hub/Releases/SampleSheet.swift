import Core
import Curation
import NIOCore

/// A sample as a release brings it: what was drawn, and where in the file beside it each record's text is.
struct SampleSheet: Sendable {
    let check: SpotCheck
    /// Of the file of texts.
    let texts: Core.Digest

    /// Reads the head, and holds it against the draw.
    ///
    /// - Throws: `.invalid` when it is none, or its items are not those that the root draws.
    init(_ bytes: [UInt8], texts: Core.Digest) throws(Failure) {
        let json: JSON
        do {
            json = try JSON(parsing: bytes)
        } catch {
            throw Failure(.invalid, "The sample is not JSON: it \(error.message), at byte \(error.offset).")
        }
        check = try SpotCheck(json)
        self.texts = texts
        guard check.isRedrawn(hash: sha256) else {
            throw Failure(
                .invalid,
                "The sample lists other records than its root, its purpose and its count draw."
            )
        }
    }
}

/// Where the lines of a file of texts are, by the places that they name.
struct LineIndex: Sendable {
    private(set) var ranges: [Int: Range<Int64>] = [:]

    /// Of a file of texts; a longer one is not judged here.
    static let fileBytesMax: Int64 = 1 << 30
    /// Of one record; it is cut when it is shown.
    static let lineBytesMax: Int64 = 8 << 20
    private static let headBytesMax = 64

    /// Reads the file once.
    static func read(_ chunks: some AsyncSequence<ByteBuffer, any Error> & Sendable) async throws -> LineIndex {
        var index = LineIndex()
        var head: [UInt8] = []
        var start: Int64 = 0
        var offset: Int64 = 0
        for try await chunk in chunks {
            var rest = chunk.readableBytesView[...]
            while let end = rest.firstIndex(of: 0x0A) {
                head.append(contentsOf: rest[..<end].prefix(headBytesMax - head.count))
                let lineEnd = offset + Int64(end - rest.startIndex)
                index.add(head, start..<lineEnd)
                head.removeAll(keepingCapacity: true)
                offset = lineEnd + 1
                start = offset
                rest = rest[(end + 1)...]
            }
            head.append(contentsOf: rest.prefix(headBytesMax - head.count))
            offset += Int64(rest.count)
        }
        index.add(head, start..<offset)
        return index
    }

    /// A line begins with its place: `{"place":17,"record":…`. The first of two for a place counts.
    private mutating func add(_ head: [UInt8], _ range: Range<Int64>) {
        let prefix = Array(#"{"place":"#.utf8)
        guard head.starts(with: prefix) else { return }
        let digits = head.dropFirst(prefix.count).prefix { (0x30...0x39).contains($0) }
        guard let place = Int(String(decoding: digits, as: UTF8.self)), ranges[place] == nil else { return }
        ranges[place] = range
    }
}
