import Core
import Curation
import Glibc

/// What judging a block gave: a function of the block's bytes and of the configuration, nothing else.
struct BlockResult: Sendable {
    /// An ``ItemRow`` for each document.
    var items: [UInt8] = []
    /// A JSON line for each document: what it is and what became of it.
    var decisions: [UInt8] = []
    /// ``TextEdits`` of the documents that have any.
    var edits: [UInt8] = []
    /// What near duplicates are found by, for each document that is kept.
    var sketches: [UInt8] = []
    /// A ``LineEntry`` for each line of what is kept that is long enough, with the rank of its document.
    var lines: [UInt8] = []
    /// Names of the rules that ``ItemRow/fate`` counts.
    var rules: [String] = []
    var summary = BlockSummary()
}

/// The folder in which results are kept under the name of what they are made of.
struct BlockCache: Sendable {
    let folder: String

    /// - Parameter key: Of a block's bytes and the configuration.
    func folder(of key: Digest) -> String { "\(folder)/\(key.hex.prefix(2))/\(key.hex)" }

    func has(_ key: Digest) -> Bool { Disk.exists(folder(of: key) + "/summary.json") }

    /// Files before their folder, the folder by one rename: after any crash a result is there as a whole or not at all.
    func store(_ result: BlockResult, under key: Digest) throws(Failure) {
        let final = folder(of: key)
        let draft = final + ".draft"
        Disk.removeFolder(draft)
        try Disk.makeFolder(draft)
        try Disk.write(result.items, to: draft + "/items.bin")
        try Disk.write(Packed.pack(result.decisions), to: draft + "/decisions.jsonl.zst")
        try Disk.write(result.edits, to: draft + "/edits.bin")
        try Disk.write(result.sketches, to: draft + "/sketches.bin")
        try Disk.write(result.lines, to: draft + "/lines.bin")
        let summary = Stored(rules: result.rules, summary: result.summary)
        try Disk.write(json(summary), to: draft + "/summary.json")
        try Disk.flush(folderOf: draft + "/summary.json")
        guard rename(draft, final) == 0 else {
            // Somebody else stored the same meanwhile: it is the same.
            if has(key) { return Disk.removeFolder(draft) }
            throw Disk.failure("kept", final)
        }
        try Disk.flush(folderOf: final)
    }

    func summary(_ key: Digest) throws(Failure) -> (rules: [String], summary: BlockSummary) {
        let stored = try readJSON(Stored.self, folder(of: key) + "/summary.json")
        return (stored.rules, stored.summary)
    }

    func items(_ key: Digest) throws(Failure) -> [UInt8] { try read(key, "items.bin") }
    func edits(_ key: Digest) throws(Failure) -> [UInt8] { try read(key, "edits.bin") }
    func sketches(_ key: Digest) throws(Failure) -> [UInt8] { try read(key, "sketches.bin") }
    func lines(_ key: Digest) throws(Failure) -> [UInt8] { try read(key, "lines.bin") }
    func decisions(_ key: Digest) throws(Failure) -> [UInt8] {
        try Packed.unpack(read(key, "decisions.jsonl.zst"), folder(of: key))
    }

    private func read(_ key: Digest, _ name: String) throws(Failure) -> [UInt8] {
        try Disk.read(folder(of: key) + "/" + name, bytesMax: 1 << 32)
    }

    private struct Stored: Codable {
        var rules: [String]
        var summary: BlockSummary
    }
}

/// One value as JSON, with a line feed at its end.
func json(_ value: some Encodable) throws(Failure) -> [UInt8] {
    do {
        var bytes: [UInt8] = []
        try JSON(encoding: value).write(to: &bytes)
        bytes.append(0x0A)
        return bytes
    } catch {
        throw Failure(.internal, "A result cannot be written down.", note: "\(error)")
    }
}

func readJSON<Value: Decodable>(_ type: Value.Type, _ path: String) throws(Failure) -> Value {
    let bytes = try Disk.read(path)
    do {
        return try JSON(parsing: bytes).decode()
    } catch {
        throw Failure(.invalid, "\(path) is damaged. Remove it and run the pipeline again.", note: "\(error)")
    }
}
