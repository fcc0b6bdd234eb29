import Curation

/// What is kept of every document for the steps that look at all of them: 32 bytes.
///
/// On the disk: numbers from low to high byte, in the order of the properties.
struct ItemRow: Sendable, Hashable {
    /// Of the text as it is judged and written, without what duplicates take from it.
    var hash: TextHash
    /// Where its line begins in the block.
    var lineStart: UInt32
    var lineBytes: UInt32
    var textBytes: UInt32
    /// 0: kept. Else one more than the rule's index in ``BlockResult/rules``.
    var fate: UInt16
    var flags: Flags

    struct Flags: OptionSet, Sendable, Hashable {
        let rawValue: UInt16
        /// Has a line in the edits.
        static let isEdited = Flags(rawValue: 1)
    }

    static let byteCount = 32

    var isKept: Bool { fate == 0 }

    func write(to bytes: inout [UInt8]) {
        hash.high.append(to: &bytes)
        hash.low.append(to: &bytes)
        lineStart.append(to: &bytes)
        lineBytes.append(to: &bytes)
        textBytes.append(to: &bytes)
        fate.append(to: &bytes)
        flags.rawValue.append(to: &bytes)
    }

    /// - Parameter offset: Where it begins; all of it is there.
    init(_ bytes: [UInt8], at offset: Int) {
        hash = TextHash(high: .init(bytes, at: offset), low: .init(bytes, at: offset + 8))
        lineStart = .init(bytes, at: offset + 16)
        lineBytes = .init(bytes, at: offset + 20)
        textBytes = .init(bytes, at: offset + 24)
        fate = .init(bytes, at: offset + 28)
        flags = Flags(rawValue: .init(bytes, at: offset + 30))
    }

    init(hash: TextHash, lineStart: Int, lineBytes: Int, textBytes: Int) {
        self.hash = hash
        self.lineStart = UInt32(clamping: lineStart)
        self.lineBytes = UInt32(clamping: lineBytes)
        self.textBytes = UInt32(clamping: textBytes)
        fate = 0
        flags = []
    }
}

extension [UInt8] {
    /// Appends bytes that `write` stores, all of them.
    @inline(__always)
    mutating func appendRaw(count: Int, _ write: (UnsafeMutableRawBufferPointer) -> Void) {
        append(addingCapacity: count) { added in
            added.withUnsafeMutableBufferPointer { room, initialized in
                write(UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(room)[..<count]))
                initialized = count
            }
        }
    }
}

extension FixedWidthInteger {
    /// From low to high byte.
    func append(to bytes: inout [UInt8]) {
        bytes.appendRaw(count: MemoryLayout<Self>.size) { $0.storeBytes(of: littleEndian, as: Self.self) }
    }

    /// - Parameter offset: All of its bytes are there.
    init(_ bytes: [UInt8], at offset: Int) {
        precondition(offset >= 0 && offset + MemoryLayout<Self>.size <= bytes.count, "the number is inside the bytes")
        self = bytes.withUnsafeBytes { Self(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Self.self)) }
    }
}
