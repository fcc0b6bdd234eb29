public import Core
public import Curation
import Glibc
import Wire

/// An annotation batch: what it is, in a file that people write, and what was done, in `NAME.work.json` beside it.
public struct BatchFile: Sendable {
    public private(set) var batch: AnnotationBatch
    /// Which items reviewers look at; `nil`: all.
    public let reviews: SampleDraw?
    let path: String
    private let reviewed: Set<Int>

    /// Reads a batch with the work that was done on it.
    public static func read(_ path: String) throws(Failure) -> BatchFile {
        let work = workPath(path)
        guard Disk.exists(work) else {
            throw Failure(.notFound, "\(work) is not there: the batch has no items. '--items' gives it some.")
        }
        let bytes = try Disk.read(work, bytesMax: 1 << 30)
        guard let json = try? JSON(parsing: bytes) else { throw Failure(.invalid, "\(work) is damaged.") }
        return try BatchFile(path, work: json["work"], reviews: json["reviews"])
    }

    private init(_ path: String, work: JSON?, reviews json: JSON?) throws(Failure) {
        self.path = path
        batch = try YAMLDocument.read(Disk.read(path), path) { json throws(Failure) in
            guard case .object(let members) = json else { return try AnnotationBatch(json) }
            // Only steps that the people of the batch may take are work.
            return try AnnotationBatch(.object(members.filter { $0.key != "work" } + [("work", work ?? .object([]))]))
        }
        reviews = try json.flatMap { json throws(Failure) in json == .null ? nil : try SampleDraw(json) }
        reviewed = Set(reviews?.places(hash: ItemList.hash) ?? [])
    }

    private static func workPath(_ path: String) -> String {
        let name = [".yaml", ".yml"].first { path.hasSuffix($0) }.map { String(path.dropLast($0.count)) } ?? path
        return name + ".work.json"
    }

    /// Gives a batch its items: the lines of a file of JSON Lines.
    ///
    /// - Parameter reviews: How many reviewers look at, drawn by the Merkle root of the items; `nil`: all.
    /// - Throws: ``Failure`` when it has items already.
    public static func begin(_ path: String, items file: String, reviews: Int?) throws(Failure) -> BatchFile {
        let work = workPath(path)
        guard !Disk.exists(work) else { throw Failure(.conflict, "\(work) is there already: the batch has its items.") }
        let begun = try BatchFile(path, work: nil, reviews: nil)
        if reviews != nil, begun.batch.kind == .safety {
            throw Failure(.invalid, "\(path) is a batch of safety data, whose items are all reviewed.")
        }
        let bytes = try Disk.read(file, bytesMax: 1 << 32)
        var tree = MerkleTree(hash: ItemList.hash)
        var items: [WorkList.Item] = []
        for (place, line) in bytes.split(separator: 0x0A).enumerated() {
            guard place < WorkList.itemsMax else {
                throw Failure(.tooLarge, "\(file) has more than \(WorkList.itemsMax) records; make several batches.")
            }
            let digest = Disk.sha256(line.span)
            tree.append(digest)
            let id = (try? JSON(parsing: line))?["id"].map { $0.stringValue ?? $0.text }
            items.append(.init(place: place, digest: digest, id: String((id ?? digest.hex).prefix(200))))
        }
        guard !items.isEmpty else { throw Failure(.invalid, "\(file) has no records.") }
        let draw = reviews.map { size in
            SampleDraw(root: tree.root, purpose: "review/\(begun.batch.name)", population: items.count, size: size)
        }
        let batch = try BatchFile(path, work: WorkList(items: items).json, reviews: draw?.json)
        try batch.save()
        return batch
    }

    /// What waits for a person who may do it.
    public func pending(for person: String) -> [(step: WorkList.Step, item: WorkList.Item)] {
        let roles = Set(batch.people.filter { $0.id == person && $0.isQualified }.map(\.role))
        return batch.work.items.compactMap { item in
            let step = WorkList.Step.allCases.first { step in
                roles.contains(.init(step)) && isAsked(step, item.place)
                    && batch.work.awaits(step, of: item.place, by: person)
            }
            return step.map { ($0, item) }
        }
    }

    /// Items that nobody has to look at any more.
    public var done: Int {
        batch.work.items.count { item in
            if case .judged = item.state { return !isAsked(.review, item.place) }
            return item.verdict != nil
        }
    }

    private func isAsked(_ step: WorkList.Step, _ place: Int) -> Bool {
        step != .review || reviews == nil || reviewed.contains(place)
    }

    /// Takes somebody's step, and keeps it.
    public mutating func apply(_ event: WorkList.Event) throws(Failure) {
        let lock = open(Self.workPath(path) + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard lock >= 0 else { throw Disk.failure("locked", path) }
        defer { close(lock) }
        guard flock(lock, LOCK_EX) == 0 else { throw Disk.failure("locked", path) }
        self = try Self.read(path)
        guard isAsked(event.step, event.place) else {
            throw Failure(.conflict, "Item \(event.place) was not drawn for review; choosing one would be no sample.")
        }
        do throws(WorkList.Refusal) {
            try batch.apply(event)
        } catch {
            throw Failure(.conflict, error.sentence)
        }
        try save()
    }

    private func save() throws(Failure) {
        var bytes: [UInt8] = []
        JSON.object([(key: "reviews", value: reviews?.json ?? .null), (key: "work", value: batch.work.json)])
            .write(to: &bytes)
        bytes.append(0x0A)
        try Disk.publish(bytes, at: Self.workPath(path))
    }
}

extension AnnotationBatch.Role {
    init(_ step: WorkList.Step) {
        self =
            switch step {
            case .judge: .annotator
            case .review: .reviewer
            case .adjudicate: .adjudicator
            }
    }
}
