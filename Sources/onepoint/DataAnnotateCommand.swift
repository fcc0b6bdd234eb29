import ArgumentParser
import Core
import Corpora
import Curation

/// `onepoint data annotate`.
struct DataAnnotateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "annotate",
        abstract: "Label the records of an annotation batch, and review them.",
        discussion: """
            A batch is a YAML file (docs/data.md has its form) that names its kind, its rules by their digest and its \
            people with their roles; --items gives it records. Without --place it lists what waits for that person, \
            without --as it tells how far the batch is and how far its people agree.
            """
    )

    @Argument(help: "The batch's file.", completion: .file(extensions: ["yaml", "yml"])) var batch: String
    @Option(
        help: ArgumentHelp("Give the batch the records of this file of JSON Lines.", valueName: "file"),
        completion: .file()
    )
    var items: String?
    @Option(help: "With --items: how many of them are drawn for review; all when left out.") var review: Int?
    @Option(name: .customLong("as"), help: "Who says it.") var person: String?
    @Option(help: "The record's place in the file, from 0.") var place: Int?
    @Option(help: "What it is.") var label: String?
    @Flag(name: .customLong("bad"), help: "It cannot be used.") var isBad = false
    @Option(name: .customLong("risk"), help: "The risk's id, of a record that is bad; may be repeated.") var risks:
        [String] = []
    @Option(help: "Why, in a sentence.") var note: String?

    func validate() throws {
        guard review == nil || items != nil else { throw ValidationError("--review: goes with --items") }
        guard (1...WorkList.itemsMax).contains(review ?? 1) else {
            throw ValidationError("--review: from 1 to \(WorkList.itemsMax)")
        }
        guard place == nil || person != nil else { throw ValidationError("--as: who says it?") }
        guard place == nil || isBad != (label != nil) else { throw ValidationError("--label or --bad: one of them") }
    }

    func run() throws {
        var file = try items.map { try BatchFile.begin(batch, items: $0, reviews: review) } ?? BatchFile.read(batch)
        guard let person else { return print(file.batch.report(confidence: nil, withItems: false).text) }
        let pending = file.pending(for: person)
        guard let place else {
            for (step, item) in pending { print("\(item.place)\t\(step.rawValue)\t\(item.id)") }
            return
        }
        // A place that waits for nothing gets the refusal that says so.
        let step = pending.first { $0.item.place == place }?.step ?? .judge
        let judgement = WorkList.Judgement(
            person: person,
            isGood: !isBad,
            label: label,
            risks: risks,
            at: Assembly.now(),
            note: note
        )
        try file.apply(.init(step, place: place, judgement: judgement))
        print("\(step.rawValue): \(label ?? "bad"). \(file.done) of \(file.batch.work.items.count) done.")
    }
}
