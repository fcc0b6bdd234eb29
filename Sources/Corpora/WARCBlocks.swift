import Core
import Curation

/// Cuts a web archive into batches of pages.
struct WARCBlocks: ~Copyable {
    private let file: InputFile
    private let limits: BlockLimits
    private var reader: WARCReader
    private var window: [UInt8] = []
    private var windowOffset = 0
    private var windowBytes = 1 << 20
    private var isEnd = false
    /// Where the last batch ended in the file.
    private var batchEnd = 0

    init(_ file: PipelineFile.Source.File, limits: BlockLimits) throws(Failure) {
        self.file = try InputFile(file.path)
        self.limits = limits
        reader = WARCReader(limits: WARCLimits(recordMaxBytes: limits.recordBytesMax))
    }

    var fileOffset: Int { min(reader.offset, file.count) }

    /// The next pages; `nil` at the end.
    mutating func next() throws(Failure) -> PageBatch? {
        var batch = PageBatch()
        while !isEnd, batch.bytes.count < limits.blockBytes {
            let rest = max(0, reader.offset - windowOffset)
            if reader.offset < windowOffset || rest > window.count { try load() }
            let start = max(0, reader.offset - windowOffset)
            let window = window
            let isLast = windowOffset + window.count >= file.count
            switch reader.step(window.span.extracting(min(start, window.count)...), isLast: isLast) {
            case .record: take(into: &batch)
            case .fault(let fault): batch.setAside[fault.name, default: 0] += 1
            case .needMore(let bytes):
                windowBytes = max(1 << 20, bytes)
                try load()
            case .end: isEnd = true
            }
        }
        return isEnd && batch.pages.isEmpty && batch.setAside.isEmpty ? nil : batch
    }

    /// The file's bytes from the end of the batch before to that of the last one; `nil` where the reader has gone back
    /// behind it.
    mutating func batchBytes() throws(Failure) -> SourceBytes? {
        let start = batchEnd
        batchEnd = isEnd ? file.count : fileOffset
        return start <= batchEnd ? try SourceBytes(file, start..<batchEnd) : nil
    }

    /// Makes the window begin where the reader stands.
    private mutating func load() throws(Failure) {
        windowOffset = reader.offset
        window.removeAll(keepingCapacity: true)
        while window.count < windowBytes {
            let got = try file.read(
                into: &window,
                at: windowOffset + window.count,
                countMax: windowBytes - window.count
            )
            if got == 0 { return }
        }
    }

    private mutating func take(into batch: inout PageBatch) {
        let record = reader.record
        let type = reader.text(record.contentType).lowercased()
        let isHTML = type.hasPrefix("text/html") || type.hasPrefix("application/xhtml+xml")
        switch record.kind {
        case .warcinfo: return
        case .response:
            guard record.status == 200 else {
                batch.setAside["http-status", default: 0] += 1
                return
            }
        case .resource, .conversion: break
        }
        guard isHTML || type.hasPrefix("text/plain") else {
            batch.setAside["no-text-type", default: 0] += 1
            return
        }
        let url = reader.text(record.targetURI)
        let id = reader.text(record.id)
        let date = reader.text(record.date)
        let charset = reader.text(record.charset)
        reader.withBody { body in
            batch.append(
                body,
                id: id.isEmpty ? url : id,
                url: url,
                date: date,
                charset: charset,
                isHTML: isHTML
            )
        }
    }
}

extension WARCFault {
    /// As reports count it.
    var name: String {
        var name = "warc-"
        for character in "\(kind)".prefix(while: { $0 != "(" }) {
            if character.isUppercase { name.append("-") }
            name += character.lowercased()
        }
        return name
    }
}
