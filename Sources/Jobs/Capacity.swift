import Core
import Wire

/// One node and what live runs leave of it.
struct NodeLoad {
    var node: Node
    var freeCores: MilliCores
    var freeMemory: Bytes
    /// Free cards by model and kind.
    var freeGroups: [CardGroup]
    var runs: [RunKey]

    var freeCards: Int { freeGroups.reduce(0) { $0 + $1.count } }

    /// What is free at every node of a centre, beside our runs and what others hold. More than all can be in use, after a
    /// node shrank or while runs wait for what others have: then nothing is free.
    static func of(_ centre: Centre, runs: [Run], others: [NodeUse]) -> [NodeLoad] {
        var loads = (centre.capacity?.nodes ?? []).map {
            NodeLoad(node: $0, freeCores: $0.cores, freeMemory: $0.memory, freeGroups: $0.cards, runs: [])
        }
        let places = Dictionary(loads.enumerated().map { ($0.element.node.name, $0.offset) }) { first, _ in first }
        for run in runs {
            for share in run.nodes {
                guard let place = places[share.node] else { continue }
                loads[place].freeCores = loads[place].freeCores - run.resources.cores * share.tasks
                loads[place].freeMemory = loads[place].freeMemory - run.resources.memory * share.tasks
                loads[place].runs.append(run.key)
                if let card = share.card,
                    let group = loads[place].freeGroups.firstIndex(where: {
                        $0.model == card && $0.emulated == share.emulated
                    })
                {
                    loads[place].freeGroups[group].count -= run.resources.cards * share.tasks
                }
            }
        }
        for use in others {
            guard let place = places[use.node] else { continue }
            loads[place].freeCores = loads[place].freeCores - use.cores
            loads[place].freeMemory = loads[place].freeMemory - use.memory
            for held in use.cards {
                let group = loads[place].freeGroups.firstIndex {
                    $0.model == held.model && $0.emulated == held.emulated
                }
                if let group { loads[place].freeGroups[group].count -= held.count }
            }
        }
        for place in loads.indices {
            loads[place].freeCores = max(0, loads[place].freeCores)
            loads[place].freeMemory = max(0, loads[place].freeMemory)
            for group in loads[place].freeGroups.indices {
                loads[place].freeGroups[group].count = max(0, loads[place].freeGroups[group].count)
            }
        }
        return loads
    }
}

extension CapacityFigures {
    /// The four figures of one centre. A draining centre is not schedulable.
    static func of(_ centre: Centre, runs: [Run], others: [NodeUse]) -> CapacityFigures {
        NodeLoad.of(centre, runs: runs, others: others).reduce(CapacityFigures()) { sum, load in
            let open = load.node.schedulable && centre.state == .open
            var figures = CapacityFigures()
            func figure(_ total: Double, _ free: Double, _ measured: Double? = nil) -> Figures {
                Figures(nameplate: total, schedulable: open ? total : 0, free: open ? free : 0, measured: measured)
            }
            figures.processorGflops = load.node.measured?.fp32Gflops
            figures.cores = figure(load.node.cores.cores, load.freeCores.cores)
            figures.memoryBytes = figure(Double(load.node.memory.count), Double(load.freeMemory.count))
            for (group, free) in zip(load.node.cards, load.freeGroups) {
                if group.emulated {
                    figures.emulatedCards = figures.emulatedCards + figure(Double(group.count), Double(free.count))
                } else {
                    let tflops = Accelerator.named(group.model)?.fp16DenseTflops ?? 0
                    figures.cards = figures.cards + figure(Double(group.count), Double(free.count))
                    figures.pflops =
                        figures.pflops
                        + figure(
                            Double(group.count) * tflops / 1000,
                            Double(free.count) * tflops / 1000,
                            group.measuredTflops.map { Double(group.count) * $0 / 1000 }
                        )
                }
            }
            return sum + figures
        }
    }
}

extension Run {
    /// Dense FP16 PFLOPS of the cards that it holds, by the catalogue; emulated cards count none.
    var pflops: Double {
        nodes.reduce(0) { sum, share in
            let tflops = share.emulated ? 0 : share.card.flatMap { Accelerator.named($0)?.fp16DenseTflops } ?? 0
            return sum + tflops * Double(resources.cards * share.tasks) / 1000
        }
    }
}
