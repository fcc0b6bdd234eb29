import Core

/// Records spread over files by where they belong, so that each file can be worked on in memory.
final class PartitionFiles {
    private let folder: String
    private var buffers: [[UInt8]]
    private var sizes: [Int]
    /// Bytes that wait for a partition before they are written.
    private let bufferBytes: Int

    /// A partition is meant to have about so many bytes.
    static let partitionBytes = 32 << 20
    static let countMax = 1024

    /// How many partitions are right for so many bytes: a power of two.
    static func count(for bytes: Int) -> Int {
        var count = 1
        while count < countMax, bytes / count > partitionBytes { count *= 2 }
        return count
    }

    init(_ folder: String, count: Int) throws(Failure) {
        Disk.removeFolder(folder)
        try Disk.makeFolder(folder)
        self.folder = folder
        buffers = .init(repeating: [], count: count)
        sizes = .init(repeating: 0, count: count)
        bufferBytes = max(4096, (16 << 20) / count)
    }

    deinit { Disk.removeFolder(folder) }

    var count: Int { buffers.count }

    func append<Record: BitwiseCopyable>(_ record: Record, to partition: Int) throws(Failure) {
        buffers[partition].appendRaw(count: MemoryLayout<Record>.size) { $0.storeBytes(of: record, as: Record.self) }
        if buffers[partition].count >= bufferBytes { try flush(partition) }
    }

    /// All records of a partition; it is forgotten with that.
    func take<Record: BitwiseCopyable>(_ type: Record.Type, _ partition: Int) throws(Failure) -> [Record] {
        var bytes = buffers[partition]
        if sizes[partition] > 0 {
            try flush(partition)
            bytes = try Disk.read(path(partition), bytesMax: sizes[partition])
        }
        buffers[partition] = []
        let stride = MemoryLayout<Record>.stride
        return [Record](unsafeUninitializedCapacity: bytes.count / stride) { records, count in
            bytes.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(records).copyMemory(
                    from: .init(rebasing: $0.prefix(bytes.count / stride * stride))
                )
            }
            count = bytes.count / stride
        }
    }

    private func flush(_ partition: Int) throws(Failure) {
        let bytes = buffers[partition]
        try Disk.append(bytes.span, to: path(partition))
        sizes[partition] += buffers[partition].count
        buffers[partition].removeAll(keepingCapacity: true)
    }

    private func path(_ partition: Int) -> String { "\(folder)/\(partition)" }
}
