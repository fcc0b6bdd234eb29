internal import CSupervise
internal import Core
internal import Glibc
internal import Synchronization

extension LocalEngine {
    /// The most tasks of one gang on one machine, as `OP_TASKS_MAX` in C.
    static let tasksMax = 512

    /// Writes the run down as held. A repeat finds the first and waits until it is on disk.
    func write(_ order: EngineOrder) throws(EngineError) {
        let folder = folder(order.run)
        let text = Disk.exists(folder.file("order")) ? nil : try supervisorOrder(order)
        if let text, text.count > SupervisorOrder.bytesMax {
            throw .refused(
                "The command, environment and parameters have \(text.count) bytes together; "
                    + "a local engine takes \(SupervisorOrder.bytesMax). Pass large data as an input."
            )
        }
        do throws(Disk.Fault) {
            if let text {
                try Disk.makeFolder(folder.path)
                _ = try Disk.publish(text, in: folder.path, as: "order")
            }
            try Disk.flush("\(configuration.root)/runs")
        } catch {
            throw .unreachable("The run cannot be written to \(configuration.root): \(error.sentence).")
        }
    }

    /// Lets a held run start, once.
    func start(_ run: RunKey) throws(EngineError) {
        let folder = folder(run)
        guard Disk.exists(folder.file("order")) else { throw .unknownRun(run) }
        if Disk.exists(folder.file("claim")) || Disk.exists(folder.file("exit")) { return }
        do throws(Disk.Fault) { try Disk.touch(folder.file("released")) } catch {
            throw .unreachable("The release of \(run) cannot be written: \(error.sentence).")
        }
        _ = try launch(run)
    }

    /// Gives the run its cards and starts its supervisor. Repeats are harmless: one claim decides.
    ///
    /// - Returns: What it waits for, if it has to.
    func launch(_ run: RunKey) throws(EngineError) -> String? {
        let mine = state.withLock { $0.starting.insert(run).inserted }
        guard mine else { return "it is being started" }
        defer { state.withLock { _ = $0.starting.remove(run) } }
        let folder = folder(run)
        if let waiting = try assignCards(run) { return waiting }
        let code = withCStrings(PythonEnvironment.variables(of: OwnEnvironment.all)) {
            onepoint_start_supervisor(configuration.executable, folder.path, $0)
        }
        switch Int(code) {
        case ONEPOINT_SUPERVISE_STARTED, ONEPOINT_SUPERVISE_CLAIMED, ONEPOINT_SUPERVISE_SUPERSEDED: return nil
        case ONEPOINT_SUPERVISE_BAD_ORDER:
            // Claimed by us, so that nobody starts it after all.
            _ = try? Disk.publish(Array("cancelled\n".utf8), in: folder.path, as: "claim")
            write(RunOutcome(.rejected, detail: "its order on disk cannot be read"), of: run)
            return nil
        case ONEPOINT_SUPERVISE_NO_SPACE:
            throw .unreachable("There is no space in \(configuration.root), or it is read-only; the run stays held.")
        default:
            let why = code < 0 ? Disk.Fault(number: -code).sentence : "it left with status \(code)"
            throw .unreachable("The supervisor \(configuration.executable) cannot be started: \(why).")
        }
    }

    /// Chooses cards that no live run has and writes them down before the start.
    private func assignCards(_ run: RunKey) throws(EngineError) -> String? {
        let folder = folder(run)
        // What cannot be read needs no cards: the supervisor will say what is wrong with it.
        let order = Disk.read(folder.file("order"), bytesMax: SupervisorOrder.bytesMax) ?? []
        func note(_ key: String) -> String? { SupervisorOrder.values(of: key, in: order).first }
        let perTask = note("x-cards").flatMap { Int($0) } ?? 0
        guard perTask > 0, !Disk.exists(folder.file("cards")) else { return nil }
        let tasks = note("tasks").flatMap { Int($0) } ?? 1
        let (model, emulated) = (note("x-card"), note("x-emulated") == "1")
        return try Disk.locked("\(configuration.root)/lock") { () throws(EngineError) -> String? in
            if Disk.exists(folder.file("cards")) { return nil }
            var taken: Set<String> = []
            for other in try self.look(withoutStarting: run) {
                let notes = Disk.read(self.folder(other).file("cards"), bytesMax: SupervisorOrder.bytesMax) ?? []
                taken.formUnion(SupervisorOrder.values(of: "x-card", in: notes))
            }
            let chosen = PhysicalCard.choose(
                perTask * tasks,
                of: self.cards,
                free: { !taken.contains($0.note) },
                model: model,
                emulated: emulated
            )
            guard let chosen else { return "it waits for cards that other runs still have" }
            var text = SupervisorOrder()
            for card in chosen { text.add("x-card", card.note) }
            if let first = chosen.first, !first.emulated, note("x-sandbox") == "1" {
                for word in Sandbox.devices(vendor: first.vendor, indices: chosen.map(\.index)) {
                    text.add("box", word)
                }
            }
            let present = Set(self.cards.filter { !$0.emulated }.map(\.vendor))
            for task in 0..<tasks {
                text.add("task", task)
                let share = Array(chosen[task * perTask..<(task + 1) * perTask])
                for (name, value) in PhysicalCard.environment(share, present: present) {
                    text.add("env", "\(name)=\(value)")
                }
            }
            do throws(Disk.Fault) {
                _ = try Disk.publish(text.finished, in: folder.path, as: "cards", durable: false)
            } catch {
                throw .unreachable("The assignment of cards cannot be written: \(error.sentence).")
            }
            return nil
        }
    }

    /// The runs that may hold cards: all but `run` that have not ended.
    private func look(withoutStarting run: RunKey) throws(EngineError) -> [RunKey] {
        let ended = state.withLock { Set($0.ended.keys) }
        return (Disk.names(in: "\(configuration.root)/runs") ?? []).compactMap { RunKey($0) }.filter {
            $0 != run && !ended.contains($0) && Disk.exists(folder($0).file("cards"))
                && !Disk.exists(folder($0).file("exit"))
        }
    }
}
