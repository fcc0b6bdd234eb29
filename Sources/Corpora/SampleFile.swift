public import Core
public import Curation
import Glibc
public import Wire

/// A sample of a release on its way from the draw to the verdict, in `samples/NAME.json` of the output folder, with the
/// texts to be judged beside it.
public struct SampleFile: Sendable {
    public private(set) var check: SpotCheck
    /// What it decides, of a sample that admits a source; its check is ``check``.
    public private(set) var admission: AdmissionCase?
    public let path: String

    /// Where the texts are.
    var textsPath: String { String(path.dropLast(".json".count)) + ".jsonl" }

    /// Throws for a sample of another release than the one with this root.
    func requireRoot(_ root: Digest) throws(Failure) {
        guard check.draw.root == root else {
            throw Failure(
                .conflict,
                "\(path) was drawn from what an earlier run wrote. Remove it, and draw a sample of this release."
            )
        }
    }

    /// Draws a sample of the release that the last run wrote.
    ///
    /// The draw follows from the Merkle root of all records, the purpose and the size: an auditor draws it again.
    ///
    /// - Throws: ``Failure`` when there is one of that name already: a second try would let one choose.
    public static func draw(_ file: PipelineFile, purpose: String, size: Int) throws(Failure) -> SampleFile {
        let folder = file.outputFolder
        let list = try ItemList(folder, .read(folder))
        guard Dossier.isName(purpose) else { throw Self.noName(purpose) }
        let path = try samplePath(folder, purpose)
        guard !Disk.exists(path) else { throw drawn(path) }
        let draw = SampleDraw(root: try list.root, purpose: purpose, population: list.count, size: size)
        return try keep(file, purpose: purpose, draw, list.items(at: draw.places(hash: ItemList.hash))) { _ in nil }
    }

    private static func drawn(_ path: String) -> Failure {
        Failure(.conflict, "\(path) is there already. A sample is drawn once; draw for another purpose.")
    }

    /// Writes down what was drawn, and the texts for whoever judges.
    static func keep(
        _ file: PipelineFile,
        purpose: String,
        _ draw: SampleDraw,
        _ items: [ItemList.Item],
        admission: (SpotCheck) -> AdmissionCase?
    ) throws(Failure) -> SampleFile {
        let path = try samplePath(file.outputFolder, purpose)
        guard !Disk.exists(path) else { throw drawn(path) }
        var texts: [UInt8] = []
        var drawn: [WorkList.Item] = []
        let names = file.sources.map(\.fields.id) + ["id"]
        for item in items {
            let found = names.lazy.compactMap { item.record[$0] }.first
            let id = found.map { $0.stringValue ?? $0.text } ?? item.digest.hex
            drawn.append(.init(place: item.place, digest: item.digest, id: String(id.prefix(200))))
            JSON.object([
                (key: "place", value: .integer(Int64(item.place))), (key: "record", value: item.record),
            ]).write(to: &texts)
            texts.append(0x0A)
        }
        try Disk.makeFolder(Disk.folder(of: path))
        let check = SpotCheck(draw: draw, items: drawn)
        let sample = SampleFile(check: check, admission: admission(check), path: path)
        try Disk.publish(texts, at: sample.textsPath)
        try sample.save()
        return sample
    }

    public static func read(_ file: PipelineFile, purpose: String) throws(Failure) -> SampleFile {
        let path = try samplePath(file.outputFolder, purpose)
        guard Disk.exists(path) else {
            throw Failure(
                .notFound,
                "No sample '\(purpose)' was drawn. 'onepoint data sample' draws one, of a source 'onepoint data admit'."
            )
        }
        return try read(path)
    }

    private static func read(_ path: String) throws(Failure) -> SampleFile {
        let json = try json(path)
        guard json["check"] != nil else { return SampleFile(check: try SpotCheck(json), path: path) }
        let admission = try AdmissionCase(json)
        return SampleFile(check: admission.check, admission: admission, path: path)
    }

    /// Every sample that was drawn of what is in an output folder.
    public static func all(_ folder: String) throws(Failure) -> [SampleFile] {
        guard Disk.isFolder(folder + "/samples") else { return [] }
        var samples: [SampleFile] = []
        for name in try Disk.names(in: folder + "/samples") where name.hasSuffix(".json") {
            let path = "\(folder)/samples/\(name)"
            samples.append(try read(path))
        }
        return samples
    }

    /// Takes somebody's step, and keeps it.
    public mutating func apply(_ event: WorkList.Event) throws(Failure) {
        let lock = try locked()
        defer { close(lock) }
        self = try Self.read(path)
        do throws(WorkList.Refusal) {
            try check.apply(event)
            try admission?.apply(event)
        } catch {
            throw Failure(.conflict, error.sentence)
        }
        try save()
    }

    /// What became of verdicts that were fetched.
    public struct Taking: Sendable, Hashable {
        public var taken = 0
        /// Taken before.
        public var known = 0
        /// Those that do not fit what is here, each with its place and the reason.
        public var refused: [String] = []
    }

    /// Takes verdicts that were given at a point, and keeps them. Fetched again, they change nothing.
    ///
    /// Each is held against what was drawn here: the root, the record's digest at its place, and the very line that was
    /// shown. What does not agree is refused and told; the rest is taken.
    /// - Throws: ``Failure`` of code `conflict` when the sample at the point is another one than this.
    public mutating func take(_ verdicts: [VerdictView], on sample: SampleView) throws(Failure) -> Taking {
        guard sample.root == check.draw.root, sample.population == check.draw.population,
            sample.purpose == check.draw.purpose
        else {
            throw Failure(
                .conflict,
                "The sample '\(sample.purpose)' at the point was drawn from another release than the one of this run: its root "
                    + "is \(sample.root.hex.prefix(16)), here it is \(check.draw.root.hex.prefix(16))."
            )
        }
        let lines = try shownLines()
        let lock = try locked()
        defer { close(lock) }
        self = try Self.read(path)
        var taking = Taking()
        for verdict in verdicts.sorted(by: { $0.sequence < $1.sequence }) {
            do throws(Mismatch) {
                if try take(verdict, lines) { taking.taken += 1 } else { taking.known += 1 }
            } catch {
                taking.refused.append("place \(verdict.place), \(verdict.step) of \(verdict.person): \(error.sentence)")
            }
        }
        if taking.taken > 0 { try save() }
        return taking
    }

    private struct Mismatch: Error { var sentence: String }

    /// - Returns: Whether it was new.
    private mutating func take(_ verdict: VerdictView, _ lines: [Int: Digest]) throws(Mismatch) -> Bool {
        guard let item = check.work.item(at: verdict.place), let step = WorkList.Step(rawValue: verdict.step) else {
            throw Mismatch(sentence: WorkList.Refusal.unknownItem.sentence)
        }
        guard item.digest == verdict.item else {
            throw Mismatch(sentence: "It is about another record than the one that was drawn here.")
        }
        guard lines[verdict.place] == verdict.shown else {
            throw Mismatch(sentence: "Another text was shown than the one that was drawn here.")
        }
        let judgement = WorkList.Judgement(
            person: verdict.person.text,
            isGood: verdict.good,
            risks: verdict.risks,
            at: verdict.at,
            note: verdict.note
        )
        do throws(WorkList.Refusal) {
            return try check.apply(WorkList.Event(step, place: verdict.place, judgement: judgement))
        } catch {
            throw Mismatch(sentence: error.sentence)
        }
    }

    /// The digests of the lines of the texts, by their places.
    private func shownLines() throws(Failure) -> [Int: Digest] {
        let texts = try Disk.read(textsPath, bytesMax: 1 << 32)
        var digests: [Int: Digest] = [:]
        for line in texts.split(separator: 0x0A) {
            guard let place = (try? JSON(parsing: line, depthMax: JSON.ownDepthMax))?["place"]?.integerValue else {
                continue
            }
            let bytes = Array(line)
            digests[Int(place)] = Disk.sha256(bytes.span)
        }
        return digests
    }

    /// Somebody else may be at it: what they said meanwhile stays.
    private func locked() throws(Failure) -> Int32 {
        let lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard lock >= 0 else { throw Disk.failure("locked", path) }
        guard flock(lock, LOCK_EX) == 0 else {
            close(lock)
            throw Disk.failure("locked", path)
        }
        return lock
    }

    private func save() throws(Failure) {
        var bytes: [UInt8] = []
        (admission?.json ?? check.json).write(to: &bytes)
        bytes.append(0x0A)
        try Disk.publish(bytes, at: path)
    }

    /// - Parameter purpose: Of a release's sample its name, of a source's admission stage and source with `/` between.
    static func samplePath(_ folder: String, _ purpose: String) throws(Failure) -> String {
        if Dossier.isName(purpose) { return "\(folder)/samples/\(purpose).json" }
        let words = purpose.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard words.count == 2, Admission.Stage(rawValue: words[0]) != nil, Dossier.isName(words[1]) else {
            throw noName(purpose)
        }
        return "\(folder)/admissions/\(purpose).json"
    }

    private static func noName(_ purpose: String) -> Failure {
        Failure(.invalid, "'\(purpose)' is no name for a sample: use letters, digits, '.', '_' and '-'.")
    }

    private static func json(_ path: String) throws(Failure) -> JSON {
        let bytes = try Disk.read(path, bytesMax: 1 << 30)
        do {
            return try JSON(parsing: bytes)
        } catch {
            throw Failure(.invalid, "\(path) is damaged.", note: "\(error)")
        }
    }
}
