import Core

/// One thing that goes wrong, at one moment, for a while.
package struct Fault: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// The next exchange of the centre never arrives.
        case requestLost = "request_lost"
        /// It arrives and is carried out; its answer is lost.
        case answerLost = "answer_lost"
        /// It arrives late, after others that were sent later.
        case requestDelayed = "request_delayed"
        /// Its answer arrives late, and says what is no longer so.
        case answerDelayed = "answer_delayed"
        /// It arrives a second time, later.
        case requestRepeated = "request_repeated"
        /// The answer to a submission or a cancellation is lost, and the client asks again.
        case clientAnswerLost = "client_answer_lost"
        /// The centre and the point cannot reach each other.
        case partition
        /// The point dies at one of its next writes, before or after the commit.
        case pointCrash = "point_crash"
        /// The point's disk refuses every commit.
        case pointDisk = "point_disk"
        /// The agent dies at one of its next calls, before or after it, perhaps with its machine.
        case agentCrash = "agent_crash"
        /// The agent's disk refuses every write.
        case agentDisk = "agent_disk"
        /// The agent dies and is restored from a copy of its folder, or with an empty one.
        case agentRestored = "agent_restored"
        /// A second agent runs on a copy of the folder, with the same identity, and drives the same engine.
        case agentTwin = "agent_twin"
        /// The same on a machine with an engine of its own. Only where the first is heard all the time, since no claim
        /// stands between two engines; so it never comes together with others.
        case agentCopied = "agent_copied"
        /// The agent's clock is wrong, by up to years.
        case clockSkew = "clock_skew"
        /// The point refuses the agent's key, until it joins anew.
        case credentialExpiry = "credential_expiry"
        /// Nobody answers at the engine; what runs goes on.
        case engineDown = "engine_down"
        /// The engine comes back and starts running jobs a second time.
        case engineRestart = "engine_restart"
        /// The engine dies with what runs on some of its nodes.
        case nodeFailure = "node_failure"
        /// One of the next engine calls is carried out; its answer is lost.
        case engineAnswerLost = "engine_answer_lost"
        /// The engine's list stands still.
        case engineStaleList = "engine_stale_list"
        /// The engine's list names things twice and in any order.
        case engineRepeats = "engine_repeats"
        /// The engine forgets every run that has ended.
        case engineForgets = "engine_forgets"
    }

    package var kind: Kind
    /// After the world's beginning.
    package var atMilliseconds: Int64
    /// Whom it strikes.
    package var centre: Int
    package var lastsMilliseconds: Int64
    /// Which of the next calls, how far a clock is off, or what share is struck; each kind reads it its own way.
    package var draw: UInt64

    package init(kind: Kind, atMilliseconds: Int64, centre: Int, lastsMilliseconds: Int64, draw: UInt64) {
        (self.kind, self.atMilliseconds, self.centre) = (kind, atMilliseconds, centre)
        (self.lastsMilliseconds, self.draw) = (lastsMilliseconds, draw)
    }

    var at: Duration { .milliseconds(atMilliseconds) }
    var lasts: Duration { .milliseconds(lastsMilliseconds) }

    package var text: String {
        let place = [.pointCrash, .pointDisk, .clientAnswerLost].contains(kind) ? "point" : "centre-\(centre)"
        return "\(seconds(at)) \(kind.rawValue) \(place) for \(seconds(lasts)) (draw \(draw))"
    }

    /// Faults of every kind, or of some, evenly over the window.
    ///
    /// - Parameter days: Whether the first partition lasts for days.
    static func plan(
        _ count: Int,
        window: Duration,
        centres: Int,
        days: Bool,
        kinds only: Set<Kind>? = nil,
        seed: UInt64
    ) -> [Fault] {
        var chance = Chance(seed: seed, stream: 2)
        let kinds = Kind.allCases.filter { only?.contains($0) ?? ($0 != .agentCopied) }
            .flatMap { Array(repeating: $0, count: $0.weight) }
        guard !kinds.isEmpty else { return [] }
        var hasDays = false
        return (0..<count)
            .map { _ in
                let kind = kinds[Int(chance.next() % UInt64(kinds.count))]
                var lasts = chance.spread(kind.lasts.0, kind.lasts.1)
                if kind == .partition, days, !hasDays {
                    hasDays = true
                    lasts = chance.between(.seconds(86_400), .seconds(2 * 86_400))
                }
                return Fault(
                    kind: kind,
                    atMilliseconds: chance.between(.seconds(5), window).milliseconds,
                    centre: Int(chance.next() % UInt64(centres)),
                    lastsMilliseconds: lasts.milliseconds,
                    draw: chance.next() % 1_000_000
                )
            }
            .sorted { $0.atMilliseconds < $1.atMilliseconds }
    }
}

extension Fault.Kind {
    /// How often it comes compared with the others.
    fileprivate var weight: Int {
        switch self {
        case .requestLost, .answerLost, .requestDelayed, .answerDelayed, .requestRepeated, .engineAnswerLost: 12
        case .agentCrash, .engineRepeats: 8
        case .engineRestart, .engineStaleList, .pointCrash: 4
        case .clientAnswerLost, .partition, .agentDisk, .clockSkew, .engineDown, .nodeFailure: 3
        case .pointDisk, .agentRestored, .agentTwin, .agentCopied, .credentialExpiry, .engineForgets: 2
        }
    }

    /// The shortest and the longest.
    fileprivate var lasts: (Duration, Duration) {
        switch self {
        case .requestLost, .answerLost, .engineAnswerLost, .clientAnswerLost: (.seconds(1), .seconds(30))
        case .requestDelayed, .answerDelayed, .requestRepeated: (.seconds(1), .seconds(90))
        case .partition: (.seconds(5), .seconds(900))
        case .pointCrash, .agentCrash: (.milliseconds(200), .seconds(60))
        case .pointDisk, .agentDisk: (.seconds(1), .seconds(60))
        case .agentRestored, .agentTwin, .agentCopied: (.seconds(10), .seconds(300))
        case .clockSkew: (.seconds(10), .seconds(600))
        case .credentialExpiry: (.seconds(5), .seconds(300))
        case .engineDown, .engineRestart, .nodeFailure: (.seconds(1), .seconds(120))
        case .engineStaleList: (.seconds(1), .seconds(15))
        case .engineRepeats, .engineForgets: (.seconds(1), .seconds(60))
        }
    }
}

/// `12.345 s`, for traces.
func seconds(_ duration: Duration) -> String {
    let milliseconds = duration.milliseconds
    let rest = String(milliseconds % 1000)
    return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest) s"
}
