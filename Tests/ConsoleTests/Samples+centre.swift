import Core
import Wire

@testable import Console

extension CentrePage {
    static let sample = CentrePage(
        centre: Sample.hub,
        jobs: [Sample.jobs[1]],
        reservations: ReservationsSection(
            reservations: [
                reservation(
                    "course",
                    .active,
                    project: "tour",
                    from: 60,
                    [
                        .init(node: "n1", whole: true, insteadOf: "n<0>"), .init(node: "n2", whole: true),
                    ],
                    missing: ["n2"]
                ),
                reservation(
                    "demo",
                    .planned,
                    project: nil,
                    from: -600,
                    [.init(node: "n1", whole: false, cores: 2000, memory: .gibi(8), cards: 2, card: "l40s")]
                ),
                reservation("power", .planned, .maintenance, project: nil, from: -1500, []),
            ],
            hasMore: true
        )
    )

    private static func reservation(
        _ name: String,
        _ state: ReservationState,
        _ purpose: ReservationPurpose = .project,
        project: String?,
        from: Int,
        _ nodes: [ReservationView.NodePart],
        missing: [String] = []
    ) -> ReservationView {
        guard let name = ReservationName(name) else { preconditionFailure("\(name) is no name") }
        return ReservationView(
            name: name,
            centre: Sample.hub.name,
            purpose: purpose,
            project: project.flatMap { ProjectName($0) },
            state: state,
            startsAt: Sample.ago(from),
            endsAt: Sample.ago(from - 480),
            wholeCentre: nodes.isEmpty,
            nodes: nodes,
            note: purpose == .maintenance ? "new <power> supply" : nil,
            createdAt: Sample.ago(90),
            missing: missing
        )
    }
}
