public import Core

/// Data that people label, and that these people may: trained, examined, each in a role, functional and safety data apart.
///
/// What a batch must have is a matter of profiles (``ProfileEvidence`` gathers it); here it is only seen to that nobody
/// works in a role that is not theirs.
public struct AnnotationBatch: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Teaches to do something.
        case functional
        /// Teaches what not to do, or how not to.
        case safety
    }

    public enum Role: String, Hashable, Sendable, CaseIterable {
        case annotator, reviewer, adjudicator
    }

    /// Somebody with a role and the records that they may have it.
    public struct Person: Hashable, Sendable {
        /// A pseudonym is enough, as long as it is always the same.
        public var id: String
        public var role: Role
        /// Of the record of training.
        public var training: Digest?
        /// Of the record of the examination.
        public var exam: Digest?
        public var isExamPassed: Bool

        public init(id: String, role: Role, training: Digest?, exam: Digest?, isExamPassed: Bool) {
            (self.id, self.role, self.training) = (id, role, training)
            (self.exam, self.isExamPassed) = (exam, isExamPassed)
        }

        public var isQualified: Bool { training != nil && exam != nil && isExamPassed }
    }

    public let name: String
    public let kind: Kind
    /// Of the written rules that it was labelled by.
    public let rules: Digest
    /// Which risks these rules speak of: ids of a ``RiskTaxonomy``.
    public let rulesCover: [String]
    /// Where it is kept; safety data has a place of its own.
    public let storage: String
    /// A person with two roles stands twice.
    public let people: [Person]
    public private(set) var work: WorkList
    private let qualified: [Role: Set<String>]

    public init(
        name: String,
        kind: Kind,
        rules: Digest,
        rulesCover: [String],
        storage: String,
        people: [Person],
        work: WorkList
    ) {
        (self.name, self.kind, self.rules, self.rulesCover) = (name, kind, rules, rulesCover)
        (self.storage, self.people, self.work) = (storage, people, work)
        var qualified: [Role: Set<String>] = [:]
        for person in people where person.isQualified { qualified[person.role, default: []].insert(person.id) }
        self.qualified = qualified
    }

    /// Takes an event in, unless the person is not qualified for the role that it takes; see ``WorkList/apply(_:)``.
    @discardableResult
    public mutating func apply(_ event: WorkList.Event) throws(WorkList.Refusal) -> Bool {
        guard mayDo(event.step, event.judgement.person) else { throw .notQualified }
        return try work.apply(event)
    }

    private func mayDo(_ step: WorkList.Step, _ person: String) -> Bool {
        let role: Role =
            switch step {
            case .judge: .annotator
            case .review: .reviewer
            case .adjudicate: .adjudicator
            }
        return qualified[role]?.contains(person) ?? false
    }

    /// People who have more than one role, in order: allowed, as long as they do not meet on one item.
    public var withSeveralRoles: [String] {
        var roles: [String: Set<Role>] = [:]
        for person in people { roles[person.id, default: []].insert(person.role) }
        return roles.filter { $0.value.count > 1 }.keys.sorted()
    }
}

extension AnnotationBatch {
    private static let keys = ["name", "kind", "rules", "rules_cover", "storage", "people", "work"]

    /// Reads a batch, its work taken again step by step.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault and its JSON Pointer.
    public init(_ json: JSON) throws(Failure) {
        var reader = FieldReader()
        let fields = reader.fields(json, at: "", known: Self.keys)
        let name = reader.name(fields, "name")
        let kind: Kind? = reader.choice(fields, "kind")
        let rules = reader.digest(fields, "rules")
        let cover = reader.list(fields, "rules_cover").compactMap { reader.text($0.json, at: $0.pointer, bytesMax: 64) }
        let storage = reader.text(fields, "storage")
        let people = reader.list(fields, "people", max: 100_000).compactMap {
            Person.read($0.json, at: $0.pointer, &reader)
        }
        let work = WorkList.read(
            reader.value(fields, "work", isRequired: false) ?? .object([]),
            at: fields.at("work"),
            &reader
        )
        var batch: AnnotationBatch?
        if let name, let kind, let rules, let storage, let work {
            let read = AnnotationBatch(
                name: name,
                kind: kind,
                rules: rules,
                rulesCover: cover,
                storage: storage,
                people: people,
                work: work
            )
            for (index, item) in work.items.enumerated() {
                for (step, judgement) in item.state.steps where !read.mayDo(step, judgement.person) {
                    let sentence = WorkList.Refusal.notQualified.sentence
                    reader.fault(fields.at("work") + "/items/\(index)/\(step.rawValue)", "cannot be: \(sentence)")
                }
            }
            batch = read
        }
        self = try reader.finish(batch, "annotation batch")
    }

    public var json: JSON {
        .sorted([
            ("name", .string(name)), ("kind", .string(kind.rawValue)), ("rules", .digest(rules)),
            ("rules_cover", .texts(rulesCover)), ("storage", .string(storage)), ("people", .array(people.map(\.json))),
            ("work", work.items.isEmpty ? nil : work.json),
        ])
    }
}

extension AnnotationBatch.Person {
    fileprivate static func read(_ json: JSON, at pointer: String, _ reader: inout FieldReader) -> Self? {
        let fields = reader.fields(json, at: pointer, known: ["id", "role", "training", "exam", "exam_passed"])
        let id = reader.text(fields, "id", bytesMax: 256)
        let role: AnnotationBatch.Role? = reader.choice(fields, "role")
        let training = reader.digest(fields, "training", isRequired: false)
        let exam = reader.digest(fields, "exam", isRequired: false)
        let isPassed = reader.bool(fields, "exam_passed", isRequired: false) ?? false
        guard let id, let role else { return nil }
        return Self(id: id, role: role, training: training, exam: exam, isExamPassed: isPassed)
    }

    fileprivate var json: JSON {
        .sorted([
            ("id", .string(id)), ("role", .string(role.rawValue)), ("training", .digest(training)),
            ("exam", .digest(exam)), ("exam_passed", .bool(isExamPassed)),
        ])
    }
}
