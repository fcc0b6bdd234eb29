import Agent
import Core
import Engines
import Wire

/// The folder of one centre's agent: it outlives every process.
///
/// `@unchecked Sendable`: confined to the thread of its world.
final class SimulatedDisk: @unchecked Sendable {
    private let time: VirtualTime
    let name: String
    /// Whose seat this one takes, where the check of seats is on trial.
    private let impersonated: SimulatedDisk?
    private var boots = 0
    private(set) var records: [RunKey: AgentRecord] = [:]
    private var refusesUntil: Instant?

    /// - Parameter name: Of no other disk in its world.
    init(
        _ name: String,
        _ time: VirtualTime,
        records: [RunKey: AgentRecord] = [:],
        impersonates impersonated: SimulatedDisk? = nil
    ) {
        (self.name, self.time, self.records, self.impersonated) = (name, time, records, impersonated)
    }

    /// This disk on this boot of its machine.
    var seat: String { impersonated?.seat ?? "\(name):\(boots)" }

    /// Its machine starts anew.
    func reboot() { boots += 1 }

    func refuse(for duration: Duration) { refusesUntil = time.now + duration }

    /// Goes back to what an older copy holds.
    func restore(_ copy: [RunKey: AgentRecord]) { records = copy }

    private func write() throws {
        guard let until = refusesUntil else { return }
        if time.now < until { throw Failure(.storageExhausted, "The disk is full.") }
        refusesUntil = nil
    }

    /// The disk as one process sees it.
    struct Door: AgentDisk, CentreStaging {
        let disk: SimulatedDisk
        let life: Life
        let seat: String

        init(disk: SimulatedDisk, life: Life) { (self.disk, self.life, seat) = (disk, life, disk.seat) }

        func save(_ record: AgentRecord) async throws {
            try life.pass()
            try await disk.time.sleep(for: .milliseconds(2))
            try disk.write()
            if life.isOver { throw CancellationError() }
            disk.records[record.key] = record
            try life.pass()
        }

        func load() async throws -> (records: [AgentRecord], unreadable: [String]) {
            try life.pass()
            // Through the form that real disks hold.
            let records = try disk.records.values.sorted { $0.key < $1.key }.map {
                try WireJSON.decode(AgentRecord.self, from: WireJSON.encode($0))
            }
            return (records, [])
        }

        func remove(_ run: RunKey) async throws {
            try life.pass()
            try disk.write()
            disk.records[run] = nil
            try life.pass()
        }

        func stage(
            _ order: LeaseOrder,
            _ tell: @escaping @Sendable (String) async -> Void
        ) async throws -> EngineOrder {
            try life.pass()
            try disk.write()
            return EngineOrder(order, algorithmFolder: nil, inputs: "inputs", outputs: "outputs")
        }

        func collect(
            _ order: LeaseOrder,
            _ tell: @escaping @Sendable (String) async -> Void
        ) async throws -> StagedOutputs { .complete([]) }

        func release(_ run: RunKey) async {}

        func open(keeping lives: @escaping @Sendable () async -> Lives) async {}

        func trim() async throws {}

        func stop() async {}
    }
}
