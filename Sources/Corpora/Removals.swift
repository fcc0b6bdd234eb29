import Core

/// A document that goes because another one stays.
struct Removal: Sendable, Hashable {
    var document: DocumentNumber
    /// Its number in the ``Numbering`` of the run.
    var representative: UInt64
    /// 1 for equal texts.
    var jaccard: Float
    var kind: Kind

    enum Kind: UInt32, Sendable, CaseIterable {
        case exact = 0
        case near = 1

        var name: String {
            switch self {
            case .exact: "exact"
            case .near: "near"
            }
        }
    }

    static let byteCount = 24

    func write(to bytes: inout [UInt8]) {
        document.rawValue.append(to: &bytes)
        representative.append(to: &bytes)
        jaccard.bitPattern.append(to: &bytes)
        kind.rawValue.append(to: &bytes)
    }

    init(document: DocumentNumber, representative: UInt64, jaccard: Float, kind: Kind) {
        self.document = document
        self.representative = representative
        self.jaccard = jaccard
        self.kind = kind
    }

    init(_ bytes: [UInt8], at offset: Int) {
        document = DocumentNumber(rawValue: .init(bytes, at: offset))
        representative = .init(bytes, at: offset + 8)
        jaccard = Float(bitPattern: .init(bytes, at: offset + 16))
        kind = Kind(rawValue: .init(bytes, at: offset + 20)) ?? .near
    }
}

/// A document's place in the order of all: its block, and its index there.
struct DocumentNumber: RawRepresentable, Sendable, Hashable, Comparable {
    let rawValue: UInt64

    init(rawValue: UInt64) { self.rawValue = rawValue }

    init(block: Int, index: Int) { rawValue = UInt64(block) << 32 | UInt64(index) }

    var block: Int { Int(rawValue >> 32) }
    var index: Int { Int(rawValue & 0xFFFF_FFFF) }

    static func < (a: DocumentNumber, b: DocumentNumber) -> Bool { a.rawValue < b.rawValue }
}

/// All removals of a run, sorted by document, in a file.
struct Removals: Sendable {
    let path: String
    /// For each block where its removals begin, and one more for the end.
    let offsets: [Int]

    func of(_ ordinal: Int) throws(Failure) -> [Removal] {
        ordinal + 1 < offsets.count ? Self.read(try bytes(ofBlock: ordinal)) : []
    }

    /// The removals of a block's documents, as they stand in the file.
    func bytes(ofBlock ordinal: Int) throws(Failure) -> [UInt8] {
        let range = offsets[ordinal]..<offsets[ordinal + 1]
        guard !range.isEmpty else { return [] }
        let file = try InputFile(path)
        var bytes: [UInt8] = []
        try file.readAll(into: &bytes, range)
        return bytes
    }

    static func read(_ bytes: [UInt8]) -> [Removal] {
        stride(from: 0, to: bytes.count, by: Removal.byteCount).map { Removal(bytes, at: $0) }
    }
}
