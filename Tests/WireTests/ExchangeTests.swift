import Core
import Foundation
import Testing

@testable import Wire

@Suite("Exchanges are read and written by hand as the general way would") struct ExchangeTests {
    static let job = JobID(high: 0x0199_0000_0000_0001, low: 7)
    static let at = Instant(milliseconds: 1_790_000_000_123)
    static let artifact = Artifact(name: "out", kind: .file, digest: Digest(bytes: Array(0..<32))!, size: 9)

    static func run(_ number: Int) -> RunKey { RunKey(job: job, number: number) }

    /// One report of each kind, and every optional part once there and once not.
    static let full = ExchangeRequest(
        agent: AgentID(high: 1, low: 2),
        seat: "boot:1:2 “x”",
        at: at,
        capacity: CentreCapacity(
            engine: .slurm,
            engineVersion: "24.05",
            nodes: [Node(name: "n1", cores: 2500, memory: .gibi(3))],
            isolates: true
        ),
        others: [
            NodeUse(node: "n1", cores: 500, memory: .mebi(7), cards: [CardGroup(model: "a100-80gb", count: 2)])
        ],
        reports: [
            .init(run: run(1), version: 1, observation: RunObservation(phase: .submitting, waiting: "3 of 9 GiB")),
            .init(run: run(2), version: 2, observation: RunObservation(phase: .pending, engineJob: "4711")),
            .init(run: run(3), version: 3, observation: RunObservation(phase: .running, startedAt: at)),
            .init(
                run: run(4),
                version: 4,
                observation: RunObservation(
                    phase: .ended,
                    engineJob: "5",
                    startedAt: at,
                    endedAt: at,
                    outcome: RunOutcome(.exit, code: 3, detail: "no"),
                    artifacts: [artifact]
                )
            ),
            .init(run: run(5), version: 5, observation: RunObservation(phase: .running, artifacts: [artifact])),
            .init(
                run: run(6),
                version: 6,
                observation: RunObservation(
                    phase: .running,
                    startedAt: at,
                    nodes: [NodeShare(node: "n1", tasks: 2, card: "a100-80gb")]
                )
            ),
        ],
        holds: [run(1), run(2)],
        strays: [run(9)],
        waitMilliseconds: 15_000
    )
    static let bare = ExchangeRequest(
        agent: AgentID(high: 1, low: 2),
        seat: "",
        at: at,
        capacity: nil,
        reports: [],
        holds: [],
        strays: nil,
        waitMilliseconds: 0
    )

    @Test("what an agent says is understood without the general way, and alike", arguments: [full, bare])
    func read(request: ExchangeRequest) throws {
        let json = try JSON(encoding: request)
        #expect(ExchangeRequest(byHand: json) == request)
        #expect(try json.decode() == request)
    }

    @Test("null is nothing, and members of a newer agent are passed over")
    func lenient() throws {
        let text = try JSON(encoding: Self.full).text
            .replacing(#""phase":"pending""#, with: #""phase":"pending","started_at":null,"waiting":null,"since_9":[]"#)
        let json = try JSON(parsing: text.utf8)
        #expect(ExchangeRequest(byHand: json) == Self.full)
        #expect(try json.decode() == Self.full)
    }

    @Test(
        "what is wrong is refused by both, and named",
        arguments: [
            (#""version":3"#, #""version":"3""#, "reports/2/version"),
            (#""version":3"#, #""version":3.5"#, "reports/2/version"),
            (#""phase":"running""#, #""phase":"flying""#, "reports/2/observation/phase"),
            (#""engine_job":"4711""#, #""engine_job":4711"#, "reports/1/observation/engine_job"),
            (#""holds":["#, #""holds":["op-1","#, "holds/0"),
            (#""strays":["#, #""strays":[null,"#, "strays/0"),
            (#""seat":"#, #""seats":"#, ""),
            (#""engine":"slurm""#, #""engine":"abacus""#, "capacity/engine"),
            (#""outcome":{"#, #""outcome":{"kind":"odd"},"x":{"#, "reports/3/observation/outcome/kind"),
        ]
    )
    func refused(part: String, broken: String, path: String) throws {
        let text = try JSON(encoding: Self.full).text
        let place = try #require(text.firstRange(of: part))
        let json = try JSON(parsing: text.replacingCharacters(in: place, with: broken).utf8)
        #expect(ExchangeRequest(byHand: json) == nil)
        let error = #expect(throws: DecodingError.self) { try ExchangeRequest(json) }
        let found: String? =
            switch error {
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
                .dataCorrupted(let context):
                context.codingPath.map(\.stringValue).joined(separator: "/")
            default: nil
            }
        #expect(found == path)
    }

    @Test("what the point says is written to the byte as the general way would")
    func write() throws {
        let order = LeaseOrder(
            run: Self.run(1),
            project: ProjectName("demo")!,
            spec: JobSpec(name: "a", command: ["true"]),
            nodes: [NodeShare(node: "n1", tasks: 1)],
            arrayIndex: 3,
            arrayCount: 4,
            inputs: [.init(path: "x", kind: .tree, digest: Self.artifact.digest)]
        )
        let response = ExchangeResponse(
            leases: [order],
            stops: [.init(run: Self.run(2), reason: .cancel, graceSeconds: 7)],
            acknowledged: [.init(run: Self.run(3), version: 8)],
            settled: [Self.run(4)],
            at: Self.at
        )
        #expect(try response.json.text == JSON(encoding: response).text)
    }
}
