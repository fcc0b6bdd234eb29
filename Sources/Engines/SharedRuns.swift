internal import CSupervise
internal import Core

/// The runs of a centre whose nodes share a folder with its agent: what the agent writes and the run's script answers.
///
/// ```
/// runs/<run>/script, order, parameters.json, requirements.txt   written held; `order` last
/// runs/<run>/claim[.N]     who started it, or `cancelled`: linked into place, so that there is one for ever
/// runs/<run>/started[.N], beat[.N], log.N, task.N, twins        by the script, while it goes on
/// runs/<run>/hard_end      when it is ended without its script, which is about to be asked
/// runs/<run>/cancel        the wish that it ends, with the grace in seconds
/// runs/<run>/exit[.N]      how it ended; the first word is the last
/// fences/<job>/<number>    the runs of a job that were started after its first
/// environments/<hash>/     Python environments by what they were made from
/// ```
///
/// `.N` stands for a member that its engine started by itself. All calls block; call them through `blocking`.
struct SharedRuns: Sendable {
    /// Absolute, and the same on every node.
    let root: String

    /// Scripts run as the agent's own user, so nobody else need write here.
    ///
    /// - Throws: ``EngineError/unreachable(_:)`` when the folders cannot be made.
    init(root: String) throws(EngineError) {
        guard root.hasPrefix("/") else {
            throw .refused("The centre's shared folder '\(root)' is not an absolute path.")
        }
        self.root = root
        do throws(Disk.Fault) {
            for name in ["runs", "fences", "environments"] { try Disk.makeFolder("\(root)/\(name)") }
        } catch {
            throw .unreachable("The shared folder \(root) cannot be made: \(error.sentence).")
        }
    }

    func folder(_ run: RunKey) -> RunFolder { RunFolder(path: "\(root)/runs/\(run)") }

    /// The program that the engine is to start, with the word `main` or `member`.
    func script(_ run: RunKey) -> String { folder(run).file("script") }

    /// Every run that was written, ended or not.
    func runs() throws(EngineError) -> [RunKey] {
        guard let names = Disk.names(in: "\(root)/runs") else {
            throw .unreachable("The folder \(root)/runs cannot be read.")
        }
        return names.compactMap { RunKey($0) }.filter { Disk.exists(folder($0).file("order")) }
    }

    // MARK: Write

    /// Writes a run held: nothing starts before its engine is told. A repeat leaves the first as it is.
    ///
    /// - Parameters:
    ///   - afresh: Writes it again, for nobody has it from here yet.
    ///   - durable: Whether it is on disk when this returns; else that is the caller's to see to.
    func write(
        _ order: EngineOrder,
        afresh: Bool = false,
        durable: Bool = true,
        grace: Duration = .seconds(10)
    ) throws(EngineError) {
        let folder = folder(order.run)
        if !afresh, Disk.exists(folder.file("order")) { return }
        try Self.check(order)
        let requirements = try Self.requirements(of: order)
        let python = Interpreter(path: "python3", prefix: "", version: "")
        let script = RunScript(
            order: order,
            folder: folder,
            root: root,
            environment: requirements.map { PythonEnvironment(requirements: $0, interpreter: python, below: root) },
            graceSeconds: max(1, Int(grace.components.seconds))
        )
        do throws(Disk.Fault) {
            try Disk.makeFolder(folder.path)
            func put(_ text: String, _ name: String) throws(Disk.Fault) {
                try Disk.replace(Array(text.utf8), in: folder.path, as: name, durable: durable)
            }
            try put(script.text, "script")
            try put(order.parameters, "parameters.json")
            if let requirements { try put(requirements, "requirements.txt") }
            _ = try Disk.publish(Array("\(order.run)\n".utf8), in: folder.path, as: "order", durable: durable)
            if durable { try Disk.flush("\(root)/runs") }
        } catch {
            throw .unreachable("The run cannot be written to \(folder.path): \(error.sentence).")
        }
    }

    /// Everything about an order that no engine with a shared folder can do, at once.
    private static func check(_ order: EngineOrder) throws(EngineError) {
        var faults: [String] = []
        if order.command.isEmpty || order.command[0].isEmpty { faults.append("it has no program") }
        if order.command.first?.utf8.contains(UInt8(ascii: "=")) == true {
            faults.append("the name of its program holds '='")
        }
        let texts = order.command + order.environment.keys + order.environment.values + [order.parameters]
        if texts.contains(where: { $0.utf8.contains(0) }) {
            faults.append("its command, environment and parameters may hold any byte but NUL")
        }
        if order.environment.keys.contains(where: { $0.isEmpty || $0.utf8.contains(UInt8(ascii: "=")) }) {
            faults.append("names of variables may be neither empty nor hold '='")
        }
        if order.tasks < 1 { faults.append("it has \(order.tasks) tasks") }
        for folder in [order.inputsFolder, order.outputsFolder, order.algorithmFolder ?? "/"]
        where !folder.hasPrefix("/") || folder.utf8.contains(0) {
            faults.append("the folder '\(folder)' is not an absolute path")
        }
        if let path = order.requirements, !TreeManifest.isSafe(path: path) || order.algorithmFolder == nil {
            faults.append("its requirements file '\(path)' is not a path inside an algorithm's folder")
        }
        if order.isolation == .required {
            faults.append(
                "it asks for isolation, which this centre leaves to its engine; submit it with 'isolation: auto'"
            )
        }
        guard faults.isEmpty else {
            throw .refused("The run \(order.run) is refused: \(faults.joined(separator: "; ")).")
        }
    }

    private static func requirements(of order: EngineOrder) throws(EngineError) -> String? {
        guard let path = order.requirements, let folder = order.algorithmFolder else { return nil }
        return try PythonEnvironment.requirements(at: "\(folder)/\(path)", named: path)
    }

    // MARK: Look

    /// What the run's own files say of it.
    struct Look: Sendable, Hashable {
        enum Claim: Sendable, Hashable {
            case started
            /// Nobody can start it any more.
            case cancelled
        }

        var claim: Claim?
        var startedAt: Instant?
        /// A second start of it was turned away: its engine may speak of that one.
        var hasTwin: Bool
        /// Changes every ten seconds while the run lives on its node.
        var beat: [String]
        /// ``EngineRun/State/ended(_:startedAt:endedAt:)`` once it has.
        var ending: EngineRun.State?
    }

    /// - Parameter members: How many members its engine starts by themselves; 0 for a run with a main.
    /// - Returns: `nil` when the run was never written.
    func look(at run: RunKey, members: Int = 0) -> Look? {
        let folder = folder(run)
        guard Disk.exists(folder.file("order")) else { return nil }
        func beat(_ suffix: String) -> String {
            Disk.read(folder.file("beat\(suffix)"), bytesMax: 64).map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
        guard members > 0 else {
            // Without a claim there is nothing else: the cheapest answer for what waits.
            guard let claim = claim(folder, "") else { return Look(hasTwin: false, beat: [""]) }
            return Look(
                claim: claim,
                startedAt: folder.startedAt(),
                hasTwin: Disk.exists(folder.file("twins")),
                beat: [beat("")],
                ending: folder.ending()
            )
        }
        let hasTwin = Disk.exists(folder.file("twins"))
        if let ending = folder.ending() {
            return Look(
                claim: claim(folder, ""),
                startedAt: folder.startedAt(),
                hasTwin: hasTwin,
                beat: [],
                ending: ending
            )
        }
        let suffixes = (0..<members).map { ".\($0)" }
        let claims = suffixes.compactMap { claim(folder, $0) } + (claim(folder, "").map { [$0] } ?? [])
        let started = suffixes.compactMap { folder.startedAt($0) }.min()
        return Look(
            claim: claims.contains(.started) ? .started : claims.first,
            startedAt: started,
            hasTwin: hasTwin,
            beat: suffixes.map(beat),
            ending: Self.ending(of: suffixes.map { folder.ending($0) }, startedAt: started)
        )
    }

    /// A gang has ended when one member failed, or all succeeded.
    private static func ending(of members: [EngineRun.State?], startedAt: Instant?) -> EngineRun.State? {
        var ends: [(outcome: RunOutcome, endedAt: Instant)] = []
        for case .ended(let outcome, _, let endedAt)? in members { ends.append((outcome, endedAt)) }
        let failed = ends.filter { $0.outcome.kind != .succeeded }.min { $0.endedAt < $1.endedAt }
        if let failed { return .ended(failed.outcome, startedAt: startedAt, endedAt: failed.endedAt) }
        guard ends.count == members.count, let last = ends.map(\.endedAt).max() else { return nil }
        return .ended(RunOutcome(.succeeded), startedAt: startedAt, endedAt: last)
    }

    private func claim(_ folder: RunFolder, _ suffix: String) -> Look.Claim? {
        guard let bytes = Disk.read(folder.file("claim\(suffix)"), bytesMax: 4096) else { return nil }
        return bytes.starts(with: "cancelled".utf8) ? .cancelled : .started
    }

    /// Up to `countMax` bytes of what a task printed.
    func logs(_ run: RunKey, task: Int, from offset: Int64, countMax: Int) throws(EngineError) -> [UInt8] {
        let folder = folder(run)
        guard Disk.exists(folder.file("order")) else { throw .unknownRun(run) }
        return Disk.bytes(of: folder.file("log.\(task)"), from: offset, countMax: min(countMax, 4 << 20)) ?? []
    }

    // MARK: End

    /// Sees to it that a run which was not started never is.
    ///
    /// - Parameter members: As in ``look(at:members:)``: each of them may be started by itself.
    /// - Returns: Whether it is so; `false` when it was started already.
    func forbid(_ run: RunKey, members: Int = 0) throws(EngineError) -> Bool {
        let folder = folder(run)
        guard Disk.exists(folder.file("order")) else { throw .unknownRun(run) }
        let suffixes = members > 0 ? (0..<members).map { ".\($0)" } : [""]
        do throws(Disk.Fault) {
            for suffix in suffixes {
                _ = try Disk.publish(Array("cancelled\n".utf8), in: folder.path, as: "claim\(suffix)")
                guard claim(folder, suffix) == .cancelled else { return false }
            }
        } catch {
            throw .unreachable("The run \(run) cannot be kept from starting: \(error.sentence).")
        }
        return true
    }

    /// Notes the wish that a run ends, which its script sees within a second or two; telling the engine makes it sooner.
    func askToStop(_ run: RunKey, grace: Duration) throws(EngineError) {
        let seconds = (max(.zero, min(grace, .seconds(86_400))).milliseconds + 999) / 1000
        do throws(Disk.Fault) {
            try Disk.replace(Array("\(seconds)\n".utf8), in: folder(run).path, as: "cancel")
        } catch {
            throw .unreachable("The wish to cancel \(run) cannot be written: \(error.sentence).")
        }
    }

    /// Makes durable by when a run is to be ended, also by another process than this.
    func note(_ end: HardEnd, of run: RunKey) throws(EngineError) {
        do throws(Disk.Fault) { try Disk.replace(Array(end.text.utf8), in: folder(run).path, as: "hard_end") } catch {
            throw .unreachable("The wish to cancel \(run) cannot be written: \(error.sentence).")
        }
    }

    /// - Returns: `nil` for a run that nobody has asked to end.
    func hardEnd(of run: RunKey) -> HardEnd? {
        let folder = folder(run)
        guard Disk.exists(folder.file("cancel")) else { return nil }
        return Disk.read(folder.file("hard_end"), bytesMax: 64).flatMap { HardEnd(String(decoding: $0, as: UTF8.self)) }
    }

    /// Writes down how a run ended whose script cannot. The first word counts.
    ///
    /// - Returns: How it ended.
    func conclude(_ run: RunKey, _ outcome: RunOutcome) throws(EngineError) -> EngineRun.State {
        let folder = folder(run)
        let (started, ended) = (folder.startedAt(), Machine.now())
        do throws(Disk.Fault) {
            let record = RunFolder.record(outcome, startedAt: started, endedAt: ended)
            _ = try Disk.publish(record, in: folder.path, as: "exit")
        } catch {
            throw .unreachable("The end of \(run) cannot be written: \(error.sentence).")
        }
        return folder.ending() ?? .ended(outcome, startedAt: started, endedAt: ended)
    }

    /// Removes what a run left. Its mark among the fences stays: an older run of its job may still come.
    func forget(_ run: RunKey) throws(EngineError) {
        let folder = folder(run)
        guard Disk.exists(folder.path) else { return }
        let gone = "\(root)/runs/.gone-\(run)"
        Disk.remove(gone)
        do throws(Disk.Fault) { try Disk.move(folder.path, to: gone) } catch {
            throw .unreachable("The run's folder cannot be removed: \(error.sentence).")
        }
        Disk.remove(gone)
    }
}

/// When a run that was asked to end is ended hard, for whoever looks after it by then.
struct HardEnd {
    /// By the clock of the machine that wrote it.
    private var at: Instant
    /// What there was to wait then: a clock that was put back gives no more.
    private var patience: Duration

    init(in patience: Duration) { (at, self.patience) = (Machine.now() + patience, patience) }

    init?(_ text: String) {
        let words = text.split(whereSeparator: \.isWhitespace).map { Int64($0) }
        guard words.count == 2, let at = words[0], let patience = words[1] else { return nil }
        (self.at, self.patience) = (Instant(milliseconds: at), .milliseconds(patience))
    }

    var left: Duration { max(.zero, min(at - Machine.now(), patience)) }

    var text: String { "\(at.milliseconds) \(patience.milliseconds)\n" }
}
