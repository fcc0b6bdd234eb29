import Core
import Engines
import TestKit
import Testing

@Suite("Engines keep the contract")
struct ConformanceTests {
    static let local: Set<EngineFeature> = [
        .processes, .ownEnvironment, .gangs, .memoryLimits, .reopens, .supervisors, .fences,
    ]

    @Test("a local engine with plain processes", arguments: EngineConformance.cases(for: local))
    func plain(_ one: EngineConformance) async throws { try await check(one, isolation: .none) }

    @Test("a local engine in sandboxes", arguments: EngineConformance.cases(for: local))
    func sandboxed(_ one: EngineConformance) async throws { try await check(one, isolation: .required) }

    @Test("the fake engine", arguments: EngineConformance.cases(for: [.reopens, .fences]))
    func fake(_ one: EngineConformance) async throws { try await one.check(FakeEngineRig()) }

    private func check(_ one: EngineConformance, isolation: Isolation) async throws {
        let rig = try LocalEngineRig(isolation: isolation)
        if isolation == .required, try await !rig.local().capacity().isolates {
            print("bubblewrap does not work here: not tested in a sandbox: \(one)")
            return await rig.remove()
        }
        do { try await one.check(rig) } catch {
            await rig.remove()
            throw error
        }
        await rig.remove()
    }
}
