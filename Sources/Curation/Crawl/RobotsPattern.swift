/// A path pattern of `robots.txt`: a prefix in which `*` stands for anything and a `$` at the end for the end.
///
/// Matching takes time linear in pattern and address, since files come from anybody.
///
/// > Source: RFC 9309, sections 2.2.2 and 2.2.3.
struct RobotsPattern: Sendable, Equatable {
    /// What stands between the stars, in the encoding of ``subject(_:)``; the first is a prefix.
    let pieces: [[UInt8]]
    let isAnchored: Bool
    /// Octets, for which pattern is the most specific.
    let length: Int

    /// `nil` for a pattern that no address of ours can fit, because it is too long.
    init?(_ given: ArraySlice<UInt8>) {
        var text = given
        isAnchored = text.last == UInt8(ascii: "$")
        if isAnchored { text.removeLast() }
        var pieces = text.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map { Self.encoded($0) }
        let stars = pieces.count - 1
        length = pieces.reduce(stars + (isAnchored ? 1 : 0)) { $0 + $1.count }
        // Two stars in a row are one; an empty last piece is the star that a prefix has anyway, unless it is anchored.
        let last = pieces.count - 1
        pieces = pieces.enumerated().filter { $0 == 0 || $0 == last || !$1.isEmpty }.map(\.element)
        self.pieces = pieces
        guard pieces.reduce(0, { $0 + $1.count }) <= 4 * WebURL.bytesMax else { return nil }
    }

    /// An address's path and query as patterns are compared with it: a literal `*` or `$` of it is escaped.
    static func subject(_ target: String) -> [UInt8] { encoded(Array(target.utf8)[...]) }

    private static func encoded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        PercentCoding.append(bytes, escaping: special, to: &out)
        return out
    }

    private static let special = Array("*$\"#<>^`{}'".utf8)

    func matches(_ subject: [UInt8]) -> Bool {
        guard subject.starts(with: pieces[0]) else { return false }
        if pieces.count == 1 { return !isAnchored || subject.count == pieces[0].count }
        var at = pieces[0].count
        for piece in pieces[1..<(pieces.count - 1)] {
            guard let end = Self.find(piece, in: subject, from: at) else { return false }
            at = end
        }
        let last = pieces[pieces.count - 1]
        if isAnchored { return subject.count - at >= last.count && subject.suffix(last.count).elementsEqual(last) }
        return last.isEmpty || Self.find(last, in: subject, from: at) != nil
    }

    /// The end of the first place where the piece stands.
    ///
    /// > Source: Knuth, Morris, Pratt, "Fast Pattern Matching in Strings", 1977.
    private static func find(_ piece: [UInt8], in subject: [UInt8], from start: Int) -> Int? {
        guard !piece.isEmpty, subject.count - start >= piece.count else { return nil }
        var borders = [Int](repeating: 0, count: piece.count)
        var matched = 0
        for index in 1..<max(piece.count, 1) {
            while matched > 0, piece[matched] != piece[index] { matched = borders[matched - 1] }
            if piece[matched] == piece[index] { matched += 1 }
            borders[index] = matched
        }
        matched = 0
        for index in start..<subject.count {
            while matched > 0, piece[matched] != subject[index] { matched = borders[matched - 1] }
            if piece[matched] == subject[index] { matched += 1 }
            if matched == piece.count { return index + 1 }
        }
        return nil
    }
}
