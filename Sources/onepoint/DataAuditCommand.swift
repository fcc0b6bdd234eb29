import ArgumentParser
import Core
import Corpora
import Curation

/// `onepoint data sample`.
struct DataSampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample",
        abstract: "Draw a sample of what a run wrote, for people to judge.",
        discussion: """
            The draw follows from the Merkle root of all records, the purpose and the size, so an auditor draws it again. \
            The texts are in samples/PURPOSE.jsonl of the output folder; 'onepoint data judge' takes the verdicts.
            """
    )

    @Argument(help: "The pipeline's file.", completion: .file(extensions: ["yaml", "yml"])) var pipeline: String
    @Option(help: "What it is for; also its name.") var purpose = "spot-check"
    @Option(help: "How many records; all when there are not more.") var size = 4000
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws {
        guard (1...WorkList.itemsMax).contains(size) else {
            throw ValidationError("--size: from 1 to \(WorkList.itemsMax)")
        }
    }

    func run() throws {
        let sample = try SampleFile.draw(PipelineFile(pipeline), purpose: purpose, size: size)
        guard !json else { return print(sample.check.draw.json.text) }
        print(
            "\(sample.check.work.items.count) of \(sample.check.draw.population) records drawn, root "
                + "\(sample.check.draw.root.hex.prefix(16)); \(sample.path)"
        )
    }
}

/// `onepoint data judge`.
struct DataJudgeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "judge",
        abstract: "Say of a drawn record whether it is good.",
        discussion: """
            A record is judged by one person and reviewed by another; where they disagree, a third one settles it. \
            Without --place it lists what waits for that person.
            """
    )

    @Argument(help: "The pipeline's file.", completion: .file(extensions: ["yaml", "yml"])) var pipeline: String
    @Option(help: "The sample's purpose.") var purpose = "spot-check"
    @Option(help: "The record's place in the list.") var place: Int?
    @Option(name: .customLong("as"), help: "Who says it.") var person: String
    @Flag(name: .customLong("bad"), help: "It is not good.") var isBad = false
    @Option(name: .customLong("risk"), help: "The risk's id, of a record that is bad; may be repeated.") var risks:
        [String] = []
    @Option(help: "Why, in a sentence.") var note: String?

    func run() throws {
        var sample = try SampleFile.read(PipelineFile(pipeline), purpose: purpose)
        let work = sample.check.work
        guard let place else {
            for item in work.items {
                if let step = Self.step(of: item.place, by: person, in: work) {
                    print("\(item.place)\t\(step.rawValue)\t\(item.id)")
                }
            }
            return
        }
        // A place that waits for nothing gets the refusal that says so.
        let step = Self.step(of: place, by: person, in: work) ?? .judge
        let judgement = WorkList.Judgement(
            person: person,
            isGood: !isBad,
            risks: risks,
            at: Assembly.now(),
            note: note
        )
        try sample.apply(.init(step, place: place, judgement: judgement))
        let tally = sample.check.work.tally
        print(
            "\(step.rawValue): \(isBad ? "bad" : "good"). \(tally.settled) of \(tally.drawn) settled, \(tally.bad) bad."
        )
    }

    private static func step(of place: Int, by person: String, in work: WorkList) -> WorkList.Step? {
        WorkList.Step.allCases.first { work.awaits($0, of: place, by: person) }
    }
}

/// `onepoint data audit`.
struct DataAuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Write the audit pack of a release: card, provenance, counts, licences, samples, proofs.",
        discussion: """
            Every source of the pipeline needs a dossier. Profiles say what is to be shown, clause by clause; what is \
            not met is told, and the status is 1. openssl verifies the signature: openssl pkeyutl -verify -pubin -inkey \
            PUBLIC -rawin -in manifest.json -sigfile manifest.json.sig
            """
    )

    @Argument(help: "The pipeline's file.", completion: .file(extensions: ["yaml", "yml"])) var pipeline: String
    @Option(
        help: ArgumentHelp("What the release is, as YAML (docs/data.md has the form).", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var release: String
    @Option(help: ArgumentHelp("The folder to write to.", valueName: "folder"), completion: .directory) var out: String
    @Option(
        name: .customLong("profile"),
        help: ArgumentHelp("Hold it against this profile; may be repeated.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var profiles: [String] = []
    @Option(
        help: ArgumentHelp("The risks that counts are told by.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var taxonomy: String?
    @Option(
        help: ArgumentHelp("What people state of what no run can show, as YAML.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var evidence: String?
    @Option(
        name: .customLong("batch"),
        help: ArgumentHelp("An annotation batch; may be repeated.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var batches: [String] = []
    @Option(
        help: ArgumentHelp("Sign with this Ed25519 private key in PEM.", valueName: "file"),
        completion: .file(extensions: ["pem"])
    )
    var key: String?
    @Flag(help: "Print one JSON object.") var json = false

    func run() throws {
        var options = Audit.Options(release: release, tool: "onepoint \(productVersion)")
        options.profiles = profiles
        options.taxonomy = taxonomy
        options.evidence = evidence
        options.batches = batches
        let audit = try Audit(PipelineFile(pipeline), options)
        let written = try audit.write(to: out, key: key)
        let unmet = audit.checks.filter { $0.result.outcome == .notMet }
        if json {
            print(
                JSON.object([
                    (key: "root", value: .string(written.root.hex)),
                    (key: "files", value: .array(written.files.map { .string($0) })),
                    (key: "checks", value: .array(audit.checks.map(\.result.json))),
                ]).text
            )
        } else {
            if !audit.checks.isEmpty {
                var rows = [["CHECK", "OUTCOME", "FOUND", "ASKED"]]
                for (profile, result) in audit.checks {
                    rows.append(["\(profile) \(result.check.id)", result.outcome.rawValue, result.found, result.asked])
                }
                print(aligned(rows))
            }
            print("\(written.files.count) files in \(out), root \(written.root.hex)")
        }
        if !unmet.isEmpty { throw ExitCode(1) }
    }
}
