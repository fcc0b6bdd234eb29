import ArgumentParser
import Core
import Wire

struct CapacityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capacity",
        abstract: "Show what there is: nameplate, schedulable, free and measured, by tier, centre and project.",
        discussion: """
            CORES and CARDS are free/all. PFLOPS are dense FP16 of real cards: all by the catalogue, UP what may be \
            scheduled, FREE of that, MEASURED where a card was. CPU GFLOPS is FP32 of processors as measured at joining.
            """
    )

    @OptionGroup var point: PointOptions

    func run() async throws {
        try await point.with { client in
            try point.show(try await client.get("/v1/capacity"), as: CapacityView.self) { view in
                var table = Table([
                    .init("WHERE", shrinks: true), .init("CORES", .right), .init("CARDS", .right),
                    .init("PFLOPS", .right),
                    .init("PFLOPS UP", .right), .init("PFLOPS FREE", .right), .init("MEASURED", .right),
                    .init("CPU GFLOPS", .right), .init("EMULATED", .right),
                ])
                func add(_ name: String, _ figures: CapacityFigures, _ style: Style? = nil) {
                    table.add(
                        Table.Cell(name, style),
                        Table.Cell("\(spoken(figures.cores.free))/\(spoken(figures.cores.nameplate))"),
                        Table.Cell("\(spoken(figures.cards.free))/\(spoken(figures.cards.nameplate))"),
                        Table.Cell(spoken(figures.pflops.nameplate)),
                        Table.Cell(spoken(figures.pflops.schedulable)),
                        Table.Cell(spoken(figures.pflops.free)),
                        Table.Cell(figures.pflops.measured.map { spoken($0) }),
                        Table.Cell(figures.processorGflops.map { spoken($0.rounded()) }),
                        Table.Cell(figures.emulatedCards.nameplate > 0 ? spoken(figures.emulatedCards.nameplate) : "-")
                    )
                }
                add("everything", view.total, .strong)
                for tier in view.tiers {
                    add("\(tier.tier) (\(tier.centres))", tier.capacity)
                    for centre in view.centres where centre.tier == tier.tier {
                        add(
                            "  \(centre.centre)\(centre.connected ? "" : " (silent)")",
                            centre.capacity,
                            centre.connected ? nil : .bad
                        )
                    }
                }
                terminal.print(table)
                guard !view.projects.isEmpty else { return }
                terminal.print("")
                var projects = Table([
                    .init("PROJECT", shrinks: true), .init("RUNS", .right), .init("CORES HELD", .right),
                    .init("CARDS HELD", .right), .init("PFLOPS HELD", .right),
                ])
                for row in view.projects {
                    projects.add(
                        Table.Cell(row.project),
                        Table.Cell(row.runs),
                        Table.Cell(spoken(row.cores)),
                        Table.Cell(row.cards),
                        Table.Cell(spoken(row.pflops))
                    )
                }
                terminal.print(projects)
            }
        }
    }
}

struct AcceleratorsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accelerators",
        abstract: "Show the catalogue of accelerators that PFLOPS are computed from.",
        discussion: """
            MODEL is what job files, prices and configurations name. TFLOPS are dense FP16 of one unit; CONFIDENCE says \
            how well the figure is sourced, --json the source itself.
            """
    )

    @OptionGroup var point: PointOptions

    func run() async throws {
        try await point.with { client in
            try point.show(try await client.get("/v1/accelerators"), as: [Accelerator].self) { catalogue in
                var table = Table([
                    .init("MODEL"), .init("VENDOR"), .init("TITLE", shrinks: true), .init("UNIT"),
                    .init("MEMORY", .right), .init("TFLOPS", .right), .init("CONFIDENCE"),
                ])
                for row in catalogue {
                    table.add(
                        Table.Cell(row.model),
                        Table.Cell(row.vendor),
                        Table.Cell(row.title),
                        Table.Cell(row.unit.rawValue),
                        Table.Cell(row.memory.map { "\($0)" }),
                        Table.Cell(row.fp16DenseTflops.map { spoken($0) }),
                        Table.Cell(row.confidence.rawValue)
                    )
                }
                terminal.print(table)
            }
        }
    }
}
