import Core
import NIOCore

/// What was announced when an upload began: one `key value` pair a line, so that it survives a restart.
struct UploadMeta: Sendable {
    var expected: Digest?
    var size: Bytes?
    var owner: String?
    var begun: Instant

    init(expected: Digest?, size: Bytes?, owner: String? = nil, begun: Instant) {
        self.expected = expected
        self.size = size
        self.owner = owner
        self.begun = begun
    }

    var text: String {
        var text = "begun \(begun.milliseconds)\n"
        if let expected { text += "expected \(expected)\n" }
        if let size { text += "size \(size.count)\n" }
        if let owner { text += "owner \(owner)\n" }
        return text
    }

    /// Blocks.
    init(reading path: String) throws(SystemError) {
        let text = String(buffer: try Descriptor(path, .read).buffer(at: 0, count: 512))
        begun = Instant(milliseconds: 0)
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "begun": begun = Instant(milliseconds: Int64(parts[1]) ?? 0)
            case "expected": expected = Digest(String(parts[1]))
            case "owner": owner = String(parts[1])
            case "size": size = Int64(parts[1]).map { Bytes($0) }
            default: continue
            }
        }
    }

    /// Blocks. Under another name first: an upload exists once `meta` does.
    func write(in folder: String) throws {
        let draft = folder + "/meta.new"
        let file = try Descriptor(draft, .create(mode: 0o600))
        try Array(text.utf8).withUnsafeBytes { try file.write($0, at: 0) }
        try FileSystem.move(draft, to: folder + "/meta")
    }
}
