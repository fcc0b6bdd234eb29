public import Core

/// The files by which somebody else can check a release: what it is, where it is from, what was taken out of it by which
/// rule, who looked at what, and which clause of which standard that answers.
///
/// A function of its facts: the same facts are the same bytes. `manifest.json` names every other file by its digest and
/// holds their Merkle root; whoever signs its bytes signs them all. Its root is over the files in the order of the
/// manifest, of which each is a leaf of its path in UTF-8, a zero byte, and the 32 bytes of its digest.
public struct AuditPack: Sendable {
    public struct File: Sendable {
        /// Relative to the pack, with `/`.
        public let path: String
        public let bytes: [UInt8]

        public init(path: String, bytes: [UInt8]) { (self.path, self.bytes) = (path, bytes) }
    }

    /// In the order of their paths, but for the manifest, which is the last.
    public let files: [File]
    /// Of all files but the manifest.
    public let root: Digest

    public static let manifestPath = "manifest.json"

    /// The bytes to sign.
    public var manifest: [UInt8] { files.last?.bytes ?? [] }

    /// Makes the pack.
    ///
    /// - Parameter hash: SHA-256.
    /// - Throws: ``Failure`` of code `invalid` with every fault of the facts.
    public init(_ facts: AuditFacts, hash: @escaping MerkleHash) throws(Failure) {
        let faults = facts.faults
        guard faults.isEmpty else {
            throw Failure(.invalid, "The facts have faults; no audit pack was made.", violations: faults)
        }
        let card = facts.croissant
        let missing = CroissantCheck.faults(of: card)
        guard missing.isEmpty else {
            throw Failure(.internal, "The Croissant card lacks required fields.", violations: missing)
        }
        var files = [
            Self.file("croissant.json", card), Self.file("provenance.json", facts.provenance),
            Self.file("funnel.json", facts.funnel), Self.file("licences.json", facts.licences),
            Self.file("lineage.json", facts.lineage), Self.file("pipeline.json", facts.pipeline),
            File(path: "index.html", bytes: facts.page),
        ]
        if !facts.risks.isEmpty { files.append(Self.file("risks.json", facts.riskCounts)) }
        if !facts.admissions.isEmpty { files.append(Self.file("admissions.json", facts.admissionVerdicts)) }
        for dossier in facts.dossiers { files.append(Self.file("sources/\(dossier.name).json", dossier.json)) }
        for (index, sample) in facts.samples.enumerated() {
            files.append(Self.file("samples/\(index + 1).json", sample.json))
        }
        for (index, batch) in facts.batches.enumerated() {
            files.append(Self.file("annotation/\(index + 1).json", batch.report(confidence: facts.confidence)))
        }
        for (index, checked) in facts.profiles.enumerated() {
            files.append(Self.file("checks/\(index + 1).json", checked.profile.json(with: checked.results)))
        }
        files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }

        var tree = MerkleTree(hash: hash)
        var listed: [JSON] = []
        for file in files {
            let digest = hash(file.bytes.span)
            var leaf = Array(file.path.utf8)
            leaf.append(0)
            digest.append(to: &leaf)
            tree.append(leaf.span)
            listed.append(
                .sorted([
                    ("path", .string(file.path)), ("sha256", .string(digest.hex)), ("bytes", .count(file.bytes.count)),
                ])
            )
        }
        root = tree.root
        let manifest = JSON.sorted([
            ("format", .string("audit-pack/1")), ("release", .string(facts.release.name)),
            ("version", .string(facts.release.version)), ("published", .time(facts.release.published)),
            ("tool", .string(facts.tool)), ("root", .digest(root)), ("files", .array(listed)),
        ])
        self.files = files + [Self.file(Self.manifestPath, manifest)]
    }

    private static func file(_ path: String, _ json: JSON) -> File {
        var bytes: [UInt8] = []
        json.write(to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        return File(path: path, bytes: bytes)
    }
}
