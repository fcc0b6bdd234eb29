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
    /// The same for paragraphs.
    var paragraphs: [UInt8] = []
    /// What ``Stretches/forEachPassage(_:of:isGone:_:)`` reads.
    var passages: [UInt8] = []
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
    ///
    /// - Parameter ordinal: Of the block, since equal blocks may be at work side by side.
    func store(_ result: BlockResult, under key: Digest, by ordinal: Int) throws(Failure) {
        let contents = [
            result.items, Packed.pack(result.decisions), result.edits, result.sketches, result.lines,
            result.paragraphs, result.passages,
        ]
        let files = zip(Self.names, contents).map { File(name: $0, bytes: $1) }.filter {
            !($0.bytes.isEmpty && Self.optional.contains($0.name))
        }
        var stored = Stored(key: key.hex, rules: result.rules, summary: result.summary, digests: [:], seal: "")
        for file in files { stored.digests[file.name] = Disk.sha256(file.bytes.span).hex }
        stored.seal = try stored.expectedSeal()
        try keep(files, stored, under: key, by: ordinal)
    }

    /// Takes over what another cache has under a name.
    ///
    /// - Returns: Whether it is what was once stored under it; if not, nothing was taken.
    func take(_ key: Digest, from other: BlockCache, by ordinal: Int) throws(Failure) -> Bool {
        guard let found = other.whole(key) else { return false }
        try keep(found.files, found.stored, under: key, by: ordinal)
        return true
    }

    /// A result, if every byte of it is as it was stored.
    private func whole(_ key: Digest) -> Found? {
        let folder = folder(of: key)
        guard let stored = try? readJSON(Stored.self, folder + "/summary.json") else { return nil }
        guard stored.key == key.hex, stored.seal == (try? stored.expectedSeal()) else { return nil }
        var files: [File] = []
        for name in Self.names where stored.digests[name] != nil || !Self.optional.contains(name) {
            guard let bytes = try? Disk.read(folder + "/" + name, bytesMax: 1 << 32) else { return nil }
            guard Disk.sha256(bytes.span).hex == stored.digests[name] else { return nil }
            files.append(File(name: name, bytes: bytes))
        }
        return Found(files: files, stored: stored)
    }

    private struct File {
        var name: String
        var bytes: [UInt8]
    }

    private struct Found {
        var files: [File]
        var stored: Stored
    }

    private static let names = [
        "items.bin", "decisions.jsonl.zst", "edits.bin", "sketches.bin", "lines.bin", "paragraphs.bin", "passages.bin",
    ]
    /// Files that are not there when they would be empty.
    private static let optional: Set<String> = ["paragraphs.bin", "passages.bin"]

    private func keep(
        _ files: [File],
        _ stored: Stored,
        under key: Digest,
        by ordinal: Int
    ) throws(Failure) {
        let final = folder(of: key)
        let draft = "\(final).\(ordinal).draft"
        Disk.removeFolder(draft)
        try Disk.makeFolder(draft)
        for file in files { try Disk.write(file.bytes, to: draft + "/" + file.name) }
        try Disk.write(json(stored), to: draft + "/summary.json")
        try Disk.flush(folderOf: draft + "/summary.json")
        if rename(draft, final) != 0 {
            // An equal block was stored meanwhile: it is the same.
            if has(key) { return Disk.removeFolder(draft) }
            // What is there has no summary: somebody removed it.
            Disk.removeFolder(final)
            guard rename(draft, final) == 0 || has(key) else { throw Disk.failure("kept", final) }
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
    func paragraphs(_ key: Digest) throws(Failure) -> [UInt8] { try read(key, "paragraphs.bin") }
    func passages(_ key: Digest) throws(Failure) -> [UInt8] { try read(key, "passages.bin") }
    func decisions(_ key: Digest) throws(Failure) -> [UInt8] {
        try Packed.unpack(read(key, "decisions.jsonl.zst"), folder(of: key))
    }

    /// Where a block's decisions are, packed with Zstandard, and what they were when they were stored.
    func decisionsFile(_ key: Digest) throws(Failure) -> (path: String, sha256: String) {
        let stored = try readJSON(Stored.self, folder(of: key) + "/summary.json")
        return (folder(of: key) + "/decisions.jsonl.zst", stored.digests["decisions.jsonl.zst"] ?? "")
    }

    /// Only what was stored: everything behind this takes the bytes at their word.
    private func read(_ key: Digest, _ name: String) throws(Failure) -> [UInt8] {
        let stored = try readJSON(Stored.self, folder(of: key) + "/summary.json")
        if stored.digests[name] == nil, Self.optional.contains(name) { return [] }
        guard let bytes = try? Disk.read(folder(of: key) + "/" + name, bytesMax: 1 << 32),
            Disk.sha256(bytes.span).hex == stored.digests[name]
        else {
            throw Failure(
                .invalid,
                "\(folder(of: key)) is damaged in \(name). Remove it and run the pipeline again."
            )
        }
        return bytes
    }

    private struct Stored: Codable {
        /// The name that it was stored under: one that was moved or copied elsewhere is nobody's.
        var key: String
        var rules: [String]
        var summary: BlockSummary
        /// SHA-256 of the files beside it.
        var digests: [String: String]
        /// Of everything above, since whoever takes it over has only this file's word for it.
        var seal: String

        func expectedSeal() throws(Failure) -> String {
            var open = self
            open.seal = ""
            let text = try json(open)
            return Disk.sha256(text.span).hex
        }
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
