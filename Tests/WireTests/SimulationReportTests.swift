import Core
import TestKit
import Testing
import Wire

@Suite struct SimulationReportTests {
    private static func json(_ change: (inout SimulationReport) -> Void = { _ in }) throws -> JSON {
        var report = SimulationReport.sample
        change(&report)
        return try JSON(encoding: report)
    }

    private static func faults(_ json: JSON) -> [String] {
        do {
            _ = try SimulationReport.read(json)
            return []
        } catch {
            return error.violations.map(\.pointer)
        }
    }

    @Test("what is written is read")
    func roundTrip() throws {
        #expect(try SimulationReport.read(try Self.json()) == .sample)
        let bare = try Self.json {
            $0.options.projects = nil
            ($0.options.outages, $0.trace.skipped, $0.differences) = ([], [], [])
            for index in $0.policies.indices {
                ($0.policies[index].forecasts, $0.policies[index].jainProjects) = (nil, nil)
                ($0.policies[index].projects, $0.policies[index].sizes) = ([], [])
            }
        }
        #expect(try SimulationReport.read(bare).policies.allSatisfy { $0.forecasts == nil })
    }

    @Test("every limit is kept, and the document at the limit is taken")
    func limits() throws {
        let long = String(repeating: "n", count: SimulationReport.nameBytesMax)
        #expect(Self.faults(try Self.json { $0.trace.name = long }).isEmpty)
        #expect(Self.faults(try Self.json { $0.trace.name = long + "n" }) == ["/trace/name"])
        #expect(Self.faults(try Self.json { $0.trace.name = "a\nb" }) == ["/trace/name"])
        #expect(Self.faults(try Self.json { $0.trace.name = "" }) == ["/trace/name"])
        func policies(_ count: Int, moments: Int) -> (inout SimulationReport) -> Void {
            { report in
                let model = report.policies[0]
                report.differences = []
                report.policies = (0..<count).map { number in
                    var policy = model
                    policy.name = "p\(number)"
                    policy.queued = Array(repeating: 1, count: moments)
                    policy.used = Array(repeating: policy.queued, count: report.centres.count)
                    return policy
                }
            }
        }
        #expect(Self.faults(try Self.json(policies(16, moments: 240))).isEmpty)
        #expect(Self.faults(try Self.json(policies(17, moments: 2))) == ["/policies"])
        #expect(Self.faults(try Self.json(policies(2, moments: 241))).contains("/policies/0/queued"))
        #expect(Self.faults(try Self.json(policies(2, moments: 1))).contains("/policies/1/used/2"))
        let wide: (Int) throws -> JSON = { count in
            try Self.json { report in
                report.centres = Array(repeating: report.centres[0], count: count)
                policies(2, moments: 240)(&report)
            }
        }
        #expect(Self.faults(try wide(82)).isEmpty)
        #expect(Self.faults(try wide(83)) == ["/policies"], "2 × 84 × 240 values are more than 40,000")
        #expect(Self.faults(try wide(101)).contains("/centres"))
        #expect(SimulationReport.moments(policies: 2, centres: 82) == 240)
        #expect(SimulationReport.moments(policies: 16, centres: 100) * 16 * 101 <= SimulationReport.valuesMax)
    }

    @Test("faults say where they are, all at once")
    func faults() throws {
        let json = try Self.json {
            $0.policies[1].used[2][3] = 1001
            $0.policies[1].queued[0] = -1
            $0.policies[0].figures["speed"] = 1
            $0.options.outages[0].centre = 3
            $0.policies[0].projects[1].share = 1.5
            $0.differences[0].waitSeconds.low = 0
            $0.trace.jobs = 0
        }
        #expect(
            Set(Self.faults(json)) == [
                "/policies/1/used/2/3", "/policies/1/queued/0", "/policies/0/figures/speed",
                "/options/outages/0/centre", "/policies/0/projects/1/share", "/differences/0/wait_seconds/low",
                "/trace/jobs",
            ]
        )
        #expect(Self.faults(try Self.json { $0.policies[1].name = "easy" }).contains("/policies/1/name"))
        #expect(Self.faults(.object([("format", .integer(1))])).count == 8, "all that is missing")
        #expect(Self.faults(.array([])).contains(""))
        guard case .object(let members) = try Self.json() else { return }
        let empty = members.map { ($0.key, $0.key == "trace" ? JSON.object([]) : $0.value) }
        #expect(Self.faults(.object(empty)) == ["/trace/name", "/trace/jobs", "/trace/skipped"])
        #expect(Self.faults(.object(members + [("colour", .null)])) == ["/colour"])
        let numbers = members.map { ($0.key, $0.key == "step_seconds" ? JSON.number(1e300) : $0.value) }
        #expect(Self.faults(.object(numbers)) == ["/step_seconds"])
    }
}
