import Agent
import Core
import Jobs
import Logging
import Wire

/// One centre: an engine, a disk, a network, and whoever runs as its agent at the moment.
///
/// `@unchecked Sendable`: confined to the thread of its world.
final class SimulatedCentre: @unchecked Sendable {
    let index: Int
    let name: CentreName
    let engine: SimulatedEngine
    let network: Network
    let disk: SimulatedDisk
    private let time: VirtualTime
    private let truth: Truth
    private let pace: Agent.Pace
    private let log: Logger
    private(set) var identity: AgentIdentity?
    private var life: Life?
    private var twins: [Life] = []
    private var copies = 0
    private var skew = Duration.zero

    init(
        index: Int,
        name: CentreName,
        engine: SimulatedEngine,
        network: Network,
        time: VirtualTime,
        truth: Truth,
        pace: Agent.Pace,
        log: Logger
    ) {
        (self.index, self.name, self.engine, self.network) = (index, name, engine, network)
        (self.time, self.truth, self.pace, self.log) = (time, truth, pace, log)
        disk = SimulatedDisk("\(name)", time)
    }

    /// Whether an agent is there and nothing is left for it to do.
    var isIdle: Bool { life != nil && disk.records.isEmpty && engine.livesOn.isEmpty }

    /// Gives the centre's agent who it is, and starts it.
    func join(_ answer: JoinResponse) {
        identity = AgentIdentity(point: "simulated", centre: name, agent: answer.agent, key: answer.key)
        life?.end()
        start()
    }

    /// Begins another life of the agent on the same disk.
    private func start() {
        guard let identity else { return }
        let life = Life()
        self.life = life
        run(identity, disk, engine, network, life)
        life.whenOver { [self] in if self.life === life { self.life = nil } }
    }

    private func run(
        _ identity: AgentIdentity,
        _ disk: SimulatedDisk,
        _ engine: SimulatedEngine,
        _ network: Network,
        _ life: Life
    ) {
        let door = SimulatedDisk.Door(disk: disk, life: life)
        let agent = Agent(
            identity: identity,
            disk: door,
            staging: door,
            engine: SimulatedEngine.Door(engine: engine, life: life),
            link: SimulatedLink(network: network, life: life, identity: identity, disk: disk),
            pace: pace,
            now: { [time, self] in time.now + skew },
            runtime: time,
            log: log
        )
        let work = Task(executorPreference: time) { try await agent.work() }
        life.whenOver { work.cancel() }
    }

    // MARK: Faults

    /// The agent dies at one of its next calls and is started again later, perhaps with its machine.
    func crash(after calls: Int, reboots: Bool, away: Duration) {
        guard let life else { return }
        life.whenOver { [self] in
            if reboots { disk.reboot() }
            time.after(away) { [self] in if self.life == nil { start() } }
        }
        life.end(after: calls)
    }

    /// The agent dies, and starts in the same place on what an older copy of its folder holds.
    func restore(_ copy: [RunKey: AgentRecord]) {
        truth.noteAmnesia(centre: index, at: time.now)
        life?.end()
        disk.restore(copy)
        start()
    }

    /// A second agent on a copy of the folder, on another machine with its own way to the point.
    ///
    /// - Parameter other: The engine that it finds there; without one it drives the centre's.
    func twin(at other: SimulatedEngine?, over network: Network, for duration: Duration) {
        guard let identity else { return }
        let life = Life()
        twins.append(life)
        copies += 1
        let disk = SimulatedDisk(
            "\(name)-copy-\(copies)",
            time,
            records: disk.records,
            impersonates: network.sabotage == .sharedSeat ? disk : nil
        )
        run(identity, disk, other ?? engine, network, life)
        time.after(duration) { life.end() }
    }

    /// Ends the agent for good.
    func leave() {
        identity = nil
        life?.end()
        for twin in twins { twin.end() }
    }

    func skewClock(_ skew: Duration, for duration: Duration) {
        self.skew = skew
        time.after(duration) { [self] in self.skew = .zero }
    }
}
