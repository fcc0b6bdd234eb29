public import Core
import Curation
import Glibc
public import Wire

/// What a finished run left, laid out as the files of a dataset's revision: texts, card, lineage, evidence.
///
/// A function of the run and of the files that are named with it: the same release is the same bytes, whenever and
/// wherever it is made.
public struct Release: Sendable {
    /// By their paths.
    public let files: [File]
    public let lineage: ReleaseLineage

    /// A file of the revision.
    public struct File: Sendable {
        /// In the revision.
        public let path: String
        public let content: Content
        public let digest: Digest
        public let size: Int
    }

    public enum Content: Sendable {
        /// In a file of this machine.
        case file(String)
        case bytes([UInt8])
    }

    /// What is published beside the run.
    public struct Options: Sendable {
        /// What made it: a name and a version.
        public var tool: String
        /// Project and name of the dataset, for the card.
        public var repository: String
        /// Path of a release file.
        public var release: String?
        /// Folder of an audit pack of this release.
        public var pack: String?

        public init(tool: String, repository: String) { (self.tool, self.repository) = (tool, repository) }
    }

    /// The one path whose bytes differ although nothing else does, when a pipeline was run again: it says when.
    public static let runPath = "governance/run.json"

    /// Whether a path is one that some release of ours has. What a release no longer has of these goes with it; anything
    /// else in the repository is somebody's own.
    public static func owns(_ path: String) -> Bool {
        let names = path.split(separator: "/", omittingEmptySubsequences: false)
        guard names.count > 1, let name = names.last else { return path == "README.md" }
        switch (names[0], names.count) {
        case ("data", 2):
            let digits = name.prefix { $0 != "." }.dropFirst("part-".count)
            let endings = PipelineDocument.Output.Format.allCases.map(\.ending)
            return name.hasPrefix("part-") && digits.count >= 6 && digits.allSatisfy(\.isNumber)
                && endings.contains { name == "part-\(digits).\($0)" }
        case ("governance", 2):
            let own = ["pipeline.yaml", "run.json", "blocks.jsonl", "items.json", "lineage.json", "files.jsonl.zst"]
            return own.contains(String(name))
        case ("governance", 3):
            switch names[1] {
            case "sources": return name.hasSuffix(".yaml")
            case "decisions", "taken": return name.hasSuffix(".jsonl.zst")
            case "samples": return name.hasSuffix(".json") || name.hasSuffix(".jsonl")
            default: return names[1] == "pack"
            }
        default: return names[0] == "governance" && names[1] == "pack"
        }
    }

    /// Checks a run and lays it out, and keeps other runs out of its folder until `use` has ended.
    ///
    /// Sources are read twice, since nobody can answer for what was changed after it was judged.
    /// - Parameter progress: Bytes of sources and parts looked at, and how many there are.
    /// - Throws: ``Failure``: `notFound` without a run; `conflict` for one that is not finished or at work, for a pipeline,
    ///   sources, parts, samples or a pack that are not this run's; `invalid` for faults of files that people wrote.
    public static func with<Value>(
        _ run: PipelineRun,
        _ options: Options,
        progress: @escaping @Sendable (Int, Int) -> Void,
        _ use: (Release) async throws -> Value
    ) async throws -> Value {
        let folder = run.file.outputFolder
        _ = try RunRecord.read(folder)
        guard Disk.isFolder(folder + "/work") else {
            throw Failure(.notFound, "\(folder)/work is gone, and the evidence with it. Run the pipeline again.")
        }
        let lock = try RunLock(folder, for: .publication)
        defer { lock.release() }
        let release = try Release(run, options, progress: progress)
        return try await use(release)
    }

    init(_ run: PipelineRun, _ options: Options, progress: @escaping @Sendable (Int, Int) -> Void) throws(Failure) {
        let file = run.file
        let folder = file.outputFolder
        let record = try RunRecord.read(folder)
        let items = try ItemList(folder, record)
        var check = ReleaseCheck(run, record, progress: progress)
        try check.pipeline()
        let (sources, blocks) = try check.sources()
        let members = try check.parts()
        let root = try items.root

        var files = Draft()
        for part in record.parts {
            try files.add(part.path, file: folder + "/" + part.path, sha256: part.sha256, size: part.bytes)
        }
        try files.add("governance/pipeline.yaml", Disk.read(file.path, bytesMax: YAMLDocument.bytesMax))
        try files.add(Self.runPath, Disk.read(folder + "/run.json", bytesMax: 1 << 30))
        try files.add("governance/blocks.jsonl", Self.lines(blocks))
        let parts = record.parts.map { ReleaseLineage.Part(path: $0.path, sha256: $0.sha256, records: $0.documents) }
        files.add(
            "governance/items.json",
            try json(ItemSummary(root: root.hex, records: items.count, parts: parts))
        )
        try files.add(decisionsOf: blocks, run)
        try files.add(samplesIn: folder, root)
        let pack = try options.pack.map { path throws(Failure) in try files.add(pack: path, root) }

        var lineage = ReleaseLineage(
            tool: options.tool,
            pipeline: .init(
                name: record.pipeline,
                sha256: files.digest("governance/pipeline.yaml"),
                configuration: record.configuration
            ),
            records: items.count,
            root: root.hex
        )
        lineage.pack = pack?.hex
        lineage.fill(run, record, sources, blocks, parts)
        for (index, source) in file.document.sources.enumerated() {
            guard let path = source.dossier else { continue }
            let bytes = try Disk.read(file.resolve(path))
            let dossier = try YAMLDocument.read(bytes, file.resolve(path)) { json throws(Failure) in try Dossier(json) }
            lineage.sources[index].take(dossier, sha256: Disk.sha256(bytes.span).hex)
            files.add("governance/sources/\(source.name).yaml", bytes)
        }
        try files.add(&lineage)
        let document = try options.release.map { path throws(Failure) in
            try ReleaseDocument.read(yaml: Disk.read(path), file: path)
        }
        let card = ReleaseCard(
            pipeline: file.document,
            record: record,
            lineage: lineage,
            release: document,
            members: members,
            repository: options.repository
        )
        files.add("README.md", Array(card.text.utf8))
        self.files = files.files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        self.lineage = lineage
    }

    /// JSON Lines.
    fileprivate static func lines(_ values: [some Encodable]) throws(Failure) -> [UInt8] {
        var lines: [UInt8] = []
        for value in values { lines += try json(value) }
        return lines
    }

    /// `governance/items.json`.
    private struct ItemSummary: Codable {
        var root: String
        var records: Int
        var parts: [ReleaseLineage.Part]
    }
}

extension Release {
    /// The files as they come together.
    fileprivate struct Draft {
        var files: [File] = []

        /// The most bytes of an audit pack's file.
        private static let packFileBytesMax = 1 << 30

        mutating func add(_ path: String, _ bytes: [UInt8]) {
            files.append(
                File(path: path, content: .bytes(bytes), digest: Disk.sha256(bytes.span), size: bytes.count)
            )
        }

        mutating func add(_ path: String, file: String, sha256: String, size: Int) throws(Failure) {
            guard let digest = Digest(hex: sha256) else {
                throw Failure(.invalid, "run.json is damaged. Run the pipeline again.")
            }
            files.append(File(path: path, content: .file(file), digest: digest, size: size))
        }

        func digest(_ path: String) -> String { files.first { $0.path == path }?.digest.hex ?? "" }

        /// What became of each document: by rules, and by looking at all of them together.
        ///
        /// Of what is only compared with nothing is handed on, not even what became of it.
        mutating func add(decisionsOf blocks: [JudgedBlock], _ run: PipelineRun) throws(Failure) {
            let taken = try TakenDocuments(run, blocks)
            var seen: Set<String> = []
            for block in blocks where !run.file.sources[block.source].isReference {
                guard seen.insert(block.key).inserted, let key = Digest(hex: block.key) else { continue }
                let (path, stored) = try run.cache.decisionsFile(key)
                let (digest, size) = try Disk.sha256(file: path)
                guard digest.hex == stored else {
                    throw Failure(.invalid, "\(path) is damaged. Remove its folder and run the pipeline again.")
                }
                try add("governance/decisions/\(block.key).jsonl.zst", file: path, sha256: stored, size: size)
                let lines = try Release.lines(taken.of(block))
                if !lines.isEmpty { add("governance/taken/\(block.key).jsonl.zst", Packed.pack(lines)) }
            }
        }

        mutating func add(samplesIn folder: String, _ root: Digest) throws(Failure) {
            for sample in try SampleFile.all(folder) {
                try sample.requireRoot(root)
                for path in [sample.path, sample.textsPath] {
                    let name = path.split(separator: "/").last ?? ""
                    add("governance/samples/\(name)", try Disk.read(path, bytesMax: 1 << 30))
                }
            }
        }

        /// - Returns: The digest of the pack's manifest.
        mutating func add(pack folder: String, _ root: Digest) throws(Failure) -> Digest {
            let manifestPath = "\(folder)/\(AuditPack.manifestPath)"
            let signature = AuditPack.manifestPath + ".sig"
            let manifest = try Disk.read(manifestPath)
            let wrong = Failure(.conflict, "\(folder) is no audit pack of this release. Write it anew.")
            guard let json = try? JSON(parsing: manifest), let listed = json["files"]?.arrayValue else { throw wrong }
            var packed: [AuditPack.File] = []
            for entry in listed {
                guard let path = entry["path"]?.stringValue, TreeManifest.isSafe(path: path) else { throw wrong }
                let bytes = try Disk.read("\(folder)/\(path)", bytesMax: Self.packFileBytesMax)
                packed.append(.init(path: path, bytes: bytes))
            }
            let faults = AuditPack.faults(of: packed, manifest: json, hash: ItemList.hash)
            guard faults.isEmpty else { throw Failure(wrong.code, wrong.detail, violations: faults) }
            let lineage = packed.first { $0.path == "lineage.json" }.flatMap { try? JSON(parsing: $0.bytes) }
            guard lineage?["items"]?["root"]?.stringValue == root.description else { throw wrong }
            for file in packed { add("governance/pack/\(file.path)", file.bytes) }
            add("governance/pack/\(AuditPack.manifestPath)", manifest)
            if Disk.exists("\(folder)/\(signature)") {
                add("governance/pack/\(signature)", try Disk.read("\(folder)/\(signature)"))
            }
            return Disk.sha256(manifest.span)
        }

        /// The lineage, with its list of files beside it when they are too many for a point to read.
        mutating func add(_ lineage: inout ReleaseLineage) throws(Failure) {
            var bytes = try json(lineage)
            if bytes.count > ReleaseLineage.bytesMax, let listed = lineage.files {
                add(ReleaseLineage.filesPath, Packed.pack(try Release.lines(listed)))
                lineage.files = nil
                bytes = try json(lineage)
            }
            add(ReleaseLineage.path, bytes)
        }
    }
}
