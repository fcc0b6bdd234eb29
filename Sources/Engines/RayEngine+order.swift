internal import Core

extension RayEngine {
    /// Everything that keeps this cluster from ever running an order, at once. Ray itself accepts what can never fit.
    private func faults(_ order: EngineOrder, on nodes: [RayNode]) -> [String] {
        var faults: [String] = []
        if order.isolation == .required {
            faults.append("it asks for isolation, which a Ray cluster cannot give; submit it with 'isolation: auto'")
        }
        let alive = nodes.filter(\.isAlive)
        let task = order.resources
        let cardNodes = alive.filter { cardsFor(order, on: $0) != nil }
        if task.cards > 0, cardNodes.isEmpty {
            let most = alive.flatMap { cards.groups($0) }.map { "\($0.count) × \($0.model)" }
            faults.append(
                "each task needs \(task.cards) \(wantedModel(order) ?? "") cards on one node; the nodes have "
                    + (most.isEmpty ? "none" : Set(most).sorted().joined(separator: ", "))
            )
        }
        let cores = alive.map { $0.resources["CPU"] ?? 0 }.max() ?? 0
        if task.cores.cores > cores {
            faults.append("each task needs \(task.cores) cores; the largest node has \(cores)")
        }
        let memory = alive.map { $0.resources["memory"] ?? 0 }.max() ?? 0
        if Double(task.memory.count) > memory {
            faults.append("each task needs \(task.memory) of memory; the largest node has \(Bytes(Int64(memory)))")
        }
        let room = alive.reduce(0) { $0 + tasksThatFit(order, on: $1) }
        if faults.isEmpty, room < order.tasks {
            faults.append("it has \(order.tasks) tasks that start together; the whole cluster has room for \(room)")
        }
        return faults
    }

    /// How many tasks of the order an empty node takes.
    private func tasksThatFit(_ order: EngineOrder, on node: RayNode) -> Int {
        let task = order.resources
        var room = Double(order.tasks)
        if task.cores > 0 { room = min(room, (node.resources["CPU"] ?? 0) / task.cores.cores) }
        if task.memory > 0 { room = min(room, (node.resources["memory"] ?? 0) / Double(task.memory.count)) }
        if task.cards > 0 { room = min(room, Double((cardsFor(order, on: node)?.count ?? 0) / task.cards)) }
        return Int(max(0, room))
    }

    private func wantedModel(_ order: EngineOrder) -> String? { order.nodes.first?.card ?? order.resources.card }

    /// The node's cards that one task of the order can have.
    private func cardsFor(_ order: EngineOrder, on node: RayNode) -> RayNode.Cards? {
        let model = wantedModel(order)
        return cards.groups(node).first { $0.count >= order.resources.cards && (model == nil || $0.model == model) }
    }

    /// What one task asks Ray for: the amounts of `CPU`, `memory`, cards and marks.
    ///
    /// - Throws: ``EngineError/refused(_:)`` with everything that keeps this cluster from ever running the order.
    func request(
        _ order: EngineOrder,
        on nodes: [RayNode]
    ) throws(EngineError) -> [(name: String, amount: Double)] {
        let faults = faults(order, on: nodes)
        guard faults.isEmpty else {
            throw .refused("The run \(order.run) is refused: \(faults.joined(separator: "; ")).")
        }
        var request: [(name: String, amount: Double)] = []
        let task = order.resources
        if task.cores > 0 { request.append(("CPU", task.cores.cores)) }
        if task.memory > 0 { request.append(("memory", Double(task.memory.count))) }
        guard task.cards > 0 else { return request }
        let found = nodes.filter(\.isAlive).sorted { $0.id < $1.id }.lazy.compactMap { self.cardsFor(order, on: $0) }
            .first
        return request + (found?.request(task.cards) ?? [])
    }

    /// What is posted to Ray for a run.
    func submission(
        _ order: EngineOrder,
        request: [(name: String, amount: Double)],
        entrypoint: String
    ) -> JSON {
        let variables = JSON.object([("RAY_JOB_STOP_WAIT_TIME_S", .string("\(RayGang.stopWaitSeconds)"))])
        var members: [(key: String, value: JSON)] = [
            ("submission_id", .string("\(order.run)")), ("entrypoint", .string(entrypoint)),
            ("metadata", .object([(RayJob.folderKey, .string(configuration.folder))])),
            ("runtime_env", .object([("env_vars", variables)])),
        ]
        // A gang's driver only places its tasks, and must not take the room that they need.
        guard order.tasks == 1 else { return .object(members) }
        let own = ["CPU": "entrypoint_num_cpus", "GPU": "entrypoint_num_gpus"]
        var others: [(key: String, value: JSON)] = []
        for (name, amount) in request {
            if name == "memory" {
                members.append(("entrypoint_memory", .integer(Int64(amount))))
            } else if let key = own[name] {
                members.append((key, .number(amount)))
            } else {
                others.append((name, .number(amount)))
            }
        }
        if !others.isEmpty { members.append(("entrypoint_resources", .object(others))) }
        return .object(members)
    }
}

extension RayEngine {
    /// Writes a run down as held: its script, and what Ray will be told once it is released.
    func write(_ order: EngineOrder, _ request: [(name: String, amount: Double)]) throws(EngineError) {
        let script = runs.runs.script(order.run)
        let isGang = order.tasks > 1
        let entrypoint =
            isGang ? gangEntrypoint(order, request, script) : RayGang.start("\(RunScript.quoted(script)) main")
        try runs.write(
            order,
            members: isGang ? order.tasks : 0,
            document: submission(order, request: request, entrypoint: entrypoint),
            files: isGang ? [("gang.py", RayGang.program)] : []
        )
    }

    private func gangEntrypoint(
        _ order: EngineOrder,
        _ request: [(name: String, amount: Double)],
        _ script: String
    ) -> String {
        let plan = JSON.object([
            ("tasks", .integer(Int64(order.tasks))),
            ("request", .object(request.map { ($0.name, .number($0.amount)) })),
            ("command", .array(["/bin/sh", "-c", RayGang.start("\"$0\" member \"$1\""), script].map { .string($0) })),
        ])
        let words = [runs.folder(order.run).file("gang.py"), plan.text].map(RunScript.quoted)
        return "\(RayGang.findPython); exec \"$p\" \(words.joined(separator: " "))"
    }
}
