import Core
import Wire

/// Takes whole files as pages, many to a batch.
struct FileBlocks {
    private let files: [PipelineFile.Source.File]
    private let limits: BlockLimits
    private let root: String
    private var next = 0
    private(set) var bytesRead = 0

    /// - Parameter root: What the ids of pages leave out of their paths.
    init(_ files: [PipelineFile.Source.File], root: String, limits: BlockLimits) {
        self.files = files
        self.root = root
        self.limits = limits
    }

    /// The next files' pages; `nil` at the end.
    mutating func batch() throws(Failure) -> PageBatch? {
        guard next < files.count else { return nil }
        var batch = PageBatch()
        while next < files.count, batch.bytes.count < limits.blockBytes {
            let file = files[next]
            next += 1
            bytesRead += file.bytes
            var bytes: [UInt8] = []
            var packed = try PackedFile(file)
            while !packed.isAtEnd, bytes.count <= limits.recordBytesMax {
                if let fault = try packed.read(into: &bytes, countMax: 1 << 20) {
                    batch.setAside[fault, default: 0] += 1
                    break
                }
            }
            guard bytes.count <= limits.recordBytesMax else {
                batch.setAside["too-large", default: 0] += 1
                continue
            }
            let id =
                file.path.utf8.starts(with: root.utf8)
                ? String(decoding: file.path.utf8.dropFirst(root.utf8.count), as: UTF8.self) : file.path
            batch.append(bytes.span, id: id, url: "", date: "", charset: "", isHTML: file.format.content == .html)
        }
        return batch
    }
}
