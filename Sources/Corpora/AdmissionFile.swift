public import Core
public import Curation
import Wire

/// A source's admission at one stage: the sample in `admissions/STAGE/SOURCE.json` of the output folder, and once it is
/// decided the evidence beside it, which the source's dossier names by its digest.
public struct AdmissionFile: Sendable {
    public let admission: AdmissionCase
    public let path: String

    /// What a sample for it is called, by which ``SampleFile`` finds it.
    public static func purpose(_ stage: Admission.Stage, _ source: String) -> String { "\(stage.rawValue)/\(source)" }

    /// The case that was drawn, or one that is drawn now.
    ///
    /// - Parameters:
    ///   - profile: Path of the profile that says how much may be bad.
    ///   - size: `nil`: as many as the profile's rule needs.
    /// - Throws: ``Failure`` when the pipeline has no such source, or the profile no rule for it.
    public static func open(
        _ file: PipelineFile,
        source: String,
        stage: Admission.Stage,
        basis: Admission.Basis,
        profile path: String,
        size: Int?,
        runtime: any Runtime
    ) throws(Failure) -> (admission: AdmissionFile, isNew: Bool) {
        let name = purpose(stage, source)
        if let sample = try? SampleFile.read(file, purpose: name) { return (try AdmissionFile(sample), false) }
        let bytes = try Disk.read(path)
        let profile = try YAMLDocument.read(bytes, path) { json throws(Failure) in try Profile(json) }
        guard let asked = profile.admissionRule(stage) else {
            throw Failure(.invalid, "\(path) does not say how much of a source may be bad, or how sure one must be.")
        }
        let rule = AdmissionCase.Rule(
            profile: "\(profile.name) version \(profile.version)",
            profileDigest: Disk.sha256(bytes.span),
            limit: asked.limit,
            confidence: asked.confidence,
            acceptable: asked.acceptable
        )
        guard let size = size ?? rule.size(basis) else {
            throw Failure(.invalid, "\(path): no sample is large enough to tell its acceptable rate from its limit.")
        }
        let items = try SourceItems(file, source: source, runtime: runtime)
        let list = try items.list()
        guard list.count > 0 else { throw Failure(.invalid, "The source '\(source)' has no record with a text.") }
        let draw = SampleDraw(root: list.root, purpose: name, population: list.count, size: size)
        let drawn = try items.items(at: draw.places(hash: ItemList.hash))
        let sample = try SampleFile.keep(file, purpose: name, draw, drawn) { check in
            AdmissionCase(
                source: source,
                stage: stage,
                basis: basis,
                rule: rule,
                collected: stage == .verification ? list.collected : nil,
                check: check
            )
        }
        return (try AdmissionFile(sample), true)
    }

    private init(_ sample: SampleFile) throws(Failure) {
        guard let admission = sample.admission else { throw Failure(.invalid, "\(sample.path) is no admission.") }
        (self.admission, path) = (admission, sample.path)
    }

    public var verdict: (admission: Admission, isFinal: Bool) { admission.verdict(hash: ItemList.hash) }

    /// Writes the evidence of a case that is decided.
    ///
    /// - Returns: Its path, and the digest for the dossier; `nil` before the verdict stands.
    public func publishEvidence() throws(Failure) -> (path: String, digest: Digest)? {
        let (verdict, isFinal) = verdict
        guard isFinal else { return nil }
        let path = Self.evidencePath(path)
        var bytes: [UInt8] = []
        JSON.object([(key: "case", value: admission.json), (key: "verdict", value: verdict.json)]).write(to: &bytes)
        bytes.append(0x0A)
        try Disk.publish(bytes, at: path)
        return (path, Disk.sha256(bytes.span))
    }

    private static func evidencePath(_ path: String) -> String {
        String(path.dropLast(".json".count)) + ".evidence.json"
    }

    /// What the dossier of a source names as its admission, looked at again.
    ///
    /// - Parameter collected: What names the content of the source now; see ``SourceItems/collected(_:)``.
    /// - Returns: `nil` when the dossier names none for that stage.
    /// - Throws: ``Failure`` when what it names is not there, was changed, or speaks of something else.
    static func evidence(
        of dossier: Dossier,
        _ stage: Admission.Stage,
        _ file: PipelineFile,
        collected: Digest
    ) throws(Failure) -> Admission? {
        let kind: Dossier.Record.Kind = stage == .assessment ? .assessment : .verification
        guard let record = dossier.records.last(where: { $0.kind == kind }) else { return nil }
        let path = evidencePath(try SampleFile.samplePath(file.outputFolder, purpose(stage, dossier.name)))
        let again = "'onepoint data admit' writes it."
        guard Disk.exists(path) else {
            throw Failure(
                .notFound,
                "The dossier of '\(dossier.name)' names \(stage.rawValue) \(path), which is not there. \(again)"
            )
        }
        let bytes = try Disk.read(path, bytesMax: 1 << 30)
        guard Disk.sha256(bytes.span) == record.digest else {
            throw Failure(.conflict, "\(path) is not what the dossier of '\(dossier.name)' names by its digest.")
        }
        guard let json = try? JSON(parsing: bytes) else { throw Failure(.invalid, "\(path) is damaged. \(again)") }
        let found = try AdmissionCase(json["case"] ?? .null)
        let (verdict, isFinal) = found.verdict(hash: ItemList.hash)
        guard isFinal, found.source == dossier.name, found.stage == stage, json["verdict"] == verdict.json,
            found.check.isRedrawn(hash: ItemList.hash), found.check.draw.purpose == purpose(stage, dossier.name)
        else { throw Failure(.conflict, "\(path) does not prove what it says. \(again)") }
        guard stage == .assessment || found.collected == collected else {
            throw Failure(
                .conflict,
                "The source '\(dossier.name)' has changed since it was verified. Remove \(path) and the sample beside it, and verify it again."
            )
        }
        return verdict
    }
}
