public import Core

extension SimulationReport {
    /// Two policies over three centres, with every field set.
    public static let sample = SimulationReport(
        trace: .init(name: "kth “sp2”.swf.gz", jobs: 28_476, skipped: [.init(reason: "never ran", jobs: 13)]),
        options: .init(
            scale: 1.25,
            eventOrder: .sequential,
            stayHome: true,
            projects: .user,
            outages: [.init(centre: 2, fromSeconds: 86_400, seconds: 43_200)]
        ),
        centres: [
            .init(name: "hub-1", tier: .hub, nodes: 320, cores: 61_440, cards: 2560),
            .init(name: "hub-2", tier: .hub, nodes: 600, cores: 76_800, cards: 192),
            .init(name: "edge-1", tier: .edge, nodes: 24, cores: 1152, cards: 96),
        ],
        petaflops: 1044.5,
        unit: .cards,
        stepSeconds: 900.5,
        policies: [
            policy("easy", wait: 5400.125, queued: [0, 40, 90, 55, 12], used: [0, 800, 1000, 900, 150]),
            policy("onepoint", wait: 3600.125, queued: [0, 25, 40, 10, 0], used: [0, 900, 1000, 700, 50]),
        ],
        differences: [
            .init(
                policy: "onepoint",
                base: "easy",
                waitSeconds: .init(mean: -1800.25, low: -2400.5, high: -1200.5),
                boundedSlowdown: .init(mean: -12.5, low: -30.25, high: 4.5)
            )
        ]
    )

    private static func policy(_ name: String, wait: Double, queued: [Int], used: [Int]) -> Policy {
        var figures: [String: Double] = [:]
        for (index, figure) in Figure.allCases.enumerated() where figure != .energy {
            figures[figure.rawValue] = wait / Double(1 << index)
        }
        (figures["utilisation"], figures["jain_fairness"], figures["fragmentation"]) = (0.875, 0.625, 0.125)
        return Policy(
            name: name,
            started: 28_470,
            impossible: 6,
            interrupted: 3,
            figures: figures,
            sizes: [
                .init(upTo: 1, jobs: 20_000, meanWaitSeconds: wait / 4),
                .init(upTo: 16, jobs: 8470, meanWaitSeconds: wait * 2),
            ],
            projects: [
                .init(
                    name: "brain",
                    share: 0.25,
                    started: 300,
                    meanWaitSeconds: wait / 2,
                    meanBoundedSlowdown: 2.5,
                    held: 0.125,
                    ofDue: 0.5
                ),
                .init(
                    name: "user 7",
                    share: 0.75,
                    started: 28_170,
                    meanWaitSeconds: wait,
                    meanBoundedSlowdown: 7.25,
                    held: 0.625,
                    ofDue: 1.125
                ),
            ],
            projectsMore: 4,
            jainProjects: 0.875,
            forecasts: .init(
                starts: .init(count: 2000, p50Held: 0.5125, p90Held: 0.9125, p90OverTruth: 2.5),
                runs: .init(count: 14_235, p50Held: 0.4875, p90Held: 0.8875, p90OverTruth: 3.5)
            ),
            scheduleHash: "00c0ffee00c0ffee",
            cpuSeconds: 1.5,
            queued: queued,
            used: [used, used.map { $0 / 2 }, used.map { 1000 - $0 }]
        )
    }
}
