import ArgumentParser
import Core
import Corpora
import Curation

/// `onepoint data train-languages`: what `scripts/train-language-model` calls.
struct DataTrainLanguagesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train-languages",
        abstract: "Train the model that tells languages apart.",
        discussion: """
            A folder has a file for each language, named by its code, with a text on each line. Half of the texts of \
            --sentences are held out from a first training to measure by; --supplement only adds languages and texts.
            """
    )

    @Option(help: ArgumentHelp("Texts to learn and to measure by.", valueName: "folder"), completion: .directory)
    var sentences: String
    @Option(help: ArgumentHelp("Texts that are only learned.", valueName: "folder"), completion: .directory)
    var supplement: String?
    @Option(help: ArgumentHelp("Where to write the model.", valueName: "file"), completion: .file()) var out: String
    @Option(name: .customLong("model-version"), help: "Its version.") var modelVersion = "1"
    @Option(help: "What it was trained from, as a person would name it.") var from: String
    @Option(help: "The licence of the model.") var licence: String
    @Option(help: "What chance begins with.") var seed: UInt64 = 1

    func run() throws {
        let card = try ModelTraining.trainLanguages(
            sentences: sentences,
            supplement: supplement,
            to: out,
            version: modelVersion,
            trainedFrom: from,
            licence: licence,
            seed: seed
        )
        print("\(card.labels.count) languages from \(card.examples) texts")
        if let heldOut = card.heldOut {
            print("of \(heldOut.examples) held-out texts \(heldOut.accuracy * 100) % got their own language")
        }
    }
}
