import Core
import Curation
import Wire

/// Whole records of one file, at most about 64 MB: what is judged, cached and repeated as one.
struct Block: Sendable {
    /// From 0 over all files of all sources.
    let ordinal: Int
    /// From 1 within its file, or within the pages of several.
    let number: Int
    /// Index into ``PipelineFile/sources``.
    let source: Int
    /// Of the file, or of the first of several.
    let path: String
    let content: Content
    /// How many bytes of all source files, as they are on the disk, end before the block's end.
    let bytesBefore: Int
    /// Records that could not be taken in, by reason.
    let setAside: [String: Int]
    /// What of an archive it was read from, where that tells whether the block is still the same.
    var bytes: SourceBytes?

    enum Content: Sendable {
        /// JSON Lines.
        case lines([UInt8])
        case pages(PageBatch)
        /// Pages that an earlier pass read, by their digest; the source is still the same.
        case keptPages(Digest)
    }

    /// Tells whether a block is still the same, at a fraction of what ``digest`` costs.
    var check: String {
        switch content {
        case .lines(let bytes): TextHash(bytes.span).description
        case .pages(let batch): batch.digest.hex
        case .keptPages(let digest): digest.hex
        }
    }

    /// With the configuration it names everything that is made of the block.
    var digest: Digest {
        switch content {
        case .lines(let bytes): Disk.sha256(bytes.span)
        case .pages(let batch): batch.digest
        case .keptPages(let digest): digest
        }
    }
}

/// A block whose records are JSON Lines, as they came or made of pages.
struct RecordBlock: Sendable {
    let block: Block
    let digest: Digest
    let lines: [UInt8]
    /// What the members of its records are called.
    let fields: PipelineDocument.Fields
    let setAside: [String: Int]
}

/// How large blocks and records are.
public struct BlockLimits: Sendable {
    /// Bytes of records in a block, before a whole record more.
    public var blockBytes = 64 << 20
    /// Bytes of one record; larger ones are set aside.
    public var recordBytesMax = 64 << 20

    public init() {}
}

/// Cuts a file of JSON Lines into blocks. The cuts depend on the bytes alone.
struct LineBlocks: ~Copyable {
    private var bytes: PackedFile
    private let limits: BlockLimits
    private var buffer: [UInt8] = []
    private var isEnd = false
    private(set) var setAside: [String: Int] = [:]

    /// What is read at once, so that a block ends about where it says.
    private static let readBytes = 4 << 20

    init(_ file: PipelineFile.Source.File, limits: BlockLimits) throws(Failure) {
        bytes = try PackedFile(file)
        self.limits = limits
    }

    var fileOffset: Int { bytes.fileOffset }

    /// The next lines; `nil` at the end.
    mutating func next() throws(Failure) -> [UInt8]? {
        setAside = [:]
        buffer.reserveRoom(min(limits.blockBytes, bytes.expectedCount) + Self.readBytes)
        while true {
            while buffer.count < limits.blockBytes, !isEnd { try fill() }
            // What was set aside at the end has to be told with a block, though it be empty.
            guard !buffer.isEmpty else { return setAside.isEmpty ? nil : [] }
            if isEnd, buffer.count <= limits.blockBytes {
                return take(buffer.count)
            }
            if let end = lastLineEnd(before: limits.blockBytes) { return take(end) }
            // One line is longer than a block.
            var searched = limits.blockBytes
            while true {
                if let newline = buffer[min(searched, buffer.count)...].firstIndex(of: 0x0A) {
                    if newline + 1 <= limits.recordBytesMax { return take(newline + 1) }
                    buffer.removeFirst(newline + 1)
                    setAside["too-large", default: 0] += 1
                    break
                }
                searched = buffer.count
                if isEnd {
                    if buffer.count <= limits.recordBytesMax { return take(buffer.count) }
                    buffer = []
                    setAside["too-large", default: 0] += 1
                    break
                }
                if buffer.count > limits.recordBytesMax {
                    // Its bytes are of no use; only where it ends is.
                    try skipLine()
                    break
                }
                try fill()
            }
        }
    }

    private mutating func fill() throws(Failure) {
        if let fault = try bytes.read(into: &buffer, countMax: min(Self.readBytes, limits.blockBytes)) {
            setAside[fault, default: 0] += 1
            isEnd = true
        } else if bytes.isAtEnd {
            isEnd = true
        }
    }

    private mutating func skipLine() throws(Failure) {
        setAside["too-large", default: 0] += 1
        while true {
            buffer = []
            if isEnd { return }
            try fill()
            if let newline = buffer.firstIndex(of: 0x0A) {
                buffer.removeFirst(newline + 1)
                return
            }
        }
    }

    private func lastLineEnd(before end: Int) -> Int? {
        buffer[..<min(end, buffer.count)].lastIndex(of: 0x0A).map { $0 + 1 }
    }

    private mutating func take(_ end: Int) -> [UInt8] {
        let rest = Array(buffer[end...])
        buffer.removeLast(buffer.count - end)
        defer { buffer = rest }
        return limits.recordBytesMax < buffer.count ? withoutLongLines(buffer) : buffer
    }

    /// Where a block may have more bytes than a record.
    private mutating func withoutLongLines(_ bytes: [UInt8]) -> [UInt8] {
        var kept: [UInt8] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, bytes.lineEnd(from: start) + 1)
            if end - start <= limits.recordBytesMax {
                kept += bytes[start..<end]
            } else {
                setAside["too-large", default: 0] += 1
            }
            start = end
        }
        return kept
    }
}
