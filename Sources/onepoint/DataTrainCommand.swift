import ArgumentParser
import Core
import Corpora
import Curation

/// `onepoint data train`.
struct DataTrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a classifier of quality or safety from labelled texts.",
        discussion: """
            The files are JSON Lines with 'text' and 'label', packed or not. A fifth of the texts is held out from a first \
            training to measure by, then the model is trained on all. The same files and the same seed give the same model.
            """
    )

    @Argument(help: "Labelled texts.", completion: .file(extensions: ["jsonl", "gz", "zst"])) var files: [String]
    @Option(help: ArgumentHelp("Where to write the model.", valueName: "file"), completion: .file()) var out: String
    @Option(help: "What rules and reports call it.") var name = "quality"
    @Option(name: .customLong("model-version"), help: "Its version.") var modelVersion = "1"
    @Option(help: "What it was trained from, as a person would name it.") var from: String
    @Option(help: "The licence of the model.") var licence: String
    @Option(help: "What chance begins with.") var seed: UInt64 = 1
    @Flag(help: "Print one JSON object.") var json = false

    func run() throws {
        let options = ModelTraining.Options(
            name: name,
            version: modelVersion,
            trainedFrom: from,
            licence: licence,
            seed: seed
        )
        let card = try ModelTraining.train(files, to: out, options)
        let heldOut = card.heldOut
        if json {
            print(
                JSON.object([
                    (key: "labels", value: .array(card.labels.map { .string($0) })),
                    (key: "examples", value: .integer(Int64(card.examples))),
                    (key: "held_out", value: .integer(Int64(heldOut?.examples ?? 0))),
                    (key: "accuracy", value: heldOut.map { .number($0.accuracy) } ?? .null),
                    (key: "macro_accuracy", value: heldOut.map { .number($0.macroAccuracy) } ?? .null),
                ]).text
            )
        } else {
            print("\(card.examples) texts, labels \(card.labels.joined(separator: ", "))")
            if let heldOut {
                print("of \(heldOut.examples) held-out texts \(heldOut.accuracy * 100) % got their own label")
            }
        }
    }
}
