import ArgumentParser
import Core
import Corpora
import Curation

/// `onepoint data admit`.
struct DataAdmitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admit",
        abstract: "Decide by a sample whether a source may come in, or stay.",
        discussion: """
            The first call draws a sample of the source's records and writes down by which rule of the profile it is \
            decided; 'onepoint data judge --purpose STAGE/SOURCE' takes the verdicts of two people; later calls tell how \
            it stands and, once it is decided, write the evidence for the source's dossier. The status is 1 when the \
            source is refused.
            """
    )

    @Argument(help: "The pipeline's file.", completion: .file(extensions: ["yaml", "yml"])) var pipeline: String
    @Argument(help: "The source's name.") var source: String
    @Option(
        help: "'assessment' before collection, of what is there to be collected; 'verification' after it.",
        transform: { text in
            guard let stage = Admission.Stage(rawValue: text) else {
                throw ValidationError("--stage: 'assessment' or 'verification'")
            }
            return stage
        }
    )
    var stage: Admission.Stage
    @Option(
        help: ArgumentHelp("The profile that says how much may be bad.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var profile: String
    @Option(help: "How many records are drawn; as many as the profile's rule needs when left out.") var size: Int?
    @Flag(help: "Decide as soon as enough is known, judging in the order of drawing.") var sequential = false
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws {
        guard (1...WorkList.itemsMax).contains(size ?? 1) else {
            throw ValidationError("--size: from 1 to \(WorkList.itemsMax)")
        }
    }

    func run() throws {
        let (file, isNew) = try AdmissionFile.open(
            PipelineFile(pipeline),
            source: source,
            stage: stage,
            basis: sequential ? .sequential : .sample,
            profile: profile,
            size: size,
            runtime: SystemRuntime()
        )
        let (admission, isFinal) = file.verdict
        let evidence = try file.publishEvidence()
        let purpose = AdmissionFile.purpose(stage, source)
        if json {
            print(
                JSON.object([
                    (key: "draw", value: file.admission.check.draw.json), (key: "verdict", value: admission.json),
                    (key: "final", value: .bool(isFinal)),
                    (key: "evidence", value: evidence.map { .string($0.digest.description) } ?? .null),
                ]).text
            )
        } else if let evidence {
            print("\(admission.sentence)\nFor the dossier's records:")
            print("  - {kind: \(stage.rawValue), title: \(purpose), digest: \"\(evidence.digest)\"}")
        } else {
            let draw = file.admission.check.draw
            let tally = file.admission.check.work.tally
            let drawn =
                "\(tally.drawn) of \(draw.population) records drawn, root \(draw.root.hex.prefix(16)); \(file.path)"
            print(isNew ? drawn : "\(tally.settled) of \(tally.drawn) settled, \(tally.bad) bad.")
            print("Judge with: onepoint data judge \(pipeline) --purpose \(purpose) --as NAME")
        }
        if isFinal, admission.outcome == .refused { throw ExitCode(1) }
    }
}
