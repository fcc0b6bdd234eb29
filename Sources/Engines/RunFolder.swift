internal import CSupervise
internal import Core
internal import Glibc

/// The text of one run's folder: what the engine and the supervisor tell each other through files.
struct RunFolder {
    var path: String

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Who may carry out a run.
    enum Claim: Equatable {
        case supervisor(process: Int32, start: UInt64, boot: String)
        /// It was cancelled before anybody started it.
        case cancelled

        init?(_ bytes: [UInt8]) {
            let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
            if words.first == "cancelled" {
                self = .cancelled
            } else if words.count >= 3, words[0] == "supervisor", let process = Int32(words[1]),
                let start = UInt64(words[2])
            {
                self = .supervisor(process: process, start: start, boot: words.count > 3 ? String(words[3]) : "")
            } else {
                return nil
            }
        }

        /// Whether that very process lives.
        func isAlive(boot current: String) -> Bool {
            guard case .supervisor(let process, let start, let boot) = self, boot == current else { return false }
            return onepoint_alive(process, start) != 0
        }
    }

    var claim: Claim? { Disk.read(file("claim"), bytesMax: 4096).flatMap { Claim($0) } }

    /// Lines of a word and the rest.
    private func notes(_ name: String) -> [Substring: Substring]? {
        guard let bytes = Disk.read(file(name), bytesMax: 8192) else { return nil }
        var notes: [Substring: Substring] = [:]
        for line in Substring(String(decoding: bytes, as: UTF8.self)).split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            notes[parts[0]] = parts.count > 1 ? parts[1] : ""
        }
        return notes
    }

    /// - Parameter suffix: Of a member that its engine started by itself; see ``SharedRuns``.
    func startedAt(_ suffix: String = "") -> Instant? {
        (notes("started\(suffix)")?["started_ms"]).flatMap { Int64($0) }.map { Instant(milliseconds: $0) }
    }

    /// How it ended, once it has.
    func ending(_ suffix: String = "") -> EngineRun.State? {
        guard let notes = notes("exit\(suffix)") else { return nil }
        guard let kind = notes["kind"].flatMap({ RunOutcome.Kind(rawValue: String($0)) }),
            let ended = notes["ended_ms"].flatMap({ Int64($0) })
        else {
            let outcome = RunOutcome(.nodeFailure, detail: "its exit record cannot be read")
            return .ended(outcome, startedAt: startedAt(suffix), endedAt: Instant(milliseconds: 0))
        }
        let code = notes["code"].flatMap { Int($0) }
        let detail = notes["detail"].map(String.init).flatMap { $0.isEmpty ? nil : $0 }
        let started = notes["started_ms"].flatMap { Int64($0) } ?? 0
        let outcome = RunOutcome(kind, code: kind == .exit || kind == .signal ? code : nil, detail: detail)
        return .ended(
            outcome,
            startedAt: started > 0 ? Instant(milliseconds: started) : nil,
            endedAt: Instant(milliseconds: ended)
        )
    }

    /// The exit record of a run whose end somebody else than its supervisor has to write down.
    static func record(_ outcome: RunOutcome, startedAt: Instant?, endedAt: Instant) -> [UInt8] {
        let detail = (outcome.detail ?? "").map { $0.isNewline ? " " : $0 }
        return Array(
            """
            kind \(outcome.kind.rawValue)
            code \(outcome.code ?? 0)
            started_ms \(startedAt?.milliseconds ?? 0)
            ended_ms \(endedAt.milliseconds)
            detail \(String(detail))

            """.utf8
        )
    }
}

/// An order for the supervisor: pairs of key and value, each ended by NUL. See `order.c` for the keys.
struct SupervisorOrder {
    private(set) var bytes: [UInt8] = []

    /// The most a supervisor reads.
    static let bytesMax = 8 << 20

    mutating func add(_ key: String, _ value: String) {
        bytes += key.utf8
        bytes.append(0)
        bytes += value.utf8
        bytes.append(0)
    }

    mutating func add(_ key: String, _ value: some BinaryInteger) { add(key, String(value)) }

    /// The text with its end mark.
    var finished: [UInt8] { bytes + Array("end".utf8) + [0] }

    /// All values of one key in such a text.
    static func values(of key: String, in bytes: [UInt8]) -> [String] {
        let parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
        return stride(from: 0, to: parts.count - 1, by: 2).compactMap {
            parts[$0].elementsEqual(key.utf8) ? String(decoding: parts[$0 + 1], as: UTF8.self) : nil
        }
    }
}
