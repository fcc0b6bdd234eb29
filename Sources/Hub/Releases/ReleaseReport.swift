public import Core
public import Curation
import Store
import Wire

/// What a release says of how it was made, held against its own files.
public struct ReleaseReport: Sendable {
    /// A source, with its dossier or what is wrong with that.
    public struct Source: Sendable {
        public var name: String
        public var dossier: Result<Dossier, Failure>
    }

    /// What became of a source's documents.
    public struct Tally: Sendable, Hashable {
        public var source: String
        public var blocks: Int
        /// As they were read.
        public var documents: Int
        public var written: Int
    }

    /// The records of the release, as its list of them says.
    public struct Items: Sendable, Hashable {
        public var root: Digest
        public var records: Int
    }

    public struct PackFile: Sendable, Hashable {
        /// From the pack's folder.
        public var path: String
        public var size: Bytes
        public var digest: Digest
    }

    public struct Pack: Sendable {
        public var files: [PackFile]
        /// What does not agree with the manifest; empty when all does.
        public var faults: [Violation]
        public var isSigned: Bool
    }

    public var release: Release
    public var run: Result<RunRecord, Failure>
    public var items: Items?
    /// A page of them, and the name after which the next begins.
    public var sources: [Source]
    public var nextSource: String?
    /// By source, in the order of the run; `nil` where the blocks are not told of or cannot be read.
    public var tallies: [Tally]?
    /// Files of the run that the revision has not, or has otherwise; `nil` when that was not looked at.
    public var partFaults: [Violation]?
    public var pack: Pack?
}

extension Repositories {
    private static let sourcesPerPage = 50
    /// Nobody reads more.
    private static let faultsMax = 100

    /// What a release says of itself.
    ///
    /// - Parameter source: After which the page of sources begins.
    public func report(on release: Release, sourcesAfter source: String = "") async throws -> ReleaseReport {
        let run = try await record(of: release)
        var report = ReleaseReport(release: release, run: run, sources: [])
        report.items = try await items(of: release)
        let entries = try await entries(
            of: Release.sourcesFolder,
            in: release,
            after: source,
            limit: Self.sourcesPerPage + 1
        )
        for entry in entries.prefix(Self.sourcesPerPage) {
            guard entry.digest != nil, let name = Self.stem(entry.name, ["yaml", "yml"]) else { continue }
            report.sources.append(.init(name: name, dossier: try await dossier(entry, in: release)))
        }
        if entries.count > Self.sourcesPerPage { report.nextSource = entries[Self.sourcesPerPage - 1].name }
        if case .success(let record) = run {
            report.tallies = try await tallies(of: record, in: release)
            report.partFaults = try await partFaults(record, in: release)
        }
        report.pack = try await pack(of: release)
        return report
    }

    /// The name of a file without its ending, if it has one of these.
    static func stem(_ name: String, _ endings: [String]) -> String? {
        endings.first { name.hasSuffix(".\($0)") }.map { String(name.dropLast($0.count + 1)) }
    }

    func items(of release: Release) async throws -> ReleaseReport.Items? {
        guard let entry = try await file(Release.itemsPath, of: release),
            entry.size.count <= Int64(Release.fileBytesMax),
            let json = try? JSON(parsing: try await content(of: entry, in: release)),
            let text = json["root"]?.stringValue, let root = Digest(hex: text) ?? Digest(text),
            let records = json["records"]?.integerValue, (0...Int64(SampleDraw.populationMax)).contains(records)
        else { return nil }
        return .init(root: root, records: Int(records))
    }

    private func dossier(_ entry: TreeEntry, in release: Release) async throws -> Result<Dossier, Failure> {
        do {
            let bytes = try await content(of: entry, in: release, bytesMax: Release.dossierBytesMax)
            return .success(
                try YAMLDocument.read(bytes, entry.name) { json throws(Failure) in try Dossier(json) }
            )
        } catch let failure as Failure where failure.code == .invalid || failure.code == .tooLarge {
            return .failure(failure)
        }
    }

    /// The blocks of a run by their ordinals; `nil` when they are not told of, or at too great a length.
    func blocks(of release: Release) async throws -> [JudgedBlock]? {
        guard let entry = try await file(Release.blocksPath, of: release),
            entry.size.count <= Int64(Release.fileBytesMax)
        else { return nil }
        let bytes = try await content(of: entry, in: release)
        return try? bytes.split(separator: 0x0A).map { try JSON(parsing: $0).decode(JudgedBlock.self) }
    }

    private func tallies(of record: RunRecord, in release: Release) async throws -> [ReleaseReport.Tally]? {
        guard let blocks = try await blocks(of: release) else { return nil }
        var tallies: [ReleaseReport.Tally] = []
        var places: [String: Int] = [:]
        var sources: [Int: Int] = [:]
        for block in blocks {
            let place = places[block.sourceName] ?? tallies.count
            if place == tallies.count {
                places[block.sourceName] = place
                tallies.append(.init(source: block.sourceName, blocks: 0, documents: 0, written: 0))
            }
            sources[block.ordinal] = place
            tallies[place].blocks += 1
            tallies[place].documents = Self.sum(tallies[place].documents, block.documents)
        }
        for part in record.parts {
            guard let place = Int(part.number).flatMap({ sources[$0] }) else { continue }
            tallies[place].written = Self.sum(tallies[place].written, part.documents)
        }
        return tallies
    }

    private static func sum(_ a: Int, _ b: Int) -> Int {
        let (sum, isOver) = a.addingReportingOverflow(max(0, b))
        return isOver ? .max : sum
    }

    /// Whether the files of the run are those of the revision.
    private func partFaults(_ record: RunRecord, in release: Release) async throws -> [Violation]? {
        guard record.parts.count <= Release.partsMax else { return nil }
        return try await store.read { tx in
            // The folder is read once, instead of every part being looked for.
            var digests: [String: Digest] = [:]
            if let folder = try tx.entry("data", of: release.revision.tree), folder.kind == .folder {
                for entry in try tx.entries(of: folder.oid, limit: 2 * Release.partsMax) {
                    digests["data/" + entry.name] = entry.digest
                }
            }
            var faults: [Violation] = []
            for (index, part) in record.parts.enumerated() where faults.count < Self.faultsMax {
                let pointer = "/parts/\(index)"
                if let digest = digests[part.path] {
                    if digest.hex != part.sha256 { faults.append(Violation(pointer, "\(part.path) was changed")) }
                } else {
                    faults.append(Violation(pointer, "\(part.path) is missing"))
                }
            }
            return faults
        }
    }

    // MARK: The audit pack

    private func pack(of release: Release) async throws -> ReleaseReport.Pack? {
        let placed = try await store.read { tx -> [PlacedEntry]? in
            let folder = try tx.entry(at: Release.packFolder.split(separator: "/"), from: release.revision.tree)
            guard let folder, folder.kind == .folder else { return [] }
            return try Self.files(below: folder.oid, max: Release.packFilesMax, tx)
        }
        guard let placed else {
            let fault = Violation("", "has more than \(Release.packFilesMax) files")
            return .init(files: [], faults: [fault], isSigned: false)
        }
        guard !placed.isEmpty else { return nil }
        let signature = AuditPack.manifestPath + ".sig"
        let files = placed.compactMap { file in
            file.entry.digest.map { ReleaseReport.PackFile(path: file.path, size: file.entry.size, digest: $0) }
        }
        var pack = ReleaseReport.Pack(files: files, faults: [], isSigned: files.contains { $0.path == signature })
        guard let manifest = placed.first(where: { $0.path == AuditPack.manifestPath }),
            manifest.entry.size.count <= Int64(Release.fileBytesMax),
            let json = try? JSON(parsing: try await content(of: manifest.entry, in: release))
        else {
            pack.faults = [Violation("", "\(AuditPack.manifestPath) is missing, or no manifest")]
            return pack
        }
        let others = files.filter { $0.path != AuditPack.manifestPath && $0.path != signature }
        let faults = AuditPack.faults(
            ofDigests: others.map { ($0.path, $0.digest) },
            manifest: json,
            hash: sha256
        )
        pack.faults = Array(faults.prefix(Self.faultsMax))
        return pack
    }

    /// The risks that a release's pack names, if it brings a file of them.
    public func taxonomy(of release: Release) async throws -> RiskTaxonomy? {
        for folder in ["\(Release.packFolder)/profiles", Release.packFolder, "governance/profiles"] {
            for entry in try await entries(of: folder, in: release, limit: Release.packFilesMax)
            where entry.name.contains("risks") && Self.stem(entry.name, ["yaml", "yml"]) != nil {
                guard entry.size.count <= Int64(Release.dossierBytesMax) else { continue }
                let bytes = try await content(of: entry, in: release)
                let found = try? YAMLDocument.read(bytes, entry.name) { json throws(Failure) in try RiskTaxonomy(json) }
                if let found { return found }
            }
        }
        return nil
    }
}
