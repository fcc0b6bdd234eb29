internal import Core

/// One thing that a centre needs, looked at before work is entrusted to it.
public struct EngineCheck: Sendable, Hashable {
    public enum Verdict: String, Sendable, Hashable {
        case passed
        /// It works, or may, and somebody should know.
        case doubtful
        case failed
    }

    /// What was looked at, in a word or two.
    public var subject: String
    public var verdict: Verdict
    /// What was found, and unless it passed what to do about it.
    public var detail: String

    public init(_ subject: String, _ verdict: Verdict, _ detail: String) {
        self.subject = subject
        self.verdict = verdict
        self.detail = detail
    }
}

extension Engine {
    public func check() async -> [EngineCheck] { [await capacityCheck()] }

    /// Whether the engine answers, and what it offers.
    func capacityCheck() async -> EngineCheck {
        do throws(EngineError) {
            let capacity = try await capacity()
            let open = capacity.nodes.filter(\.schedulable)
            let cores = open.reduce(MilliCores(0)) { $0 + $1.cores }
            let cards = open.flatMap(\.cards).reduce(into: [String: Int]()) { $0[$1.model, default: 0] += $1.count }
            let offer =
                "\(capacity.engineVersion): \(open.count) of \(capacity.nodes.count) nodes open, \(cores) cores"
                + cards.sorted { $0.key < $1.key }.map { ", \($0.value) \($0.key)" }.joined()
            if open.isEmpty {
                return EngineCheck("engine", .failed, "\(offer). Open a node, or name another partition.")
            }
            let unknown = cards.keys.filter { Accelerator.named($0) == nil }.sorted()
            return unknown.isEmpty
                ? EngineCheck("engine", .passed, offer)
                : EngineCheck(
                    "engine",
                    .doubtful,
                    "\(offer). No model of the catalogue: \(unknown.joined(separator: ", ")); name each in `card_aliases`."
                )
        } catch {
            return EngineCheck("engine", .failed, error.sentence)
        }
    }
}

extension EngineError {
    /// What happened, for people.
    public var sentence: String {
        switch self {
        case .unreachable(let why), .refused(let why): why
        case .unknownRun(let run): "The engine does not know \(run)."
        }
    }
}

extension LocalEngine {
    public func check() async -> [EngineCheck] {
        let python = try? await blocking { () throws(EngineError) in
            Interpreter.find(configured: self.configuration.python)
        }
        return [
            await capacityCheck(),
            sandbox != nil
                ? EngineCheck("isolation", .passed, "jobs get a file system and a process space of their own")
                : EngineCheck(
                    "isolation",
                    .doubtful,
                    "bubblewrap does not work here, so only operators' jobs without isolation run: install bubblewrap, and "
                        + "allow user namespaces (sysctl kernel.unprivileged_userns_clone=1)"
                ),
            (python ?? nil).map { EngineCheck("environments", .passed, "Python \($0.version) at \($0.path)") }
                ?? EngineCheck(
                    "environments",
                    .doubtful,
                    "no Python can make environments, so algorithms with requirements fail: install python3-venv"
                ),
        ]
    }
}
