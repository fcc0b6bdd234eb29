internal import Core

extension Tier {
    /// Of which kind a request is, as far as tiers go.
    enum Taste: Equatable {
        /// Gangs of cards train: they want fast networks between nodes, and many nodes at once.
        case large
        /// One task for a few minutes: most of what people wait for, inference above all, is best near them.
        case short
        case none

        init(_ request: Request) {
            if request.tasks > 1, request.resources.cards > 0 {
                self = .large
            } else if request.tasks == 1, request.timeLimitSeconds <= Self.shortSecondsMax {
                self = .short
            } else {
                self = .none
            }
        }

        static let shortSecondsMax = 900
    }

    /// How far a tier is from what a request of that kind prefers: it spills over in this order.
    func distance(_ taste: Taste) -> Int {
        switch (taste, self) {
        case (.none, _), (.large, .hub), (.large, .region), (.short, .edge): 0
        case (.large, .edge), (.short, .region), (.short, .device): 1
        case (.large, .device), (.short, .hub): 2
        }
    }
}

extension Planner {
    /// What it takes to bring a job's inputs to a centre. Where no link is known, a usual one is assumed.
    func staging(_ job: QueuedJob, to centre: Int) -> (bytes: Bytes, seconds: Double, price: MicroCredits) {
        let missing = max(0, job.inputBytes - (job.near[snapshot.centres[centre].name] ?? 0))
        let link = snapshot.centres[centre].link ?? Link()
        return (missing, link.seconds(missing), link.price(missing))
    }

    /// By which of two centres a job's inputs are sooner there: negative for the first, 0 where it makes no difference that
    /// is worth a looser fit.
    func stagingOrder(_ job: QueuedJob, _ a: Int, _ b: Int) -> Int64 {
        guard hasLinks else {
            // In whole GiB: less is brought within seconds.
            func gibi(_ centre: Int) -> Int64 { (job.near[snapshot.centres[centre].name]?.count ?? 0) >> 30 }
            return gibi(b) - gibi(a)
        }
        func steps(_ centre: Int) -> Int64 { Int64(min(staging(job, to: centre).seconds, 1e12) / 10) }
        return steps(a) - steps(b)
    }
}
