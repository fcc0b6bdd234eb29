import Core
import Curation

extension SourceBytes {
    private static let pieceBytes = 1 << 20

    init(_ file: borrowing InputFile, _ range: Range<Int>) throws(Failure) {
        var piece: [UInt8] = []
        var hash: UInt64 = 0
        var at = range.lowerBound
        while at < range.upperBound {
            let end = min(range.upperBound, at + Self.pieceBytes)
            piece.removeAll(keepingCapacity: true)
            try file.readAll(into: &piece, at..<end)
            hash = TextHash.hash64(piece.span, seed: hash)
            at = end
        }
        self.init(range: range, hash: hash)
    }
}

/// The blocks of an archive whose pages are kept, told by the bytes of the archive alone.
struct KeptArchive: ~Copyable {
    private let file: InputFile
    private let blocks: [JudgedBlock]
    private var next = 0

    /// - Parameters:
    ///   - name: What the blocks call it.
    ///   - judged: Of the archive's blocks and those behind them.
    ///   - hasPages: Whether the pages of a block are kept.
    /// - Returns: `nil` when the archive has to be unpacked.
    static func open(
        _ current: PipelineFile.Source.File,
        named name: String,
        _ judged: ArraySlice<JudgedBlock>,
        hasPages: (JudgedBlock) -> Bool
    ) throws(Failure) -> KeptArchive? {
        var blocks: [JudgedBlock] = []
        for block in judged {
            guard block.path == name, let bytes = block.bytes else { break }
            // The same file may be named twice.
            guard bytes.range.lowerBound == blocks.last?.bytes?.range.upperBound ?? 0 else { break }
            guard hasPages(block) else { return nil }
            blocks.append(block)
        }
        let file = try InputFile(current.path)
        guard !blocks.isEmpty, blocks.last?.bytes?.range.upperBound == file.count else { return nil }
        return KeptArchive(file: file, blocks: blocks)
    }

    private init(file: consuming InputFile, blocks: [JudgedBlock]) {
        self.file = file
        self.blocks = blocks
    }

    /// The next block; `nil` after the last.
    ///
    /// - Throws: ``Failure`` when it is not what was judged.
    mutating func block() throws(Failure) -> JudgedBlock? {
        guard next < blocks.count else { return nil }
        let block = blocks[next]
        next += 1
        guard let bytes = block.bytes, file.count >= bytes.range.upperBound,
            try SourceBytes(file, bytes.range) == bytes
        else { throw PipelineRun.changed(block.path) }
        return block
    }
}
