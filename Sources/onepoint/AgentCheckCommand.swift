import Agent
import ArgumentParser
import Blobs
import Client
import Core
import Engines
import FoundationEssentials
import Logging
import Wire

/// `onepoint agent check`: whether this machine can be a centre, before anybody relies on it.
struct AgentCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look at everything that an agent needs here, and say what to do about the rest.",
        discussion: """
            Looks at the data folder, the point and its clock, who we are to it, and the engine: what it is, what it \
            offers, and on a cluster whether a job of a second gets through. Leaves with 0 when nothing failed, else 1.

            Examples:
              onepoint agent check --join https://point.example
              onepoint agent check --data /var/lib/onepoint-agent --engine-config slurm.yaml --json
            """
    )

    @OptionGroup var options: AgentOptions
    @Flag(name: .long, help: "Print the checks as JSON, one a line.") var json = false

    /// Less than this and staged inputs soon do not fit.
    private static let spaceMin = Bytes.gibi(1)

    func run() async throws {
        var hasFailed = false
        func say(_ check: EngineCheck) {
            hasFailed = hasFailed || check.verdict == .failed
            guard json else {
                let mark =
                    switch check.verdict {
                    case .passed: "ok  ";
                    case .doubtful: "look";
                    case .failed: "FAIL"
                    }
                return print("\(mark)  \(check.subject): \(check.detail)")
            }
            let line = JSON.object([
                ("subject", .string(check.subject)), ("verdict", .string(check.verdict.rawValue)),
                ("detail", .string(check.detail)),
            ])
            print(line.text)
        }
        let data = try absolute(options.data)
        say(await Self.folder(data))
        for check in await point(data) { say(check) }
        for check in await engine(data) { say(check) }
        if hasFailed { throw ExitCode(1) }
    }

    /// Whether the folder can be made, written, and has room.
    private static func folder(_ data: String) async -> EngineCheck {
        do {
            let assembly = try Assembly(data: data, log: makeLogger(.error))
            let folder = try AgentFolder(root: data, threads: assembly.threads)
            let free = try await BlobStore.open(root: folder.cachePath, threads: assembly.threads).space().free
            return free < spaceMin
                ? EngineCheck(
                    "data folder",
                    .failed,
                    "\(data) has \(free) left; \(spaceMin) are the least for inputs and results"
                ) : EngineCheck("data folder", .passed, "\(data), \(free) free")
        } catch {
            return EngineCheck("data folder", .failed, (error as? Failure)?.detail ?? "\(data): \(error)")
        }
    }

    /// Whether the point is reached, its clock and ours agree, and it knows us.
    private func point(_ data: String) async -> [EngineCheck] {
        let identity = FileManager.default.contents(atPath: "\(data)/identity.json").flatMap {
            try? WireJSON.decode(AgentIdentity.self, from: $0)
        }
        guard let address = options.join ?? identity?.point else {
            return [
                EngineCheck("point", .doubtful, "nothing has been joined yet: name the point's address with --join")
            ]
        }
        let link = HTTPPointLink(point: address, key: identity?.key ?? "")
        var checks: [EngineCheck] = []
        do {
            let skew = try await link.clockSkew(now: Assembly.now)
            checks.append(EngineCheck("point", .passed, "\(address) answers"))
            let seconds = abs(skew.milliseconds) / 1000
            checks.append(
                seconds > 10
                    ? EngineCheck(
                        "clock",
                        .doubtful,
                        "this machine is \(seconds) s \(skew > .zero ? "behind" : "ahead of") the point: let NTP set both clocks"
                    ) : EngineCheck("clock", .passed, "agrees with the point's")
            )
        } catch {
            return [EngineCheck("point", .failed, (error as? Failure)?.detail ?? "\(address): \(error)")]
        }
        guard let identity else {
            return checks + [
                EngineCheck("identity", .doubtful, "not joined yet: `onepoint centres join` gives a token")
            ]
        }
        do {
            checks.append(
                try await link.isKnown()
                    ? EngineCheck("identity", .passed, "this folder speaks for centre \(identity.centre)")
                    : EngineCheck(
                        "identity",
                        .failed,
                        "the point does not know this folder's agent of centre \(identity.centre) any more: start it with --join "
                            + "and a fresh token of `onepoint centres join \(identity.centre)`"
                    )
            )
        } catch {
            checks.append(EngineCheck("identity", .failed, (error as? Failure)?.detail ?? "\(error)"))
        }
        return checks
    }

    private func engine(_ data: String) async -> [EngineCheck] {
        do {
            let entry = try await options.entry(Self.anyName)
            let engine = try await entry.engine(root: "\(data)/engine", log: makeLogger(.error))
            return await engine.check()
        } catch {
            let text = (error as? EngineError)?.sentence ?? (error as? Failure)?.detail ?? "\(error)"
            return [EngineCheck("engine", .failed, text)]
        }
    }

    private static let anyName: CentreName = {
        guard let name = CentreName("check") else { preconditionFailure("a valid name") }
        return name
    }()
}
