import Agent
import Core
import Jobs
import Wire

/// The network between one centre and the point, and what goes wrong on it.
///
/// `@unchecked Sendable`: confined to the thread of its world.
final class Network: @unchecked Sendable {
    let centre: Int
    let time: VirtualTime
    let truth: Truth
    let host: PointHost
    let book: LogBook
    var chance: Chance
    private var cutUntil: Instant?
    private var refusedUntil: Instant?
    /// What strikes the next exchanges, the oldest first.
    private var waiting: [Fault] = []
    let sabotage: Sabotage?

    init(
        centre: Int,
        time: VirtualTime,
        truth: Truth,
        host: PointHost,
        book: LogBook,
        chance: Chance,
        sabotage: Sabotage?
    ) {
        (self.centre, self.time, self.truth, self.host, self.book) = (centre, time, truth, host, book)
        (self.chance, self.sabotage) = (chance, sabotage)
    }

    func cut(for duration: Duration) { cutUntil = max(cutUntil ?? time.now, time.now + duration) }
    func refuse(for duration: Duration) { refusedUntil = max(refusedUntil ?? time.now, time.now + duration) }
    func strike(_ fault: Fault) { waiting.append(fault) }

    func nextFault() -> Fault? { waiting.isEmpty ? nil : waiting.removeFirst() }

    /// One way over the network.
    func pass(_ life: Life, latency: Duration) async throws {
        try await time.sleep(for: latency)
        try life.pass()
        if let until = cutUntil {
            guard time.now >= until else {
                try await time.sleep(for: .seconds(2))
                throw Failure(.unavailable, "no route to the point")
            }
            cutUntil = nil
        }
    }

    func latency() -> Duration { chance.between(.milliseconds(50), .milliseconds(400)) }

    func checkCredential() throws {
        guard let until = refusedUntil else { return }
        if time.now < until { throw Failure(.unauthenticated, "The agent's key has expired.") }
        refusedUntil = nil
    }
}

/// The way of one agent's life to the point.
struct SimulatedLink: PointLink {
    let network: Network
    let life: Life
    let identity: AgentIdentity
    let disk: SimulatedDisk

    func exchange(_ request: ExchangeRequest) async throws -> ExchangeResponse {
        do {
            return try await thereAndBack(request)
        } catch {
            guard network.sabotage == .earlyAcknowledgement, !life.isOver else { throw error }
            return Self.invented(request, network)
        }
    }

    private func thereAndBack(_ request: ExchangeRequest) async throws -> ExchangeResponse {
        try life.pass()
        let sent = network.time.now
        let fault = network.nextFault()
        if fault?.kind == .requestLost {
            try await network.time.sleep(for: fault?.lasts ?? .zero)
            throw Failure(.unavailable, "timed out")
        }
        try await network.pass(life, latency: network.latency())
        if let fault, fault.kind == .requestDelayed { try await network.time.sleep(for: fault.lasts) }
        if let fault, fault.kind == .requestRepeated {
            network.time.after(fault.lasts) {
                // Sent by somebody who is dead by now: nobody waits for its end.
                Task(executorPreference: network.time) { _ = try? await deliver(request, sent: sent) }
            }
        }
        var response = try await deliver(request, sent: sent)
        if let fault, fault.kind == .answerLost {
            try await network.time.sleep(for: fault.lasts)
            throw Failure(.unavailable, "the connection was closed before an answer came")
        }
        if let fault, fault.kind == .answerDelayed { try await network.time.sleep(for: fault.lasts) }
        try await network.pass(life, latency: network.latency())
        if network.sabotage == .strayStop, network.chance.happens(0.02), let run = request.holds.first {
            response.stops.append(.init(run: run, reason: .superseded, graceSeconds: 0))
        }
        return response
    }

    private func deliver(_ request: ExchangeRequest, sent: Instant) async throws -> ExchangeResponse {
        try network.checkCredential()
        return try await network.host.call { point in
            let principal = try await point.authenticateAgent(bearer: identity.key)
            // A call is a word when it comes, not for as long as it is parked; and none when its seat is refused.
            let came = network.time.now
            do {
                let response = try await point.exchange(request, principal)
                network.truth.hear(centre: network.centre, from: disk.name, at: came, sent: sent)
                return response
            } catch let failure as Failure where failure.code == .conflict {
                network.truth.refuseSeat()
                throw failure
            }
        }
    }

    /// What a careless agent would believe.
    private static func invented(_ request: ExchangeRequest, _ network: Network) -> ExchangeResponse {
        ExchangeResponse(
            leases: [],
            stops: [],
            acknowledged: request.reports.map { .init(run: $0.run, version: $0.version) },
            settled: [],
            at: network.time.now
        )
    }

    func appendLog(
        _ run: RunKey,
        task: Int,
        offset: Int64,
        _ bytes: [UInt8],
        complete: Bool
    ) async throws -> Int64 {
        try life.pass()
        try await network.pass(life, latency: .milliseconds(50))
        try network.checkCredential()
        guard network.host.isUp else { throw Failure(.unavailable, "connection refused") }
        return network.book.append(run, offset: offset, bytes)
    }
}
