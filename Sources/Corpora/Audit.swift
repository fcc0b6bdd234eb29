public import Core
public import Curation
import Glibc
import Wire

/// Makes the audit pack of a release: what it is, where it came from, what was dropped by which rule, and proofs.
public struct Audit: Sendable {
    private let file: PipelineFile
    private let record: RunRecord
    private let facts: AuditFacts

    /// What an auditor wants to know beside the run.
    public struct Options: Sendable {
        /// Paths of files.
        public var release: String
        public var profiles: [String] = []
        public var taxonomy: String?
        public var evidence: String?
        /// Of annotation batches; none says nothing of annotation.
        public var batches: [String] = []
        /// What made it: a name and a version.
        public var tool: String

        public init(release: String, tool: String) {
            self.release = release
            self.tool = tool
        }
    }

    /// Gathers the facts, from what the run left and from the dossiers.
    ///
    /// - Throws: ``Failure`` with every fault of the files that people wrote.
    public init(_ file: PipelineFile, _ options: Options) throws(Failure) {
        self.file = file
        let folder = file.outputFolder
        record = try .read(folder)
        let items = try ItemList(folder, record)
        guard try PipelineRun.configuration(of: file, Operators(file)).hex == record.configuration else {
            throw PipelineRun.edited(file)
        }
        let dossiers = try Self.dossiers(file)
        let release = try ReleaseDocument.read(yaml: Disk.read(options.release), file: options.release)
        var facts = AuditFacts(
            release: Self.release(release),
            tool: options.tool,
            pipeline: try Self.pipeline(file),
            dossiers: dossiers,
            outputs: try Self.outputs(record, folder)
        )
        facts.fields = [
            .init(name: "id", kind: .text, description: "Names the record within its source."),
            .init(name: "text", kind: .text, description: "The text, after all edits."),
        ]
        (facts.blocks, facts.counts) = try PipelineBlocks(file).facts(record)
        facts.taxonomy = try options.taxonomy.map { path throws(Failure) in
            try YAMLDocument.read(Disk.read(path), path) { json throws(Failure) in try RiskTaxonomy(json) }
        }
        facts.privacy = Self.privacy(file, record)
        let samples = try SampleFile.all(folder)
        let (root, proofs) = try Self.proofs(items, samples)
        facts.items = (root, items.count)
        var evidence = ProfileEvidence()
        evidence.add(dossiers: dossiers)
        for sample in samples { evidence.add(spotCheck: sample.check) }
        facts.admissions = try Self.admissions(file, dossiers, &evidence)
        try Self.coverage(file, record, published: release.published, facts.taxonomy, &evidence)
        if !options.batches.isEmpty {
            facts.batches = try options.batches.map { path throws(Failure) in try BatchFile.read(path).batch }
            evidence.add(batches: facts.batches)
        }
        if let path = options.evidence {
            let json = try YAMLDocument.read(Disk.read(path), path) { json in json }
            try evidence.add(statements: json)
        }
        var rule: SpotCheck.Rule?
        for path in options.profiles {
            let profile = try YAMLDocument.read(Disk.read(path), path) { json throws(Failure) in try Profile(json) }
            rule = rule ?? profile.spotCheckRule
            facts.profiles.append((profile, profile.check(evidence, taxonomy: facts.taxonomy)))
        }
        for sample in samples {
            facts.samples.append(
                .init(
                    name: sample.check.draw.purpose,
                    check: sample.check,
                    proofs: proofs.filter { proof in sample.check.work.items.contains { $0.place == proof.index } },
                    rule: rule
                )
            )
        }
        self.facts = facts
    }

    /// What the profiles ask for and how it stands.
    public var checks: [(profile: String, result: CheckResult)] {
        facts.profiles.flatMap { checked in checked.results.map { (checked.profile.name, $0) } }
    }

    /// Writes the pack to a folder, and signs its manifest.
    ///
    /// - Parameter key: Path of an Ed25519 private key in PEM (RFC 8410), as `openssl genpkey -algorithm ed25519` writes.
    /// - Returns: The paths of the files, and the root that the manifest names.
    public func write(to folder: String, key: String?) throws(Failure) -> (files: [String], root: Digest) {
        let signer = try key.map { path throws(Failure) in try Signer(path) }
        let pack = try AuditPack(facts, hash: ItemList.hash)
        var paths: [String] = []
        for file in pack.files {
            let path = "\(folder)/\(file.path)"
            try Disk.makeFolder(Disk.folder(of: path))
            try Disk.publish(file.bytes, at: path)
            paths.append(file.path)
        }
        // One of an earlier pack is not this one's.
        unlink("\(folder)/\(AuditPack.manifestPath).sig")
        if let signer {
            try Disk.publish(signer.signature(of: pack.manifest), at: folder + "/\(AuditPack.manifestPath).sig")
            paths.append("\(AuditPack.manifestPath).sig")
        }
        return (paths, pack.root)
    }

    // MARK: facts

    /// The admissions that dossiers name, each proven again.
    private static func admissions(
        _ file: PipelineFile,
        _ dossiers: [Dossier],
        _ evidence: inout ProfileEvidence
    ) throws(Failure) -> [(source: String, verdict: Admission)] {
        let blocks = try PipelineRun.judgedBlocks(file)
        var admissions: [(source: String, verdict: Admission)] = []
        for stage in Admission.Stage.allCases {
            var bad: [(source: String, bad: Proportion)] = []
            for dossier in dossiers {
                let collected = SourceItems.collected(blocks.filter { $0.sourceName == dossier.name }.map(\.digest))
                let found = try AdmissionFile.evidence(of: dossier, stage, file, collected: collected)
                // Undecided is nothing shown, whatever the rate.
                bad.append(
                    (dossier.name, found.flatMap { $0.outcome == .undecided ? nil : $0.bad } ?? Proportion(0, of: 0))
                )
                if let found { admissions.append((dossier.name, found)) }
            }
            evidence.add(stage, bad: bad)
        }
        return admissions
    }

    private static func dossiers(_ file: PipelineFile) throws(Failure) -> [Dossier] {
        var dossiers: [Dossier] = []
        for (index, source) in file.document.sources.enumerated() where !source.isReference {
            guard let path = source.dossier else {
                throw Failure(
                    .invalid,
                    "\(file.path): the source '\(source.name)' has no dossier; nobody can answer for it.",
                    violations: [Violation("/sources/\(index)/dossier", "is missing")]
                )
            }
            let full = file.resolve(path)
            var dossier = try YAMLDocument.read(Disk.read(full), full) { json throws(Failure) in try Dossier(json) }
            dossier.name = source.name
            dossiers.append(dossier)
        }
        return dossiers
    }

    private static func release(_ document: ReleaseDocument) -> AuditFacts.Release {
        var release = AuditFacts.Release(
            name: document.name,
            version: document.version,
            description: BilingualText(chinese: document.descriptionChinese, english: document.descriptionEnglish),
            url: document.url,
            licence: document.licence,
            creator: .init(name: document.creator, url: document.creatorURL),
            published: document.published,
            languages: document.languages
        )
        release.keywords = document.keywords
        release.purposes = document.purposes
        return release
    }

    private static func pipeline(_ file: PipelineFile) throws(Failure) -> JSON {
        do {
            return try JSON(encoding: file.document)
        } catch {
            throw Failure(.internal, "The pipeline cannot be written down.", note: "\(error)")
        }
    }

    /// The files of the release, each looked at again: nobody answers for a file that was changed since.
    private static func outputs(_ record: RunRecord, _ folder: String) throws(Failure) -> [AuditFacts.Output] {
        try record.parts.map { part throws(Failure) in
            let bytes = try Disk.read(folder + "/" + part.path, bytesMax: 1 << 34)
            let digest = Disk.sha256(bytes.span)
            guard digest.hex == part.sha256 else {
                throw Failure(
                    .conflict,
                    "\(folder)/\(part.path) has changed since the run. Remove it and run the pipeline again."
                )
            }
            let format: AuditFacts.Format =
                part.path.hasSuffix(".zst") ? .jsonlZstd : part.path.hasSuffix(".parquet") ? .parquet : .jsonl
            return AuditFacts.Output(
                path: part.path,
                digest: digest,
                bytes: part.bytes,
                records: part.documents,
                format: format
            )
        }
    }

    private static func privacy(_ file: PipelineFile, _ record: RunRecord) -> [AuditFacts.Privacy] {
        guard let personal = file.document.personal else { return [] }
        let found = record.summary.personal.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        return [
            .init(
                tool: "personal data by shape, check characters and cues",
                parameters: (["action \(personal.action.rawValue)"]
                    + personal.types.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.rawValue)" })
                    .joined(separator: ", "),
                result: found.isEmpty
                    ? "none found in what was kept"
                    : "found in what was kept: "
                        + found.joined(separator: ", ")
            )
        ]
    }

    /// The root of all records, and the proofs that the drawn ones are among them.
    private static func proofs(
        _ items: ItemList,
        _ samples: [SampleFile]
    ) throws(Failure) -> (Digest, [InclusionProof]) {
        let root = try items.root
        for sample in samples { try sample.requireRoot(root) }
        let places = samples.flatMap { $0.check.work.items.map(\.place) }
        var prover = InclusionProver(indices: places, count: items.count, hash: ItemList.hash)
        try items.forEach { prover.append($0) }
        return (root, prover.finish()?.proofs ?? [])
    }
}
