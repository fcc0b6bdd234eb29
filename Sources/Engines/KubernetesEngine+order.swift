internal import Core

extension KubernetesEngine {
    /// The cards that each task of an order can have; `nil` when it wants none.
    ///
    /// - Throws: ``EngineError/refused(_:)`` with everything that keeps this cluster from ever running the order.
    func cards(for order: EngineOrder, on nodes: [KubernetesNode]) throws(EngineError) -> KubernetesCards.Cards? {
        var faults: [String] = []
        if order.isolation == .required {
            faults.append(
                "it asks for isolation without network, which this engine does not give; submit it with 'auto'"
            )
        }
        let paths = [order.inputsFolder, order.outputsFolder] + (order.algorithmFolder.map { [$0] } ?? [])
        for path in paths where !"\(path)/".hasPrefix("\(configuration.mount)/") {
            faults.append("its folder \(path) is not below \(configuration.mount), which is all that pods see")
        }
        let task = order.resources
        let open = nodes.filter(\.isSchedulable)
        let fitting = open.filter {
            task.cores.cores <= $0.allocatable["cpu"] ?? 0 && Double(task.memory.count) <= $0.allocatable["memory"] ?? 0
        }
        if fitting.isEmpty {
            faults.append("no open node has \(task.cores) cores and \(task.memory) of memory for one task")
        }
        let model = order.nodes.first?.card ?? order.resources.card
        let found = fitting.sorted { $0.name < $1.name }.lazy.compactMap { node in
            self.cards.groups(node).first { $0.count >= task.cards && (model == nil || $0.model == model) }
        }
        .first
        if task.cards > 0, found == nil, !fitting.isEmpty {
            faults.append("no open node has \(task.cards) \(model ?? "") cards for one task")
        }
        guard faults.isEmpty else {
            throw .refused("The run \(order.run) is refused: \(faults.joined(separator: "; ")).")
        }
        return task.cards > 0 ? found : nil
    }
}

extension KubernetesEngine {
    /// Writes a run down as held: its script, and the Job that it will be.
    func write(
        _ order: EngineOrder,
        _ cards: KubernetesCards.Cards?,
        _ abilities: KubernetesManifest.Abilities
    ) throws(EngineError) {
        let isGang = order.tasks > 1
        let script = runs.runs.script(order.run)
        let manifest = KubernetesManifest(
            order: order,
            configuration: configuration,
            abilities: abilities,
            cards: cards,
            command: ["/bin/sh"] + (isGang ? [runs.folder(order.run).file("gang")] : [script, "main"])
        )
        let digest = KubernetesManifest.digest(order)
        try runs.write(
            order,
            members: isGang ? order.tasks : 0,
            document: .object([
                ("tasks", .integer(Int64(order.tasks))), ("job", manifest.job(orderDigest: digest)),
            ]),
            files: isGang
                ? [("gang", KubernetesGang.text(order, folder: runs.folder(order.run).path, script: script))] : []
        )
    }
}
