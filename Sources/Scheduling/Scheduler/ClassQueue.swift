internal import Core

/// Waiting jobs of one class in the order of a key: a sorted array in pieces, so that a million jobs can be put in and
/// taken out anywhere at the cost of one piece.
struct ClassQueue {
    struct Entry {
        var key: Int64
        /// Of arrival, among equal keys.
        var sequence: UInt32
        var job: Int32
    }

    /// A place in the queue; after its entry was taken out, that of the one behind it.
    struct Cursor {
        var piece = 0
        var offset = 0
    }

    private var pieces: [[Entry]] = []
    private(set) var count = 0
    private static let pieceMax = 512

    var isEmpty: Bool { count == 0 }

    @inline(__always)
    subscript(cursor: Cursor) -> Entry? {
        guard cursor.piece < pieces.count else { return nil }
        if cursor.offset < pieces[cursor.piece].count { return pieces[cursor.piece][cursor.offset] }
        return cursor.piece + 1 < pieces.count ? pieces[cursor.piece + 1][0] : nil
    }

    @inline(__always)
    func after(_ cursor: Cursor) -> Cursor {
        cursor.offset < pieces[cursor.piece].count
            ? Cursor(piece: cursor.piece, offset: cursor.offset + 1) : Cursor(piece: cursor.piece + 1, offset: 1)
    }

    mutating func insert(_ entry: Entry) {
        count += 1
        if count == 1 {
            // The memory of the last piece is kept: classes run empty and fill again all the time.
            if pieces.isEmpty { pieces.append([entry]) } else { pieces[0].append(entry) }
            return
        }
        var piece = pieces.count - 1
        if piece > 0, !(pieces[piece][0] < entry) { piece = self.piece(for: entry) }
        if let last = pieces[piece].last, last < entry {
            pieces[piece].append(entry)
        } else {
            pieces[piece].insert(entry, at: offset(of: entry, in: piece))
        }
        if pieces[piece].count > Self.pieceMax {
            let half = pieces[piece].count / 2
            let tail = Array(pieces[piece][half...])
            pieces[piece].removeLast(tail.count)
            pieces.insert(tail, at: piece + 1)
        }
    }

    /// Takes an entry out, and says where it stood.
    @discardableResult
    mutating func remove(_ entry: Entry) -> Cursor {
        let piece = piece(for: entry)
        let offset = offset(of: entry, in: piece)
        precondition(
            piece < pieces.count && offset < pieces[piece].count && pieces[piece][offset].job == entry.job,
            "a job leaves a queue that it is not in"
        )
        pieces[piece].remove(at: offset)
        count -= 1
        if pieces[piece].isEmpty, pieces.count > 1 {
            pieces.remove(at: piece)
            return Cursor(piece: piece, offset: 0)
        }
        return Cursor(piece: piece, offset: offset)
    }

    /// Where an entry stands, or the one behind it if it is gone.
    func cursor(at entry: Entry) -> Cursor {
        guard !pieces.isEmpty else { return Cursor() }
        let piece = piece(for: entry)
        return Cursor(piece: piece, offset: offset(of: entry, in: piece))
    }

    /// The last piece whose first entry is not after this one, or the first piece.
    private func piece(for entry: Entry) -> Int {
        if pieces.count == 1 { return 0 }
        return max(0, pieces.partitioningIndex { entry < $0[0] } - 1)
    }

    private func offset(of entry: Entry, in piece: Int) -> Int {
        pieces[piece].partitioningIndex { !($0 < entry) }
    }
}

extension ClassQueue.Entry: Comparable {
    @inline(__always)
    static func < (a: Self, b: Self) -> Bool { a.key != b.key ? a.key < b.key : a.sequence < b.sequence }
}
