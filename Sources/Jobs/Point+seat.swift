import Core
import Logging
import Store
import Wire

extension Point {
    /// Throws unless the agent is still its centre's and speaks from its seat.
    func requireCurrent(_ agent: AgentPrincipal, seat: String) async throws {
        guard let known = try await knownAgents()[agent.agent], known.centre == agent.centre else {
            throw Self.unknownAgent
        }
        guard known.seat == seat else { throw Self.seatTaken(agent.centre) }
    }

    /// Gives an agent's identity to the process that speaks, unless another one holds it.
    ///
    /// Two processes with one identity, as after a copy of a folder or of a whole machine, would each start what is
    /// meant for one. Who holds it keeps it while it is heard; a restart on the same seat is the same holder.
    func claimSeat(_ seat: String, _ agent: AgentPrincipal) async throws {
        guard let known = try await knownAgents()[agent.agent], known.seat != seat else { return }
        let now = now()
        let isMoved = try await write { tx in
            guard let centre = try tx.centre(agent.centre), centre.agent == agent.agent else { throw Self.unknownAgent }
            if centre.agentSeat == seat { return false }
            let isSilent = self.sight.silentSince(centre.name, now: now, after: self.settings.silenceAfter) != nil
            guard centre.agentSeat == nil || isSilent else { throw Self.seatTaken(centre.name) }
            try tx.append(
                .agentSeated(.init(centre: centre.name, agent: agent.agent, seat: seat)),
                project: nil,
                subject: "centre/\(centre.name)",
                actor: Actor.agent(agent),
                at: now
            )
            // Before the commit: nobody else may find it silent once more.
            _ = self.sight.saw(centre.name, at: now)
            return centre.agentSeat != nil
        }
        agents.forget()
        if isMoved { log.warning("agent speaks from another place", metadata: ["centre": "\(agent.centre)"]) }
    }

    private static func seatTaken(_ centre: CentreName) -> Failure {
        Failure(
            .conflict,
            "Another process speaks for centre '\(centre)' with this identity and is heard. This one takes over once that "
                + "one is silent. If its folder is a copy, remove it and join with a token of its own."
        )
    }
}
