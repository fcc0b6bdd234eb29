internal import Core
internal import Glibc
internal import Synchronization

/// Which job of Slurm's carries out which run: runs that ask the same and are submitted together are one array.
///
/// ```
/// batches/<name>/0, 1, …    links to the runs' folders, by the element's index
/// batches/<name>/record     its runs and what they ask for: written durably before Slurm is asked
/// batches/<name>/number     the job's number: written durably once Slurm has answered
/// ```
///
/// A batch has the name of its job, which is that of its first run, with a count behind it when there was one of that name
/// before. So an answer that was lost on the way is found again by its name. A run that is submitted anew, because Slurm has
/// lost it, belongs to the newest of its batches. All calls block; call them through `blocking`.
final class SlurmBatches: Sendable {
    struct Batch: Sendable {
        var name: String
        var runs: [RunKey]
        var shape: SlurmShape
        /// Grows with every batch.
        var serial: Int64
        /// `nil` as long as no answer has come.
        var number: String?
    }

    /// Where a run is at Slurm.
    struct Place: Sendable, Hashable {
        var name: String
        /// `nil` in a batch of one, which is no array.
        var index: Int?
        var number: String?

        /// The job's number as people write it.
        var text: String? { number.map { number in index.map { "\(number)_\($0)" } ?? number } }
    }

    private struct State {
        var batches: [String: Batch] = [:]
        /// Of each batch, the runs that were not forgotten.
        var left: [String: Set<RunKey>] = [:]
        /// Of each run, its batches and its index there, the newest last.
        var places: [RunKey: [(name: String, index: Int)]] = [:]
        var serial: Int64 = 0
    }

    private let runs: SharedRuns
    private let root: String
    private let state = Mutex(State())

    /// - Throws: ``EngineError/unreachable(_:)`` when the folder cannot be made or read.
    init(_ runs: SharedRuns) throws(EngineError) {
        self.runs = runs
        root = "\(runs.root)/batches"
        do throws(Disk.Fault) { try Disk.makeFolder(root) } catch {
            throw .unreachable("The folder \(root) cannot be made: \(error.sentence).")
        }
        guard let names = Disk.names(in: root) else { throw .unreachable("The folder \(root) cannot be read.") }
        // The newest last, so that it counts.
        for batch in names.compactMap({ read($0) }).sorted(by: { $0.serial < $1.serial }) { keep(batch) }
        for name in names where state.withLock({ $0.left[name] })?.isEmpty ?? true { remove(name) }
    }

    func folder(_ name: String) -> String { "\(root)/\(name)" }

    /// - Returns: `nil` when it was never to be submitted.
    func place(of run: RunKey) -> Place? {
        state.withLock { state in
            guard let (name, index) = state.places[run]?.last, let batch = state.batches[name] else { return nil }
            return Place(name: name, index: batch.runs.count > 1 ? index : nil, number: batch.number)
        }
    }

    func shape(of run: RunKey) -> SlurmShape? {
        state.withLock { state in state.places[run]?.last.flatMap { state.batches[$0.name]?.shape } }
    }

    /// The names of batches whose number is not known, and which their runs still belong to.
    var unanswered: [String] {
        state.withLock { state in
            state.batches.values.filter { batch in
                batch.number == nil && batch.runs.contains { state.places[$0]?.last?.name == batch.name }
            }.map(\.name)
        }
    }

    /// Whether a job of that name and number is one that nobody waits for any more: another was noted in its stead.
    func isSuperseded(_ name: String, _ number: String) -> Bool {
        state.withLock { state in
            guard let batch = state.batches[name] else { return false }
            if let noted = batch.number { return noted != number }
            return !batch.runs.contains { state.places[$0]?.last?.name == name }
        }
    }

    /// Writes down that these runs are about to be submitted together, durably.
    func open(_ members: [RunKey], _ shape: SlurmShape) throws(EngineError) -> Batch {
        let serial = state.withLock { state in
            state.serial += 1
            return state.serial
        }
        var batch = Batch(name: "", runs: members, shape: shape, serial: serial)
        do throws(Disk.Fault) {
            var count = 0
            repeat {
                batch.name = members[0].description + (count == 0 ? "" : ".\(count)")
                count += 1
            } while mkdir(folder(batch.name), 0o755) != 0 && errno == EEXIST
            if members.count > 1 {
                for (index, run) in members.enumerated()
                where symlink(runs.folder(run).path, "\(folder(batch.name))/\(index)") != 0 {
                    throw Disk.Fault(number: errno)
                }
            }
            try Disk.replace(Array(batch.json.text.utf8), in: folder(batch.name), as: "record")
            try Disk.flush(root)
        } catch {
            throw .unreachable("What is to be submitted cannot be written below \(root): \(error.sentence).")
        }
        keep(batch)
        return batch
    }

    /// Makes a batch's number durable, so that a repeat finds it.
    func note(_ number: String, of name: String) throws(EngineError) {
        do throws(Disk.Fault) {
            try Disk.replace(Array("\(number)\n".utf8), in: folder(name), as: "number")
        } catch {
            throw .unreachable("The number of \(name) at its engine cannot be written: \(error.sentence).")
        }
        state.withLock { $0.batches[name]?.number = number }
    }

    /// The run's own folder is gone; with the last of a batch its record goes.
    func forget(_ run: RunKey) {
        let over = state.withLock { state -> [String] in
            let names = (state.places.removeValue(forKey: run) ?? []).map(\.name)
            for name in names { state.left[name]?.remove(run) }
            return names.filter { state.left[$0]?.isEmpty == true }
        }
        for name in over { remove(name) }
    }

    private func keep(_ batch: Batch) {
        // What was written down before a restart may have been forgotten since.
        let left = Set(batch.runs.filter { Disk.exists(runs.folder($0).path) })
        state.withLock { state in
            state.batches[batch.name] = batch
            state.left[batch.name] = left
            for (index, run) in batch.runs.enumerated() where left.contains(run) {
                state.places[run, default: []].append((batch.name, index))
            }
            state.serial = max(state.serial, batch.serial)
        }
    }

    private func remove(_ name: String) {
        state.withLock { state in
            state.batches[name] = nil
            state.left[name] = nil
        }
        Disk.remove(folder(name))
    }

    private func read(_ name: String) -> Batch? {
        guard let bytes = Disk.read("\(folder(name))/record", bytesMax: 1 << 20), let json = try? JSON(parsing: bytes)
        else { return nil }
        let number = Disk.read("\(folder(name))/number", bytesMax: 64).flatMap {
            String(decoding: $0, as: UTF8.self).split(separator: "\n").first.map(String.init)
        }
        return Batch(json, name: name, number: number)
    }
}

extension SlurmBatches.Batch {
    fileprivate var json: JSON {
        .object([
            ("serial", .integer(serial)), ("runs", .array(runs.map { .string($0.description) })),
            ("tasks", .integer(Int64(shape.tasks))), ("cores_per_task", .integer(Int64(shape.coresPerTask))),
            ("mebibytes_per_core", .integer(shape.mebibytesPerCore)),
            ("cards_per_task", shape.cardsPerTask.map { .string($0) } ?? .null),
            ("minutes", .integer(Int64(shape.minutes))),
            ("partition", shape.partition.map { .string($0) } ?? .null),
            ("account", shape.account.map { .string($0) } ?? .null),
        ])
    }

    fileprivate init?(_ json: JSON, name: String, number: String?) {
        guard let serial = json["serial"]?.integerValue, let runs = json["runs"]?.arrayValue,
            let tasks = json["tasks"]?.integerValue, let cores = json["cores_per_task"]?.integerValue,
            let mebibytes = json["mebibytes_per_core"]?.integerValue, let minutes = json["minutes"]?.integerValue
        else { return nil }
        self.init(
            name: name,
            runs: runs.compactMap { $0.stringValue.flatMap { RunKey($0) } },
            shape: SlurmShape(
                tasks: Int(tasks),
                coresPerTask: Int(cores),
                mebibytesPerCore: mebibytes,
                cardsPerTask: json["cards_per_task"]?.stringValue,
                minutes: Int(minutes),
                partition: json["partition"]?.stringValue,
                account: json["account"]?.stringValue
            ),
            serial: serial,
            number: number
        )
    }
}
