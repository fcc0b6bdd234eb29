internal import CZlib

/// A text file, read whole: plain or gzip.
enum TextFile {
    /// Unpacked, a trace is refused above this size.
    static let bytesMax = 2 << 30

    /// - Throws: ``TraceFault``.
    static func read(_ path: String) throws(TraceFault) -> [UInt8] {
        guard let file = gzopen(path, "rb") else { throw TraceFault(path: path, what: "cannot be opened") }
        defer { gzclose(file) }
        gzbuffer(file, 1 << 18)
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = gzread(file, &piece, UInt32(piece.count))
            guard count >= 0 else {
                throw TraceFault(path: path, what: "is damaged: it cannot be unpacked after \(bytes.count) bytes")
            }
            if count == 0 { break }
            bytes.append(contentsOf: piece[..<Int(count)])
            guard bytes.count <= bytesMax else { throw TraceFault(path: path, what: "is larger than 2 GiB unpacked") }
        }
        var code: Int32 = 0
        _ = gzerror(file, &code)
        if code == Z_BUF_ERROR { throw TraceFault(path: path, what: "is cut off after \(bytes.count) bytes") }
        return bytes
    }
}
