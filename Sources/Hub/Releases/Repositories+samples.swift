import Blobs
public import Core
public import Curation
import NIOCore
import Store
public import Wire

/// A sample of a release with everything that people said of it.
public struct Sample: Sendable {
    public let release: Release
    public let draw: SampleDraw
    public let work: WorkList
    let sheet: SampleSheet

    public var purpose: String { draw.purpose }
}

/// One record that was drawn.
public struct SampledRecord: Sendable {
    public let item: WorkList.Item
    public let record: JSON
    /// Of the line that holds both.
    public let shown: Digest
}

extension Repositories {
    /// The samples of a release by name, each whole or with what is wrong with it.
    public func samples(
        of release: Release
    ) async throws -> [(purpose: String, sample: Result<Sample, Failure>)] {
        var found: [(purpose: String, sample: Result<Sample, Failure>)] = []
        for entry in try await entries(of: Release.samplesFolder, in: release, limit: 2 * Release.samplesMax) {
            guard let purpose = Self.stem(entry.name, ["json"]), found.count < Release.samplesMax else { continue }
            do {
                found.append((purpose, .success(try await sample(purpose, of: release))))
            } catch let failure as Failure where failure.code == .invalid || failure.code == .tooLarge {
                found.append((purpose, .failure(failure)))
            }
        }
        return found
    }

    /// A sample of a release, with the verdicts that were given here put to those that it brought.
    ///
    /// - Throws: `.notFound`; `.invalid` when it is damaged, drawn otherwise than its root draws, or of other records than
    ///   the release has; `.tooLarge`.
    public func sample(_ purpose: String, of release: Release) async throws -> Sample {
        guard Dossier.isName(purpose),
            let entry = try await file("\(Release.samplesFolder)/\(purpose).json", of: release),
            let digest = entry.digest,
            let texts = try await file("\(Release.samplesFolder)/\(purpose).jsonl", of: release)?.digest
        else {
            throw Failure(
                .notFound,
                "There is no sample '\(purpose.prefix(100))' in this release.",
                note: Self.entryNote
            )
        }
        let sheet = try await readings.sheets.value(digest, weight: entry.size.count) {
            do {
                let bytes = try await content(of: entry, in: release)
                return .success(try SampleSheet(bytes, texts: texts))
            } catch let failure as Failure where failure.code == .invalid || failure.code == .tooLarge {
                return .failure(failure)
            }
        }.get()
        guard sheet.check.draw.purpose == purpose else {
            throw Failure(.invalid, "\(purpose).json was drawn for another purpose.")
        }
        if let items = try await items(of: release),
            items.root != sheet.check.draw.root || items.records != sheet.check.draw.population
        {
            throw Failure(
                .invalid,
                "The sample '\(purpose)' was drawn from another release than this one: the roots differ."
            )
        }
        let draw = sheet.check.draw
        let events = try await events(on: .init(repository: release.repository.id, root: draw.root, purpose: purpose))
        let work = events.isEmpty ? sheet.check.work : sheet.check.work.merging(events)
        return Sample(release: release, draw: draw, work: work, sheet: SampleSheet(sheet, texts: texts))
    }

    /// What was said here of a sample, as a work list takes it.
    private func events(on key: VerdictMemory.Key) async throws -> [WorkList.Event] {
        var known = readings.verdicts.known(key)
        let last = known.sequence
        let fresh = try await store.read { tx in
            try tx.verdicts(of: key.repository, root: key.root, purpose: key.purpose, after: last, limit: .max)
        }
        guard let newest = fresh.last else { return known.events }
        known.events += fresh.compactMap(\.event)
        known.sequence = newest.sequence
        readings.verdicts.keep(known, of: key)
        return known.events
    }

    /// A drawn record's text.
    public func record(at place: Int, of sample: Sample) async throws -> SampledRecord {
        guard let item = sample.work.item(at: place) else {
            throw Failure(.notFound, "No record at place \(place) was drawn for this sample.", note: Self.entryNote)
        }
        let release = sample.release
        guard let reader = try await open(sample.sheet.texts, in: release.repository) else {
            throw Failure(.notFound, "The texts of this sample are not here.")
        }
        guard reader.size.count <= LineIndex.fileBytesMax else {
            throw Failure(
                .tooLarge,
                "The texts of this sample are longer than \(Bytes(LineIndex.fileBytesMax).description); judge them where the "
                    + "run is, with 'onepoint data judge'."
            )
        }
        let index = try await readings.lines.value(sample.sheet.texts, weight: Int64(sample.work.items.count) * 64) {
            try await LineIndex.read(reader.chunks())
        }
        guard let range = index.ranges[place], Int64(range.count) <= LineIndex.lineBytesMax else {
            throw Failure(
                .invalid,
                "The text of the record at place \(place) is missing, or too long to be judged here."
            )
        }
        let line = Array(try await reader.read(offset: range.lowerBound, countMax: range.count).readableBytesView)
        guard let json = try? JSON(parsing: line, depthMax: JSON.ownDepthMax), let record = json["record"] else {
            throw Failure(.invalid, "The text of the record at place \(place) is damaged.")
        }
        return SampledRecord(item: item, record: record, shown: sha256(line.span))
    }

    // MARK: Verdicts

    /// What somebody says of a record.
    public struct Judgement: Sendable, Hashable {
        public var step: WorkList.Step
        public var place: Int
        public var isGood: Bool
        public var risks: [String]
        public var note: String?

        public init(step: WorkList.Step, place: Int, isGood: Bool, risks: [String] = [], note: String? = nil) {
            (self.step, self.place, self.isGood, self.risks, self.note) = (step, place, isGood, risks, note)
        }

        /// Risks of one record, bytes of each, bytes of the note.
        public static let risksMax = 16
        public static let riskBytesMax = 64
        public static let noteBytesMax = 2000
    }

    /// Takes the caller's verdict on a drawn record. Said again, it changes nothing.
    ///
    /// A record is judged by one person, reviewed by another, and settled by a third where they disagree: nobody has two
    /// parts in one record. What decides is read in the transaction that writes, so of two who are quick one is refused.
    /// - Throws: `.conflict` when the record does not wait for that step, `.forbidden` when the caller had a part in it.
    public func judge(
        _ sample: Sample,
        _ judgement: Judgement,
        _ caller: Principal?
    ) async throws -> VerdictView {
        let caller = try Self.signedIn(caller)
        try Self.check(judgement)
        let shown = try await record(at: judgement.place, of: sample)
        guard let drawn = sample.sheet.check.work.item(at: judgement.place) else {
            throw Failure(.notFound, "No record at place \(judgement.place) was drawn for this sample.")
        }
        let (draw, revision, id) = (sample.draw, sample.release.revision.id, sample.release.repository.id)
        let now = now()
        return try await write { tx in
            // It may have become somebody else's while the text was read.
            let repository = try Self.find(id, for: .write, caller, tx)
            let known = try tx.verdicts(of: id, root: draw.root, purpose: draw.purpose, place: judgement.place)
            var list = WorkList(items: [drawn]).merging(known.compactMap(\.event))
            // The clock may have been set back; a step is never before the one that it follows.
            let steps = list.items.first?.state.steps ?? []
            let at = max(now, steps.last?.judgement.at ?? now)
            let said = WorkList.Judgement(
                person: caller.user.text,
                isGood: judgement.isGood,
                risks: judgement.risks,
                at: at,
                note: judgement.note
            )
            // What was kept counts whatever the release says of it now.
            for verdict in known {
                if verdict.judged.step == judgement.step.rawValue {
                    guard verdict.repeats(said) else { throw Self.failure(.wrongState) }
                    return VerdictView(verdict)
                }
                if verdict.judged.person == caller.user { throw Self.failure(.samePerson) }
            }
            do throws(WorkList.Refusal) {
                let isNew = try list.apply(WorkList.Event(judgement.step, place: judgement.place, judgement: said))
                // The release brought the same step of the same person.
                guard isNew else { throw .wrongState }
            } catch {
                throw Self.failure(error)
            }
            let event = Event.SampleJudged(
                repository: id,
                root: draw.root,
                purpose: draw.purpose,
                place: judgement.place,
                item: drawn.digest,
                shown: shown.shown,
                step: judgement.step.rawValue,
                person: caller.user,
                isGood: judgement.isGood,
                risks: judgement.risks,
                note: judgement.note,
                revision: revision
            )
            let sequence = try tx.append(.sampleJudged(event), about: repository, caller, at: at)
            return VerdictView(SampleVerdict(judged: event, sequence: sequence, at: at))
        }
    }

    private static func check(_ judgement: Judgement) throws(Failure) {
        var faults: [Violation] = []
        if judgement.risks.count > Judgement.risksMax {
            faults.append(Violation("/risks", "may have \(Judgement.risksMax) items"))
        }
        for (index, risk) in judgement.risks.prefix(Judgement.risksMax).enumerated()
        where !Dossier.isName(risk) || risk.utf8.count > Judgement.riskBytesMax {
            faults.append(Violation("/risks/\(index)", "must be a risk's id of letters, digits, '.', '_' and '-'"))
        }
        if Set(judgement.risks).count != judgement.risks.count { faults.append(Violation("/risks", "names one twice")) }
        if let note = judgement.note,
            note.utf8.count > Judgement.noteBytesMax || !note.utf8.contains(where: { $0 > 0x20 })
        {
            faults.append(Violation("/note", "may not be empty, nor longer than \(Judgement.noteBytesMax) bytes"))
        }
        guard faults.isEmpty else { throw Failure(.invalid, "The verdict has faults.", violations: faults) }
    }

    private static func failure(_ refusal: WorkList.Refusal) -> Failure {
        switch refusal {
        case .unknownItem: Failure(.notFound, refusal.sentence)
        case .samePerson, .notQualified: Failure(.forbidden, refusal.sentence)
        case .wrongState, .tooEarly: Failure(.conflict, refusal.sentence)
        case .contradiction: Failure(.invalid, refusal.sentence)
        }
    }

    /// The verdicts that were given here on a sample, in their order: who said what. For the members of its project.
    public func verdicts(
        on sample: Sample,
        cursor: String?,
        limit: Int,
        _ caller: Principal?
    ) async throws -> Page<VerdictView> {
        var after: Int64 = 0
        if let cursor {
            guard let sequence = Int64(cursor) else {
                throw Failure(.malformed, "This cursor was not made here. Begin again without one.")
            }
            after = sequence
        }
        let (draw, id, start) = (sample.draw, sample.release.repository.id, after)
        return try await store.read { tx in
            let repository = try Self.find(id, for: .read, caller, tx)
            guard try Self.role(of: caller, in: repository.path.project, tx) != nil else {
                throw Failure(
                    .forbidden,
                    "Who judged what is told to members of project '\(repository.path.project)' only."
                )
            }
            let found = try tx.verdicts(of: id, root: draw.root, purpose: draw.purpose, after: start, limit: limit + 1)
            let page = found.prefix(limit).map { VerdictView($0) }
            return Page(items: page, next: found.count > limit ? page.last.map { "\($0.sequence)" } : nil)
        }
    }
}

extension SampleSheet {
    /// The same with the texts that lie beside it in this release: the head alone does not name them.
    init(_ other: SampleSheet, texts: Digest) { (check, self.texts) = (other.check, texts) }
}

extension SampleVerdict {
    fileprivate func repeats(_ said: WorkList.Judgement) -> Bool {
        judged.person.text == said.person && judged.isGood == said.isGood && judged.risks == said.risks
    }

    /// As a work list takes it; `nil` for a step that this version does not know.
    var event: WorkList.Event? {
        WorkList.Step(rawValue: judged.step).map { step in
            WorkList.Event(
                step,
                place: judged.place,
                judgement: WorkList.Judgement(
                    person: judged.person.text,
                    isGood: judged.isGood,
                    risks: judged.risks,
                    at: at,
                    note: judged.note
                )
            )
        }
    }
}

extension VerdictView {
    init(_ verdict: SampleVerdict) {
        let judged = verdict.judged
        self.init(
            sequence: verdict.sequence,
            place: judged.place,
            step: judged.step,
            person: judged.person,
            good: judged.isGood,
            risks: judged.risks,
            note: judged.note,
            at: verdict.at,
            item: judged.item,
            shown: judged.shown,
            revision: judged.revision
        )
    }
}
